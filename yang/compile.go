package yang

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
)

// Options say which modules of a set are compiled, and how.
type Options struct {
	// Implemented are the names of the modules to implement; what they import
	// is loaded for its definitions alone. Empty: all modules.
	Implemented []string
	// Features are the supported features of a module; a module without an
	// entry supports all of its features.
	Features map[string][]string
}

// Compile parses and compiles every *.yang file at the top of fsys. All faults
// that are found are in the error, each with file, line and reason.
func Compile(fsys fs.FS, o Options) (*Schema, error) {
	c := &compiler{
		options:    o,
		schema:     &Schema{byName: map[string]*Module{}, byNS: map[string]*Module{}, rpcs: map[string]*Node{}, notifs: map[string]*Node{}, identAt: map[string]*Identity{}},
		identities: map[*statement]*Identity{},
		off:        map[offKey]bool{},
	}
	c.schema.Root = &Node{Kind: Root, Config: true}
	steps := []func(){func() { c.load(fsys) }, c.link, c.features, c.defineIdentities, c.buildModules, c.augmentModules, c.finish}
	for _, step := range steps {
		step()
		if len(c.errs) > 0 {
			return nil, errors.Join(c.errs...)
		}
	}
	return c.schema, nil
}

type compiler struct {
	options    Options
	schema     *Schema
	errs       []error
	identities map[*statement]*Identity
	using      []*statement // groupings being expanded, against recursion
	leafs      []pendingLeaf
	byWhere    map[string]*statement // lists and choices, for their keys and defaults
	steps      int
	off        map[offKey]bool // nodes that features switched off
}

type pendingLeaf struct {
	node *Node
	stmt *statement
}

// maxNodes bounds the expansion of groupings, which can grow exponentially.
const maxNodes = 1 << 20

func (c *compiler) fail(err error) { c.errs = append(c.errs, err) }

func (c *compiler) load(fsys fs.FS) {
	files, err := fs.Glob(fsys, "*.yang")
	if err != nil {
		c.fail(err)
		return
	}
	if len(files) == 0 {
		c.fail(errors.New("no *.yang files to compile"))
	}
	for _, f := range files {
		text, err := fs.ReadFile(fsys, f)
		if err != nil {
			c.fail(err)
			continue
		}
		stmt, err := parse(f, text)
		if err != nil {
			c.fail(err)
			continue
		}
		if stmt.keyword != "module" {
			c.fail(stmt.errorf("submodules are not supported yet"))
			continue
		}
		m := &Module{schema: c.schema, Name: stmt.arg, Namespace: stmt.value("namespace"), Prefix: stmt.value("prefix"), Source: text, file: f, stmt: stmt,
			Description: strings.Join(strings.Fields(stmt.value("description")), " "),
			prefixes:    map[string]*Module{}, features: map[string]*statement{}, enabled: map[string]bool{}}
		for r := range stmt.all("revision") {
			m.Revision = max(m.Revision, r.arg)
		}
		stmt.own(m)
		switch other := c.schema.byName[m.Name]; {
		case m.Namespace == "" || m.Prefix == "":
			c.fail(stmt.errorf("has no namespace or no prefix"))
		case other != nil:
			c.fail(stmt.errorf("stands in %s too; one revision of a module is compiled", other.file))
		}
		c.schema.byName[m.Name] = m
		c.schema.Modules = append(c.schema.Modules, m)
	}
	sort.Slice(c.schema.Modules, func(i, j int) bool { return c.schema.Modules[i].Name < c.schema.Modules[j].Name })
}

