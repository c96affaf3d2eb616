package yang

import (
	"slices"
	"strconv"
	"strings"
)

var dataKinds = map[string]Kind{
	"container": Container, "list": List, "leaf": Leaf, "leaf-list": LeafList, "anydata": AnyData, "anyxml": AnyXML,
	"choice": Choice, "case": Case, "rpc": RPC, "action": Action, "input": Input, "output": Output, "notification": Notification,
}

func (c *compiler) buildModules() {
	for _, m := range c.schema.Modules {
		c.annotate(m)
		if !m.Implemented {
			continue
		}
		for s := range m.tops {
			switch {
			case s.keyword == "uses":
				c.topUses(s, m)
			case s.is(structureModule, "structure") || s.is(restconfModule, "yang-data"):
				c.buildStructure(s, m)
			default:
				c.build(s, m, nil, true)
			}
		}
	}
}

// topUses expands a uses at the top of a module; what it defines has no parent.
func (c *compiler) topUses(s *statement, m *Module) {
	root := c.schema.Root
	before, beforeOps := len(root.Children), len(root.Operations)
	c.uses(s, m, root)
	for _, n := range slices.Concat(root.Children[before:], root.Operations[beforeOps:]) {
		n.Parent = nil
		if n.Kind == Notification {
			c.topOperation(n, s)
		}
		if n.Kind == Action {
			c.fail(s.errorf("the action %q cannot stand at the top of a module", n.Name))
		}
	}
	root.Operations = nil
}

// topOperation registers an rpc or a notification of the top of a module.
func (c *compiler) topOperation(n *Node, s *statement) {
	to := c.schema.rpcs
	if n.Kind == Notification {
		to = c.schema.notifs
	}
	if c.schema.rpcs[n.QName()] != nil || c.schema.notifs[n.QName()] != nil || childNamed(c.schema.Root.Children, n.Module, n.Name) != nil {
		c.fail(s.errorf("the module has a node of that name already"))
		return
	}
	to[n.QName()] = n
}

func childNamed(list []*Node, m *Module, name string) *Node {
	for _, n := range list {
		if n.Name == name && n.Module == m {
			return n
		}
	}
	return nil
}

// build makes the node that a statement defines, with all below it, and adds it
// to its parent; nil when the statement defines none, or its features are off.
// m is the module whose namespace the node has.
func (c *compiler) build(s *statement, m *Module, parent *Node, config bool) *Node {
	kind, ok := dataKinds[s.keyword]
	if !ok {
		return nil
	}
	if !c.ifFeatures(s) {
		c.switchedOff(parent, m, s)
		return nil
	}
	n := c.newNode(kind, s, m, parent, config)
	if n == nil || !c.attach(n, s) {
		return nil
	}
	c.buildChildren(n, s, m)
	if kind == RPC || kind == Action {
		for _, io := range []Kind{Input, Output} {
			if !slices.ContainsFunc(n.Children, func(x *Node) bool { return x.Kind == io }) {
				implied := &Node{Kind: io, Name: io.String(), Module: m, Parent: n, where: n.where, depth: n.depth + 1, stateless: true, def: &definition{stmt: s}}
				if io == Input {
					n.Children = append([]*Node{implied}, n.Children...)
				} else {
					n.Children = append(n.Children, implied)
				}
			}
		}
		slices.SortStableFunc(n.Children, func(a, b *Node) int { return int(a.Kind) - int(b.Kind) })
	}
	return n
}

// step counts the nodes and the uses, which can grow exponentially; false once
// there are too many.
func (c *compiler) step(s *statement) bool {
	c.steps++
	if c.steps == maxNodes+1 {
		c.fail(s.errorf("the schema has more than %d nodes", maxNodes))
	}
	return c.steps <= maxNodes
}

