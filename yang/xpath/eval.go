package xpath

import "strings"

// machine is one evaluation. Its first error is kept, and whoever loops looks at it:
// what is returned after an error has no meaning.
type machine struct {
	names   *Namespaces
	current Node
	root    Node // found when first asked for
	env     Environment
	budget  *int64
	err     error
	keys    []string // a stack of key values
}

// focus is the context of an expression [XPath 1.0 section 1].
type focus struct {
	node Node
	pos  int // from 1
	size int
}

func (m *machine) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// spend takes steps from the budget and reports whether the evaluation goes on.
func (m *machine) spend(n int) bool {
	if m.err != nil {
		return false
	}
	if m.budget == nil {
		return true
	}
	if *m.budget -= int64(n); *m.budget < 0 {
		*m.budget = 0
		m.err = ErrBudget
		return false
	}
	return true
}

// spendText pays for handling a text.
func (m *machine) spendText(s string) string {
	m.spend(len(s) / 64)
	return s
}

// text is the string-value of a node [XPath 1.0 section 5].
func (m *machine) text(n Node) string {
	if k := n.Kind(); k == Leaf || k == Text {
		return m.spendText(m.value(n))
	}
	var b strings.Builder
	m.appendText(n, &b)
	return b.String()
}

func (m *machine) appendText(n Node, b *strings.Builder) bool {
	n.Children(func(c Node) bool {
		if !m.spend(1) {
			return false
		}
		if c.Kind() == Leaf {
			b.WriteString(m.spendText(m.value(c)))
			return true
		}
		return m.appendText(c, b)
	})
	return m.err == nil
}

// boolean evaluates and converts [XPath 1.0 section 4.3].
func (m *machine) boolean(x expr, f focus) bool {
	if m.err != nil {
		return false
	}
	switch e := x.(type) {
	case *comparison:
		return m.compare(e, f)
	case *logic:
		for _, x := range e.xs {
			if m.boolean(x, f) == e.or {
				return e.or && m.err == nil
			}
		}
		return !e.or && m.err == nil
	case *path:
		return m.exists(e, f)
	case *union:
		for _, x := range e.xs {
			if m.boolean(x, f) {
				return true
			}
		}
		return false
	}
	v := x.eval(m, f)
	return v.Bool()
}

// number evaluates and converts [XPath 1.0 section 4.4].
func (m *machine) number(x expr, f focus) float64 {
	switch e := x.(type) {
	case number:
		return float64(e)
	case literal:
		return parseNumber(string(e))
	}
	if x.kind() == NodeSet {
		return parseNumber(m.str(x, f))
	}
	v := x.eval(m, f)
	return v.Number()
}

// str evaluates and converts [XPath 1.0 section 4.2].
func (m *machine) str(x expr, f focus) string {
	if e, ok := x.(literal); ok {
		return string(e)
	}
	if x.kind() == NodeSet {
		if n := m.first(x, f); n != nil && m.err == nil {
			return m.text(n)
		}
		return ""
	}
	v := x.eval(m, f)
	return v.Text()
}

// nodes evaluates a node-set: in document order, each node once.
func (m *machine) nodes(x expr, f focus) []Node {
	if e, ok := x.(*path); ok {
		return m.pathNodes(e, f)
	}
	v := x.eval(m, f)
	return v.nodes
}

// first is the first node of a node-set in document order, nil if it is empty.
func (m *machine) first(x expr, f focus) Node {
	p, ok := x.(*path)
	if !ok {
		if c, ok := x.(*call); ok && c.fn.name == "current" {
			return m.current
		}
		if set := m.nodes(x, f); len(set) > 0 {
			return set[0]
		}
		return nil
	}
	n, rest, ok := m.lead(p, f)
	if ok && (n == nil || len(rest) == 0) {
		return n
	}
	if !p.plan.ordered() {
		if set := m.pathNodes(p, f); len(set) > 0 {
			return set[0]
		}
		return nil
	}
	var hit Node
	visit := func(n Node) bool { hit = n; return false }
	if ok {
		m.walk(rest, n, visit)
	} else {
		m.each(p, f, visit)
	}
	return hit
}

// exists reports whether a path leads to any node.
func (m *machine) exists(p *path, f focus) bool {
	n, rest, ok := m.lead(p, f)
	if ok && (n == nil || len(rest) == 0) {
		return n != nil && m.err == nil
	}
	hit := false
	visit := func(Node) bool { hit = true; return false }
	if ok {
		m.walk(rest, n, visit)
	} else {
		m.each(p, f, visit)
	}
	return hit
}

// count is the number of nodes in a node-set.
func (m *machine) count(x expr, f focus) int {
	p, ok := x.(*path)
	if !ok || !p.plan.streams() {
		return len(m.nodes(x, f))
	}
	n := 0
	m.each(p, f, func(Node) bool { n++; return true })
	return n
}

