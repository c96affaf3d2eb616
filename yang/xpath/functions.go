package xpath

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// function is a function of the library.
type function struct {
	name     string
	min, max int
	result   ValueKind
	nodes    uint8 // bit i: argument i must be a node-set
	orNode   bool  // without arguments it is about the context node
	identity bool  // the second argument names an identity
	facts    facts
	run      func(m *machine, f focus, c *call) Value
}

// many is the maximum of a function with any number of arguments.
const many = math.MaxInt

func (fn *function) arity() string {
	switch {
	case fn.max == many:
		return fmt.Sprintf("%d or more arguments", fn.min)
	case fn.min == fn.max && fn.min == 1:
		return "1 argument"
	case fn.min == fn.max:
		return fmt.Sprintf("%d arguments", fn.min)
	}
	return fmt.Sprintf("%d to %d arguments", fn.min, fn.max)
}

// functions is the core library [XPath 1.0 section 4] and that of YANG [RFC 7950
// section 10].
var functions = library(
	// Node-sets.
	&function{name: "last", result: Number, facts: usesPosition, run: func(_ *machine, f focus, _ *call) Value {
		return numberValue(float64(f.size))
	}},
	&function{name: "position", result: Number, facts: usesPosition, run: func(_ *machine, f focus, _ *call) Value {
		return numberValue(float64(f.pos))
	}},
	&function{name: "count", min: 1, max: 1, result: Number, nodes: 1, run: func(m *machine, f focus, c *call) Value {
		return numberValue(float64(m.count(c.args[0], f)))
	}},
	&function{name: "id", min: 1, max: 1, result: NodeSet, run: func(m *machine, f focus, c *call) Value {
		m.str(c.args[0], f) // no node has an ID
		return setValue(nil)
	}},
	&function{name: "local-name", max: 1, result: String, nodes: 1, orNode: true, run: func(m *machine, f focus, c *call) Value {
		return stringValue(m.subjectName(f, c).Local)
	}},
	&function{name: "namespace-uri", max: 1, result: String, nodes: 1, orNode: true, run: func(m *machine, f focus, c *call) Value {
		return stringValue(m.subjectName(f, c).Space)
	}},
	&function{name: "name", max: 1, result: String, nodes: 1, orNode: true, run: func(m *machine, f focus, c *call) Value {
		return stringValue(c.ns.qualified(m.subjectName(f, c)))
	}},

	// Strings.
	&function{name: "string", max: 1, result: String, orNode: true, run: func(m *machine, f focus, c *call) Value {
		return stringValue(m.subject(f, c))
	}},
	&function{name: "concat", min: 2, max: many, result: String, run: concat},
	&function{name: "starts-with", min: 2, max: 2, result: Boolean, run: func(m *machine, f focus, c *call) Value {
		return boolValue(strings.HasPrefix(m.arg(f, c, 0), m.arg(f, c, 1)))
	}},
	&function{name: "contains", min: 2, max: 2, result: Boolean, run: func(m *machine, f focus, c *call) Value {
		return boolValue(strings.Contains(m.arg(f, c, 0), m.arg(f, c, 1)))
	}},
	&function{name: "substring-before", min: 2, max: 2, result: String, run: func(m *machine, f focus, c *call) Value {
		before, _, found := strings.Cut(m.arg(f, c, 0), m.arg(f, c, 1))
		if !found {
			before = ""
		}
		return stringValue(before)
	}},
	&function{name: "substring-after", min: 2, max: 2, result: String, run: func(m *machine, f focus, c *call) Value {
		_, after, _ := strings.Cut(m.arg(f, c, 0), m.arg(f, c, 1))
		return stringValue(after)
	}},
	&function{name: "substring", min: 2, max: 3, result: String, run: substring},
	&function{name: "string-length", max: 1, result: Number, orNode: true, run: func(m *machine, f focus, c *call) Value {
		return numberValue(float64(utf8.RuneCountInString(m.subject(f, c))))
	}},
	&function{name: "normalize-space", max: 1, result: String, orNode: true, run: func(m *machine, f focus, c *call) Value {
		return stringValue(strings.Join(strings.FieldsFunc(m.subject(f, c), func(r rune) bool {
			return r == ' ' || r == '\t' || r == '\n' || r == '\r'
		}), " "))
	}},
	&function{name: "translate", min: 3, max: 3, result: String, run: translate},

	// Booleans.
	&function{name: "boolean", min: 1, max: 1, result: Boolean, run: func(m *machine, f focus, c *call) Value {
		return boolValue(m.boolean(c.args[0], f))
	}},
	&function{name: "not", min: 1, max: 1, result: Boolean, run: func(m *machine, f focus, c *call) Value {
		return boolValue(!m.boolean(c.args[0], f))
	}},
	&function{name: "true", result: Boolean, run: func(*machine, focus, *call) Value { return boolValue(true) }},
	&function{name: "false", result: Boolean, run: func(*machine, focus, *call) Value { return boolValue(false) }},
	&function{name: "lang", min: 1, max: 1, result: Boolean, facts: usesNode, run: func(m *machine, f focus, c *call) Value {
		m.arg(f, c, 0) // no node has an xml:lang
		return boolValue(false)
	}},

	// Numbers.
	&function{name: "number", max: 1, result: Number, orNode: true, run: func(m *machine, f focus, c *call) Value {
		if len(c.args) == 0 {
			return numberValue(parseNumber(m.text(f.node)))
		}
		return numberValue(m.number(c.args[0], f))
	}},
	&function{name: "sum", min: 1, max: 1, result: Number, nodes: 1, run: func(m *machine, f focus, c *call) Value {
		sum := 0.0
		for _, n := range m.nodes(c.args[0], f) {
			sum += parseNumber(m.text(n))
		}
		return numberValue(sum)
	}},
	&function{name: "floor", min: 1, max: 1, result: Number, run: func(m *machine, f focus, c *call) Value {
		return numberValue(math.Floor(m.number(c.args[0], f)))
	}},
	&function{name: "ceiling", min: 1, max: 1, result: Number, run: func(m *machine, f focus, c *call) Value {
		return numberValue(math.Ceil(m.number(c.args[0], f)))
	}},
	&function{name: "round", min: 1, max: 1, result: Number, run: func(m *machine, f focus, c *call) Value {
		return numberValue(round(m.number(c.args[0], f)))
	}},

	// YANG.
	&function{name: "current", result: NodeSet, run: func(m *machine, _ focus, _ *call) Value {
		return setValue([]Node{m.current})
	}},
	&function{name: "re-match", min: 2, max: 2, result: Boolean, run: reMatch},
	&function{name: "deref", min: 1, max: 1, result: NodeSet, nodes: 1, run: deref},
	&function{name: "derived-from", min: 2, max: 2, result: Boolean, nodes: 1, identity: true, run: func(m *machine, f focus, c *call) Value {
		return boolValue(m.derived(f, c, false))
	}},
	&function{name: "derived-from-or-self", min: 2, max: 2, result: Boolean, nodes: 1, identity: true, run: func(m *machine, f focus, c *call) Value {
		return boolValue(m.derived(f, c, true))
	}},
	&function{name: "enum-value", min: 1, max: 1, result: Number, nodes: 1, run: enumValue},
	&function{name: "bit-is-set", min: 2, max: 2, result: Boolean, nodes: 1, run: bitIsSet},
)

