package push

import (
	"strings"

	"incidentd/yang/data"
)

// maxTouched is how many changed nodes a dampening period remembers.
const maxTouched = 10_000

// churn is what has changed within a dampening period, whatever has become of it. The patch
// at the end tells also of nodes that have changed and changed back [RFC 8641 section
// 3.8].
type churn struct {
	seen     *data.Node
	touched  map[string]edit // the last edit of each target
	order    []string        // targets as they came
	overflow bool
}

func newChurn(from *data.Node) *churn { return &churn{seen: from, touched: map[string]edit{}} }

// note looks at what is selected after one more transaction.
func (c *churn) note(sel *selection, tree *data.Node, excluded changeTypes) {
	if tree == c.seen {
		return
	}
	for _, e := range sel.patch(c.seen, tree, excluded).edits {
		target := resource(e.way)
		if _, have := c.touched[target]; !have {
			if len(c.touched) == maxTouched {
				c.overflow = true
				continue
			}
			c.order = append(c.order, target)
		}
		c.touched[target] = e
	}
	c.seen = tree
}

// patch adds to a patch, after which a tree is there, what it does not tell of the nodes
// that have changed. It is incomplete when too many have.
func (c *churn) patch(p *publisher, made *patch, tree *data.Node) (_ *patch, incomplete bool) {
	told := map[string]bool{}
	for _, e := range made.edits {
		told[resource(e.way)] = e.change != move
	}
	all := made.edits[:len(made.edits):len(made.edits)]
	for _, target := range c.order {
		if _, have := told[target]; have || within(told, target) {
			continue
		}
		if e, ok := now(c.touched[target], tree); ok {
			all = append(all, e)
			told[target] = e.change != move
		}
	}
	if len(all) == len(made.edits) {
		return made, c.overflow
	}
	out := p.newPatch(all)
	out.withheld = made.withheld
	return out, c.overflow
}

// within reports whether a target stands in one that is told as a whole.
func within(told map[string]bool, target string) bool {
	if told["/"] && target != "/" {
		return true
	}
	for i := strings.LastIndexByte(target, '/'); i > 0; i = strings.LastIndexByte(target[:i], '/') {
		if told[target[:i]] {
			return true
		}
	}
	return false
}

// now is an edit with what its node is in a tree; false when it is told with the node
// around it, which is gone.
func now(e edit, tree *data.Node) (edit, bool) {
	if len(e.way) == 0 {
		e.value = tree
		return e, true
	}
	parent, n := find(tree, e.way)
	switch {
	case parent == nil:
		return e, false
	case n == nil:
		return edit{change: remove, way: e.way}, true
	case e.change == remove: // it came back with the node around it
		return e, false
	}
	if e.value != nil {
		e.value = n
	}
	if e.change == insert || e.change == move {
		e.after = nil
		for other := range parent.EntriesOf(n.Schema()) {
			if other == n {
				break
			}
			e.after = other
		}
	}
	return e, true
}
