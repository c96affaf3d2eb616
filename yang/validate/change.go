package validate

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xpath"
)

// dependent is a constraint or reference of a node that a change elsewhere makes
// due again: at the instances of node below the changed node's ancestor from.
type dependent struct {
	node, from *yang.Node
	// parent is the closest data node above that is there whenever node could be:
	// what it must have below may hang on a condition, or stand in a container
	// that is absent. It is nil for a reference.
	parent *yang.Node
	// path is that of a reference, and index counts who refers to what; it is nil
	// when only a scan tells.
	path  *yang.LeafrefPath
	index *index
}

// effect is what a change of a node makes due.
type effect struct {
	all, whens []*dependent
	references []*dependent // to it, if it is a leaf
	unique     []*yang.Node // lists that want it to be unique
}

// depend notes on what the constraints and references of a node depend.
func (v *Validator) depend(n *yang.Node) {
	for _, m := range n.Musts {
		v.dependOn(n, m, false)
	}
	for _, w := range n.Whens {
		v.dependOn(n, w, true)
	}
	if n.Type != nil {
		v.refer(n, n.Type)
	}
}

func (v *Validator) dependOn(n *yang.Node, k *yang.Constraint, when bool) {
	context := n
	if k.OnParent || n.Kind == yang.Choice || n.Kind == yang.Case {
		context = v.above(n)
	}
	for _, p := range k.Expr.Paths() {
		target, from := v.lead(context, p)
		if target == nil {
			continue // nothing can be there
		}
		parent := v.above(n)
		for parent.Kind == yang.Container && !parent.Presence {
			parent = v.above(parent)
		}
		d := &dependent{node: n, from: v.common(from, parent), parent: parent}
		add := func(m map[*yang.Node][]*dependent) {
			if !slices.ContainsFunc(m[target], func(x *dependent) bool { return x.node == n && x.from == d.from }) {
				m[target] = append(m[target], d)
			}
		}
		add(v.dependents)
		if when {
			add(v.whens)
		}
	}
}

// lead follows a path of an expression to its schema node, nil when there is
// none, and tells the node down from which it leads.
func (v *Validator) lead(context *yang.Node, p xpath.Path) (target, from *yang.Node) {
	if p.Anything || p.Absolute {
		context = v.schema.Root
	}
	for range p.Ups {
		if context == v.schema.Root {
			return nil, nil
		}
		context = v.above(context)
	}
	target = context
	for _, name := range p.Names {
		m := v.schema.ByNamespace(name.Space)
		if m == nil {
			return nil, nil
		}
		if target = target.Child(m, name.Local); target == nil {
			return nil, nil
		}
	}
	return target, context
}

// above is the data node above, the root above a top-level one.
func (v *Validator) above(n *yang.Node) *yang.Node {
	if p := n.DataParent(); p != nil {
		return p
	}
	return v.schema.Root
}

// common is the lowest node that is both nodes' ancestor or itself.
func (v *Validator) common(a, b *yang.Node) *yang.Node {
	for at := a; ; at = v.above(at) {
		for other := b; ; other = v.above(other) {
			if other == at {
				return at
			}
			if other == v.schema.Root {
				break
			}
		}
	}
}

// refer notes the references of a type.
func (v *Validator) refer(n *yang.Node, t *yang.Type) {
	ancestor := func(ups int) *yang.Node {
		at := n
		for range ups {
			at = v.above(at)
		}
		return at
	}
	switch t.Base {
	case yang.InstanceIdentifier:
		if t.RequireInstance {
			v.pointers = append(v.pointers, n)
		}
	case yang.Leafref:
		if !t.RequireInstance {
			return
		}
		from := v.schema.Root
		if t.Path.Ups >= 0 {
			from = ancestor(t.Path.Ups)
		}
		d := &dependent{node: n, from: from, path: t.Path}
		d.index = v.referenceIndex(d)
		v.references[t.Path.Target] = append(v.references[t.Path.Target], d)
		if len(t.Path.Target.Defaults) > 0 {
			// A default comes and goes with what is around it, unseen in a difference.
			around := v.above(t.Path.Target)
			for around.Kind == yang.Container && !around.Presence {
				around = v.above(around)
			}
			v.dependents[around] = append(v.dependents[around], &dependent{node: n, from: v.common(from, around)})
		}
		for _, s := range t.Path.Steps {
			for _, w := range s.Where {
				if len(w.Down) > 0 {
					last := w.Down[len(w.Down)-1]
					v.dependents[last] = append(v.dependents[last], &dependent{node: n, from: ancestor(w.Ups)})
				}
			}
		}
	case yang.Union:
		for _, m := range t.Members {
			v.refer(n, m)
		}
	}
}

