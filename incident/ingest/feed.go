package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"incidentd/incident"
	"incidentd/incident/event"
	"incidentd/incident/ingest/mapping"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

const (
	// mostBatch is how many messages are stored together at most.
	mostBatch = 1000
	// storeRetry is the pause after events could not be stored.
	storeRetry = time.Second
	// drainTime is how long a source that ends may take to store what waits.
	drainTime = 2 * time.Second
)

// Inlet is the way in of one source's events, as incident.Manager has it.
type Inlet interface {
	// Report returns when all events are stored, or none with an error.
	Report(ctx context.Context, events []event.Event) (incident.Reported, error)
	// Close ends the use of the inlet.
	Close()
}

// Feed is where a source hands over what it has received. Its methods may be called by
// any goroutine.
type Feed struct {
	health      *health
	inlet       Inlet
	mapper      func() *mapping.Mapper
	log         *slog.Logger
	mostUnknown int
	prefix      string                // of the ids of events whose messages have none
	next        uint64                // the last of those ids; owned by work
	queue       chan *mapping.Message // closed by the runner when the source has ended
}

func newFeed(h *health, c *Config, mapper func() *mapping.Mapper, entry *data.Node, now time.Time) *Feed {
	return &Feed{health: h, mostUnknown: number(entry, "max-unknown-nodes"), inlet: c.Inlet(h.name), mapper: mapper, log: c.Log.With("source", h.name),
		prefix: h.name + "-" + strconv.FormatInt(now.UnixNano(), 36) + "-", queue: make(chan *mapping.Message, number(entry, "queue-size"))}
}

// number is a leaf of a source that has a default.
func number(entry *data.Node, leaf string) int {
	text := entry.Leaf(leaf)
	if text == "" {
		text = entry.Schema().ChildNamed(leaf).Defaults[0]
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("ingest: %s of a valid configuration: %v", leaf, err)) // a range in the schema
	}
	return n
}

// Name is the name of the source.
func (f *Feed) Name() string { return f.health.name }

// Log is for what the source has to tell; it knows the source's name.
func (f *Feed) Log() *slog.Logger { return f.log }

// Knows reports whether a name is that of a node of the network, or stands for one.
func (f *Feed) Knows(node string) bool { return f.mapper().Knows(node) }

// Up says that the source receives, and where it listens, if it does.
func (f *Feed) Up(listening ...string) {
	f.health.set(Up, "", time.Time{})
	f.health.mu.Lock()
	defer f.health.mu.Unlock()
	f.health.listening = listening
}

// Degraded says that something is wrong with a source that is up, and with an empty
// reason that it is no longer.
func (f *Feed) Degraded(reason string) {
	f.health.mu.Lock()
	defer f.health.mu.Unlock()
	f.health.complaint = reason
	f.health.refreshLocked(time.Now())
}

// Backlog says how many messages wait where the source, which is up, reads them. count is
// called when the state is asked for, and must not wait.
func (f *Feed) Backlog(count func() int64) {
	f.health.mu.Lock()
	defer f.health.mu.Unlock()
	f.health.backlog = count
}

// Received counts a message as it came, with its size in bytes.
func (f *Feed) Received(octets int) {
	f.health.received.Add(1)
	f.health.octets.Add(uint64(octets))
}

// Malformed counts a message that is none of the kind, and keeps what is wrong with it.
func (f *Feed) Malformed(err error) {
	f.health.malformed.Add(1)
	f.health.fault(err)
}

// Refused counts what was not let in, and keeps why.
func (f *Feed) Refused(err error) {
	f.health.refused.Add(1)
	f.health.fault(err)
}

// Dropped counts messages that are lost, for a reason in words. The source is degraded
// for a minute.
func (f *Feed) Dropped(n int, why string) { f.health.lost(n, why) }

// Delayed counts messages that have to wait.
func (f *Feed) Delayed(n int) { f.health.delayed.Add(uint64(n)) }

// Connected counts connections, or takes them back when n is negative.
func (f *Feed) Connected(n int) { f.health.connections.Add(int64(n)) }

// Offer takes a message of a transport that cannot be held up. When there is no room
// left it is lost and counted, and Offer is false. It never waits. The message is the
// feed's from then on.
func (f *Feed) Offer(m *mapping.Message) bool {
	select {
	case f.queue <- m:
		f.health.waiting.Add(1)
		return true
	default:
		f.Dropped(1, "the queue is full")
		return false
	}
}