// link resolves imports.
func (c *compiler) link() {
	for _, m := range c.schema.Modules {
		m.prefixes[m.Prefix] = m
		for imp := range m.stmt.all("import") {
			other := c.schema.byName[imp.arg]
			prefix := imp.value("prefix")
			switch rev := imp.value("revision-date"); {
			case other == nil:
				c.fail(imp.errorf("the module is not there"))
			case rev != "" && rev != other.Revision:
				c.fail(imp.errorf("wants revision %s, %s is there", rev, other.Revision))
			case prefix == "" || m.prefixes[prefix] != nil:
				c.fail(imp.errorf("the prefix %q is missing or used twice", prefix))
			default:
				m.prefixes[prefix] = other
			}
		}
		for inc := range m.stmt.all("include") {
			c.fail(inc.errorf("submodules are not supported yet"))
		}
		for dev := range m.stmt.all("deviation") {
			c.fail(dev.errorf("deviations are not supported yet"))
		}
	}
	if len(c.errs) > 0 {
		return
	}
	c.implement()
	for _, m := range c.schema.Modules {
		if other := c.schema.byNS[m.Namespace]; other != nil {
			c.fail(m.stmt.errorf("has the namespace of %s", other.Name))
		}
		c.schema.byNS[m.Namespace] = m
	}
}

// implement marks the modules to implement and drops what none of them needs.
func (c *compiler) implement() {
	if len(c.options.Implemented) == 0 {
		for _, m := range c.schema.Modules {
			m.Implemented = true
		}
		return
	}
	needed := map[*Module]bool{}
	var need func(*Module)
	need = func(m *Module) {
		if !needed[m] {
			needed[m] = true
			for _, p := range m.prefixes {
				need(p)
			}
		}
	}
	for _, name := range c.options.Implemented {
		m := c.schema.byName[name]
		if m == nil {
			c.fail(fmt.Errorf("the module %s, which is to be implemented, is not there", name))
			continue
		}
		c.markImplemented(m)
		need(m)
	}
	c.schema.Modules = slices.DeleteFunc(c.schema.Modules, func(m *Module) bool {
		if !needed[m] {
			delete(c.schema.byName, m.Name)
		}
		return !needed[m]
	})
}

// markImplemented also implements the modules whose nodes a module augments or
// refers to: without them it could not work [RFC 7950 section 5.6.5].
func (c *compiler) markImplemented(m *Module) {
	if m.Implemented {
		return
	}
	m.Implemented = true
	var visit func(s *statement)
	visit = func(s *statement) {
		switch s.keyword {
		case "augment", "path":
			for part := range strings.SplitSeq(s.arg, "/") {
				if prefix, _, ok := strings.Cut(strings.TrimSpace(part), ":"); ok && s.arg[0] == '/' {
					if other := m.prefixes[prefix]; other != nil {
						c.markImplemented(other)
					}
				}
			}
		case "import":
			// A typedef or grouping of an imported module may hold paths.
			if other := m.prefixes[s.value("prefix")]; other != nil {
				for _, typed := range other.stmt.subs {
					if typed.keyword == "typedef" || typed.keyword == "grouping" {
						c.implementPaths(other, typed)
					}
				}
			}
		}
		for _, sub := range s.subs {
			visit(sub)
		}
	}
	visit(m.stmt)
}

func (c *compiler) implementPaths(m *Module, s *statement) {
	if s.keyword == "path" && strings.HasPrefix(s.arg, "/") {
		prefix, _, _ := strings.Cut(s.arg[1:], ":")
		if other := m.prefixes[prefix]; other != nil {
			c.markImplemented(other)
		}
	}
	for _, sub := range s.subs {
		c.implementPaths(m, sub)
	}
}

