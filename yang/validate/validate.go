// Package validate holds data to its schema [RFC 7950 section 8]: mandatory
// nodes, numbers of entries, choices, unique, must, when, and what leafrefs and
// instance-identifiers refer to. Values and keys were checked when the data was
// read.
//
// A change is validated by what it can touch: the nodes it adds, the parents of
// what it changes, the constraints whose paths lead to a node it touches, and the
// references to what it takes away. A constraint with a relative path is looked at
// below the closest common ancestor only; one with an absolute path, or of which
// the paths are not known, at all its instances, and so are references to values
// that are gone.
//
// A Validator may be used by any number of goroutines. It keeps indexes of the tree that
// it validated last, from which the next is not far.
package validate

import (
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xpath"
)

// maxErrors bounds how many violations are told.
const maxErrors = 100

// steps is what one expression may take; constraints of modules are finite, but
// their data may be large.
const steps = 50_000_000

// Validator validates the data of one schema.
type Validator struct {
	schema *yang.Schema
	// needs are the containers without presence below which something is
	// mandatory, so that they are looked into even when absent.
	needs map[*yang.Node]bool
	// dependents are the constraints and references by the node that a change of,
	// or below, makes them due again; those that may depend on any node are at the
	// root.
	dependents map[*yang.Node][]*dependent
	// references are the leafrefs by their target.
	references map[*yang.Node][]*dependent
	// whens are those of the dependents that are conditions.
	whens map[*yang.Node][]*dependent
	// effects are dependents by the changed node itself, loud the nodes at or
	// below which a change has any, conditional those at or below which a condition
	// stands.
	effects           map[*yang.Node]*effect
	loud, conditional map[*yang.Node]bool
	// uniques are the indexes of lists with unique statements.
	uniques map[*yang.Node]*index
	// fading are the nodes whose coming may take away defaults.
	fading map[*yang.Node]bool
	// pointers are the instance-identifiers, which may refer to any node.
	pointers []*yang.Node
}

// New prepares the validation of a schema.
func New(s *yang.Schema) *Validator {
	v := &Validator{schema: s, needs: map[*yang.Node]bool{}, dependents: map[*yang.Node][]*dependent{},
		whens: map[*yang.Node][]*dependent{}, references: map[*yang.Node][]*dependent{},
		uniques: map[*yang.Node]*index{}, fading: map[*yang.Node]bool{},
		effects: map[*yang.Node]*effect{}, loud: map[*yang.Node]bool{}, conditional: map[*yang.Node]bool{}}
	v.prepare(s.Root, true)
	v.close(s.Root)
	v.fade(s.Root)
	for n := range s.RPCs() {
		v.prepare(n, false)
	}
	for n := range s.Notifications() {
		v.prepare(n, false)
	}
	return v
}

// prepare reports whether something has to be there below the parent of n for n's
// sake. stored is false outside the datastores, where no change is validated.
func (v *Validator) prepare(n *yang.Node, stored bool) (needed bool) {
	if stored {
		v.depend(n)
		if len(n.Unique) > 0 {
			v.uniques[n] = v.uniqueIndex(n)
		}
	}
	for _, c := range n.Children {
		if v.prepare(c, stored) {
			needed = true
		}
	}
	for _, op := range n.Operations {
		v.prepare(op, false)
	}
	switch n.Kind {
	case yang.Container:
		v.needs[n] = needed || len(n.Musts) > 0
		return v.needs[n] && !n.Presence
	case yang.Choice:
		return n.Mandatory
	case yang.List, yang.LeafList:
		return n.Min > 0
	case yang.Leaf, yang.AnyData, yang.AnyXML:
		return n.Mandatory
	}
	return needed
}

// Tree validates a whole tree of a datastore. config leaves out what only state
// needs. The error is an rpcerr.Errors of all violations, up to a hundred.
func (v *Validator) Tree(root *data.Node, config bool) error {
	c := v.check(root, config)
	c.walk(&data.Loc{Node: root})
	return c.errs.Err()
}

// Input validates the input of an rpc. References lead into the tree of the
// operational datastore. What is missing is a missing-element [RFC 7950 section
// 7.14.2 and RFC 6241 appendix A].
func (v *Validator) Input(input, operational *data.Node) error {
	c := v.check(operational, false)
	c.input = true
	c.walk(&data.Loc{Node: input})
	return c.errs.Err()
}

func (v *Validator) check(root *data.Node, config bool) *check {
	return &check{Validator: v, config: config, tree: &data.XPath{Schema: v.schema, Root: root}, done: map[*data.Node]bool{}}
}

type check struct {
	*Validator
	config bool
	input  bool
	// incremental is true while what was there before the change is validated.
	incremental bool
	tree        *data.XPath
	done        map[*data.Node]bool // whose structure was checked
	errs        rpcerr.Errors
}

