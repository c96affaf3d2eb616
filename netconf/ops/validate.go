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
	tree, err := o.read(ctx, p, snap.Datastore)
	if err != nil {
		return nil, err
	}
	return nil, o.store.Validator().Tree(tree, true)
}

// read returns the configuration of a place; stores has the trees of the datastores.
func (o *operations) read(_ context.Context, p place, stores func(datastore.Name) *data.Node) (*data.Node, error) {
	if p.config != nil {
		return o.parse(p.config)
	}
	return stores(p.store), nil
}
