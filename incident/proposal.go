package incident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// proposal is something learnt that waits for a decision.
type proposal struct {
	id, kind string
	members  []correlate.MarkObject
	pair     *correlate.CoOccurrence
	correlate.Proposal
}

// proposals are what the correlator has learnt, and what of pairs, but for what was rejected.
func (m *Manager) proposals(pairs []pair) (out []proposal) {
	rejected := m.judging.Child("learning")
	list := m.schema.correlation.ChildNamed("learning").ChildNamed("rejected-proposal")
	propose := func(x proposal) {
		x.id = x.name()
		if rejected.Entry(list, x.id) == nil {
			out = append(out, x)
		}
	}
	for _, p := range m.engine.Proposals() {
		if p.Risk != nil {
			propose(proposal{Proposal: p, kind: "shared-risk", members: p.Risk.Members})
		} else {
			propose(proposal{Proposal: p, kind: "calendar-rule", members: []correlate.MarkObject{p.Calendar.Object}})
		}
	}
	for k := range pairs {
		if p := &pairs[k]; m.wanted(p) {
			propose(proposal{Proposal: correlate.Proposal{Times: p.times, Of: p.of, Sentence: p.sentence()}, kind: coOccurrence, pair: &p.CoOccurrence})
		}
	}
	return out
}

// name is the id of a proposal: the same for the same objects, whatever the evidence.
func (p *proposal) name() string {
	var places []string
	if p.pair != nil {
		places = append(places, p.pair.Cause, p.pair.Effect)
	}
	for _, o := range p.members {
		places = append(places, strings.Join([]string{o.Network, o.Link, o.Node, o.Resource}, "\x00"))
	}
	slices.Sort(places)
	sum := sha256.Sum256([]byte(strings.Join(places, "\x01")))
	return p.kind + "-" + hex.EncodeToString(sum[:4])
}

// called is the name of a proposal's entry when nobody gives one: its objects.
func (p *proposal) called() string {
	if p.pair != nil {
		return p.pair.Effect + " after " + p.pair.Cause
	}
	var names []string
	for _, o := range p.members {
		names = append(names, strings.TrimSpace(o.Network+o.Node+" "+o.Link+o.Resource))
	}
	return strings.Join(names, " and ")
}

// listProposals answers list-proposals of incidentd-management.
func (m *Manager) listProposals(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	pairs, err := m.pairs(ctx)
	if err != nil {
		return nil, err
	}
	b := r.Output()
	err = m.consult(ctx, func(*datastore.Tx) error {
		for _, p := range m.proposals(pairs) {
			e := b.Entry("proposal", p.id).Leaf("kind", p.kind).Leaf("explanation", p.Sentence).Uint("of", uint64(p.Of))
			for _, t := range p.Times {
				e.Leaf("time", data.FormatTime(t))
			}
			for k := range p.members {
				placeToData(e.Entry("member", strconv.Itoa(k+1)), &p.members[k])
			}
			if c := p.Calendar; c != nil {
				timesToData(e, c)
			}
			if p.pair != nil {
				pairToData(e.Container(coOccurrence), p.pair)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reply(b.Node()), nil
}

// approveProposal answers approve-proposal of incidentd-management: what was learnt
// becomes an entry in running, by a transaction like that of an edit.
func (m *Manager) approveProposal(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	name := ""
	err := m.configure(ctx, r, func(p *proposal, correlation *data.Node) (*data.Node, error) {
		list := m.schema.correlation.ChildNamed(p.kind)
		if name = r.Input.Leaf("name"); name == "" {
			name = p.called()
			for n := 2; correlation.Entry(list, name) != nil; n++ {
				name = fmt.Sprintf("%s %d", p.called(), n)
			}
		} else if correlation.Entry(list, name) != nil {
			return nil, rpcerr.InvalidValue("there is a %s of the name %q already", p.kind, name).At(at(r.Input, "name"))
		}
		b := data.BuildEntry(list, name)
		switch c := p.Calendar; {
		case c != nil:
			placeToData(b, &c.Object)
			timesToData(b, c)
		case p.pair != nil:
			pairToData(b, p.pair)
		default:
			for k := range p.members {
				placeToData(b.Entry("member", strconv.Itoa(k+1)), &p.members[k])
			}
		}
		return correlation.With(b.Node()), nil
	})
	if err != nil {
		return nil, err
	}
	return reply(r.Output().Leaf("name", name).Node()), nil
}

// rejectProposal answers reject-proposal of incidentd-management.
func (m *Manager) rejectProposal(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	return nil, m.configure(ctx, r, func(p *proposal, correlation *data.Node) (*data.Node, error) {
		learning := m.schema.correlation.ChildNamed("learning")
		b := data.BuildEntry(learning.ChildNamed("rejected-proposal"), p.id).Text("reason", r.Input.Leaf("comment"))
		have := correlation.Get(learning)
		if have == nil {
			have = data.New(learning)
		}
		return correlation.With(have.With(b.Node())), nil
	})
}

// configure changes the correlation of running as a decision about the proposal that the
// input names wants it.
func (m *Manager) configure(ctx context.Context, r *netconf.Request, decide func(*proposal, *data.Node) (*data.Node, error)) error {
	var pairs []pair
	var err error
	if strings.HasPrefix(r.Input.Leaf("id"), coOccurrence) {
		if pairs, err = m.pairs(ctx); err != nil {
			return err
		}
	}
	var p *proposal
	err = m.consult(ctx, func(*datastore.Tx) error {
		all := m.proposals(pairs)
		k := slices.IndexFunc(all, func(p proposal) bool { return p.id == r.Input.Leaf("id") })
		if k < 0 {
			return rpcerr.InstanceRequired("there is no proposal %q; list-proposals tells those there are", r.Input.Leaf("id")).At(at(r.Input, "id"))
		}
		p = &all[k]
		return nil
	})
	if err != nil {
		return err
	}
	return m.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, author(r))
		if err := m.store.MayWrite(datastore.Running, r.Session.ID()); err != nil {
			return err
		}
		running := tx.Running()
		correlation := running.Get(m.schema.correlation)
		if correlation == nil {
			correlation = data.New(m.schema.correlation)
		}
		correlation, err := decide(p, correlation)
		if err != nil {
			return err
		}
		next := running.With(correlation)
		if err := r.Write(datastore.Running, running, next); err != nil {
			return err
		}
		tx.SetRunning(next)
		return nil
	})
}

// timesToData writes when a calendar rule is about.
func timesToData(b *data.Builder, c *correlate.CalendarRule) {
	minutes := func(d time.Duration, most int) uint64 { return uint64(min(max(int(d/time.Minute), 0), most)) }
	b.Leaf("start", fmt.Sprintf("%02d:%02d", int(c.Start.Hours())%24, int(c.Start.Minutes())%60)).
		Uint("slack", minutes(c.Slack, 720)).Uint("lasts", max(minutes(c.Lasts, 2880), 1))
}
