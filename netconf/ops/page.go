package ops

import (
	"errors"

	"incidentd/datastore"
	"incidentd/yang"
	"incidentd/yang/data"
)

// selected selects from a tree what the filter and the parameter list-pagination ask
// for [draft-ietf-netconf-list-pagination-nc-05].
func (q *query) selected(tree *data.Node) (*data.Node, error) {
	p := q.request.Input.Child("list-pagination")
	if p == nil {
		return q.filter.Select(tree, q.view.Defaults)
	}
	if limit := p.Leaf("sublist-limit"); limit != "unbounded" {
		q.view.SublistLimit = number(limit)
	}
	r := data.PageRequest{
		Locale: p.Leaf("locale"), Cursor: p.Leaf("cursor"), Offset: number(p.Leaf("offset")),
		Backwards: p.Leaf("direction") == "backwards",
	}
	if w := p.Child("where"); w != nil && w.Value() != "unfiltered" {
		r.Where, r.Scope = w.Value(), w.Scope()
	}
	if by := p.Leaf("sort-by"); by != "none" {
		r.SortBy = by
	}
	if limit := p.Leaf("limit"); limit != "unbounded" {
		r.Limit = number(limit)
	}
	out, page, err := q.filter.Page(tree, q.schema, q.view.Defaults, r)
	var wrong *data.PageError
	switch {
	case err == nil:
		q.view.Page = page
		return out, nil
	case !errors.As(err, &wrong):
		return nil, err
	case wrong.Parameter == p.Name() && onlySublists(p):
		return q.filter.Select(tree, q.view.Defaults) // which needs no one list
	}
	at := &data.Loc{Parent: &data.Loc{Node: q.request.Input}, Node: p}
	if c := p.Child(wrong.Parameter); c != nil {
		at = at.Down(c)
	}
	return nil, wrong.Err.At(at.Path())
}

// onlySublists reports whether the parameters of a page are about what is below the
// entries alone.
func onlySublists(p *data.Node) bool {
	for c := range p.Children() {
		if c.Name() != "sublist-limit" {
			return false
		}
	}
	return true
}

// provideCapabilities provides system-capabilities [RFC 9196]: which lists of state take
// the parameter cursor. None is constrained.
func (o *operations) provideCapabilities() error {
	m := o.schema.Module("ietf-system-capabilities")
	if m == nil || !m.Implemented {
		return errors.New("ops: the schema does not implement ietf-system-capabilities")
	}
	b := data.Build(o.schema.Root.Child(m, "system-capabilities"))
	nodes := b.Entry("datastore-capabilities", "ietf-datastores:"+string(datastore.Operational))
	keyedState(o.schema.Root, "", func(path string) {
		nodes.Entry("per-node-capabilities").Leaf("node-selector", path).Leaf("cursor-supported", "")
	})
	capabilities := b.Node()
	o.store.Provide(capabilities.Schema(), func(*datastore.Snapshot) *data.Node { return capabilities })
	return nil
}

// keyedState visits the lists of config false that have keys, with the canonical
// node-instance-identifier of all their entries.
func keyedState(n *yang.Node, path string, visit func(path string)) {
	for _, c := range n.Data {
		at := path + "/" + c.QName()
		if c.Kind == yang.List && !c.Config && len(c.Keys) > 0 {
			visit(at)
		}
		keyedState(c, at, visit)
	}
}
