package push

import (
	"context"
	"sync/atomic"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/nacm"
	"incidentd/netconf/subscribe"
	"incidentd/yang/data"
)

// onChange is the Target that sends what has changed.
type onChange struct {
	*publisher
	criteria *criteria
	damping  time.Duration
	sync     bool // all that is selected may be sent
	excluded changeTypes

	wanted *atomic.Uint64 // how often the receiver asked for all; shared by successors
	served uint64         // of these, those that were served

	base   *datastore.Snapshot // what the first patch is made from; nil: last
	due    bool                // all is to be sent next
	last   *data.Node          // what the receiver has; nil while due
	number uint32              // of the next patch
	until  time.Time           // the end of the dampening period
	churn  *churn              // in it
	asked  *nacm.Access        // was found to be enough for a selection that is empty
}

func (p *publisher) newOnChange(t *subscribe.Terms, c *criteria) (*onChange, error) {
	o := &onChange{publisher: p, criteria: c, wanted: new(atomic.Uint64)}
	o.set(t)
	return o, o.begin(t)
}

// set takes over the terms that are not about the selection.
func (o *onChange) set(t *subscribe.Terms) {
	terms := t.Policy.Child("on-change")
	o.damping = durationOf(terms, "dampening-period")
	o.sync = terms.Leaf("sync-on-start") != "false"
	o.excluded = changeTypesOf(terms.Values("excluded-change"))
}

// begin lets the receiver begin with all that is selected or, when he does not want to have
// it, with what changes from now on.
func (o *onChange) begin(t *subscribe.Terms) error {
	if o.sync {
		o.due = true
		return o.fits(t, o.criteria)
	}
	o.base = o.store.Snapshot()
	return nil
}

// Modify implements subscribe.Target. A receiver with another selection is synchronized
// with it.
func (o *onChange) Modify(t *subscribe.Terms) (subscribe.Target, error) {
	if !t.Policy.Has("on-change") {
		return o.newTarget(t)
	}
	c, err := o.publisher.criteria(t)
	if err != nil {
		return nil, err
	}
	next := *o
	next.criteria, next.asked = c, nil
	next.set(t) // which cannot change sync-on-start
	if c.datastore != o.criteria.datastore || c.text != o.criteria.text {
		return &next, next.begin(t)
	}
	return &next, nil
}

// Refresh implements subscribe.Refresher.
func (o *onChange) Refresh(snap *datastore.Snapshot) (changed bool, err error) {
	if changed, err = o.refresh(o.criteria, snap); changed && o.sync {
		o.due = true
	} else if changed {
		o.base = snap
	}
	return changed, err
}

// Filter is what the filter was made of, when that is configured elsewhere.
func (o *onChange) Filter() *data.Node { return o.criteria.configured() }

// Run implements subscribe.Target.
func (o *onChange) Run(ctx context.Context, s *subscribe.Subscription) error {
	if stop := s.Stop(); !stop.IsZero() && !time.Now().Before(stop) {
		return nil
	}
	stop, cancel := timer(s.Stop())
	defer cancel()
	for {
		changed := o.store.Changed()
		wait, err := o.step(ctx, s, o.store.Snapshot())
		if err == nil {
			err = o.permitted(s, wait)
		}
		if err != nil {
			return err
		}
		due, cancel := timer(wait)
		select {
		case <-changed:
		case <-due:
		case <-stop:
			cancel()
			return nil
		case <-ctx.Done():
			cancel()
			return ctx.Err()
		}
		cancel()
	}
}

// step sends what a snapshot gives to send, or answers until when to wait with it.
func (o *onChange) step(ctx context.Context, s *subscribe.Subscription, snap *datastore.Snapshot) (wait time.Time, err error) {
	if o.stale(o.criteria, snap) {
		return wait, nil // the interruption for that is on its way
	}
	sel, tree, err := o.look(ctx, s, o.criteria, snap)
	if err != nil || tree == nil {
		return wait, err
	}
	if o.base != nil {
		last, err := sel.at(o.base)
		if err != nil {
			return wait, err
		}
		o.last, o.churn, o.base = last, nil, nil
		return o.step(ctx, s, snap)
	}
	asked := o.wanted.Load()
	switch {
	case asked != o.served || o.due:
		return wait, o.synchronize(ctx, s, snap, sel.contents(tree), asked)
	case time.Now().Before(o.until):
		if tree == o.last && o.churn == nil {
			return wait, nil
		}
		if o.churn == nil {
			o.churn = newChurn(o.last)
		}
		o.churn.note(sel, tree, o.excluded)
		return o.until, nil
	case tree != o.last || o.churn != nil:
		return wait, o.change(ctx, s, snap, sel, tree)
	}
	return wait, s.Resume(ctx)
}

// synchronize sends all that is selected.
func (o *onChange) synchronize(ctx context.Context, s *subscribe.Subscription, snap *datastore.Snapshot, c *contents, asked uint64) error {
	if c.nodes() > o.config.MaxNodes {
		return s.Suspend(ctx, syncTooBig)
	}
	if err := send(ctx, s, o.newUpdate(s, snap, initialState).push(c)); err != nil {
		return err
	}
	o.served, o.due, o.number = asked, false, 0
	o.sent(c.tree)
	return nil
}

// change sends what has changed since the last update.
func (o *onChange) change(ctx context.Context, s *subscribe.Subscription, snap *datastore.Snapshot, sel *selection, tree *data.Node) error {
	p, incomplete := sel.patch(o.last, tree, o.excluded), false
	if o.churn != nil {
		o.churn.note(sel, tree, o.excluded)
		p, incomplete = o.churn.patch(o.publisher, p, tree)
	}
	switch {
	case len(p.edits) == 0 && !incomplete:
		if p.withheld > 0 {
			s.Exclude(1)
		}
		o.last, o.churn = tree, nil
		return s.Resume(ctx)
	case p.nodes > o.config.MaxNodes:
		return s.Suspend(ctx, updateTooBig)
	}
	u := o.newUpdate(s, snap, stateChanged)
	u.incomplete = incomplete
	if err := send(ctx, s, u.change(o.number, p)); err != nil {
		return err
	}
	o.number++ // to 0 after the last
	o.sent(tree)
	return nil
}

// sent begins a dampening period after an update.
func (o *onChange) sent(tree *data.Node) {
	o.last, o.churn = tree, nil
	if o.until = (time.Time{}); o.damping > 0 {
		o.until = time.Now().Add(o.damping)
	}
}
