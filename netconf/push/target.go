package push

import (
	"context"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/subscribe"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// centisecond is the unit of periods.
const centisecond = 10 * time.Millisecond

// newTarget makes the target of a policy that names a datastore.
func (p *publisher) newTarget(t *subscribe.Terms) (subscribe.Target, error) {
	c, err := p.criteria(t)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Policy.Has("periodic"):
		return p.newPeriodic(t, c)
	case t.Policy.Has("on-change"):
		return p.newOnChange(t, c)
	}
	return nil, rpcerr.MissingElement("periodic", "a subscription to a datastore is either periodic or on-change").At(pathOf(t, "periodic"))
}

// durationOf is the value of a leaf of the type centiseconds.
func durationOf(n *data.Node, leaf string) time.Duration {
	cs, _ := strconv.ParseUint(n.Leaf(leaf), 10, 32) // the schema has checked it
	return time.Duration(cs) * centisecond
}

// look is what a subscription selects now, as its receiver may see it. A selection that
// cannot be evaluated suspends the subscription.
func (p *publisher) look(ctx context.Context, s *subscribe.Subscription, c *criteria, snap *datastore.Snapshot) (sel *selection, tree *data.Node, err error) {
	sel = p.selection(c, s.Session().Access())
	if tree, err = sel.at(snap); err != nil {
		s.Session().Log().Warn("a filter cannot be applied to a datastore", "subscription", s.ID(), "datastore", c.datastore, "err", err)
		return nil, nil, s.Suspend(ctx, insufficientResources)
	}
	return sel, tree, nil
}

// send sends an update, after word that a suspension is over.
func send(ctx context.Context, s *subscribe.Subscription, e *subscribe.Event) error {
	if err := s.Resume(ctx); err != nil {
		return err
	}
	return s.Send(ctx, e)
}

// timer is a channel that gets something at a time; nil for the zero time.
func timer(at time.Time) (<-chan time.Time, func()) {
	if at.IsZero() {
		return nil, func() {}
	}
	t := time.NewTimer(time.Until(at))
	return t.C, func() { t.Stop() }
}
