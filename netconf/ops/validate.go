package ops

import (
	"context"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// validate answers <validate> [RFC 6241 section 8.6.4.1]. The candidate is valid when
// its commit would be. What running holds is valid, or it would not be there; it is
// validated all the same.
func (o *operations) validate(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	p, err := o.place(r.Input, "source")
	if err != nil {
		return nil, err
	}
	snap := o.store.Snapshot()
	switch {
	case p.store == datastore.Candidate:
		return nil, o.store.Test(snap.Running, snap.Datastore(datastore.Candidate))
	case p.store == datastore.Operational: // its state may be half of what is asked for
		return nil, datastoreError(string(p.store))
	}
	tree := snap.Datastore(p.store)
	if p.store == "" {
		if tree, err = o.parse(ctx, p, data.Parser{}); err != nil {
			return nil, err
		}
	}
	return nil, o.store.Validator().Tree(tree, true)
}
