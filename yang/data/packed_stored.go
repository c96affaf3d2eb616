package data

import (
	"errors"
	"slices"
	"strings"

	"incidentd/yang"
)

// A store keeps an entry as the same string, with numbers of its own for the schema nodes,
// since Orders may be others in the next version. It may have leaf-lists too, as a list has
// entries: a value each.

// storedSize bounds what a store keeps as one string.
const storedSize = 8 << 10

// AppendPacked appends what is in an entry but its keys, for a store, with a number for each
// schema node. It reports false, and appends nothing of use, where the entry is too large for
// that or has what cannot be in it: nodes that the user orders, anydata and anyxml.
func (n *Node) AppendPacked(b []byte, number func(*yang.Node) int) ([]byte, bool) {
	if !storable(n) {
		return b, false
	}
	p := newPacker(storedSize, number)
	defer packers.Put(p)
	p.interior(n)
	return append(b, p.b...), !p.full()
}

// storable reports whether what is in a node can be stored as a string.
func storable(n *Node) bool {
	if n.isPacked() && len(n.kids) == 0 {
		return true
	}
	return !slices.ContainsFunc(n.below(), func(k *Node) bool {
		switch s := k.schema; {
		case k.note != nil && !k.isPacked() || s.UserOrdered || s.Kind == yang.List && len(s.Keys) == 0:
			return true
		case k.set == nil:
			return s.Kind != yang.Leaf && (s.Kind != yang.Container || !storable(k))
		case k.set.len() > packedEntries || s.NewestFirst && k.set.len() > packedPast:
			return true
		case s.Kind == yang.LeafList:
			return false
		}
		return !k.set.each(func(e *Node) bool { return (e.note == nil || e.isPacked()) && storable(e) })
	})
}

var errPacked = errors.New("the string of an entry cannot be read")

// ParsePacked makes the entry of a list that AppendPacked has written. child is the child
// that a number stands for; its error is returned.
func ParsePacked(list *yang.Node, key string, text string, child func(parent *yang.Node, number int) (*yang.Node, error)) (*Node, error) {
	if strings.Count(key, "\x00") != len(list.Keys)-1 || len(text) > 2*storedSize {
		return nil, errPacked
	}
	n := NewEntry(list, strings.Split(key, "\x00")...)
	r := storedReader{text: text, child: child, o: new(owner)}
	if r.interior(n, len(text)); r.err != nil {
		return nil, r.err
	}
	return n, nil
}

// storedReader reads a string that may be anything.
type storedReader struct {
	text  string
	at    int
	child func(parent *yang.Node, number int) (*yang.Node, error)
	o     *owner
	err   error
}

func (r *storedReader) fail() {
	if r.err == nil {
		r.err = errPacked
	}
}

// uint reads a number that ends before a place.
func (r *storedReader) uint(to int) (n int) {
	for shift := 0; shift < 28 && r.at < to; shift += 7 {
		c := r.text[r.at]
		r.at++
		if n |= int(c&0x7f) << shift; c < 0x80 {
			return n
		}
	}
	r.fail()
	return 0
}

func (r *storedReader) value(to int) string {
	begun := r.at
	n := r.uint(to)
	if n&1 != 0 {
		back := storedReader{text: r.text, at: n >> 1}
		size := back.uint(begun)
		if back.err != nil || size&1 != 0 || size>>1 > begun-back.at {
			r.fail()
			return ""
		}
		return r.text[back.at : back.at+size>>1]
	}
	if n>>1 > to-r.at {
		r.fail()
		return ""
	}
	s := r.text[r.at : r.at+n>>1]
	r.at += n >> 1
	return s
}

// frame is the end of the part that follows with its length.
func (r *storedReader) frame(to int) int {
	if to-r.at < 2 {
		r.fail()
		return r.at
	}
	n := int(r.text[r.at])<<8 | int(r.text[r.at+1])
	if r.at += 2; n > to-r.at {
		r.fail()
		return r.at
	}
	return r.at + n
}

// interior reads the children of a node up to a place.
func (r *storedReader) interior(n *Node, to int) {
	for r.at < to && r.err == nil {
		s, err := r.child(n.schema, r.uint(to))
		switch {
		case r.err != nil:
		case err != nil:
			r.err = err
		case n.kid(s) != nil || s.IsKey() || s.UserOrdered:
			r.fail()
		case s.Kind == yang.Leaf:
			n.add(r.o, NewLeaf(s, r.value(to)))
		case s.Kind == yang.Container:
			c := New(s)
			r.interior(c, r.frame(to))
			n.add(r.o, c)
		case s.Multiple():
			r.entries(n, s, r.frame(to))
		default:
			r.fail()
		}
	}
}

func (r *storedReader) entries(n *Node, s *yang.Node, to int) {
	for range r.uint(to) {
		if r.err != nil {
			return
		}
		text := r.value(to)
		if s.Kind == yang.LeafList {
			n.add(r.o, NewLeaf(s, text))
			continue
		}
		if len(s.Keys) == 0 || strings.Count(text, "\x00") != len(s.Keys)-1 {
			r.fail()
			return
		}
		e := NewEntry(s, strings.Split(text, "\x00")...)
		r.interior(e, r.frame(to))
		n.add(r.o, e)
	}
	if r.at != to {
		r.fail()
	}
}
