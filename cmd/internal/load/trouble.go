package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// earlyRPC sends an rpc in one piece with the hello, which a client may: it knows the
// version when it has read the server's hello, and base:1.0 frames all of it alike.
func earlyRPC(ctx context.Context, b *Bench, s Settings, r *Result) error {
	ss, err := b.server.open(ctx)
	if err != nil {
		return err
	}
	defer ss.Close()
	old := *b.server
	old.Base10 = true
	both := append([]byte(old.hello()), "]]>]]>"...)
	both = append(appendRPC(both, 1, getOne(0)), "]]>]]>"...)
	if _, err := ss.channel.Write(both); err != nil {
		return err
	}
	ss.timeout = min(ss.timeout, 10*time.Second)
	start := time.Now()
	if _, err := ss.message(); err != nil { // the server's hello
		return err
	}
	_, err = ss.reply()
	var no *Refusal
	switch {
	case err == nil, errors.As(err, &no):
		r.Finding = fmt.Sprintf("answered after %.1f ms", milliseconds(time.Since(start)))
	case errors.Is(err, ErrTimeout):
		r.Finding = fmt.Sprintf("never answered, in %v", ss.timeout)
	default:
		r.Finding = "not answered: " + err.Error()
	}
	return nil
}

// slowReader makes edits with and without a subscriber that has stopped reading. Each edit
// is of a hundred nodes, so that its notification is long.
func slowReader(ctx context.Context, b *Bench, s Settings, r *Result) error {
	if err := b.fill(ctx, s, s.Nodes); err != nil {
		return err
	}
	r.Sessions, r.Nodes, r.Unit = 1, s.Nodes, "edits"
	list, err := b.server.dialAll(ctx, 2)
	defer closeAll(list)
	if err != nil {
		return err
	}
	editor, reader := list[0], list[1]
	s.Sessions, s.Runs = 1, 1
	size := min(100, s.Nodes)
	op := func(_, n int) (int, int, error) {
		from := n * size % (s.Nodes - size + 1)
		return 1, 0, editor.write(changedRange(from, from+size, version(0, n)))
	}
	turn := []int{0}
	s.Progress("edits without it")
	before, err := once(ctx, s, s.Duration, turn, op)
	if err != nil {
		return err
	}
	if err := reader.subscribe(); err != nil {
		return err
	}
	reader.tap.freeze()
	s.Progress("edits beside it")
	// So many that what is between the two is full, unless that takes too long.
	start, from := time.Now(), turn[0]
	beside, err := once(ctx, s, s.Duration, turn, op)
	for err == nil && beside.Operations < manyEdits && time.Since(start) < 40*s.Duration {
		var more Run
		more, err = once(ctx, s, s.Duration, turn, op)
		more.Operations += beside.Operations
		more.Seconds += beside.Seconds
		more.CPU += beside.CPU
		more.OwnCPU += beside.OwnCPU
		more.Max = max(more.Max, beside.Max)
		beside = more
	}
	switch {
	case errors.Is(err, ErrTimeout):
		r.Finding = fmt.Sprintf("an edit takes %s without it; beside it they stop after %d: %v", Milliseconds(before.P50), turn[0]-from, err)
		b.filled = -1
		return nil
	case err != nil:
		return err
	}
	r.Runs = []Run{beside}
	r.Finding = fmt.Sprintf("an edit takes %s without it, %s beside it; the slowest of %d %s", Milliseconds(before.P50), Milliseconds(beside.P50), beside.Operations, Milliseconds(beside.Max))
	return nil
}

// manyEdits have notifications of some megabytes.
const manyEdits = 300

// Milliseconds writes them as a human reads them.
func Milliseconds(v float64) string {
	switch {
	case v < 0.1:
		return fmt.Sprintf("%.0f us", v*1000)
	case v < 1:
		return fmt.Sprintf("%.2f ms", v)
	case v < 10:
		return fmt.Sprintf("%.1f ms", v)
	case v < 1000:
		return fmt.Sprintf("%.0f ms", v)
	}
	return fmt.Sprintf("%.1f s", v/1000)
}

// push subscribes to all nodes on change, and waits for the first state and for a change.
func push(ctx context.Context, b *Bench, s Settings, r *Result) error {
	if err := b.fill(ctx, s, s.Nodes); err != nil {
		return err
	}
	r.Nodes = s.Nodes
	list, err := b.server.dialAll(ctx, 2)
	defer closeAll(list)
	if err != nil {
		return err
	}
	editor, reader := list[0], list[1]
	s.Progress("waits for the first state")
	start := time.Now()
	_, err = reader.Call(`<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications" xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push">` +
		`<yp:datastore xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">ds:running</yp:datastore>` +
		`<yp:datastore-subtree-filter>` + networksOpen + `<node/>` + networksClose + `</yp:datastore-subtree-filter>` +
		`<yp:on-change/></establish-subscription>`)
	var no *Refusal
	if errors.As(err, &no) {
		return errLacks("the server has no on-change subscriptions (RFC 8641)")
	}
	if err != nil {
		r.Finding = fmt.Sprintf("establish-subscription: %v", err)
		return nil
	}
	first, err := reader.await("push-update")
	if err != nil {
		r.Finding = fmt.Sprintf("the first state does not come: %v", err)
		return nil
	}
	took := time.Since(start)
	s.Progress("waits for a change")
	start = time.Now()
	if err := editor.write(changed(1, 77)); err != nil {
		r.Finding = fmt.Sprintf("an edit beside it: %v", err)
		return nil
	}
	if _, err := reader.await("push-change-update"); err != nil {
		r.Finding = fmt.Sprintf("the change does not come: %v", err)
		return nil
	}
	r.Finding = fmt.Sprintf("%d kB after %s, the change after %s", len(first)/1000, Milliseconds(milliseconds(took)), Milliseconds(milliseconds(time.Since(start))))
	return nil
}

// await reads to the notification of this name.
func (ss *Session) await(name string) ([]byte, error) {
	for {
		msg, err := ss.message()
		if err != nil || bytes.Contains(head(msg), []byte("<"+name)) {
			return msg, err
		}
	}
}
