package data

import (
	"errors"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xpath"
)

// Steps that the evaluation of a filter may take, on a datastore and on one
// notification; see xpath.Context. They bound its time, to a second or so, and its
// memory.
const (
	filterSteps       = 5_000_000
	notificationSteps = 100_000
)

// xpathFilter is a compiled XPath filter.
type xpathFilter struct {
	schema  *yang.Schema
	expr    *xpath.Expr
	tops    map[*yang.Node]bool // the top-level nodes that it can select of or looks at
	allTops bool                // any of them

	// parent and last are the expression apart from its last step, and the name that this
	// step is, when it is no more than a name; nil otherwise.
	parent *xpath.Expr
	last   xpath.Name
}

// holdsXPath reports whether values of a type may be XPath expressions: it is xpath1.0 of
// ietf-yang-types, or has it as a member.
func holdsXPath(t *yang.Type) bool {
	if t.Base == yang.Union {
		return slices.ContainsFunc(t.Members, holdsXPath)
	}
	return t.Base == yang.String && strings.HasSuffix(t.Name, "xpath1.0")
}

// Scope is the namespaces that are declared where a leaf stood that holds an XPath
// expression, or an anyxml: those of an expression in it.
func (n *Node) Scope() xpath.Namespaces {
	names := xpath.Namespaces{Prefixes: map[string]string{}}
	for _, b := range n.Raw().Bindings {
		if b.Prefix != "" {
			names.Prefixes[b.Prefix] = b.Space
		}
	}
	return names
}

// NewXPathFilter compiles an XPath expression that selects nodes of a datastore, with
// the prefixes that are declared where it stands; its context node is the root. A name
// without a prefix is in no namespace, so it names nothing. The error is a
// *xpath.SyntaxError, or xpath.ErrNotNodeSet.
func NewXPathFilter(schema *yang.Schema, text string, names xpath.Namespaces) (*Filter, error) {
	expr, err := xpath.Compile(text, names)
	if err != nil {
		return nil, err
	}
	if expr.Kind() != xpath.NodeSet {
		return nil, xpath.ErrNotNodeSet
	}
	f := &xpathFilter{schema: schema, expr: expr, tops: map[*yang.Node]bool{}}
	f.parent, f.last = lastStep(text, names)
	for _, p := range expr.Paths() {
		// The context node is the root, so that relative paths begin there too.
		if p.Anything || p.Ups > 0 || len(p.Names) == 0 {
			f.allTops = true
			break
		}
		if m := schema.ByNamespace(p.Names[0].Space); m != nil {
			f.tops[schema.Root.Child(m, p.Names[0].Local)] = true
		}
	}
	return &Filter{xpath: f}, nil
}

func (f *xpathFilter) touches(top *yang.Node) bool { return f.allTops || f.tops[top] }

// lastStep splits an expression that is one path and ends in a plain name. It answers
// nil for another.
func lastStep(text string, names xpath.Namespaces) (parent *xpath.Expr, last xpath.Name) {
	at, depth, quote := -1, 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[' || c == '(':
			depth++
		case c == ']' || c == ')':
			depth--
		case depth > 0:
		case c == '/':
			at = i
		case c == '|':
			return nil, last
		}
	}
	prefix, local, qualified := strings.Cut(strings.TrimSpace(text[at+1:]), ":")
	if !qualified {
		prefix, local = "", prefix
	}
	space, ok := names.Resolve(prefix)
	if local == "" || !ok || strings.ContainsAny(local, ":[]()*.@ ") {
		return nil, last
	}
	head := strings.TrimSpace(text[:max(at, 0)])
	switch {
	case strings.HasSuffix(head, "/"): // the step is of descendants
		return nil, last
	case head == "":
		head = "/" // which a relative path begins at as well
	}
	parent, err := xpath.Compile(head, names)
	if err != nil || parent.Kind() != xpath.NodeSet {
		return nil, last
	}
	return parent, xpath.Name{Space: space, Local: local}
}

