package push

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/data"
)

// changeType is a kind of change [RFC 8641 section 5].
type changeType uint8

const (
	create changeType = iota
	remove            // delete
	insert
	move
	replace
)

var changeNames = [...]string{create: "create", remove: "delete", insert: "insert", move: "move", replace: "replace"}

func (c changeType) String() string { return changeNames[c] }

// changeTypes is a set of them.
type changeTypes uint8

func (s changeTypes) has(c changeType) bool { return s&(1<<c) != 0 }

// changeTypesOf reads a set.
func changeTypesOf(names []string) (s changeTypes) {
	for _, name := range names {
		s |= 1 << slices.Index(changeNames[:], name) // the schema has checked it
	}
	return s
}

// edit is a change of one node.
type edit struct {
	change changeType
	way    []data.Step // to the node; empty: the root
	value  *data.Node  // what the node has become; nil when it is deleted or moved
	// after is the entry before it, of an entry that was inserted or moved; nil: it is the
	// first one.
	after *data.Node
}

type edits []edit

// without leaves out some kinds of changes, and tells how many edits these were.
func (es edits) without(kinds changeTypes) (rest edits, withheld int) {
	if kinds == 0 {
		return es, 0
	}
	rest = slices.DeleteFunc(es, func(e edit) bool { return kinds.has(e.change) })
	return rest, len(es) - len(rest)
}

// difference is what makes one tree another. The edits are to be made one after the
// other.
func difference(from, to *data.Node) edits {
	d := differ{moved: map[place]*data.Node{}, replaced: map[*data.Node]bool{}, before: map[series]map[*data.Node]*data.Node{}}
	d.compare(nil, from, to)
	return d.result()
}

// result are the edits without those that are part of a replacement.
func (d *differ) result() edits {
	if len(d.replaced) == 0 {
		return d.edits
	}
	whole := map[string]bool{}
	for _, e := range d.edits {
		if d.replaced[e.value] {
			whole[resource(e.way)] = true
		}
	}
	return slices.DeleteFunc(d.edits, func(e edit) bool { return within(whole, resource(e.way)) })
}

// differ gathers edits.
type differ struct {
	edits    edits
	moved    map[place]*data.Node // entries as they were
	replaced map[*data.Node]bool  // nodes that were replaced as a whole
	before   map[series]map[*data.Node]*data.Node
}

// series is the entries of a list or leaf-list.
type series struct {
	parent *data.Node
	schema *yang.Node
}

// place is an entry of it.
type place struct {
	series
	key string
}

// compare compares two nodes at the end of a way.
func (d *differ) compare(way []data.Step, from, to *data.Node) {
	data.Diff(from, to, func(parent *data.Loc, old, new *data.Node) bool {
		d.differs(way, parent, old, new)
		return true
	})
}

// differs takes one difference. The way leads to the outermost place.
func (d *differ) differs(way []data.Step, parent *data.Loc, old, new *data.Node) {
	n := new
	if n == nil {
		n = old
	}
	schema := n.Schema()
	if at := named(parent, schema); at != nil {
		d.replace(way, at)
		return
	}
	at := func() []data.Step { return append(wayTo(way, parent), stepTo(n)) }
	switch {
	case !schema.UserOrdered || !schema.Multiple():
		switch {
		case old == nil:
			d.add(edit{change: create, way: at(), value: new})
		case new == nil:
			d.add(edit{change: remove, way: at()})
		default:
			d.add(edit{change: replace, way: at(), value: new})
		}
	case new == nil:
		if parent.Node.Entry(schema, old.Key()) != nil {
			d.moved[place{series{parent.Node, schema}, old.Key()}] = old
			return
		}
		d.add(edit{change: remove, way: at()})
	default:
		after := d.predecessor(series{parent.Node, schema}, new)
		if was := d.moved[place{series{parent.Node, schema}, new.Key()}]; was != nil {
			d.add(edit{change: move, way: at(), after: after})
			d.compare(at(), was, new)
			return
		}
		d.add(edit{change: insert, way: at(), value: new, after: after})
	}
}

func (d *differ) add(e edit) { d.edits = append(d.edits, e) }

// replace replaces a node with what is in it.
func (d *differ) replace(way []data.Step, at *data.Loc) {
	if !d.replaced[at.Node] {
		d.replaced[at.Node] = true
		d.add(edit{change: replace, way: wayTo(way, at), value: at.Node})
	}
}

// predecessor is the entry before another one; nil before the first.
func (d *differ) predecessor(s series, e *data.Node) *data.Node {
	before := d.before[s]
	if before == nil {
		before = map[*data.Node]*data.Node{}
		var last *data.Node
		for e := range s.parent.EntriesOf(s.schema) {
			before[e], last = last, e
		}
		d.before[s] = before
	}
	return before[e]
}

// anonymous reports whether entries have nothing to be named by: those of a list without
// keys, and values of state, which may occur twice.
func anonymous(s *yang.Node) bool {
	return s.Kind == yang.List && len(s.Keys) == 0 || s.Kind == yang.LeafList && !s.Config
}

// named is the place that has to be told of as a whole when a child of a place has changed,
// as something on the way there cannot be named; nil when all can.
func named(at *data.Loc, child *yang.Node) (whole *data.Loc) {
	if anonymous(child) {
		whole = at
	}
	for ; at != nil && at.Parent != nil; at = at.Parent {
		if anonymous(at.Node.Schema()) {
			whole = at.Parent
		}
	}
	return whole
}

// stepTo is the last step of the way to a node.
func stepTo(n *data.Node) data.Step {
	s := data.Step{Schema: n.Schema()}
	if s.Schema.Multiple() {
		s.Key = n.Key()
	}
	return s
}

// wayTo is the way to a place whose outermost node is at the end of a way.
func wayTo(way []data.Step, l *data.Loc) []data.Step {
	if l == nil || l.Parent == nil {
		return slices.Clip(way)
	}
	return append(wayTo(way, l.Parent), stepTo(l.Node))
}

// find is the node at the end of a way in a tree, and its parent; nil without them.
func find(tree *data.Node, way []data.Step) (parent, n *data.Node) {
	n = tree
	for _, s := range way {
		if parent = n; parent == nil {
			return nil, nil
		}
		if s.Schema.Multiple() {
			n = parent.Entry(s.Schema, s.Key)
		} else {
			n = parent.Get(s.Schema)
		}
	}
	return parent, n
}
