package data

import (
	"iter"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// Node is a node of a data tree.
type Node struct {
	schema *yang.Node
	text   string  // of a leaf: its value; of a list entry: its key
	kids   []*Node // of an interior node, ordered by schema; entries stand in a collection
	set    *set    // of a collection only
	note   *note   // what few nodes have
}

// note is what only some nodes have, apart to keep the others small.
type note struct {
	op Op
	// These are of what filters have selected: a node with some of its children only;
	// such a one below a node that was selected whole; a default, or a container
	// without presence that is not there.
	partial, pruned, assumed bool
	packed                   packing
	rare                     *rare
}

// rare is what very few nodes have.
type rare struct {
	move  *move          // of an edit's entry that the user orders
	raw   xmltext.Raw    // content of an anydata or anyxml; of an expression its scope
	tree  *Node          // of an anydata whose content has a schema
	attrs []xmltext.Attr // of an anyxml
}

// The notes of what filters select, shared by all such nodes.
var (
	partial = &note{partial: true}
	pruned  = &note{partial: true, pruned: true}
	assumed = &note{assumed: true}
)

var nothingRare = new(rare)

// rare is never nil.
func (n *Node) rare() *rare {
	if n.note == nil || n.note.rare == nil {
		return nothingRare
	}
	return n.note.rare
}

func (n *Node) isPruned() bool  { return n.note != nil && n.note.pruned }
func (n *Node) isPartial() bool { return n.note != nil && n.note.partial }
func (n *Node) isAssumed() bool { return n.note != nil && n.note.assumed }

// New returns an empty container, rpc input or output, notification or root.
func New(schema *yang.Node) *Node { return &Node{schema: schema} }

// NewLeaf returns a leaf or leaf-list entry of a canonical value.
func NewLeaf(schema *yang.Node, value string) *Node { return &Node{schema: schema, text: value} }

// NewEntry returns a list entry that has its keys, given in their order.
func NewEntry(schema *yang.Node, keys ...string) *Node {
	e := &Node{schema: schema, text: Key(keys...)}
	at := 0
	for i, k := range schema.Keys {
		end := at + len(keys[i])
		e.setKid(NewLeaf(k, e.text[at:end])) // in the memory of the whole key
		at = end + 1
	}
	return e
}

// NewAny returns an anydata or anyxml node of a content.
func NewAny(schema *yang.Node, raw xmltext.Raw) *Node {
	return &Node{schema: schema, note: &note{rare: &rare{raw: raw}}}
}

// Key joins the values of an entry's key leafs, in the schema's order.
func Key(values ...string) string { return strings.Join(values, "\x00") }

// NewAnyTree returns an anydata node whose content are the children of a node, which keep
// their schema: they are written in JSON as they would be in a datastore.
func NewAnyTree(schema *yang.Node, content *Node) *Node {
	return &Node{schema: schema, note: &note{rare: &rare{tree: content}}}
}

// Schema returns the node's schema.
func (n *Node) Schema() *yang.Node { return n.schema }

// Name returns the node's local name.
func (n *Node) Name() string { return n.schema.Name }

// Value returns the canonical value of a leaf or leaf-list entry.
func (n *Node) Value() string { return n.text }

// Key returns the key of a list entry, and the value of a leaf-list entry.
func (n *Node) Key() string { return n.text }

// Keys returns the key values of a list entry.
func (n *Node) Keys() []string {
	if len(n.schema.Keys) == 0 {
		return nil
	}
	return strings.Split(n.text, "\x00")
}

// Attrs returns the attributes of an anyxml, which are part of it, as those of a
// NETCONF filter. The slice is shared.
func (n *Node) Attrs() []xmltext.Attr { return n.rare().attrs }

// Raw returns the content of an anydata or anyxml.
func (n *Node) Raw() xmltext.Raw {
	if tree := n.rare().tree; tree != nil {
		return xmltext.Raw{Content: AppendChildrenXML(nil, tree, "")}
	}
	return n.rare().raw
}

// interior reports whether the node can have children.
func (n *Node) interior() bool {
	switch n.schema.Kind {
	case yang.Leaf, yang.LeafList, yang.AnyData, yang.AnyXML:
		return false
	}
	return n.set == nil
}

// Len is the number of children, entries counted one by one.
func (n *Node) Len() int {
	c := 0
	for _, k := range n.below() {
		if k.set != nil {
			c += k.set.len()
		} else {
			c++
		}
	}
	return c
}

// Empty reports whether the node has no children; a nil node has none.
func (n *Node) Empty() bool { return n == nil || len(n.kids) == 0 && !n.isPacked() }

func (n *Node) find(order int) (int, bool) {
	if len(n.kids) < 8 {
		for i, k := range n.kids {
			if k.schema.Order >= order {
				return i, k.schema.Order == order
			}
		}
		return len(n.kids), false
	}
	return slices.BinarySearchFunc(n.kids, order, func(k *Node, o int) int { return k.schema.Order - o })
}

// kid returns the child or the collection of a schema child, or nil.
func (n *Node) kid(schema *yang.Node) *Node {
	if n == nil {
		return nil
	}
	if i, ok := n.find(schema.Order); ok && n.kids[i].schema == schema {
		return n.kids[i]
	}
	if n.isPacked() {
		return n.unpackKid(schema)
	}
	return nil
}

// Get returns the only child of a schema node, which is no list or leaf-list;
// nil without one. A nil node has no children.
func (n *Node) Get(schema *yang.Node) *Node {
	if k := n.kid(schema); k != nil && k.set == nil {
		return k
	}
	return nil
}

// Child returns the child of a local name that is no list or leaf-list; nil
// without one, or when the schema has no such unambiguous name.
func (n *Node) Child(name string) *Node {
	if n == nil {
		return nil
	}
	if s := n.schema.ChildNamed(name); s != nil {
		return n.Get(s)
	}
	return nil
}

// Descend follows the local names of children.
func (n *Node) Descend(names ...string) *Node {
	for _, name := range names {
		n = n.Child(name)
	}
	return n
}

// Leaf returns the value of a child leaf, "" without one.
func (n *Node) Leaf(name string) string {
	if c := n.Child(name); c != nil {
		return c.text
	}
	return ""
}

// Has reports whether there is a child of that local name, an entry of a list
// included.
func (n *Node) Has(name string) bool {
	if n == nil {
		return false
	}
	s := n.schema.ChildNamed(name)
	return s != nil && n.kid(s) != nil
}

// Entry returns the entry of a list by key, or of a leaf-list by value; nil
// without one.
func (n *Node) Entry(schema *yang.Node, key string) *Node {
	if k := n.kid(schema); k != nil && k.set != nil {
		return k.set.get(key)
	}
	return nil
}

// EntryNamed is Entry by local name and key values.
func (n *Node) EntryNamed(list string, keys ...string) *Node {
	if n == nil {
		return nil
	}
	if s := n.schema.ChildNamed(list); s != nil {
		return n.Entry(s, Key(keys...))
	}
	return nil
}

// Entries yields the entries of a list or leaf-list in order.
func (n *Node) Entries(name string) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if n == nil {
			return
		}
		if s := n.schema.ChildNamed(name); s != nil {
			n.EntriesOf(s)(yield)
		}
	}
}