// evaluate returns the nodes that an expression selects below the root of a datastore.
func (f *xpathFilter) evaluate(expr *xpath.Expr, root *Node) ([]xpath.Node, error) {
	x := &XPath{Schema: f.schema, Root: root}
	c := x.context(&Loc{nil, root})
	steps := int64(filterSteps)
	c.Budget = &steps
	nodes, err := expr.EvalNodes(c)
	return nodes, tooLong(err)
}

// tooLong is what a client is told when the budget of an evaluation is spent.
func tooLong(err error) error {
	if errors.Is(err, xpath.ErrBudget) {
		return rpcerr.ResourceDenied("the XPath expression takes too long: it looks at too many nodes")
	}
	return err
}

func (f *xpathFilter) matches(top *Node) (bool, error) {
	root := &Node{schema: f.schema.Root, kids: []*Node{top}}
	x := &XPath{Schema: f.schema, Root: root}
	c := x.context(&Loc{nil, root})
	steps := int64(notificationSteps)
	c.Budget = &steps
	ok, err := f.expr.EvalBool(c)
	return ok, tooLong(err)
}

// from returns the selected nodes with all that is below them, what leads to them and
// the keys on the way [RFC 6241 section 8.9.5.1].
func (f *xpathFilter) from(root *Node, mode Defaults) (*Node, error) {
	nodes, err := f.evaluate(f.expr, root)
	if err != nil {
		return nil, err
	}
	g := gathering{mode: mode, o: new(owner)}
	for _, n := range nodes {
		if n.Kind() == xpath.Text {
			n = n.Parent() // the text of a leaf is no node of the data model
		}
		g.put(LocOf(n).way())
	}
	return g.end(), nil
}

// gathering makes one tree of nodes that come in document order.
type gathering struct {
	mode Defaults
	o    *owner
	// way leads to the last node that was put, parts are the copies of the nodes on
	// it; the last one is a node that stands there whole.
	way, parts []*Node
	out        *Node
}

// put adds the node at the end of a way from the root.
func (g *gathering) put(way []*Node) {
	last := len(way) - 1
	if !g.reports(way) {
		return
	}
	depth := 0
	for depth < len(g.way) && depth < last && sameNode(g.way[depth], way[depth]) {
		depth++
	}
	if depth > 0 && depth == len(g.way) || len(g.way) == len(way) && depth == last && g.way[last] == way[last] {
		return // it stands below one that is selected whole, or is that one
	}
	g.close(depth)
	for _, n := range way[depth:last] {
		g.way, g.parts = append(g.way, n), append(g.parts, part(n))
	}
	whole := way[last]
	if last > 0 && way[last-1].kid(whole.schema) == nil {
		whole = &Node{schema: whole.schema, text: whole.text, note: assumed}
	}
	g.way, g.parts = append(g.way, way[last]), append(g.parts, whole)
}

// reports reports whether the mode shows the node at the end of a way.
func (g *gathering) reports(way []*Node) bool {
	if len(way) < 2 {
		return true
	}
	n, parent := way[len(way)-1], way[len(way)-2]
	k := parent.kid(n.schema)
	if k == nil {
		return g.mode.addsBelow(n.schema)
	}
	return !g.mode.hides(k)
}

// close puts the nodes from a depth on into their parents.
func (g *gathering) close(depth int) {
	for i := len(g.parts) - 1; i >= depth; i-- {
		if i == 0 {
			g.out = g.parts[0]
			break
		}
		g.parts[i-1].add(g.o, g.parts[i])
	}
	g.way, g.parts = g.way[:depth], g.parts[:depth]
}

func (g *gathering) end() *Node {
	g.close(0)
	return g.out
}

// sameNode is for nodes of one tree: containers that are not there have no place of
// their own.
func sameNode(a, b *Node) bool {
	if a == b {
		return true
	}
	if a.schema.Multiple() && !a.schema.UserOrdered && !keyless(a.schema) {
		return a.schema == b.schema && a.text == b.text // made anew, where it was packed
	}
	return a.schema == b.schema && !a.schema.Multiple() && !b.schema.HasValue()
}
