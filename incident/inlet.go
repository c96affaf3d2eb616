package incident

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"incidentd/incident/event"
	"incidentd/yang/rpcerr"
)

// Inlet is a way in for the events of one source. What one inlet is given is taken in
// that order; inlets take turns, so that a source in a storm delays itself and not the
// others. It is safe for concurrent use.
type Inlet struct {
	name string
	q    *queue

	// Guarded by q.mu.
	users   int
	queuers int      // for room
	waiting []*batch // for their turn
	held    int64    // bytes of those that are not done
	figures InletFigures
}

// InletFigures counts the events that an inlet was given.
type InletFigures struct {
	// Accepted and Duplicates are on disk, Refused were given back with an error.
	Accepted, Duplicates, Refused uint64
	// Delayed had to wait for room, Lost were offered when there was none.
	Delayed, Lost uint64
	// Queued are those not yet on disk.
	Queued int
}

// batch is events that are taken together or not at all.
type batch struct {
	in     *Inlet
	events []event.Event
	size   int64
	since  time.Time // when they were given
	done   func(Reported, error)
	result Reported
}

// Inlet opens the way in of a name, which those who give the same share. The caller
// closes it.
func (m *Manager) Inlet(name string) *Inlet {
	q := &m.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	in := q.inlets[name]
	if in == nil {
		in = &Inlet{name: name, q: q}
		q.inlets[name] = in
	}
	in.users++
	return in
}

// Close ends the use of an inlet. What it was given is taken all the same.
func (in *Inlet) Close() {
	in.q.mu.Lock()
	defer in.q.mu.Unlock()
	in.users--
	in.q.forget(in)
}

// Figures returns the counts.
func (in *Inlet) Figures() InletFigures {
	in.q.mu.Lock()
	defer in.q.mu.Unlock()
	return in.figures
}

// Report gives events in their order of arrival and returns when all of them, and what
// follows from them, are on disk; with an error, none is. It waits for room as long as
// the configured patience; then the error is resource-denied.
func (in *Inlet) Report(ctx context.Context, events []event.Event) (Reported, error) {
	type answer struct {
		r   Reported
		err error
	}
	got := make(chan answer, 1)
	patience := time.NewTimer(in.q.patience())
	defer patience.Stop()
	err := in.give(ctx, patience.C, events, func(r Reported, err error) { got <- answer{r, err} })
	if errors.Is(err, errPatience) {
		return Reported{}, in.q.refusal()
	}
	if err != nil {
		return Reported{}, err
	}
	a := <-got
	return a.r, a.err
}

var errPatience = errors.New("no room in time")

// Send gives events, for which it waits until there is room or ctx ends: back-pressure
// for sources that can be slowed down. done is called once, from another goroutine, when
// all of them are on disk, or with the error for which none is; it must not block. It may
// be nil. With an error of Send itself, which is that of ctx or of a manager that has
// stopped, nothing was given and done is not called. The events are the manager's until
// done.
func (in *Inlet) Send(ctx context.Context, events []event.Event, done func(Reported, error)) error {
	return in.give(ctx, nil, events, done)
}

// give is Send with an end to patience, which is errPatience.
func (in *Inlet) give(ctx context.Context, patience <-chan time.Time, events []event.Event, done func(Reported, error)) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	b := in.batch(events, done)
	q := in.q
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return errStopped()
	}
	if in.queuers == 0 && q.fits(b) {
		q.push(b)
		q.mu.Unlock()
		return nil
	}
	in.queuers++
	in.figures.Delayed += uint64(len(events))
	q.figures.Delayed += uint64(len(events))
	w := &queuer{b: b, ready: make(chan error, 1)}
	q.queuers = append(q.queuers, w)
	q.mu.Unlock()
	why := errPatience
	select {
	case err := <-w.ready:
		return err
	case <-ctx.Done():
		why = context.Cause(ctx)
	case <-patience:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	k := slices.Index(q.queuers, w)
	if k < 0 { // it was let in at the same moment
		return <-w.ready
	}
	q.queuers = slices.Delete(q.queuers, k, k+1)
	in.queuers--
	in.figures.Refused += uint64(len(events))
	q.figures.Refused += uint64(len(events))
	q.admit()
	return why
}

// Offer gives events if there is room for them now, for sources that nobody can slow
// down. If there is none it returns false, and the events count as lost. done is as for
// Send.
func (in *Inlet) Offer(events []event.Event, done func(Reported, error)) bool {
	b := in.batch(events, done)
	q := in.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || !q.fits(b) {
		in.figures.Lost += uint64(len(events))
		q.figures.Lost += uint64(len(events))
		return false
	}
	q.push(b)
	return true
}

func (in *Inlet) batch(events []event.Event, done func(Reported, error)) *batch {
	b := &batch{in: in, events: events, since: time.Now(), done: done}
	for k := range events {
		b.size += sizeOf(&events[k])
	}
	return b
}

