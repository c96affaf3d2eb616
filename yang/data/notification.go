package data

import (
	"fmt"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// ParseNotification reads an event record: an element that is a notification, or a data
// node that leads to the notification of one [RFC 7950 section 7.16.2]. Errors are those
// of Parse.
func (p *Parser) ParseNotification(in []byte) (*Node, error) {
	d := xmltext.NewDecoder(in, p.Limits)
	t, err := d.Next()
	if err != nil {
		return nil, err
	}
	m := p.Schema.ByNamespace(t.Space)
	if m == nil {
		return nil, fmt.Errorf("no module has the namespace %q", t.Space)
	}
	s := p.Schema.Notification(m.Name, t.Local)
	if s == nil {
		s = p.Schema.Root.Child(m, t.Local)
	}
	if s == nil {
		return nil, fmt.Errorf("the module %s has no notification %q", m.Name, t.Local)
	}
	r := p.reader(d, s)
	r.state, r.events = true, true
	n := New(s)
	if err := r.children(&Loc{nil, n}, n, Inherit); err != nil {
		return nil, err
	}
	if n, err = r.result(n); err != nil {
		return nil, err
	}
	if s.Kind != yang.Notification {
		if _, inner := Notified(p.Schema.Root, n); inner == nil {
			return nil, fmt.Errorf("%s leads to no notification", s.Path())
		}
	}
	return n, nil
}

// Notified finds the notification that an event record is about. top is the record: the
// notification itself, or a data node that leads to it; at is then the place of the node
// that it is of, from root, the root of the schema. Both are nil where there is none.
func Notified(root *yang.Node, top *Node) (at *Loc, n *Node) {
	if top.schema.Kind == yang.Notification {
		return nil, top
	}
	at = &Loc{Node: New(root)}
	for n = top; n != nil; {
		at = at.Down(n)
		var next *Node
		for c := range n.Children() {
			switch c.schema.Kind {
			case yang.Notification:
				return at, c
			case yang.Container, yang.List:
				next = c
			}
		}
		n = next
	}
	return nil, nil
}

// Nested wraps a notification of a data node in what leads to the node: the entry or
// container of the datastore, of which the keys alone are kept.
func Nested(at *Loc, n *Node) *Node {
	out := n
	for l := at; l.Parent != nil; l = l.Parent {
		var outer *Node
		if s := l.Node.schema; s.Kind == yang.List {
			outer = NewEntry(s, l.Node.Keys()...)
		} else {
			outer = New(s)
		}
		outer.add(new(owner), out)
		out = outer
	}
	return out
}
