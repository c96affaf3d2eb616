package validate

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Settle returns an edited tree without the nodes whose when condition the edit
// of old made false, and without those whose conditions are false for that reason
// in turn [RFC 7950 section 8.3.2]. Containers without presence that are empty
// then go as well. What the edit itself adds or sets where a condition is false is
// refused with unknown-element; the error is an rpcerr.Errors of all that, up to a
// hundred.
//
// The result is edited itself when nothing has to go. The cost follows the change
// as that of Change does. The result still has to be validated.
func (v *Validator) Settle(old, edited *data.Node) (*data.Node, error) {
	// What the edit adds may be allowed only because of what goes later, and
	// the other way round: so all that goes goes first.
	before, now := old, edited
	var added []*data.Loc
	for {
		c := v.check(now, false)
		var again dues
		data.Diff(before, now, func(parent *data.Loc, was, is *data.Node) bool {
			for _, n := range []*data.Node{was, is} {
				if n != nil {
					c.touched(parent.Down(n), func(e *effect, _ *data.Loc) {
						for _, d := range e.whens {
							again.add(parent, d)
						}
					})
				}
			}
			if is != nil && before == old && now == edited {
				added = append(added, c.conditionals(parent.Down(is))...)
			}
			return true
		})
		var remove []*data.Loc
		for _, d := range again.order {
			for s := range dataBelow(d.node) {
				c.instances(again.at[d], s, func(l *data.Loc) {
					if c.allowed(l.Parent, s, l) {
						return
					}
					if sets(find(old, l), l.Node) {
						added = append(added, l)
						return
					}
					remove = append(remove, l)
				})
			}
		}
		if len(remove) == 0 {
			break
		}
		before = now
		for _, l := range remove {
			now = without(now, l)
		}
	}
	c := v.check(now, false)
	for _, l := range added {
		if at := find(now, l); at != nil && !c.allowed(at.Parent, at.Node.Schema(), at) {
			s := at.Node.Schema()
			c.fail(at.Path(), rpcerr.UnknownElement(s.Name, "%q may not be here: its when condition is false", s.Name))
		}
	}
	if err := c.errs.Err(); err != nil {
		return nil, err
	}
	return now, nil
}

// conditionals are the nodes of a new subtree that stand under a condition.
func (c *check) conditionals(l *data.Loc) (out []*data.Loc) {
	s := l.Node.Schema()
	if underWhen(s) {
		out = append(out, l)
	}
	if c.conditional[s] {
		for child := range l.Node.Children() {
			out = append(out, c.conditionals(l.Down(child))...)
		}
	}
	return out
}

// underWhen reports whether the node, or a choice or case around it, has a
// condition.
func underWhen(s *yang.Node) bool {
	for ; s != nil; s = s.Parent {
		if len(s.Whens) > 0 {
			return true
		}
		if s.Parent == nil || s.Parent.Kind != yang.Choice && s.Parent.Kind != yang.Case {
			return false
		}
	}
	return false
}

// sets reports whether a node, or something below it, is new or has another value.
func sets(old *data.Loc, n *data.Node) bool {
	if old == nil {
		return true
	}
	if old.Node.Schema().HasValue() {
		return old.Node.Value() != n.Value()
	}
	found := false
	data.Diff(old.Node, n, func(_ *data.Loc, _, is *data.Node) bool {
		found = found || is != nil
		return !found
	})
	return found
}

// way is the places from below the root down to l.
func way(l *data.Loc) (out []*data.Loc) {
	for ; l != nil && l.Parent != nil; l = l.Parent {
		out = append(out, l)
	}
	slices.Reverse(out)
	return out
}

// find is the place in another tree that corresponds to l, nil without one.
// Entries without keys are told apart by being the same node.
func find(root *data.Node, l *data.Loc) *data.Loc {
	at := &data.Loc{Node: root}
	for _, step := range way(l) {
		n := lookup(at.Node, step.Node)
		if n == nil {
			return nil
		}
		at = at.Down(n)
	}
	return at
}

func lookup(parent, n *data.Node) *data.Node {
	s := n.Schema()
	switch {
	case !s.Multiple():
		return parent.Get(s)
	case s.Kind == yang.List && len(s.Keys) == 0, s.Kind == yang.LeafList && !s.Config:
		for e := range parent.EntriesOf(s) {
			if e == n {
				return e
			}
		}
		return nil
	}
	return parent.Entry(s, n.Key())
}

// without is a tree without a node, and without the containers that are nothing
// without it.
func without(root *data.Node, l *data.Loc) *data.Node {
	at := find(root, l)
	if at == nil {
		return root // it went with a node above
	}
	for n := (*data.Node)(nil); ; {
		parent := at.Parent
		if n == nil {
			n = parent.Node.Without(at.Node.Schema(), at.Node.Key())
		} else {
			n = parent.Node.With(n)
		}
		for n.Schema().Kind == yang.Container && !n.Schema().Presence && n.Empty() && parent.Parent != nil {
			at, parent = parent, parent.Parent
			n = parent.Node.Without(at.Node.Schema(), "")
		}
		if parent.Parent == nil {
			return n
		}
		at = parent
	}
}
