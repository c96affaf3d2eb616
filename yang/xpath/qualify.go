package xpath

import "strings"

// A Typed node knows the types of its tree. Values of identityrefs and
// instance-identifiers hold names of other modules, which have no canonical form of
// their own [RFC 7950 sections 9.10.3 and 9.13.3]: a literal that an expression
// compares with such a value means what it means with the prefixes of the
// expression. A tree of other nodes is compared text by text.
type Typed interface {
	Node

	// Canonical is what a literal would be as the value of this leaf; a literal
	// that cannot be its value stays as it is.
	Canonical(literal string, names *Namespaces) string

	// CanonicalKey is Canonical for a key of the entries of a list below this node,
	// by the names that Keys gives.
	CanonicalKey(list Name, key, literal string, names *Namespaces) string
}

// mayQualify reports whether a literal has the form of an identity's name or of an
// instance-identifier.
func mayQualify(s string) bool {
	s = strings.Trim(s, " \t\r\n")
	if strings.HasPrefix(s, "/") {
		return true
	}
	n := ncname(s)
	if n > 0 && n < len(s) && s[n] == ':' {
		s = s[n+1:]
		n = ncname(s)
	}
	return n > 0 && n == len(s)
}

// wanted is a text that values are compared with.
type wanted struct {
	text string
	// names are the namespaces of a literal; nil for a text that is canonical.
	names *Namespaces
}

// is reports whether the string-value of a node is the text.
func (m *machine) is(n Node, w wanted) bool {
	if w.names != nil {
		leaf := n
		if t, ok := n.(*textNode); ok {
			leaf = t.leaf
		}
		if t, ok := leaf.(Typed); ok && leaf.Kind() == Leaf {
			return m.text(n) == t.Canonical(w.text, w.names)
		}
	}
	return m.text(n) == w.text
}

// asKey is the text as a key of a list below n.
func (w wanted) asKey(n Node, list Name, key string) string {
	if t, ok := n.(Typed); ok && w.names != nil {
		return t.CanonicalKey(list, key, w.text, w.names)
	}
	return w.text
}
