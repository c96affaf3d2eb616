package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Settings are how a workload is run. Each zero field stands for its default.
type Settings struct {
	// Nodes is how many the network holds. 10,000 by default.
	Nodes int
	// Sessions is how many work at once; by default what is usual for the workload.
	Sessions int
	// Batch is how many nodes one edit of the workload load writes; all by default.
	Batch int
	// Subscribers get the notifications of notify. 8 by default.
	Subscribers int
	// Duration is how long a run takes; at least one operation is done. 3 seconds by default.
	Duration time.Duration
	// Warmup is for how long the workload runs before it is measured. A second by default,
	// none when negative.
	Warmup time.Duration
	// Runs is how often it is measured; the medians count. 3 by default.
	Runs int
	// Processes are the server's, for its CPU time and memory; none by default.
	Processes Processes
	// Progress is told what goes on, in words for a line; nil for nobody.
	Progress func(string)
}

func (s Settings) withDefaults() Settings {
	s.Nodes = orElse(s.Nodes, 10000)
	s.Subscribers = orElse(s.Subscribers, 8)
	s.Duration = orElse(s.Duration, 3*time.Second)
	s.Warmup = max(0, orElse(s.Warmup, time.Second))
	s.Runs = orElse(s.Runs, 3)
	if s.Progress == nil {
		s.Progress = func(string) {}
	}
	return s
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Bench runs workloads against one server, one after the other.
type Bench struct {
	server *Server
	filled int // how many nodes the network holds; -1 when that is not known
}

// NewBench returns a Bench. Nothing is sent before the first workload.
func NewBench(s *Server) *Bench { return &Bench{server: s, filled: -1} }

// errLacks is a server without what a workload needs.
type errLacks string

func (e errLacks) Error() string { return string(e) }

// Run runs a workload. What goes wrong is in the Result; only a context that ended and a
// server that cannot be reached at all end the others too, so these are errors.
func (b *Bench) Run(ctx context.Context, w Workload, s Settings) (Result, error) {
	s = s.withDefaults()
	if s.Sessions == 0 {
		s.Sessions = max(w.sessions, 1)
	}
	r := Result{Workload: w.Name}
	err := w.run(ctx, b, s, &r)
	var lacks errLacks
	switch {
	case ctx.Err() != nil:
		return r, context.Cause(ctx)
	case errors.As(err, &lacks):
		r.Skipped = lacks.Error()
	case err != nil:
		r.Failed = err.Error()
		b.filled = -1
	}
	if len(r.Runs) > 0 {
		r.summarize()
	}
	if u, err := s.Processes.Usage(); err == nil {
		r.RSS = u.RSS
	}
	return r, nil
}

// Cleanup deletes the network.
func (b *Bench) Cleanup(ctx context.Context) error {
	if b.filled == 0 {
		return nil
	}
	ss, err := b.server.Dial(ctx)
	if err != nil {
		return err
	}
	defer ss.Close()
	b.filled = 0
	return ss.clear()
}

// fill makes the network one of count nodes, unless it is.
func (b *Bench) fill(ctx context.Context, s Settings, count int) error {
	if b.filled == count {
		return nil
	}
	s.Progress(fmt.Sprintf("loads %d nodes", count))
	ss, err := b.server.Dial(ctx)
	if err != nil {
		return err
	}
	defer ss.Close()
	b.filled = -1
	if err := ss.Fill(count); err != nil {
		return err
	}
	b.filled = count
	return nil
}

// operation is one of a workload: what the worker does in its nth turn. It returns how many
// operations it counts for, and how many bytes came back.
type operation func(worker, n int) (count int, bytes int, err error)

// measure lets workers do an operation for a while, some time without and then for every
// run with a look at the clock.
func (b *Bench) measure(ctx context.Context, s Settings, r *Result, op operation) error {
	n := make([]int, s.Sessions)
	if s.Warmup > 0 {
		s.Progress("warms up")
		if _, err := once(ctx, s, s.Warmup, n, op); err != nil {
			return err
		}
	}
	for i := range s.Runs {
		s.Progress(fmt.Sprintf("run %d of %d", i+1, s.Runs))
		run, err := once(ctx, s, s.Duration, n, op)
		if err != nil {
			return err
		}
		r.Runs = append(r.Runs, run)
	}
	return nil
}

// once is one run. n counts the turns of each worker over all runs.
func once(ctx context.Context, s Settings, d time.Duration, n []int, op operation) (Run, error) {
	before, err := s.Processes.Usage()
	if err != nil {
		return Run{}, err
	}
	var (
		run   Run
		mu    sync.Mutex
		first error
		all   []time.Duration
		wg    sync.WaitGroup
	)
	ownBefore, start := own(), time.Now()
	for worker := range s.Sessions {
		wg.Go(func() {
			var (
				list         []time.Duration
				count, bytes int
				err          error
			)
			for begin := start; err == nil && ctx.Err() == nil; {
				var c, size int
				c, size, err = op(worker, n[worker])
				if err != nil {
					break
				}
				n[worker]++
				count, bytes = count+c, bytes+size
				end := time.Now()
				list = append(list, end.Sub(begin))
				if begin = end; end.Sub(start) >= d {
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			run.Operations += count
			run.Bytes += int64(bytes)
			all = append(all, list...)
			if first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	run.Seconds = time.Since(start).Seconds()
	run.OwnCPU = (own() - ownBefore).Seconds()
	if first != nil {
		return run, first
	}
	after, err := s.Processes.Usage()
	if err != nil {
		return run, fmt.Errorf("the server has gone: %w", err)
	}
	run.CPU = (after.CPU - before.CPU).Seconds()
	run.latencies(all)
	return run, nil
}
