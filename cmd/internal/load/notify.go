package load

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// changeNames are what the notifications of a change have in their names: RFC 6470's, and
// those of servers from before it.
var changeNames = [][]byte{[]byte("config-change"), []byte("ConfigChange")}

func isChange(msg []byte) bool {
	return slices.ContainsFunc(changeNames, func(name []byte) bool { return bytes.Contains(head(msg), name) })
}

// subscribe asks for the notifications of the stream NETCONF.
func (ss *Session) subscribe() error {
	if !ss.has(notification) {
		return errLacks("the server has no :notification")
	}
	_, err := ss.Call(`<create-subscription xmlns="` + notificationNamespace + `"/>`)
	return err
}

// notify measures how many notifications of changes reach the subscribers, and how long
// after the request of the change was sent each does.
func notify(ctx context.Context, b *Bench, s Settings, r *Result) error {
	if err := b.fill(ctx, s, s.Nodes); err != nil {
		return err
	}
	r.Sessions, r.Nodes, r.Unit = s.Sessions, s.Nodes, "notifications"
	editors, err := b.server.dialAll(ctx, s.Sessions)
	defer closeAll(editors)
	if err != nil {
		return err
	}
	readers, err := b.server.dialAll(ctx, s.Subscribers)
	defer closeAll(readers)
	if err != nil {
		return err
	}
	for _, ss := range readers {
		if err := ss.subscribe(); err != nil {
			return err
		}
	}

	n := &notifying{sent: make([]atomic.Int64, s.Nodes), start: time.Now()}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer closeAll(readers) // ends their goroutines
	for _, ss := range readers {
		ss.watch.Stop()
		wg.Go(func() { n.read(ss) })
	}
	turn := make([]int, s.Sessions)
	change := func(worker, k int) (int, int, error) {
		i := (k*s.Sessions + worker) % s.Nodes
		n.sent[i].Store(int64(time.Since(n.start)))
		// Versions of its own: what another workload has left changes nothing, and is not told.
		return 1, 0, editors[worker].write(changed(i, -version(worker, k)))
	}
	for i := range s.Runs + 1 {
		d := s.Duration
		if s.Progress(fmt.Sprintf("run %d of %d", i, s.Runs)); i == 0 {
			d = max(s.Warmup, time.Millisecond)
		}
		n.begin()
		before, err := s.Processes.Usage()
		if err != nil {
			return err
		}
		began := time.Now()
		run, err := once(ctx, s, d, turn, change)
		if err != nil {
			return err
		}
		want := run.Operations * s.Subscribers
		last := n.await(want, b.server.timeout())
		got, list := n.end()
		after, err := s.Processes.Usage()
		if err != nil {
			return err
		}
		run.Operations, run.Missing = got, want-got
		run.Seconds = max(run.Seconds, last.Sub(began).Seconds())
		run.CPU = (after.CPU - before.CPU).Seconds()
		run.latencies(list)
		if i > 0 {
			r.Runs = append(r.Runs, run)
		}
		if run.Missing > 0 {
			r.Finding = fmt.Sprintf("%d of %d notifications did not come", run.Missing, want)
		}
	}
	return nil
}

// notifying is what the subscribers see of one run.
type notifying struct {
	start time.Time
	sent  []atomic.Int64 // when the change of each node was sent, after start

	mu   sync.Mutex
	got  int             // mu
	last time.Time       // mu
	list []time.Duration // mu
}

// read counts the notifications of a subscriber until its session ends.
func (n *notifying) read(ss *Session) {
	for {
		msg, err := ss.r.ReadMessage()
		if err != nil {
			return // what is missing then is counted
		}
		i, ok := nodeIn(msg)
		if !ok || i >= len(n.sent) || !isChange(msg) {
			continue
		}
		now := time.Now()
		n.mu.Lock()
		n.got++
		n.last = now
		n.list = append(n.list, now.Sub(n.start)-time.Duration(n.sent[i].Load()))
		n.mu.Unlock()
	}
}

func (n *notifying) begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.got, n.last, n.list = 0, time.Now(), nil
}

func (n *notifying) end() (int, []time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.got, n.list
}

// await waits until as many have come, or until none has for a while, and returns when the
// last one did.
func (n *notifying) await(want int, patience time.Duration) time.Time {
	patience = min(patience, 10*time.Second)
	for {
		n.mu.Lock()
		got, last := n.got, n.last
		n.mu.Unlock()
		if got >= want || time.Since(last) > patience {
			return last
		}
		time.Sleep(time.Millisecond)
	}
}
