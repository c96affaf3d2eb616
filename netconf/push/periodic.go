package push

import (
	"context"
	"math/bits"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/subscribe"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// periodic is the Target that sends all that is selected at the instants that are whole
// multiples of a period away from an anchor.
type periodic struct {
	*publisher
	criteria *criteria
	period   time.Duration
	anchor   time.Time
	last     time.Time // the instant that was served last, or from before the first
}

func (p *publisher) newPeriodic(t *subscribe.Terms, c *criteria) (*periodic, error) {
	terms := t.Policy.Child("periodic")
	out := &periodic{publisher: p, criteria: c, period: durationOf(terms, "period")}
	if out.period < p.config.MinPeriod {
		return nil, withHints(subscribe.Refuse(rpcerr.TagInvalidValue, periodUnsupported, "the shortest period is %v", p.config.MinPeriod).At(pathOf(t, "periodic/yp:period")),
			structureOf(t.Request), hintOf("period-hint", int64(p.config.MinPeriod/centisecond)))
	}
	now := time.Now()
	out.anchor, out.last = now, now.Add(-1)
	if text := terms.Leaf("anchor-time"); text != "" {
		var err error
		if out.anchor, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, invalid(t, "periodic/yp:anchor-time", "there is no such time")
		}
	}
	return out, p.fits(t, c)
}

// fits refuses criteria by which more is selected now than an update can have. What a
// configured subscription selects is known when there is a receiver.
func (p *publisher) fits(t *subscribe.Terms, c *criteria) error {
	if t.Request == "subscriptions" {
		return nil
	}
	identity := updateTooBig
	if c.onChange {
		identity = syncTooBig
	}
	sel := p.selection(c, t.Access)
	tree, err := sel.at(t.Snapshot)
	if err != nil {
		return tooCostly(t, err)
	}
	if n := sel.contents(tree).nodes(); n > p.config.MaxNodes {
		return tooMany(identity, structureOf(t.Request), n, p.config.MaxNodes)
	}
	return nil
}

// Modify implements subscribe.Target.
func (p *periodic) Modify(t *subscribe.Terms) (subscribe.Target, error) {
	next, err := p.newTarget(t)
	if q, ok := next.(*periodic); ok && err == nil && !t.Policy.Child("periodic").Has("anchor-time") && q.period == p.period {
		q.anchor, q.last = p.anchor, p.last // other criteria, the same rhythm
	}
	return next, err
}

// Refresh implements subscribe.Refresher.
func (p *periodic) Refresh(snap *datastore.Snapshot) (bool, error) {
	return p.refresh(p.criteria, snap)
}

// Filter is what the filter was made of, when that is configured elsewhere.
func (p *periodic) Filter() *data.Node { return p.criteria.configured() }

// Run implements subscribe.Target.
func (p *periodic) Run(ctx context.Context, s *subscribe.Subscription) error {
	for {
		at, stop := p.next(time.Now()), s.Stop()
		over := !stop.IsZero() && at.After(stop)
		if over {
			at = stop
		}
		due, cancel := timer(at)
		select {
		case <-due:
		case <-ctx.Done():
			cancel()
			return ctx.Err()
		}
		if over {
			return nil
		}
		if err := p.serve(ctx, s); err != nil {
			return err
		}
		p.last = at
	}
}

// serve sends what is selected now.
func (p *periodic) serve(ctx context.Context, s *subscribe.Subscription) error {
	snap := p.store.Snapshot()
	sel, tree, err := p.look(ctx, s, p.criteria, snap)
	if err != nil || tree == nil {
		return err
	}
	c := sel.contents(tree)
	if c.nodes() > p.config.MaxNodes {
		return s.Suspend(ctx, updateTooBig)
	}
	return send(ctx, s, p.newUpdate(s, snap, currentAccounting).push(c))
}

// next is the first instant from a time on that was not served.
func (p *periodic) next(from time.Time) time.Time {
	if !from.After(p.last) {
		from = p.last.Add(1)
	}
	return from.Add(untilNext(p.anchor, from, p.period))
}

// untilNext is how long it is from a time to the first whole multiple of a period before
// or after an anchor. It is exact however far away the anchor is.
func untilNext(anchor, from time.Time, period time.Duration) time.Duration {
	if from.Before(anchor) {
		return remainder(from, anchor, period)
	}
	if past := remainder(anchor, from, period); past > 0 {
		return period - past
	}
	return 0
}

// remainder is what is left of the time between two times when it is divided by a
// period.
func remainder(from, to time.Time, period time.Duration) time.Duration {
	seconds, nanos := to.Unix()-from.Unix(), to.Nanosecond()-from.Nanosecond()
	if nanos < 0 {
		seconds, nanos = seconds-1, nanos+int(time.Second)
	}
	high, low := bits.Mul64(uint64(seconds), uint64(time.Second))
	low, carry := bits.Add64(low, uint64(nanos), 0)
	return time.Duration(bits.Rem64(high+carry, low, uint64(period)))
}
