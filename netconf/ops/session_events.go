package ops

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// The begins and ends of sessions are told of by so many transactions at once, and when
// that is not enough by one in each interval.
const (
	eventsAtOnce   = 16
	eventsInterval = 50 * time.Millisecond
)

// sessionEvents tells the begin and the end of sessions [RFC 6470 section 2.2]. It is a
// netconf.Observer. Nobody waits for the disk: a session begins beside its first rpc and
// ends when its connection is closed already. Where there are many, those of an interval are
// one transaction: the first of them is the leader, who waits and then commits for all. The
// others wait for it, so that none is lost when the server stops, and what the session
// does next, such as its record in the audit, comes after.
type sessionEvents struct {
	store *datastore.Store
	log   *slog.Logger

	commit chan struct{} // holds one element while a leader waits and commits
	due    time.Time     // commit: when the next one may commit, were there no eventsAtOnce

	mu   sync.Mutex
	next *eventGroup // mu: what the leader will commit; nil when there is none
}

// eventGroup is notifications that are one transaction.
type eventGroup struct {
	list []*data.Node
	done chan struct{} // closed by the leader when err is valid
	err  error
}

func newSessionEvents(store *datastore.Store, log *slog.Logger) *sessionEvents {
	return &sessionEvents{store: store, log: log, commit: make(chan struct{}, 1)}
}

// Began implements netconf.Observer.
func (e *sessionEvents) Began(s *netconf.Session) {
	e.tell(s, data.Build(e.store.Schema().Notification(notifications, "netconf-session-start")), "", 0)
}

// Ended implements netconf.Observer.
func (e *sessionEvents) Ended(s *netconf.Session, why netconf.Termination, by uint32) {
	e.tell(s, data.Build(e.store.Schema().Notification(notifications, "netconf-session-end")), why, by)
}

// tell returns when the notification is on disk.
func (e *sessionEvents) tell(s *netconf.Session, b *data.Builder, why netconf.Termination, by uint32) {
	sessionParameters(b, s.User(), s.ID(), s.Host())
	if by != 0 {
		b.Uint("killed-by", uint64(by))
	}
	b.Text("termination-reason", string(why))
	if err := e.append(b.Node()); err != nil && !errors.Is(err, datastore.ErrClosed) {
		e.log.Error("a session is not told of", "session-id", s.ID(), "err", err)
	}
}

// append appends a notification to the journal, alone or with others.
func (e *sessionEvents) append(n *data.Node) error {
	e.mu.Lock()
	leads := e.next == nil
	if leads {
		e.next = &eventGroup{done: make(chan struct{})}
	}
	g := e.next
	g.list = append(g.list, n)
	e.mu.Unlock()
	if leads {
		e.lead(g)
	}
	<-g.done
	return g.err
}

// lead waits for others and commits a group.
func (e *sessionEvents) lead(g *eventGroup) {
	e.commit <- struct{}{}
	defer func() { <-e.commit }()
	if first := time.Now().Add(-(eventsAtOnce - 1) * eventsInterval); e.due.Before(first) {
		e.due = first
	}
	time.Sleep(time.Until(e.due))
	e.due = e.due.Add(eventsInterval)
	e.mu.Lock()
	e.next = nil // whoever comes now leads the next one
	e.mu.Unlock()
	g.err = e.store.Update(context.Background(), func(tx *datastore.Tx) error {
		for _, n := range g.list {
			tx.Notify(journal.NETCONF, n)
		}
		return nil
	})
	close(g.done)
}
