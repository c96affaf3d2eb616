package data

import (
	"cmp"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/xpath"
)

// XPath gives XPath expressions a tree to work on: its nodes and, where leafs are
// absent, their defaults [RFC 7950 section 6.4.1].
type XPath struct {
	Schema *yang.Schema
	Root   *Node
}

// At returns the handle of a place, whose outermost Loc must be the root.
func (x *XPath) At(l *Loc) xpath.Node { return &xnode{x, l} }

// context is what an expression is evaluated in at a place.
func (x *XPath) context(l *Loc) xpath.Context { return xpath.Context{Node: x.At(l), Env: x} }

// LocOf returns the place of a handle that At or an evaluation made.
func LocOf(n xpath.Node) *Loc {
	if x, ok := n.(*xnode); ok {
		return x.loc
	}
	return nil
}

type xnode struct {
	tree *XPath
	loc  *Loc
}

func (n *xnode) down(c *Node) *xnode { return &xnode{n.tree, n.loc.Down(c)} }

func (n *xnode) Kind() xpath.Kind {
	switch s := n.loc.Node.schema; {
	case s.Kind == yang.Root:
		return xpath.Root
	case s.HasValue():
		return xpath.Leaf
	}
	return xpath.Element
}

func (n *xnode) Name() xpath.Name {
	s := n.loc.Node.schema
	if s.Module == nil {
		return xpath.Name{}
	}
	return xpath.Name{Space: s.Module.Namespace, Local: s.Name}
}

func (n *xnode) Parent() xpath.Node {
	if n.loc.Parent == nil {
		return nil
	}
	return &xnode{n.tree, n.loc.Parent}
}

func (n *xnode) Value() string { return n.loc.Node.text }

func (n *xnode) child(name xpath.Name) *yang.Node {
	m := n.tree.Schema.ByNamespace(name.Space)
	if m == nil {
		return nil
	}
	if s := childOrNotification(n.loc.Node.schema, m, name.Local); s != nil {
		return s
	}
	if s := n.notification(); s != nil && s.Module == m && s.Name == name.Local {
		return s
	}
	return nil
}

// notification is what a root holds that is not of a datastore but the parent of a
// notification.
func (n *xnode) notification() *yang.Node {
	if kids := n.loc.Node.kids; len(kids) == 1 && kids[0].schema.Kind == yang.Notification {
		return kids[0].schema
	}
	return nil
}

func (n *xnode) Children(yield func(xpath.Node) bool) {
	if s := n.notification(); s != nil {
		n.childrenOf(s, yield)
		return
	}
	for _, s := range n.loc.Node.schema.Data {
		if !n.childrenOf(s, yield) {
			return
		}
	}
	for _, s := range n.loc.Node.schema.Operations {
		if s.Kind == yang.Notification && !n.childrenOf(s, yield) {
			return
		}
	}
}

func (n *xnode) ChildrenNamed(name xpath.Name, yield func(xpath.Node) bool) {
	if s := n.child(name); s != nil {
		n.childrenOf(s, yield)
	}
}

func (n *xnode) childrenOf(s *yang.Node, yield func(xpath.Node) bool) bool {
	k := n.loc.Node.kid(s)
	switch {
	case k == nil:
		for _, d := range defaultsOf(n.loc.Node, s) {
			if !yield(n.down(d)) {
				return false
			}
		}
		return true
	case k.set == nil:
		return yield(n.down(k))
	}
	return k.set.each(func(e *Node) bool { return yield(n.down(e)) })
}

// defaultsOf makes the nodes that stand for an absent child: its default values,
// or a container without presence, which is always there.
func defaultsOf(parent *Node, s *yang.Node) []*Node {
	if s.Kind == yang.Container && !s.Presence && parent.caseChosen(s) {
		return []*Node{New(s)}
	}
	if len(s.Defaults) == 0 || !parent.caseChosen(s) {
		return nil
	}
	out := make([]*Node, len(s.Defaults))
	for i, d := range s.Defaults {
		out[i] = NewLeaf(s, d)
	}
	return out
}

// entryInUse is Entry, or the default of a leaf-list that is not there.
func (n *Node) entryInUse(s *yang.Node, key string) *Node {
	if e := n.Entry(s, key); e != nil || s.Kind == yang.List || n.kid(s) != nil {
		return e
	}
	for _, d := range defaultsOf(n, s) {
		if d.text == key {
			return d
		}
	}
	return nil
}

// caseChosen reports whether the case that holds a child is the one in use: any
// of its nodes is there or, when no case has one, it is the default case.
func (n *Node) caseChosen(s *yang.Node) bool {
	for p := s; p.Parent != nil && (p.Parent.Kind == yang.Case || p.Parent.Kind == yang.Choice); p = p.Parent {
		if p.Parent.Kind != yang.Case {
			continue
		}
		cas, choice := p.Parent, p.Parent.Parent
		chosen := choice.DefaultCase
		for _, c := range choice.Children {
			if n.hasAny(c) {
				chosen = c
			}
		}
		if chosen != cas {
			return false
		}
	}
	return true
}

// HasAny reports whether any data node below a choice or case is there.
func (n *Node) HasAny(s *yang.Node) bool { return n.hasAny(s) }

func (n *Node) hasAny(s *yang.Node) bool {
	if s.Kind == yang.Case || s.Kind == yang.Choice {
		return slices.ContainsFunc(s.Children, n.hasAny)
	}
	return n.kid(s) != nil
}

func (n *xnode) One(name xpath.Name) (xpath.Node, bool) {
	s := n.child(name)
	if s == nil || s.Multiple() {
		return nil, s == nil
	}
	if c := n.loc.Node.Get(s); c != nil {
		return n.down(c), true
	}
	for _, d := range defaultsOf(n.loc.Node, s) {
		return n.down(d), true
	}
	return nil, true
}

