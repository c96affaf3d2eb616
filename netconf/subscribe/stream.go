package subscribe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/netconf/nacm"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// stream is the Target that follows a stream of the journal, with its own cursor.
type stream struct {
	publisher *Publisher
	of        string // its name
	cursor    *journal.Cursor
	held      *journal.Record   // taken from the cursor and not looked at
	records   []*journal.Record // to be sent next, as far as they pass
	passed    []*Event          // of those
	permitted permitted
	turn      *turn

	filter *filter    // nil: everything
	name   string     // of the filter, if it has one
	source *data.Node // what filter was made of
	loose  bool       // RFC 5277: a loss by retention does not end it

	start   time.Time // of the replay; zero: none
	revised bool      // start is later than was asked for
	resumed time.Time // of the record before the first, for a configured subscription
	replay  bool      // the receiver is still to be told that it is over
	last    uint64    // the end of the replay
}

// openStream places a stream's cursor: at the record that start names, or else at the
// next that comes.
func (p *Publisher) openStream(name string, start time.Time) (*stream, error) {
	s := &stream{publisher: p, turn: p.turns.newTurn(), of: name, last: p.journal.Last(), start: start, replay: !start.IsZero()}
	from := s.last + 1
	if s.replay {
		var err error
		if from, err = p.journal.FindTime(start, name); err != nil {
			return nil, err
		}
		if begin := p.logBegin(name); start.Before(begin) {
			s.start, s.revised = begin, true
		}
	}
	s.cursor = p.journal.Cursor(from, name)
	return s, nil
}

// logBegin is how far back the log of a stream goes [RFC 8639 section 2.4.2.1].
func (p *Publisher) logBegin(stream string) time.Time {
	if aged := p.journal.AgedTime(stream); !aged.IsZero() {
		return aged
	}
	return p.journal.CreationTime()
}

func (p *Publisher) hasStream(name string) bool {
	return slices.ContainsFunc(p.journal.Streams(), func(x journal.Stream) bool { return x.Name == name })
}

// mayHave reports whether rights reach a stream: its entry may be read [RFC 8639 section
// 2.1].
func (p *Publisher) mayHave(stream string, access *nacm.Access) bool {
	top := p.nodes.streams
	at := (&data.Loc{Node: data.New(p.schema.Root)}).Down(data.New(top)).Down(data.NewEntry(top.ChildNamed("stream"), stream))
	return access.MayRead(at)
}

// Permitted implements Guarded.
func (s *stream) Permitted(access *nacm.Access) error {
	if !s.loose && !s.publisher.mayHave(s.of, access) {
		return StreamUnavailable
	}
	return nil
}

// newStream makes the target of a policy that names a stream.
func (p *Publisher) newStream(t *Terms) (Target, error) {
	name := t.Policy.Leaf("stream")
	if !p.hasStream(name) || !p.mayHave(name, t.Access) {
		return nil, invalidParameter(t, "stream", "there is no stream %q", name)
	}
	start, err := timeOf(t.Policy, "replay-start-time")
	if err != nil {
		return nil, err
	}
	switch {
	case !start.IsZero() && !start.Before(time.Now()):
		return nil, invalidParameter(t, "replay-start-time", "the replay-start-time is not in the past")
	case !start.IsZero() && !t.Stop.IsZero() && !t.Stop.After(start):
		return nil, invalidParameter(t, "stop-time", "the stop-time is not after the replay-start-time")
	}
	f, err := p.filterOf(t)
	if err != nil {
		return nil, err
	}
	s, err := p.openStream(name, start)
	if err != nil {
		return nil, err
	}
	f.apply(s)
	return s, nil
}

// Modify implements Target: another filter for the same place in the stream.
func (s *stream) Modify(t *Terms) (Target, error) {
	f, err := s.publisher.filterOf(t)
	if err != nil {
		return nil, err
	}
	c := *s
	f.apply(&c)
	return &c, nil
}

// ReplayStart implements Replayer.
func (s *stream) ReplayStart() (time.Time, bool) { return s.start, s.revised }

// Resume implements Resumer.
func (s *stream) Resume(next uint64, last time.Time) {
	s.cursor.Seek(next)
	s.resumed = last
}

// Resumed implements Resumer.
func (s *stream) Resumed() time.Time { return s.resumed }

// Refresh implements Refresher: a filter with a name is that of the configuration.
func (s *stream) Refresh(snap *datastore.Snapshot) (changed bool, err error) {
	if s.name == "" {
		return false, nil
	}
	source := snap.Running.Get(s.publisher.nodes.filters).EntryNamed("stream-filter", s.name)
	switch {
	case source == nil:
		return false, FilterUnavailable
	case data.Equal(source, s.source):
		return false, nil
	}
	f, err := s.publisher.compile(source)
	if err != nil {
		return false, FilterUnavailable
	}
	s.filter, s.source = f, source
	return true, nil
}

// Filter is what the filter was made of, when that is configured elsewhere.
func (s *stream) Filter() *data.Node {
	if s.name == "" {
		return nil
	}
	return s.source
}

// Run implements Target.
func (s *stream) Run(ctx context.Context, to *Subscription) error {
	stop := to.Stop()
	for {
		if len(s.records) > 0 { // an interruption came between
			if err := s.pass(ctx, to); err != nil {
				return err
			}
		}
		r, err := s.next(ctx, stop)
		switch {
		case err != nil:
			if err := s.overtaken(err, to); err != nil {
				return err
			}
		case s.replay && (r == nil || s.beyond(r, stop)):
			if err := to.replayed(ctx); err != nil {
				return err
			}
			s.replay = false
		case r == nil || s.beyond(r, stop):
			return nil
		default:
			if err := s.turn.take(ctx); err != nil {
				return err
			}
			s.gather(r, stop)
			err := s.pass(ctx, to)
			s.turn.give()
			if err != nil {
				return err
			}
		}
	}
}

