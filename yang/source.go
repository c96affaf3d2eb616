package yang

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
)

// File is the text of one module or submodule.
type File struct {
	// Name stands before the line in every fault.
	Name string
	Text []byte
}

// Submodule is a part of a module's text.
type Submodule struct {
	Name, Revision string
	// Source is the text, for get-schema.
	Source []byte
}

// source is one parsed text: a module's own or a submodule's. Prefixes are
// resolved text by text, all other names module by module [RFC 7950 section 5.1].
type source struct {
	file     string
	text     []byte
	stmt     *statement
	module   *Module
	name     string
	revision string
	version  string // "1" or "1.1"
	prefixes map[string]*Module

	namespaces map[string]string // prefixes' namespaces, made when first asked for
}

type definitionKey struct{ keyword, name string }

// Compile parses and compiles every *.yang file at the top of fsys. All faults
// that are found are in the error, each with file, line and reason.
func Compile(fsys fs.FS, o Options) (*Schema, error) {
	names, err := fs.Glob(fsys, "*.yang")
	if err != nil {
		return nil, err
	}
	var files []File
	var errs []error
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, File{name, text})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return CompileFiles(files, o)
}

// CompileFiles is Compile for texts that are no files of one folder.
func CompileFiles(files []File, o Options) (*Schema, error) {
	for {
		c := newCompiler(o)
		err := c.compile(files)
		if len(c.wanted) == 0 {
			return c.schema, err
		}
		// A leafref leads into a module that is only imported: it has to be
		// implemented, which is known only once groupings are expanded.
		o.Implemented = slices.Concat(o.Implemented, c.wanted)
	}
}

func (c *compiler) compile(files []File) error {
	steps := []func(){func() { c.load(files) }, c.link, c.checkScopes, c.features, c.defineIdentities, c.checkReferences,
		c.buildModules, c.augmentModules, c.deviate, c.finish}
	for _, step := range steps {
		step()
		if len(c.errs) > 0 {
			c.schema = nil
			return c.faults()
		}
	}
	return nil
}

// faults joins what was found, each fault once.
func (c *compiler) faults() error {
	seen := map[string]bool{}
	return errors.Join(slices.DeleteFunc(c.errs, func(err error) bool {
		text := err.Error()
		defer func() { seen[text] = true }()
		return seen[text]
	})...)
}

// load parses the texts, checks their grammar and puts the submodules to their
// modules.
func (c *compiler) load(files []File) {
	if len(files) == 0 {
		c.fail(errors.New("no *.yang files to compile"))
	}
	var subs []*source
	for _, f := range files {
		stmt, err := parse(f.Name, f.Text)
		if err != nil {
			c.fail(err)
			continue
		}
		src := &source{file: f.Name, text: f.Text, stmt: stmt, name: stmt.arg, version: "1", prefixes: map[string]*Module{}}
		if v := stmt.value("yang-version"); v != "" {
			src.version = v
		}
		if !c.grammar(src) {
			continue
		}
		for r := range stmt.all("revision") {
			src.revision = max(src.revision, r.arg)
		}
		if stmt.keyword == "submodule" {
			subs = append(subs, src)
			continue
		}
		m := &Module{schema: c.schema, Name: stmt.arg, Namespace: stmt.value("namespace"), Prefix: stmt.value("prefix"), Source: f.Text,
			Revision: src.revision, Description: stmt.text("description"), sources: []*source{src},
			definitions: map[definitionKey]*statement{}, features: map[string]*statement{}, enabled: map[string]bool{}}
		src.module = m
		stmt.own(src)
		if other := c.schema.byName[m.Name]; other != nil {
			c.fail(stmt.errorf("stands in %s too; one revision of a module is compiled", other.sources[0].file))
		}
		c.schema.byName[m.Name] = m
		c.schema.Modules = append(c.schema.Modules, m)
	}
	sort.Slice(c.schema.Modules, func(i, j int) bool { return c.schema.Modules[i].Name < c.schema.Modules[j].Name })
	c.include(subs)
}

