package alarm

import (
	"fmt"
	"regexp"
	"strings"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xpath"
)

// resourceMatch is a value of the type resource-match of RFC 8632.
type resourceMatch struct {
	// literal is the one resource that matches, or with below the one whose parts do.
	literal string
	below   bool // what begins with literal and a slash
	self    bool // literal itself
	oid     string
	path    *xpath.Expr
	re      *regexp.Regexp
}

var (
	oidForm = regexp.MustCompile(`^[0-2](\.[0-9]+)+$`)
	// tails are the ends of expressions for what is below a resource, which are found by
	// name in place of being tried.
	tails = []struct {
		text        string
		below, self bool
	}{{"(/.*)?", true, true}, {"/.*", true, false}, {"", false, true}}
)

// parseResourceMatch reads a value. n is the leaf that holds it, whose namespaces an XPath
// expression is read with.
//
// The union of the type cannot tell its members apart, for each takes what the last takes.
// What begins with a slash is an XPath expression, what looks like an object identifier is
// one, and all else is a regular expression.
func parseResourceMatch(schema *yang.Schema, n *data.Node) (m resourceMatch, err error) {
	text := n.Value()
	if strings.HasPrefix(text, "/") {
		names := n.Scope()
		for _, mod := range schema.Modules {
			if _, taken := names.Prefixes[mod.Name]; !taken && mod.Implemented {
				names.Prefixes[mod.Name] = mod.Namespace
			}
		}
		if m.path, err = xpath.Compile(text, names); err != nil {
			return m, err
		}
		if m.path.Kind() != xpath.NodeSet {
			return m, xpath.ErrNotNodeSet
		}
		return m, nil
	}
	if oidForm.MatchString(text) {
		return resourceMatch{oid: text}, nil
	}
	for _, t := range tails {
		head, ok := strings.CutSuffix(text, t.text)
		if !ok {
			continue
		}
		if literal, ok := literalOf(head); ok {
			return resourceMatch{literal: literal, below: t.below, self: t.self}, nil
		}
	}
	m.re, err = yang.CompilePattern(text)
	return m, err
}

