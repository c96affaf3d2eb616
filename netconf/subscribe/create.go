package subscribe

import (
	"context"
	"slices"
	"time"

	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// create answers <create-subscription> [RFC 5277 section 2.1.1].
func (p *Publisher) create(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	s, err := p.subscription(r)
	if err != nil {
		return nil, err
	}
	// RPCs of a session come one after the other, and so does Then: nobody else
	// enters in between.
	if p.subscribed(r.Session) {
		return nil, rpcerr.New(rpcerr.Protocol, rpcerr.TagOperationFailed, "the session has a subscription already")
	}
	return &netconf.Reply{Then: func() {
		p.enter(s)
		r.Session.Go(s.run)
	}}, nil
}

func (p *Publisher) subscribed(s *netconf.Session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.active[s] != nil
}

func (p *Publisher) enter(s *subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active[s.session] = s
}

// leave takes a subscription out, once it is over.
func (p *Publisher) leave(s *subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active[s.session] == s {
		delete(p.active, s.session)
	}
}

// subscription checks the parameters.
func (p *Publisher) subscription(r *netconf.Request) (*subscription, error) {
	s := &subscription{publisher: p, session: r.Session}
	stream := journal.NETCONF
	if r.Input.Has("stream") {
		stream = r.Input.Leaf("stream")
	}
	if !slices.ContainsFunc(p.journal.Streams(), func(x journal.Stream) bool { return x.Name == stream }) {
		return nil, rpcerr.New(rpcerr.Protocol, rpcerr.TagInvalidValue, "there is no stream %q", stream).
			WithInfo("", "bad-element", "stream")
	}
	var err error
	if s.filter, err = r.Filter(); err != nil {
		return nil, err
	}
	start, err := timeOf(r.Input, "startTime")
	if err != nil {
		return nil, err
	}
	if s.stop, err = timeOf(r.Input, "stopTime"); err != nil {
		return nil, err
	}
	switch {
	case start.IsZero() && !s.stop.IsZero():
		return nil, rpcerr.MissingElement("startTime", "a stopTime needs a startTime")
	case !s.stop.IsZero() && s.stop.Before(start):
		return nil, rpcerr.BadElement("stopTime", "the stopTime is before the startTime")
	case start.After(time.Now()):
		return nil, rpcerr.BadElement("startTime", "the startTime is in the future")
	}
	s.last = p.journal.Last()
	from := s.last + 1
	if !start.IsZero() {
		s.replay = true
		if from, err = p.journal.FindTime(start); err != nil {
			return nil, err
		}
	}
	s.cursor = p.journal.Cursor(from, stream)
	return s, nil
}

// timeOf is a date-and-time, the zero time when it is not there.
func timeOf(input *data.Node, name string) (time.Time, error) {
	v := input.Leaf(name)
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return t, rpcerr.BadElement(name, "there is no such time")
	}
	return t, nil
}