// include gives every module the submodules that it or they include, in the order
// of the include statements [RFC 7950 section 7.1.6].
func (c *compiler) include(subs []*source) {
	byName := map[string]*source{}
	for _, sub := range subs {
		if other := byName[sub.name]; other != nil {
			c.fail(sub.stmt.errorf("stands in %s too; one revision of a submodule is compiled", other.file))
		}
		byName[sub.name] = sub
		owner := sub.stmt.sub("belongs-to")
		if m := c.schema.byName[owner.arg]; m == nil {
			c.fail(owner.errorf("the module is not there"))
		} else {
			sub.module = m
			sub.stmt.own(sub)
		}
	}
	if len(c.errs) > 0 {
		return
	}
	for _, m := range c.schema.Modules {
		for i := 0; i < len(m.sources); i++ {
			for inc := range m.sources[i].stmt.all("include") {
				sub := byName[inc.arg]
				rev := inc.value("revision-date")
				switch {
				case sub == nil:
					c.fail(inc.errorf("the submodule is not there"))
				case sub.module != m:
					c.fail(inc.errorf("the submodule belongs to %s", sub.module.Name))
				case rev != "" && rev != sub.revision:
					c.fail(inc.errorf("wants revision %s, %s is there", rev, orNone(sub.revision)))
				case sub.version != m.sources[0].version:
					c.fail(inc.errorf("is YANG %s, its module YANG %s", sub.version, m.sources[0].version))
				case !slices.Contains(m.sources, sub):
					m.sources = append(m.sources, sub)
					m.Submodules = append(m.Submodules, Submodule{sub.name, sub.revision, sub.text})
				}
			}
		}
		c.includeCycle(m, byName)
	}
	for _, sub := range subs {
		if !slices.Contains(sub.module.sources, sub) {
			c.fail(sub.stmt.errorf("is not included by %s", sub.module.Name))
		}
	}
}

// includeCycle refuses submodules that include each other in a circle.
func (c *compiler) includeCycle(m *Module, byName map[string]*source) {
	state := map[*source]int{} // 1: on the way down, 2: done
	var visit func(s *source)
	visit = func(s *source) {
		state[s] = 1
		for inc := range s.stmt.all("include") {
			switch sub := byName[inc.arg]; {
			case sub == nil:
			case state[sub] == 1:
				c.fail(inc.errorf("the submodules include each other"))
			case state[sub] == 0:
				visit(sub)
			}
		}
		state[s] = 2
	}
	visit(m.sources[0])
}

func orNone(revision string) string {
	if revision == "" {
		return "none"
	}
	return revision
}

// tops yields the top-level statements of a module and its submodules.
func (m *Module) tops(yield func(*statement) bool) {
	for _, src := range m.sources {
		for _, s := range src.stmt.subs {
			if !yield(s) {
				return
			}
		}
	}
}

// all yields the top-level statements of a keyword.
func (m *Module) all(keyword string) func(func(*statement) bool) {
	return func(yield func(*statement) bool) {
		for s := range m.tops {
			if s.keyword == keyword && !yield(s) {
				return
			}
		}
	}
}

// link resolves imports.
func (c *compiler) link() {
	for _, m := range c.schema.Modules {
		for _, src := range m.sources {
			own := src.stmt.value("prefix")
			if b := src.stmt.sub("belongs-to"); b != nil {
				own = b.value("prefix")
			}
			src.prefixes[own] = m
			for imp := range src.stmt.all("import") {
				c.importModule(src, imp)
			}
		}
	}
	if len(c.errs) > 0 {
		return
	}
	c.importCycles()
	c.implement()
	for _, m := range c.schema.Modules {
		if other := c.schema.byNS[m.Namespace]; other != nil {
			c.fail(m.sources[0].stmt.errorf("has the namespace of %s", other.Name))
		}
		c.schema.byNS[m.Namespace] = m
	}
}