// beyond reports whether something has to be told before a record: that the replay is
// over, or that the stop-time has come.
func (s *stream) beyond(r *journal.Record, stop time.Time) bool {
	return s.replay && r.Seq > s.last || !stop.IsZero() && r.Time.After(stop)
}

// gather takes the record that is held and those that follow, as many as are sent at once.
func (s *stream) gather(r *journal.Record, stop time.Time) {
	s.records, s.held = append(s.records, r), nil
	size := room(r)
	for {
		more := s.cursor.AtHand()
		n := 0
		for n < len(more) && size+room(more[n]) <= batchBytes && !s.beyond(more[n], stop) {
			size += room(more[n])
			n++
		}
		whole := n == len(more)
		if !whole && !s.beyond(more[n], stop) {
			n = border(s.records[len(s.records)-1], more[:n+1])
		}
		s.records = append(s.records, more[:n]...)
		s.cursor.Skip(n)
		if !whole || n == 0 {
			return
		}
		s.cursor.Fill()
	}
}

// pass sends of what was gathered what the receiver may have and the filter lets pass.
func (s *stream) pass(ctx context.Context, to *Subscription) error {
	b := s.publisher.events.batch(s.records)
	s.passed = s.passed[:0]
	access := to.session.Access()
	for i, e := range b.events {
		if r := s.records[i]; s.permits(access, e, r) && s.admits(e, r, to) {
			s.passed = append(s.passed, e)
		}
	}
	if len(s.passed) > 0 {
		if err := to.send(ctx, b.of(s.passed)); err != nil {
			return err
		}
	}
	if n := len(s.records) - len(s.passed); n > 0 {
		to.Exclude(n)
	}
	last := s.records[len(s.records)-1]
	s.resumed = last.Time
	to.reached(last)
	clear(s.records)
	clear(s.passed)
	s.records = s.records[:0]
	return nil
}

// admits reports whether the filter lets an event pass. One that it cannot be applied to
// does not.
func (s *stream) admits(e *Event, r *journal.Record, to *Subscription) bool {
	if s.filter == nil {
		return true
	}
	n, err := e.tree()
	if err == nil {
		var ok bool
		if ok, err = s.filter.passes(n); err == nil {
			return ok
		}
	}
	to.session.Log().Warn("a filter cannot be applied to a notification", "subscription", to.id, "name", r.Name, "err", err)
	return false
}

// permits reports whether the receiver may have a record as the rules stand now [RFC 8341
// section 3.1.4]. One of a notification that the schema no longer has is for nobody whose
// access is controlled. What decides about the notification of a data node is its place, so
// that each record is looked at.
func (s *stream) permits(access *nacm.Access, e *Event, r *journal.Record) bool {
	if access == nil || s.permitted.has(access, r.Name) {
		return true
	}
	module, name, _ := strings.Cut(r.Name, ":")
	if n := s.publisher.schema.Notification(module, name); n != nil {
		if !access.Notify(n) {
			return false
		}
		s.permitted.add(access, r.Name)
		return true
	}
	top, err := e.tree()
	if err != nil {
		return false
	}
	at, n := data.Notified(s.publisher.schema.Root, top)
	return at != nil && access.NotifyAt(at, n.Schema())
}

// permitted are the names of notifications that an access permits.
type permitted struct {
	access *nacm.Access
	names  []string
}

func (p *permitted) has(access *nacm.Access, name string) bool {
	return p.access == access && slices.Contains(p.names, name)
}

func (p *permitted) add(access *nacm.Access, name string) {
	if p.access != access {
		p.access, p.names = access, nil
	}
	p.names = append(p.names, name)
}

// next is the next record, which is held until it is dealt with. It is nil at the end
// of the replay, and later when the stop-time has come and nothing from before it is left.
func (s *stream) next(ctx context.Context, stop time.Time) (r *journal.Record, err error) {
	if s.held != nil {
		return s.held, ctx.Err()
	}
	defer func() { s.held = r }()
	if r, err := s.cursor.TryNext(); r != nil || err != nil || s.replay {
		return r, err
	}
	if stop.IsZero() {
		return s.cursor.Next(ctx)
	}
	until, cancel := context.WithDeadline(ctx, stop)
	defer cancel()
	r, err = s.cursor.Next(until)
	if until.Err() != nil && ctx.Err() == nil && r == nil {
		return s.cursor.TryNext()
	}
	return r, err
}

// overtaken deals with records that retention has deleted before they were sent. A dynamic
// subscription ends; a configured one goes on with the oldest that is kept, and its
// receiver is told of the gap. RFC 5277 has no word for that: there it just goes on.
func (s *stream) overtaken(err error, to *Subscription) error {
	aged := new(journal.AgedError)
	if !errors.As(err, &aged) {
		return err
	}
	s.publisher.lost.Add(aged.First - aged.Wanted)
	to.session.Log().Warn("a subscription was overtaken by the retention of notifications", "subscription", to.id, "wanted", aged.Wanted, "first", aged.First)
	switch {
	case to.leg != nil:
		to.lose()
	case !s.loose:
		return SuspensionTimeout
	}
	s.cursor.Seek(aged.First)
	return nil
}

// timeOf is a date-and-time, the zero time when it is not there.
func timeOf(n *data.Node, name string) (time.Time, error) {
	v := n.Leaf(name)
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return t, rpcerr.BadElement(name, "there is no such time")
	}
	return t, nil
}