// close works out the effects of each data node, once all dependents are known.
func (v *Validator) close(n *yang.Node) (loud, conditional bool) {
	if n.Kind != yang.Choice && n.Kind != yang.Case {
		e := &effect{references: v.references[n]}
		seen := map[*dependent]bool{}
		add := func(at *yang.Node) {
			for _, d := range v.dependents[at] {
				if !seen[d] {
					seen[d] = true
					e.all = append(e.all, d)
				}
			}
			for _, d := range v.whens[at] {
				if !slices.Contains(e.whens, d) {
					e.whens = append(e.whens, d)
				}
			}
		}
		for at := n; ; at = v.above(at) {
			add(at)
			// The case that is chosen decides which defaults the others have.
			for p := at.Parent; p != nil && (p.Kind == yang.Choice || p.Kind == yang.Case); p = p.Parent {
				if p.Kind == yang.Choice {
					each(p, add)
				}
			}
			if at.Kind == yang.List && slices.ContainsFunc(at.Unique, func(leafs []*yang.Node) bool { return at == n || slices.Contains(leafs, n) }) {
				e.unique = append(e.unique, at)
			}
			if at == v.schema.Root {
				break
			}
		}
		if len(e.all)+len(e.references)+len(e.unique) > 0 {
			v.effects[n], loud = e, true
		}
	}
	conditional = len(n.Whens) > 0
	for _, c := range n.Children {
		l, w := v.close(c)
		loud, conditional = loud || l, conditional || w
	}
	v.loud[n], v.conditional[n] = loud, conditional
	return loud, conditional
}

// fade notes the nodes that may end the defaults of another case by being there, and
// those that hold such nodes. It reports whether n has defaults, or nodes that have.
func (v *Validator) fade(n *yang.Node) (defaults bool) {
	defaults = len(n.Defaults) > 0
	for _, c := range n.Children {
		defaults = v.fade(c) || defaults
		v.fading[n] = v.fading[n] || v.fading[c]
	}
	if n.Kind == yang.Choice && defaults {
		v.fading[n] = true
		each(n, func(c *yang.Node) { v.fading[c] = true })
	}
	return defaults
}

// each visits all data nodes below a choice.
func each(n *yang.Node, visit func(*yang.Node)) {
	for _, c := range n.Children {
		if c.Kind != yang.Choice && c.Kind != yang.Case {
			visit(c)
		}
		each(c, visit)
	}
}

// Change validates new, which came from the valid tree old.
func (v *Validator) Change(old, new *data.Node, config bool) error {
	c := v.check(new, config)
	c.incremental = true
	c.change(old, new)
	return c.errs.Err()
}

// due is a dependent to be looked at below one node.
type due struct {
	below *data.Node
	*dependent
}

// dues are what a change makes due, each once and in the order of the change.
type dues struct {
	at    map[due]*data.Loc
	order []due
}

// add notes a dependent that a change below at makes due. When the node from which
// its path leads is not at or above, it came or went with the change.
func (q *dues) add(at *data.Loc, d *dependent) (key due, ok bool) {
	for at != nil && at.Node.Schema() != d.from {
		at = at.Parent
	}
	if at == nil {
		return due{}, false
	}
	key = due{at.Node, d}
	if q.at == nil {
		q.at = map[due]*data.Loc{}
	}
	if q.at[key] == nil {
		q.at[key] = at
		q.order = append(q.order, key)
	}
	return key, true
}

// change is the incremental validation.
func (c *check) change(old, new *data.Node) {
	var again, left dues
	gone := map[due]*targets{}
	unique := map[place]bool{}
	removed := false
	touch := func(parent *data.Loc, n *data.Node, was, replaced bool) {
		c.touched(parent.Down(n), func(e *effect, x *data.Loc) {
			for _, d := range e.all {
				again.add(parent, d)
			}
			if was {
				for _, d := range e.references {
					if k, ok := left.add(parent, d); ok {
						if gone[k] == nil {
							gone[k] = &targets{values: map[string]bool{}}
						}
						gone[k].add(x, d)
					}
				}
			}
			for _, list := range e.unique {
				// A default may take the place of what is gone, but not an entry's.
				if !was || !replaced && n.Schema() != list {
					c.uniqueAgain(unique, parent, n, list)
				}
			}
		})
	}
	data.Diff(old, new, func(parent *data.Loc, was, is *data.Node) bool {
		removed = removed || is == nil || was != nil && is.Schema().HasValue() || c.fading[is.Schema()]
		if was != nil {
			touch(parent, was, true, is != nil)
		}
		if is != nil {
			touch(parent, is, false, false)
			c.incremental = false
			c.walk(parent.Down(is))
			c.incremental = true
		}
		c.structure(parent)
		return len(c.errs) < maxErrors
	})
	for _, d := range again.order {
		if !c.config || d.node.Config {
			c.again(again.at[d], d.dependent)
		}
	}
	for _, d := range left.order {
		if c.config && !d.node.Config {
			continue
		}
		values := gone[d].values
		if d.index != nil && !d.index.has(c.tree.Root, gone[d].keys) {
			continue // as all referred to it that do now
		}
		c.instances(left.at[d], d.node, func(l *data.Loc) {
			if values[l.Node.Value()] {
				c.reference(l, d.node.Type)
			}
		})
	}
	if removed {
		for _, s := range c.pointers {
			c.instances(&data.Loc{Node: c.tree.Root}, s, c.node)
		}
	}
}

