package ops

import (
	"incidentd/yang/data"
)

// change is a place where two trees differ: a node that came (old is nil) or went (new
// is nil) with all below it, a leaf of another value, or, with both nil, an entry that
// the user has moved.
type change struct {
	target   string // an instance-identifier
	old, new *data.Node
}

// operation is what an edit would have done to make it [RFC 6241 section 7.2].
func (c change) operation() string {
	switch {
	case c.old == nil && c.new == nil:
		return "move"
	case c.old == nil:
		return "create"
	case c.new == nil:
		return "delete"
	}
	return "replace"
}

// difference returns the changes from one tree to another, in the order of the schema;
// nil and false when there are more than most. It costs what the difference does.
func difference(old, new *data.Node, most int) (list []change, complete bool) {
	gone := map[string]int{} // where entries that may have moved stand in the list
	complete = true
	data.Diff(old, new, func(parent *data.Loc, was, is *data.Node) bool {
		n := is
		if n == nil {
			n = was
		}
		c := change{parent.Down(n).InstanceID(), was, is}
		if n.Schema().UserOrdered {
			if i, moved := gone[c.target]; moved && was == nil && data.Equal(list[i].old, is) {
				list[i].old = nil
				return true
			}
			if is == nil {
				gone[c.target] = len(list)
			}
		}
		complete = len(list) < most
		list = append(list, c)
		return complete
	})
	if !complete {
		return nil, false
	}
	return list, true
}