func (c *check) fail(p rpcerr.Path, e *rpcerr.Error) {
	e = e.At(p)
	// A change can reach a node in several ways.
	known := func(x *rpcerr.Error) bool { return x.Path.Expr == p.Expr && x.Error() == e.Error() }
	if len(c.errs) < maxErrors && !slices.ContainsFunc(c.errs, known) {
		c.errs = append(c.errs, e)
	}
}

// walk checks a node and all below it.
func (c *check) walk(l *data.Loc) {
	if len(c.errs) >= maxErrors {
		return
	}
	c.node(l)
	for child := range l.Node.Children() {
		c.walk(l.Down(child))
	}
}

// node checks what concerns one node: its own constraints and what must be below
// it.
func (c *check) node(l *data.Loc) {
	s := l.Node.Schema()
	if c.config && !s.Config {
		return
	}
	if s.Kind != yang.Root && !c.allowed(l.Parent, s, l) {
		c.fail(l.Path(), rpcerr.UnknownElement(s.Name, "%q may not be here: its when condition is false", s.Name))
		return
	}
	c.musts(l)
	if s.HasValue() {
		c.reference(l, s.Type)
		return
	}
	c.structure(l)
}

func (c *check) structure(l *data.Loc) {
	if c.done[l.Node] {
		return
	}
	c.done[l.Node] = true
	c.children(l, l.Node.Schema().Children)
}