// EntriesOf yields the entries of a list or leaf-list in order.
func (n *Node) EntriesOf(schema *yang.Node) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if k := n.kid(schema); k != nil && k.set != nil {
			k.set.each(yield)
		}
	}
}

// EntriesFrom yields the entries of a list that the system orders from a key on, whether
// or not there is an entry of it. Finding the first costs O(log n).
func (n *Node) EntriesFrom(schema *yang.Node, key string) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if k := n.kid(schema); k != nil && k.set != nil {
			k.set.root.eachFrom(key, yield)
		}
	}
}

// Count is the number of entries of a list or leaf-list.
func (n *Node) Count(schema *yang.Node) int {
	if k := n.kid(schema); k != nil && k.set != nil {
		return k.set.len()
	}
	return 0
}

// Values returns the values of a leaf-list.
func (n *Node) Values(name string) []string {
	var out []string
	for e := range n.Entries(name) {
		out = append(out, e.text)
	}
	return out
}

// Children yields the children in the schema's order, entries one by one.
func (n *Node) Children() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if n == nil {
			return
		}
		for _, k := range n.below() {
			if k.set == nil {
				if !yield(k) {
					return
				}
				continue
			}
			if !k.set.each(yield) {
				return
			}
		}
	}
}

// setKid puts a child or collection into a node that is not yet shared.
func (n *Node) setKid(k *Node) {
	n.unpack()
	i, ok := n.find(k.schema.Order)
	if ok {
		n.kids[i] = k
		return
	}
	if i == len(n.kids) {
		n.kids = append(n.kids, k)
		return
	}
	n.kids = slices.Insert(n.kids, i, k)
}

