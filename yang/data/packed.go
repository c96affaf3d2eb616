package data

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"incidentd/yang"
)

// What a node weighs matters where there are millions of entries of forty leafs. A packed
// node holds what is below it as one string and makes the nodes when somebody asks, so that
// it costs three objects of memory, whatever it has.
//
// Nodes that are made when asked for are others each time. So what is told apart by its node
// alone, entries that the user orders or that have no key, stands beside the string, and so
// does what has notes.
//
// The string has, for each child, its Order, and then:
//
//	a leaf       its value
//	a container  the length of what follows in two bytes, and its children
//	a list       the length of what follows in two bytes, the number of its entries, and
//	             of each its key as a value, and then as a container, without the key leafs
//
// A value is its length, doubled, and its bytes; or where it stood before in the same string:
// the place, doubled, and one. Numbers are uvarints.

// packing is the part of a string that has what is below a node. Values may stand before it.
type packing struct {
	from, to uint16
	text     string
}

const (
	// packedSize bounds the string of a node: whoever looks at one value may have to skip
	// all of it.
	packedSize = 4 << 10
	// packedEntries bounds the entries of a list in such a string, and packedPast those of
	// one that stands newest first: it grows by an entry with each change, which should
	// not cost all that went before.
	packedEntries = pageSize
	packedPast    = 4
)

func (n *Node) isPacked() bool { return n.note != nil && n.note.packed.text != "" }

// Packed returns a node that is the same and takes little memory, for trees that last. What
// is large is packed in parts. Reading costs more, as each child is made when it is asked
// for: it is for entries of state, of which there are many and each is seldom looked at.
func (n *Node) Packed() *Node {
	if n == nil || !n.interior() || n.note != nil || len(n.kids) == 0 {
		return n
	}
	p := newPacker(packedSize, func(s *yang.Node) int { return s.Order })
	defer packers.Put(p)
	loose := p.children(n)
	if len(p.b) > 0 {
		return &Node{schema: n.schema, text: n.text, kids: loose, note: &note{packed: packing{0, uint16(len(p.b)), string(p.b)}}}
	}
	c := n
	for _, k := range loose {
		if c.kid(k.schema) == k {
			continue
		}
		if c == n {
			c = n.clone()
		}
		c.setKid(k)
	}
	return c
}

// packedParts returns a child or collection that is too large to be packed with what is in it
// packed.
func packedParts(k *Node) *Node {
	switch {
	case k.set == nil:
		return k.Packed()
	case k.set.byUser || k.schema.Kind != yang.List:
		return k
	}
	o, out := new(owner), k.set
	k.set.each(func(e *Node) bool {
		if small := e.Packed(); small != e {
			out = out.put(o, small)
		}
		return true
	})
	if out == k.set {
		return k
	}
	return &Node{schema: k.schema, set: out}
}

// packs reports whether a child or collection can be part of a string.
func packs(parent, k *Node) bool {
	switch {
	case k.note != nil && !k.isPacked() || k.schema.Order >= len(parent.schema.Data) || parent.schema.Data[k.schema.Order] != k.schema:
		return false
	case k.set == nil:
		return k.schema.Kind == yang.Leaf || k.schema.Kind == yang.Container && allPack(k)
	case k.set.byUser || k.schema.Kind != yang.List || k.set.len() > packedEntries || k.schema.NewestFirst && k.set.len() > packedPast:
		return false
	}
	return k.set.each(func(e *Node) bool { return (e.note == nil || e.isPacked()) && allPack(e) })
}

func allPack(n *Node) bool {
	return n.isPacked() && len(n.kids) == 0 || !slices.ContainsFunc(n.below(), func(k *Node) bool { return !packs(n, k) })
}

// packer writes a string.
type packer struct {
	b      []byte
	number func(*yang.Node) int // what stands for a schema node
	most   int                  // what is longer is taken back
	// stood are the places of values, plus one, by their hash.
	stood [128]uint16
}

// children writes the children of a node but for its keys, and returns those that stand
// beside the string.
func (p *packer) children(n *Node) (loose []*Node) {
	for _, k := range n.kids {
		if k.schema.IsKey() {
			continue
		}
		if !packs(n, k) {
			loose = append(loose, packedParts(k))
			continue
		}
		begun := len(p.b)
		if p.child(k); p.full() {
			p.cut(begun)
			loose = append(loose, packedParts(k))
		}
	}
	return loose
}

