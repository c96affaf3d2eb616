package xpath

import (
	"fmt"
	"math"
	"strconv"
)

// Limits of an expression.
const (
	// MaxLength is the greatest length of an expression in bytes.
	MaxLength = 64 << 10

	// MaxDepth is how deep parentheses, predicates, arguments and chains of
	// arithmetic and comparison may nest.
	MaxDepth = 128
)

// parser is a recursive descent over the grammar of XPath 1.0 section 3. The first
// error is kept; then every token is tokEnd, so that the descent ends.
type parser struct {
	src   string
	toks  []token
	at    int
	depth int
	ns    *Namespaces
	err   *SyntaxError

	// whole keeps predicates from being split into conjuncts.
	whole bool
}

func (p *parser) peek() token {
	if p.err != nil {
		return token{pos: len(p.src)}
	}
	return p.toks[p.at]
}

func (p *parser) next() token {
	t := p.peek()
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

// accept takes the next token if it is that operator or punctuation.
func (p *parser) accept(kind tokenKind, text string) bool {
	if p.peek().is(kind, text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) acceptOp(ops ...string) (string, bool) {
	for _, op := range ops {
		if p.accept(tokOp, op) {
			return op, true
		}
	}
	return "", false
}

func (p *parser) expect(text string) {
	if t := p.peek(); !p.accept(tokPunct, text) {
		p.fail(t, "%q is expected%s", text, before(t))
	}
}

func before(t token) string {
	switch {
	case t.kind == tokEnd:
		return ", not the end"
	case t.kind == tokLiteral:
		return ", not a literal"
	}
	return fmt.Sprintf(", not %q", t.text)
}

func (p *parser) fail(t token, format string, args ...any) {
	if p.err == nil {
		p.err = &SyntaxError{Expr: p.src, Offset: t.pos, Reason: fmt.Sprintf(format, args...)}
	}
}

// enter counts a level of nesting; leave undoes n of them.
func (p *parser) enter() {
	if p.depth++; p.depth > MaxDepth {
		p.fail(p.peek(), "more than %d levels of nesting", MaxDepth)
	}
}

func (p *parser) leave(n int) { p.depth -= n }

func (p *parser) expr() expr {
	p.enter()
	defer p.leave(1)
	return p.logic(true)
}

// logic is OrExpr or AndExpr: a chain of any length on one level.
func (p *parser) logic(or bool) expr {
	op, sub := "and", p.equality
	if or {
		op, sub = "or", func() expr { return p.logic(false) }
	}
	x := sub()
	if !p.peek().is(tokOp, op) {
		return x
	}
	e := &logic{or: or, xs: []expr{x}}
	for p.accept(tokOp, op) {
		e.xs = append(e.xs, sub())
	}
	return e
}

// chain is a left-associative chain of binary operators, each a level of nesting.
func (p *parser) chain(sub func() expr, join func(op string, l, r expr) expr, ops ...string) expr {
	x := sub()
	levels := 0
	for {
		op, ok := p.acceptOp(ops...)
		if !ok {
			p.leave(levels)
			return x
		}
		p.enter()
		levels++
		x = join(op, x, sub())
	}
}

func newComparison(op string, l, r expr) expr { return &comparison{op: op, l: l, r: r} }
func newArithmetic(op string, l, r expr) expr { return &arithmetic{op: op, l: l, r: r} }

func (p *parser) equality() expr {
	return p.chain(p.relational, newComparison, "=", "!=")
}

func (p *parser) relational() expr {
	return p.chain(p.additive, newComparison, "<=", "<", ">=", ">")
}

func (p *parser) additive() expr {
	return p.chain(p.multiplicative, newArithmetic, "+", "-")
}

func (p *parser) multiplicative() expr {
	return p.chain(p.unary, newArithmetic, "*", "div", "mod")
}

func (p *parser) unary() expr {
	n := 0
	for p.accept(tokOp, "-") {
		n++
	}
	x := p.union()
	if n == 0 {
		return x
	}
	return &negation{x: x, even: n%2 == 0}
}

func (p *parser) union() expr {
	t := p.peek()
	x := p.path()
	if !p.peek().is(tokOp, "|") {
		return x
	}
	e := &union{}
	for {
		if x.kind() != NodeSet {
			p.fail(t, `"|" joins node-sets only`)
			return e
		}
		e.xs = append(e.xs, x)
		if !p.accept(tokOp, "|") {
			return e
		}
		t = p.peek()
		x = p.path()
	}
}

// path is PathExpr: a location path, or a primary expression with predicates and
// steps behind it.
func (p *parser) path() expr {
	x := p.unplanned()
	if e, ok := x.(*path); ok && e.plan.stages == nil && p.err == nil {
		e.prepare()
	}
	return x
}

func (p *parser) unplanned() expr {
	t := p.peek()
	e := &path{}
	switch {
	case p.accept(tokOp, "/"):
		e.from = fromRoot
		if p.atStep() {
			p.steps(e)
		}
		return e
	case p.accept(tokOp, "//"):
		e.from = fromRoot
		e.steps = append(e.steps, anyDepth(t))
		p.steps(e)
		return e
	case t.kind == tokNumber, t.kind == tokLiteral, t.is(tokPunct, "("),
		t.kind == tokCall && !nodeType(t):
	case p.atStep():
		p.steps(e)
		return e
	default:
		p.fail(t, "an expression is expected%s", before(t))
		return literal("")
	}
	x := p.primary()
	next := p.peek()
	filtered := next.is(tokPunct, "[")
	stepped := next.is(tokOp, "/") || next.is(tokOp, "//")
	if !filtered && !stepped {
		return x
	}
	if x.kind() != NodeSet {
		p.fail(next, "%q needs a node-set before it, not a %s", next.text, x.kind())
		return literal("")
	}
	e.from, e.start = fromExpr, x
	if c, ok := x.(*call); ok && c.fn.name == "current" && !filtered {
		e.from, e.start = fromCurrent, nil
	}
	e.preds = p.predicates()
	switch {
	case p.accept(tokOp, "/"):
		p.steps(e)
	case p.accept(tokOp, "//"):
		e.steps = append(e.steps, anyDepth(next))
		p.steps(e)
	}
	return e
}

func anyDepth(t token) step {
	return step{axis: descendantOrSelf, test: test{kind: testNode}, pos: t.pos}
}

// nodeType reports whether a name before "(" is a node type.
func nodeType(t token) bool {
	if t.prefix != "" {
		return false
	}
	switch t.text {
	case "node", "text", "comment", "processing-instruction":
		return true
	}
	return false
}

// atStep reports whether a step begins here.
func (p *parser) atStep() bool {
	t := p.peek()
	return t.kind == tokName || t.kind == tokAxis || t.kind == tokCall && nodeType(t) ||
		t.is(tokPunct, ".") || t.is(tokPunct, "..") || t.is(tokPunct, "@")
}

func (p *parser) steps(e *path) {
	for {
		e.steps = append(e.steps, p.step())
		switch t := p.peek(); {
		case p.accept(tokOp, "/"):
		case p.accept(tokOp, "//"):
			e.steps = append(e.steps, anyDepth(t))
		default:
			return
		}
	}
}

func (p *parser) step() step {
	t := p.peek()
	if !p.atStep() {
		p.fail(t, "a step is expected%s", before(t))
		return step{}
	}
	s := step{axis: child, pos: t.pos}
	switch {
	case p.accept(tokPunct, "."):
		return step{axis: self, test: test{kind: testNode}, pos: t.pos}
	case p.accept(tokPunct, ".."):
		return step{axis: parent, test: test{kind: testNode}, pos: t.pos}
	case p.accept(tokPunct, "@"):
		s.axis = attribute
	case t.kind == tokAxis:
		p.next()
		s.axis = p.axis(t)
	}
	s.test = p.test(s.axis)
	s.preds = p.predicates()
	return s
}

func (p *parser) axis(t token) axis {
	for a, name := range axisNames {
		if name == t.text {
			return axis(a)
		}
	}
	if t.text == "namespace" {
		p.fail(t, "there is no namespace axis in YANG")
	}
	p.fail(t, "there is no axis %q", t.text)
	return child
}

func (p *parser) test(a axis) test {
	t := p.next()
	switch {
	case t.kind == tokCall && nodeType(t):
		return p.nodeType(t)
	case t.kind != tokName:
		p.fail(t, "a name or node type is expected%s", before(t))
		return test{}
	case t.prefix == "" && t.text == "*":
		return test{kind: testElement}
	}
	space, ok := p.ns.Resolve(t.prefix)
	if !ok {
		p.fail(t, "no namespace is known for the prefix %q", t.prefix)
	}
	if t.prefix == "" && a == attribute {
		space = ""
	}
	if t.text == "*" {
		return test{kind: testSpace, name: Name{Space: space}, prefix: t.prefix}
	}
	return test{kind: testName, name: Name{space, t.text}, prefix: t.prefix}
}

func (p *parser) nodeType(t token) test {
	p.expect("(")
	r := test{kind: testNothing, arg: t.text + "()"}
	switch t.text {
	case "node":
		r = test{kind: testNode}
	case "text":
		r = test{kind: testText}
	case "processing-instruction":
		if arg := p.peek(); arg.kind == tokLiteral {
			p.next()
			r.arg = string(literal(arg.text).appendTo([]byte(t.text+"("), 0)) + ")"
		}
	}
	p.expect(")")
	return r
}

func (p *parser) predicates() []pred {
	var preds []pred
	for {
		t := p.peek()
		if !p.accept(tokPunct, "[") {
			return preds
		}
		x := p.expr()
		p.expect("]")
		switch {
		case p.err != nil:
		case p.whole:
			preds = append(preds, newPred(x, t.pos))
		default:
			preds = appendPred(preds, x, t.pos)
		}
	}
}

func (p *parser) primary() expr {
	switch t := p.next(); t.kind {
	case tokNumber:
		v, err := strconv.ParseFloat(t.text, 64)
		if err != nil && !math.IsInf(v, 0) {
			p.fail(t, "%q is not a number", t.text)
		}
		return number(v)
	case tokLiteral:
		return literal(t.text)
	case tokCall:
		return p.call(t)
	default: // "(": path has looked
		x := p.expr()
		p.expect(")")
		return x
	}
}

func (p *parser) call(t token) expr {
	fn := functions[t.text]
	if t.prefix != "" || fn == nil {
		name := t.text
		if t.prefix != "" {
			name = t.prefix + ":" + name
		}
		p.fail(t, "there is no function %s()", name)
		return literal("")
	}
	e := &call{fn: fn, ns: p.ns}
	p.expect("(")
	var starts []token
	if !p.accept(tokPunct, ")") {
		for {
			starts = append(starts, p.peek())
			e.args = append(e.args, p.expr())
			if !p.accept(tokPunct, ",") {
				break
			}
		}
		p.expect(")")
	}
	if p.err != nil {
		return e
	}
	if n := len(e.args); n < fn.min || n > fn.max {
		p.fail(t, "%s() takes %s, not %d", fn.name, fn.arity(), n)
		return e
	}
	for i, x := range e.args {
		if fn.nodes&(1<<i) != 0 && x.kind() != NodeSet {
			p.fail(starts[i], "argument %d of %s() must be a node-set, not a %s", i+1, fn.name, x.kind())
			return e
		}
	}
	if fn.identity && len(e.args) == 2 {
		if lit, ok := e.args[1].(literal); ok {
			name, ok := p.ns.qname(string(lit))
			if !ok {
				p.fail(starts[1], "%q is not the name of an identity, or its prefix is not known", string(lit))
			}
			e.ident = name
		}
	}
	return e
}
