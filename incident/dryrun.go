package incident

import (
	"context"
	"errors"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/incident/event"
	"incidentd/incident/topology"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// What a reply about a dry run lists at most.
const (
	mostDifferences = 1000
	mostApart       = 20 // events that only one of two incidents has
)

// previewFailure answers preview-failure of incidentd-management.
func (m *Manager) previewFailure(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	b := r.Output()
	err := m.consult(ctx, func(*datastore.Tx) error {
		p, err := m.engine.Preview(placeFromData(r.Input))
		if errors.Is(err, correlate.ErrUnknown) {
			leaf := "node"
			switch {
			case r.Input.Has("link"):
				leaf = "link"
			case r.Input.Has("resource") && m.knows(r.Input.Leaf("node")):
				leaf = "resource"
			}
			return rpcerr.InvalidValue("%s", unknownText(err)).At(at(r.Input, leaf))
		}
		if err != nil {
			return err
		}
		for _, l := range p.Links {
			b.Entry("link", l.Network, l.Link)
		}
		for _, n := range p.Nodes {
			b.Leaf("node", n)
		}
		for k, s := range p.Services {
			b.Entry("service-impact", s).Leaf("state", p.States[k].String())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reply(b.Node()), nil
}

func (m *Manager) knows(node string) bool { _, ok := m.index.Node(node); return ok }

// unknownText is what correlate.ErrUnknown is wrapped by.
func unknownText(err error) string { return trimError(err, correlate.ErrUnknown) }

// dryRun answers dry-run of incidentd-management. It replays outside of the writer of the
// store, one at a time, and ends with the session.
func (m *Manager) dryRun(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if !m.trying.TryLock() {
		return nil, rpcerr.ResourceDenied("another dry run is under way; there is one at a time")
	}
	defer m.trying.Unlock()
	var index *topology.Index
	var now time.Time
	snap := m.store.Snapshot()
	err := m.consult(ctx, func(tx *datastore.Tx) error {
		index, now = m.index, m.clock.Load().now(tx.Now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	other := snap.Datastore(datastore.Candidate).Child("correlation")
	if given := r.Input.Child("correlation"); given != nil {
		other = given
	}
	hours, _ := strconv.Atoi(r.Input.Leaf("hours"))
	if hours == 0 {
		hours = 24
	}
	p := player{m: m, ctx: ctx, since: now.Add(-time.Duration(hours) * time.Hour),
		before: m.replay(index, snap.Running.Child("correlation")), after: m.replay(index, other)}
	if err := p.play(); err != nil {
		return nil, err
	}
	before, after := p.before.Finish(), p.after.Finish()
	m.dryRuns.Add(1)
	b := r.Output()
	b.Time("from", p.first).Time("until", p.last).Uint("events", p.events).
		Uint("incidents", uint64(lasting(before))).Uint("incidents-after", uint64(lasting(after)))
	differences := correlate.Differences(before, after)
	for k := range differences[:min(len(differences), mostDifferences)] {
		d := &differences[k]
		e := b.Entry("difference", strconv.Itoa(k+1))
		for _, w := range d.What {
			e.Leaf("what", w)
		}
		outline(e, "before", d.Before, d.After)
		outline(e, "after", d.After, d.Before)
	}
	if n := len(differences) - mostDifferences; n > 0 {
		b.Uint("differences-omitted", uint64(n))
	}
	return reply(b.Node()), nil
}

// replay is a replay by a configuration.
func (m *Manager) replay(index *topology.Index, correlation *data.Node) *correlate.Replay {
	e := correlate.New(CorrelatorFromData(correlation, m.c.Correlator))
	e.SetTopology(index)
	return correlate.NewReplay(e, nil)
}

// player feeds two replays from the log.
type player struct {
	m             *Manager
	ctx           context.Context
	since         time.Time
	before, after *correlate.Replay

	events      uint64
	first, last time.Time
}

// play feeds both with the log.
func (p *player) play() error {
	return p.m.readLog(p.ctx, 0, func(e *event.Event) {
		if e.Arrival.Before(p.since) {
			return
		}
		if p.events++; p.events == 1 {
			p.first = e.Arrival
		}
		p.last = e.Arrival
		p.before.Feed(*e)
		p.after.Feed(*e)
	})
}

// lasting counts the incidents that were not merged into others.
func lasting(all []*correlate.Incident) (n int) {
	for _, i := range all {
		if i.MergedInto == 0 {
			n++
		}
	}
	return n
}

// outline writes an incident in short, nil for none, with the events that the other does
// not have.
func outline(b *data.Builder, container string, i, other *correlate.Incident) {
	if i == nil {
		return
	}
	e := b.Container(container)
	e.Leaf("name", i.Name).Leaf("priority", i.Priority).Bool("ticket", i.Ticket).Time("raise-time", i.RaiseTime)
	cause(e.Container("root-cause"), i.RootCauses[0])
	events := i.Events()
	e.Uint("events", uint64(len(events)+i.EventsOmitted))
	has := map[string]bool{}
	if other != nil {
		for _, v := range other.Events() {
			has[v.ID] = true
		}
	}
	n := 0
	for _, v := range events {
		if !has[v.ID] && n < mostApart {
			e.Leaf("event-id", v.ID)
			n++
		}
	}
	for _, s := range i.ServiceInstances {
		e.Leaf("service-instance", s)
	}
}