// literalOf is the one text that an XSD pattern matches; false if it is more than one.
func literalOf(pattern string) (string, bool) {
	if !strings.ContainsAny(pattern, `.\?*+{}()[]|`) {
		return pattern, true
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '.', '?', '*', '+', '{', '}', '(', ')', '[', ']', '|':
			return "", false
		case '\\':
			if i++; i == len(pattern) || !strings.ContainsRune(`.\?*+{}()[]|-^`, rune(pattern[i])) {
				return "", false // a class such as \d
			}
			b.WriteByte(pattern[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// named reports whether the resources that match are found by name.
func (m *resourceMatch) named() bool { return m.self || m.below }

// matches reports whether a resource matches that is not found by name. nodes reports
// whether an instance is among the nodes that an expression selects.
func (m *resourceMatch) matches(resource string, nodes func(*xpath.Expr, string) bool) bool {
	switch {
	case m.named():
		return m.self && resource == m.literal || m.below && isBelow(resource, m.literal)
	case m.oid != "":
		return resource == m.oid || strings.HasPrefix(resource, m.oid+".") && oidForm.MatchString(resource)
	case m.path != nil:
		return strings.HasPrefix(resource, "/") && nodes(m.path, resource)
	}
	return m.re.MatchString(resource)
}

// isBelow is what the pattern of a name, a slash and .* says: no line ends among what
// follows.
func isBelow(resource, name string) bool {
	rest, ok := strings.CutPrefix(resource, name)
	return ok && strings.HasPrefix(rest, "/") && !strings.ContainsAny(rest, "\n\r")
}

// typeMatch selects alarm types.
type typeMatch struct {
	of        *yang.Identity // it and those derived from it
	qualifier *regexp.Regexp
}

func (m *typeMatch) matches(schema *yang.Schema, k Key) bool {
	if k.TypeID != m.of.QName() {
		if id := schema.Identity(k.TypeID); id == nil || !id.DerivedFrom(m.of) {
			return false
		}
	}
	return m.qualifier.MatchString(k.Qualifier)
}

// parseTypeMatch reads an entry with alarm-type-id and alarm-type-qualifier-match.
func parseTypeMatch(schema *yang.Schema, n *data.Node) (m typeMatch, err error) {
	if m.of = schema.Identity(n.Leaf("alarm-type-id")); m.of == nil {
		return m, fmt.Errorf("there is no identity %s", n.Leaf("alarm-type-id"))
	}
	m.qualifier, err = yang.CompilePattern(n.Leaf("alarm-type-qualifier-match"))
	return m, err
}

// criterion are the conditions of a shelf or a profile, all of which must hold: one of the
// resources and one of the types, where there are any.
type criterion struct {
	resources []resourceMatch // without those that are found by name
	any       bool            // of resource
	types     []typeMatch
}

// table finds the first of an ordered list of criteria that an alarm meets. Names are
// looked up, so that the cost does not grow with the number of those.
type table struct {
	schema   *yang.Schema
	criteria []criterion
	exact    map[string][]int // by the name of the resource
	below    map[string][]int // by that of what it is in
	rest     []int            // all that have to be tried
}

func newTable(schema *yang.Schema) *table {
	return &table{schema: schema, exact: map[string][]int{}, below: map[string][]int{}}
}

// add puts a criterion behind the others.
func (t *table) add(resources []resourceMatch, types []typeMatch) {
	i := len(t.criteria)
	c := criterion{any: len(resources) == 0, types: types}
	for _, m := range resources {
		if !m.named() {
			c.resources = append(c.resources, m)
			continue
		}
		if m.self {
			t.exact[m.literal] = append(t.exact[m.literal], i)
		}
		if m.below {
			t.below[m.literal] = append(t.below[m.literal], i)
		}
	}
	if c.any || len(c.resources) > 0 {
		t.rest = append(t.rest, i)
	}
	t.criteria = append(t.criteria, c)
}

// find is the place of the first criterion that an alarm meets, -1 without any.
func (t *table) find(k Key, nodes func(*xpath.Expr, string) bool) int {
	best := len(t.criteria)
	named := func(list []int) {
		for _, i := range list {
			if i >= best {
				return
			}
			if t.criteria[i].ofType(t.schema, k) {
				best = i
				return
			}
		}
	}
	if len(t.exact) > 0 {
		named(t.exact[k.Resource])
	}
	if len(t.below) > 0 && !strings.ContainsAny(k.Resource, "\n\r") {
		for j := range len(k.Resource) {
			if k.Resource[j] == '/' {
				named(t.below[k.Resource[:j]])
			}
		}
	}
	for _, i := range t.rest {
		if i >= best {
			break
		}
		if c := &t.criteria[i]; c.ofResource(k, nodes) && c.ofType(t.schema, k) {
			best = i
		}
	}
	if best == len(t.criteria) {
		return -1
	}
	return best
}

func (c *criterion) ofResource(k Key, nodes func(*xpath.Expr, string) bool) bool {
	for i := range c.resources {
		if c.resources[i].matches(k.Resource, nodes) {
			return true
		}
	}
	return c.any
}

func (c *criterion) ofType(schema *yang.Schema, k Key) bool {
	for i := range c.types {
		if c.types[i].matches(schema, k) {
			return true
		}
	}
	return len(c.types) == 0
}

// selects returns a function that reports whether an instance is among the nodes that an
// expression selects in a tree. What an expression selects is found once.
func selects(schema *yang.Schema, tree func() *data.Node) func(*xpath.Expr, string) bool {
	found := map[*xpath.Expr]map[string]bool{}
	return func(e *xpath.Expr, instance string) bool {
		in, done := found[e]
		if !done {
			in = map[string]bool{}
			found[e] = in
			env := &data.XPath{Schema: schema, Root: tree()}
			steps := int64(selectSteps)
			nodes, err := e.EvalNodes(xpath.Context{Node: env.At(&data.Loc{Node: env.Root}), Env: env, Budget: &steps})
			if err != nil {
				return false // one that takes too long selects nothing
			}
			for _, n := range nodes {
				if l := data.LocOf(n); l != nil {
					in[l.InstanceID()] = true
				}
			}
		}
		return in[instance]
	}
}

// selectSteps bounds the work of an expression; see xpath.Context.
const selectSteps = 1_000_000
