package ops

import (
	"context"

	"incidentd/netconf"
	"incidentd/yang/data"
)

// validate answers <validate> [RFC 6241 section 8.6.4.1]. What running holds is
// valid, or it would not be there; it is validated all the same.
func (o *operations) validate(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	tree := o.store.Snapshot().Running
	if c := r.Input.Child("source").Child("config"); c != nil {
		p := data.Parser{Schema: o.schema}
		var err error
		if tree, err = p.ParseRaw(c.Raw(), o.schema.Root); err != nil {
			return nil, err
		}
	} else if err := onlyRunning(r.Input, "source"); err != nil {
		return nil, err
	}
	return nil, o.store.Validator().Tree(tree, true)
}
