package data

import (
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// Filter is a subtree filter [RFC 6241 section 6] or one of XPath [RFC 6241 section
// 8.9], bound to a schema. It is immutable.
type Filter struct {
	top           *filterNode // of a subtree filter; nil: selects nothing
	notifications []*filterNode
	xpath         *xpathFilter // nil: a subtree filter
}

// filterNode is one element of a filter that may select something.
type filterNode struct {
	schema *yang.Node
	match  []filterMatch // content match nodes, which must all hold
	narrow bool          // has containment or selection nodes
	groups []filterGroup // those that the schema has
	key    string        // of the one entry that can match
	byKey  bool
}

// filterGroup is the elements of a sibling set that are of one schema node.
type filterGroup struct {
	schema *yang.Node
	nodes  []*filterNode
}

// filterMatch is a content match node. An element of no namespace can stand for
// leafs of several modules, one of which must have the value.
type filterMatch []filterLeaf

type filterLeaf struct {
	schema *yang.Node
	value  string
}

// NewFilter binds the elements of a filter to the children of a schema node; at
// the Root of the schema they may name notifications too. Elements that the
// schema does not have select nothing, and those with attributes neither, which
// no data has. An element of no namespace stands for every namespace.
func NewFilter(schema *yang.Schema, top *yang.Node, elements []*xmltext.Element) *Filter {
	b := filterBinder{schema}
	f := &Filter{}
	if len(elements) == 0 {
		return f
	}
	if n := (&filterNode{schema: top}); b.bindChildren(n, elements) {
		f.top = n
	}
	if top != schema.Root {
		return f
	}
	notifications := slices.Collect(schema.Notifications())
	for _, e := range elements {
		for _, s := range notifications {
			if s.Name == e.Local && (e.Space == "" || e.Space == s.Module.Namespace) && len(e.Attrs) == 0 {
				if n := b.bind(s, e); n != nil {
					f.notifications = append(f.notifications, n)
				}
			}
		}
	}
	return f
}

type filterBinder struct{ schema *yang.Schema }

// schemas are the children of a node that an element can stand for.
func (b filterBinder) schemas(parent *yang.Node, e *xmltext.Element) []*yang.Node {
	if len(e.Attrs) > 0 {
		return nil
	}
	if e.Space != "" {
		if m := b.schema.ByNamespace(e.Space); m != nil {
			if s := childOrNotification(parent, m, e.Local); s != nil {
				return []*yang.Node{s}
			}
		}
		return nil
	}
	var out []*yang.Node
	for _, s := range parent.Data {
		if s.Name == e.Local {
			out = append(out, s)
		}
	}
	for _, s := range parent.Operations {
		if s.Kind == yang.Notification && s.Name == e.Local {
			out = append(out, s)
		}
	}
	return out
}

// childOrNotification is the data child of a module and name, or else the notification.
func childOrNotification(parent *yang.Node, m *yang.Module, name string) *yang.Node {
	if s := parent.Child(m, name); s != nil {
		return s
	}
	return parent.NotificationIn(m, name)
}

// bind returns nil for an element that can select nothing.
func (b filterBinder) bind(s *yang.Node, e *xmltext.Element) *filterNode {
	n := &filterNode{schema: s}
	switch {
	case len(e.Children) > 0:
		if s.HasValue() || !b.bindChildren(n, e.Children) {
			return nil
		}
	case strings.TrimSpace(e.Text) != "":
		return nil // a content match, here on what has no value
	}
	return n
}

// bindChildren binds a sibling set; false when one of its content match nodes can
// never hold.
func (b filterBinder) bindChildren(n *filterNode, elements []*xmltext.Element) bool {
	for _, e := range elements {
		schemas := b.schemas(n.schema, e)
		// White space around the value does not count [RFC 6241 section 6.2.5].
		if text := strings.TrimSpace(e.Text); text != "" && len(e.Children) == 0 {
			var m filterMatch
			for _, s := range schemas {
				if v, ok := b.value(s, e, text); ok {
					m = append(m, filterLeaf{s, v})
				}
			}
			if m == nil {
				return false
			}
			n.match = append(n.match, m)
			continue
		}
		n.narrow = true
		for _, s := range schemas {
			if c := b.bind(s, e); c != nil {
				n.groups = appendGroup(n.groups, s, c)
			}
		}
	}
	n.findKey()
	return true
}

func appendGroup(groups []filterGroup, s *yang.Node, nodes ...*filterNode) []filterGroup {
	for i := range groups {
		if groups[i].schema == s {
			groups[i].nodes = append(groups[i].nodes[:len(groups[i].nodes):len(groups[i].nodes)], nodes...)
			return groups
		}
	}
	return append(groups, filterGroup{s, nodes})
}

// value makes the value of a content match canonical.
func (b filterBinder) value(s *yang.Node, e *xmltext.Element, text string) (string, bool) {
	if !s.HasValue() {
		return "", false
	}
	v, err := s.Type.Canonical(text, b.schema, func(prefix string) *yang.Module {
		if space, ok := e.Resolve(prefix); ok && space != "" {
			if m := b.schema.ByNamespace(space); m != nil {
				return m
			}
		}
		if prefix == "" {
			return s.Module
		}
		return nil
	})
	return v, err == nil
}

// findKey makes a look-up of content matches that name all keys of a list.
func (n *filterNode) findKey() {
	if n.schema.Kind != yang.List || len(n.schema.Keys) == 0 {
		return
	}
	values := make([]string, len(n.schema.Keys))
	for i, k := range n.schema.Keys {
		at := slices.IndexFunc(n.match, func(m filterMatch) bool { return len(m) == 1 && m[0].schema == k })
		if at < 0 {
			return
		}
		values[i] = n.match[at][0].value
	}
	n.key, n.byKey = Key(values...), true
}

// Touches reports whether the filter can select anything below a top-level node,
// or looks at it, so that what it does not touch need not be made. A nil filter
// touches everything.
func (f *Filter) Touches(s *yang.Node) bool {
	switch {
	case f == nil:
		return true
	case f.xpath != nil:
		return f.xpath.touches(s)
	case f.top == nil:
		return false
	case !f.top.narrow, slices.ContainsFunc(f.top.groups, func(g filterGroup) bool { return g.schema == s }):
		return true
	}
	return slices.ContainsFunc(f.top.match, func(m filterMatch) bool {
		return slices.ContainsFunc(m, func(l filterLeaf) bool { return l.schema == s })
	})
}

// Select returns what the filter selects of a tree, as a tree that shares the
// subtrees that are selected whole; nil when it selects nothing. A nil filter
// selects the tree itself. The keys of entries are always selected with what is
// selected of them.
//
// Leafs that are not there but have a default are seen as if they were [RFC 7950
// section 7.6.1]; they are selected where the mode reports them. The result is made
// to be written, with the same mode: it tells what is whole and what is a default.
//
// Only an XPath filter answers an error: resource-denied, when it takes too long.
func (f *Filter) Select(n *Node, mode Defaults) (*Node, error) {
	switch {
	case f == nil || n == nil:
		return n, nil
	case f.xpath != nil:
		return f.xpath.from(n, mode)
	case f.top == nil:
		return nil, nil
	}
	return selection{mode}.apply(n, []*filterNode{f.top}), nil
}

// Matches reports whether the filter selects anything of a tree whose top is the
// given node: a notification or a top-level data node. The error is that of Select.
func (f *Filter) Matches(top *Node) (bool, error) {
	switch {
	case f == nil:
		return true, nil
	case f.xpath != nil:
		return f.xpath.matches(top)
	}
	nodes := f.notifications
	if f.top != nil {
		for _, g := range f.top.groups {
			nodes = append(nodes[:len(nodes):len(nodes)], g.nodes...)
		}
	}
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n *filterNode) bool { return n.schema != top.schema })
	return len(nodes) > 0 && selection{ReportAll}.apply(top, nodes) != nil, nil
}