// newNode makes a node and reads what its own substatements say.
func (c *compiler) newNode(kind Kind, s *statement, m *Module, parent *Node, config bool) *Node {
	if !c.step(s) {
		return nil
	}
	n := &Node{Kind: kind, Name: s.arg, Module: m, Parent: parent, Config: config, where: s.where,
		Status: s.value("status"), Description: s.value("description"), Reference: s.value("reference"), def: &definition{stmt: s}}
	if kind == Input || kind == Output {
		n.Name = s.keyword
	}
	if parent != nil {
		n.stateless = parent.stateless
		if n.depth = parent.depth + 1; n.depth > maxStatementDepth {
			c.fail(s.errorf("nests deeper than %d", maxStatementDepth))
			return nil
		}
	}
	if kind >= RPC {
		n.stateless = true
	}
	for _, sub := range s.subs {
		switch sub.keyword {
		case "units":
			n.Units = sub.arg
		case "ordered-by":
			n.UserOrdered = sub.arg == "user"
		case "presence":
			n.Presence = true
		case "mandatory":
			n.Mandatory = sub.arg == "true"
		case "config":
			if !n.stateless {
				n.Config = sub.arg == "true"
			}
		case "min-elements", "max-elements":
			n.limit(sub)
		case "must", "when":
			c.constraint(n, sub)
		case "type":
			n.def.typ = sub
		case "default":
			n.def.own = append(n.def.own, sub)
		case "unique":
			n.def.uniques = append(n.def.uniques, sub)
		default:
			if sub.is(accessModule, "default-deny-write") || sub.is(accessModule, "default-deny-all") {
				_, ext, _ := strings.Cut(sub.keyword, ":")
				n.Deny = strings.TrimPrefix(ext, "default-deny-")
			}
		}
	}
	if n.stateless && kind != Structure && !n.inStructure() {
		n.Config = false
	}
	return n
}

// The modules whose extensions mean something here.
const (
	accessModule    = "ietf-netconf-acm"
	structureModule = "ietf-yang-structure-ext"
	metadataModule  = "ietf-yang-metadata"
	restconfModule  = "ietf-restconf"
)

func (n *Node) inStructure() bool {
	for p := n; p != nil; p = p.Parent {
		if p.Kind == Structure {
			return true
		}
	}
	return false
}

// limit reads min-elements or max-elements, whose grammar was checked.
func (n *Node) limit(s *statement) {
	v, _ := strconv.ParseInt(s.arg, 10, 64) // unbounded is 0
	if s.keyword == "min-elements" {
		n.Min = int(v)
	} else {
		n.Max = int(v)
	}
}

// switchedOff notes a node that is not there because its features are not: what
// augments it goes with it.
func (c *compiler) switchedOff(parent *Node, m *Module, s *statement) {
	name := s.arg
	if s.keyword == "input" || s.keyword == "output" {
		name = s.keyword
	}
	c.off[offKey{parent, childKey{m, name}}] = true
}

type offKey struct {
	parent *Node // nil at the top of a module
	child  childKey
}

// buildChildren adds what the substatements define, and expands uses in place.
func (c *compiler) buildChildren(n *Node, s *statement, m *Module) {
	for _, sub := range s.subs {
		if sub.keyword == "uses" {
			c.uses(sub, m, n)
			continue
		}
		kind, ok := dataKinds[sub.keyword]
		if !ok {
			continue
		}
		if n.Kind == Choice && kind != Case {
			// The short form of a case [RFC 7950 section 7.9.2]. The case stays when
			// a feature switches its node off.
			cas := &Node{Kind: Case, Name: sub.arg, Module: m, Parent: n, Config: n.Config, stateless: n.stateless, where: sub.where, depth: n.depth + 1, def: &definition{stmt: sub}}
			if c.attach(cas, sub) {
				c.build(sub, m, cas, n.Config)
			}
			continue
		}
		c.build(sub, m, n, n.Config)
	}
}

