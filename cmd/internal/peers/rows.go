package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"incidentd/cmd/internal/load"
)

// row is a line of the table.
type row struct {
	what string
	// netopeer2 and netconfd are what was measured of these once, on one machine of two cores.
	netopeer2, netconfd string
	// ratio is how many times netconfd's rate is wanted, and target what that comes to there.
	ratio     float64
	target    string
	oursAlone bool // netconfd takes too long for it
	measured  func(context.Context, peer) (load.Result, error)

	ours, theirs *load.Result
}

// measure starts a server, measures it and stops it.
func (r *row) measure(ctx context.Context, p peer, what string) (*load.Result, error) {
	progress("%s: %s", p.name(), what)
	result, err := r.measured(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", p.name(), what, err)
	}
	text := new(strings.Builder)
	load.WriteTable(text, []load.Result{result})
	progress("%s: %s", p.name(), strings.TrimSpace(text.String()))
	return &result, nil
}

// workload measures one on a fresh server. What netconfd needs seconds for it does once.
func workload(name string, v variant, s load.Settings, slow bool) func(context.Context, peer) (load.Result, error) {
	return func(ctx context.Context, p peer) (load.Result, error) {
		w, ok := load.Find(name)
		if !ok {
			return load.Result{}, fmt.Errorf("there is no workload %s", name)
		}
		if err := p.start(ctx, v, false); err != nil {
			return load.Result{}, err
		}
		defer p.stop()
		s := s
		s.Processes = p.processes()
		if _, other := p.(*netconfd); other && slow {
			s.Runs, s.Warmup = 1, -1
		}
		server := p.server()
		if name == "slow-reader" {
			server.Timeout = 30 * time.Second // somebody would have given up by then
		}
		return load.NewBench(server).Run(ctx, w, s)
	}
}

// hold keeps idle sessions. Each one more makes netconfd's next login slower: a thousand
// would take it an hour.
func hold(ctx context.Context, p peer) (load.Result, error) {
	s := load.Settings{Sessions: 1000, Duration: 5 * time.Second}
	if _, other := p.(*netconfd); other {
		s.Sessions = 100
	}
	return workload("hold", running, s, false)(ctx, p)
}

// memory is what a server has with so many nodes, some time after they were written.
func memory(nodes int) func(context.Context, peer) (load.Result, error) {
	return func(ctx context.Context, p peer) (load.Result, error) {
		r := load.Result{Workload: "memory", Nodes: nodes}
		if err := p.start(ctx, running, false); err != nil {
			return r, err
		}
		defer p.stop()
		if nodes > 0 {
			if err := load.NewBench(p.server()).Edits(ctx, load.Settings{Nodes: nodes}, 1); err != nil {
				return r, err
			}
		}
		time.Sleep(15 * time.Second)
		u, err := p.processes().Usage()
		r.RSS = u.RSS
		r.Finding = fmt.Sprintf("%.0f MB", float64(u.RSS)/1e6)
		return r, err
	}
}

// crash kills the server in the middle of edits.
func crash(ctx context.Context, p peer) (load.Result, error) {
	if err := p.start(ctx, running, false); err != nil {
		return load.Result{}, err
	}
	defer func() { p.stop() }()
	kill := func() error { return killed(p) }
	restart := func() error { return p.start(ctx, running, true) }
	return load.NewBench(p.server()).Crash(ctx, load.Settings{Nodes: 1000, Duration: 200 * time.Millisecond}, 25, kill, restart)
}

func killed(p peer) error {
	var c *exec.Cmd
	switch p := p.(type) {
	case *incidentd:
		c = p.process
	case *netconfd:
		c = p.process
	}
	if err := c.Process.Kill(); err != nil {
		return err
	}
	c.Wait() // says that it was killed
	return nil
}

// synced counts how often the server has the kernel write to the disk while it answers
// edits one after the other.
func synced(ctx context.Context, p peer) (load.Result, error) {
	const edits = 50
	r := load.Result{Workload: "sync"}
	strace, err := exec.LookPath("strace")
	if err != nil {
		r.Skipped = "there is no strace"
		return r, nil
	}
	if err := p.start(ctx, running, false); err != nil {
		return r, err
	}
	defer p.stop()
	b := load.NewBench(p.server())
	s := load.Settings{Nodes: 100}
	if err := b.Edits(ctx, s, 1); err != nil { // also writes the nodes
		return r, err
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "trace")
	tracer := exec.Command(strace, "-f", "-q", "-e", "trace=fsync,fdatasync,sync,syncfs,msync", "-o", file, "-p", fmt.Sprint(p.pid()))
	if err := launch(tracer, file+".log"); err != nil {
		return r, err
	}
	time.Sleep(500 * time.Millisecond) // until it is attached
	err = b.Edits(ctx, s, edits)
	tracer.Process.Signal(os.Interrupt)
	tracer.Wait()
	if err != nil {
		return r, err
	}
	trace, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	// A call that another thread interrupts has a second line, of its end.
	syncs := strings.Count(string(trace), "sync(")
	if log, _ := os.ReadFile(file + ".log"); syncs == 0 && len(log) > 0 {
		r.Skipped = strings.TrimSpace(string(log))
		return r, nil
	}
	r.Finding = fmt.Sprintf("%d syncs for %d edits", syncs, edits)
	return r, nil
}

