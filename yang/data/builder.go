package data

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// Builder makes one interior node and what is below it. It is how code that
// knows the schema turns its own types into a tree: a name that the schema does
// not have is a bug and panics. Values are taken as they are and must be
// canonical.
type Builder struct {
	n      *Node
	o      *owner
	parent *Builder
}

// Build starts a container, rpc output, notification or root.
func Build(schema *yang.Node) *Builder { return &Builder{n: New(schema), o: new(owner)} }

// BuildEntry starts a list entry of the keys.
func BuildEntry(schema *yang.Node, keys ...string) *Builder {
	return &Builder{n: NewEntry(schema, keys...), o: new(owner)}
}

func (b *Builder) schema(name string) *yang.Node {
	s := b.n.schema.ChildNamed(name)
	if s == nil {
		panic(fmt.Sprintf("data: %s has no child %q", b.n.schema.Path(), name))
	}
	return s
}

// Grow makes room for as many children as are to come.
func (b *Builder) Grow(children int) *Builder {
	b.n.kids = slices.Grow(b.n.kids, children)
	return b
}

// Leaf sets a leaf, or adds an entry to a leaf-list.
func (b *Builder) Leaf(name, value string) *Builder {
	b.n.add(b.o, NewLeaf(b.schema(name), value))
	return b
}

// Text sets a leaf unless the value is empty.
func (b *Builder) Text(name, value string) *Builder {
	if value == "" {
		return b
	}
	return b.Leaf(name, value)
}

// Uint sets a leaf to a number.
func (b *Builder) Uint(name string, value uint64) *Builder {
	return b.Leaf(name, strconv.FormatUint(value, 10))
}

// Bool sets a leaf to a boolean.
func (b *Builder) Bool(name string, value bool) *Builder {
	return b.Leaf(name, strconv.FormatBool(value))
}

// Any sets an anydata or anyxml to a content.
func (b *Builder) Any(name string, content xmltext.Raw) *Builder {
	b.n.setKid(NewAny(b.schema(name), content))
	return b
}

// Expression sets a leaf, or adds an entry to a leaf-list, to the XPath expression of
// another leaf, with the namespaces that it stood in.
func (b *Builder) Expression(name string, from *Node) *Builder {
	n := NewLeaf(b.schema(name), from.text)
	n.note = from.note
	b.n.add(b.o, n)
	return b
}

// Time sets a leaf of type date-and-time; the zero time leaves it out.
func (b *Builder) Time(name string, t time.Time) *Builder {
	if t.IsZero() {
		return b
	}
	return b.Leaf(name, FormatTime(t))
}

// FormatTime writes a time as a date-and-time, in UTC with up to nanoseconds.
func FormatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Container starts a child container; it is part of the tree at once.
func (b *Builder) Container(name string) *Builder {
	s := b.schema(name)
	if have := b.n.Get(s); have != nil {
		return &Builder{n: have, o: b.o, parent: b}
	}
	c := &Builder{n: New(s), o: b.o, parent: b}
	b.n.setKid(c.n)
	return c
}

// Entry starts an entry of a child list, which is part of the tree at once.
func (b *Builder) Entry(list string, keys ...string) *Builder {
	s := b.schema(list)
	if len(s.Keys) > 0 {
		if have := b.n.Entry(s, Key(keys...)); have != nil {
			return &Builder{n: have, o: b.o, parent: b}
		}
	}
	c := &Builder{n: NewEntry(s, keys...), o: b.o, parent: b}
	b.n.add(b.o, c.n)
	return c
}

// Add puts finished children or entries into the node. They may be shared with
// other trees, so Container and Entry must not be asked for them again to add to
// them: With of the child makes a changed copy.
func (b *Builder) Add(children ...*Node) *Builder {
	for _, c := range children {
		b.n.add(b.o, c)
	}
	return b
}

// Up returns the builder of the parent.
func (b *Builder) Up() *Builder { return b.parent }

// Node returns the finished tree; the builder and those below it may not be used
// afterwards.
func (b *Builder) Node() *Node {
	for b.parent != nil {
		b = b.parent
	}
	return b.n
}