// attach adds n to its parent; top-level data goes below the schema's root.
func (c *compiler) attach(n *Node, s *statement) bool {
	parent := n.Parent
	if parent == nil {
		if n.Kind == RPC || n.Kind == Notification {
			c.topOperation(n, s)
			return true
		}
		parent = c.schema.Root
		if childNamed(parent.Children, n.Module, n.Name) != nil || c.schema.rpcs[n.QName()] != nil || c.schema.notifs[n.QName()] != nil {
			c.fail(s.errorf("the module has a node of that name already"))
			return false
		}
		parent.Children = append(parent.Children, n)
		return true
	}
	if n.Kind != Input && n.Kind != Output && (childNamed(parent.Children, n.Module, n.Name) != nil || childNamed(parent.Operations, n.Module, n.Name) != nil) {
		c.fail(s.errorf("%s has a child of that name already", parent.Path()))
		return false
	}
	if n.Kind == Action || n.Kind == Notification {
		c.operationPlace(n, parent, s)
		parent.Operations = append(parent.Operations, n)
		return true
	}
	parent.Children = append(parent.Children, n)
	return true
}

// operationPlace refuses actions and notifications within an operation or below a
// list without keys [RFC 7950 sections 7.15 and 7.16].
func (c *compiler) operationPlace(n, parent *Node, s *statement) {
	if parent.stateless {
		c.fail(s.errorf("cannot stand within an rpc, an action, a notification or a structure"))
		return
	}
	for p := parent; p != nil; p = p.Parent {
		if p.Kind == List && p.def != nil && p.def.stmt.sub("key") == nil {
			c.fail(s.errorf("cannot stand below the list %s, which has no key", p.Name))
			return
		}
	}
}

// constraint adds a must or a when.
func (c *compiler) constraint(n *Node, s *statement) {
	k := c.newConstraint(n, s)
	if s.keyword == "must" {
		n.Musts = append(n.Musts, k)
		return
	}
	k.OnParent = n.Kind == Choice || n.Kind == Case
	n.Whens = append(n.Whens, k)
}

func (c *compiler) newConstraint(n *Node, s *statement) *Constraint {
	return &Constraint{Text: s.arg, Message: s.text("error-message"), AppTag: s.value("error-app-tag"), ns: &namespaces{from: s.src, node: n}, where: s.where}
}

// whenOf makes the nodes that an augment or a uses added depend on its when, whose
// context is the data node that they were added to.
func (c *compiler) whenOf(s *statement, added []*Node) {
	for w := range s.all("when") {
		for _, a := range added {
			k := c.newConstraint(a, w)
			k.OnParent = true
			a.Whens = append(a.Whens, k)
		}
	}
}

// uses expands a grouping below n [RFC 7950 section 7.13].
func (c *compiler) uses(s *statement, m *Module, n *Node) {
	g, err := s.definition("grouping", s.arg)
	if err != nil {
		c.fail(err)
		return
	}
	if slices.Contains(c.using, g) {
		c.fail(s.errorf("the grouping uses itself"))
		return
	}
	if !c.ifFeatures(s) {
		c.usesOff(g, m, n)
		return
	}
	if !c.step(s) {
		return
	}
	c.using = append(c.using, g)
	before, beforeOps := len(n.Children), len(n.Operations)
	c.buildChildren(n, g, m)
	c.using = c.using[:len(c.using)-1]
	added := slices.Concat(n.Children[before:], n.Operations[beforeOps:])
	c.whenOf(s, added)
	for r := range s.all("refine") {
		if t, off := c.descend(n, added, r, m); t != nil {
			c.refine(t, r)
		} else if !off {
			c.fail(r.errorf("the grouping has no such node"))
		}
	}
	for a := range s.all("augment") {
		if !c.ifFeatures(a) {
			continue
		}
		if t, off := c.descend(n, added, a, m); t != nil {
			c.augmentNode(t, a, m)
		} else if !off {
			c.fail(a.errorf("the grouping has no such node"))
		}
	}
}

