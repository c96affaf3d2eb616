package yang

import (
	"slices"
	"strings"
)

// checkScopes indexes the definitions of every module and refuses names that are
// defined twice in a scope [RFC 7950 section 6.2.1], and extensions that are
// not defined.
func (c *compiler) checkScopes() {
	for _, m := range c.schema.Modules {
		for s := range m.tops {
			switch s.keyword {
			case "typedef", "grouping", "feature", "identity", "extension":
				key := definitionKey{s.keyword, s.arg}
				if m.definitions[key] != nil {
					c.fail(s.errorf("is defined twice"))
				}
				m.definitions[key] = s
			}
		}
	}
	for _, m := range c.schema.Modules {
		for s := range m.tops {
			c.checkScope(s)
		}
	}
}

func (c *compiler) checkScope(s *statement) {
	switch s.keyword {
	case "typedef", "grouping":
		c.shadows(s)
		if s.keyword == "typedef" && baseNames[s.arg] != Unknown {
			c.fail(s.errorf("has the name of a built-in type"))
		}
	}
	if strings.Contains(s.keyword, ":") {
		c.checkExtension(s)
		if !s.is(structureModule, "structure") && !s.is(structureModule, "augment-structure") {
			return
		}
		for _, sub := range s.subs {
			c.grammarOf(sub, s.src.version == "1")
		}
	}
	for _, sub := range s.subs {
		c.checkScope(sub)
	}
}

// shadows refuses a nested definition of a name that is defined around it.
func (c *compiler) shadows(s *statement) {
	if s.parent.parent == nil {
		return
	}
	for scope := s.parent; scope.parent != nil; scope = scope.parent {
		for other := range scope.all(s.keyword) {
			if other != s && other.arg == s.arg {
				if scope == s.parent && slices.Index(scope.subs, other) > slices.Index(scope.subs, s) {
					continue // told at the later one
				}
				c.fail(s.errorf("is defined in %s already", other.where))
				return
			}
		}
	}
	if other := s.module.definitions[definitionKey{s.keyword, s.arg}]; other != nil {
		c.fail(s.errorf("is defined in %s already", other.where))
	}
}

// checkExtension looks for the definition of an extension; what the instance
// holds is not YANG's matter [RFC 7950 section 6.3.1].
func (c *compiler) checkExtension(s *statement) {
	m, name := s.extension()
	if m == nil {
		prefix, _, _ := strings.Cut(s.keyword, ":")
		c.fail(s.errorf("no import has the prefix %q", prefix))
		return
	}
	def := m.definitions[definitionKey{"extension", name}]
	switch {
	case def == nil:
		c.fail(s.errorf("the module %s has no extension %q", m.Name, name))
	case def.sub("argument") != nil && !s.hasArg:
		c.fail(s.errorf("has no argument"))
	case def.sub("argument") == nil && s.hasArg:
		c.fail(s.errorf("takes no argument"))
	}
}

// checkReferences resolves every type, uses and if-feature, of groupings and
// typedefs that nobody uses too.
func (c *compiler) checkReferences() {
	for _, m := range c.schema.Modules {
		for s := range m.tops {
			c.checkReference(s, 0)
		}
		for g := range m.all("grouping") {
			c.groupingCycle(g)
		}
	}
}

var statusRank = map[string]int{"": 0, "current": 0, "deprecated": 1, "obsolete": 2}

func (c *compiler) checkReference(s *statement, status int) {
	if strings.Contains(s.keyword, ":") && !s.is(structureModule, "structure") && !s.is(structureModule, "augment-structure") {
		return
	}
	status = max(status, statusRank[s.value("status")])
	switch s.keyword {
	case "typedef":
		t, err := c.typedef(s, 0)
		if err != nil {
			c.fail(err)
			return
		}
		if d := s.sub("default"); d != nil && !needsTree(t) {
			if _, verr := t.canonicalDefault(d.arg, c.schema, s.src.prefix); verr != nil {
				c.fail(d.errorf("%v", verr))
			}
		}
		c.checkStatus(s.sub("type"), "typedef", status)
		return
	case "type":
		if _, err := c.resolveType(s, 0); err != nil {
			c.fail(err)
		}
		c.checkStatus(s, "typedef", status)
		return
	case "uses":
		if _, err := s.definition("grouping", s.arg); err != nil {
			c.fail(err)
		}
		c.checkStatus(s, "grouping", status)
	case "if-feature":
		if _, err := c.ifFeature(s); err != nil {
			c.fail(err)
		}
	case "grouping":
		if s.parent.parent != nil {
			c.groupingCycle(s)
		}
	}
	for _, sub := range s.subs {
		c.checkReference(sub, status)
	}
}

// checkStatus refuses what refers to a definition of the same module that is
// further gone than itself [RFC 7950 section 7.21.2].
func (c *compiler) checkStatus(s *statement, keyword string, status int) {
	if baseNames[s.arg] != Unknown {
		return
	}
	def, err := s.definition(keyword, s.arg)
	if err != nil || def.module != s.module {
		return
	}
	if v := def.value("status"); statusRank[v] > status {
		c.fail(s.errorf("refers to a %s that is %s", keyword, v))
	}
}

// groupingCycle refuses groupings that use themselves, used or not.
func (c *compiler) groupingCycle(g *statement) {
	if c.acyclic[g] {
		return
	}
	var path []*statement
	var visit func(g *statement) bool
	visit = func(g *statement) bool {
		if c.acyclic[g] {
			return true
		}
		path = append(path, g)
		var scan func(s *statement) bool
		scan = func(s *statement) bool {
			if s.keyword == "uses" {
				if d, err := s.definition("grouping", s.arg); err == nil {
					if slices.Contains(path, d) {
						c.fail(s.errorf("the grouping uses itself"))
						return false
					}
					if !visit(d) {
						return false
					}
				}
			}
			for _, sub := range s.subs {
				if !scan(sub) {
					return false
				}
			}
			return true
		}
		ok := scan(g)
		path = path[:len(path)-1]
		if ok {
			c.acyclic[g] = true
		}
		return ok
	}
	visit(g)
}

func hasLeafref(t *Type) bool {
	return t.Base == Leafref || slices.ContainsFunc(t.Members, hasLeafref)
}

// needsTree reports whether values of the type can be checked only once all nodes
// are there.
func needsTree(t *Type) bool {
	return t.Base == Leafref || t.Base == InstanceIdentifier || slices.ContainsFunc(t.Members, needsTree)
}
