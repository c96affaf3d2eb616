package nacm

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"incidentd/datastore"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Controller keeps the rules of a store.
type Controller struct {
	store *datastore.Store
	top   *yang.Node
	log   *slog.Logger

	current atomic.Pointer[policy]
	mu      sync.Mutex // held to compile
	denied  counters
}

// counters are those of the container nacm: what was refused since the start.
type counters struct{ operations, writes, notifications atomic.Uint32 }

// New makes the controller of a store, and provides its counters as operational state.
// The log gets rules that cannot be used; nil: nothing is logged.
func New(store *datastore.Store, log *slog.Logger) (*Controller, error) {
	m := store.Schema().Module("ietf-netconf-acm")
	if m == nil || !m.Implemented {
		return nil, errors.New("nacm: the schema does not implement ietf-netconf-acm")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Controller{store: store, top: store.Schema().Root.Child(m, "nacm"), log: log}
	store.Provide(c.top, func(*datastore.Snapshot) *data.Node {
		b := data.Build(c.top)
		b.Uint("denied-operations", uint64(c.denied.operations.Load())).
			Uint("denied-data-writes", uint64(c.denied.writes.Load())).
			Uint("denied-notifications", uint64(c.denied.notifications.Load()))
		return b.Node()
	})
	return c, nil
}

// Access is what a user may do now; nil permits everything, as access is not
// controlled. groups are those that the transport has found out.
func (c *Controller) Access(user string, groups []string) *Access {
	return c.policy().access(user, groups)
}

// policy is what running says now.
func (c *Controller) policy() *policy {
	config := c.store.Snapshot().Running.Get(c.top)
	if p := c.current.Load(); p != nil && p.config == config {
		return p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.current.Load(); p != nil && p.config == config {
		return p
	}
	p := compile(c.store.Schema(), config, &c.denied)
	for _, err := range p.faults {
		c.log.Warn("a rule of access control cannot be used", "err", err)
	}
	c.current.Store(p)
	return p
}
