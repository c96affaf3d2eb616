package xpath

// Leafref is the compiled path of a leafref. It is immutable; any number of
// goroutines may use it.
type Leafref struct {
	expr   *Expr
	path   *path
	target Path
}

// CompileLeafref compiles the argument of a path statement: the subset of XPath that
// RFC 7950 section 9.9.2 allows. Every error is a *SyntaxError.
func CompileLeafref(source string, ns Namespaces) (*Leafref, error) {
	p, err := newParser(source, ns)
	if err != nil {
		return nil, err
	}
	p.whole = true
	t := p.peek()
	x := p.expr()
	if t := p.peek(); p.err == nil && t.kind != tokEnd {
		p.fail(t, "the path should end here%s", before(t))
	}
	e, ok := x.(*path)
	if p.err == nil && !ok {
		p.fail(t, "the path of a leafref is a location path")
	}
	if p.err == nil {
		p.checkLeafref(e)
	}
	if p.err != nil {
		return nil, p.err
	}
	l := &Leafref{path: e, target: Path{Absolute: e.from == fromRoot}}
	for _, s := range e.steps {
		if s.axis == parent {
			l.target.Ups++
		} else {
			l.target.Names = append(l.target.Names, s.test.name)
		}
	}
	l.expr = &Expr{source: source, x: e, paths: func() []Path { return pathsOf(e) }}
	return l, nil
}

func (p *parser) checkLeafref(e *path) {
	if e.from != fromRoot && e.from != fromContext {
		p.fail(token{}, "the path of a leafref starts with / or ..")
		return
	}
	downs := p.checkDown(e)
	if e.from == fromContext && p.err == nil && e.steps[0].axis != parent {
		p.fail(token{pos: e.steps[0].pos}, "a relative path of a leafref starts with ..")
	}
	if downs == 0 {
		p.fail(token{pos: len(p.src)}, "the path of a leafref ends with the name of a leaf")
	}
	for i := range e.steps {
		for j := range e.steps[i].preds {
			p.checkKeyPredicate(&e.steps[i].preds[j])
		}
	}
	if last := e.steps; p.err == nil && len(last[len(last)-1].preds) > 0 {
		p.fail(token{pos: last[len(last)-1].preds[0].pos}, "the leaf that a leafref refers to has no predicate")
	}
}

// checkDown checks that steps are parents, unless the path is absolute, and then
// names. It returns how many names.
func (p *parser) checkDown(e *path) int {
	downs := 0
	for i := range e.steps {
		s := &e.steps[i]
		up := s.axis == parent && s.test.kind == testNode && len(s.preds) == 0
		switch {
		case s.axis == child && s.test.kind == testName:
			downs++
		case up && downs == 0 && e.from != fromRoot:
		case up:
			p.fail(token{pos: s.pos}, `".." comes before all names of a relative path only`)
		default:
			p.fail(token{pos: s.pos}, "the path of a leafref has names and \"..\" only")
		}
	}
	return downs
}

// checkKeyPredicate checks that a predicate is [key = current()/../name].
func (p *parser) checkKeyPredicate(q *pred) {
	t := token{pos: q.pos}
	c, ok := q.x.(*comparison)
	if !ok || c.op != "=" {
		p.fail(t, "a predicate of a leafref compares a key by =")
		return
	}
	if key, ok := c.l.(*path); !ok || q.value != c.r || key.steps[0].axis != child {
		p.fail(t, "a predicate of a leafref compares the name of a key")
		return
	}
	v, ok := c.r.(*path)
	if !ok || v.from != fromCurrent || v.steps[0].axis != parent {
		p.fail(t, "a predicate of a leafref compares with current()/../...")
		return
	}
	if downs := p.checkDown(v); downs == 0 {
		p.fail(t, "a predicate of a leafref compares with a leaf")
	}
	for _, s := range v.steps {
		if len(s.preds) > 0 {
			p.fail(token{pos: s.pos}, "no predicates within a predicate of a leafref")
		}
	}
}

// Expr is the path as an expression.
func (l *Leafref) Expr() *Expr { return l.expr }

// Target is the path without its predicates: where in the schema the leaf is that is
// referred to. Choices and cases do not count.
func (l *Leafref) Target() Path { return l.target }

// Find returns a node that the path leads to and whose value is the one given, nil if
// there is none. Context.Node is the leafref itself. If the path ends with a key of a
// list and all others are given by predicates, this is a look-up, however long the
// list. The errors are ErrNoNode and ErrBudget.
func (l *Leafref) Find(c Context, value string) (Node, error) {
	m, f := c.machine()
	if m.err != nil {
		return nil, m.err
	}
	n, _ := m.find(l.path.plan.stages[0].steps, m.start(l.path, f), value)
	if m.err != nil {
		return nil, m.err
	}
	return n, nil
}