// add puts a child or an entry into a node that is not yet shared; an entry of
// the same key is replaced.
func (n *Node) add(o *owner, c *Node) {
	if !c.schema.Multiple() {
		n.setKid(c)
		return
	}
	k := n.kid(c.schema)
	if k == nil {
		k = &Node{schema: c.schema, set: newSet(c.schema)}
	}
	if s := k.set.put(o, c); s != k.set {
		n.setKid(&Node{schema: c.schema, set: s})
	}
}

// remove takes a child or an entry out of a node that is not yet shared.
func (n *Node) remove(o *owner, schema *yang.Node, key string) {
	n.unpack()
	i, ok := n.find(schema.Order)
	if !ok || n.kids[i].schema != schema {
		return
	}
	if k := n.kids[i]; k.set != nil {
		if s := k.set.delete(o, key); s.len() > 0 {
			n.kids[i] = &Node{schema: schema, set: s}
			return
		}
	}
	n.kids = slices.Delete(n.kids, i, i+1)
}

// clone copies a node but not what is below. The copy is not packed.
func (n *Node) clone() *Node {
	c := *n
	if n.isPacked() {
		c.unpack()
	} else {
		c.kids = slices.Clone(n.kids)
	}
	return &c
}

// With returns a copy of the node that has the child; a child of the same
// schema, or the entry of the same key, is replaced.
func (n *Node) With(children ...*Node) *Node {
	c := n.clone()
	o := new(owner)
	for _, ch := range children {
		c.add(o, ch)
	}
	return c
}

// Without returns a copy of the node without a child, or without the entry of a
// key.
func (n *Node) Without(schema *yang.Node, key string) *Node {
	c := n.clone()
	c.remove(new(owner), schema, key)
	return c
}

// same reports whether two nodes are the same child of a parent: of one schema
// and, for entries, of one key.
func same(a, b *Node) bool {
	return a.schema == b.schema && (!a.schema.Multiple() || a.text == b.text)
}

// Equal reports whether two trees are alike: the same nodes with the same values
// and, where the user orders, in the same order.
func Equal(a, b *Node) bool {
	equal := true
	Diff(a, b, func(*Loc, *Node, *Node) bool {
		equal = false
		return false
	})
	return equal
}

// Loc is a node with the way to it. Locs are made by walks and compare by what
// they hold, not by pointer.
type Loc struct {
	Parent *Loc
	Node   *Node
}

// Down returns the place of a child.
func (l *Loc) Down(n *Node) *Loc { return &Loc{l, n} }

// WithOnly returns a copy of the node whose children of a schema node are the given
// ones alone, entries in their order; without any when none is given.
func (n *Node) WithOnly(schema *yang.Node, children ...*Node) *Node {
	c, o := n.clone(), new(owner)
	if i, ok := c.find(schema.Order); ok && c.kids[i].schema == schema {
		c.kids = slices.Delete(c.kids, i, i+1)
	}
	for _, ch := range children {
		c.add(o, ch)
	}
	return c
}
