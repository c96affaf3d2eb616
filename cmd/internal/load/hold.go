package load

import (
	"context"
	"fmt"
	"time"
)

// hold keeps sessions open that do nothing, and asks each of them something in the end.
func hold(ctx context.Context, b *Bench, s Settings, r *Result) error {
	before, err := s.Processes.Usage()
	if err != nil {
		return err
	}
	s.Progress(fmt.Sprintf("opens %d sessions", s.Sessions))
	list, refused := b.server.dialAll(ctx, s.Sessions)
	defer closeAll(list)
	r.Sessions = len(list)
	if len(list) == 0 {
		return refused
	}
	// What the logins have left to do is not the cost of holding them.
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	s.Progress(fmt.Sprintf("holds %d sessions for %v", len(list), s.Duration))
	held, err := s.Processes.Usage()
	if err != nil {
		return err
	}
	if err := sleep(ctx, s.Duration); err != nil {
		return err
	}
	after, err := s.Processes.Usage()
	if err != nil {
		return err
	}
	s.Progress("asks each of them")
	dead := 0
	for _, ss := range list {
		if _, err := ss.Call(getOne(0)); err != nil {
			dead++
		}
	}
	r.Finding = fmt.Sprintf("%d of %d sessions", len(list)-dead, s.Sessions)
	if len(s.Processes) > 0 {
		r.Finding += fmt.Sprintf(", %.1f %% of a core, %.0f kB each",
			100*(after.CPU-held.CPU).Seconds()/s.Duration.Seconds(), float64(after.RSS-before.RSS)/1e3/float64(len(list)))
	}
	if refused != nil {
		r.Finding += fmt.Sprintf("; then: %v", refused)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
