package xpath

import "slices"

// advance follows steps as long as each leads to one node at most. It returns the
// node (nil: there is none) and the steps that are left.
func (m *machine) advance(steps []step, n Node) (Node, []step) {
	for len(steps) > 0 {
		next, ok := m.one(&steps[0], n)
		if !ok {
			break
		}
		if next == nil || !m.spend(1) {
			return nil, nil
		}
		n, steps = next, steps[1:]
	}
	return n, steps
}

// one follows a step if that can be done without a set; ok is false if it cannot.
func (m *machine) one(s *step, n Node) (next Node, ok bool) {
	switch s.axis {
	case child:
		if s.test.kind != testName {
			return nil, false
		}
		if s.lookups {
			if next, ok = m.lookup(s, n, "", Name{}); ok {
				return next, true
			}
		}
		next, ok = n.One(s.test.name)
		if !ok || next == nil {
			return nil, ok
		}
	case parent:
		if next = n.Parent(); next == nil || !s.test.matches(next) {
			return nil, true
		}
	case self:
		if next = n; !s.test.matches(n) {
			return nil, true
		}
	default:
		return nil, false
	}
	for i := range s.preds {
		if !m.holds(&s.preds[i], focus{next, 1, 1}) {
			return nil, true
		}
	}
	return next, true
}

// lookup finds the entry of a list by its keys, as far as predicates give them; ok
// is false when they do not give all. One more key may be given from outside.
func (m *machine) lookup(s *step, n Node, extraValue string, extra Name) (entry Node, ok bool) {
	list := s.test.name
	keys := n.Keys(list)
	if len(keys) == 0 {
		return nil, false
	}
	base := len(m.keys)
	defer func() { m.keys = m.keys[:base] }()
	used := uint64(0)
	for _, key := range keys {
		if key == extra.Local && (key == "." || list.Space == extra.Space) {
			m.keys = append(m.keys, m.asKey(n, list, key, extraValue))
			continue
		}
		i := s.candidate(key)
		if i < 0 {
			return nil, false
		}
		value, found, ok := m.keyValue(s.preds[i].value)
		if !ok {
			return nil, false
		}
		if !found {
			return nil, true
		}
		used |= 1 << i
		m.keys = append(m.keys, m.asKey(n, list, key, value))
	}
	if entry = n.Entry(list, m.keys[base:]); entry == nil || m.err != nil {
		return nil, true
	}
	for i := range s.preds {
		if i < 64 && used&(1<<i) != 0 {
			continue
		}
		if !m.holds(&s.preds[i], focus{entry, 1, 1}) {
			return nil, true
		}
	}
	return entry, true
}

// candidate finds the predicate that gives a key, -1 if none does. Only predicates
// before the first position count.
func (s *step) candidate(key string) int {
	for i := range s.preds {
		p := &s.preds[i]
		if p.kind != predFilter || i == 64 {
			break
		}
		if p.value != nil && p.key == key && (key == "." || p.space == s.test.name.Space) {
			return i
		}
	}
	return -1
}

// keyValue evaluates what a key is compared with. ok is false when it is several
// values; found is false when it is none.
func (m *machine) keyValue(x expr) (value string, found, ok bool) {
	if x.kind() == String {
		return m.str(x, focus{m.current, 1, 1}), true, true
	}
	f := focus{m.current, 1, 1}
	if p, isPath := x.(*path); isPath {
		if n, rest, led := m.lead(p, f); led && len(rest) == 0 {
			if n == nil {
				return "", false, true
			}
			return m.text(n), true, true
		}
	}
	switch set := m.nodes(x, f); len(set) {
	case 0:
		return "", false, true
	case 1:
		return m.text(set[0]), true, true
	}
	return "", false, false
}

// holds evaluates a predicate.
func (m *machine) holds(p *pred, f focus) bool {
	switch p.kind {
	case predIndex:
		return float64(f.pos) == p.index
	case predGeneral:
		if p.x.kind() == Number {
			return float64(f.pos) == m.number(p.x, f)
		}
	}
	return m.boolean(p.x, f)
}

// filterSet applies a predicate to a set whose order is that of the axis. It reuses
// the slice.
func (m *machine) filterSet(p *pred, set []Node) []Node {
	out := set[:0]
	size := len(set)
	for i, n := range set {
		if !m.spend(1) {
			return nil
		}
		if m.holds(p, focus{n, i + 1, size}) {
			out = append(out, n)
		}
	}
	return out
}

// walk visits the nodes to which steps lead from a node. It reports whether visit
// never said stop.
func (m *machine) walk(steps []step, n Node, visit func(Node) bool) bool {
	n, steps = m.advance(steps, n)
	switch {
	case n == nil || m.err != nil:
		return m.err == nil
	case len(steps) == 0:
		return visit(n)
	}
	return m.fan(&steps[0], steps[1:], n, visit)
}

// fan is walk for a step that may lead to many nodes.
func (m *machine) fan(s *step, rest []step, n Node, visit func(Node) bool) bool {
	if len(rest) == 0 {
		return m.expand(s, n, visit)
	}
	return m.expand(s, n, func(c Node) bool { return m.walk(rest, c, visit) })
}

