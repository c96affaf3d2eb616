package subscribe

import (
	"context"
	"time"

	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang/rpcerr"
)

// create answers <create-subscription> [RFC 5277 section 2.1.1].
func (p *Publisher) create(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	s, err := p.created(r)
	if err != nil {
		return nil, err
	}
	if err := p.enter(s); err != nil {
		return nil, err
	}
	return &netconf.Reply{Then: s.start}, nil
}

// created checks the parameters and makes the subscription.
func (p *Publisher) created(r *netconf.Request) (*Subscription, error) {
	name := journal.NETCONF
	if r.Input.Has("stream") {
		name = r.Input.Leaf("stream")
	}
	if !p.hasStream(name) {
		return nil, rpcerr.New(rpcerr.Protocol, rpcerr.TagInvalidValue, "there is no stream %q", name).
			WithInfo("", "bad-element", "stream")
	}
	selects, err := r.Filter()
	if err != nil {
		return nil, err
	}
	start, err := timeOf(r.Input, "startTime")
	if err != nil {
		return nil, err
	}
	stop, err := timeOf(r.Input, "stopTime")
	if err != nil {
		return nil, err
	}
	switch {
	case start.IsZero() && !stop.IsZero():
		return nil, rpcerr.MissingElement("startTime", "a stopTime needs a startTime")
	case !stop.IsZero() && stop.Before(start):
		return nil, rpcerr.BadElement("stopTime", "the stopTime is before the startTime")
	case start.After(time.Now()):
		return nil, rpcerr.BadElement("startTime", "the startTime is in the future")
	}
	target, err := p.openStream(name, start)
	if err != nil {
		return nil, err
	}
	target.loose = true
	if selects != nil {
		target.filter = &filter{selects: selects}
	}
	return &Subscription{publisher: p, session: r.Session, legacy: true, stop: stop, target: target}, nil
}
