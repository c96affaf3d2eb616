package data

import "incidentd/yang"

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
