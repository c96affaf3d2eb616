package data

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
)

// Op is what an edit does with a node [RFC 6241 section 7.2].
type Op uint8

// The operations. Inherit is that of the parent; None changes nothing itself and
// is only a default-operation.
const (
	Inherit Op = iota
	MergeOp
	Replace
	Create
	Delete
	Remove
	None
)

var opNames = map[string]Op{"merge": MergeOp, "replace": Replace, "create": Create, "delete": Delete, "remove": Remove, "none": None}

// ParseOp returns the operation of a name; None is no value of the attribute.
func ParseOp(name string) (Op, bool) {
	op, ok := opNames[name]
	return op, ok
}

func (n *Node) op() Op {
	if n.note == nil {
		return Inherit
	}
	return n.note.op
}

// Apply edits a tree as an <edit-config> says: edit is a tree of the same root
// whose nodes may carry operations, def is the default-operation; Replace there
// replaces the whole tree. target may be nil. The result shares with target what
// the edit does not change, and is target itself when it changes nothing. All
// errors that are found, up to a hundred, are returned as rpcerr.Errors (one
// alone as *rpcerr.Error), and then no tree.
//
// Containers without presence that end up empty are left out, and setting a node
// of one case removes those of the others [RFC 7950 sections 7.5.1 and 7.9].
func Apply(target, edit *Node, def Op) (*Node, error) {
	out, err := ApplyPartly(target, edit, def, nil)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ApplyPartly is Apply with the error-option continue-on-error: next to the errors it
// returns the tree with all of the edit that could be done. Tell, when not nil, says what
// is told of an operation that fails on the node of the edit at a place; where a node
// has none itself, and is missing, that is the first operation in it.
func ApplyPartly(target, edit *Node, def Op, tell func(at *Loc, op Op, err *rpcerr.Error) *rpcerr.Error) (*Node, error) {
	if tell == nil {
		tell = func(_ *Loc, _ Op, err *rpcerr.Error) *rpcerr.Error { return err }
	}
	e := &editor{o: new(owner), tell: tell}
	out := e.interior(&Loc{nil, edit}, target, edit, def, def == Replace)
	return out, e.errs.Err()
}

type editor struct {
	o    *owner
	tell func(*Loc, Op, *rpcerr.Error) *rpcerr.Error
	errs rpcerr.Errors
}

func (e *editor) fail(at *Loc, op Op, err *rpcerr.Error) {
	if len(e.errs) < maxErrors {
		err = err.At(at.Path())
		if op == None {
			at, op = wanted(at)
		}
		e.errs = append(e.errs, e.tell(at, op, err))
	}
}

// wanted is the first operation in a node of an edit that has none itself.
func wanted(at *Loc) (*Loc, Op) {
	for c := range at.Node.Children() {
		if op := c.op(); op != Inherit && op != None {
			return at.Down(c), op
		} else if below, op := wanted(at.Down(c)); op != None {
			return below, op
		}
	}
	return at, None
}

// result is a node that an edit makes: target itself until something changes.
type result struct{ target, out *Node }

// node is what there is so far, nil for nothing.
func (r *result) node() *Node {
	if r.out != nil {
		return r.out
	}
	return r.target
}

// change is a private copy.
func (r *result) change() *Node {
	if r.out == nil {
		r.out = r.target.clone()
	}
	return r.out
}

// interior returns target, which may be nil, with the children of edit applied.
// When it is to be replaced (fresh), nothing of it stays; operations below still
// ask target whether a node exists.
func (e *editor) interior(at *Loc, target, edit *Node, op Op, fresh bool) *Node {
	r := &result{target: target}
	if target == nil || fresh {
		r.out = &Node{schema: edit.schema, text: edit.text}
	}
	for _, k := range edit.below() {
		if k.set == nil {
			e.child(at.Down(k), r, target, k, op, fresh)
			continue
		}
		k.set.each(func(c *Node) bool {
			e.child(at.Down(c), r, target, c, op, fresh)
			return true
		})
	}
	if fresh && target != nil {
		return share(target, r.out)
	}
	return r.node()
}

// share returns old when new has just the same children, else new with the
// collections that are the same taken from old. new is private.
func share(old, new *Node) *Node {
	same := len(old.below()) == len(new.kids)
	for i, k := range new.kids {
		have := old.kid(k.schema)
		if have != nil && have != k && k.set != nil && k.set.len() == have.set.len() &&
			diffSets(have.set, k.set, func(_, _ *Node) bool { return false }) {
			new.kids[i] = have
		}
		same = same && new.kids[i] == have
	}
	if same {
		return old
	}
	return new
}

// child applies one node of the edit to its parent.
func (e *editor) child(at *Loc, r *result, target, c *Node, inherited Op, fresh bool) {
	op, edit := c.op(), c
	if op == Inherit {
		op = inherited
	}
	have := target.lookup(c)
	if c.schema.IsKey() {
		if r.node().lookup(c) == nil {
			if c = plain(c); have != nil {
				c = have
			}
			r.change().add(e.o, c)
		}
		return
	}
	switch op {
	case Delete, Remove:
		if have == nil && op == Delete {
			e.fail(at, op, rpcerr.DataMissing("it does not exist, so it cannot be deleted"))
			return
		}
		if r.node().lookup(c) != nil {
			r.change().remove(e.o, c.schema, c.text)
		}
		return
	case Create:
		if have != nil {
			e.fail(at, op, rpcerr.DataExists())
			return
		}
	case None:
		if have == nil && !(c.schema.Kind == yang.Container && !c.schema.Presence) {
			e.fail(at, op, rpcerr.DataMissing("it does not exist and the default operation is none"))
			return
		}
		if !c.interior() {
			return
		}
	}
	if c.isAssumed() {
		// A value that is tagged as the default goes back to it: it is not set.
		if r.node().lookup(c) != nil {
			r.change().remove(e.o, c.schema, c.text)
		}
		return
	}
	if keyless(c.schema) {
		e.set(r, plain(c)) // nothing tells it from others
		return
	}
	now := r.node().lookup(c)
	if !c.interior() {
		if now == nil || now.text != c.text || !sameRaw(now, c) {
			if c = plain(c); have != nil && have.text == c.text && sameRaw(have, c) {
				c = have
			}
			e.set(r, c)
		}
		e.move(at, r, edit, now == nil)
		return
	}
	below := e.interior(at, have, c, op, fresh || op == Replace || op == Create)
	switch {
	case c.schema.Kind == yang.Container && !c.schema.Presence && below.Empty():
		if now != nil {
			r.change().remove(e.o, c.schema, "")
		}
	case below != now:
		e.set(r, below)
	}
	e.move(at, r, edit, now == nil)
}

// move puts an entry, which may be new, where the edit wants it among those that
// the user orders.
func (e *editor) move(at *Loc, r *result, edit *Node, isNew bool) {
	if edit.rare().move == nil {
		return
	}
	m, have := edit.rare().move, r.node().kid(edit.schema).set
	if m.anchored() && (have.find(m.anchor) < 0 || isNew && m.anchor == edit.text) {
		e.fail(at, MergeOp, rpcerr.MissingInstance("there is no entry to insert it %s", m.where).
			WithInfo("", "bad-attribute", m.attribute()).WithInfo("", "bad-element", edit.schema.Name))
		return
	}
	if moved := have.move(e.o, edit.text, m); moved != have {
		r.change().setKid(&Node{schema: edit.schema, set: moved})
	}
}

// set puts a node into its parent and takes out what its case excludes.
func (e *editor) set(r *result, c *Node) {
	out := r.change()
	for s := c.schema; s.Parent != nil && (s.Parent.Kind == yang.Case || s.Parent.Kind == yang.Choice); s = s.Parent {
		if s.Parent.Kind != yang.Case {
			continue
		}
		cas, choice := s.Parent, s.Parent.Parent
		for _, other := range choice.Children {
			if other != cas {
				e.removeCase(out, other)
			}
		}
	}
	out.add(e.o, c)
}

func (e *editor) removeCase(out *Node, s *yang.Node) {
	if s.Kind == yang.Choice || s.Kind == yang.Case {
		for _, ch := range s.Children {
			e.removeCase(out, ch)
		}
		return
	}
	out.unpack()
	if i, ok := out.find(s.Order); ok && out.kids[i].schema == s {
		out.kids = slices.Delete(out.kids, i, i+1)
	}
}

// lookup finds the node of a tree that stands where c does.
func (n *Node) lookup(c *Node) *Node {
	if n == nil {
		return nil
	}
	if c.schema.Multiple() {
		return n.Entry(c.schema, c.text)
	}
	return n.Get(c.schema)
}

// plain is the node without its operation.
func plain(c *Node) *Node {
	if c.op() == Inherit && c.rare().move == nil {
		return c
	}
	p := *c
	p.note = nil
	if c.schema.Kind == yang.AnyData || c.schema.Kind == yang.AnyXML {
		p.note = &note{rare: &rare{raw: c.rare().raw}}
	}
	return &p
}
