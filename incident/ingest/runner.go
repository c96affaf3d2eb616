package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"runtime/debug"
	"sync"
	"time"

	"incidentd/yang/data"
)

const (
	firstBackoff = time.Second
	mostBackoff  = time.Minute
	// steady is how long a source must have run for its next failure to count as the
	// first.
	steady = time.Minute
)

// errEnded is the failure of a source that ended without any.
var errEnded = errors.New("it ended by itself")

// runner runs a source as one configuration has it.
type runner struct {
	entry  *data.Node
	kind   *Kind
	config *data.Loc
	health *health
	feed   *Feed
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// start begins the source.
func (r *runner) start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	drain, drained := context.WithCancel(context.Background())
	r.done.Go(func() {
		r.run(ctx)
		// Nobody puts anything into the queue any more.
		close(r.feed.queue)
		time.AfterFunc(drainTime, drained)
	})
	r.done.Go(func() {
		defer r.feed.inlet.Close()
		r.feed.work(drain)
		drained()
	})
}

// stop ends the source and waits until what it has received is stored, or for drainTime.
func (r *runner) stop() {
	r.cancel()
	r.done.Wait()
}

// run runs the source until ctx is done, again and again when it fails.
func (r *runner) run(ctx context.Context) {
	backoff := firstBackoff
	for {
		r.health.set(Starting, "", time.Time{})
		began := time.Now()
		err := r.attempt(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steady {
			backoff = firstBackoff
		}
		wait := r.jitter(backoff, r.health.failures.Add(1))
		backoff = min(2*backoff, mostBackoff)
		r.health.set(Down, err.Error(), time.Now().Add(wait))
		r.feed.log.Warn("a source has failed", "kind", r.kind.Name, "err", err, "again-in", wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// attempt runs the source once. It never returns nil.
func (r *runner) attempt(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			r.feed.log.Error("a source panicked", "err", err, "stack", string(debug.Stack()))
		}
	}()
	source, err := r.kind.New(r.config)
	if err != nil {
		return err
	}
	if err := source.Run(ctx, r.feed); err != nil {
		return err
	}
	return errEnded
}

// jitter makes a pause one between half of it and one and a half, by the source's name
// and the number of its failure: sources that failed together do not come back together.
func (r *runner) jitter(pause time.Duration, failure uint64) time.Duration {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %d", r.health.name, failure)
	return pause/2 + pause*time.Duration(h.Sum32()>>16)>>16
}
