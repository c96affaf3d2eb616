package data

import (
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// Filter is a subtree filter bound to a schema [RFC 6241 section 6].
type Filter struct{ nodes []*filterNode }

// filterNode is one element of a filter that may select something.
type filterNode struct {
	schema   *yang.Node
	selects  bool          // an empty element: the whole subtree
	match    []*filterLeaf // content match nodes
	children []*filterNode
	key      string // of the one entry that can match
	byKey    bool
}

type filterLeaf struct {
	schema *yang.Node
	value  string
}

// NewFilter binds the elements of a filter to the children of a schema node.
// Elements that the schema does not have select nothing and are dropped, as are
// those with attributes, which no data has. An element of no namespace stands
// for every namespace.
func NewFilter(schema *yang.Schema, top *yang.Node, elements []*xmltext.Element) *Filter {
	b := filterBinder{schema}
	f := &Filter{}
	for _, e := range elements {
		for _, s := range b.schemas(top, e) {
			if n := b.bind(s, e); n != nil {
				f.nodes = append(f.nodes, n)
			}
		}
	}
	return f
}

type filterBinder struct{ schema *yang.Schema }

func (b filterBinder) schemas(parent *yang.Node, e *xmltext.Element) []*yang.Node {
	if len(e.Attrs) > 0 {
		return nil
	}
	if e.Space != "" {
		m := b.schema.ByNamespace(e.Space)
		if m == nil {
			return nil
		}
		if s := parent.Child(m, e.Local); s != nil {
			return []*yang.Node{s}
		}
		return nil
	}
	var out []*yang.Node
	for _, s := range parent.Data {
		if s.Name == e.Local {
			out = append(out, s)
		}
	}
	return out
}

func (b filterBinder) bind(s *yang.Node, e *xmltext.Element) *filterNode {
	n := &filterNode{schema: s}
	text := strings.TrimSpace(e.Text)
	if len(e.Children) == 0 && text == "" || !s.HasValue() && len(e.Children) == 0 {
		n.selects = text == ""
		if !n.selects {
			return nil // a content match on what has no value
		}
		return n
	}
	if s.HasValue() {
		// A content match where the parent is the top of the filter.
		v, ok := b.value(s, e, text)
		if !ok {
			return nil
		}
		n.match = []*filterLeaf{{s, v}}
		return n
	}
	for _, c := range e.Children {
		bound := false
		for _, cs := range b.schemas(s, c) {
			if v := strings.TrimSpace(c.Text); cs.HasValue() && v != "" {
				value, ok := b.value(cs, c, v)
				if !ok {
					return nil // no instance can have the value
				}
				n.match = append(n.match, &filterLeaf{cs, value})
				bound = true
			} else if cn := b.bind(cs, c); cn != nil {
				n.children = append(n.children, cn)
				bound = true
			}
		}
		if !bound && strings.TrimSpace(c.Text) != "" && len(c.Children) == 0 {
			return nil // a content match on a leaf that is not in the schema fails
		}
		if !bound {
			n.children = append(n.children, nil)
		}
	}
	n.findKey()
	return n
}

// value makes the value of a content match canonical.
func (b filterBinder) value(s *yang.Node, e *xmltext.Element, text string) (string, bool) {
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
	var values []string
	for _, k := range n.schema.Keys {
		i := slices.IndexFunc(n.match, func(l *filterLeaf) bool { return l.schema == k })
		if i < 0 {
			return
		}
		values = append(values, n.match[i].value)
	}
	n.key, n.byKey = Key(values...), true
}

// Touches reports whether the filter can select anything below a top-level node,
// so that what it excludes need not be made. A nil filter touches everything.
func (f *Filter) Touches(s *yang.Node) bool {
	return f == nil || slices.ContainsFunc(f.nodes, func(n *filterNode) bool { return n.schema == s })
}

// Select returns what the filter selects of a tree, as a tree that shares the
// subtrees that are selected whole; nil when it selects nothing. A nil filter
// selects the tree itself.
func (f *Filter) Select(n *Node) *Node {
	if f == nil || n == nil {
		return n
	}
	out := selectChildren(n, f.nodes)
	if out == nil {
		return nil
	}
	return out
}

// Matches reports whether the filter selects anything of a tree whose top is the
// given node, as it does for a notification.
func (f *Filter) Matches(top *Node) bool {
	if f == nil {
		return true
	}
	for _, fn := range f.nodes {
		if fn.schema == top.schema && fn.apply(top) != nil {
			return true
		}
	}
	return false
}

func selectChildren(n *Node, nodes []*filterNode) *Node {
	var out *Node
	for _, fn := range nodes {
		if fn == nil {
			continue
		}
		part := fn.from(n)
		if part == nil {
			continue
		}
		if out == nil {
			out = &Node{schema: n.schema, text: n.text}
			for _, k := range n.schema.Keys {
				if leaf := n.Get(k); leaf != nil {
					out.setKid(leaf)
				}
			}
		}
		single := &Node{schema: n.schema, text: n.text, kids: []*Node{part}}
		out = Merge(out, single)
	}
	return out
}

// from returns what the filter node selects of a parent's children of its
// schema: a child or a collection.
func (fn *filterNode) from(parent *Node) *Node {
	k := parent.kid(fn.schema)
	if k == nil {
		return nil
	}
	if k.set == nil {
		return fn.apply(k)
	}
	if fn.selects {
		return k
	}
	o := new(owner)
	out := newSet(fn.schema)
	if fn.byKey {
		if e := k.set.get(fn.key); e != nil {
			if m := fn.apply(e); m != nil {
				out = out.put(o, m)
			}
		}
	} else {
		k.set.each(func(e *Node) bool {
			if m := fn.apply(e); m != nil {
				out = out.put(o, m)
			}
			return true
		})
	}
	if out.len() == 0 {
		return nil
	}
	return &Node{schema: fn.schema, set: out}
}

// apply returns what the filter node selects of one instance.
func (fn *filterNode) apply(n *Node) *Node {
	if fn.selects {
		return n
	}
	if fn.schema.HasValue() {
		if n.text == fn.match[0].value {
			return n
		}
		return nil
	}
	var matched []*Node
	for _, l := range fn.match {
		var leaf *Node
		if l.schema.Kind == yang.LeafList {
			leaf = n.Entry(l.schema, l.value)
		} else if leaf = n.Get(l.schema); leaf != nil && leaf.text != l.value {
			leaf = nil
		}
		if leaf == nil {
			return nil
		}
		matched = append(matched, leaf)
	}
	if len(fn.children) == 0 {
		return n // content matches alone select the whole
	}
	out := selectChildren(n, fn.children)
	if len(matched) == 0 {
		return out
	}
	if out == nil {
		out = &Node{schema: n.schema, text: n.text}
		for _, k := range n.schema.Keys {
			if leaf := n.Get(k); leaf != nil {
				out.setKid(leaf)
			}
		}
	}
	o := new(owner)
	for _, leaf := range matched {
		out.add(o, leaf)
	}
	return out
}