// selection is one application of a subtree filter.
type selection struct{ mode Defaults }

// apply returns what filter nodes of one schema, together, select of an instance;
// nil for nothing.
func (sel selection) apply(n *Node, nodes []*filterNode) *Node {
	var found []*Node
	var groups []filterGroup
	active := 0
	for _, fn := range nodes {
		leafs, ok := sel.holds(fn, n)
		switch {
		case !ok:
			continue
		case !fn.narrow:
			return n // a selection node, or content matches alone
		case active == 0:
			groups = fn.groups
		case active > 0:
			groups = slices.Clone(groups)
			for _, g := range fn.groups {
				groups = appendGroup(groups, g.schema, g.nodes...)
			}
		}
		active++
		found = append(found, leafs...)
	}
	var out *Node
	put := func(k *Node) {
		if out == nil {
			out = part(n)
		}
		if k.set != nil || !k.schema.Multiple() {
			out.setKid(k)
		} else if out.Entry(k.schema, k.text) == nil {
			out.add(new(owner), k)
		}
	}
	for _, g := range groups {
		if k := sel.from(g, n); k != nil {
			put(k)
		}
	}
	for _, leaf := range found {
		put(leaf)
	}
	return out
}

// part is a node of which only a part is selected so far: its keys.
func part(n *Node) *Node {
	p := &Node{schema: n.schema, text: n.text, note: partial}
	for _, key := range n.schema.Keys {
		if leaf := n.Get(key); leaf != nil {
			p.setKid(leaf)
		}
	}
	return p
}