// usesOff notes the top nodes of a grouping that a feature keeps from being used.
func (c *compiler) usesOff(g *statement, m *Module, n *Node) {
	if n == c.schema.Root {
		n = nil
	}
	for _, sub := range g.subs {
		if _, ok := dataKinds[sub.keyword]; ok {
			c.switchedOff(n, m, sub)
		}
	}
}

// descend walks a descendant schema node identifier, whose names are of m where
// they have no prefix or their own module's. off says that the node is switched
// off by a feature.
func (c *compiler) descend(parent *Node, from []*Node, s *statement, m *Module) (at *Node, off bool) {
	if parent == c.schema.Root {
		parent = nil
	}
	for i, part := range strings.Split(s.arg, "/") {
		mod, name, err := s.resolve(part)
		if err != nil {
			c.fail(err)
			return nil, true
		}
		if mod == s.module {
			mod = m
		}
		if i > 0 {
			parent, from = at, slices.Concat(at.Children, at.Operations)
		}
		if at = childNamed(from, mod, name); at == nil {
			return nil, c.off[offKey{parent, childKey{mod, name}}]
		}
	}
	return at, false
}

// remove takes a node out of the tree; what augments it goes with it.
func (c *compiler) remove(n *Node) {
	c.off[offKey{n.Parent, childKey{n.Module, n.Name}}] = true
	drop := func(x *Node) bool { return x == n }
	parent := n.Parent
	if parent == nil {
		parent = c.schema.Root
		delete(c.schema.rpcs, n.QName())
		delete(c.schema.notifs, n.QName())
	}
	parent.Children = slices.DeleteFunc(parent.Children, drop)
	parent.Operations = slices.DeleteFunc(parent.Operations, drop)
}

// allowed are the kinds of nodes whose property a refine or deviation may change
// [RFC 7950 sections 7.13.2 and 7.20.3.2].
var allowed = map[string][]Kind{
	"config":       {Leaf, LeafList, List, Container, Choice, AnyData, AnyXML},
	"default":      {Leaf, LeafList, Choice},
	"mandatory":    {Leaf, Choice, AnyData, AnyXML},
	"presence":     {Container},
	"must":         {Leaf, LeafList, List, Container, AnyData, AnyXML, Input, Output, Notification},
	"min-elements": {LeafList, List}, "max-elements": {LeafList, List},
	"unique": {List}, "type": {Leaf, LeafList}, "units": {Leaf, LeafList},
	"if-feature": {Leaf, LeafList, List, Container, Choice, Case, AnyData, AnyXML},
}

// mayHave refuses a property that the kind of node has not.
func (c *compiler) mayHave(n *Node, s *statement) bool {
	if kinds, ok := allowed[s.keyword]; ok && !slices.Contains(kinds, n.Kind) {
		c.fail(s.errorf("%s can have no %s", n, s.keyword))
		return false
	}
	return true
}

// refine changes a node of an expanded grouping; a feature that is off takes it
// away.
func (c *compiler) refine(n *Node, s *statement) {
	if !c.ifFeatures(s) {
		c.remove(n)
		return
	}
	first := true
	for _, sub := range s.subs {
		if !c.mayHave(n, sub) {
			continue
		}
		switch sub.keyword {
		case "description":
			n.Description = sub.arg
		case "reference":
			n.Reference = sub.arg
		case "config":
			c.setConfig(n, sub.arg == "true")
		case "mandatory":
			n.Mandatory = sub.arg == "true"
		case "presence":
			n.Presence = true
		case "must":
			c.constraint(n, sub)
		case "default":
			if first {
				n.def.own, first = nil, false
			} else if n.Kind != LeafList {
				c.fail(sub.errorf("stands a second time for %s", n))
			}
			n.def.own = append(n.def.own, sub)
		case "min-elements", "max-elements":
			n.limit(sub)
		}
	}
}

