package subscribe

import (
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// filter is a subtree filter on notifications [RFC 5277 section 5, RFC 6241 section
// 6]: one of its parts has to match.
type filter struct{ parts map[*yang.Node][]part }

// part is an element of a filter, bound to a notification.
type part struct {
	// match are the content matches on the notification's own leafs, all of which
	// must be met, rest what else is asked for, of which one has to be there when
	// nothing is matched. Without either every such notification passes.
	match, rest []*data.Filter
}

func newFilter(schema *yang.Schema, elements []*xmltext.Element) *filter {
	f := &filter{parts: map[*yang.Node][]part{}}
	for n := range schema.Notifications() {
		for _, e := range elements {
			if e.Local != n.Name || e.Space != "" && e.Space != n.Module.Namespace || len(e.Attrs) > 0 {
				continue
			}
			if len(e.Children) == 0 && strings.TrimSpace(e.Text) != "" {
				continue // a content match on what has no value
			}
			var p part
			for _, c := range e.Children {
				one := data.NewFilter(schema, n, []*xmltext.Element{c})
				if len(c.Children) == 0 && strings.TrimSpace(c.Text) != "" {
					p.match = append(p.match, one)
				} else {
					p.rest = append(p.rest, one)
				}
			}
			f.parts[n] = append(f.parts[n], p)
		}
	}
	return f
}

// matches reports whether a notification passes.
func (f *filter) matches(n *data.Node) bool {
	return slices.ContainsFunc(f.parts[n.Schema()], func(p part) bool { return p.matches(n) })
}

func (p part) matches(n *data.Node) bool {
	for _, m := range p.match {
		if m.Select(n) == nil {
			return false
		}
	}
	if len(p.match) > 0 || len(p.rest) == 0 {
		return true
	}
	return slices.ContainsFunc(p.rest, func(r *data.Filter) bool { return r.Select(n) != nil })
}
