package subscribe

import (
	"errors"
	"sync"
	"sync/atomic"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Config is what subscriptions need. Server must be given.
type Config struct {
	Server *netconf.Server
}

// Publisher runs the subscriptions of a server's sessions. It may be used by any
// number of goroutines at once.
type Publisher struct {
	schema  *yang.Schema
	journal *journal.Journal
	events  *events

	mu     sync.Mutex
	active map[*netconf.Session]*subscription // mu

	sent, lost atomic.Uint64
}

// Register adds create-subscription to the server, and the list of streams to the
// state in its store.
func Register(c Config) (*Publisher, error) {
	store := c.Server.Store()
	p := &Publisher{schema: store.Schema(), journal: store.Journal(), active: map[*netconf.Session]*subscription{}}
	p.events = newEvents(p.schema)
	errs := []error{
		c.Server.Handle("notifications", "create-subscription", p.create),
		p.provideStreams(store),
	}
	return p, errors.Join(errs...)
}

// Stats are figures of a Publisher.
type Stats struct {
	Active int    // subscriptions
	Sent   uint64 // records sent, to all of them together
	Lost   uint64 // records that retention deleted before a slow peer had them
}

// Stats returns the figures of this moment.
func (p *Publisher) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{len(p.active), p.sent.Load(), p.lost.Load()}
}

// provideStreams provides the list of streams [RFC 5277 section 3.2.5.1].
func (p *Publisher) provideStreams(store *datastore.Store) error {
	m := p.schema.Module("nc-notifications")
	if m == nil || !m.Implemented {
		return errors.New("subscribe: the schema does not implement nc-notifications")
	}
	top := p.schema.Root.Child(m, "netconf")
	store.Provide(top, func(*datastore.Snapshot) *data.Node {
		b := data.Build(top)
		list := b.Container("streams")
		for _, s := range p.journal.Streams() {
			list.Entry("stream", s.Name).Leaf("description", s.Description).Bool("replaySupport", true).
				Time("replayLogCreationTime", p.journal.CreationTime()).Time("replayLogAgedTime", p.journal.AgedTime())
		}
		return b.Node()
	})
	return nil
}
