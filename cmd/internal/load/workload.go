package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Workload is something that a server is made to do.
type Workload struct {
	Name string
	// Summary says what it measures, for a list of them.
	Summary  string
	sessions int // how many, unless told
	run      func(context.Context, *Bench, Settings, *Result) error
}

// Workloads are all, in the order in which they are best run: those that leave the network
// as it is stand together.
func Workloads() []Workload {
	return []Workload{
		{"connect", "connect, log in, hello, close-session; one after the other in each session", 1, connect},
		{"hold", "sessions that do nothing: how many there can be, and what they cost", 200, hold},
		{"early-rpc", "an rpc that arrives together with the client's hello", 1, earlyRPC},
		{"load", "write all nodes into an empty network, -batch of them in an edit", 1, loadNodes},
		{"get-one", "get-config of one node by its key", 8, getOneNode},
		{"get-all", "get-config of all nodes", 1, getAllNodes},
		{"edit-one", "edit-config of running that changes one node", 1, editOneNode},
		{"commit-one", "edit-config of the candidate that changes one node, and commit", 1, commitOneNode},
		{"notify", "notifications of changes to -subscribers (RFC 5277), of edits by -sessions", 8, notify},
		{"slow-reader", "edits beside a subscriber that does not read", 1, slowReader},
		{"push", "on-change subscription to all nodes (RFC 8641), the first state and then changes", 1, push},
	}
}

// Find returns the workload of a name.
func Find(name string) (Workload, bool) {
	for _, w := range Workloads() {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}

// unanswered is how long connect waits for a session.
const unanswered = 2 * time.Second

// connect opens and ends sessions. Those that a server never answers are counted.
func connect(ctx context.Context, b *Bench, s Settings, r *Result) error {
	r.Sessions, r.Unit = s.Sessions, "sessions"
	server := *b.server
	server.Timeout = min(server.timeout(), unanswered)
	var lost atomic.Int64
	err := b.measure(ctx, s, r, func(int, int) (int, int, error) {
		ss, err := server.dial(ctx)
		if err == nil {
			err = ss.End()
		}
		if errors.Is(err, ErrTimeout) && lost.Add(1) < mostUnanswered {
			return 0, 0, nil
		}
		return 1, 0, err
	})
	if n := lost.Load(); n > 0 && err == nil {
		r.Finding = fmt.Sprintf("%d sessions had no answer in %v", n, unanswered)
	}
	return err
}

// mostUnanswered are so many that there is no server.
const mostUnanswered = 20

// inSessions fills the network, opens the sessions and measures what they do.
func (b *Bench) inSessions(ctx context.Context, s Settings, r *Result, op func(ss *Session, worker, n int) (int, int, error)) error {
	if err := b.fill(ctx, s, s.Nodes); err != nil {
		return err
	}
	r.Sessions, r.Nodes = s.Sessions, s.Nodes
	list, err := b.server.dialAll(ctx, s.Sessions)
	defer closeAll(list)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		for _, ss := range list {
			ss.tap.Close()
		}
	})
	defer stop()
	return b.measure(ctx, s, r, func(worker, n int) (int, int, error) { return op(list[worker], worker, n) })
}

// getOneNode reads a node at random.
func getOneNode(ctx context.Context, b *Bench, s Settings, r *Result) error {
	r.Unit = "replies"
	return b.inSessions(ctx, s, r, func(ss *Session, _, _ int) (int, int, error) {
		i := rand.IntN(s.Nodes)
		reply, err := ss.Call(getOne(i))
		if err != nil {
			return 0, 0, err
		}
		if got, ok := nodeIn(reply); !ok || got != i {
			return 0, 0, fmt.Errorf("the reply does not hold the node %d that was asked for: %.200s", i, reply)
		}
		return 1, len(reply), nil
	})
}

// getAllNodes reads them all.
func getAllNodes(ctx context.Context, b *Bench, s Settings, r *Result) error {
	r.Unit = "replies"
	return b.inSessions(ctx, s, r, func(ss *Session, _, n int) (int, int, error) {
		reply, err := ss.Call(getAll)
		if err != nil {
			return 0, 0, err
		}
		if n == 0 { // once is enough
			if got := len(versions(reply)); got != s.Nodes {
				return 0, 0, fmt.Errorf("%d nodes came back of %d", got, s.Nodes)
			}
		}
		return 1, len(reply), nil
	})
}

// editOneNode changes a node of running.
func editOneNode(ctx context.Context, b *Bench, s Settings, r *Result) error {
	r.Unit = "edits"
	return b.inSessions(ctx, s, r, func(ss *Session, worker, n int) (int, int, error) {
		if !ss.has(writableRunning) {
			return 0, 0, errLacks("the server has no :writable-running")
		}
		_, err := ss.Call(edit("running", changed(ownNode(s, worker), version(worker, n))))
		return 1, 0, err
	})
}

// commitOneNode changes a node of the candidate and commits it.
func commitOneNode(ctx context.Context, b *Bench, s Settings, r *Result) error {
	r.Unit = "commits"
	return b.inSessions(ctx, s, r, func(ss *Session, worker, n int) (int, int, error) {
		if !ss.has(candidate) {
			return 0, 0, errLacks("the server has no :candidate")
		}
		if _, err := ss.Call(edit("candidate", changed(ownNode(s, worker), version(worker, n)))); err != nil {
			return 0, 0, err
		}
		_, err := ss.Call("<commit/>")
		return 1, 0, err
	})
}

// ownNode is a node at random of those that this worker alone changes.
func ownNode(s Settings, worker int) int {
	return rand.IntN(max(1, s.Nodes/s.Sessions))*s.Sessions + worker
}

// version is a value that no node has had before.
func version(worker, n int) int { return 1 + n*1000 + worker }

// loadNodes fills an empty network.
func loadNodes(ctx context.Context, b *Bench, s Settings, r *Result) error {
	r.Sessions, r.Nodes, r.Unit = 1, s.Nodes, "nodes"
	batch := s.Nodes
	if s.Batch > 0 {
		batch = min(s.Batch, s.Nodes)
	}
	ss, err := b.server.Dial(ctx)
	if err != nil {
		return err
	}
	defer ss.Close()
	b.filled = -1
	alone := s
	alone.Sessions = 1
	for i := range s.Runs {
		s.Progress(fmt.Sprintf("run %d of %d", i+1, s.Runs))
		if err := ss.clear(); err != nil {
			return err
		}
		edits := make([]string, 0, s.Nodes/batch+1)
		for from := 0; from < s.Nodes; from += batch {
			edits = append(edits, nodes(from, min(s.Nodes, from+batch), 0))
		}
		run, err := once(ctx, alone, 0, []int{0}, func(int, int) (int, int, error) {
			for k, config := range edits {
				if len(edits) > 1 {
					s.Progress(fmt.Sprintf("run %d of %d, %d nodes of %d", i+1, s.Runs, k*batch, s.Nodes))
				}
				if err := ss.write(config); err != nil {
					return 0, 0, err
				}
			}
			return s.Nodes, 0, nil
		})
		if err != nil {
			return err
		}
		r.Runs = append(r.Runs, run)
	}
	b.filled = s.Nodes
	return nil
}
