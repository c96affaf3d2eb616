package yang

import (
	"fmt"
	"slices"
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
	// NoImportedFeatures makes modules that are only imported support no feature,
	// which yanglint does unless told otherwise.
	NoImportedFeatures bool
}

func newCompiler(o Options) *compiler {
	return &compiler{
		options: o,
		schema: &Schema{Root: &Node{Kind: Root, Config: true}, byName: map[string]*Module{}, byNS: map[string]*Module{}, rpcs: map[string]*Node{},
			notifs: map[string]*Node{}, structures: map[string]*Node{}, annotations: map[string]*Annotation{}, identAt: map[string]*Identity{}},
		identities:  map[*statement]*Identity{},
		identityOf:  map[string]*Identity{},
		off:         map[offKey]bool{},
		acyclic:     map[*statement]bool{},
		typedefs:    map[*statement]*Type{},
		patterns:    map[string]*patternResult{},
		expressions: map[expressionKey]*expressionResult{},
	}
}

type compiler struct {
	options    Options
	schema     *Schema
	errs       []error
	wanted     []string // modules that leafrefs need implemented
	identities map[*statement]*Identity
	identityOf map[string]*Identity // by qualified name, those that features switch off too
	using      []*statement         // groupings being expanded, against recursion
	acyclic    map[*statement]bool  // groupings found not to use themselves
	steps      int
	off        map[offKey]bool // nodes that features or deviations took away

	// What is made once for all its users.
	typedefs    map[*statement]*Type
	patterns    map[string]*patternResult
	expressions map[expressionKey]*expressionResult
}

// definition is what a node keeps of the statements that defined it until the
// whole tree is there.
type definition struct {
	stmt *statement
	// typ is the type statement, of the node or of a deviation.
	typ *statement
	// own are the default statements, of the node, a refine or a deviation.
	own, uniques []*statement
}

// maxNodes bounds the expansion of groupings, which can grow exponentially.
const maxNodes = 1 << 20

func (c *compiler) fail(err error) { c.errs = append(c.errs, err) }

func (c *compiler) features() {
	for _, m := range c.schema.Modules {
		for f := range m.all("feature") {
			m.features[f.arg] = f
		}
	}
	for _, m := range c.schema.Modules {
		wanted, listed := c.options.Features[m.Name]
		for name := range m.features {
			if !listed && (m.Implemented || !c.options.NoImportedFeatures) || slices.Contains(wanted, name) {
				m.enabled[name] = true
			}
		}
		for _, name := range wanted {
			if m.features[name] == nil {
				c.fail(fmt.Errorf("%s: has no feature %q", m.Name, name))
			}
		}
	}
	state := map[*statement]int{}
	for _, m := range c.schema.Modules {
		for f := range m.all("feature") {
			if state[f] == 0 {
				c.featureCycle(f, state)
			}
		}
	}
	if len(c.errs) > 0 {
		return
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

// featureCycle refuses features that depend on themselves.
func (c *compiler) featureCycle(f *statement, state map[*statement]int) {
	state[f] = 1 // on the way down
	for dep := range f.all("if-feature") {
		for _, word := range featureWords(dep.arg) {
			m, name, err := dep.resolve(word)
			if err != nil || m.features[name] == nil {
				continue
			}
			switch on := m.features[name]; state[on] {
			case 0:
				c.featureCycle(on, state)
			case 1:
				c.fail(dep.errorf("the feature depends on itself"))
			}
		}
	}
	state[f] = 2
}

// ifFeatures reports whether all if-feature substatements hold.
func (c *compiler) ifFeatures(s *statement) bool {
	for f := range s.all("if-feature") {
		v, err := c.ifFeature(f)
		if err != nil {
			c.fail(err)
		}
		if err != nil || !v {
			return false
		}
	}
	return true
}

var spacedParentheses = strings.NewReplacer("(", " ( ", ")", " ) ")

func featureWords(text string) []string { return strings.Fields(spacedParentheses.Replace(text)) }

func (c *compiler) ifFeature(f *statement) (bool, error) {
	if f.src.version == "1" && !isReference(f.arg) {
		return false, f.errorf("is no feature; expressions need YANG 1.1")
	}
	p := featureParser{stmt: f, words: featureWords(f.arg)}
	v, err := p.or()
	if err == nil && len(p.words) > 0 {
		err = f.errorf("%q is left over", p.words[0])
	}
	return v, err
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
		for s := range m.all("identity") {
			id := &Identity{Name: s.arg, Module: m, derived: map[*Identity]bool{}, stmt: s}
			if c.ifFeatures(s) {
				c.schema.identAt[id.QName()] = id
			}
			c.identityOf[id.QName()] = id
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
	if id := c.identityOf[m.Name+":"+name]; id != nil {
		return id, nil
	}
	return nil, s.errorf("the module %s has no identity %q", m.Name, name)
}
