package yang

import (
	"fmt"
	"slices"
	"strings"

	"incidentd/yang/xpath"
)

// namespaces resolves the names of an expression [RFC 7950 section 6.4.1]: a
// prefix as in the module that wrote it, no prefix as the module of the node
// that has it.
type namespaces struct {
	from *source
	node *Node
}

// finish resolves what needs the whole tree: types, keys, defaults, paths.
func (c *compiler) finish() {
	var all, leafs []*Node
	collect := func(n *Node) {
		all = append(all, n)
		if n.HasValue() {
			leafs = append(leafs, n)
		}
	}
	walk(c.schema.Root, collect)
	for _, tops := range []map[string]*Node{c.schema.rpcs, c.schema.notifs, c.schema.structures} {
		for n := range sortedNodes(tops) {
			walk(n, collect)
		}
	}
	// A leafref's target may be typed later than the leafref, so paths are
	// resolved in a second pass and defaults in a third.
	steps := []func(){
		func() { each(leafs, c.typeOf) },
		func() { each(all, c.index) },
		func() { each(leafs, c.resolvePaths) },
		func() { each(leafs, c.checkLeafrefCycle) },
		func() { each(leafs, c.defaults) },
		func() {
			each(all, c.compileExpressions)
			each(all, c.keysAndUniques)
		},
		func() { each(all, c.consistent) },
	}
	for _, step := range steps {
		if step(); len(c.errs) > 0 {
			return
		}
	}
	for _, m := range c.schema.Modules {
		slices.Sort(m.DeviatedBy)
	}
}

func each(nodes []*Node, do func(*Node)) {
	for _, n := range nodes {
		do(n)
	}
}

func (c *compiler) typeOf(n *Node) {
	if n.def.typ == nil {
		c.fail(n.def.stmt.errorf("has no type"))
		return
	}
	t, err := c.resolveType(n.def.typ, 0)
	if err != nil {
		c.fail(err)
		return
	}
	n.Type = t
	if n.Units == "" {
		n.Units = t.units
	}
}

func walk(n *Node, visit func(*Node)) {
	visit(n)
	for _, ch := range n.Children {
		walk(ch, visit)
	}
	for _, op := range n.Operations {
		walk(op, visit)
	}
}

// index flattens choices and cases into the data children.
func (c *compiler) index(n *Node) {
	if n.Kind == Choice || n.Kind == Case || n.Kind == RPC || n.Kind == Action || n.HasValue() || n.data != nil {
		return
	}
	n.data, n.byName = map[childKey]*Node{}, map[string]*Node{}
	var add func(*Node)
	add = func(ch *Node) {
		if ch.Kind == Choice || ch.Kind == Case {
			for _, x := range ch.Children {
				add(x)
			}
			return
		}
		key := childKey{ch.Module, ch.Name}
		if n.data[key] != nil {
			c.fail(fmt.Errorf("%s: %s: the name stands twice below %s", ch.where, ch.Name, n.Path()))
			return
		}
		ch.Order = len(n.Data)
		n.Data = append(n.Data, ch)
		n.data[key] = ch
		if _, taken := n.byName[ch.Name]; taken {
			n.byName[ch.Name] = nil
		} else {
			n.byName[ch.Name] = ch
		}
	}
	for _, ch := range n.Children {
		add(ch)
	}
	for i, op := range n.Operations {
		op.Order = len(n.Data) + i // where a notification stands beside the data of its node
	}
}

// keysAndUniques reads the key and unique of a list and the default of a choice,
// which name nodes that exist only once the tree is whole.
func (c *compiler) keysAndUniques(n *Node) {
	switch n.Kind {
	case Choice:
		if len(n.def.own) > 0 {
			d := n.def.own[len(n.def.own)-1]
			_, name, _ := strings.Cut(":"+d.arg, ":")
			if i := strings.IndexByte(name, ':'); i >= 0 {
				name = name[i+1:]
			}
			for _, ch := range n.Children {
				if ch.Name == name {
					n.DefaultCase = ch
				}
			}
			if n.DefaultCase == nil && !c.offBelow(n, name) {
				c.fail(d.errorf("is none of the choice's cases"))
			}
		}
	case List:
		if key := n.def.stmt.sub("key"); key != nil {
			c.keys(n, key)
		} else if n.Config && !n.stateless {
			c.fail(n.def.stmt.errorf("a config list needs a key"))
		}
		for _, u := range n.def.uniques {
			c.unique(n, u)
		}
		n.NewestFirst = !n.Config && !n.stateless && len(n.Keys) == 1 && strings.HasSuffix(n.Keys[0].Type.Name, "date-and-time")
	}
}

// offBelow reports whether features took a child of that name away.
func (c *compiler) offBelow(n *Node, name string) bool {
	for key := range c.off {
		if key.parent == n && key.child.name == name {
			return true
		}
	}
	return false
}

func (c *compiler) keys(n *Node, key *statement) {
	if len(strings.Fields(key.arg)) == 0 {
		c.fail(key.errorf("names no leaf"))
	}
	for _, name := range strings.Fields(key.arg) {
		if m, local, err := key.resolve(name); err == nil && (m == key.module || m == n.Module) {
			name = local
		}
		k := n.Child(n.Module, name)
		switch {
		case k == nil || k.Kind != Leaf || k.Parent != n:
			c.fail(key.errorf("%q is no leaf of the list", name))
			return
		case slices.Contains(n.Keys, k):
			c.fail(key.errorf("names %q twice", name))
		case k.Config != n.Config && !n.stateless:
			c.fail(key.errorf("the key %q is config %v, the list config %v", name, k.Config, n.Config))
		case k.Type.Base == Empty && k.def.typ.src.version == "1":
			c.fail(key.errorf("the key %q has the type empty, which needs YANG 1.1", name))
		case k.def.stmt.src.version != "1" && (len(k.Whens) > 0 && k.def.stmt.sub("when") != nil || k.def.stmt.sub("if-feature") != nil):
			c.fail(key.errorf("the key %q has a when or an if-feature", name))
		}
		k.Mandatory = true
		k.Defaults = nil // a key's default is ignored [RFC 7950 section 7.8.2]
		n.Keys = append(n.Keys, k)
	}
}

