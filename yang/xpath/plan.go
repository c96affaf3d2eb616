package xpath

// order is what is known of the nodes that a chain of steps yields, best first.
type order uint8

const (
	single order = iota // at most one
	flat                // in document order, none twice, none within another
	sorted              // in document order, none twice
	unique              // none twice
	mixed
)

// after is the order that a step makes of an order.
func (a axis) after(o order) order {
	if a == self || a == attribute {
		return o
	}
	switch o {
	case single:
		switch a {
		case parent:
			return single
		case child, followingSibling:
			return flat
		case descendant, descendantOrSelf, following:
			return sorted
		}
		return unique // the reverse axes
	case flat:
		switch a {
		case child:
			return flat
		case descendant, descendantOrSelf:
			return sorted
		}
	case sorted, unique:
		if a == child {
			return unique
		}
	}
	return mixed
}

// plan is how a path is walked.
type plan struct {
	stages []stage // at least one, perhaps of no steps
	order  order   // of what the last stage yields, before it is sorted
}

// stage is a run of steps through which nodes stream without any set. Where a node
// could come out twice, the stage ends there, so that the next starts with a set.
type stage struct {
	steps []step
	sort  bool // what comes out may hold a node twice
}

// streams reports whether the last stage yields each node once.
func (p *plan) streams() bool { return !p.stages[len(p.stages)-1].sort }

// ordered reports whether the last stage yields in document order, each node once.
func (p *plan) ordered() bool { return p.streams() && p.order <= sorted }

// prepare makes the plan from the steps as written.
func (e *path) prepare() {
	var steps []step
	for i := 0; i < len(e.steps); i++ {
		s := e.steps[i]
		s.prepare()
		if s.axis == self && s.test.kind == testNode && len(s.preds) == 0 {
			continue
		}
		if s.isDescendantOrSelfNode() && i+1 < len(e.steps) {
			// //x is descendant::x if its predicates do not count.
			next := e.steps[i+1]
			next.prepare()
			if next.axis == child && next.filters && !next.lookups {
				next.axis = descendant
				s = next
				i++
			}
		}
		steps = append(steps, s)
	}
	o := single
	if e.from == fromExpr {
		o = sorted
	}
	begin := 0
	for i := range steps {
		s := &steps[i]
		if was := o; was == single && s.picksOne() {
			o = single
		} else {
			o = s.axis.after(o)
		}
		if o == mixed {
			e.plan.stages = append(e.plan.stages, stage{steps: steps[begin : i+1], sort: true})
			begin, o = i+1, sorted
		}
	}
	if begin < len(steps) || len(e.plan.stages) == 0 {
		e.plan.stages = append(e.plan.stages, stage{steps: steps[begin:]})
	}
	e.plan.order = o
}

func (s *step) prepare() {
	s.filters, s.lookups = true, false
	for i := range s.preds {
		p := &s.preds[i]
		if p.kind != predFilter {
			s.filters = false
			break // a key behind a position is no look-up
		}
		s.lookups = s.lookups || p.value != nil && s.axis == child && s.test.kind == testName
	}
}

// picksOne reports whether a predicate leaves one node at most.
func (s *step) picksOne() bool {
	for i := range s.preds {
		if s.preds[i].kind == predIndex {
			return true
		}
	}
	return false
}

// appendPred appends a predicate, or its conjuncts.
func appendPred(preds []pred, x expr, pos int) []pred {
	if l, ok := x.(*logic); ok && !l.or && x.facts()&usesPosition == 0 && !holdsNumber(l.xs) {
		for _, part := range l.xs {
			preds = appendPred(preds, part, pos)
		}
		return preds
	}
	return append(preds, newPred(x, pos))
}

func newPred(x expr, pos int) pred {
	if n, ok := x.(number); ok {
		return pred{x: x, pos: pos, kind: predIndex, index: float64(n)}
	}
	if x.kind() == Number || x.facts()&usesPosition != 0 {
		return pred{x: x, pos: pos, kind: predGeneral}
	}
	p := pred{x: x, pos: pos}
	if c, ok := x.(*comparison); ok && c.op == "=" {
		if !p.setKey(c.l, c.r) {
			p.setKey(c.r, c.l)
		}
	}
	return p
}

// holdsNumber reports whether an operand would be a position, were it a predicate
// of its own.
func holdsNumber(xs []expr) bool {
	for _, x := range xs {
		if x.kind() == Number {
			return true
		}
	}
	return false
}

// setKey notes that the predicate compares what may be a key with a value that does
// not depend on the entry.
func (p *pred) setKey(key, value expr) bool {
	k, ok := key.(*path)
	if !ok || k.from != fromContext || len(k.steps) != 1 || len(k.steps[0].preds) > 0 {
		return false
	}
	if v := value.kind(); v != String && v != NodeSet || value.facts()&usesNode != 0 {
		return false
	}
	switch s := &k.steps[0]; {
	case s.axis == child && s.test.kind == testName:
		p.key, p.space = s.test.name.Local, s.test.name.Space
	case s.axis == self && s.test.kind == testNode:
		p.key = "."
	default:
		return false
	}
	p.value = value
	return true
}
