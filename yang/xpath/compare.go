package xpath

import "math"

// compare evaluates a comparison [XPath 1.0 section 3.4].
func (m *machine) compare(e *comparison, f focus) bool {
	if !m.spend(1) {
		return false
	}
	l, r, op := e.l, e.r, e.op
	lk, rk := l.kind(), r.kind()
	if lk != NodeSet && rk == NodeSet {
		l, r, lk, rk, op = r, l, rk, lk, mirrored(op)
	}
	equality := op == "=" || op == "!="
	switch {
	case lk == NodeSet && rk == NodeSet:
		return m.compareSets(op, l, r, f)
	case lk == NodeSet && rk != Boolean:
		if equality && rk == String {
			return m.anyText(op, l, m.str(r, f), f)
		}
		return m.anyNumber(op, l, m.number(r, f), f)
	case !equality:
		return compareNumbers(op, m.asNumber(l, f), m.asNumber(r, f))
	case lk == Boolean || rk == Boolean:
		return (m.boolean(l, f) == m.boolean(r, f)) == (op == "=")
	case lk == Number || rk == Number:
		return compareNumbers(op, m.number(l, f), m.number(r, f))
	}
	return (m.str(l, f) == m.str(r, f)) == (op == "=")
}

// asNumber is number, but a node-set counts as a boolean, as it does when it is
// compared with one.
func (m *machine) asNumber(x expr, f focus) float64 {
	if x.kind() != NodeSet {
		return m.number(x, f)
	}
	if m.boolean(x, f) {
		return 1
	}
	return 0
}

// mirrored is the operator with its operands exchanged.
func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

func compareNumbers(op string, l, r float64) bool {
	switch op {
	case "=":
		return l == r
	case "!=":
		return l != r
	case "<":
		return l < r
	case "<=":
		return l <= r
	case ">":
		return l > r
	}
	return l >= r
}

// anyText reports whether the text of some node of x is (for "=") or is not (for
// "!=") s.
func (m *machine) anyText(op string, x expr, s string, f focus) bool {
	equal := op == "="
	if p, ok := x.(*path); ok {
		n, rest, led := m.lead(p, f)
		if led && (n == nil || len(rest) == 0) {
			return n != nil && m.err == nil && m.is(n, s) == equal
		}
		if led && equal {
			if n, ok := m.find(rest, n, s); ok {
				return n != nil
			}
		}
		if led {
			hit := false
			m.walk(rest, n, func(n Node) bool {
				hit = m.is(n, s) == equal
				return !hit && m.err == nil
			})
			return hit
		}
	}
	return m.any(x, f, func(n Node) bool { return m.is(n, s) == equal })
}

// anyNumber reports whether the number of some node of x compares so with v.
func (m *machine) anyNumber(op string, x expr, v float64, f focus) bool {
	return m.any(x, f, func(n Node) bool { return compareNumbers(op, parseNumber(m.text(n)), v) })
}

// compareSets reports whether some pair of nodes compares so. It reads each set once.
func (m *machine) compareSets(op string, l, r expr, f focus) bool {
	set := m.nodes(r, f)
	if len(set) == 0 || m.err != nil {
		return false
	}
	if op != "=" && op != "!=" {
		return m.orderSets(op, l, set, f)
	}
	first := m.text(set[0])
	if len(set) == 1 {
		return m.anyText(op, l, first, f)
	}
	texts := map[string]bool{first: true}
	for _, n := range set[1:] {
		texts[m.text(n)] = true
	}
	if m.err != nil {
		return false
	}
	if op == "=" {
		return m.any(l, f, func(n Node) bool { return texts[m.text(n)] })
	}
	if len(texts) == 1 {
		return m.anyText(op, l, first, f)
	}
	return m.boolean(l, f) // whatever the node, one of two texts differs from it
}

// orderSets compares with the greatest or least number of the right set, which is
// the easiest to satisfy.
func (m *machine) orderSets(op string, l expr, set []Node, f focus) bool {
	best := math.NaN()
	greatest := op == "<" || op == "<="
	for _, n := range set {
		v := parseNumber(m.text(n))
		if math.IsNaN(best) || greatest && v > best || !greatest && v < best {
			best = v
		}
	}
	if m.err != nil || math.IsNaN(best) {
		return false
	}
	return m.anyNumber(op, l, best, f)
}

// find is the first node found whose text is value, of those to which steps lead. It
// is faster than a visit of all when the last step is a key: then the key is one more
// that is known of its list. ok is false when the steps are not of the shape.
func (m *machine) find(steps []step, from Node, value string) (hit Node, ok bool) {
	end := len(steps) - 1
	if end < 0 || steps[end].axis != child || steps[end].test.kind != testName || len(steps[end].preds) > 0 {
		return nil, false
	}
	leaf := &steps[end]
	below := func(n Node) bool {
		hit = m.findBelow(leaf, n, value)
		return hit == nil && m.err == nil
	}
	if end == 0 || steps[end-1].axis != child || steps[end-1].test.kind != testName || !steps[end-1].filters {
		m.walk(steps[:end], from, below)
		return hit, true
	}
	list := &steps[end-1]
	m.walk(steps[:end-1], from, func(n Node) bool {
		if entry, ok := m.lookup(list, n, value, leaf.test.name); ok {
			return entry == nil || below(entry)
		}
		m.walk(steps[end-1:end], n, below)
		return hit == nil && m.err == nil
	})
	return hit, true
}

// findBelow finds the child that a step names and whose text is value.
func (m *machine) findBelow(leaf *step, n Node, value string) (hit Node) {
	if c, one := n.One(leaf.test.name); one {
		if c == nil || !m.spend(1) || !m.is(c, value) {
			return nil
		}
		return c
	}
	if c, ok := m.lookup(leaf, n, value, Name{Local: "."}); ok {
		m.spend(1)
		return c
	}
	m.expand(leaf, n, func(c Node) bool {
		if m.is(c, value) {
			hit = c
		}
		return hit == nil
	})
	return hit
}
