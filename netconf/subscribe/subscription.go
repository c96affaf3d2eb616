package subscribe

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// Subscription sends the event records of a Target to a session, one of RFC 8639 or, with
// the names of its own notifications, of RFC 5277.
//
// It runs in a goroutine of its session from start on, until it ends or is halted by an
// operation that changes it.
type Subscription struct {
	publisher *Publisher
	session   *netconf.Session
	id        uint32
	legacy    bool     // of RFC 5277
	leg       *leg     // of a configured one; nil for others
	encoding  Encoding // of the goroutine that runs

	mu      sync.Mutex
	policy  *data.Node // mu; nil for one of RFC 5277
	stop    time.Time  // mu
	target  Target     // mu; used by the goroutine that runs, or by who has halted it
	done    chan struct{}
	cancel  context.CancelFunc // mu: interrupts the target
	halting bool               // mu
	ended   *Terminated        // mu: another one wants it so
	next    *Terms             // mu: those of the configuration now
	reset   *Terms             // mu: the receiver is to be told that it begins, with these

	life     context.Context // of the session; of the goroutine that runs
	modified bool            // the receiver is still to be told; of the goroutine that runs
	starting atomic.Bool     // the same of subscription-started
	texts    [][]byte        // of the goroutine that runs

	sent, excluded atomic.Uint64
	paused         atomic.Bool  // by its target
	writing        atomic.Int64 // since when a message is being written, in nanoseconds since 1970; 0: none is
}

// ID is the subscription's; 0 for one of RFC 5277.
func (s *Subscription) ID() uint32 { return s.id }

// Session is where it sends to.
func (s *Subscription) Session() *netconf.Session { return s.session }

// Stop is the stop-time, the zero time for none.
func (s *Subscription) Stop() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop
}

// Exclude counts event records that a filter or the receiver's rights held back.
func (s *Subscription) Exclude(n int) {
	s.excluded.Add(uint64(n))
	s.publisher.excluded.Add(uint64(n))
}

// Send sends event records. It waits for the peer to read; when that takes too long the
// subscription is suspended until it does. An error says that none was sent, as ctx is
// done, or that the session has ended.
func (s *Subscription) Send(ctx context.Context, events ...*Event) error {
	return s.send(ctx, newSelection(events))
}

// send is Send of a selection.
func (s *Subscription) send(ctx context.Context, sel *selection) error {
	m := sel.encoded[s.encoding]()
	begin := time.Now()
	if err := s.write(ctx, begin, s.sent.Load()+1, m); err != nil {
		return err
	}
	n := uint64(len(m.list))
	total := s.sent.Add(n)
	s.publisher.sent.Add(n)
	if s.leg != nil {
		s.leg.counted(s.target, total)
	}
	if after := s.publisher.config.SuspendAfter; !s.legacy && time.Since(begin) > after {
		s.resume(begin.Add(after))
	}
	return nil
}

// write sends messages, and lets others see since when. The number is that of the event
// record in the first, or of the last one before it.
func (s *Subscription) write(ctx context.Context, begin time.Time, number uint64, m *messages) error {
	s.writing.Store(begin.UnixNano())
	defer s.writing.Store(0)
	if q := s.publisher.sequencing.Load(); q != nil {
		s.texts = q.number(s.texts[:0], m.list, number)
		return s.session.Notify(ctx, s.texts...)
	}
	return s.session.NotifyBatch(ctx, m.batch)
}

// Target is where the subscription gets its event records from.
func (s *Subscription) Target() Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target
}

// Interrupt lets Target.Run begin anew. It does not wait.
func (s *Subscription) Interrupt() { s.renew() }

// Suspend tells the receiver that the target sends nothing until Resume, and why: an
// identity derived from subscription-suspended-reason, with its module. It is for
// Target.Run, and does nothing while the subscription is suspended so. Errors are those
// of Send.
func (s *Subscription) Suspend(ctx context.Context, reason string) error {
	if s.paused.Load() {
		return nil
	}
	err := s.tell(ctx, time.Now(), "subscription-suspended", reason)
	s.paused.Store(err == nil)
	return err
}

// Resume tells the receiver that a suspension by Suspend is over, if there is one.
func (s *Subscription) Resume(ctx context.Context) error {
	if !s.paused.Load() {
		return nil
	}
	err := s.tell(ctx, time.Now(), "subscription-resumed", "")
	s.paused.Store(err != nil)
	return err
}

// resume tells a peer that reads again that it was suspended.
func (s *Subscription) resume(since time.Time) {
	s.publisher.suspensions.Add(1)
	s.session.Log().Info("a subscription is resumed", "subscription", s.id, "suspended", since)
	if s.tell(s.life, since, "subscription-suspended", module+":unsupportable-volume") == nil {
		s.tell(s.life, time.Now(), "subscription-resumed", "")
	}
}

// lose tells the receiver that event records are lost: a suspension says so [RFC 8639
// section 2.7.4].
func (s *Subscription) lose() {
	if s.tell(s.life, time.Now(), "subscription-suspended", module+":insufficient-resources") == nil {
		s.tell(s.life, time.Now(), "subscription-resumed", "")
	}
}

