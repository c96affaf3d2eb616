package data

import (
	"bytes"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// Diff calls visit for each place where two trees of one schema differ: with the
// place of the parent in the new tree (in the old one where that is gone), the
// old node, nil when it was added, and the new one, nil when it was removed. What
// is added or removed is visited once, at its top. Branches that the trees share
// cost nothing. visit returns false to stop.
func Diff(old, new *Node, visit func(parent *Loc, old, new *Node) bool) {
	if old == new {
		return
	}
	differ{visit: visit}.top(old, new)
}

// DiffWhole is Diff of two interior nodes, the new one of which is at a place, that tells of
// entries of lists as a whole: one that is another node is visited with both, and nothing in
// it is.
func DiffWhole(at *Loc, old *Node, visit func(parent *Loc, old, new *Node) bool) {
	if old != at.Node {
		differ{visit: visit, whole: true}.interior(at, old, at.Node)
	}
}

// differ compares two trees.
type differ struct {
	visit func(parent *Loc, old, new *Node) bool
	whole bool // entries of lists are not looked into
}

func (d differ) top(old, new *Node) {
	if old == nil || new == nil || !old.interior() {
		d.child(nil, old, new)
		return
	}
	d.interior(&Loc{nil, new}, old, new)
}

func (d differ) interior(at *Loc, old, new *Node) bool {
	if old.isPacked() && new.isPacked() && len(old.kids)+len(new.kids) == 0 {
		return d.packed(at, old, new)
	}
	a, b := old.below(), new.below()
	for len(a) > 0 || len(b) > 0 {
		var x, y *Node
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].schema.Order < b[0].schema.Order:
			x, a = a[0], a[1:]
		case len(a) == 0 || b[0].schema.Order < a[0].schema.Order:
			y, b = b[0], b[1:]
		default:
			x, y = a[0], b[0]
			a, b = a[1:], b[1:]
		}
		if !d.kid(at, x, y) {
			return false
		}
	}
	return true
}

// kid compares a child or collection; either may be nil.
func (d differ) kid(at *Loc, x, y *Node) bool {
	if x == y {
		return true
	}
	if x != nil && x.set != nil || y != nil && y.set != nil {
		var p, q *set
		if x != nil {
			p = x.set
		}
		if y != nil {
			q = y.set
		}
		return diffSets(p, q, func(old, new *Node) bool { return d.child(at, old, new) })
	}
	return d.child(at, x, y)
}

func (d differ) child(at *Loc, x, y *Node) bool {
	switch {
	case x == nil || y == nil:
		return d.visit(at, x, y)
	case x.interior():
		switch {
		case samePacked(x, y):
			return true
		case d.whole && x.schema.Kind == yang.List && !x.schema.UserOrdered:
			return d.visit(at, x, y)
		}
		return d.interior(at.Down(y), x, y)
	case x.text != y.text || !sameRaw(x, y):
		return d.visit(at, x, y)
	}
	return true
}

// samePacked reports whether two nodes are packed, with the same in them; false tells nothing.
func samePacked(x, y *Node) bool {
	return x.isPacked() && y.isPacked() && len(x.kids)+len(y.kids) == 0 && x.note.packed == y.note.packed
}

// sameRaw reports whether two nodes have the same content, and the declarations
// that it uses are the same; leafs have none.
func sameRaw(x, y *Node) bool {
	a, b := x.Raw(), y.Raw()
	if !bytes.Equal(a.Content, b.Content) {
		return false
	}
	if len(a.Content) == 0 {
		return true
	}
	p, q := scope(a.Bindings), scope(b.Bindings)
	for _, of := range []map[string]string{p, q} {
		for prefix := range of {
			uses := prefix + ":"
			if prefix == "" {
				uses = "<"
			}
			if p[prefix] != q[prefix] && bytes.Contains(a.Content, []byte(uses)) {
				return false
			}
		}
	}
	return true
}

// scope is the namespaces of the prefixes in force.
func scope(bindings []xmltext.Binding) map[string]string {
	out := map[string]string{}
	for _, b := range bindings {
		out[b.Prefix] = b.Space
	}
	if out[""] == "" {
		delete(out, "")
	}
	delete(out, "xml")
	return out
}

// Merge returns the union of two trees of one schema; where both have a leaf,
// a's stays. Entries of a list without keys are taken for the same when they are
// alike, values of a state leaf-list when they are equal. The result shares
// whatever only one of them has, so merging a small tree into a large one is
// cheap. Either may be nil.
func Merge(a, b *Node) *Node {
	switch {
	case a == nil || a == b:
		if a == nil {
			return b
		}
		return a
	case b == nil, !a.interior():
		return a
	}
	var c *Node
	for _, k := range b.below() {
		have := a.kid(k.schema)
		if c != nil {
			have = c.kid(k.schema)
		}
		merged := k
		switch {
		case have == nil:
		case k.set != nil:
			merged = &Node{schema: k.schema, set: mergeSets(have.set, k.set)}
			if merged.set == have.set {
				continue
			}
		default:
			if merged = Merge(have, k); merged == have {
				continue
			}
		}
		if c == nil {
			c = a.clone()
		}
		c.setKid(merged)
	}
	if c == nil {
		return a
	}
	return c
}

func mergeSets(a, b *set) *set {
	if a == b {
		return a
	}
	if first := b.first(); first != nil && first.schema.Kind == yang.List && len(first.schema.Keys) == 0 {
		return mergeKeyless(a, b)
	}
	small, large, swapped := b, a, false
	if !a.byUser && small.len() > large.len() {
		small, large, swapped = a, b, true
	}
	o := new(owner)
	out := large
	small.each(func(e *Node) bool {
		have := large.get(e.text)
		switch {
		case have == nil:
			out = out.put(o, e)
		case have != e:
			x, y := have, e
			if swapped {
				x, y = e, have
			}
			if m := Merge(x, y); m != have {
				out = out.put(o, m)
			}
		}
		return true
	})
	return out
}

// mergeKeyless adds the entries that a has none like.
func mergeKeyless(a, b *set) *set {
	have := map[string]bool{}
	for _, e := range a.seq {
		have[string(AppendXML(nil, e, ""))] = true
	}
	o := new(owner)
	for _, e := range b.seq {
		if !have[string(AppendXML(nil, e, ""))] {
			a = a.put(o, e)
		}
	}
	return a
}

// first is the first entry, nil in an empty set.
func (s *set) first() (first *Node) {
	s.each(func(e *Node) bool {
		first = e
		return false
	})
	return first
}

// DiffEntries calls visit for each entry of a list that is below one of two nodes only, or
// differs: with a nil for an entry that is not there. Either node may be nil. What the two
// share costs nothing. visit returns false to stop.
func DiffEntries(old, new *Node, list *yang.Node, visit func(old, new *Node) bool) {
	var a, b *set
	if k := old.kid(list); k != nil {
		a = k.set
	}
	if k := new.kid(list); k != nil {
		b = k.set
	}
	diffSets(a, b, visit)
}
