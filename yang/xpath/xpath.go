package xpath

import (
	"fmt"
	"math"
	"sync"
)

// Namespaces resolves the names of an expression. The zero value knows no prefix and
// takes unprefixed names to be in no namespace. It must not change after Compile.
type Namespaces struct {
	// Default is the namespace of names without a prefix: in YANG that of the module
	// that uses the expression [RFC 7950 section 6.4.1], in XML none.
	Default string

	// Prefixes maps a prefix to its namespace.
	Prefixes map[string]string
}

// Resolve returns the namespace of a prefix, "" for none; false for an unknown one.
func (ns *Namespaces) Resolve(prefix string) (string, bool) {
	if prefix == "" {
		return ns.Default, true
	}
	space, ok := ns.Prefixes[prefix]
	return space, ok
}

// qname resolves a whole text that is a name with or without a prefix.
func (ns *Namespaces) qname(s string) (Name, bool) {
	n := ncname(s)
	if n == 0 {
		return Name{}, false
	}
	prefix, local := "", s[:n]
	if n < len(s) && s[n] == ':' {
		prefix, local = s[:n], s[n+1:]
		n += 1 + ncname(local)
	}
	space, ok := ns.Resolve(prefix)
	if !ok || local == "" || n != len(s) {
		return Name{}, false
	}
	return Name{space, local}, true
}

// qualified writes a name with a prefix of the expression; of several the least.
// Without one, or in the default namespace, it is the local name.
func (ns *Namespaces) qualified(n Name) string {
	if n.Space == ns.Default {
		return n.Local
	}
	if prefix, ok := ns.Prefix(n.Space); ok {
		return prefix + ":" + n.Local
	}
	return n.Local
}

// Prefix returns the prefix of a namespace, of several the least.
func (ns *Namespaces) Prefix(space string) (prefix string, ok bool) {
	for p, s := range ns.Prefixes {
		if s == space && (!ok || p < prefix) {
			prefix, ok = p, true
		}
	}
	return prefix, ok
}

// Environment answers what only the schema knows. A node is always one of the tree
// that is evaluated, of any kind and type.
type Environment interface {
	// Deref returns the nodes that a leafref or instance-identifier refers to, none
	// for another node [RFC 7950 section 10.3.1].
	Deref(n Node) []Node

	// DerivedFrom reports whether n is an identityref whose value is derived from
	// the identity, or, with orSelf, is it. Space of the identity is the namespace
	// of its module [RFC 7950 section 10.4].
	DerivedFrom(n Node, identity Name, orSelf bool) bool

	// EnumValue is the integer of an enumeration's value; false for another node
	// [RFC 7950 section 10.5.1].
	EnumValue(n Node) (int64, bool)

	// BitIsSet reports whether n is of type bits and has the bit [RFC 7950 section
	// 10.6.1].
	BitIsSet(n Node, bit string) bool

	// Match reports whether an XSD pattern matches the whole of s. An error ends
	// the evaluation [RFC 7950 section 10.2.1].
	Match(pattern, s string) (bool, error)
}

// Context is what one evaluation works on.
type Context struct {
	// Node is the context node. It is required.
	Node Node

	// Current is what current() yields; nil: Node.
	Current Node

	// Env is asked by the functions of YANG; nil: those fail with ErrNoEnvironment.
	Env Environment

	// Budget, if not nil, is how many steps may be taken. The steps are subtracted;
	// several evaluations may share it one after another. A step is about one node
	// looked at, one operator or function applied, or 64 bytes of text.
	Budget *int64
}

// Expr is a compiled expression. It is immutable; any number of goroutines may use
// it.
type Expr struct {
	source string
	x      expr
	names  *Namespaces
	paths  func() []Path
}

