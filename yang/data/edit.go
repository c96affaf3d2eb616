package data

import (
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
// whose nodes may carry operations, def is the default-operation. The result
// shares with target what the edit does not touch. All errors that are found are
// returned, and then no tree.
//
// Containers without presence that end up empty are left out, and setting a node
// of one case removes those of the others [RFC 7950 sections 7.5.1 and 7.9].
func Apply(target, edit *Node, def Op) (*Node, error) {
	e := &editor{o: new(owner)}
	out := e.interior(&Loc{nil, edit}, target, edit, def)
	if out == nil {
		out = New(edit.schema)
	}
	return out, e.errs.Err()
}

type editor struct {
	o    *owner
	errs rpcerr.Errors
}

func (e *editor) fail(at *Loc, err *rpcerr.Error) {
	if len(e.errs) < maxErrors {
		e.errs = append(e.errs, err.At(at.Path()))
	}
}

// interior returns target, which may be nil, with the children of edit applied.
func (e *editor) interior(at *Loc, target, edit *Node, op Op) *Node {
	var out *Node
	if target != nil {
		out = target.clone()
	} else {
		out = &Node{schema: edit.schema, text: edit.text}
	}
	for _, k := range edit.kids {
		if k.set == nil {
			e.child(at.Down(k), out, target, k, op)
			continue
		}
		k.set.each(func(c *Node) bool {
			e.child(at.Down(c), out, target, c, op)
			return true
		})
	}
	return out
}

// child applies one node of the edit to out, a private copy of its parent.
func (e *editor) child(at *Loc, out, target, c *Node, inherited Op) {
	op := c.op()
	if op == Inherit {
		op = inherited
	}
	have := target.lookup(c)
	if c.schema.IsKey() {
		if have == nil {
			out.add(e.o, plain(c))
		}
		return
	}
	switch op {
	case Delete:
		if have == nil {
			e.fail(at, rpcerr.DataMissing("it does not exist, so it cannot be deleted"))
			return
		}
		out.remove(e.o, c.schema, c.text)
		return
	case Remove:
		out.remove(e.o, c.schema, c.text)
		return
	case Create:
		if have != nil {
			e.fail(at, rpcerr.DataExists())
			return
		}
	case None:
		if have == nil && !(c.schema.Kind == yang.Container && !c.schema.Presence) {
			e.fail(at, rpcerr.DataMissing("it does not exist and the default operation is none"))
			return
		}
		if !c.interior() {
			return
		}
	}
	if !c.interior() {
		e.set(out, plain(c))
		return
	}
	base := have
	if op == Replace || op == Create {
		base = nil
	}
	below := e.interior(at, base, c, op)
	if c.schema.Kind == yang.Container && !c.schema.Presence && len(below.kids) == 0 {
		out.remove(e.o, c.schema, "")
		return
	}
	e.set(out, below)
}

// set puts a node into its parent and takes out what its case excludes.
func (e *editor) set(out, c *Node) {
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
	if i, ok := out.find(s.Order); ok {
		out.kids = append(out.kids[:i:i], out.kids[i+1:]...)
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
	if c.note == nil || c.note.op == Inherit {
		return c
	}
	p := *c
	p.note = nil
	if c.schema.Kind == yang.AnyData || c.schema.Kind == yang.AnyXML {
		p.note = &note{raw: c.note.raw}
	}
	return &p
}