func (c *compiler) unique(n *Node, u *statement) {
	var leafs []*Node
	for _, path := range strings.Fields(u.arg) {
		at := n
		for part := range strings.SplitSeq(path, "/") {
			m, name, err := u.resolve(part)
			if err != nil {
				c.fail(err)
				return
			}
			if m == u.module {
				m = n.Module
			}
			next := childNamed(at.Children, m, name)
			if next == nil {
				next = at.Child(m, name)
			}
			if next == nil && c.offBelow(at, name) {
				return
			}
			if at = next; at == nil || at.Kind == List || at.Kind == LeafList {
				c.fail(u.errorf("%q leads to no leaf of an entry", path))
				return
			}
		}
		switch {
		case at.Kind != Leaf:
			c.fail(u.errorf("%q leads to no leaf", path))
			return
		case slices.Contains(leafs, at):
			c.fail(u.errorf("names %q twice", path))
		case len(leafs) > 0 && leafs[0].Config != at.Config:
			c.fail(u.errorf("mixes config and state"))
		}
		leafs = append(leafs, at)
	}
	n.Unique = append(n.Unique, leafs)
}

// consistent checks what properties of a node, or of it and its neighbours,
// contradict each other.
func (c *compiler) consistent(n *Node) {
	fail := func(format string, args ...any) {
		c.fail(fmt.Errorf("%s: %s: %s", n.where, n.Path(), fmt.Sprintf(format, args...)))
	}
	own := n.def != nil && len(n.def.own) > 0
	switch {
	case n.Max > 0 && n.Min > n.Max:
		fail("min-elements %d is more than max-elements %d", n.Min, n.Max)
	case n.Mandatory && own && !n.IsKey():
		fail("it is mandatory and has a default")
	case n.Kind == LeafList && n.Min > 0 && own:
		fail("it has a default and min-elements %d", n.Min)
	case n.Kind == LeafList && n.Max > 0 && own && len(n.Defaults) > n.Max:
		fail("it has %d defaults and max-elements %d", len(n.Defaults), n.Max)
	}
	if n.Kind == LeafList && n.Config {
		for i, d := range n.Defaults {
			if slices.Contains(n.Defaults[:i], d) {
				fail("the default %q stands there twice", d)
			}
		}
	}
	if n.DefaultCase != nil {
		if i := slices.IndexFunc(n.DefaultCase.Children, demands); i >= 0 {
			fail("the default case %s has the mandatory %s", n.DefaultCase.Name, n.DefaultCase.Children[i].Name)
		}
	}
	if n.HasValue() {
		c.targetConfig(n, n.Type, fail)
	}
	if !n.Config && !n.stateless && n.Kind != Root {
		for _, ch := range n.Children {
			if ch.Config {
				c.fail(fmt.Errorf("%s: %s: config true below config false", ch.where, ch.Path()))
			}
		}
	}
}

// targetConfig wants the target of a config leafref to be config too, where an
// instance is required [RFC 7950 section 9.9].
func (c *compiler) targetConfig(n *Node, t *Type, fail func(string, ...any)) {
	if n.stateless || !n.Config {
		return
	}
	if t.Base == Leafref && t.RequireInstance && !t.Path.Target.Config {
		fail("the leafref is config, its target %s is not", t.Path.Target.Path())
	}
	for _, m := range t.Members {
		c.targetConfig(n, m, fail)
	}
}

// defaults makes the default values canonical; a leaf's own goes before its
// type's.
func (c *compiler) defaults(n *Node) {
	from := n.def.own
	if len(from) == 0 && n.Type.defaultFrom != nil && !n.Mandatory && n.Min == 0 {
		from = []*statement{n.Type.defaultFrom}
	}
	for _, d := range from {
		v, err := n.Type.canonicalDefault(d.arg, c.schema, d.src.prefix)
		if err != nil {
			c.fail(d.errorf("%s: %v", n.Path(), err))
			return
		}
		n.Defaults = append(n.Defaults, v)
	}
}

func (c *compiler) checkLeafrefCycle(n *Node) {
	at := n
	for range 64 {
		if at.Type.Base != Leafref {
			return
		}
		at = at.Type.Path.Target
	}
	c.fail(fmt.Errorf("%s: %s: its leafrefs refer to each other", n.where, n.Path()))
}

type expressionKey struct {
	text, namespace string
	from            *source
}

type expressionResult struct {
	expr *xpath.Expr
	err  error
}

// compileExpressions compiles the musts and whens of a node; those of a grouping
// only once for all its users of one module.
func (c *compiler) compileExpressions(n *Node) {
	for _, list := range [][]*Constraint{n.Musts, n.Whens} {
		for _, k := range list {
			module := n.Module
			if module == nil {
				module = k.ns.from.module
			}
			key := expressionKey{k.Text, module.Namespace, k.ns.from}
			result := c.expressions[key]
			if result == nil {
				expr, err := xpath.Compile(k.Text, xpath.Namespaces{Default: module.Namespace, Prefixes: k.ns.from.prefixNamespaces()})
				result = &expressionResult{expr, err}
				c.expressions[key] = result
			}
			if result.err != nil {
				c.fail(fmt.Errorf("%s: %s: %w", k.where, n.Path(), result.err))
				continue
			}
			k.Expr = result.expr
		}
	}
}
