package ops

import (
	"context"

	"incidentd/netconf"
)

// lock answers <lock> [RFC 6241 section 7.5].
func (o *operations) lock(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	target, err := o.writable(r.Input, "target")
	if err != nil {
		return nil, err
	}
	return nil, o.store.Lock(ctx, target, r.Session.ID())
}

// unlock answers <unlock> [RFC 6241 section 7.6]. Changes of the candidate go with its
// lock [RFC 6241 section 8.3.5.2].
func (o *operations) unlock(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	target, err := o.writable(r.Input, "target")
	if err != nil {
		return nil, err
	}
	return nil, o.store.Unlock(ctx, target, r.Session.ID())
}
