package yang

import (
	"slices"
	"strings"
)

// deviate applies the deviations of all implemented modules, after the augments:
// what another module added can be deviated from as well [RFC 7950 section
// 7.20.3].
func (c *compiler) deviate() {
	for _, m := range c.schema.Modules {
		if !m.Implemented {
			continue
		}
		for s := range m.all("deviation") {
			n, off := c.absolute(s)
			switch {
			case n == nil && off:
			case n == nil:
				c.fail(s.errorf("no such node in the schema"))
			default:
				if n.Module != m && !slices.Contains(n.Module.DeviatedBy, m.Name) {
					n.Module.DeviatedBy = append(n.Module.DeviatedBy, m.Name)
				}
				c.deviateNode(n, s)
			}
		}
	}
}

func (c *compiler) deviateNode(n *Node, s *statement) {
	for d := range s.all("deviate") {
		if d.arg == "not-supported" {
			if len(s.subs) > 1 && slices.ContainsFunc(s.subs, func(o *statement) bool { return o.keyword == "deviate" && o != d }) {
				c.fail(d.errorf("stands beside another deviate"))
			}
			c.remove(n)
			return
		}
		replaced := false // the defaults
		for _, sub := range d.subs {
			if strings.Contains(sub.keyword, ":") || !c.mayHave(n, sub) {
				continue
			}
			has := n.has(sub.keyword)
			switch {
			case d.arg == "add" && has && sub.keyword != "must" && sub.keyword != "unique" && !(sub.keyword == "default" && n.Kind == LeafList):
				c.fail(sub.errorf("%s has a %s already", n, sub.keyword))
			case d.arg == "delete":
				if !c.deleteProperty(n, sub) {
					c.fail(sub.errorf("%s has no such %s to delete", n, sub.keyword))
				}
			case d.arg == "replace" && !has && sub.keyword != "config" && sub.keyword != "mandatory" && sub.keyword != "min-elements" && sub.keyword != "max-elements":
				c.fail(sub.errorf("%s has no %s to replace", n, sub.keyword))
			default:
				if sub.keyword == "default" && d.arg == "replace" && !replaced {
					n.def.own, replaced = nil, true
				}
				c.setProperty(n, sub)
			}
		}
	}
}

// has reports whether the node's own definition states a property.
func (n *Node) has(keyword string) bool {
	switch keyword {
	case "default":
		return len(n.def.own) > 0
	case "units":
		return n.Units != ""
	case "min-elements":
		return n.Min > 0
	case "max-elements":
		return n.Max > 0
	case "mandatory":
		return n.Mandatory
	case "type":
		return n.def.typ != nil
	case "config":
		return n.def.stmt.sub("config") != nil
	}
	return false
}

func (c *compiler) setProperty(n *Node, s *statement) {
	switch s.keyword {
	case "config":
		c.setConfig(n, s.arg == "true")
	case "mandatory":
		n.Mandatory = s.arg == "true"
	case "default":
		n.def.own = append(n.def.own, s)
	case "type":
		n.def.typ = s
	case "units":
		n.Units = s.arg
	case "min-elements", "max-elements":
		n.limit(s)
	case "must":
		c.constraint(n, s)
	case "unique":
		n.def.uniques = append(n.def.uniques, s)
	}
}

// deleteProperty takes a property of the same argument away; false when the node
// has none.
func (c *compiler) deleteProperty(n *Node, s *statement) bool {
	same := func(o *statement) bool { return o.arg == s.arg }
	switch s.keyword {
	case "units":
		had := n.Units == s.arg
		n.Units = ""
		return had
	case "default":
		had := slices.ContainsFunc(n.def.own, same)
		n.def.own = slices.DeleteFunc(n.def.own, same)
		return had
	case "unique":
		had := slices.ContainsFunc(n.def.uniques, same)
		n.def.uniques = slices.DeleteFunc(n.def.uniques, same)
		return had
	case "must":
		had := slices.ContainsFunc(n.Musts, func(k *Constraint) bool { return k.Text == s.arg })
		n.Musts = slices.DeleteFunc(n.Musts, func(k *Constraint) bool { return k.Text == s.arg })
		return had
	}
	return false
}
