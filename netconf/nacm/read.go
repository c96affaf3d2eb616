package nacm

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/data"
)

// Read returns what the user may read of a tree of a datastore; nil when that is
// nothing [RFC 8341 section 3.2.4]. The result shares all subtrees that it has whole.
func (a *Access) Read(tree *data.Node) *data.Node {
	if a == nil || tree == nil {
		return tree
	}
	if out := a.root.read(tree); !out.Empty() {
		return out
	}
	return nil
}

// MayRead reports whether the user may read the node at a place, and so all that it is
// in. The outermost Loc must be the root of a datastore.
func (a *Access) MayRead(l *data.Loc) bool {
	return a == nil || a.visible(l) != nil
}

// visible is the state of the node at a place; nil when it may not be read.
func (a *Access) visible(l *data.Loc) *state {
	if l.Parent == nil {
		return a.root
	}
	s := a.visible(l.Parent)
	if s == nil {
		return nil
	}
	if s = s.of(l.Parent.Node, l.Node); !s.shows(l.Node) {
		return nil
	}
	return s
}

// shows reports whether a node may be read, apart from what it is in: itself and, of an
// entry, its keys.
func (s *state) shows(n *data.Node) bool {
	if !s.permits(Read) {
		return false
	}
	for _, k := range s.schema.Keys {
		if !s.any(k).permits(Read) {
			return false
		}
	}
	return true
}

// read returns what may be read of a node that itself may be.
func (s *state) read(n *data.Node) *data.Node {
	if s.all(Read) {
		return n
	}
	out := n
	for _, c := range s.schema.Data {
		if c.Multiple() {
			out = s.readEntries(out, n, c)
		} else if child := n.Get(c); child != nil {
			switch r := s.of(n, child).part(child); {
			case r == nil:
				out = out.WithOnly(c)
			case r != child:
				out = out.With(r)
			}
		}
	}
	return out
}

// part returns what may be read of a node; nil for nothing.
func (s *state) part(n *data.Node) *data.Node {
	if !s.shows(n) {
		return nil
	}
	r := s.read(n)
	if r != n && r.Empty() && s.schema.Kind == yang.Container && !s.schema.Presence {
		return nil
	}
	return r
}

// readEntries returns out, which n has become so far, with what may be read of the
// entries of a list or leaf-list.
func (s *state) readEntries(out, n *data.Node, c *yang.Node) *data.Node {
	count := n.Count(c)
	if count == 0 {
		return out
	}
	others := s.any(c)
	k := s.named(c)
	// Of the entries of a list that is shorter than the rules all are looked at.
	few := k.known && len(k.list) <= count
	switch {
	case few && others.all(Read):
		for _, k := range k.list {
			e := n.Entry(c, k)
			if e == nil {
				continue
			}
			switch r := s.of(n, e).part(e); {
			case r == nil:
				out = out.Without(c, k)
			case r != e:
				out = out.With(r)
			}
		}
		return out
	case few && !others.permits(Read) && !c.UserOrdered:
		// Sorted, as the entries are.
		var kept []*data.Node
		for _, k := range k.list {
			if e := n.Entry(c, k); e != nil {
				if r := s.of(n, e).part(e); r != nil {
					kept = append(kept, r)
				}
			}
		}
		return out.WithOnly(c, kept...)
	}
	kept := make([]*data.Node, 0, count)
	same := true
	for e := range n.EntriesOf(c) {
		r := s.of(n, e).part(e)
		same = same && r == e
		if r != nil {
			kept = append(kept, r)
		}
	}
	if same {
		return out
	}
	return out.WithOnly(c, kept...)
}

// MayReadSome reports whether the user may read an instance of a schema node that some data
// can have. The answer errs to yes where rules tell entries apart.
func (a *Access) MayReadSome(s *yang.Node) bool {
	if a == nil {
		return true
	}
	var way []*yang.Node
	for ; s != nil && s != a.root.schema; s = s.DataParent() {
		way = append(way, s)
	}
	at := a.root
	for _, s := range slices.Backward(way) {
		if slices.ContainsFunc(at.leading(s), func(f *fork) bool { return len(f.exact)+len(f.tests) > 0 }) {
			return true
		}
		at = at.any(s)
		if !at.permits(Read) || slices.ContainsFunc(s.Keys, func(k *yang.Node) bool { return !at.any(k).permits(Read) }) {
			return false
		}
	}
	return true
}