// Compile compiles an expression. Every error is a *SyntaxError: syntax, unknown
// prefixes, functions and axes, wrong numbers and types of arguments, MaxLength and
// MaxDepth exceeded.
func Compile(source string, ns Namespaces) (*Expr, error) {
	p, err := newParser(source, ns)
	if err != nil {
		return nil, err
	}
	x := p.expr()
	if t := p.peek(); p.err == nil && t.kind != tokEnd {
		p.fail(t, "the expression should end here%s", before(t))
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Expr{source: source, x: x, names: &ns, paths: sync.OnceValue(func() []Path { return pathsOf(x) })}, nil
}

// newParser checks the length and cuts into tokens.
func newParser(source string, ns Namespaces) (*parser, error) {
	if len(source) > MaxLength {
		return nil, &SyntaxError{Expr: source, Offset: MaxLength,
			Reason: fmt.Sprintf("the expression is longer than %d bytes", MaxLength)}
	}
	toks, err := lex(source)
	if err != nil {
		return nil, err
	}
	return &parser{src: source, toks: toks, ns: &ns}, nil
}

// Source is the text that was compiled.
func (e *Expr) Source() string { return e.source }

// String is the expression in canonical form: abbreviated, with the prefixes of the
// source, and as few parentheses and blanks as it takes. It compiles to an equal
// expression with the same Namespaces.
func (e *Expr) String() string { return string(e.x.appendTo(nil, levelOr)) }

// Kind is the type of what the expression yields.
func (e *Expr) Kind() ValueKind { return e.x.kind() }

// machine begins an evaluation.
func (c *Context) machine(e *Expr) (*machine, focus) {
	m := &machine{names: e.names, current: c.Current, env: c.Env, budget: c.Budget}
	if m.current == nil {
		m.current = c.Node
	}
	if c.Node == nil {
		m.fail(ErrNoNode)
	}
	return m, focus{c.Node, 1, 1}
}

// Eval evaluates. The errors of this and of the other ways to evaluate are ErrNoNode,
// ErrBudget, ErrNoEnvironment and what Environment.Match returned.
func (e *Expr) Eval(c Context) (Value, error) {
	m, f := c.machine(e)
	if m.err != nil {
		return Value{}, m.err
	}
	v := e.x.eval(m, f)
	if m.err != nil {
		return Value{}, m.err
	}
	return v, nil
}

// EvalBool evaluates and converts to a boolean. It stops at the first node of a
// node-set, so it may take much less than Eval.
func (e *Expr) EvalBool(c Context) (bool, error) {
	m, f := c.machine(e)
	if m.err != nil {
		return false, m.err
	}
	b := m.boolean(e.x, f)
	return b && m.err == nil, m.err
}

// EvalString evaluates and converts to a string.
func (e *Expr) EvalString(c Context) (string, error) {
	m, f := c.machine(e)
	if m.err != nil {
		return "", m.err
	}
	s := m.str(e.x, f)
	if m.err != nil {
		return "", m.err
	}
	return s, nil
}

// EvalNumber evaluates and converts to a number.
func (e *Expr) EvalNumber(c Context) (float64, error) {
	m, f := c.machine(e)
	if m.err != nil {
		return math.NaN(), m.err
	}
	v := m.number(e.x, f)
	if m.err != nil {
		return math.NaN(), m.err
	}
	return v, nil
}

// EvalNodes evaluates to the nodes in document order, each once. They may be of kind
// Text if the expression asks for texts. An expression of another type than NodeSet
// is ErrNotNodeSet.
func (e *Expr) EvalNodes(c Context) ([]Node, error) {
	if e.Kind() != NodeSet {
		return nil, fmt.Errorf("%w but a %s", ErrNotNodeSet, e.Kind())
	}
	m, f := c.machine(e)
	if m.err != nil {
		return nil, m.err
	}
	set := m.nodes(e.x, f)
	if m.err != nil {
		return nil, m.err
	}
	return set, nil
}

// Value is what an expression yields.
type Value struct {
	kind  ValueKind
	truth bool
	num   float64
	str   string
	nodes []Node
}

func boolValue(b bool) Value      { return Value{kind: Boolean, truth: b} }
func numberValue(v float64) Value { return Value{kind: Number, num: v} }
func stringValue(s string) Value  { return Value{kind: String, str: s} }
func setValue(set []Node) Value   { return Value{kind: NodeSet, nodes: set} }

// Kind is the type of the value.
func (v *Value) Kind() ValueKind { return v.kind }

// Nodes are the nodes of a node-set in document order, each once; nil for another
// type.
func (v *Value) Nodes() []Node { return v.nodes }

// Bool is the value as a boolean [XPath 1.0 section 4.3].
func (v *Value) Bool() bool {
	switch v.kind {
	case NodeSet:
		return len(v.nodes) > 0
	case Number:
		return v.num != 0 && !math.IsNaN(v.num)
	case String:
		return v.str != ""
	}
	return v.truth
}

// Number is the value as a number, NaN if it is none [XPath 1.0 section 4.4].
func (v *Value) Number() float64 {
	switch v.kind {
	case Number:
		return v.num
	case Boolean:
		if v.truth {
			return 1
		}
		return 0
	}
	return parseNumber(v.Text())
}

// Text is the value as a string; of a node-set, the string-value of its first node
// [XPath 1.0 section 4.2].
func (v *Value) Text() string {
	switch v.kind {
	case NodeSet:
		if len(v.nodes) == 0 {
			return ""
		}
		return StringValue(v.nodes[0])
	case Boolean:
		if v.truth {
			return "true"
		}
		return "false"
	case Number:
		return formatNumber(v.num)
	}
	return v.str
}

// StringValue is the string-value of a node: its text, or all the texts below it
// [XPath 1.0 section 5].
func StringValue(n Node) string { return (&machine{names: &Namespaces{}}).text(n) }