func (c *compiler) features() {
	for _, m := range c.schema.Modules {
		for f := range m.stmt.all("feature") {
			m.features[f.arg] = f
		}
	}
	for _, m := range c.schema.Modules {
		wanted, listed := c.options.Features[m.Name]
		for name := range m.features {
			if !listed || slices.Contains(wanted, name) {
				m.enabled[name] = true
			}
		}
		for _, name := range wanted {
			if m.features[name] == nil {
				c.fail(fmt.Errorf("%s: has no feature %q", m.Name, name))
			}
		}
	}
	// A feature may depend on others; switching one off can switch off more.
	for changed := true; changed; {
		changed = false
		for _, m := range c.schema.Modules {
			for name, stmt := range m.features {
				if m.enabled[name] && !c.ifFeatures(stmt) {
					delete(m.enabled, name)
					changed = true
				}
			}
		}
	}
	for _, m := range c.schema.Modules {
		for name := range m.enabled {
			m.Features = append(m.Features, name)
		}
		slices.Sort(m.Features)
	}
}

// ifFeatures reports whether all if-feature substatements hold.
func (c *compiler) ifFeatures(s *statement) bool {
	for f := range s.all("if-feature") {
		p := featureParser{stmt: f, words: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(f.arg))}
		v, err := p.or()
		if err == nil && len(p.words) > 0 {
			err = f.errorf("%q is left over", p.words[0])
		}
		if err != nil {
			c.fail(err)
			return false
		}
		if !v {
			return false
		}
	}
	return true
}

// featureParser evaluates an if-feature expression [RFC 7950 section 7.20.2].
type featureParser struct {
	stmt  *statement
	words []string
	depth int
}