// any reports whether some node of a node-set passes. It may be asked about a node
// more than once, in any order.
func (m *machine) any(x expr, f focus, passes func(Node) bool) bool {
	hit := false
	visit := func(n Node) bool { hit = passes(n); return !hit && m.err == nil }
	switch e := x.(type) {
	case *path:
		m.each(e, f, visit)
	case *union:
		for _, x := range e.xs {
			if m.any(x, f, passes) {
				return true
			}
		}
	default:
		for _, n := range m.nodes(x, f) {
			if !visit(n) {
				break
			}
		}
	}
	return hit
}

// start is where a path begins that begins at one node.
func (m *machine) start(p *path, f focus) Node {
	switch p.from {
	case fromCurrent:
		return m.current
	case fromRoot:
		if m.root == nil {
			n := f.node
			for up := n.Parent(); up != nil; up = n.Parent() {
				n = up
			}
			m.root = n
		}
		return m.root
	}
	return f.node
}

// lead follows a path of one stage as far as it leads to one node; ok is false when
// the path is of another shape. It is here for speed: it needs no closure.
func (m *machine) lead(p *path, f focus) (n Node, rest []step, ok bool) {
	if p.from == fromExpr || len(p.plan.stages) > 1 || p.plan.stages[0].sort {
		return nil, nil, false
	}
	n, rest = m.advance(p.plan.stages[0].steps, m.start(p, f))
	return n, rest, true
}

// each visits the nodes of a path: each once if the plan streams, in document order
// if it is ordered.
func (m *machine) each(p *path, f focus, visit func(Node) bool) {
	last := len(p.plan.stages) - 1
	steps := p.plan.stages[last].steps
	if last == 0 && p.from != fromExpr {
		m.walk(steps, m.start(p, f), visit)
		return
	}
	more := true
	for _, n := range m.upTo(p, f, last) {
		m.walk(steps, n, func(n Node) bool { more = visit(n); return more })
		if !more || m.err != nil {
			return
		}
	}
}

// upTo is the set that comes out of all stages before one: sorted, no node twice.
func (m *machine) upTo(p *path, f focus, end int) []Node {
	var set []Node
	if p.from == fromExpr {
		set = append(set, m.nodes(p.start, f)...) // predicates compact it
		for i := range p.preds {
			set = m.filterSet(&p.preds[i], set)
		}
	} else {
		set = []Node{m.start(p, f)}
	}
	for _, s := range p.plan.stages[:end] {
		var out []Node
		for _, n := range set {
			m.walk(s.steps, n, func(n Node) bool { out = append(out, n); return true })
			if m.err != nil {
				return nil
			}
		}
		set = m.sortSet(out)
	}
	return set
}

func (m *machine) pathNodes(p *path, f focus) []Node {
	n, rest, ok := m.lead(p, f)
	if ok && n == nil {
		return nil
	}
	if ok && len(rest) == 0 {
		return []Node{n}
	}
	var out []Node
	visit := func(n Node) bool { out = append(out, n); return true }
	if ok {
		m.walk(rest, n, visit)
	} else {
		m.each(p, f, visit)
	}
	if m.err != nil {
		return nil
	}
	if !p.plan.ordered() {
		out = m.sortSet(out)
	}
	return out
}

func (e number) eval(*machine, focus) Value  { return Value{kind: Number, num: float64(e)} }
func (e literal) eval(*machine, focus) Value { return Value{kind: String, str: string(e)} }

func (e *negation) eval(m *machine, f focus) Value {
	m.spend(1)
	v := m.number(e.x, f)
	if !e.even {
		v = -v
	}
	return Value{kind: Number, num: v}
}

func (e *arithmetic) eval(m *machine, f focus) Value {
	m.spend(1)
	return Value{kind: Number, num: calculate(e.op, m.number(e.l, f), m.number(e.r, f))}
}

func (e *comparison) eval(m *machine, f focus) Value { return boolValue(m.compare(e, f)) }
func (e *logic) eval(m *machine, f focus) Value      { return boolValue(m.boolean(e, f)) }
func (e *path) eval(m *machine, f focus) Value       { return setValue(m.pathNodes(e, f)) }

func (e *call) eval(m *machine, f focus) Value {
	if !m.spend(1) {
		return Value{kind: e.fn.result}
	}
	return e.fn.run(m, f, e)
}

func (e *union) eval(m *machine, f focus) Value {
	var set []Node
	for _, x := range e.xs {
		set = append(set, m.nodes(x, f)...)
		if m.err != nil {
			break
		}
	}
	return setValue(m.sortSet(set))
}