// setConfig sets the config of a node and of those below it that do not say their
// own.
func (c *compiler) setConfig(n *Node, config bool) {
	if n.stateless {
		return
	}
	n.Config = config
	for _, ch := range n.Children {
		if ch.def == nil || ch.def.stmt.sub("config") == nil {
			c.setConfig(ch, config)
		}
	}
}

// augmentModules applies the top-level augments until none is left; one may
// stand on what another adds.
func (c *compiler) augmentModules() {
	var todo []*statement
	for _, m := range c.schema.Modules {
		if !m.Implemented {
			continue
		}
		for s := range m.tops {
			if (s.keyword == "augment" || s.is(structureModule, "augment-structure")) && c.ifFeatures(s) {
				todo = append(todo, s)
			}
		}
	}
	for len(todo) > 0 && len(c.errs) == 0 {
		var rest []*statement
		for _, s := range todo {
			t, off := c.absolute(s)
			switch {
			case off:
			case t != nil:
				c.augmentNode(t, s, s.module)
			default:
				rest = append(rest, s)
			}
		}
		if len(rest) == len(todo) {
			for _, s := range rest {
				c.fail(s.errorf("no such node in the schema"))
			}
			return
		}
		todo = rest
	}
}

// absolute finds the node of an absolute schema node identifier, nil without one;
// off says that a feature or a deviation has taken it away, or a node above it.
func (c *compiler) absolute(s *statement) (at *Node, off bool) {
	for i, part := range strings.Split(s.arg, "/") {
		if i == 0 {
			if part != "" {
				c.fail(s.errorf("does not begin with a slash"))
				return nil, true
			}
			continue
		}
		mod, name, err := s.resolve(part)
		if err != nil {
			c.fail(err)
			return nil, true
		}
		parent := at
		switch {
		case i == 1 && s.keyword != "augment" && s.keyword != "deviation":
			at = c.schema.structures[mod.Name+":"+name]
		case i == 1:
			qname := mod.Name + ":" + name
			if at = c.schema.rpcs[qname]; at == nil {
				at = c.schema.notifs[qname]
			}
			if at == nil {
				at = childNamed(c.schema.Root.Children, mod, name)
			}
		default:
			if at = childNamed(parent.Children, mod, name); at == nil {
				at = childNamed(parent.Operations, mod, name)
			}
		}
		if at == nil {
			return nil, c.off[offKey{parent, childKey{mod, name}}]
		}
	}
	return at, false
}

// augmentNode adds what an augment defines to its target [RFC 7950 section 7.17].
func (c *compiler) augmentNode(t *Node, s *statement, m *Module) {
	if t.HasValue() || t.Kind == AnyData || t.Kind == AnyXML || t.Kind == RPC || t.Kind == Action {
		c.fail(s.errorf("a %s can have no children", t.Kind))
		return
	}
	for _, sub := range s.subs {
		if sub.keyword == "case" && t.Kind != Choice || (sub.keyword == "action" || sub.keyword == "notification") && t.Kind != Container && t.Kind != List {
			c.fail(sub.errorf("has no place in a %s", t.Kind))
			return
		}
	}
	before, beforeOps := len(t.Children), len(t.Operations)
	c.buildChildren(t, s, m)
	added := slices.Concat(t.Children[before:], t.Operations[beforeOps:])
	c.whenOf(s, added)
	if s.sub("when") != nil || t.Module == m || t.stateless || !t.Config {
		return
	}
	for _, n := range added {
		if n.Kind != Case && demands(n) {
			c.fail(s.errorf("adds the mandatory %s to the module %s without a when", n.Name, t.Module.Name))
		}
	}
}

// demands reports whether a config node must be there for its parent's sake [RFC
// 7950 section 3, mandatory node].
func demands(n *Node) bool {
	if !n.Config || len(n.Whens) > 0 {
		return false
	}
	switch n.Kind {
	case Container:
		return !n.Presence && slices.ContainsFunc(n.Children, demands)
	case List, LeafList:
		return n.Min > 0
	}
	return n.Mandatory
}