func (p *featureParser) next(word string) bool {
	if len(p.words) > 0 && p.words[0] == word {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *featureParser) or() (bool, error) {
	v, err := p.and()
	for err == nil && p.next("or") {
		var w bool
		w, err = p.and()
		v = v || w
	}
	return v, err
}

func (p *featureParser) and() (bool, error) {
	v, err := p.factor()
	for err == nil && p.next("and") {
		var w bool
		w, err = p.factor()
		v = v && w
	}
	return v, err
}

func (p *featureParser) factor() (bool, error) {
	if p.depth++; p.depth > 100 {
		return false, p.stmt.errorf("nests too deep")
	}
	defer func() { p.depth-- }()
	switch {
	case p.next("not"):
		v, err := p.factor()
		return !v, err
	case p.next("("):
		v, err := p.or()
		if err == nil && !p.next(")") {
			err = p.stmt.errorf("a parenthesis is not closed")
		}
		return v, err
	case len(p.words) == 0:
		return false, p.stmt.errorf("ends where a feature was expected")
	}
	m, name, err := p.stmt.resolve(p.words[0])
	if err != nil {
		return false, err
	}
	if m.features[name] == nil {
		return false, p.stmt.errorf("the module %s has no feature %q", m.Name, name)
	}
	p.words = p.words[1:]
	return m.enabled[name], nil
}

func (c *compiler) defineIdentities() {
	for _, m := range c.schema.Modules {
		for s := range m.stmt.all("identity") {
			id := &Identity{Name: s.arg, Module: m, derived: map[*Identity]bool{}, stmt: s}
			if c.schema.identAt[id.QName()] != nil {
				c.fail(s.errorf("is defined twice"))
				continue
			}
			if c.ifFeatures(s) {
				c.schema.identAt[id.QName()] = id
			}
			c.identities[s] = id
		}
	}
	for s, id := range c.identities {
		for b := range s.all("base") {
			base, err := c.identity(b)
			if err != nil {
				c.fail(err)
				continue
			}
			id.Bases = append(id.Bases, base)
		}
	}
	for _, id := range c.identities {
		seen := map[*Identity]bool{}
		var up func(*Identity)
		up = func(i *Identity) {
			for _, b := range i.Bases {
				if b == id {
					c.fail(id.stmt.errorf("is derived from itself"))
					return
				}
				if !seen[b] {
					seen[b] = true
					b.derived[id] = true
					up(b)
				}
			}
		}
		up(id)
	}
}

func (c *compiler) identity(s *statement) (*Identity, error) {
	m, name, err := s.resolve(s.arg)
	if err != nil {
		return nil, err
	}
	if id := c.schema.identAt[m.Name+":"+name]; id != nil {
		return id, nil
	}
	return nil, s.errorf("the module %s has no identity %q", m.Name, name)
}

func (c *compiler) buildModules() {
	for _, m := range c.schema.Modules {
		if !m.Implemented {
			continue
		}
		for _, s := range m.stmt.subs {
			n := c.build(s, m, nil, true)
			if n == nil {
				continue
			}
			switch key := m.Name + ":" + n.Name; n.Kind {
			case RPC:
				c.schema.rpcs[key] = n
			case Notification:
				c.schema.notifs[key] = n
			}
		}
		c.expandUses(m.stmt, m, c.schema.Root)
	}
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
	if c.steps++; c.steps > maxNodes {
		if c.steps == maxNodes+1 {
			c.fail(s.errorf("the schema has more than %d nodes", maxNodes))
		}
		return nil
	}
	n := &Node{Kind: kind, Name: s.arg, Module: m, Parent: parent, Config: config, where: s.where, Status: s.value("status")}
	if kind == Input || kind == Output {
		n.Name = s.keyword
	}
	if parent != nil {
		if n.depth = parent.depth + 1; n.depth > maxStatementDepth {
			c.fail(s.errorf("nests deeper than %d", maxStatementDepth))
			return nil
		}
	}
	if n.Name == "" {
		c.fail(s.errorf("has no name"))
	}
	n.Description = s.value("description")
	n.Units = s.value("units")
	n.UserOrdered = s.value("ordered-by") == "user"
	n.Presence = s.sub("presence") != nil
	n.Mandatory = s.value("mandatory") == "true"
	if v := s.value("config"); v != "" {
		n.Config = v == "true"
	}
	if kind >= RPC {
		n.Config = false
	}
	for _, sub := range s.subs {
		if _, ext, ok := strings.Cut(sub.keyword, ":"); ok && strings.HasPrefix(ext, "default-deny-") {
			n.Deny = strings.TrimPrefix(ext, "default-deny-")
		}
	}
	c.limits(n, s)
	c.constraints(n, s)
	if !c.attach(n, s) {
		return nil
	}
	if n.HasValue() {
		c.leafs = append(c.leafs, pendingLeaf{n, s})
	}
	c.buildChildren(n, s, m)
	if kind == RPC || kind == Action {
		for _, io := range []Kind{Input, Output} {
			if !slices.ContainsFunc(n.Children, func(x *Node) bool { return x.Kind == io }) {
				n.Children = append(n.Children, &Node{Kind: io, Name: io.String(), Module: m, Parent: n, where: n.where, depth: n.depth + 1})
			}
		}
	}
	return n
}

// switchedOff notes a node that is not there because its features are not: what
// augments it goes with it.
func (c *compiler) switchedOff(parent *Node, m *Module, s *statement) {
	name := s.arg
	if name == "" {
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
			// The short form of a case [RFC 7950 section 7.9.2].
			if !c.ifFeatures(sub) {
				c.switchedOff(n, m, sub)
				continue
			}
			cas := &Node{Kind: Case, Name: sub.arg, Module: m, Parent: n, Config: n.Config, where: sub.where, depth: n.depth + 1}
			if c.attach(cas, sub) {
				c.build(sub, m, cas, n.Config)
			}
			continue
		}
		c.build(sub, m, n, n.Config)
	}
}

var dataKinds = map[string]Kind{
	"container": Container, "list": List, "leaf": Leaf, "leaf-list": LeafList, "anydata": AnyData, "anyxml": AnyXML,
	"choice": Choice, "case": Case, "rpc": RPC, "action": Action, "input": Input, "output": Output, "notification": Notification,
}

func (c *compiler) limits(n *Node, s *statement) {
	for _, l := range []struct {
		keyword string
		to      *int
	}{{"min-elements", &n.Min}, {"max-elements", &n.Max}} {
		v := s.value(l.keyword)
		if v == "" || v == "unbounded" {
			continue
		}
		if _, err := fmt.Sscanf(v, "%d", l.to); err != nil || *l.to < 0 {
			c.fail(s.errorf("%s %q is no number", l.keyword, v))
		}
	}
}

