package yang

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"incidentd/yang/xpath"
)

// namespaces resolves the names of an expression [RFC 7950 section 6.4.1]: a
// prefix as in the module that wrote it, no prefix as the module of the node
// that has it.
type namespaces struct {
	from *Module
	node *Node
}

// finish resolves what needs the whole tree: types, keys, defaults, paths.
func (c *compiler) finish() {
	// Leafs are typed in order; a leafref's target may be typed later, so
	// paths are resolved in a second pass and defaults in a third.
	for _, p := range c.leafs {
		ts := p.stmt.sub("type")
		if ts == nil {
			c.fail(p.stmt.errorf("has no type"))
			continue
		}
		t, err := c.resolveType(ts, 0)
		if err != nil {
			c.fail(err)
			continue
		}
		p.node.Type = t
		if p.node.Units == "" {
			p.node.Units = t.units
		}
	}
	if len(c.errs) > 0 {
		return
	}
	var all []*Node
	collect := func(n *Node) { all = append(all, n) }
	walk(c.schema.Root, collect)
	for n := range c.schema.RPCs() {
		walk(n, collect)
	}
	for n := range c.schema.Notifications() {
		walk(n, collect)
	}
	for _, n := range all {
		c.index(n)
	}
	for _, p := range c.leafs {
		if p.node.Type != nil {
			c.resolvePaths(p.node, p.node.Type, p.stmt)
		}
	}
	if len(c.errs) > 0 {
		return
	}
	for _, p := range c.leafs {
		c.checkLeafrefCycle(p.node)
	}
	if len(c.errs) > 0 {
		return
	}
	for _, p := range c.leafs {
		c.defaults(p.node, p.stmt)
	}
	for _, n := range all {
		c.compileExpressions(n)
		for _, ch := range n.Children {
			if n.Config == false && ch.Config && n.Kind != Root && n.Kind < RPC {
				c.fail(fmt.Errorf("%s: %s: config true below config false", ch.where, ch.Path()))
			}
		}
	}
	for _, n := range all {
		c.keysAndUniques(n)
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
	if n.Kind == Choice || n.Kind == Case || n.Kind == RPC || n.Kind == Action || n.HasValue() {
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
}

// keysAndUniques reads the key and unique of a list and the default of a choice,
// which name nodes that exist only once the tree is whole.
func (c *compiler) keysAndUniques(n *Node) {
	s := c.statementAt(n)
	if s == nil {
		return
	}
	switch n.Kind {
	case Choice:
		if d := s.value("default"); d != "" {
			for _, ch := range n.Children {
				if ch.Name == d {
					n.DefaultCase = ch
				}
			}
			if n.DefaultCase == nil {
				c.fail(s.errorf("its default %q is none of its cases", d))
			}
		}
	case List:
		for _, name := range strings.Fields(s.value("key")) {
			if _, local, ok := strings.Cut(name, ":"); ok {
				name = local
			}
			k := n.Child(n.Module, name)
			if k == nil || k.Kind != Leaf {
				c.fail(s.errorf("its key %q is no leaf of it", name))
				return
			}
			k.Mandatory = true
			n.Keys = append(n.Keys, k)
		}
		if len(n.Keys) == 0 && n.Config {
			c.fail(s.errorf("a config list needs a key"))
		}
		for u := range s.all("unique") {
			var leafs []*Node
			for _, path := range strings.Fields(u.arg) {
				at := n
				for _, part := range strings.Split(path, "/") {
					_, name, err := u.resolve(part)
					if err != nil {
						c.fail(err)
						return
					}
					if at = at.ChildNamed(name); at == nil {
						c.fail(u.errorf("no leaf %q", path))
						return
					}
				}
				leafs = append(leafs, at)
			}
			n.Unique = append(n.Unique, leafs)
		}
	}
}

// statementAt finds the statement that defined a list or choice.
func (c *compiler) statementAt(n *Node) *statement {
	if n.Kind != List && n.Kind != Choice {
		return nil
	}
	if c.byWhere == nil {
		c.byWhere = map[string]*statement{}
		for _, m := range c.schema.Modules {
			var add func(*statement)
			add = func(s *statement) {
				if s.keyword == "list" || s.keyword == "choice" {
					c.byWhere[s.where] = s
				}
				for _, sub := range s.subs {
					add(sub)
				}
			}
			add(m.stmt)
		}
	}
	return c.byWhere[n.where]
}

// resolveType follows typedefs down to the built-in type and gathers the
// restrictions of every level.
func (c *compiler) resolveType(s *statement, depth int) (*Type, error) {
	if depth > 64 {
		return nil, s.errorf("typedefs nest too deep or refer to themselves")
	}
	var t *Type
	if base, ok := baseNames[s.arg]; ok {
		t = &Type{Base: base, Name: s.arg, RequireInstance: true}
	} else {
		def, err := s.definition("typedef", s.arg)
		if err != nil {
			return nil, err
		}
		ts := def.sub("type")
		if ts == nil {
			return nil, def.errorf("has no type")
		}
		below, err := c.resolveType(ts, depth+1)
		if err != nil {
			return nil, err
		}
		copied := *below
		t = &copied
		t.Name = s.arg
		if d := def.sub("default"); d != nil {
			t.defaultText, t.defaultFrom = &d.arg, d
		}
		if u := def.value("units"); u != "" {
			t.units = u
		}
	}
	return t, c.restrict(t, s, depth)
}

func (c *compiler) restrict(t *Type, s *statement, depth int) error {
	for _, sub := range s.subs {
		message, appTag := strings.Join(strings.Fields(sub.value("error-message")), " "), sub.value("error-app-tag")
		switch sub.keyword {
		case "range", "length":
			parts, err := intervals(t, sub)
			if err != nil {
				return err
			}
			r := Restriction{Parts: parts, Text: sub.arg, Message: message, AppTag: appTag}
			if sub.keyword == "range" {
				t.Ranges = append(slices.Clip(t.Ranges), r)
			} else {
				t.Lengths = append(slices.Clip(t.Lengths), r)
			}
		case "pattern":
			re, err := translatePattern(sub.arg)
			if err != nil {
				return sub.errorf("%v", err)
			}
			t.Patterns = append(slices.Clip(t.Patterns), &Pattern{Text: sub.arg, Invert: sub.value("modifier") == "invert-match",
				Message: message, AppTag: appTag, re: re})
		case "fraction-digits":
			if _, err := fmt.Sscanf(sub.arg, "%d", &t.FractionDigits); err != nil || t.FractionDigits < 1 || t.FractionDigits > 18 {
				return sub.errorf("is not 1 to 18")
			}
		case "base":
			id, err := c.identity(sub)
			if err != nil {
				return err
			}
			t.Identities = append(slices.Clip(t.Identities), id)
		case "path":
			t.pathStmt = sub
		case "require-instance":
			t.RequireInstance = sub.arg == "true"
		}
	}
	if t.Base == Union && len(t.Members) == 0 {
		for m := range s.all("type") {
			member, err := c.resolveType(m, depth+1)
			if err != nil {
				return err
			}
			t.Members = append(t.Members, member)
		}
	}
	for _, named := range []struct {
		keyword, value string
		list           *[]Enum
	}{{"enum", "value", &t.Enums}, {"bit", "position", &t.BitNames}} {
		if s.sub(named.keyword) == nil {
			continue
		}
		list, err := c.enums(s, named.keyword, named.value, *named.list)
		if err != nil {
			return err
		}
		*named.list = list
	}
	switch {
	case t.Base == Decimal64 && t.FractionDigits == 0:
		return s.errorf("decimal64 needs fraction-digits")
	case t.Base == Union && len(t.Members) == 0:
		return s.errorf("a union needs types")
	case t.Base == Enumeration && len(t.Enums) == 0:
		return s.errorf("an enumeration needs enums")
	case t.Base == Bits && len(t.BitNames) == 0:
		return s.errorf("bits need bit statements")
	case t.Base == IdentityRef && len(t.Identities) == 0:
		return s.errorf("an identityref needs a base")
	case t.Base == Leafref && t.pathStmt == nil:
		return s.errorf("a leafref needs a path")
	}
	return nil
}

// enums numbers the enums or bits; a restriction of a typedef keeps the numbers
// that the typedef gave.
func (c *compiler) enums(s *statement, keyword, value string, inherited []Enum) ([]Enum, error) {
	var list []Enum
	next := int64(0)
	for e := range s.all(keyword) {
		if !c.ifFeatures(e) {
			continue
		}
		v := next
		if i := slices.IndexFunc(inherited, func(x Enum) bool { return x.Name == e.arg }); i >= 0 {
			v = inherited[i].Value
		} else if len(inherited) > 0 {
			return nil, e.errorf("is not in the type that is restricted")
		}
		if text := e.value(value); text != "" {
			if _, err := fmt.Sscanf(text, "%d", &v); err != nil {
				return nil, e.errorf("its %s is no number", value)
			}
		}
		list = append(list, Enum{e.arg, v})
		next = max(next, v+1)
	}
	if len(list) == 0 {
		return nil, s.errorf("no %s is left by the features", keyword)
	}
	if keyword == "bit" {
		slices.SortFunc(list, func(a, b Enum) int { return int(a.Value - b.Value) })
	}
	return list, nil
}

// intervals parses a range or length [RFC 7950 section 9.2.4].
func intervals(t *Type, s *statement) ([]Interval, error) {
	bounds := Interval{new(big.Int), new(big.Int).SetUint64(1<<64 - 1)}
	switch {
	case s.keyword == "length" && (t.Base == String || t.Base == Binary):
	case s.keyword == "range" && t.Base == Decimal64:
		bounds = integerBounds[Int64]
	case s.keyword == "range" && integerBounds[t.Base].Min != nil:
		bounds = integerBounds[t.Base]
	default:
		return nil, s.errorf("a %s cannot be restricted so", t.Name)
	}
	outer := bounds
	inherited := t.Ranges
	if s.keyword == "length" {
		inherited = t.Lengths
	}
	if len(inherited) > 0 {
		parts := inherited[len(inherited)-1].Parts
		outer = Interval{parts[0].Min, parts[len(parts)-1].Max}
	}
	number := func(text string) (*big.Int, error) {
		switch text = strings.TrimSpace(text); text {
		case "min":
			return outer.Min, nil
		case "max":
			return outer.Max, nil
		}
		if v, ok := parseDecimal(text, t.FractionDigits); ok {
			return v, nil
		}
		if v, ok := new(big.Int).SetString(text, 0); ok && t.FractionDigits == 0 {
			return v, nil
		}
		return nil, s.errorf("%q is no number", text)
	}
	var out []Interval
	for _, part := range strings.Split(s.arg, "|") {
		low, high, ranged := strings.Cut(part, "..")
		if !ranged {
			high = low
		}
		lo, err := number(low)
		if err != nil {
			return nil, err
		}
		hi, err := number(high)
		if err != nil {
			return nil, err
		}
		switch {
		case lo.Cmp(hi) > 0, len(out) > 0 && out[len(out)-1].Max.Cmp(lo) >= 0:
			return nil, s.errorf("its parts do not ascend")
		case lo.Cmp(bounds.Min) < 0 || hi.Cmp(bounds.Max) > 0:
			return nil, s.errorf("is wider than %s", t.Name)
		}
		out = append(out, Interval{lo, hi})
	}
	return out, nil
}

// defaults makes the default values canonical; a leaf's own goes before its
// type's.
func (c *compiler) defaults(n *Node, s *statement) {
	from := s
	texts := n.Defaults // of a refine
	if len(texts) == 0 {
		for d := range s.all("default") {
			texts = append(texts, d.arg)
		}
	}
	if len(texts) == 0 && n.Type.defaultText != nil && !n.Mandatory {
		texts, from = []string{*n.Type.defaultText}, n.Type.defaultFrom
	}
	n.Defaults = nil
	for _, text := range texts {
		v, err := n.Type.Canonical(text, c.schema, func(p string) *Module {
			if p == "" {
				return from.module
			}
			return from.module.prefixes[p]
		})
		if err != nil {
			c.fail(from.errorf("default %q: %v", text, err))
			return
		}
		n.Defaults = append(n.Defaults, v)
	}
}

func (c *compiler) checkLeafrefCycle(n *Node) {
	at := n
	for range 64 {
		if at.Type == nil || at.Type.Base != Leafref || at.Type.Path == nil {
			return
		}
		at = at.Type.Path.Target
	}
	c.fail(fmt.Errorf("%s: %s: its leafrefs refer to each other", n.where, n.Path()))
}

func (c *compiler) compileExpressions(n *Node) {
	for _, list := range [][]*Constraint{n.Musts, n.Whens} {
		for _, k := range list {
			module := n.Module
			if module == nil {
				module = k.ns.from
			}
			expr, err := xpath.Compile(k.Text, xpath.Namespaces{Default: module.Namespace, Prefixes: k.ns.from.prefixNamespaces()})
			if err != nil {
				c.fail(fmt.Errorf("%s: %s: %w", n.where, n.Path(), err))
				continue
			}
			k.Expr = expr
		}
	}
}

// prefixNamespaces maps the prefixes of a module's imports to namespaces.
func (m *Module) prefixNamespaces() map[string]string {
	out := make(map[string]string, len(m.prefixes))
	for p, other := range m.prefixes {
		out[p] = other.Namespace
	}
	return out
}
