package push

import (
	"context"
	"strconv"

	"incidentd/netconf"
	"incidentd/netconf/subscribe"
	"incidentd/yang/rpcerr"
)

// resync answers <resync-subscription> [RFC 8641 section 4.4.4]: all that is selected is sent
// after the reply.
func (p *publisher) resync(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	id, _ := strconv.ParseUint(r.Input.Leaf("id"), 10, 32) // the schema has checked it
	s := p.subs.Find(uint32(id), r.Session)
	if s == nil {
		return nil, subscribe.Refuse(rpcerr.TagInvalidValue, noSuchSubscriptionResync, "the session has no subscription %d", id)
	}
	o, ok := s.Target().(*onChange)
	switch {
	case !ok:
		return nil, subscribe.Refuse(rpcerr.TagOperationNotSupported, onChangeSyncUnsupported, "the subscription %d is not on-change", id)
	case !o.sync:
		return nil, subscribe.Refuse(rpcerr.TagOperationNotSupported, onChangeSyncUnsupported, "the subscription %d has sync-on-start false, which rules it out", id)
	}
	sel := p.selection(o.criteria, r.Access)
	tree, err := sel.at(p.store.Snapshot())
	if err != nil {
		return nil, err
	}
	if n := sel.contents(tree).nodes(); n > p.config.MaxNodes {
		return nil, reasoned(tooMany(syncTooBig, "resync-subscription-error", n, p.config.MaxNodes))
	}
	return &netconf.Reply{Then: func() {
		o.wanted.Add(1)
		s.Interrupt()
	}}, nil
}
