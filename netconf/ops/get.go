package ops

import (
	"context"
	"slices"
	"strconv"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// get answers <get>: running and the state of the server [RFC 6241 section 7.7].
func (o *operations) get(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	q, err := o.query(r)
	if err != nil {
		return nil, err
	}
	q.view.Source = o.store.With(q.snap, q.snap.Get(), q.filter)
	return q.reply()
}

// getConfig answers <get-config> [RFC 6241 section 7.1].
func (o *operations) getConfig(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	from, err := o.place(r.Input, "source")
	if err != nil {
		return nil, err
	}
	q, err := o.query(r)
	if err != nil {
		return nil, err
	}
	q.view.Source, q.view.Content = q.snap.Datastore(from.store), data.ConfigNodes
	return q.reply()
}

// getData answers <get-data> [RFC 8526 section 3.1.1].
func (o *operations) getData(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	name, err := datastoreOf(r.Input.Leaf("datastore"))
	if err != nil {
		return nil, err
	}
	q, err := o.query(r)
	if err != nil {
		return nil, err
	}
	q.view.Source = q.snap.Datastore(name)
	if name == datastore.Operational {
		q.view.Source = o.store.InUse(q.snap, q.filter)
		q.view.Intended = q.snap.Datastore(datastore.Intended)
		q.view.InUse = true
		if q.view.Defaults == data.Explicit {
			q.view.Defaults = data.ReportAll // what is in use is there [RFC 8526 section 3.1.1.2]
		}
	} else {
		q.view.Content = data.ConfigNodes
	}
	switch r.Input.Leaf("config-filter") {
	case "true":
		q.view.Content = data.ConfigNodes
	case "false":
		if q.view.Content == data.ConfigNodes {
			return netconf.DataReply(nil, &q.view), nil
		}
		q.view.Content = data.StateNodes
	}
	if depth := r.Input.Leaf("max-depth"); depth != "unbounded" {
		q.view.MaxDepth = number(depth)
	}
	q.view.Origins = r.Input.Has("with-origin")
	return q.reply()
}

// query is a retrieval.
type query struct {
	*operations
	request *netconf.Request
	snap    *datastore.Snapshot
	filter  *data.Filter
	view    data.View
}

// query reads the parameters that all retrievals have.
func (o *operations) query(r *netconf.Request) (*query, error) {
	f, err := r.Filter()
	if err != nil {
		return nil, err
	}
	q := &query{operations: o, request: r, snap: o.store.Snapshot(), filter: f, view: data.View{Schema: o.schema}}
	if r.Access != nil {
		q.view.Readable = func(parent *data.Loc, child *yang.Node) bool { return r.Access.MayRead(parent.Down(data.New(child))) }
	}
	if mode := r.Input.Leaf("with-defaults"); mode != "" {
		q.view.Defaults, _ = data.ParseDefaults(mode) // the schema has checked it
	}
	return q, nil
}

// reply selects from the source of the view. What the user may not read is taken away
// before: it has no part in what a filter finds.
func (q *query) reply() (*netconf.Reply, error) {
	tree := q.view.Source
	if q.request.Access != nil {
		tree = q.request.Access.Read(q.filter.Narrow(tree))
	}
	if tree == nil {
		tree = data.New(q.schema.Root) // which may have defaults
	}
	tree, err := q.selected(tree)
	if err != nil {
		return nil, err
	}
	wanted, negated := q.request.Input.Values("origin-filter"), q.request.Input.Values("negated-origin-filter")
	if len(wanted)+len(negated) > 0 {
		tree = data.OfOrigin(tree, q.view.Intended, q.view.Defaults, func(origin string) bool {
			if len(wanted) > 0 {
				return q.isOrigin(origin, wanted)
			}
			return !q.isOrigin(origin, negated)
		})
	}
	return netconf.DataReply(tree, &q.view), nil
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

// number is the value of a leaf of an unsigned type, 0 for none.
func number(value string) int {
	n, _ := strconv.Atoi(value) // the schema has checked it
	return n
}

// datastoreError refuses a datastore as RFC 8526 section 3 says.
func datastoreError(name string) error {
	return rpcerr.New(rpcerr.Protocol, rpcerr.TagInvalidValue, "the datastore %s cannot be used here", name)
}
