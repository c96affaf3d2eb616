package data

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/xpath"
)

// Filler puts the defaults in use into trees that filters have selected with ReportAll, as
// if they stood there: what View writes for the operational state, as nodes that can be
// compared [RFC 8342 section 5.3]. It keeps the last tree, and what the next one has in
// common with that costs nothing and is shared by the results. It belongs to one goroutine
// at a time.
type Filler struct {
	Schema *yang.Schema
	// Readable is as in View.
	Readable func(parent *Loc, child *yang.Node) bool
	// Ignore, when not nil, reports whether an absent child has no default here; it is not
	// asked of what is below such a child.
	Ignore func(child *yang.Node) bool

	source  *Node
	absent  map[*yang.Node][]absence
	traits  map[*yang.Node]traits
	in, out *Node // the last tree, and what it became
}

// traits are what matters of a schema node and what is below it.
type traits struct {
	fills bool // there are defaults
	roams bool // some of them have conditions that look beyond the node
}

// Fill returns the tree with the defaults that are in use in source, the whole datastore that
// it was selected from. Both have the same root; the tree may be nil.
func (f *Filler) Fill(tree, source *Node) *Node {
	if tree == nil {
		return nil
	}
	f.begin()
	f.source = source
	if f.source == nil {
		f.source = New(tree.schema)
	}
	out := f.fill(&Loc{nil, f.source}, tree, f.in, f.out)
	f.in, f.out = tree, out
	return out
}

// Roams reports whether what is filled in below a schema node can depend on data elsewhere.
func (f *Filler) Roams(s *yang.Node) bool {
	f.begin()
	return f.traitsOf(s).roams
}

func (f *Filler) begin() {
	if f.absent == nil {
		f.absent, f.traits = map[*yang.Node][]absence{}, map[*yang.Node]traits{}
	}
}

// fill returns an interior node with its defaults. at is its place in the source; last is the
// node there before, and done what it became.
func (f *Filler) fill(at *Loc, n, last, done *Node) *Node {
	t := f.traitsOf(n.schema)
	switch {
	case !t.fills:
		return n
	case n == last && !t.roams && done != nil:
		return done
	}
	b := filled{from: n}
	for _, k := range n.below() {
		switch {
		case k.set != nil:
			b.set(k, f.fillSet(at, k, last.kid(k.schema), done.kid(k.schema)))
		case k.interior() && k.isAssumed() && !f.shows(at, k.schema):
			b.set(k, nil)
		case k.interior():
			c := f.fill(f.down(at, k), k, last.Get(k.schema), done.Get(k.schema))
			if c.Empty() && (k.isAssumed() || !k.Empty() && !k.schema.Presence) {
				c = nil // it was there for defaults alone
			}
			b.set(k, c)
		case k.isAssumed() && f.shows(at, k.schema):
			b.set(k, NewLeaf(k.schema, k.text))
		case k.isAssumed():
			b.set(k, nil)
		}
	}
	if !n.isPartial() {
		for _, a := range f.absentOf(n.schema) {
			if n.kid(a.schema) == nil && n.caseChosen(a.schema) && f.shows(at, a.schema) {
				b.add(f, at, a)
			}
		}
	}
	return b.node()
}

// fillSet returns a collection with the defaults of its entries; nil when none of them, all
// defaults, is shown.
func (f *Filler) fillSet(at *Loc, k, last, done *Node) *Node {
	if k.schema.Kind == yang.LeafList {
		var first *Node
		k.set.each(func(e *Node) bool { first = e; return false })
		switch {
		case first == nil || !first.isAssumed():
			return k
		case !f.shows(at, k.schema):
			return nil
		}
		return leafList(k.schema)
	}
	t := f.traitsOf(k.schema)
	switch {
	case !t.fills:
		return k
	case k == last && !t.roams && done != nil:
		return done
	case last == nil || done == nil || t.roams || k.set.byUser:
		last, done = nil, nil
	}
	o := new(owner)
	if last == nil {
		out, changed := newSet(k.schema), false
		k.set.each(func(e *Node) bool {
			c := f.fill(f.down(at, e), e, nil, nil)
			changed = changed || c != e
			out = out.put(o, c)
			return true
		})
		if !changed {
			return k
		}
		return &Node{schema: k.schema, set: out}
	}
	out := done.set
	diffSets(last.set, k.set, func(before, e *Node) bool {
		if e == nil {
			out = out.delete(o, before.text)
			return true
		}
		out = out.put(o, f.fill(f.down(at, e), e, before, out.get(e.text)))
		return true
	})
	return &Node{schema: k.schema, set: out}
}

