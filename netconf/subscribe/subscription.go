package subscribe

import (
	"context"
	"errors"
	"strings"
	"time"

	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// subscription is one of RFC 5277. After its making it belongs to the goroutine of
// run.
type subscription struct {
	publisher *Publisher
	session   *netconf.Session
	cursor    *journal.Cursor
	filter    *data.Filter // nil: everything
	stop      time.Time    // zero: never
	replay    bool         // replayComplete is still to be sent
	last      uint64       // the end of the replay
}

// run sends notifications until the subscription or the session ends.
func (s *subscription) run(ctx context.Context) {
	defer s.publisher.leave(s)
	if s.follow(ctx) && s.replayed() {
		// Whoever is told that it is over may subscribe again.
		s.publisher.leave(s)
		s.event("notificationComplete")
	}
}

// follow sends the records up to stopTime; false when the session has ended
// before.
func (s *subscription) follow(ctx context.Context) bool {
	for {
		r, err := s.next(ctx)
		if aged := new(journal.AgedError); errors.As(err, &aged) {
			s.publisher.lost.Add(aged.First - aged.Wanted)
			s.session.Log().Warn("a subscription was overtaken by the retention of notifications", "wanted", aged.Wanted, "first", aged.First)
			s.cursor.Seek(aged.First)
			continue
		}
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil:
			s.session.Log().Error("a subscription cannot read the notifications", "err", err)
			return true
		case r == nil && s.replay:
			if !s.replayed() {
				return false
			}
			continue
		case r == nil:
			return true // stopTime has come
		}
		if r.Seq > s.last && !s.replayed() {
			return false
		}
		if !s.stop.IsZero() && r.Time.After(s.stop) {
			return true
		}
		if !s.send(r) {
			return false
		}
	}
}

// next is the next record. It is nil at the end of the replay, and later when
// stopTime has come and nothing from before it is left.
func (s *subscription) next(ctx context.Context) (*journal.Record, error) {
	if r, err := s.cursor.TryNext(); r != nil || err != nil || s.replay {
		return r, err
	}
	if s.stop.IsZero() {
		return s.cursor.Next(ctx)
	}
	until, cancel := context.WithDeadline(ctx, s.stop)
	defer cancel()
	r, err := s.cursor.Next(until)
	if until.Err() != nil && ctx.Err() == nil && r == nil {
		return s.cursor.TryNext()
	}
	return r, err
}

// send sends a record that passes the filter; false when the session has ended.
func (s *subscription) send(r *journal.Record) bool {
	if !s.permitted(r) {
		return true
	}
	e := s.publisher.events.get(r)
	if s.filter != nil {
		n, err := e.tree()
		if err != nil {
			s.session.Log().Error("a notification cannot be parsed", "name", r.Name, "err", err)
			return true
		}
		ok, err := s.filter.Matches(n)
		if err != nil {
			s.session.Log().Warn("a filter cannot be applied to a notification", "name", r.Name, "err", err)
		}
		if !ok {
			return true
		}
	}
	if s.session.Notify(e.message()) != nil {
		return false
	}
	s.publisher.sent.Add(1)
	return true
}

// permitted reports whether the user may have a record as the rules stand now [RFC 8341
// section 3.1.4]. One of a notification that the schema no longer has is for nobody whose
// access is controlled.
func (s *subscription) permitted(r *journal.Record) bool {
	access := s.session.Access()
	if access == nil {
		return true
	}
	module, name, _ := strings.Cut(r.Name, ":")
	n := s.publisher.schema.Notification(module, name)
	return n != nil && access.Notify(n)
}

// replayed sends replayComplete once, if there is a replay; false when the session
// has ended.
func (s *subscription) replayed() bool {
	if !s.replay {
		return true
	}
	s.replay = false
	return s.event("replayComplete")
}

// event sends one of the notifications about the subscription itself, which no
// filter holds back; false when the session has ended.
func (s *subscription) event(name string) bool {
	body := `<` + name + ` xmlns="urn:ietf:params:xml:ns:netmod:notification"/>`
	return s.session.Notify(netconf.AppendNotification(nil, time.Now(), []byte(body))) == nil
}
