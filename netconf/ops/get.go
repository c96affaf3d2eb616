package ops

import (
	"context"
	"slices"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// get answers <get>: running and the state of the server [RFC 6241 section 7.7].
func (o *operations) get(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	f, err := o.filter(r)
	if err != nil {
		return nil, err
	}
	snap := o.store.Snapshot()
	return netconf.DataReply(f.Select(r.Access.Read(o.store.With(snap, snap.Get(), f)))), nil
}

// getConfig answers <get-config> [RFC 6241 section 7.1].
func (o *operations) getConfig(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	from, err := o.place(r.Input, "source")
	if err != nil {
		return nil, err
	}
	f, err := o.filter(r)
	if err != nil {
		return nil, err
	}
	return netconf.DataReply(f.Select(r.Access.Read(o.store.Snapshot().Datastore(from.store)))), nil
}

// filter is the subtree filter of a request, nil without one.
func (o *operations) filter(r *netconf.Request) (*data.Filter, error) {
	if err := refuse(r.Input, "with-defaults"); err != nil {
		return nil, err
	}
	elements, present, err := r.Filter()
	if err != nil || !present {
		return nil, err
	}
	return o.bind(elements), nil
}

func (o *operations) bind(elements []*xmltext.Element) *data.Filter {
	return data.NewFilter(o.schema, o.schema.Root, elements)
}

// refuse tells which of the parameters are there but not implemented.
func refuse(input *data.Node, parameters ...string) error {
	var errs rpcerr.Errors
	for _, p := range parameters {
		if input.Has(p) {
			errs = append(errs, rpcerr.OperationNotSupported("the parameter "+p))
		}
	}
	return errs.Err()
}

// datastoreError refuses a datastore as RFC 8526 section 3 says.
func datastoreError(name string) error {
	return rpcerr.New(rpcerr.Protocol, rpcerr.TagInvalidValue, "the datastore %s cannot be used here", name)
}

// getData answers <get-data> [RFC 8526 section 3.1.1].
func (o *operations) getData(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if err := refuse(r.Input, "xpath-filter", "with-defaults"); err != nil {
		return nil, err
	}
	if d := r.Input.Leaf("max-depth"); d != "" && d != "unbounded" {
		return nil, rpcerr.OperationNotSupported("the parameter max-depth")
	}
	var f *data.Filter
	if n := r.Input.Child("subtree-filter"); n != nil {
		elements, err := netconf.Elements(n.Raw())
		if err != nil {
			return nil, err
		}
		f = o.bind(elements)
	}
	snap := o.store.Snapshot()
	tree, err := o.tree(snap, r.Input.Leaf("datastore"), f)
	if err != nil {
		return nil, err
	}
	tree = f.Select(r.Access.Read(tree))
	switch r.Input.Leaf("config-filter") {
	case "true":
		tree = configOf(tree)
	case "false":
		tree = data.StateOf(tree)
	}
	if wanted, negated := r.Input.Values("origin-filter"), r.Input.Values("negated-origin-filter"); len(wanted)+len(negated) > 0 {
		tree = data.OfOrigin(tree, snap.Running, func(origin string) bool {
			if len(wanted) > 0 {
				return o.isOrigin(origin, wanted)
			}
			return !o.isOrigin(origin, negated)
		})
	}
	reply := netconf.DataReply(tree)
	if r.Input.Has("with-origin") {
		reply.Intended = snap.Running
	}
	return reply, nil
}

// isOrigin reports whether an origin is derived from or equal to any of the
// identities of ietf-origin.
func (o *operations) isOrigin(origin string, of []string) bool {
	id := o.schema.Identity("ietf-origin:" + origin)
	return slices.ContainsFunc(of, func(name string) bool {
		base := o.schema.Identity(name)
		return base == id || base != nil && id.DerivedFrom(base)
	})
}

// tree is the content of a datastore, as far as the filter can select it.
func (o *operations) tree(snap *datastore.Snapshot, identity string, f *data.Filter) (*data.Node, error) {
	name, err := datastoreOf(identity)
	if name == datastore.Operational {
		return o.store.With(snap, snap.Operational(), f), nil
	}
	return snap.Datastore(name), err
}

// configOf returns the configuration nodes of a tree; nil when there are none.
// What holds no state is shared.
func configOf(n *data.Node) *data.Node {
	if n == nil || !n.Schema().Config {
		return nil
	}
	if n.Schema().HasValue() || n.Schema().Kind == yang.AnyData || n.Schema().Kind == yang.AnyXML {
		return n
	}
	whole := true
	var kept []*data.Node
	for c := range n.Children() {
		k := configOf(c)
		whole = whole && k == c
		if k != nil {
			kept = append(kept, k)
		}
	}
	switch {
	case whole:
		return n
	case len(kept) == 0 && n.Schema().Kind == yang.Container && !n.Schema().Presence:
		return nil
	case n.Schema().Kind == yang.List:
		return data.BuildEntry(n.Schema(), n.Keys()...).Add(kept...).Node()
	}
	return data.Build(n.Schema()).Add(kept...).Node()
}
