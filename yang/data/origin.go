package data

import "incidentd/yang"

// OfOrigin returns what is left of a tree of the operational datastore when its
// configuration is filtered by origin: nodes whose origin is wanted, and those that
// lead to them; nil without any. Origins are the identities of ietf-origin without
// their module, told as by WriteOriginsXML. State is not affected [RFC 8526 section
// 3.1.1].
func OfOrigin(n, intended *Node, want func(origin string) bool) *Node {
	if n == nil || !n.schema.Config {
		return n
	}
	from := originSystem
	if intended != nil {
		from = originIntended
	}
	if !n.interior() {
		if want(from) {
			return n
		}
		return nil
	}
	out := &Node{schema: n.schema, text: n.text}
	o := new(owner)
	whole, kept := true, false
	for c := range n.Children() {
		if c.schema.IsKey() {
			out.add(o, c)
			continue
		}
		k := OfOrigin(c, intended.lookup(c), want)
		whole = whole && k == c
		if k != nil {
			kept = true
			out.add(o, k)
		}
	}
	switch {
	case n.schema.Kind != yang.Root && !kept && !want(from):
		return nil
	case whole:
		return n
	}
	return out
}
