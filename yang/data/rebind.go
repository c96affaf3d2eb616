package data

import (
	"sync"

	"incidentd/yang"
)

// Rebind copies the children of a node below another schema node, such as a
// notification that repeats a list entry. Children that the other does not have,
// by module and name, are left out. The result shares no nodes with n.
func Rebind(n *Node, to *yang.Node) *Node {
	out := &Node{schema: to, text: n.text}
	o := new(owner)
	for c := range n.Children() {
		s := to.Child(c.schema.Module, c.schema.Name)
		if s == nil || s.Kind != c.schema.Kind {
			continue
		}
		if !c.interior() {
			out.add(o, &Node{schema: s, text: c.text, note: c.note})
			continue
		}
		out.add(o, Rebind(c, s))
	}
	return out
}

// RebindToWrite is Rebind for a node that is written and nothing else: where both schema
// nodes have the same below a child, what is there is shared with n, and keeps its schema.
func RebindToWrite(n *Node, to *yang.Node) *Node {
	out := &Node{schema: to, text: n.text}
	for _, c := range n.below() {
		s := to.Child(c.schema.Module, c.schema.Name)
		if s == nil || s.Kind != c.schema.Kind {
			continue
		}
		if alike(c.schema, s) {
			k := *c
			k.schema = s
			out.setKid(&k)
			continue
		}
		if c.set == nil {
			out.setKid(Rebind(c, s))
			continue
		}
		o := new(owner)
		c.set.each(func(e *Node) bool {
			out.add(o, Rebind(e, s))
			return true
		})
	}
	return out
}

// alike reports whether two schema nodes are written the same, with all that is below.
func alike(a, b *yang.Node) bool {
	k := [2]*yang.Node{a, b}
	if known, ok := likes.Load(k); ok {
		return known.(bool)
	}
	same := a.Kind == b.Kind && a.Name == b.Name && a.Module == b.Module && len(a.Data) == len(b.Data) && len(a.Keys) == len(b.Keys) &&
		(a.Type == nil || a.Type.Base == b.Type.Base)
	for i := 0; same && i < len(a.Data); i++ {
		same = alike(a.Data[i], b.Data[i])
	}
	for i := 0; same && i < len(a.Keys); i++ {
		same = a.Keys[i].Name == b.Keys[i].Name
	}
	likes.Store(k, same)
	return same
}

// likes are the answers of alike, of which there are few.
var likes sync.Map