// expand visits the nodes to which one step leads. It reports whether visit never
// said stop.
func (m *machine) expand(s *step, n Node, visit func(Node) bool) bool {
	if !s.filters {
		return m.expandCounting(s, n, visit)
	}
	more := true
	m.along(s, n, func(c Node) bool {
		if !m.spend(1) {
			more = false
			return false
		}
		for i := range s.preds {
			if !m.holds(&s.preds[i], focus{c, 1, 1}) {
				return m.err == nil
			}
		}
		more = visit(c) && m.err == nil
		return more
	})
	return more && m.err == nil
}

// expandCounting is expand where predicates depend on positions.
func (m *machine) expandCounting(s *step, n Node, visit func(Node) bool) bool {
	var set []Node
	most := -1
	if p := &s.preds[0]; p.kind == predIndex {
		// Not a number that is a position: nothing is it.
		if p.index < 1 || p.index > 1<<40 || p.index != float64(int(p.index)) {
			return true
		}
		most = int(p.index)
	}
	m.along(s, n, func(c Node) bool {
		if !m.spend(1) {
			return false
		}
		set = append(set, c)
		return len(set) != most
	})
	for i := range s.preds {
		set = m.filterSet(&s.preds[i], set)
	}
	for _, c := range set {
		if m.err != nil || !visit(c) {
			return false
		}
	}
	return m.err == nil
}

// along visits the nodes on the axis of a step that pass its test, in the order of
// the axis, until visit says stop.
func (m *machine) along(s *step, n Node, visit func(Node) bool) {
	t := &s.test
	check := func(c Node) bool { return !t.matches(c) || visit(c) }
	switch s.axis {
	case child:
		if t.kind == testName {
			n.ChildrenNamed(t.name, visit)
			return
		}
		if t.kind != testText {
			n.Children(check)
		}
		if t.texts() {
			if c, ok := textOf(n); ok {
				visit(c)
			}
		}
	case self:
		check(n)
	case parent:
		if up := n.Parent(); up != nil {
			check(up)
		}
	case descendant:
		m.descend(t, n, visit)
	case descendantOrSelf:
		if check(n) {
			m.descend(t, n, visit)
		}
	case ancestor, ancestorOrSelf:
		if s.axis == ancestor {
			n = n.Parent()
		}
		for ; n != nil && check(n); n = n.Parent() {
		}
	case followingSibling:
		m.siblings(n, true, check)
	case precedingSibling:
		backward(m.precedingSiblings(n), check)
	case following:
		for more := true; n != nil && more; n = n.Parent() {
			more = m.siblings(n, true, func(c Node) bool { return check(c) && m.descend(t, c, visit) })
		}
	case preceding:
		for more := true; n != nil && more; n = n.Parent() {
			more = backward(m.precedingSiblings(n), func(c Node) bool {
				var within []Node
				if !m.descend(t, c, func(d Node) bool { within = append(within, d); return true }) {
					return false
				}
				return backward(within, visit) && check(c)
			})
		}
	}
}

// descend visits what is below a node and passes a test, in document order. It
// reports whether visit never said stop.
func (m *machine) descend(t *test, n Node, visit func(Node) bool) bool {
	if n.Kind() == Leaf {
		if t.texts() {
			if c, ok := textOf(n); ok {
				return visit(c)
			}
		}
		return true
	}
	more := true
	n.Children(func(c Node) bool {
		more = m.spend(1) && (!t.matches(c) || visit(c)) && m.descend(t, c, visit)
		return more
	})
	return more
}

// siblings visits the siblings of a node before or after it, in document order.
func (m *machine) siblings(n Node, after bool, visit func(Node) bool) bool {
	up := n.Parent()
	if up == nil || up.Kind() == Leaf {
		return true
	}
	more, seen := true, false
	up.Children(func(c Node) bool {
		if !m.spend(1) {
			more = false
			return false
		}
		if !seen && c.Compare(n) == 0 {
			seen = true
			return after
		}
		if seen == after {
			more = visit(c)
		}
		return more
	})
	return more
}

func (m *machine) precedingSiblings(n Node) []Node {
	var before []Node
	m.siblings(n, false, func(c Node) bool { before = append(before, c); return true })
	return before
}

func backward(set []Node, visit func(Node) bool) bool {
	for _, n := range slices.Backward(set) {
		if !visit(n) {
			return false
		}
	}
	return true
}

// sortSet brings a set into document order and removes what is there twice.
func (m *machine) sortSet(set []Node) []Node {
	if len(set) < 2 || !m.spend(len(set)) {
		return set
	}
	rising := true
	for i := 1; i < len(set) && rising; i++ {
		rising = compareNodes(set[i-1], set[i]) < 0
	}
	if rising {
		return set
	}
	slices.SortFunc(set, compareNodes)
	return slices.CompactFunc(set, func(a, b Node) bool { return compareNodes(a, b) == 0 })
}
