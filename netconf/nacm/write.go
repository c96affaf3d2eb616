package nacm

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// mostErrors bounds how many violations of one change are told.
const mostErrors = 100

// Write answers access-denied, with its path, for each node that makes the difference
// of two trees of a datastore and that the user may not create, update or delete [RFC
// 8341 section 3.2]. Either tree may be nil.
func (a *Access) Write(old, new *data.Node) error {
	if a == nil || old == new {
		return nil
	}
	old, new = orEmpty(a, old), orEmpty(a, new)
	w := &writeCheck{access: a, states: map[*data.Loc]*state{}}
	w.check(&data.Loc{Node: new}, old, new)
	if len(w.errs) == 0 {
		return nil
	}
	a.policy.denied.writes.Add(1)
	return w.errs.Err()
}

func orEmpty(a *Access, n *data.Node) *data.Node {
	if n == nil {
		return data.New(a.policy.schema.Root)
	}
	return n
}

type writeCheck struct {
	access *Access
	states map[*data.Loc]*state
	errs   rpcerr.Errors
}

// change is a difference of two trees: what is in a place before and after.
type change struct {
	at       *data.Loc // the node that it is in
	old, new *data.Node
}

// check looks at all that differs in two nodes; at is the place of the new one.
func (w *writeCheck) check(at *data.Loc, old, new *data.Node) {
	var moves []move
	index := map[place]int{}
	data.Diff(old, new, func(in *data.Loc, x, y *data.Node) bool {
		c := change{under(at, in), x, y}
		entry := x
		if x == nil {
			entry = y
		}
		if x != nil && y != nil || !entry.Schema().UserOrdered {
			w.change(c)
			return len(w.errs) < mostErrors
		}
		// An entry that the user has moved is told as removed and added.
		p := place{in, entry.Schema(), entry.Key()}
		i, ok := index[p]
		if !ok {
			i = len(moves)
			index[p], moves = i, append(moves, move{change: c})
		} else if moves[i].moved = true; x == nil {
			moves[i].new = y
		} else {
			moves[i].old = x
		}
		return true
	})
	for _, m := range moves {
		if !m.moved {
			w.change(m.change)
		} else if w.may(w.state(m.at).of(m.at.Node, m.new), m.at, m.new, Update) {
			w.check(m.at.Down(m.new), m.old, m.new)
		}
	}
}

// move is a change of an entry that the user orders, and whether it was only moved.
type move struct {
	change
	moved bool
}

// place is an entry of a list or leaf-list.
type place struct {
	in   *data.Loc
	list *yang.Node
	key  string
}

// under is a place in a tree that itself is at a place.
func under(at, l *data.Loc) *data.Loc {
	if at.Parent == nil {
		return l
	}
	if l.Parent == nil {
		return at
	}
	return under(at, l.Parent).Down(l.Node)
}

// state is the state of the node at a place.
func (w *writeCheck) state(l *data.Loc) *state {
	if l.Parent == nil {
		return w.access.root
	}
	s := w.states[l]
	if s == nil {
		s = w.state(l.Parent).of(l.Parent.Node, l.Node)
		w.states[l] = s
	}
	return s
}

func (w *writeCheck) change(c change) {
	switch {
	case c.new == nil:
		if !implied(c) {
			w.subtree(w.state(c.at).of(c.at.Node, c.old), c.at, c.old, Delete)
		}
	case c.old == nil:
		w.subtree(w.state(c.at).of(c.at.Node, c.new), c.at, c.new, Create)
	default:
		w.may(w.state(c.at).of(c.at.Node, c.new), c.at, c.new, Update)
	}
}

// implied reports whether a node is removed because another case of its choice has come
// [RFC 8341 section 3.2.5].
func implied(c change) bool {
	up := c.old.Schema().DataParent()
	for s := c.old.Schema(); s != nil && s != up; s = s.Parent {
		if s.Parent == nil || s.Parent.Kind != yang.Choice {
			continue
		}
		for _, other := range s.Parent.Children {
			if other != s && c.at.Node.HasAny(other) {
				return true
			}
		}
	}
	return false
}

// subtree checks a node and all that is in it. Below a node that is refused nothing
// more is told.
func (w *writeCheck) subtree(s *state, at *data.Loc, n *data.Node, o Operation) {
	if s.all(o) || len(w.errs) >= mostErrors || !w.may(s, at, n, o) {
		return
	}
	down := at.Down(n)
	for c := range n.Children() {
		w.subtree(s.of(n, c), down, c, o)
	}
}

// may checks a node alone. at is the place of the node that it is in.
func (w *writeCheck) may(s *state, at *data.Loc, n *data.Node, o Operation) bool {
	if s.permits(o) || s.schema.Kind == yang.Container && !s.schema.Presence {
		return true
	}
	w.deny(at, n, o)
	return false
}

// deny tells that an operation on a node is refused.
func (w *writeCheck) deny(at *data.Loc, n *data.Node, o Operation) {
	l, what := at.Down(n), "it"
	if o == Delete {
		if seen := w.access.readable(l); seen != l {
			l, what = seen, "all that is in it"
		}
	}
	e := rpcerr.AccessDenied("the user %s may not %s %s", w.access.user, o, what).At(l.Path())
	if what == "it" || !slices.ContainsFunc(w.errs, func(x *rpcerr.Error) bool { return x.Path.Expr == e.Path.Expr && x.Message == e.Message }) {
		w.errs = append(w.errs, e)
	}
}

// Conceals answers access-denied for an operation that has failed for the want or the
// presence of a node, if the user may neither do it nor read the node: just as if the node
// were otherwise [RFC 8341 section 3.2.5]. Else it is nil, and the user may be told.
func (a *Access) Conceals(l *data.Loc, o Operation) *rpcerr.Error {
	if a == nil || l.Parent == nil {
		return nil
	}
	w := &writeCheck{access: a, states: map[*data.Loc]*state{}}
	s := w.state(l.Parent).of(l.Parent.Node, l.Node)
	hidden, denied := !a.MayRead(l), !s.permits(o)
	if s.schema.Kind == yang.Container && !s.schema.Presence {
		// It is seen by what is in it alone.
		hidden, denied = hidden || !s.all(Read), !s.all(o)
	}
	if !hidden || !denied {
		return nil
	}
	w.deny(l.Parent, l.Node, o)
	a.policy.denied.writes.Add(1)
	return w.errs[0]
}

// readable is the longest part of a place that the user may read.
func (a *Access) readable(l *data.Loc) *data.Loc {
	for l.Parent != nil && !a.MayRead(l) {
		l = l.Parent
	}
	return l
}
