package push

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"incidentd/datastore"
	"incidentd/netconf/nacm"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
	"incidentd/yang/xpath"
)

// criteria are what a subscription selects, whoever its receiver is.
type criteria struct {
	datastore datastore.Name
	onChange  bool // without what has no changes
	filter    *data.Filter
	text      string       // that the filter is made of; the same text is the same filter
	tops      []*yang.Node // the top-level nodes that the filter touches
	name      string       // of the filter, if it has one
	source    *data.Node   // what the filter is made of
}

// subscribable are the datastores that can be subscribed to.
var subscribable = []datastore.Name{datastore.Candidate, datastore.Intended, datastore.Operational, datastore.Running, datastore.Startup}

var subscribableText = func() string {
	var names []string
	for _, n := range subscribable {
		names = append(names, string(n))
	}
	return strings.Join(names, ", ")
}()

// criteria reads those of a policy, and refuses what can never select anything.
func (p *publisher) criteria(t *subscribe.Terms) (*criteria, error) {
	c := &criteria{onChange: t.Policy.Has("on-change"), source: t.Policy}
	name, ok := strings.CutPrefix(t.Policy.Leaf("datastore"), "ietf-datastores:")
	if c.datastore = datastore.Name(name); !ok || !slices.Contains(subscribable, c.datastore) {
		return nil, subscribe.Refuse(rpcerr.TagInvalidValue, datastoreNotSubscribable, "nobody can subscribe to the datastore %s; those that can be subscribed to are %s", name, subscribableText).At(pathOf(t, "datastore"))
	}
	if c.name = t.Policy.Leaf("selection-filter-ref"); c.name != "" {
		if c.source = p.named(t.Snapshot, c.name); c.source == nil {
			return nil, invalid(t, "selection-filter-ref", "there is no selection-filter %q", c.name)
		}
	}
	if err := p.compile(c); err != nil {
		return nil, invalidFilter(t, err)
	}
	return c, p.selectable(t, c)
}

// named is the filter of a name; nil without one.
func (p *publisher) named(snap *datastore.Snapshot, name string) *data.Node {
	return snap.Running.Get(p.nodes.filters).EntryNamed("selection-filter", name)
}

// compile makes the filter of its source.
func (p *publisher) compile(c *criteria) (err error) {
	c.filter, c.text = nil, ""
	if f := c.source.Child("datastore-subtree-filter"); f != nil {
		elements, err := xmltext.ParseRawElement(f.Raw(), xmltext.Limits{})
		if err != nil {
			return err
		}
		c.filter = data.NewFilter(p.schema, p.schema.Root, elements.Children)
		c.text = fmt.Sprintf("%s %q", f.Raw().Content, f.Raw().Bindings)
	} else if x := c.source.Child("datastore-xpath-filter"); x != nil {
		names := p.names(x)
		c.filter, err = data.NewXPathFilter(p.schema, x.Value(), names)
		switch {
		case errors.Is(err, xpath.ErrNotNodeSet):
			c.filter = data.NewFilter(p.schema, p.schema.Root, nil)
		case err != nil:
			return err
		}
		c.text = fmt.Sprintf("%s %q", x.Value(), x.Scope().Prefixes)
	}
	c.tops = nil
	for _, top := range p.schema.Root.Data {
		if c.filter.Touches(top) {
			c.tops = append(c.tops, top)
		}
	}
	return nil
}

// names are the prefixes of an XPath filter.
func (p *publisher) names(x *data.Node) xpath.Namespaces {
	names := xpath.Namespaces{Prefixes: map[string]string{}}
	for _, m := range p.schema.Modules {
		if m.Implemented {
			names.Prefixes[m.Name] = m.Namespace
		}
	}
	maps.Copy(names.Prefixes, x.Scope().Prefixes)
	return names
}

// selectable refuses criteria by which nothing can ever be selected: that the datastore
// does not have, that has no changes, or that the receiver may not read as the rules stand
// [RFC 8641 sections 3.9 and 3.10].
func (p *publisher) selectable(t *subscribe.Terms, c *criteria) error {
	switch {
	case !p.canFind(c, c.holds):
		return subscribe.Refuse(rpcerr.TagOperationFailed, unchangingSelection, "the filter selects nothing that the datastore %s can have", c.datastore).At(pathOf(t, "datastore"))
	case !p.canFind(c, p.changes(c)):
		return subscribe.Refuse(rpcerr.TagOperationNotSupported, onChangeUnsupported,
			"of nothing that the filter selects are changes told; a periodic subscription can have it, and /system-capabilities tells what has changes").At(pathOf(t, "on-change"))
	case !p.readable(c, t.Access):
		return subscribe.Refuse(rpcerr.TagOperationFailed, unchangingSelection, "nothing that the filter selects may be read")
	}
	return nil
}

func (p *publisher) canFind(c *criteria, is func(*yang.Node) bool) bool {
	return c.filter.CanFind(p.schema.Root, is)
}

// holds reports whether the datastore can have a node.
func (c *criteria) holds(n *yang.Node) bool {
	return n.Config || c.datastore == datastore.Operational
}

// changes are the nodes that the datastore can have and a subscription can tell of.
func (p *publisher) changes(c *criteria) func(*yang.Node) bool {
	if !c.onChange || c.datastore != datastore.Operational {
		return c.holds
	}
	silent := p.provided()
	return func(n *yang.Node) bool { return !silent[n] }
}

// readable reports whether a receiver may read anything that the criteria can select and
// that can be told.
func (p *publisher) readable(c *criteria, access *nacm.Access) bool {
	changes := p.changes(c)
	return p.canFind(c, func(n *yang.Node) bool { return changes(n) && access.MayReadSome(n) })
}

// stale reports whether the filter of the name is another one in a snapshot.
func (p *publisher) stale(c *criteria, snap *datastore.Snapshot) bool {
	return c.name != "" && !data.Equal(p.named(snap, c.name), c.source)
}

// refresh takes over what the filter of the name has become.
func (p *publisher) refresh(c *criteria, snap *datastore.Snapshot) (changed bool, err error) {
	if c.name == "" {
		return false, nil
	}
	source := p.named(snap, c.name)
	switch {
	case source == nil:
		return false, subscribe.FilterUnavailable
	case data.Equal(source, c.source):
		return false, nil
	}
	c.source = source
	if p.compile(c) != nil {
		return false, subscribe.FilterUnavailable
	}
	return true, nil
}

// configured is what the filter is made of, when it has a name.
func (c *criteria) configured() *data.Node {
	if c.name == "" {
		return nil
	}
	return c.source
}
