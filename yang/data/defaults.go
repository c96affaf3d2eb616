package data

import (
	"slices"

	"incidentd/yang"
)

// Defaults is how a retrieval handles leafs that have their default value [RFC 6243
// section 3]. What is in the tree was set explicitly, by a client or by the server;
// what is not there is default data. The zero value is the mode without a parameter.
type Defaults uint8

// The modes.
const (
	Explicit Defaults = iota
	ReportAll
	ReportAllTagged
	Trim
)

var defaultsNames = map[string]Defaults{
	"explicit": Explicit, "report-all": ReportAll, "report-all-tagged": ReportAllTagged, "trim": Trim,
}

// ParseDefaults returns the mode of a name.
func ParseDefaults(name string) (Defaults, bool) {
	d, ok := defaultsNames[name]
	return d, ok
}

// adds reports whether an absent leaf or leaf-list of a schema node is reported with
// its default. State is so in the mode explicit as well [RFC 6243 section 3.3].
func (d Defaults) adds(s *yang.Node) bool {
	switch d {
	case ReportAll, ReportAllTagged:
		return len(s.Defaults) > 0
	case Explicit:
		return len(s.Defaults) > 0 && !s.Config
	}
	return false
}

// addsBelow reports whether anything is reported for an absent child: a default, or
// one below a container without presence, which is always there.
func (d Defaults) addsBelow(s *yang.Node) bool {
	if s.Kind == yang.Container && !s.Presence {
		return slices.ContainsFunc(s.Data, d.addsBelow)
	}
	return s.HasValue() && d.adds(s)
}

// hides reports whether a leaf or a collection of a leaf-list is not reported, as it
// has the default value.
func (d Defaults) hides(n *Node) bool {
	if d != Trim || len(n.schema.Defaults) == 0 || n.schema.IsKey() {
		return false
	}
	if n.set == nil {
		return n.hasDefault()
	}
	if n.set.len() != len(n.schema.Defaults) {
		return false
	}
	for _, v := range n.schema.Defaults {
		if n.set.get(v) == nil {
			return false
		}
	}
	return true
}

// hasDefault reports whether a leaf that is no key has its default value.
func (n *Node) hasDefault() bool {
	s := n.schema
	return s.Kind == yang.Leaf && len(s.Defaults) > 0 && n.text == s.Defaults[0] && !s.IsKey()
}

// assume makes the node that stands for a default.
func assume(s *yang.Node, value string) *Node {
	return &Node{schema: s, text: value, note: assumed}
}

// Allows evaluates the when conditions of a child that is not there, and those of the
// choices and cases around it.
func (x *XPath) Allows(parent *Loc, s *yang.Node) bool {
	for n := s; ; n = n.Parent {
		for _, w := range n.Whens {
			at := parent
			if !w.OnParent {
				at = parent.Down(New(n)) // a dummy node [RFC 7950 section 7.21.5]
			}
			if ok, err := w.Expr.EvalBool(x.context(at)); err != nil || !ok {
				return false
			}
		}
		if n.Parent == nil || n.Parent.Kind != yang.Choice && n.Parent.Kind != yang.Case {
			return true
		}
	}
}

// conditional reports whether a node, or a choice or case around it, has a when.
func conditional(s *yang.Node) bool {
	for ; ; s = s.Parent {
		if len(s.Whens) > 0 {
			return true
		}
		if s.Parent == nil || s.Parent.Kind != yang.Choice && s.Parent.Kind != yang.Case {
			return false
		}
	}
}
