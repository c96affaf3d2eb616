package subscribe

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/rpcerr"
)

// Config is what subscriptions need. Server must be given; the rest has defaults.
type Config struct {
	Server *netconf.Server
	// SuspendAfter is how long a notification may take to be written before its
	// subscription is suspended; 5 seconds by default.
	SuspendAfter time.Duration
	// SuspensionTimeout is how long a peer that has subscriptions of RFC 8639 may
	// stop reading before its session is closed; 10 minutes by default.
	SuspensionTimeout time.Duration
	// MaxPerSession is how many subscriptions a session may have; 100 by default.
	MaxPerSession int
	// Call opens a NETCONF session to a receiver of configured subscriptions [RFC 8071],
	// calls begun with it when the hellos were exchanged, in the session's own goroutine,
	// and returns when it has ended, why, or when it could not be opened. Without it
	// receivers are not called.
	Call func(ctx context.Context, r Receiver, begun func(*netconf.Session)) error
	// Log gets what goes wrong beyond the sessions' own; the default discards it.
	Log *slog.Logger
}

// Publisher runs the subscriptions of a server. It may be used by any number of
// goroutines at once.
type Publisher struct {
	config  Config
	server  *netconf.Server
	store   *datastore.Store
	schema  *yang.Schema
	nodes   nodes
	journal *journal.Journal
	events  *events
	kinds   []Kind
	turns   turns

	caller *caller

	sequencing atomic.Pointer[sequencing] // nil: envelopes have none

	mu       sync.Mutex
	sessions map[*netconf.Session]*member // mu
	byID     map[uint32]*Subscription     // mu; those of RFC 8639
	lastID   uint32                       // mu

	sent, excluded, lost, suspensions atomic.Uint64
}

// member is a session that has or had subscriptions.
type member struct {
	legacy *Subscription // of RFC 5277
	count  int           // of RFC 8639
	dscp   uint8         // that these have
}

// firstID is that of the first dynamic subscription. The ids below are left to
// configured ones, which choose their own.
const firstID = 1 << 31

// Register adds the operations of RFC 5277 and RFC 8639 to the server, and their state
// to its store.
func Register(c Config) (*Publisher, error) {
	c.SuspendAfter = cmp.Or(c.SuspendAfter, 5*time.Second)
	c.SuspensionTimeout = cmp.Or(c.SuspensionTimeout, 10*time.Minute)
	c.MaxPerSession = cmp.Or(c.MaxPerSession, 100)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	store := c.Server.Store()
	p := &Publisher{config: c, server: c.Server, store: store, schema: store.Schema(), journal: store.Journal(),
		sessions: map[*netconf.Session]*member{}, byID: map[uint32]*Subscription{}, lastID: firstID - 1}
	if err := p.nodes.find(p.schema); err != nil {
		return nil, err
	}
	p.events, p.turns = newEvents(p), newTurns()
	p.caller = newCaller(p)
	p.configure(store.Snapshot())
	p.Add(Kind{Leaf: "stream", New: p.newStream})
	store.Join(watcher{p})
	store.Provide(p.nodes.netconf, p.netconfStreams)
	store.Provide(p.nodes.streams, p.streams)
	store.Provide(p.nodes.subscriptions, p.subscriptions, p.nodes.subscriptions)
	return p, errors.Join(
		c.Server.Handle("notifications", "create-subscription", p.create),
		c.Server.Handle(module, "establish-subscription", p.establish),
		c.Server.Handle(module, "modify-subscription", p.modify),
		c.Server.Handle(module, "delete-subscription", p.delete),
		c.Server.Handle(module, "kill-subscription", p.kill),
		c.Server.HandleAction(p.nodes.reset, p.reset),
	)
}

// Features are those of the modules of subscriptions, for yang.Options. What is not
// among them: qos, as a session sends one after the other what its subscriptions have;
// supports-vrf and interface-designation, as routing is the operating system's.
func Features() map[string][]string {
	return map[string][]string{module: {"configured", "dscp", "encode-json", "encode-xml", "replay", "subtree", "xpath"}}
}

// Definitions are modules that stand in the server's schema for their definitions
// alone.
func Definitions() []string {
	return []string{"ietf-interfaces", "ietf-ip", "ietf-network-instance", "ietf-yang-schema-mount", "ietf-restconf"}
}

// Stats are figures of a Publisher.
type Stats struct {
	Active      int    // subscriptions of both kinds
	Sent        uint64 // event records sent, to all of them together
	Excluded    uint64 // event records that filters or rights held back
	Lost        uint64 // event records that retention deleted before a slow peer had them
	Suspensions uint64
}

// Stats returns the figures of this moment.
func (p *Publisher) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	active := len(p.byID)
	for _, m := range p.sessions {
		if m.legacy != nil {
			active++
		}
	}
	return Stats{active, p.sent.Load(), p.excluded.Load(), p.lost.Load(), p.suspensions.Load()}
}

// enter makes a subscription known, under an id of its own unless it is of RFC 5277.
// A session has those of one RFC only [RFC 8640 section 4].
func (p *Publisher) enter(s *Subscription) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.sessions[s.session]
	if m == nil {
		m = new(member)
		p.sessions[s.session] = m
		s.session.OnEnd(func() { p.forget(s.session) })
	}
	switch {
	case s.legacy && m.legacy != nil:
		return rpcerr.New(rpcerr.Protocol, rpcerr.TagOperationFailed, "the session has a subscription already")
	case s.legacy && m.count > 0:
		return rpcerr.OperationNotSupported("create-subscription beside subscriptions of establish-subscription")
	case s.legacy:
		m.legacy = s
		return nil
	case m.legacy != nil:
		return rpcerr.OperationNotSupported("establish-subscription beside a subscription of create-subscription")
	case m.count >= p.config.MaxPerSession:
		return insufficientResources("a session may have %d subscriptions", p.config.MaxPerSession)
	}
	if err := m.mark(s); err != nil {
		return err
	}
	for p.lastID++; p.lastID < firstID || p.byID[p.lastID] != nil; p.lastID++ {
	}
	s.id = p.lastID
	p.byID[s.id] = s
	if m.count++; m.count == 1 {
		s.session.Patience(p.config.SuspensionTimeout)
	}
	return nil
}

// leave takes a dynamic subscription out, once it is over; false when it has been already.
func (p *Publisher) leave(s *Subscription) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.sessions[s.session]
	switch {
	case m == nil:
		return false
	case s.legacy && m.legacy == s:
		m.legacy = nil
		return true
	case !s.legacy && p.byID[s.id] == s:
		delete(p.byID, s.id)
		if m.count--; m.count == 0 {
			s.session.Patience(0)
			m.unmark(s.session)
		}
		return true
	}
	return false
}

// forget takes out all that a session has left behind at its end.
func (p *Publisher) forget(session *netconf.Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, session)
	for id, s := range p.byID {
		if s.session == session {
			delete(p.byID, id)
		}
	}
}

// Find is the subscription of an id in a session, nil without one.
func (p *Publisher) Find(id uint32, of *netconf.Session) *Subscription { return p.find(id, of) }

// find is the subscription of an id; nil without one, or when it is of another session
// than the given one, if any is.
func (p *Publisher) find(id uint32, of *netconf.Session) *Subscription {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.byID[id]; s != nil && (of == nil || s.session == of) {
		return s
	}
	return nil
}

// all are the subscriptions of RFC 8639, by id.
func (p *Publisher) all() []*Subscription {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]*Subscription, 0, len(p.byID))
	for _, s := range p.byID {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *Subscription) int { return cmp.Compare(a.id, b.id) })
	return list
}