// packers are those that nobody uses.
var packers = sync.Pool{New: func() any { return new(packer) }}

// newPacker is one that writes an empty string; whoever is done gives it back.
func newPacker(most int, number func(*yang.Node) int) *packer {
	p := packers.Get().(*packer)
	*p = packer{b: p.b[:0], most: most, number: number}
	return p
}

func (p *packer) full() bool { return len(p.b) > p.most }

// cut takes back what was written from a place on.
func (p *packer) cut(at int) {
	p.b = p.b[:at]
	for i, place := range p.stood {
		if int(place) > at {
			p.stood[i] = 0
		}
	}
}

func (p *packer) child(k *Node) {
	p.uint(p.number(k.schema))
	switch {
	case k.schema.Kind == yang.Leaf:
		p.value(k.text)
	case k.set == nil:
		p.framed(func() { p.interior(k) })
	default:
		p.framed(func() {
			p.uint(k.set.len())
			k.set.each(func(e *Node) bool {
				if p.value(e.text); k.schema.Kind == yang.List {
					p.framed(func() { p.interior(e) })
				}
				return !p.full()
			})
		})
	}
}

func (p *packer) interior(n *Node) {
	if n.isPacked() && len(n.kids) == 0 {
		p.again(n.schema, n.note.packed.open())
		return
	}
	for _, k := range n.below() {
		if p.full() {
			return
		}
		if !k.schema.IsKey() {
			p.child(k)
		}
	}
}

// again writes what another string has of a node.
func (p *packer) again(of *yang.Node, u unpacker) {
	for u.more() && !p.full() {
		s := of.Data[u.number()]
		p.uint(p.number(s))
		switch s.Kind {
		case yang.Leaf:
			p.value(u.value())
		case yang.List:
			in := u.frame().open()
			p.framed(func() {
				n := in.number()
				p.uint(n)
				for range n {
					p.value(in.value())
					e := in.frame().open()
					p.framed(func() { p.again(s, e) })
				}
			})
		default:
			in := u.frame().open()
			p.framed(func() { p.again(s, in) })
		}
	}
}

// framed writes the length of what f writes before it.
func (p *packer) framed(f func()) {
	p.b = append(p.b, 0, 0)
	begun := len(p.b)
	f()
	binary.BigEndian.PutUint16(p.b[begun-2:], uint16(len(p.b)-begun))
}

func (p *packer) uint(n int) { p.b = binary.AppendUvarint(p.b, uint64(n)) }

func (p *packer) value(s string) {
	const short = 3 // no longer than where it stood
	here := len(p.b)
	if len(s) > short && !p.full() {
		h := uint32(len(s))
		for _, c := range []byte(s[len(s)-4:] + s[:4]) {
			h = (h ^ uint32(c)) * 16777619
		}
		place := &p.stood[h>>8%uint32(len(p.stood))]
		if at := int(*place) - 1; at >= 0 && p.stands(at, s) {
			p.uint(at<<1 | 1)
			return
		}
		*place = uint16(here + 1)
	}
	p.uint(len(s) << 1)
	if len(s) > p.most {
		s = s[:p.most]
	}
	p.b = append(p.b, s...)
}

// stands reports whether a value stands at a place.
func (p *packer) stands(at int, s string) bool {
	n, k := binary.Uvarint(p.b[at:])
	return int(n) == len(s)<<1 && string(p.b[at+k:at+k+len(s)]) == s
}

// unpacker reads a string up to a place.
type unpacker struct {
	text   string
	at, to int
}

func (p packing) open() unpacker { return unpacker{p.text, int(p.from), int(p.to)} }

func (u *unpacker) more() bool { return u.at < u.to }

func (u *unpacker) number() (n int) {
	for shift := 0; ; shift += 7 {
		c := u.text[u.at]
		u.at++
		if n |= int(c&0x7f) << shift; c < 0x80 {
			return n
		}
	}
}

func (u *unpacker) value() string {
	n := u.number()
	if n&1 != 0 {
		back := unpacker{text: u.text, at: n >> 1}
		return back.value()
	}
	s := u.text[u.at : u.at+n>>1]
	u.at += n >> 1
	return s
}

// frame is the part that follows with its length, which is passed over.
func (u *unpacker) frame() packing {
	n := int(u.text[u.at])<<8 | int(u.text[u.at+1])
	from := u.at + 2
	u.at = from + n
	return packing{uint16(from), uint16(u.at), u.text}
}