// sizeOf is about what an event takes in memory.
func sizeOf(e *event.Event) int64 {
	const fixed = 320
	return fixed + int64(len(e.ID)+len(e.Node)+len(e.Resource)+len(e.AlarmTypeID)+len(e.AlarmTypeQualifier)+
		len(e.Text)+len(e.Value)+len(e.Threshold)+len(e.TraceID))
}

func errStopped() error { return rpcerr.ResourceDenied("the server stops and takes no more events") }

// queue holds the batches that wait to be taken, in bounded memory.
type queue struct {
	begin func() // starts who takes them

	mu      sync.Mutex
	limit   int64 // bytes
	wait    time.Duration
	closed  bool
	busy    bool // somebody takes them
	inlets  map[string]*Inlet
	turns   []*Inlet  // those with batches, the next first
	queuers []*queuer // for room, first come first served
	held    int64     // bytes of batches that are not done
	oldest  time.Time // when the batch that was taken last was given
	figures AdmissionFigures
}

// queuer waits for room. Whoever takes it off the list sends to ready.
type queuer struct {
	b     *batch
	ready chan error // one slot
}

// AdmissionFigures counts all events that were given, and tells of those that wait.
type AdmissionFigures struct {
	InletFigures
	// Memory is what queued events take, in bytes, and MostMemory the most that they took.
	Memory, MostMemory int64
	// Reporters wait for room.
	Reporters int
	// Lag is how long the events taken last had waited since they were given, LongestLag
	// the longest that any did.
	Lag, LongestLag time.Duration
}

// fits reports whether there is room for a batch. An inlet may hold as much as is still
// free, so that there is always some room for one that comes new; one that holds nothing
// may give a batch of any size while half of the room is free.
func (q *queue) fits(b *batch) bool {
	return b.in.held+b.size <= q.limit-q.held || b.in.held == 0 && q.held <= q.limit/2
}

// push lets a batch in.
func (q *queue) push(b *batch) {
	in := b.in
	if len(in.waiting) == 0 {
		q.turns = append(q.turns, in)
	}
	in.waiting = append(in.waiting, b)
	in.held += b.size
	in.figures.Queued += len(b.events)
	q.held += b.size
	q.figures.Queued += len(b.events)
	q.figures.MostMemory = max(q.figures.MostMemory, q.held)
	if !q.busy {
		q.busy = true
		q.begin()
	}
}

// next takes the next batch off, nil if there is none.
func (q *queue) next() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.turns) == 0 {
		return nil
	}
	in := q.turns[0]
	q.turns = q.turns[1:]
	b := in.waiting[0]
	in.waiting[0] = nil
	in.waiting = in.waiting[1:]
	if len(in.waiting) > 0 {
		q.turns = append(q.turns, in)
	}
	return b
}

// idle reports whether nothing is left to take; then whoever asked takes no more.
func (q *queue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = len(q.turns) > 0
	return !q.busy
}

// finish tells those who gave the batches what became of them, and makes room.
func (q *queue) finish(taken []*batch, err error) {
	q.mu.Lock()
	now := time.Now()
	for _, b := range taken {
		in, n := b.in, uint64(len(b.events))
		in.held -= b.size
		in.figures.Queued -= len(b.events)
		q.held -= b.size
		q.figures.Queued -= len(b.events)
		q.figures.Lag = now.Sub(b.since)
		q.figures.LongestLag = max(q.figures.LongestLag, q.figures.Lag)
		for _, f := range []*InletFigures{&in.figures, &q.figures.InletFigures} {
			if err != nil {
				f.Refused += n
				continue
			}
			f.Accepted += uint64(b.result.Accepted)
			f.Duplicates += uint64(b.result.Duplicates)
		}
		q.forget(in)
	}
	q.admit()
	q.mu.Unlock()
	for _, b := range taken {
		if b.done == nil {
			continue
		}
		if err != nil {
			b.done(Reported{}, err)
		} else {
			b.done(b.result, nil)
		}
	}
}

// admit lets in those who wait for room and have it now. One that has none does not hold
// up those of other inlets.
func (q *queue) admit() {
	full := map[*Inlet]bool{}
	q.queuers = slices.DeleteFunc(q.queuers, func(w *queuer) bool {
		if full[w.b.in] || !q.fits(w.b) {
			full[w.b.in] = true
			return false
		}
		w.b.in.queuers--
		q.push(w.b)
		w.ready <- nil
		return true
	})
}

// forget drops an inlet that nobody uses.
func (q *queue) forget(in *Inlet) {
	if in.users == 0 && in.figures.Queued == 0 && q.inlets[in.name] == in {
		delete(q.inlets, in.name)
	}
}

// stop lets nothing more in.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, w := range q.queuers {
		w.b.in.queuers--
		w.ready <- errStopped()
	}
	q.queuers = nil
}

func (q *queue) patience() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.wait
}

// refusal is what a reporter is told who has waited in vain.
func (q *queue) refusal() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return rpcerr.ResourceDenied("%d events wait to be taken and there was no room for more within %v; none of these was taken, report them again later", q.figures.Queued, q.wait)
}