// attach adds n to its parent; top-level data goes below the schema's root.
func (c *compiler) attach(n *Node, s *statement) bool {
	parent := n.Parent
	if parent == nil {
		if n.Kind == RPC || n.Kind == Notification {
			return true
		}
		parent = c.schema.Root
		c.schema.Root.Children = append(c.schema.Root.Children, n)
		return true
	}
	if n.Kind == Action || n.Kind == Notification {
		parent.Operations = append(parent.Operations, n)
		return true
	}
	for _, sibling := range parent.Children {
		if sibling.Name == n.Name && sibling.Module == n.Module && sibling.Kind != Input && sibling.Kind != Output {
			c.fail(s.errorf("%s has a child of that name already", parent.Path()))
			return false
		}
	}
	parent.Children = append(parent.Children, n)
	return true
}

// expandUses handles uses at the top of a module.
func (c *compiler) expandUses(s *statement, m *Module, root *Node) {
	for u := range s.all("uses") {
		before := len(root.Children)
		c.uses(u, m, root)
		for _, n := range root.Children[before:] {
			n.Parent = nil
		}
	}
}

func (c *compiler) constraints(n *Node, s *statement) {
	for _, sub := range s.subs {
		switch sub.keyword {
		case "must":
			n.Musts = append(n.Musts, c.constraint(n, sub))
		case "when":
			k := c.constraint(n, sub)
			k.OnParent = n.Kind == Choice || n.Kind == Case
			n.Whens = append(n.Whens, k)
		}
	}
}

func (c *compiler) constraint(n *Node, s *statement) *Constraint {
	return &Constraint{Text: s.arg, Message: strings.Join(strings.Fields(s.value("error-message")), " "), AppTag: s.value("error-app-tag"), ns: &namespaces{from: s.module, node: n}}
}

// uses expands a grouping below n [RFC 7950 section 7.13].
func (c *compiler) uses(s *statement, m *Module, n *Node) {
	if !c.ifFeatures(s) {
		return
	}
	g, err := s.definition("grouping", s.arg)
	if err != nil {
		c.fail(err)
		return
	}
	if slices.Contains(c.using, g) {
		c.fail(s.errorf("the grouping uses itself"))
		return
	}
	c.using = append(c.using, g)
	before, beforeOps := len(n.Children), len(n.Operations)
	c.buildChildren(n, g, m)
	c.using = c.using[:len(c.using)-1]
	added := slices.Concat(n.Children[before:], n.Operations[beforeOps:])
	for w := range s.all("when") {
		for _, a := range added {
			k := c.constraint(n, w)
			k.OnParent = true
			a.Whens = append(a.Whens, k)
		}
	}
	for r := range s.all("refine") {
		if t := descend(added, r, m); t != nil {
			c.refine(t, r)
		} else {
			c.fail(r.errorf("the grouping has no such node"))
		}
	}
	for a := range s.all("augment") {
		if t := descend(added, a, m); t != nil {
			c.augmentNode(t, a, m)
		} else {
			c.fail(a.errorf("the grouping has no such node"))
		}
	}
}

// descend walks a descendant schema node identifier, whose names are of m where
// they have no prefix or their own module's.
func descend(from []*Node, s *statement, m *Module) *Node {
	var at *Node
	for i, part := range strings.Split(s.arg, "/") {
		mod, name, err := s.resolve(part)
		if err != nil {
			return nil
		}
		if mod == s.module {
			mod = m
		}
		if i > 0 {
			from = slices.Concat(at.Children, at.Operations)
		}
		at = nil
		for _, n := range from {
			if n.Name == name && n.Module == mod {
				at = n
			}
		}
		if at == nil {
			return nil
		}
	}
	return at
}

