package data

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/xpath"
)

// CanFind reports whether there is a node of the schema that the filter can select, below
// a root, and for which is holds. It is asked from the top down, and not of what is below
// a node of which it answers false. A container without presence is nothing that can be
// found: what is in it is. A nil filter selects everything. The answer errs to the safe
// side: values are not looked at.
func (f *Filter) CanFind(root *yang.Node, is func(*yang.Node) bool) bool {
	switch {
	case f == nil:
		return anyFindable(root.Data, is)
	case f.xpath != nil:
		return slices.ContainsFunc(f.xpath.expr.Results(), func(p xpath.Path) bool {
			return p.Anything || p.Ups > 0 || f.xpath.canFind(root, p, is)
		})
	case f.top == nil:
		return false
	case !f.top.narrow:
		return anyFindable(root.Data, is)
	}
	return f.top.canFind(is)
}

// findable reports whether is holds for a schema node or for one below it.
func findable(s *yang.Node, is func(*yang.Node) bool) bool {
	if !is(s) {
		return false
	}
	if s.Kind != yang.Container || s.Presence {
		return true
	}
	return anyFindable(s.Data, is)
}

func anyFindable(list []*yang.Node, is func(*yang.Node) bool) bool {
	return slices.ContainsFunc(list, func(s *yang.Node) bool { return findable(s, is) })
}

// canFind is asked of an element for whose schema is holds.
func (n *filterNode) canFind(is func(*yang.Node) bool) bool {
	if !n.narrow {
		return findable(n.schema, is)
	}
	for _, m := range n.match {
		if slices.ContainsFunc(m, func(l filterLeaf) bool { return is(l.schema) }) {
			return true
		}
	}
	for _, g := range n.groups {
		if is(g.schema) && slices.ContainsFunc(g.nodes, func(c *filterNode) bool { return c.canFind(is) }) {
			return true
		}
	}
	return false
}

// canFind follows a path from the root.
func (f *xpathFilter) canFind(root *yang.Node, p xpath.Path, is func(*yang.Node) bool) bool {
	at := root
	for _, name := range p.Names {
		m := f.schema.ByNamespace(name.Space)
		if m == nil {
			return false
		}
		if at = at.Child(m, name.Local); at == nil || !is(at) {
			return false
		}
	}
	if at != root && !p.Below {
		return findable(at, is)
	}
	return anyFindable(at.Data, is)
}
