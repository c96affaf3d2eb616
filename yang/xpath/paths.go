package xpath

import (
	"slices"
	"strings"
)

// A Path says where in the schema an expression looks, for who wants to know which
// changes can alter its value. It is a path of names, list entries not told apart:
// from the root, or from the context node some parents up.
type Path struct {
	// Anything is true where the place is not known; the rest is zero then.
	Anything bool

	// Absolute paths start at the root, others at the context node.
	Absolute bool

	// Ups is how many parents up from the context node the names begin.
	Ups int

	// Names lead down from there. They must not be changed.
	Names []Name

	// Below is true where the place is somewhere below, of what Results answers.
	Below bool
}

// Paths tells on what the value of the expression depends: it can change only when a
// node at one of the paths, or below one, is created, deleted or gets another value.
// The answer errs to the safe side. It is made when first asked for and must not be
// changed; empty means that the value is constant (or depends on current() and its
// like alone by their being there).
func (e *Expr) Paths() []Path { return e.paths() }

// Results tells where the nodes are that the expression can select; of one that selects no
// nodes it is empty. The answer errs to the safe side.
func (e *Expr) Results() []Path {
	t := tracer{seen: map[string]bool{}}
	var list []Path
	for _, p := range t.trace(e.x, []place{{}}) {
		p.Below = p.loose
		list = append(list, p.Path)
	}
	return list
}

// maxPaths is how many paths are told apart.
const maxPaths = 256

// place is a path and how far below it a node is at least; loose is false for
// exactly there.
type place struct {
	Path
	loose bool
	depth int
}

func anything() place { return place{Path: Path{Anything: true}} }

// up is the parent of a place; ok is false for that of the root.
func (p place) up() (place, bool) {
	switch {
	case p.Anything:
		return p, true
	case p.loose && p.depth > 0:
		p.depth--
	case len(p.Names) > 0:
		p.Names = p.Names[:len(p.Names)-1]
	case p.Absolute:
		return p, p.loose
	default:
		p.Ups++
	}
	return p, true
}

// below is somewhere under a place, at least n levels.
func (p place) below(n int) place {
	if p.Anything {
		return p
	}
	if !p.loose {
		p.loose, p.depth = true, 0
	}
	p.depth += n
	return p
}

func (p place) named(t *test) place {
	if p.Anything || p.loose || t.kind != testName {
		return p.below(1)
	}
	p.Names = append(slices.Clip(p.Names), t.name)
	return p
}

func (p place) key() string {
	var b strings.Builder
	if p.Anything {
		b.WriteByte('?')
	}
	if p.Absolute {
		b.WriteByte('/')
	}
	b.WriteString(strings.Repeat("^", p.Ups))
	for _, n := range p.Names {
		b.WriteString(n.Space + "\x00" + n.Local + "\x01")
	}
	return b.String()
}

// tracer follows an expression through the schema as if every step found something.
type tracer struct {
	seen  map[string]bool
	paths []Path
}

func pathsOf(x expr) []Path {
	t := tracer{seen: map[string]bool{}}
	t.trace(x, []place{{}})
	if t.seen[anything().key()] || len(t.paths) > maxPaths {
		return []Path{{Anything: true}}
	}
	return t.paths
}

func (t *tracer) note(places ...place) {
	for _, p := range places {
		if k := p.key(); !t.seen[k] {
			t.seen[k] = true
			p.Names = slices.Clip(p.Names)
			t.paths = append(t.paths, p.Path)
		}
	}
}

// trace notes on what x depends when evaluated at some places, and returns where
// its nodes are.
func (t *tracer) trace(x expr, at []place) []place {
	switch e := x.(type) {
	case *negation:
		t.trace(e.x, at)
	case *arithmetic:
		t.trace(e.l, at)
		t.trace(e.r, at)
	case *comparison:
		t.trace(e.l, at)
		t.trace(e.r, at)
	case *logic:
		for _, x := range e.xs {
			t.trace(x, at)
		}
	case *union:
		var all []place
		for _, x := range e.xs {
			all = append(all, t.trace(x, at)...)
		}
		return t.few(all)
	case *call:
		return t.call(e, at)
	case *path:
		return t.path(e, at)
	}
	return nil
}

func (t *tracer) call(e *call, at []place) []place {
	for _, x := range e.args {
		t.trace(x, at)
	}
	switch {
	case e.fn.name == "current":
		t.note(place{})
		return []place{{}}
	case e.fn.name == "deref":
		t.note(anything())
		return []place{anything()}
	case len(e.args) == 0 && e.fn.orNode:
		t.note(at...)
	}
	return nil
}

func (t *tracer) path(e *path, at []place) []place {
	switch e.from {
	case fromRoot:
		at = []place{{Path: Path{Absolute: true}}}
	case fromCurrent:
		at = []place{{}}
	case fromExpr:
		at = t.trace(e.start, at)
		t.preds(e.preds, at)
	}
	for i := range e.steps {
		at = t.step(&e.steps[i], at)
	}
	t.note(at...)
	return at
}

func (t *tracer) step(s *step, at []place) []place {
	var out []place
	for _, p := range at {
		if next, ok := t.along(s, p); ok {
			out = append(out, next)
		}
	}
	out = t.few(out)
	t.preds(s.preds, out)
	return out
}

func (t *tracer) preds(preds []pred, at []place) {
	for i := range preds {
		if preds[i].kind != predFilter {
			t.note(at...) // a sibling that comes or goes moves the others
		}
		t.trace(preds[i].x, at)
	}
}

func (t *tracer) along(s *step, p place) (place, bool) {
	if s.test.kind == testNothing {
		return p, false
	}
	switch s.axis {
	case child:
		return p.named(&s.test), true
	case self:
		return p, true
	case parent:
		t.noteDown(p)
		return p.up()
	case descendant:
		return p.below(1), true
	case descendantOrSelf:
		return p.below(0), true
	case followingSibling, precedingSibling:
		t.noteDown(p)
		up, ok := p.up()
		return up.named(&s.test), ok
	case attribute:
		return p, false
	}
	t.note(anything())
	return anything(), true
}

// noteDown notes a place from which the expression goes on sideways or up. That the
// context node and its ancestors are there need not be noted.
func (t *tracer) noteDown(p place) {
	if len(p.Names) > 0 || p.loose {
		t.note(p)
	}
}

// few drops places that are there twice, and gives up when they are too many.
func (t *tracer) few(at []place) []place {
	if len(at) < 2 {
		return at
	}
	seen := make(map[string]bool, len(at))
	at = slices.DeleteFunc(at, func(p place) bool {
		k := p.key()
		if p.loose {
			k += "*" + strings.Repeat("*", p.depth)
		}
		twice := seen[k]
		seen[k] = true
		return twice
	})
	if len(at) > maxPaths {
		t.note(anything())
		return []place{anything()}
	}
	return at
}