func (c *check) musts(l *data.Loc) {
	for _, m := range l.Node.Schema().Musts {
		ok, err := c.eval(m, l)
		switch {
		case err != nil:
			c.fail(l.Path(), rpcerr.OperationFailed("the must condition %s cannot be evaluated: %v", oneLine(m.Text), err).WithAppTag(rpcerr.AppMustViolation))
		case !ok:
			message := m.Message
			if message == "" {
				message = "the condition " + oneLine(m.Text) + " is not met"
			}
			c.fail(l.Path(), rpcerr.MustViolation(message, m.AppTag))
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (c *check) eval(k *yang.Constraint, l *data.Loc) (bool, error) {
	budget := int64(steps)
	return k.Expr.EvalBool(xpath.Context{Node: c.tree.At(l), Env: c.tree, Budget: &budget})
}

// allowed evaluates the when conditions of a schema node and of the choices and
// cases around it. at is the node itself, nil when it is not there.
func (c *check) allowed(parent *data.Loc, s *yang.Node, at *data.Loc) bool {
	for n := s; ; n = n.Parent {
		for _, w := range n.Whens {
			place := parent
			if !w.OnParent {
				if place = at; place == nil {
					place = parent.Down(data.New(n)) // a dummy node [RFC 7950 section 7.21.5]
				}
			}
			if place == nil {
				continue
			}
			if ok, err := c.eval(w, place); err == nil && !ok {
				return false
			}
		}
		if n.Parent == nil || n.Parent.Kind != yang.Choice && n.Parent.Kind != yang.Case {
			return true
		}
	}
}

// children checks what must or may be below a node.
func (c *check) children(l *data.Loc, children []*yang.Node) {
	for _, s := range children {
		if c.config && !s.Config {
			continue
		}
		switch s.Kind {
		case yang.Leaf, yang.AnyData, yang.AnyXML:
			if s.Mandatory && l.Node.Get(s) == nil && c.allowed(l, s, nil) {
				c.missing(l, s)
			}
		case yang.List, yang.LeafList:
			c.entries(l, s)
		case yang.Container:
			if !s.Presence && c.needs[s] && l.Node.Get(s) == nil && c.allowed(l, s, nil) {
				empty := l.Down(data.New(s))
				c.musts(empty)
				c.children(empty, s.Children)
			}
		case yang.Choice:
			c.choice(l, s)
		}
	}
}

func (c *check) missing(l *data.Loc, s *yang.Node) {
	if c.input {
		c.fail(l.ChildPath(s), rpcerr.MissingElement(s.Name, "the mandatory %s %q is missing", s.Kind, s.Name))
		return
	}
	c.fail(l.ChildPath(s), rpcerr.DataMissing("the mandatory %s %q is missing", s.Kind, s.Name))
}

func (c *check) entries(l *data.Loc, s *yang.Node) {
	n := l.Node.Count(s)
	if n < s.Min && c.allowed(l, s, nil) {
		c.fail(l.ChildPath(s), rpcerr.TooFewElements(n, s.Min))
	}
	if s.Max > 0 && n > s.Max {
		c.fail(l.ChildPath(s), rpcerr.TooManyElements(n, s.Max))
	}
	if c.incremental {
		return // unique is checked where a change concerns it
	}
	for _, leafs := range s.Unique {
		c.unique(l, s, leafs)
	}
}

// unique looks for two entries of which all the leafs have the same values;
// entries that lack one do not count [RFC 7950 section 7.8.3].
func (c *check) unique(l *data.Loc, s *yang.Node, leafs []*yang.Node) {
	seen := map[string]*data.Loc{}
	for e := range l.Node.EntriesOf(s) {
		at := l.Down(e)
		var values []string
		var paths []rpcerr.Path
		for _, leaf := range leafs {
			v, p := valueBelow(at, s, leaf)
			if p == nil {
				break
			}
			values, paths = append(values, v), append(paths, p.Path())
		}
		if len(values) < len(leafs) {
			continue
		}
		key := data.Key(values...)
		if first := seen[key]; first != nil {
			var all []rpcerr.Path
			for _, leaf := range leafs {
				_, p := valueBelow(first, s, leaf)
				all = append(all, p.Path())
			}
			c.fail(l.ChildPath(s), rpcerr.NotUnique(append(all, paths...)...))
			return
		}
		seen[key] = at
	}
}

// valueBelow finds a leaf below a list entry, or its default.
func valueBelow(at *data.Loc, list, leaf *yang.Node) (string, *data.Loc) {
	var way []*yang.Node
	for s := leaf; s != list; s = s.DataParent() {
		way = append(way, s)
	}
	slices.Reverse(way)
	for _, s := range way {
		n := at.Node.Get(s)
		if n == nil && s == leaf && len(s.Defaults) > 0 {
			n = data.NewLeaf(s, s.Defaults[0])
		}
		if n == nil && s.Kind == yang.Container && !s.Presence {
			n = data.New(s)
		}
		if n == nil {
			return "", nil
		}
		at = at.Down(n)
	}
	return at.Node.Value(), at
}

func (c *check) choice(l *data.Loc, s *yang.Node) {
	var chosen *yang.Node
	for _, cas := range s.Children {
		if !l.Node.HasAny(cas) {
			continue
		}
		if chosen != nil {
			second := present(l.Node, cas)
			c.fail(l.ChildPath(second), rpcerr.BadElement(second.Name, "the cases %q and %q of the choice %q exclude each other", chosen.Name, cas.Name, s.Name))
			return
		}
		chosen = cas
	}
	switch {
	case chosen != nil:
		c.children(l, chosen.Children)
	case s.Mandatory && c.allowed(l, s, nil):
		if c.input {
			parent, names := l.Node.Schema(), alternatives(s)
			if parent.Kind == yang.Input {
				parent = parent.Parent
			}
			if len(names) == 1 {
				c.fail(l.Path(), rpcerr.MissingElement(names[0], "<%s> has to have <%s>", parent.Name, names[0]))
				return
			}
			c.fail(l.Path(), rpcerr.MissingElement(parent.Name, "<%s> has to have one of %s", parent.Name, strings.Join(names, ", ")))
			return
		}
		c.fail(l.Path(), rpcerr.MissingChoice(s.Name))
	}
}

// present is the first data node of a case that is there.
func present(n *data.Node, cas *yang.Node) *yang.Node {
	for s := range dataBelow(cas) {
		if n.HasAny(s) {
			return s
		}
	}
	return cas
}

// alternatives are the data nodes that a choice is made of.
func alternatives(s *yang.Node) (names []string) {
	var add func(*yang.Node)
	add = func(n *yang.Node) {
		if n.Kind != yang.Choice && n.Kind != yang.Case {
			names = append(names, n.Name)
			return
		}
		for _, c := range n.Children {
			add(c)
		}
	}
	add(s)
	return names
}

// reference checks that what a leafref or instance-identifier refers to is there.
// In a union a member that refers to nothing does not match, and the next may [RFC
// 7950 section 9.12].
func (c *check) reference(l *data.Loc, t *yang.Type) {
	if err := c.refers(l, t); err != nil {
		c.fail(l.Path(), err)
	}
}

func (c *check) refers(l *data.Loc, t *yang.Type) *rpcerr.Error {
	value := l.Node.Value()
	switch {
	case t.Base == yang.Union:
		var first *rpcerr.Error
		for _, m := range t.Members {
			if _, err := m.Canonical(value, c.schema, c.schema.Module); err != nil {
				continue
			}
			err := c.refers(l, m)
			if err == nil {
				return nil
			}
			if first == nil {
				first = err
			}
		}
		return first
	case !t.RequireInstance:
	case t.Base == yang.Leafref:
		if !l.HasTarget(t.Path, c.tree.Root, value) {
			return rpcerr.InstanceRequired("%q refers to nothing: no instance of %s has that value", value, t.Path.Text)
		}
	case t.Base == yang.InstanceIdentifier:
		if c.tree.Instance(value) == nil {
			return rpcerr.InstanceRequired("%q refers to nothing", value)
		}
	}
	return nil
}