func library(fns ...*function) map[string]*function {
	byName := make(map[string]*function, len(fns))
	for _, fn := range fns {
		byName[fn.name] = fn
	}
	return byName
}

// arg is an argument as a string, paid for by its length.
func (m *machine) arg(f focus, c *call, i int) string { return m.spendText(m.str(c.args[i], f)) }

// subject is the text of the argument or, without one, of the context node.
func (m *machine) subject(f focus, c *call) string {
	if len(c.args) == 0 {
		return m.text(f.node)
	}
	return m.arg(f, c, 0)
}

// subjectName is the name of the first node of the argument or, without one, of the
// context node.
func (m *machine) subjectName(f focus, c *call) Name {
	n := f.node
	if len(c.args) > 0 {
		n = m.first(c.args[0], f)
	}
	if n == nil || m.err != nil {
		return Name{}
	}
	return n.Name()
}

func concat(m *machine, f focus, c *call) Value {
	var b strings.Builder
	for i := range c.args {
		b.WriteString(m.arg(f, c, i))
	}
	return stringValue(b.String())
}

// substring counts characters from 1 and rounds, so that positions may be NaN and
// infinite [XPath 1.0 section 4.2].
func substring(m *machine, f focus, c *call) Value {
	s := m.arg(f, c, 0)
	from := round(m.number(c.args[1], f))
	to := math.Inf(1)
	if len(c.args) == 3 {
		to = from + round(m.number(c.args[2], f))
	}
	begin, end, pos := -1, len(s), 1.0
	for i := range s {
		in := pos >= from && pos < to
		if in && begin < 0 {
			begin = i
		}
		if !in && begin >= 0 {
			end = i
			break
		}
		pos++
	}
	if begin < 0 {
		return stringValue("")
	}
	return stringValue(s[begin:end])
}