// rows are the table, in the order in which it is measured.
func rows() []row {
	return []row{
		{what: "connect, hello, close, one at a time", netopeer2: "62/s, 3.8 ms CPU", netconfd: "11/s, 25 ms CPU", ratio: 20, target: "250/s, 1.4 ms CPU",
			measured: workload("connect", running, load.Settings{}, false)},
		{what: "`get-config` of one node by key among 10,000, 8 sessions", netopeer2: "3,260/s", netconfd: "578/s", ratio: 14, target: "8,000/s, 0.08 ms CPU",
			measured: workload("get-one", running, load.Settings{}, false)},
		{what: "the same among 1,000, one session", oursAlone: true,
			measured: workload("get-one", running, load.Settings{Nodes: 1000, Sessions: 1}, false)},
		{what: "the same among 100,000, one session", netopeer2: "699/s", target: "5,000/s, as among 1,000", oursAlone: true,
			measured: workload("get-one", running, load.Settings{Nodes: 100000, Sessions: 1}, false)},
		{what: "`edit-config` of one node among 10,000, durable", netopeer2: "77/s", netconfd: "0.23/s", ratio: 5000, target: "1,500/s",
			measured: workload("edit-one", running, load.Settings{}, true)},
		{what: "the same among 1,000", oursAlone: true,
			measured: workload("edit-one", running, load.Settings{Nodes: 1000}, false)},
		{what: "the same among 100,000", netopeer2: "5.5/s", target: "1,500/s, as among 1,000", oursAlone: true,
			measured: workload("edit-one", running, load.Settings{Nodes: 100000}, false)},
		{what: "candidate edit and commit among 10,000", netopeer2: "22/s", netconfd: "0.06/s", ratio: 10000, target: "700/s",
			measured: workload("commit-one", candidate, load.Settings{}, true)},
		{what: "10,000 nodes in one edit", netopeer2: "100,000/s", netconfd: "1,800/s", ratio: 70, target: "130,000/s",
			measured: workload("load", running, load.Settings{}, true)},
		{what: "10,000 nodes by hundreds", netopeer2: "8,150/s", netconfd: "126/s", ratio: 500, target: "60,000/s",
			measured: workload("load", running, load.Settings{Batch: 100}, true)},
		{what: "`get-config` of 10,000 nodes", netopeer2: "22 MB/s", netconfd: "39 MB/s", ratio: 4, target: "150 MB/s",
			measured: workload("get-all", running, load.Settings{}, false)},
		{what: "change notifications to 8 subscribers, 1,000 nodes stored, 32 sessions edit", netopeer2: "1,850/s", netconfd: "160/s", ratio: 300, target: "50,000/s, median 2 ms",
			measured: workload("notify", running, load.Settings{Nodes: 1000, Sessions: 32}, false)},
		{what: "memory, empty", netopeer2: "18 MB", netconfd: "38 MB", target: "40 MB", measured: memory(0)},
		{what: "memory with 100,000 nodes", netopeer2: "180 MB", target: "120 MB", oursAlone: true, measured: memory(100000)},
		{what: "edits of 100 nodes beside a subscriber that never reads", netopeer2: "from 7 ms to 30 s", netconfd: "stop", target: "no slower",
			measured: workload("slow-reader", running, load.Settings{Nodes: 1000}, false)},
		{what: "on-change push of 100,000 nodes with sync-on-start, then a change", netopeer2: "deadlock", target: "both come",
			oursAlone: true, measured: workload("push", running, load.Settings{Nodes: 100000}, false)},
		{what: "1,000 idle sessions (netconfd: 100, whose logins take ever longer)", netopeer2: "254; 200 burn 40 % of a core", target: "1,000, nothing burnt",
			measured: hold},
		{what: "an rpc together with the client's hello", netconfd: "never answered", target: "answered",
			measured: workload("early-rpc", running, load.Settings{}, false)},
		{what: "`kill -9` in the middle of edits of 1,000 nodes", netopeer2: "whole configuration lost", netconfd: "whole configuration lost", target: "all is there",
			measured: crash},
		{what: "writes to the disk before the reply (fsync and its like)", netopeer2: "none", netconfd: "none", target: "one for each edit",
			measured: synced},
	}
}
