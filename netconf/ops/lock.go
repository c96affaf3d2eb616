package ops

import (
	"context"

	"incidentd/netconf"
)

// lock answers <lock> [RFC 6241 section 7.5].
func (o *operations) lock(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if err := onlyRunning(r.Input, "target"); err != nil {
		return nil, err
	}
	return nil, o.store.LockRunning(r.Session.ID())
}

// unlock answers <unlock> [RFC 6241 section 7.6].
func (o *operations) unlock(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if err := onlyRunning(r.Input, "target"); err != nil {
		return nil, err
	}
	return nil, o.store.UnlockRunning(r.Session.ID())
}
