package ops

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xpath"
)

// The app-tags of RFC 5717 section 2.4.1.
const (
	appNotANodeSet = "not-a-node-set"
	appNoMatches   = "no-matches"
)

// lockSteps bounds the search for what a partial-lock selects; see xpath.Context.
const lockSteps = 5_000_000

// partialLock answers <partial-lock> [RFC 5717 section 2.4.1]. What the user may not
// read cannot be locked.
func (o *operations) partialLock(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	expressions := slices.Collect(r.Input.Entries("select"))
	compiled := make([]*xpath.Expr, len(expressions))
	for i, x := range expressions {
		refuse := func(format string, args ...any) *rpcerr.Error {
			at := (&data.Loc{Parent: &data.Loc{Node: r.Input}, Node: x}).Path()
			return rpcerr.InvalidValue(format, args...).At(at).WithInfo("", "bad-element", "select")
		}
		var err error
		if compiled[i], err = xpath.Compile(x.Value(), x.Scope()); err != nil {
			return nil, refuse("%v", err)
		}
		if compiled[i].Kind() != xpath.NodeSet {
			return nil, refuse("the expression does not yield nodes").WithAppTag(appNotANodeSet)
		}
	}
	lock, err := o.store.LockParts(ctx, r.Session.ID(), expressions, func(running *data.Node) ([]*data.Loc, error) {
		return o.selected(compiled, o.readable(r, running))
	})
	if err != nil {
		return nil, err
	}
	out := r.Output().Uint("lock-id", uint64(lock.ID))
	for _, n := range lock.Nodes {
		out.Leaf("locked-node", n.InstanceID())
	}
	return &netconf.Reply{Output: out.Node()}, nil
}

// selected are the nodes of a tree that expressions select, each once, without what
// stands below another.
func (o *operations) selected(expressions []*xpath.Expr, tree *data.Node) ([]*data.Loc, error) {
	env := &data.XPath{Schema: o.schema, Root: tree}
	budget := int64(lockSteps)
	found := map[*data.Node]bool{}
	var nodes []*data.Loc
	for _, x := range expressions {
		list, err := x.EvalNodes(xpath.Context{Node: env.At(&data.Loc{Node: tree}), Env: env, Budget: &budget})
		if errors.Is(err, xpath.ErrBudget) {
			return nil, rpcerr.ResourceDenied("the search for what to lock takes too long: it looks at too many nodes")
		}
		if err != nil {
			return nil, err
		}
		for _, n := range list {
			if n.Kind() == xpath.Text {
				n = n.Parent()
			}
			if l := data.LocOf(n); lockable(l) && !found[l.Node] {
				found[l.Node] = true
				nodes = append(nodes, l)
			}
		}
	}
	if len(nodes) == 0 {
		return nil, rpcerr.OperationFailed("nothing of running is selected").WithAppTag(appNoMatches)
	}
	return slices.DeleteFunc(nodes, func(l *data.Loc) bool {
		for up := l.Parent; up != nil; up = up.Parent {
			if found[up.Node] {
				return true
			}
		}
		return false
	}), nil
}

// lockable reports whether a place is one of a node that is there: neither the root nor
// a default.
func lockable(l *data.Loc) bool {
	if l == nil || l.Parent == nil {
		return false
	}
	s, parent := l.Node.Schema(), l.Parent.Node
	switch {
	case s.Kind == yang.Root:
		return false
	case s.Multiple():
		return parent.Entry(s, l.Node.Key()) == l.Node
	}
	return parent.Get(s) == l.Node
}

// partialUnlock answers <partial-unlock> [RFC 5717 section 2.4.2].
func (o *operations) partialUnlock(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	id, err := strconv.ParseUint(r.Input.Leaf("lock-id"), 10, 32)
	if err != nil {
		return nil, err
	}
	return nil, o.store.UnlockParts(ctx, r.Session.ID(), uint32(id))
}