// Put takes a message of a transport that can be held up: it waits until there is room.
// The error is that of ctx. The message is the feed's from then on.
func (f *Feed) Put(ctx context.Context, m *mapping.Message) error {
	select {
	case f.queue <- m:
		f.health.waiting.Add(1)
		return nil
	default:
	}
	f.Delayed(1)
	select {
	case f.queue <- m:
		f.health.waiting.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Report takes messages that the sender is answered for: all their events are on disk
// when it returns, or none with an error. What has no ID of its own gets one.
func (f *Feed) Report(ctx context.Context, messages []*mapping.Message) (incident.Reported, error) {
	events := make([]event.Event, 0, len(messages))
	base := f.prefix + strconv.FormatInt(time.Now().UnixNano(), 36) + "-"
	for i, m := range messages {
		if e, ok := f.turn(m); ok {
			if e.ID == "" {
				e.ID = base + strconv.Itoa(i)
			}
			events = append(events, e)
		}
	}
	if len(events) == 0 {
		return incident.Reported{}, nil
	}
	r, err := f.inlet.Report(ctx, events)
	f.stored(r, err)
	return r, err
}

// Keep takes messages of a transport that has them until it is told otherwise: all their
// events are on disk when it returns, but for those that the server refuses for what they
// are, which are counted as lost. It tries for as long as it takes; the error is that of
// ctx. Each message tells its ID.
func (f *Feed) Keep(ctx context.Context, messages []*mapping.Message) error {
	batch := make([]event.Event, 0, len(messages))
	for _, m := range messages {
		if e, ok := f.turn(m); ok {
			batch = append(batch, e)
		}
	}
	if f.store(ctx, batch) > 0 {
		return ctx.Err()
	}
	return nil
}

// Guard calls fn and survives its panic, which ends nothing but fn: for the goroutines
// of a source.
func (f *Feed) Guard(fn func()) {
	defer func() {
		if p := recover(); p != nil {
			f.health.failures.Add(1)
			f.health.fault(fmt.Errorf("panic: %v", p))
			f.log.Error("a source panicked", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	fn()
}

// turn makes the event of a message; false when there is to be none.
func (f *Feed) turn(m *mapping.Message) (event.Event, bool) {
	h := f.health
	m.Source, m.Kind = h.name, h.kind
	h.lastEvent.Store(time.Now().UnixNano())
	mapper := f.mapper()
	e, outcome := mapper.Map(m)
	switch outcome {
	case mapping.Mapped:
		h.mapped.Add(1)
	case mapping.Unmapped:
		h.unmapped.Add(1)
	case mapping.Ignored:
		h.ignored.Add(1)
		return e, false
	}
	if mapper.Knows(e.Node) || h.strange(e.Node, f.mostUnknown) {
		return e, true
	}
	// Who invents names may not fill the network with nodes.
	e.Resource = strings.TrimSuffix(e.Node+"/"+e.Resource, "/")
	e.Node = mapping.UnknownNode
	return e, true
}

// stored notes what became of events.
func (f *Feed) stored(r incident.Reported, err error) {
	f.health.events.Add(uint64(r.Accepted))
	f.health.duplicates.Add(uint64(r.Duplicates))
	f.health.mu.Lock()
	defer f.health.mu.Unlock()
	f.health.storeFault = ""
	if err != nil && !errors.Is(err, context.Canceled) {
		f.health.storeFault = err.Error()
		f.health.lastError, f.health.errorTime = f.health.storeFault, time.Now()
	}
	f.health.refreshLocked(time.Now())
}

// work stores what the queue has, as much as there is at a time, until the queue is
// closed and empty, or ctx is done.
func (f *Feed) work(ctx context.Context) {
	batch := make([]event.Event, 0, mostBatch)
	for m := range f.queue {
		batch = f.add(batch[:0], m)
	more:
		for len(batch) < mostBatch {
			select {
			case m, ok := <-f.queue:
				if !ok {
					break more
				}
				batch = f.add(batch, m)
			default:
				break more
			}
		}
		if left := f.store(ctx, batch); left > 0 {
			f.Dropped(left, "the source ended before they could be stored")
		}
	}
}

// add appends the event of a message from the queue.
func (f *Feed) add(batch []event.Event, m *mapping.Message) []event.Event {
	f.health.waiting.Add(-1)
	var e event.Event
	ok := false
	f.Guard(func() { e, ok = f.turn(m) })
	if !ok {
		return batch
	}
	if e.ID == "" {
		f.next++
		e.ID = f.prefix + strconv.FormatUint(f.next, 10)
	}
	return append(batch, e)
}

// store stores events, however long it takes, and tells how many are not stored when ctx is
// done. One that the server refuses for what it is, is lost alone.
func (f *Feed) store(ctx context.Context, batch []event.Event) (left int) {
	for first := true; len(batch) > 0; first = false {
		r, err := f.inlet.Report(ctx, batch)
		f.stored(r, err)
		switch {
		case err == nil:
			return 0
		case ctx.Err() != nil:
			return len(batch)
		case permanent(err) && len(batch) > 1:
			for i := range batch {
				left += f.store(ctx, batch[i:i+1])
			}
			return left
		case permanent(err):
			f.Dropped(1, err.Error())
			f.log.Error("an event cannot be stored", "id", batch[0].ID, "err", err)
			return 0
		}
		if first {
			f.Delayed(len(batch))
			f.log.Error("events cannot be stored", "count", len(batch), "err", err)
		}
		select {
		case <-time.After(storeRetry):
		case <-ctx.Done():
		}
	}
	return 0
}

// permanent reports whether an error is of what was to be stored, and so will be there
// again.
func permanent(err error) bool {
	var e *rpcerr.Error
	return errors.As(err, &e) && e.Tag != rpcerr.TagResourceDenied && e.Tag != rpcerr.TagInUse
}