// refine changes a node of an expanded grouping; a feature that is off takes it
// away.
func (c *compiler) refine(n *Node, s *statement) {
	if !c.ifFeatures(s) {
		c.off[offKey{n.Parent, childKey{n.Module, n.Name}}] = true
		drop := func(x *Node) bool { return x == n }
		n.Parent.Children = slices.DeleteFunc(n.Parent.Children, drop)
		n.Parent.Operations = slices.DeleteFunc(n.Parent.Operations, drop)
		return
	}
	for _, sub := range s.subs {
		switch sub.keyword {
		case "description":
			n.Description = sub.arg
		case "config":
			c.setConfig(n, sub.arg == "true")
		case "mandatory":
			n.Mandatory = sub.arg == "true"
		case "presence":
			n.Presence = true
		case "must":
			n.Musts = append(n.Musts, c.constraint(n, sub))
		case "default":
			n.Defaults = append(n.Defaults, sub.arg)
		case "min-elements", "max-elements":
			c.limits(n, s)
		}
	}
}

func (c *compiler) setConfig(n *Node, config bool) {
	n.Config = config
	for _, ch := range n.Children {
		c.setConfig(ch, config)
	}
}

// augmentModules applies the top-level augments until none is left; one may
// stand on what another adds.
func (c *compiler) augmentModules() {
	type pending struct {
		s *statement
		m *Module
	}
	var todo []pending
	for _, m := range c.schema.Modules {
		if m.Implemented {
			for a := range m.stmt.all("augment") {
				todo = append(todo, pending{a, m})
			}
		}
	}
	for len(todo) > 0 {
		var rest []pending
		for _, p := range todo {
			if !c.ifFeatures(p.s) {
				continue
			}
			switch t, off := c.absolute(p.s); {
			case off:
			case t != nil:
				c.augmentNode(t, p.s, p.m)
			default:
				rest = append(rest, p)
			}
		}
		if len(rest) == len(todo) {
			for _, p := range rest {
				c.fail(p.s.errorf("no such node in the schema"))
			}
			return
		}
		todo = rest
	}
}

// absolute finds the node of an absolute schema node identifier, nil without one;
// off says that a feature has switched it off, or a node above it.
func (c *compiler) absolute(s *statement) (at *Node, off bool) {
	for i, part := range strings.Split(s.arg, "/") {
		if i == 0 {
			if part != "" {
				return nil, false
			}
			continue
		}
		mod, name, err := s.resolve(strings.TrimSpace(part))
		if err != nil {
			c.fail(err)
			return nil, false
		}
		parent := at
		if i == 1 {
			if at = c.schema.rpcs[mod.Name+":"+name]; at == nil {
				at = c.schema.notifs[mod.Name+":"+name]
			}
			for _, n := range c.schema.Root.Children {
				if n.Name == name && n.Module == mod {
					at = n
				}
			}
		} else {
			at = nil
			for _, n := range slices.Concat(parent.Children, parent.Operations) {
				if n.Name == name && (n.Module == mod || n.Kind == Input || n.Kind == Output) {
					at = n
				}
			}
		}
		if at == nil {
			return nil, c.off[offKey{parent, childKey{mod, name}}]
		}
	}
	return at, false
}

func (c *compiler) augmentNode(t *Node, s *statement, m *Module) {
	if t.HasValue() || t.Kind == AnyData || t.Kind == AnyXML || t.Kind == RPC {
		c.fail(s.errorf("a %s can have no children", t.Kind))
		return
	}
	before, beforeOps := len(t.Children), len(t.Operations)
	c.buildChildren(t, s, m)
	for _, n := range slices.Concat(t.Children[before:], t.Operations[beforeOps:]) {
		for w := range s.all("when") {
			k := c.constraint(n, w)
			k.OnParent = true
			n.Whens = append(n.Whens, k)
		}
	}
}