func (u *unpacker) skip(s *yang.Node) {
	if s.Kind == yang.Leaf {
		if n := u.number(); n&1 == 0 {
			u.at += n >> 1
		}
		return
	}
	u.frame()
}

// below are the children and collections of a node, which are made if it is packed.
func (n *Node) below() []*Node {
	if !n.isPacked() {
		return n.kids
	}
	of := n.schema
	count := len(of.Keys)
	for u := n.note.packed.open(); u.more(); count++ {
		u.skip(of.Data[u.number()])
	}
	made := make([]Node, 0, count)
	kids := make([]*Node, 0, count+len(n.kids))
	put := func(k Node) {
		made = append(made, k)
		kids = append(kids, &made[len(made)-1])
	}
	rest := n.text
	for i, key := range of.Keys {
		value := rest
		if i+1 < len(of.Keys) {
			value, rest, _ = strings.Cut(rest, "\x00")
		}
		put(Node{schema: key, text: value})
	}
	for u := n.note.packed.open(); u.more(); {
		put(u.node(of.Data[u.number()]))
	}
	kids = append(kids, n.kids...)
	order := func(a, b *Node) int { return a.schema.Order - b.schema.Order }
	if !slices.IsSortedFunc(kids, order) {
		slices.SortFunc(kids, order)
	}
	return kids
}

// node makes the child or collection of a schema node that stands next.
func (u *unpacker) node(s *yang.Node) Node {
	switch s.Kind {
	case yang.Leaf:
		return Node{schema: s, text: u.value()}
	case yang.List:
		return Node{schema: s, set: u.entries(s)}
	}
	if p := u.frame(); p.from < p.to {
		return Node{schema: s, note: &note{packed: p}}
	}
	return Node{schema: s}
}

func (u *unpacker) entries(s *yang.Node) *set {
	in := u.frame().open()
	n := in.number()
	made, notes, items := make([]Node, n), make([]note, n), make([]*Node, n)
	for i := range made {
		made[i] = Node{schema: s, text: in.value()}
		if p := in.frame(); p.from < p.to || len(s.Keys) > 0 {
			notes[i].packed = p
			made[i].note = &notes[i]
		}
		items[i] = &made[i]
	}
	return &set{root: &page{items: items}, n: n}
}

// packed compares two nodes that are packed as a whole. Leafs that are alike are not made.
func (d differ) packed(at *Loc, x, y *Node) bool {
	of := x.schema
	a, b := x.note.packed.open(), y.note.packed.open()
	next := func(u *unpacker) *yang.Node {
		if !u.more() {
			return nil
		}
		return of.Data[u.number()]
	}
	s, t := next(&a), next(&b)
	for s != nil || t != nil {
		var old, new *Node
		switch {
		case s == t && s.Kind == yang.Leaf:
			if was, is := a.value(), b.value(); was != is {
				old, new = NewLeaf(s, was), NewLeaf(s, is)
			}
			s, t = next(&a), next(&b)
		case t == nil || s != nil && s.Order <= t.Order:
			k := a.node(s)
			if old = &k; s == t {
				k := b.node(t)
				new, t = &k, next(&b)
			}
			s = next(&a)
		default:
			k := b.node(t)
			new, t = &k, next(&b)
		}
		if !d.kid(at, old, new) {
			return false
		}
	}
	return true
}

// unpackKid makes a child or collection of a packed node, nil if it has none of the schema.
func (n *Node) unpackKid(s *yang.Node) *Node {
	rest := n.text
	for i, key := range n.schema.Keys {
		value := rest
		if i+1 < len(n.schema.Keys) {
			value, rest, _ = strings.Cut(rest, "\x00")
		}
		if key == s {
			return &Node{schema: s, text: value}
		}
	}
	for u := n.note.packed.open(); u.more(); {
		is := n.schema.Data[u.number()]
		if is == s {
			k := u.node(s)
			return &k
		}
		if is.Order > s.Order {
			break
		}
		u.skip(is)
	}
	return nil
}

// unpacked is the node, or one that is the same and not packed, for who looks at all of it.
func (n *Node) unpacked() *Node {
	if n.isPacked() {
		return n.clone()
	}
	return n
}

// unpack makes a node that is not yet shared one that is not packed.
func (n *Node) unpack() {
	if n.isPacked() {
		n.kids, n.note = n.below(), nil
	}
}
