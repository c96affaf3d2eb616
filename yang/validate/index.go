package validate

import (
	"hash/maphash"
	"slices"
	"sync"

	"incidentd/yang"
	"incidentd/yang/data"
)

// An index counts the instances of a schema node by key: list entries by what a unique
// statement wants to be unique, leafrefs by what they refer to. It is of one tree and
// is brought to another by what differs, so that what a change breaks is found without
// a look at what it leaves alone. Keys are hashed: that a key is not there, or there
// only once, is certain; that it is there is for a scan to confirm.
//
// It is made when first asked for, and takes some 20 bytes an instance.
type index struct {
	of *yang.Node
	// above are the nodes that of stands below, around what an instance's keys depend
	// on beside itself: by such a node, the one below which all instances are concerned.
	above  map[*yang.Node]bool
	around map[*yang.Node]*yang.Node
	// keys calls add with the key of an instance, if it has any.
	keys func(l *data.Loc, h *maphash.Hash, add func())

	mu       sync.Mutex
	root     *data.Node // the tree it is of
	counts   map[uint64]int32
	repeated int // keys that there are several of
}

func (v *Validator) newIndex(of *yang.Node) *index {
	x := &index{of: of, above: map[*yang.Node]bool{v.schema.Root: true}, around: map[*yang.Node]*yang.Node{}, counts: map[uint64]int32{}}
	for n := of; n != v.schema.Root; {
		n = v.above(n)
		x.above[n] = true
	}
	return x
}

// named reports whether every entry at or above a node is found by its key.
func (v *Validator) named(n *yang.Node) bool {
	for ; n != v.schema.Root; n = v.above(n) {
		if n.Kind == yang.List && len(n.Keys) == 0 || n.Kind == yang.LeafList && !n.Config {
			return false
		}
	}
	return true
}

// uniqueIndex is the index of a list's unique statements, nil when it cannot have one.
func (v *Validator) uniqueIndex(list *yang.Node) *index {
	if !v.named(list) {
		return nil
	}
	x := v.newIndex(list)
	for _, leafs := range list.Unique {
		for _, leaf := range leafs {
			for s := leaf; s != list; s = s.DataParent() {
				x.around[s] = list
			}
		}
	}
	x.keys = func(l *data.Loc, h *maphash.Hash, add func()) {
		for i, leafs := range list.Unique {
			h.Reset()
			entries(h, l.Parent)
			h.WriteByte(byte(i))
			whole := true
			for _, leaf := range leafs {
				value, at := valueBelow(l, list, leaf)
				whole = whole && at != nil
				part(h, value)
			}
			if whole {
				add()
			}
		}
	}
	return x
}

// referenceIndex is the index of the leafrefs that a dependent stands for, nil when
// it cannot have one.
func (v *Validator) referenceIndex(d *dependent) *index {
	if !v.named(d.node) {
		return nil
	}
	x := v.newIndex(d.node)
	for _, s := range d.path.Steps {
		for _, w := range s.Where {
			if !w.Key.IsKey() {
				return nil // it may change while the entry stays
			}
			from := d.node
			for range w.Ups {
				from = v.above(from)
			}
			for s := w.Down[len(w.Down)-1]; s != from; s = v.above(s) {
				x.around[s] = from
			}
		}
	}
	x.keys = func(l *data.Loc, h *maphash.Hash, add func()) {
		h.Reset()
		if !refersFrom(h, l, d) {
			return
		}
		part(h, l.Node.Value())
		for _, s := range d.path.Steps {
			for _, w := range s.Where {
				value, ok := l.Operand(w)
				if !ok {
					return // it refers to nothing
				}
				part(h, value)
			}
		}
		add()
	}
	return x
}

// targetKey is the key that leafrefs to a place have in the index of a dependent; ok
// is false when none can refer to it.
func targetKey(target *data.Loc, d *dependent) (key uint64, ok bool) {
	var h maphash.Hash
	h.SetSeed(seed)
	if !refersFrom(&h, target, d) {
		return 0, false
	}
	part(&h, target.Node.Value())
	for _, s := range d.path.Steps {
		for _, w := range s.Where {
			at := closest(target, s.Node)
			if at == nil {
				return 0, false
			}
			key := at.Node.Get(w.Key)
			if key == nil {
				return 0, false
			}
			part(&h, key.Value())
		}
	}
	return h.Sum64(), true
}

// refersFrom hashes the place from which the path of a leafref leads down.
func refersFrom(h *maphash.Hash, l *data.Loc, d *dependent) bool {
	at := closest(l, d.from)
	entries(h, at)
	return at != nil
}

// closest is the place of a schema node at or above another place, nil without one.
func closest(l *data.Loc, s *yang.Node) *data.Loc {
	for l != nil && l.Node.Schema() != s {
		l = l.Parent
	}
	return l
}

// entries hashes which entries a place is in.
func entries(h *maphash.Hash, l *data.Loc) {
	for ; l != nil; l = l.Parent {
		if l.Node.Schema().Multiple() {
			part(h, l.Node.Key())
		}
	}
}

// part hashes one text of several.
func part(h *maphash.Hash, text string) {
	h.WriteString(text)
	h.WriteByte(1) // no value holds it
}

var seed = maphash.MakeSeed()

// move brings the index to a tree.
func (x *index) move(to *data.Node) {
	var h maphash.Hash
	h.SetSeed(seed)
	count := func(by int32) func(*data.Loc) {
		return func(l *data.Loc) {
			x.keys(l, &h, func() { x.count(h.Sum64(), by) })
		}
	}
	from := x.root
	x.root = to
	if from == nil {
		instances(&data.Loc{Node: to}, x.of, count(1))
		return
	}
	touched := map[string]bool{}
	again := func(l *data.Loc) {
		path := l.String()
		if touched[path] {
			return
		}
		touched[path] = true
		if was := find(from, l); was != nil {
			count(-1)(was)
		}
		if is := find(to, l); is != nil {
			count(1)(is)
		}
	}
	data.Diff(from, to, func(parent *data.Loc, was, is *data.Node) bool {
		for _, n := range []*data.Node{was, is} {
			if n != nil && (n.Schema() == x.of || x.above[n.Schema()]) {
				instances(parent.Down(n), x.of, again)
			}
			if n == nil || x.around[n.Schema()] == nil {
				continue
			}
			if at := closest(parent, x.around[n.Schema()]); at != nil {
				for _, root := range []*data.Node{from, to} {
					if at := find(root, at); at != nil {
						instances(at, x.of, again)
					}
				}
			}
		}
		return true
	})
}

func (x *index) count(key uint64, by int32) {
	before := x.counts[key]
	after := before + by
	if after == 0 {
		delete(x.counts, key)
	} else {
		x.counts[key] = after
	}
	switch {
	case before < 2 && after > 1:
		x.repeated++
	case before > 1 && after < 2:
		x.repeated--
	}
}

// repeats reports whether two instances in a tree may have the same key.
func (x *index) repeats(tree *data.Node) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.move(tree)
	return x.repeated > 0
}

// has reports whether any instance in a tree may have one of the keys.
func (x *index) has(tree *data.Node, keys []uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.move(tree)
	return slices.ContainsFunc(keys, func(k uint64) bool { return x.counts[k] > 0 })
}
