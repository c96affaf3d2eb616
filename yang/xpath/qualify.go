package xpath

// A Typed node knows the types of its tree. Values of identityrefs and
// instance-identifiers hold names, which have no canonical form: in an expression they
// are written with the prefixes of the expression [RFC 7950 section 9.10.3]. Other
// nodes have one text everywhere.
type Typed interface {
	Node

	// Text is the value of this leaf with the prefixes of an expression.
	Text(names *Namespaces) string

	// Canonical is what a text of an expression would be as the Value of this leaf; a
	// text that cannot be its value stays as it is.
	Canonical(text string, names *Namespaces) string

	// CanonicalKey is Canonical for a key of the entries of a list below this node,
	// by the names that Keys gives.
	CanonicalKey(list Name, key, text string, names *Namespaces) string
}

// typed is the leaf of a value.
func typed(n Node) (Typed, bool) {
	if t, ok := n.(*textNode); ok {
		n = t.leaf
	}
	t, ok := n.(Typed)
	return t, ok
}

// value is the text of a leaf, or of its text.
func (m *machine) value(n Node) string {
	if t, ok := typed(n); ok {
		return t.Text(m.names)
	}
	return n.Value()
}

// is reports whether the string-value of a node is a text.
func (m *machine) is(n Node, text string) bool {
	if k := n.Kind(); k == Leaf || k == Text {
		if t, ok := typed(n); ok {
			return m.spendText(t.Value()) == t.Canonical(m.spendText(text), m.names)
		}
	}
	return m.text(n) == text
}

// asKey is a text as a key of a list below n.
func (m *machine) asKey(n Node, list Name, key, text string) string {
	if t, ok := n.(Typed); ok {
		return t.CanonicalKey(list, key, m.spendText(text), m.names)
	}
	return text
}
