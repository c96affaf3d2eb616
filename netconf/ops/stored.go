package ops

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// storedValue is a leaf of an edit that is stored with another value.
type storedValue struct {
	leaf       *yang.Node
	way        []*data.Node // from the top-level node to the leaf's parent
	sent, kept string
}

// storedValues finds them in an edit.
func (o *operations) storedValues(edit *data.Node) ([]storedValue, error) {
	var list []storedValue
	var errs rpcerr.Errors
	for leaf, f := range o.stored {
		var chain []*yang.Node
		for s := leaf.DataParent(); s != nil; s = s.DataParent() {
			chain = append(chain, s)
		}
		slices.Reverse(chain)
		walk(&data.Loc{Node: edit}, chain, func(l *data.Loc, way []*data.Node) {
			n := l.Node.Get(leaf)
			if n == nil || n.Value() == "" {
				return
			}
			kept, err := f(n.Value())
			if err != nil {
				errs = append(errs, rpcerr.InvalidValue("%v", err).At(l.Down(n).Path()).WithInfo("", "bad-element", leaf.Name))
				return
			}
			if kept != n.Value() {
				list = append(list, storedValue{leaf, slices.Clone(way), n.Value(), kept})
			}
		})
	}
	return list, errs.Err()
}

// walk visits the nodes at the end of a chain of schema nodes.
func walk(l *data.Loc, chain []*yang.Node, visit func(*data.Loc, []*data.Node), way ...*data.Node) {
	if len(chain) == 0 {
		visit(l, way)
		return
	}
	if chain[0].Kind == yang.List {
		for e := range l.Node.EntriesOf(chain[0]) {
			walk(l.Down(e), chain[1:], visit, append(way, e)...)
		}
		return
	}
	if c := l.Node.Get(chain[0]); c != nil {
		walk(l.Down(c), chain[1:], visit, append(way, c)...)
	}
}

// put sets the value in a tree that the edit was applied to, if the edit has put
// what was sent there.
func (v storedValue) put(root *data.Node) *data.Node {
	var set func(n *data.Node, way []*data.Node) *data.Node
	set = func(n *data.Node, way []*data.Node) *data.Node {
		if len(way) == 0 {
			if c := n.Get(v.leaf); c == nil || c.Value() != v.sent {
				return n
			}
			return n.With(data.NewLeaf(v.leaf, v.kept))
		}
		var c *data.Node
		if s := way[0].Schema(); s.Kind == yang.List {
			c = n.Entry(s, way[0].Key())
		} else {
			c = n.Get(s)
		}
		if c == nil {
			return n
		}
		if d := set(c, way[1:]); d != c {
			return n.With(d)
		}
		return n
	}
	return set(root, v.way)
}