func (c *compiler) importModule(src *source, imp *statement) {
	other, prefix := c.schema.byName[imp.arg], imp.value("prefix")
	switch rev := imp.value("revision-date"); {
	case other == nil:
		c.fail(imp.errorf("the module is not there"))
	case other == src.module:
		c.fail(imp.errorf("a module cannot import itself"))
	case rev != "" && rev != other.Revision:
		c.fail(imp.errorf("wants revision %s, %s is there", rev, orNone(other.Revision)))
	case src.prefixes[prefix] != nil:
		c.fail(imp.errorf("the prefix %q is used twice", prefix))
	case src.version == "1" && rev != "" && other.sources[0].version != "1":
		c.fail(imp.errorf("a module of YANG 1 cannot import YANG %s by revision", other.sources[0].version))
	default:
		src.prefixes[prefix] = other
	}
}

// importCycles refuses modules that import each other in a circle [RFC 7950
// section 7.1.5].
func (c *compiler) importCycles() {
	state := map[*Module]int{}
	var visit func(m *Module)
	visit = func(m *Module) {
		state[m] = 1
		for imp := range m.all("import") {
			switch other := c.schema.byName[imp.arg]; state[other] {
			case 1:
				c.fail(imp.errorf("the modules import each other"))
			case 0:
				visit(other)
			}
		}
		state[m] = 2
	}
	for _, m := range c.schema.Modules {
		if state[m] == 0 {
			visit(m)
		}
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
			for _, src := range m.sources {
				for _, p := range src.prefixes {
					need(p)
				}
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
// deviates from: without them it could not work [RFC 7950 section 5.6.5]. Those
// that its leafrefs lead to are found later.
func (c *compiler) markImplemented(m *Module) {
	if m.Implemented {
		return
	}
	m.Implemented = true
	for s := range m.tops {
		if s.keyword != "augment" && s.keyword != "deviation" && !s.is(structureModule, "augment-structure") {
			continue
		}
		for part := range strings.SplitSeq(s.arg, "/") {
			prefix, _, ok := strings.Cut(part, ":")
			if other := s.src.prefixes[prefix]; ok && other != nil {
				c.markImplemented(other)
			}
		}
	}
}

// prefixNamespaces maps the prefixes of a text to namespaces.
func (src *source) prefixNamespaces() map[string]string {
	if src.namespaces == nil {
		src.namespaces = make(map[string]string, len(src.prefixes))
		for p, other := range src.prefixes {
			src.namespaces[p] = other.Namespace
		}
	}
	return src.namespaces
}

// prefix is the Prefixes of values that stand in the text.
func (src *source) prefix(p string) *Module {
	if p == "" {
		return src.module
	}
	return src.prefixes[p]
}

// Header is what a text says about itself before it is compiled.
type Header struct {
	Name, Revision string
	// BelongsTo is the module of a submodule, "" for a module.
	BelongsTo string
	// Needs are the imported modules, the included submodules, and the module
	// that a submodule belongs to.
	Needs []Dependency
}

// Dependency is a module or submodule, in any revision if none is named.
type Dependency struct{ Name, Revision string }

// ReadHeader parses a text and returns what it needs, so that a tool can look for
// it. Only the syntax is checked.
func ReadHeader(f File) (Header, error) {
	top, err := parse(f.Name, f.Text)
	if err != nil {
		return Header{}, err
	}
	if top.keyword != "module" && top.keyword != "submodule" {
		return Header{}, top.errorf("a file holds a module or a submodule")
	}
	h := Header{Name: top.arg, BelongsTo: top.value("belongs-to")}
	for _, s := range top.subs {
		switch s.keyword {
		case "revision":
			h.Revision = max(h.Revision, s.arg)
		case "import", "include":
			h.Needs = append(h.Needs, Dependency{s.arg, s.value("revision-date")})
		case "belongs-to":
			h.Needs = append(h.Needs, Dependency{Name: s.arg})
		}
	}
	return h, nil
}
