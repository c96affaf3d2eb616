package ops

import (
	"context"

	"incidentd/datastore"
	"incidentd/netconf"
)

// lock answers <lock> [RFC 6241 section 7.5].
func (o *operations) lock(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if err := onlyRunning(r.Input, "target"); err != nil {
		return nil, err
	}
	return nil, o.store.Lock(ctx, datastore.Running, r.Session.ID())
}

// unlock answers <unlock> [RFC 6241 section 7.6].
func (o *operations) unlock(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if err := onlyRunning(r.Input, "target"); err != nil {
		return nil, err
	}
	return nil, o.store.Unlock(ctx, datastore.Running, r.Session.ID())
}
