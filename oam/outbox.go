package oam

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"incidentd/datastore"
)

// outbox writes records and notifications in the order in which they were added, many in
// one transaction. What it holds is bounded by the runs under way and by the tests of a
// commit: a run gives back its place only when its record is on disk.
type outbox struct {
	store *datastore.Store
	log   *slog.Logger
	wake  chan struct{} // one slot

	mu      sync.Mutex
	effects []effect

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// effect is a part of a transaction: what prepare makes. done is closed when it is on disk.
type effect struct {
	prepare func() func(*datastore.Tx)
	done    chan struct{}
}

// Bounds of a transaction, and how long to wait after one that failed.
const (
	maxEffects   = 1000
	retryEffects = time.Second
)

// add adds an effect. The channel is closed when it is on disk.
func (o *outbox) add(apply func(*datastore.Tx)) <-chan struct{} {
	return o.later(func() func(*datastore.Tx) { return apply })
}

// later adds an effect that is made when it is about to be written, by the goroutine that
// writes: what takes time is not done with the lock of a Manager held, for which the timer
// waits. What prepare is made of must not change. It may be called again.
func (o *outbox) later(prepare func() func(*datastore.Tx)) <-chan struct{} {
	e := effect{prepare, make(chan struct{})}
	o.mu.Lock()
	o.effects = append(o.effects, e)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return e.done
}

func (o *outbox) start() {
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	o.running.Go(func() { o.run(ctx) })
}

// stop writes what is there, and ends.
func (o *outbox) stop() {
	o.cancel()
	o.running.Wait()
}

func (o *outbox) run(ctx context.Context) {
	for {
		err := o.flush()
		switch {
		case err != nil && ctx.Err() != nil:
			o.log.Error("what has become of tests cannot be stored", "err", err)
			return
		case err != nil:
			o.log.Error("what has become of tests cannot be stored yet", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(retryEffects):
			}
			continue
		}
		select {
		case <-o.wake:
		case <-ctx.Done():
			if o.empty() {
				return
			}
		}
	}
}

func (o *outbox) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.effects) == 0
}

// flush writes what is there.
func (o *outbox) flush() error {
	for {
		o.mu.Lock()
		batch := o.effects[:min(maxEffects, len(o.effects))]
		o.mu.Unlock()
		if len(batch) == 0 {
			return nil
		}
		ready := make([]func(*datastore.Tx), len(batch))
		for i, e := range batch {
			ready[i] = e.prepare()
		}
		err := o.store.Update(context.Background(), func(tx *datastore.Tx) error {
			for _, apply := range ready {
				apply(tx)
			}
			return nil
		})
		if err != nil {
			return err
		}
		o.mu.Lock()
		o.effects = o.effects[len(batch):]
		if len(o.effects) == 0 {
			o.effects = nil
		}
		o.mu.Unlock()
		for _, e := range batch {
			close(e.done)
		}
	}
}

// unpack reads a record.
func unpack(b []byte, v any) error { return json.Unmarshal(b, v) }