func translate(m *machine, f focus, c *call) Value {
	s, from, to := m.arg(f, c, 0), []rune(m.arg(f, c, 1)), []rune(m.arg(f, c, 2))
	if !m.spend(len(from)) {
		return stringValue("")
	}
	table := make(map[rune]rune, len(from))
	for i, r := range from {
		if _, ok := table[r]; ok {
			continue
		}
		table[r] = -1
		if i < len(to) {
			table[r] = to[i]
		}
	}
	return stringValue(strings.Map(func(r rune) rune {
		if t, ok := table[r]; ok {
			return t
		}
		return r
	}, s))
}

// schema reports whether there is an Environment to ask.
func (m *machine) schema() bool {
	if m.env == nil {
		m.fail(ErrNoEnvironment)
	}
	return m.err == nil
}

// reMatch [RFC 7950 section 10.2.1].
func reMatch(m *machine, f focus, c *call) Value {
	s, pattern := m.arg(f, c, 0), m.arg(f, c, 1)
	if !m.schema() {
		return boolValue(false)
	}
	ok, err := m.env.Match(pattern, s)
	if err != nil {
		m.fail(fmt.Errorf("xpath: re-match: pattern %q: %w", pattern, err))
	}
	return boolValue(ok)
}

// deref follows the first node of its argument [RFC 7950 section 10.3.1].
func deref(m *machine, f focus, c *call) Value {
	n := m.first(c.args[0], f)
	if n == nil || !m.schema() {
		return setValue(nil)
	}
	set := m.env.Deref(n)
	m.spend(1 + len(set))
	return setValue(m.sortSet(append([]Node(nil), set...)))
}

// derived asks about every node of its first argument [RFC 7950 section 10.4].
func (m *machine) derived(f focus, c *call, orSelf bool) bool {
	identity := c.ident
	if identity == (Name{}) {
		var ok bool
		if identity, ok = c.ns.qname(m.arg(f, c, 1)); !ok {
			return false // a name computed from data that names nothing
		}
	}
	if p, ok := c.args[0].(*path); ok {
		if n, rest, led := m.lead(p, f); led && (n == nil || len(rest) == 0) {
			return n != nil && m.schema() && m.env.DerivedFrom(n, identity, orSelf)
		}
	}
	return m.any(c.args[0], f, func(n Node) bool {
		return m.schema() && m.env.DerivedFrom(n, identity, orSelf)
	})
}

// enumValue [RFC 7950 section 10.5.1].
func enumValue(m *machine, f focus, c *call) Value {
	if n := m.first(c.args[0], f); n != nil && m.schema() {
		if v, ok := m.env.EnumValue(n); ok {
			return numberValue(float64(v))
		}
	}
	return numberValue(math.NaN())
}

// bitIsSet [RFC 7950 section 10.6.1].
func bitIsSet(m *machine, f focus, c *call) Value {
	n := m.first(c.args[0], f)
	bit := m.arg(f, c, 1)
	return boolValue(n != nil && m.schema() && m.env.BitIsSet(n, bit))
}