// suspended reports whether what is being written has taken too long, or the target has
// suspended it.
func (s *Subscription) suspended() bool {
	if s.paused.Load() {
		return true
	}
	since := s.writing.Load()
	return since != 0 && !s.legacy && time.Since(time.Unix(0, since)) > s.publisher.config.SuspendAfter
}

// start lets the subscription run. It is for handlers' Reply.Then.
func (s *Subscription) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := make(chan struct{})
	s.done, s.halting = done, false
	s.session.Go(func(ctx context.Context) {
		defer close(done)
		s.run(ctx)
	})
}

// halt stops the subscription from running, and waits. It is for handlers, each of which
// ends it, or starts it again.
func (s *Subscription) halt() {
	s.mu.Lock()
	s.halting = true
	s.interruptLocked()
	done := s.done
	s.mu.Unlock()
	<-done
}

// end lets the subscription end, and the receiver be told why. It does not wait.
func (s *Subscription) end(why *Terminated) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = why
	s.interruptLocked()
}

// renew lets the subscription look at the configuration again. It does not wait.
func (s *Subscription) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interruptLocked()
}

func (s *Subscription) interruptLocked() {
	if s.cancel != nil {
		s.cancel()
	}
}

// run runs the target, from interruption to interruption, to the end.
func (s *Subscription) run(session context.Context) {
	s.life = session
	for {
		ctx, cancel := context.WithCancel(session)
		target, err := s.nextTarget(cancel)
		if err == nil {
			err = s.refresh(ctx, target)
		}
		if err == nil {
			err = target.Run(ctx, s)
		}
		interrupted := ctx.Err() != nil
		cancel()
		why := new(Terminated)
		switch {
		case session.Err() != nil || errors.Is(err, errHalted):
			return
		case errors.As(err, &why):
			s.publisher.leave(s)
			if s.leg != nil {
				s.leg.terminated()
			}
			if !s.starting.Load() { // or else the receiver knows nothing of it
				s.tell(session, time.Now(), "subscription-terminated", why.Reason)
			}
			return
		case interrupted:
			continue
		case err != nil:
			s.session.Log().Error("a subscription cannot go on", "subscription", s.id, "err", err)
		}
		// Whoever is told that it is over may subscribe again.
		s.publisher.leave(s)
		s.complete(session)
		if s.leg != nil {
			s.leg.concluded()
		}
		return
	}
}

// errHalted ends a run that will be started again.
var errHalted = errors.New("halted")

// nextTarget is what to run next; an error says why to stop instead.
func (s *Subscription) nextTarget(cancel context.CancelFunc) (Target, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended != nil:
		return nil, s.ended
	case s.halting:
		return nil, errHalted
	}
	s.cancel = cancel
	if t := s.reset; t != nil {
		s.reset = nil
		s.starting.Store(true)
		if _, ok := s.target.(Resumer); !ok {
			target, err := s.publisher.target(t)
			if err != nil {
				return nil, s.publisher.unserved(t, err)
			}
			s.target = target
		}
	}
	if t := s.next; t != nil {
		s.next = nil
		target, err := s.target.Modify(t)
		if err != nil {
			return nil, s.publisher.unserved(t, err)
		}
		s.policy, s.stop, s.target, s.modified = t.Policy, t.Stop, target, true
		s.encoding = encodingOf(t.Policy)
	}
	return s.target, nil
}

// replace gives the subscription the terms that the configuration has now. It does not
// wait.
func (s *Subscription) replace(t Terms) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = &t
	s.interruptLocked()
}

// restart lets the receiver be told once more that the subscription begins, as over a new
// link: from where it is, if the target can resume, and else from the beginning. It does
// not wait.
func (s *Subscription) restart(t Terms) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset = &t
	s.interruptLocked()
}

// withdraw lets a configured subscription stop without a word, to go on over another link.
// It does not wait.
func (s *Subscription) withdraw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.halting = true
	s.interruptLocked()
}

// state is that of the receiver.
func (s *Subscription) state() string {
	switch {
	case s.suspended():
		return "suspended"
	case s.starting.Load():
		return "connecting"
	}
	return "active"
}

// refresh lets the target look at the configuration, and tells the receiver what it has
// to know before the next event record: that the subscription begins, or has changed.
func (s *Subscription) refresh(ctx context.Context, target Target) error {
	if g, ok := target.(Guarded); ok {
		if err := g.Permitted(s.session.Access()); err != nil {
			return err
		}
	}
	if r, ok := target.(Refresher); ok {
		changed, err := r.Refresh(s.publisher.store.Snapshot())
		if err != nil {
			return err
		}
		s.modified = s.modified || changed
	}
	switch {
	case s.starting.Load():
		if err := s.tellStarted(ctx, target); err != nil {
			return err
		}
		s.starting.Store(false)
		s.modified = false
	case s.modified:
		if err := s.tellModified(ctx); err != nil {
			return err
		}
		s.modified = false
	}
	return nil
}

// reached notes that all records up to one were dealt with.
func (s *Subscription) reached(r *journal.Record) {
	if s.leg != nil {
		s.leg.reached(r.Seq, s.sent.Load(), r.Time)
	}
}