// down is the place of a child in the source, where it may not be: a default.
func (f *Filler) down(at *Loc, c *Node) *Loc {
	if there := at.Node.lookup(c); there != nil {
		return at.Down(there)
	}
	return at.Down(c)
}

// shows reports whether the default of a child that is not there is in use, and may be
// read.
func (f *Filler) shows(at *Loc, child *yang.Node) bool {
	if f.Ignore != nil && f.Ignore(child) || f.Readable != nil && !f.Readable(at, child) {
		return false
	}
	x := XPath{Schema: f.Schema, Root: f.source}
	return !conditional(child) || x.Allows(at, child)
}

// absentOf are the children of a schema node that have defaults.
func (f *Filler) absentOf(s *yang.Node) []absence {
	list, ok := f.absent[s]
	if !ok {
		for _, c := range s.Data {
			if ReportAll.addsBelow(c) {
				list = append(list, absence{schema: c})
			}
		}
		f.absent[s] = list
	}
	return list
}

// traitsOf finds the traits of a schema node.
func (f *Filler) traitsOf(s *yang.Node) traits {
	t, ok := f.traits[s]
	if ok {
		return t
	}
	t.fills = slices.ContainsFunc(s.Data, func(c *yang.Node) bool { return ReportAll.addsBelow(c) || f.traitsOf(c).fills })
	t.roams = t.fills && roams(s, 0)
	f.traits[s] = t
	return t
}

// roams reports whether a condition of a default below a schema node looks beyond a node that
// is depth levels above that.
func roams(s *yang.Node, depth int) bool {
	return slices.ContainsFunc(s.Data, func(c *yang.Node) bool {
		return ReportAll.addsBelow(c) && looksBeyond(c, depth) || len(c.Data) > 0 && roams(c, depth+1)
	})
}

// looksBeyond reports whether a condition of a child of a node looks beyond one that is depth
// levels above that node.
func looksBeyond(child *yang.Node, depth int) bool {
	for n := child; n != nil && (n == child || n.Kind == yang.Choice || n.Kind == yang.Case); n = n.Parent {
		for _, w := range n.Whens {
			most := depth + 1
			if w.OnParent {
				most = depth
			}
			if slices.ContainsFunc(w.Expr.Paths(), func(p xpath.Path) bool { return p.Anything || p.Absolute || p.Ups > most }) {
				return true
			}
		}
	}
	return false
}

// leafList is the collection of the defaults of a leaf-list.
func leafList(s *yang.Node) *Node {
	out := newSet(s)
	o := new(owner)
	for _, v := range s.Defaults {
		out = out.put(o, NewLeaf(s, v))
	}
	return &Node{schema: s, set: out}
}

// filled is a node that gets other children; it is copied with the first of them.
type filled struct{ from, copy *Node }

// set puts another child or collection into the place of one, or takes it out.
func (b *filled) set(k, now *Node) {
	if k == now {
		return
	}
	b.own()
	if now != nil {
		b.copy.setKid(now)
		return
	}
	i, _ := b.copy.find(k.schema.Order)
	b.copy.kids = slices.Delete(b.copy.kids, i, i+1)
}

// add adds the defaults that an absent child has.
func (b *filled) add(f *Filler, at *Loc, a absence) {
	var k *Node
	switch a.schema.Kind {
	case yang.Container:
		c := New(a.schema)
		if k = f.fill(f.down(at, c), c, nil, nil); k.Empty() {
			return
		}
	case yang.LeafList:
		k = leafList(a.schema)
	default:
		k = NewLeaf(a.schema, a.schema.Defaults[0])
	}
	b.own()
	b.copy.setKid(k)
}

func (b *filled) own() {
	if b.copy == nil {
		b.copy = b.from.clone()
		if b.copy.isAssumed() {
			b.copy.note = nil
		}
	}
}

// node is what has become of the node.
func (b *filled) node() *Node {
	if b.copy == nil {
		return b.from
	}
	return b.copy
}
