package xpath

// A Kind says what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Root    Kind = iota // the root, above all top-level nodes
	Element             // an element that holds elements: container, list entry, anydata
	Leaf                // an element that holds a text: leaf, leaf-list entry
	Text                // the text in a Leaf; only this package makes these
)

// A Name is an expanded name. The zero Name is that of the root and of texts.
type Name struct {
	Space string // namespace URI
	Local string
}

// A Node is a handle of a node in a tree that does not change while it is used.
// A handle is cheap: expressions make and forget many. Two handles of one node need
// not be ==, as those of a tree without parent pointers carry the way that led to
// them; Compare tells. Handles of one tree are used by one evaluation at a time
// unless the implementation allows more.
//
// The methods with a yield function call it until it returns false, in document
// order. They return nil (the interface, not a nil pointer within it) for no node.
type Node interface {
	// Kind is Root, Element or Leaf.
	Kind() Kind

	// Name is the expanded name of an element.
	Name() Name

	// Parent is nil for the root.
	Parent() Node

	// Value is the text of a Leaf, in its canonical form. It is asked of no other
	// kind.
	Value() string

	// Children yields all child elements.
	Children(yield func(Node) bool)

	// ChildrenNamed yields the child elements of one name, without looking at the
	// others.
	ChildrenNamed(name Name, yield func(Node) bool)

	// One is a short cut for names that occur at most once below this node
	// (containers and leafs): the child (nil if it is not there) and true. Where
	// the name may occur more often (lists, leaf-lists, unknown), it is false.
	One(name Name) (Node, bool)

	// Keys names the keys of the list of that name below this node, in their order
	// in the schema; they are in the namespace of the list. For a leaf-list whose
	// values are unique it is "." alone. It is empty where entries cannot be looked
	// up: no such list, a list without keys.
	Keys(list Name) []string

	// Entry looks up the entry of a list by the values of all its keys in the order
	// of Keys, nil if there is none. A key is hit when its Value is exactly that
	// text. The slice belongs to the caller.
	Entry(list Name, values []string) Node

	// Compare tells the document order of two nodes of one tree: negative when this
	// node comes first, 0 when it is the same node. An element comes before its
	// children.
	Compare(other Node) int
}

// textNode is the text in a leaf.
type textNode struct{ leaf Node }

func (t *textNode) Kind() Kind                          { return Text }
func (t *textNode) Name() Name                          { return Name{} }
func (t *textNode) Parent() Node                        { return t.leaf }
func (t *textNode) Value() string                       { return t.leaf.Value() }
func (t *textNode) Children(func(Node) bool)            {}
func (t *textNode) ChildrenNamed(Name, func(Node) bool) {}
func (t *textNode) One(Name) (Node, bool)               { return nil, true }
func (t *textNode) Keys(Name) []string                  { return nil }
func (t *textNode) Entry(Name, []string) Node           { return nil }
func (t *textNode) Compare(other Node) int              { return compareNodes(t, other) }

// compareNodes compares nodes among which there may be texts.
func compareNodes(a, b Node) int {
	ta, aText := a.(*textNode)
	tb, bText := b.(*textNode)
	if !aText && !bText {
		return a.Compare(b)
	}
	if aText {
		a = ta.leaf
	}
	if bText {
		b = tb.leaf
	}
	if c := a.Compare(b); c != 0 {
		return c
	}
	switch {
	case aText && !bText:
		return 1
	case bText && !aText:
		return -1
	}
	return 0
}

// textOf makes the text node of a leaf; an empty leaf has none.
func textOf(n Node) (Node, bool) {
	if n.Kind() != Leaf || n.Value() == "" {
		return nil, false
	}
	return &textNode{n}, true
}
