package load

import (
	"context"
	"fmt"
	"maps"
	"time"
)

// Crash has a server killed in the middle of edits, several times, and asks what is left
// after its restart: of every edit that was acknowledged, and of the rest. kill ends the
// server without warning, restart starts it on what it has stored and returns when it takes
// sessions.
func (b *Bench) Crash(ctx context.Context, s Settings, times int, kill, restart func() error) (Result, error) {
	s = s.withDefaults()
	r := Result{Workload: "kill -9", Nodes: s.Nodes}
	err := b.crash(ctx, s, times, kill, restart, &r)
	b.filled = -1
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	if err != nil {
		r.Failed = err.Error()
	}
	return r, nil
}

func (b *Bench) crash(ctx context.Context, s Settings, times int, kill, restart func() error, r *Result) error {
	whole, lost, gone := 0, 0, 0
	n := 0
	for k := range times {
		s.Progress(fmt.Sprintf("kill %d of %d", k+1, times))
		if err := b.fill(ctx, s, s.Nodes); err != nil {
			return err
		}
		ss, err := b.server.Dial(ctx)
		if err != nil {
			return err
		}
		acked, err := ss.read() // what is acknowledged, and is there
		if err != nil {
			return err
		}
		// The killer comes at another moment each time.
		killed := make(chan error, 1)
		timer := time.AfterFunc(s.Duration+time.Duration(k)*7*time.Millisecond, func() { killed <- kill() })
		for {
			i := n % s.Nodes
			if err := ss.write(changed(i, n+1)); err != nil {
				break // it is dead
			}
			acked[i] = n + 1
			n++
		}
		ss.Close()
		if timer.Stop() {
			return fmt.Errorf("the server ended a session before it was killed")
		}
		if err := <-killed; err != nil {
			return err
		}
		b.filled = -1
		if err := restart(); err != nil {
			r.Finding = fmt.Sprintf("does not start again after being killed %d times: %v", k+1, err)
			return nil
		}
		ss, err = b.server.Dial(ctx)
		if err != nil {
			return err
		}
		left, err := ss.read()
		ss.Close()
		if err != nil {
			return err
		}
		if left[n%s.Nodes] == n+1 { // under way, and done
			acked[n%s.Nodes] = n + 1
		}
		n++
		switch {
		case maps.Equal(left, acked):
			whole++
			b.filled = s.Nodes
		case len(left) == 0:
			gone++
		default:
			lost++
		}
	}
	r.Finding = fmt.Sprintf("%d of %d times all that was acknowledged is there after the restart", whole, times)
	if lost > 0 {
		r.Finding += fmt.Sprintf("; %d times acknowledged edits are lost", lost)
	}
	if gone > 0 {
		r.Finding += fmt.Sprintf("; %d times the whole configuration is", gone)
	}
	return nil
}

// read is what the network holds: the nodes with their versions.
func (ss *Session) read() (map[int]int, error) {
	reply, err := ss.Call(getAll)
	if err != nil {
		return nil, err
	}
	return versions(reply), nil
}

// Edits makes a number of edits of one node each, one after the other.
func (b *Bench) Edits(ctx context.Context, s Settings, count int) error {
	s = s.withDefaults()
	if err := b.fill(ctx, s, s.Nodes); err != nil {
		return err
	}
	ss, err := b.server.Dial(ctx)
	if err != nil {
		return err
	}
	defer ss.Close()
	for n := range count {
		if err := ss.write(changed(n%s.Nodes, n+1)); err != nil {
			return err
		}
	}
	return nil
}

// Configure sends an edit-config of running, for what a server needs before it is measured.
func (b *Bench) Configure(ctx context.Context, config string) error {
	ss, err := b.server.Dial(ctx)
	if err != nil {
		return err
	}
	defer ss.Close()
	return ss.write(config)
}
