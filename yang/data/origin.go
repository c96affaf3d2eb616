package data

import "incidentd/yang"

// OfOrigin returns what is left of a tree of the operational datastore when its
// configuration is filtered by origin: nodes whose origin is wanted, and those that
// lead to them; nil without any. Origins are the identities of ietf-origin without
// their module, told as a View does, with the mode that it has; defaults that are
// wanted stand in the tree, in the way that Filter.Select leaves them. State is not
// affected [RFC 8526 section 3.1.1].
func OfOrigin(n, intended *Node, mode Defaults, want func(origin string) bool) *Node {
	f := originFilter{viewer: viewer{defaults: mode, active: true}, want: want, o: new(owner)}
	return f.filter(n, intended)
}

type originFilter struct {
	viewer
	want func(origin string) bool
	o    *owner
}

func (f *originFilter) filter(n, intended *Node) *Node {
	if n == nil || !n.schema.Config {
		return n
	}
	from := originSystem
	switch {
	case n.isAssumed():
		from = originDefault
	case intended != nil:
		from = originIntended
	}
	if !n.interior() {
		if f.want(from) {
			return n
		}
		return nil
	}
	out := &Node{schema: n.schema, text: n.text, note: pruned}
	if n.isPartial() {
		out.note = partial
	}
	kept := f.children(out, n, intended)
	if n.schema.Kind != yang.Root && !kept && !f.want(from) {
		return nil
	}
	return out
}

// children puts what is left of the children of a node into out, and reports whether
// that is anything but keys.
func (f *originFilter) children(out, n, intended *Node) (kept bool) {
	for c := range n.Children() {
		if c.schema.IsKey() {
			out.add(f.o, c)
			continue
		}
		if k := f.filter(c, intended.lookup(c)); k != nil {
			kept = true
			out.add(f.o, k)
		}
	}
	for _, a := range f.defaultsOf(n) {
		if n.kid(a.schema) != nil || !n.caseChosen(a.schema) {
			continue
		}
		for _, d := range a.nodes {
			if k := f.filter(d, nil); k != nil && (!k.interior() || !k.Empty()) {
				kept = true
				out.add(f.o, k)
			}
		}
	}
	return kept
}