// holds reports whether all content matches hold, and the leafs that make them.
func (sel selection) holds(fn *filterNode, n *Node) (found []*Node, ok bool) {
	for _, m := range fn.match {
		held := false
		for _, l := range m {
			leaf := n.lookup(&Node{schema: l.schema, text: l.value})
			switch {
			case leaf != nil && leaf.text == l.value:
				held = true
				if !sel.mode.hides(leaf) {
					found = append(found, leaf)
				}
			case n.kid(l.schema) == nil && slices.Contains(l.schema.Defaults, l.value) && n.caseChosen(l.schema):
				held = true
				if sel.mode.adds(l.schema) {
					found = append(found, assume(l.schema, l.value))
				}
			}
		}
		if !held {
			return nil, false
		}
	}
	return found, true
}

// from returns what a group selects of a parent's children of its schema: a child or
// a collection.
func (sel selection) from(g filterGroup, parent *Node) *Node {
	k := parent.kid(g.schema)
	if k == nil {
		return sel.absent(g, parent)
	}
	if k.set == nil {
		if sel.mode.hides(k) {
			return nil
		}
		return sel.apply(k, g.nodes)
	}
	if slices.ContainsFunc(g.nodes, func(n *filterNode) bool { return !n.narrow && len(n.match) == 0 }) {
		return k
	}
	o, out := new(owner), newSet(g.schema)
	whole := 0
	visit := func(e *Node) bool {
		if m := sel.apply(e, g.nodes); m != nil {
			out = out.put(o, m)
			if m == e {
				whole++
			}
		}
		return true
	}
	if keys, ok := g.keys(); ok && (len(keys) == 1 || !k.set.byUser) {
		for _, key := range keys {
			if e := k.set.get(key); e != nil {
				visit(e)
			}
		}
	} else {
		k.set.each(visit)
	}
	switch {
	case out.len() == 0:
		return nil
	case whole == k.set.len():
		return k
	}
	return &Node{schema: g.schema, set: out}
}

// absent is what a group selects of the defaults that stand for a child that is not
// there.
func (sel selection) absent(g filterGroup, parent *Node) *Node {
	if !sel.mode.addsBelow(g.schema) || !parent.caseChosen(g.schema) {
		return nil
	}
	if g.schema.Kind == yang.Container {
		return sel.apply(&Node{schema: g.schema, note: assumed}, g.nodes)
	}
	out := New(g.schema)
	o := new(owner)
	for _, v := range g.schema.Defaults {
		out.add(o, assume(g.schema, v))
	}
	return out.kids[0]
}

// keys are those of the entries that the group can select, when it names them.
func (g filterGroup) keys() (keys []string, ok bool) {
	for _, n := range g.nodes {
		if !n.byKey {
			return nil, false
		}
		if !slices.Contains(keys, n.key) {
			keys = append(keys, n.key)
		}
	}
	return keys, true
}
