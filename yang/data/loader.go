package data

import (
	"fmt"
	"slices"

	"incidentd/yang"
)

// Step is one step of the way to a node: a child and, for a list or leaf-list,
// the key of the entry.
type Step struct {
	Schema *yang.Node
	Key    string
}

// Loader builds a tree from nodes in any order, as a store keeps them. It belongs
// to one goroutine.
type Loader struct {
	root *Node
	o    *owner
	// way is where the last node was put; the next is often near.
	way   []Step
	nodes []*Node
	ranks map[*Node]int // of entries that the user ordered
	// shared are leafs that many nodes have.
	shared map[sharedLeaf]*Node
	// packs says that the outermost entries of lists are packed.
	packs bool
}

// NewLoader starts an empty tree of a schema's root.
func NewLoader(root *yang.Node) *Loader {
	return &Loader{root: New(root), o: new(owner), ranks: map[*Node]int{}, shared: map[sharedLeaf]*Node{}}
}

// Pack lets the outermost entries of lists be packed, see Node.Packed, when the next one is
// put: what is in one should be put at one time.
func (l *Loader) Pack() { l.packs = true }

// Put makes the node at the end of a way, and what is missing above it: a leaf or
// leaf-list entry, a list entry, a container. rank is the place among entries that
// the user ordered. It fails for an entry whose number of keys is not the list's.
func (l *Loader) Put(way []Step, value string, rank int) error {
	n, err := l.reach(way, value)
	if err == nil && n.schema.UserOrdered {
		l.ranks[n] = rank
	}
	return err
}

// reach returns the node at the end of a way, which is made if it is not there.
func (l *Loader) reach(way []Step, value string) (*Node, error) {
	n, depth := l.root, 0
	for depth < len(way)-1 && depth < len(l.way) && way[depth] == l.way[depth] {
		n = l.nodes[depth]
		depth++
	}
	l.finish(depth)
	l.way, l.nodes = append(l.way[:depth], way[depth:]...), l.nodes[:depth]
	for _, s := range way[depth:] {
		n.unpack()
		next := n.lookup(&Node{schema: s.Schema, text: s.Key})
		if next == nil {
			switch {
			case s.Schema.Kind == yang.List:
				keys := (&Node{schema: s.Schema, text: s.Key}).Keys()
				if len(keys) != len(s.Schema.Keys) {
					return nil, fmt.Errorf("an entry of %s has %d keys, not %d", s.Schema.Path(), len(keys), len(s.Schema.Keys))
				}
				next = NewEntry(s.Schema, keys...)
			case s.Schema.Kind == yang.LeafList:
				next = NewLeaf(s.Schema, s.Key)
			case s.Schema.HasValue():
				next = l.leaf(s.Schema, value)
			default:
				next = New(s.Schema)
			}
			n.add(l.o, next)
		}
		n = next
		l.nodes = append(l.nodes, n)
	}
	return n, nil
}

// finish packs the entry that the way leads away from when it changes from a depth on.
func (l *Loader) finish(depth int) {
	if !l.packs {
		return
	}
	parent := l.root
	for i, n := range l.nodes {
		if n.schema.Kind == yang.List && !n.schema.UserOrdered {
			if i >= depth {
				parent.add(l.o, n.Packed())
			}
			return
		}
		parent = n
	}
}

// leaf makes a leaf. Those of the same value are one where there are few values.
func (l *Loader) leaf(schema *yang.Node, value string) *Node {
	switch schema.Type.Base {
	case yang.Boolean, yang.Enumeration, yang.IdentityRef, yang.Empty:
	default:
		return NewLeaf(schema, value)
	}
	k := sharedLeaf{schema, value}
	n := l.shared[k]
	if n == nil {
		n = NewLeaf(schema, value)
		l.shared[k] = n
	}
	return n
}

// sharedLeaf names a leaf by what makes it the same.
type sharedLeaf struct {
	schema *yang.Node
	value  string
}

// PutAny makes an anydata or anyxml at the end of a way.
func (l *Loader) PutAny(way []Step, n *Node) error {
	parent := way[:len(way)-1]
	at, err := l.reach(parent, "")
	if err != nil {
		return err
	}
	at.add(l.o, n)
	return nil
}

// PutEntry puts a whole entry at the end of a way, as ParsePacked makes it.
func (l *Loader) PutEntry(way []Step, e *Node) error {
	at, err := l.reach(way[:len(way)-1], "")
	if err != nil {
		return err
	}
	if l.packs {
		e = e.Packed()
	}
	at.add(l.o, e)
	return nil
}

// Tree returns the finished tree; the loader may not be used afterwards.
func (l *Loader) Tree() *Node {
	l.finish(0)
	if len(l.ranks) > 0 {
		l.order(l.root)
	}
	return l.root
}

func (l *Loader) order(n *Node) {
	for _, k := range n.kids {
		if k.set == nil {
			l.order(k)
			continue
		}
		if k.schema.UserOrdered {
			slices.SortStableFunc(k.set.seq, func(a, b *Node) int { return l.ranks[a] - l.ranks[b] })
			k.set.index = new(seqIndex)
		}
		k.set.each(func(e *Node) bool {
			l.order(e)
			return true
		})
	}
}