func (n *xnode) Keys(list xpath.Name) []string {
	s := n.child(list)
	if s == nil {
		return nil
	}
	if s.Kind == yang.LeafList && s.Config {
		return []string{"."}
	}
	var out []string
	for _, k := range s.Keys {
		out = append(out, k.Name)
	}
	return out
}

func (n *xnode) Entry(list xpath.Name, values []string) xpath.Node {
	s := n.child(list)
	if s == nil {
		return nil
	}
	if e := n.loc.Node.entryInUse(s, Key(values...)); e != nil {
		return n.down(e)
	}
	return nil
}

// Text implements xpath.Typed.
func (n *xnode) Text(names *xpath.Namespaces) string {
	s := n.loc.Node.schema
	if !s.Type.Qualified() {
		return n.loc.Node.text
	}
	return s.Module.Requalify(s.Type, n.loc.Node.text, func(m *yang.Module) string {
		if prefix, ok := names.Prefix(m.Namespace); ok {
			return prefix
		}
		return m.Name
	})
}

// Canonical implements xpath.Typed.
func (n *xnode) Canonical(text string, names *xpath.Namespaces) string {
	return n.tree.canonical(n.loc.Node.schema, text, names)
}

// CanonicalKey implements xpath.Typed.
func (n *xnode) CanonicalKey(list xpath.Name, key, text string, names *xpath.Namespaces) string {
	s := n.child(list)
	if s != nil && s.Kind == yang.List {
		s = s.Child(s.Module, key)
	}
	return n.tree.canonical(s, text, names)
}

// canonical is a text of an expression as a value of a leaf. Names have a prefix
// there, and no default [RFC 7950 section 9.10.3].
func (x *XPath) canonical(s *yang.Node, text string, names *xpath.Namespaces) string {
	if s == nil || s.Type == nil || !s.Type.Qualified() {
		return text
	}
	v, err := s.Type.Canonical(text, x.Schema, func(prefix string) *yang.Module {
		if space, ok := names.Resolve(prefix); ok && prefix != "" {
			return x.Schema.ByNamespace(space)
		}
		return nil
	})
	if err != nil {
		return text
	}
	return v
}

func (n *xnode) Compare(other xpath.Node) int {
	o, ok := other.(*xnode)
	if !ok {
		return -other.Compare(n)
	}
	a, b := n.loc.way(), o.loc.way()
	for i := 0; i < len(a) && i < len(b); i++ {
		if c := compareSiblings(a, b, i); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// way is the nodes from the root down.
func (l *Loc) way() (out []*Node) {
	for ; l != nil; l = l.Parent {
		out = append(out, l.Node)
	}
	slices.Reverse(out)
	return out
}

func compareSiblings(a, b []*Node, i int) int {
	x, y := a[i], b[i]
	if x == y || x.schema != y.schema || !x.schema.Multiple() {
		return cmp.Compare(x.schema.Order, y.schema.Order)
	}
	if k := a[i-1].kid(x.schema); k != nil && k.set.byUser {
		return cmp.Compare(k.set.place(x), k.set.place(y))
	}
	return strings.Compare(x.text, y.text)
}

// Deref implements xpath.Environment.
func (x *XPath) Deref(n xpath.Node) (out []xpath.Node) {
	l := LocOf(n)
	if l == nil || l.Node.schema.Type == nil {
		return nil
	}
	switch t := l.Node.schema.Type; t.Base {
	case yang.Leafref:
		l.Targets(t.Path, x.Root, func(target *Loc) bool {
			if target.Node.text == l.Node.text {
				out = append(out, x.At(target))
			}
			return true
		})
	case yang.InstanceIdentifier:
		if target := x.Instance(l.Node.text); target != nil {
			out = append(out, x.At(target))
		}
	}
	return out
}

// Instance finds the node of a canonical instance-identifier, or nil.
func (x *XPath) Instance(id string) *Loc {
	prefixes := map[string]string{}
	for _, m := range x.Schema.Modules {
		prefixes[m.Name] = m.Namespace
	}
	way, err := xpath.ParseInstanceIdentifier(id, xpath.Namespaces{Prefixes: prefixes}, false)
	if err != nil {
		return nil
	}
	if n := way.Find(x.At(&Loc{nil, x.Root})); n != nil {
		return LocOf(n)
	}
	return nil
}

// DerivedFrom implements xpath.Environment.
func (x *XPath) DerivedFrom(n xpath.Node, identity xpath.Name, orSelf bool) bool {
	l := LocOf(n)
	m := x.Schema.ByNamespace(identity.Space)
	if l == nil || m == nil {
		return false
	}
	id, base := x.Schema.Identity(l.Node.text), x.Schema.Identity(m.Name+":"+identity.Local)
	if id == nil || base == nil {
		return false
	}
	return orSelf && id == base || id.DerivedFrom(base)
}

// EnumValue implements xpath.Environment.
func (x *XPath) EnumValue(n xpath.Node) (int64, bool) {
	if l := LocOf(n); l != nil && l.Node.schema.Type != nil {
		t := l.Node.schema.Type.Resolve(l.Node.text, x.Schema)
		for _, e := range t.Enums {
			if e.Name == l.Node.text {
				return e.Value, true
			}
		}
	}
	return 0, false
}

// BitIsSet implements xpath.Environment.
func (x *XPath) BitIsSet(n xpath.Node, bit string) bool {
	l := LocOf(n)
	return l != nil && l.Node.schema.Type != nil && slices.Contains(strings.Fields(l.Node.text), bit)
}

// Match implements xpath.Environment.
func (x *XPath) Match(pattern, s string) (bool, error) { return yang.MatchPattern(pattern, s) }
