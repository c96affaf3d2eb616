package subscribe

import (
	"context"
	"strconv"

	"incidentd/netconf"
)

// delete answers <delete-subscription> [RFC 8639 section 2.4.4]: nothing more is sent
// when the reply is.
func (p *Publisher) delete(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	id := idOf(r)
	s := p.find(id, r.Session)
	if s == nil {
		return nil, noSuchSubscription(id)
	}
	s.halt()
	p.leave(s)
	return nil, nil
}

// kill answers <kill-subscription> [RFC 8639 section 2.4.5]: a dynamic subscription of any
// session. Its receiver is told.
func (p *Publisher) kill(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	id := idOf(r)
	s := p.find(id, nil)
	if s == nil || !p.leave(s) {
		return nil, noSuchSubscription(id)
	}
	s.end(NoSuchSubscription)
	return nil, nil
}

// idOf is the parameter id.
func idOf(r *netconf.Request) uint32 {
	id, _ := strconv.ParseUint(r.Input.Leaf("id"), 10, 32) // the schema has checked it
	return uint32(id)
}
