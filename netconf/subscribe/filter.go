package subscribe

import (
	"maps"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
	"incidentd/yang/xpath"
)

// filterBudget bounds the evaluation of an XPath filter for one event record.
const filterBudget = 1 << 20

// filter lets event records pass or not, each as a whole: those of which it selects
// anything, or of which an expression is true.
type filter struct {
	selects *data.Filter
	schema  *yang.Schema
	is      *xpath.Expr
}

// passes reports whether a notification passes. A nil filter lets all pass.
func (f *filter) passes(n *data.Node) (bool, error) {
	switch {
	case f == nil:
		return true, nil
	case f.is == nil:
		return f.selects.Matches(n)
	}
	root := data.New(f.schema.Root).With(n)
	tree := &data.XPath{Schema: f.schema, Root: root}
	budget := int64(filterBudget)
	return f.is.EvalBool(xpath.Context{Node: tree.At(&data.Loc{Node: root}), Env: tree, Budget: &budget})
}

// compile makes the filter of a node that has stream-filter-elements; nil when it has
// none.
func (p *Publisher) compile(n *data.Node) (*filter, error) {
	if f := n.Child("stream-subtree-filter"); f != nil {
		elements, err := xmltext.ParseRawElement(f.Raw(), xmltext.Limits{})
		if err != nil {
			return nil, err
		}
		return &filter{selects: data.NewFilter(p.schema, p.schema.Root, elements.Children)}, nil
	}
	leaf := n.Child("stream-xpath-filter")
	if leaf == nil {
		return nil, nil
	}
	names := p.moduleNames()
	maps.Copy(names.Prefixes, leaf.Scope().Prefixes)
	x, err := xpath.Compile(leaf.Value(), names)
	if err != nil {
		return nil, err
	}
	return &filter{schema: p.schema, is: x}, nil
}

// moduleNames are the prefixes that every filter has: the names of the modules.
func (p *Publisher) moduleNames() xpath.Namespaces {
	names := xpath.Namespaces{Prefixes: map[string]string{}}
	for _, m := range p.schema.Modules {
		if m.Implemented {
			names.Prefixes[m.Name] = m.Namespace
		}
	}
	return names
}

// checkFilters refuses configured filters that cannot be used. Their prefixes have to be
// names of modules: what an XML document declares around an expression is not stored with
// it.
func (p *Publisher) checkFilters(running *data.Node) error {
	var errs rpcerr.Errors
	names := p.moduleNames()
	for _, of := range []struct {
		top  *yang.Node
		list string
	}{{p.nodes.filters, "stream-filter"}, {p.nodes.subscriptions, "subscription"}} {
		at := (&data.Loc{Node: running}).Down(running.Get(of.top))
		for e := range at.Node.Entries(of.list) {
			leaf := e.Child("stream-xpath-filter")
			if leaf == nil {
				continue
			}
			if _, err := xpath.Compile(leaf.Value(), names); err != nil {
				errs = append(errs, rpcerr.InvalidValue("%v; in the configuration prefixes are the names of modules", err).At(at.Down(e).Down(leaf).Path()))
			}
		}
	}
	return errs.Err()
}

// chosen is the filter of a policy.
type chosen struct {
	*filter
	name   string
	source *data.Node
}

func (c chosen) apply(s *stream) { s.filter, s.name, s.source = c.filter, c.name, c.source }

// filterOf makes the filter of a policy, its own or one with a name.
func (p *Publisher) filterOf(t *Terms) (c chosen, err error) {
	c.source = t.Policy
	if c.name = t.Policy.Leaf("stream-filter-name"); c.name != "" {
		c.source = t.Snapshot.Running.Get(p.nodes.filters).EntryNamed("stream-filter", c.name)
		if c.source == nil {
			// It was there when the request was validated.
			return c, rpcerr.InstanceRequired("there is no stream-filter %q", c.name).At(t.path("stream-filter-name"))
		}
	}
	if c.filter, err = p.compile(c.source); err != nil {
		return c, filterUnsupported(t.Request, err)
	}
	return c, nil
}

// withFilter puts what a filter consists of in the place of its name.
func withFilter(n, source *data.Node) *data.Node {
	if source == nil {
		return n
	}
	for _, name := range []string{"stream-filter-name", "selection-filter-ref"} {
		if s := n.Schema().ChildNamed(name); s != nil {
			n = n.Without(s, "")
		}
	}
	for c := range data.Rebind(source, n.Schema()).Children() {
		switch c.Name() {
		case "stream-subtree-filter", "stream-xpath-filter", "datastore-subtree-filter", "datastore-xpath-filter":
			n = n.With(c)
		}
	}
	return n
}