// targets are nodes that leafrefs may have referred to.
type targets struct {
	values map[string]bool
	keys   []uint64
}

func (t *targets) add(l *data.Loc, d *dependent) {
	t.values[l.Node.Value()] = true
	if d.index == nil {
		return
	}
	if key, ok := targetKey(l, d); ok {
		t.keys = append(t.keys, key)
	}
}

// touched visits the nodes of a subtree whose change has effects: of each schema
// node the first, but of those that references lead to all.
func (c *check) touched(l *data.Loc, visit func(*effect, *data.Loc)) {
	if s := l.Node.Schema(); s.HasValue() {
		if e := c.effects[s]; e != nil {
			visit(e, l)
		}
		return
	}
	seen := map[*yang.Node]bool{}
	var down func(l *data.Loc)
	down = func(l *data.Loc) {
		s := l.Node.Schema()
		if !c.loud[s] {
			return
		}
		if e := c.effects[s]; e != nil && (len(e.references) > 0 || !seen[s]) {
			seen[s] = true
			visit(e, l)
		}
		for ch := range l.Node.Children() {
			if c.loud[ch.Schema()] {
				down(l.Down(ch))
			}
		}
	}
	down(l)
}

// place is the entries of a list below a node.
type place struct {
	parent *data.Node
	list   *yang.Node
}

// uniqueAgain checks the unique statements of a list of which a change concerns an
// entry: n itself, or what is below it. What is further below was checked with the
// node that was added.
func (c *check) uniqueAgain(done map[place]bool, parent *data.Loc, n *data.Node, list *yang.Node) {
	at := parent
	if n.Schema() != list {
		for at != nil && at.Node.Schema() != list {
			at = at.Parent
		}
		if at == nil {
			return
		}
		at = at.Parent
	}
	k := place{at.Node, list}
	if done[k] || c.config && !list.Config {
		return
	}
	done[k] = true
	if x := c.uniques[list]; x != nil && at.Node.Count(list) > few && !x.repeats(c.tree.Root) {
		return
	}
	for _, leafs := range list.Unique {
		c.unique(at, list, leafs)
	}
}

// again checks a dependent's instances, and what has to be there for its sake.
func (c *check) again(from *data.Loc, d *dependent) {
	if d.node.Kind != yang.Choice && d.node.Kind != yang.Case {
		c.instances(from, d.node, c.node)
	} else {
		for s := range dataBelow(d.node) {
			c.instances(from, s, c.node)
		}
	}
	if d.parent != nil {
		c.instances(from, d.parent, func(l *data.Loc) {
			delete(c.done, l.Node)
			c.structure(l)
		})
	}
}

// dataBelow yields the data nodes of a choice or case, or the node itself.
func dataBelow(n *yang.Node) func(yield func(*yang.Node) bool) {
	return func(yield func(*yang.Node) bool) {
		var down func(n *yang.Node) bool
		down = func(n *yang.Node) bool {
			if n.Kind != yang.Choice && n.Kind != yang.Case {
				return yield(n)
			}
			for _, c := range n.Children {
				if !down(c) {
					return false
				}
			}
			return true
		}
		down(n)
	}
}

// few is how many entries of a list are rather looked at than indexed.
const few = 1000

// instances visits the instances of a schema node at or below one of its ancestors,
// until there are too many errors.
func (c *check) instances(from *data.Loc, s *yang.Node, visit func(*data.Loc)) {
	instances(from, s, func(l *data.Loc) {
		if len(c.errs) < maxErrors {
			visit(l)
		}
	})
}

// instances visits the instances of a schema node at or below one of its ancestors.
func instances(from *data.Loc, s *yang.Node, visit func(*data.Loc)) {
	var way []*yang.Node
	for n := s; n != from.Node.Schema(); {
		way = append(way, n)
		if n = n.DataParent(); n == nil && from.Node.Schema().Kind != yang.Root {
			return
		} else if n == nil {
			break
		}
	}
	slices.Reverse(way)
	var down func(l *data.Loc, way []*yang.Node)
	down = func(l *data.Loc, way []*yang.Node) {
		if len(way) == 0 {
			visit(l)
			return
		}
		if n := l.Node.Get(way[0]); n != nil {
			down(l.Down(n), way[1:])
			return
		}
		for e := range l.Node.EntriesOf(way[0]) {
			down(l.Down(e), way[1:])
		}
	}
	down(from, way)
}
