package xpath

// A ValueKind is the type of an expression and of a Value.
type ValueKind uint8

// The four types of XPath 1.0.
const (
	NodeSet ValueKind = iota
	Boolean
	Number
	String
)

// String is the name of the type as XPath 1.0 spells it.
func (k ValueKind) String() string {
	return [...]string{"node-set", "boolean", "number", "string"}[k]
}

// expr is a node of a compiled expression. Types are static in XPath 1.0 without
// variables, so kind is known before evaluation.
type expr interface {
	kind() ValueKind

	// facts tells on what of its context the expression depends.
	facts() facts

	// eval must not be called for a boolean, number or string by who wants such a
	// value: machine.boolean and its siblings have short cuts.
	eval(m *machine, f focus) Value

	// appendTo appends the canonical text; level is the precedence at which it
	// stands.
	appendTo(b []byte, level int) []byte
}

// facts are what an expression asks of its context, current() aside.
type facts uint8

const (
	usesNode     facts = 1 << iota // the context node
	usesPosition                   // position() or last()
)

type (
	number  float64
	literal string

	// negation is -x, or --x, which is number(x).
	negation struct {
		x    expr
		even bool
	}

	arithmetic struct {
		op   string // + - * div mod
		l, r expr
	}

	comparison struct {
		op   string // = != < <= > >=
		l, r expr
	}

	// logic is a chain of "or" or of "and".
	logic struct {
		or bool
		xs []expr
	}

	union struct {
		xs []expr
	}

	call struct {
		fn    *function
		args  []expr
		ident Name // of an identity given as a literal; zero: evaluate the argument
		ns    *Namespaces
	}

	// path is a location path, or a filter expression: predicates on another
	// expression.
	path struct {
		from  origin
		start expr   // when from is fromExpr
		preds []pred // on the set that start yields
		steps []step // as written
		plan  plan
	}

	step struct {
		axis  axis
		test  test
		preds []pred
		pos   int // in the source
		// What follows is made by prepare.
		filters bool // no predicate depends on the position
		lookups bool // some predicate may name a key
	}

	// pred is a predicate of a step. Conjunctions are split when no part depends on
	// the position, so the canonical text has one predicate for each part.
	pred struct {
		x     expr
		kind  predKind
		pos   int     // in the source
		index float64 // of predIndex
		key   string  // what a comparison of a key compares: local name, or "."
		space string  // and its namespace
		value expr    // with this: a string, or a node-set independent of the entry
	}
)

// origin is where a path starts.
type origin uint8

const (
	fromContext origin = iota
	fromRoot
	fromCurrent
	fromExpr
)

type predKind uint8

const (
	predFilter  predKind = iota // true or false for a node, wherever it stands in the set
	predIndex                   // a literal number: the position
	predGeneral                 // depends on the position in another way
)

type axis uint8

const (
	child axis = iota
	self
	parent
	descendant
	descendantOrSelf
	ancestor
	ancestorOrSelf
	followingSibling
	precedingSibling
	following
	preceding
	attribute
)

var axisNames = [...]string{
	child:            "child",
	self:             "self",
	parent:           "parent",
	descendant:       "descendant",
	descendantOrSelf: "descendant-or-self",
	ancestor:         "ancestor",
	ancestorOrSelf:   "ancestor-or-self",
	followingSibling: "following-sibling",
	precedingSibling: "preceding-sibling",
	following:        "following",
	preceding:        "preceding",
	attribute:        "attribute",
}

// reverse reports whether positions on the axis count against document order.
func (a axis) reverse() bool {
	return a == ancestor || a == ancestorOrSelf || a == preceding || a == precedingSibling
}

type testKind uint8

const (
	testName    testKind = iota // one expanded name
	testSpace                   // prefix:*
	testElement                 // *
	testText                    // text()
	testNode                    // node()
	testNothing                 // comment(), processing-instruction()
)

type test struct {
	kind   testKind
	name   Name
	prefix string // as written
	arg    string // of testNothing: its text
}

func (t *test) matches(n Node) bool {
	switch t.kind {
	case testName:
		return n.Name() == t.name // the root and texts have no name
	case testSpace:
		return n.Name().Space == t.name.Space && n.Name().Local != ""
	case testElement:
		k := n.Kind()
		return k == Element || k == Leaf
	case testText:
		return n.Kind() == Text
	case testNode:
		return true
	}
	return false
}

func (t *test) texts() bool { return t.kind == testText || t.kind == testNode }

func (s *step) isDescendantOrSelfNode() bool {
	return s.axis == descendantOrSelf && s.test.kind == testNode && len(s.preds) == 0
}

func (number) kind() ValueKind      { return Number }
func (literal) kind() ValueKind     { return String }
func (*negation) kind() ValueKind   { return Number }
func (*arithmetic) kind() ValueKind { return Number }
func (*comparison) kind() ValueKind { return Boolean }
func (*logic) kind() ValueKind      { return Boolean }
func (*union) kind() ValueKind      { return NodeSet }
func (c *call) kind() ValueKind     { return c.fn.result }
func (*path) kind() ValueKind       { return NodeSet }

func (number) facts() facts        { return 0 }
func (literal) facts() facts       { return 0 }
func (e *negation) facts() facts   { return e.x.facts() }
func (e *arithmetic) facts() facts { return e.l.facts() | e.r.facts() }
func (e *comparison) facts() facts { return e.l.facts() | e.r.facts() }
func (e *logic) facts() facts      { return allFacts(e.xs) }
func (e *union) facts() facts      { return allFacts(e.xs) }

func (e *call) facts() facts {
	f := e.fn.facts | allFacts(e.args)
	if len(e.args) == 0 && e.fn.orNode {
		f |= usesNode
	}
	return f
}

// facts of a path are those of its start; predicates have a context of their own.
// An absolute path is that of the tree, which is the same for every node in it.
func (e *path) facts() facts {
	switch e.from {
	case fromContext:
		return usesNode
	case fromExpr:
		return e.start.facts()
	}
	return 0
}

func allFacts(xs []expr) facts {
	var f facts
	for _, x := range xs {
		f |= x.facts()
	}
	return f
}
