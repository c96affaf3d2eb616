package data

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xpath"
)

// PageRequest is which entries of one list or leaf-list are wanted, and in which order
// [draft-ietf-netconf-list-pagination-05 section 3.1]. The filter beside it names the
// list. The zero value wants all.
type PageRequest struct {
	// Where is an XPath expression that an entry, its context node, has to meet; "" for
	// none. Names without a prefix are of the list's module; prefixes are those of
	// Scope, or names of modules.
	Where string
	Scope xpath.Namespaces
	// SortBy is the way to a leaf from an entry, with names of modules as prefixes, or "."
	// for the values of a leaf-list; "" keeps the list's own order. Entries without the
	// leaf come last.
	SortBy string
	// Locale is how texts are sorted. There is one, C: by code points.
	Locale    string
	Backwards bool
	// Cursor is where to begin, from a Page before; Offset how many entries to leave out.
	Cursor string
	Offset int
	Limit  int // 0: no limit
}

// Page is a part of a list, as annotations tell it.
type Page struct {
	Target    *yang.Node
	Remaining int // entries that the limit has left out
	// Next is the cursor of the entry that comes after those of the page, Previous of the
	// one before, "" without one. Cursors tells that the list has any.
	Cursors        bool
	Next, Previous string
	Locale         string // "" when nothing was sorted
}

// PageError says what is wrong with a parameter of a PageRequest.
type PageError struct {
	Parameter string // as the YANG module calls it
	Err       *rpcerr.Error
}

func (e *PageError) Error() string { return e.Parameter + ": " + e.Err.Error() }

func badPage(parameter, appTag, format string, args ...any) *PageError {
	return &PageError{parameter, rpcerr.InvalidValue(format, args...).WithAppTag(appTag).WithInfo("", "bad-element", parameter)}
}

// Page selects a page of the list that the filter leads to, from a tree of a
// datastore; see Select. The tree is nil when nothing is selected. An error is a
// *PageError, or that of Select.
//
// In the list's own order the cost is that of the page; where, sort-by, content
// matches and predicates go through the list.
func (f *Filter) Page(n *Node, schema *yang.Schema, mode Defaults, r PageRequest) (*Node, *Page, error) {
	p := pager{PageRequest: r, schema: schema, root: n, sel: selection{mode}}
	if err := p.find(f); err != nil {
		return nil, nil, err
	}
	if err := p.narrow(); err != nil {
		return nil, nil, err
	}
	if err := p.sort(); err != nil {
		return nil, nil, err
	}
	return p.cut()
}

// pager makes a page.
type pager struct {
	PageRequest
	schema *yang.Schema
	root   *Node
	sel    selection

	list *yang.Node    // nil when a filter finds nothing that would tell
	way  []*Node       // from the root to what has the entries; nil: there is nothing
	part []*filterNode // what is selected of an entry; nil: all
	set  *set          // the working result-set
	page Page
}

// find finds the list.
func (p *pager) find(f *Filter) error {
	switch {
	case f == nil || f.xpath == nil && f.top == nil:
		return errNoList
	case f.xpath != nil:
		return p.findExpression(f.xpath)
	}
	return p.findSubtree(f.top)
}

var errNoList = badPage("list-pagination", "", "the filter does not lead to one list or leaf-list, of which there could be pages")

// findSubtree goes down a filter that has one element at each level, beside keys.
func (p *pager) findSubtree(at *filterNode) error {
	way := []*Node{p.root}
	for {
		if len(at.groups) != 1 || len(at.groups[0].nodes) != 1 {
			return errNoList
		}
		here := way[len(way)-1]
		if _, ok := p.sel.holds(at, here); !ok {
			here = nil
		}
		s := at.groups[0].schema
		at = at.groups[0].nodes[0]
		var next *Node
		switch {
		case s.Kind == yang.List && at.byKey && len(at.groups) > 0:
			next = here.Entry(s, at.key)
		case s.Multiple():
			p.start(s, way, here.kid(s))
			p.part = []*filterNode{at}
			return nil
		case s.Kind != yang.Container:
			return errNoList
		default:
			next = here.Get(s)
		}
		if next == nil {
			next = New(s) // the rest of the way is told by the schema alone
		}
		way = append(way, next)
	}
}

// start begins with all entries of a collection, nil for none.
func (p *pager) start(list *yang.Node, way []*Node, k *Node) {
	p.list, p.way = list, way
	if p.set = newSet(list); k != nil {
		p.set = k.set
	}
}

// findExpression evaluates a path. When the last step is a plain name, the list is
// taken as it stands; otherwise the nodes are, which must be of one list.
func (p *pager) findExpression(f *xpathFilter) error {
	if f.parent == nil {
		nodes, err := f.evaluate(f.expr, p.root)
		if err != nil || len(nodes) == 0 {
			return err
		}
		var entries []*Node
		first := LocOf(nodes[0])
		for _, n := range nodes {
			l := LocOf(n)
			if l == nil || !l.Node.schema.Multiple() || l.Node.schema != first.Node.schema || l.Parent.Node != first.Parent.Node {
				return errNoList
			}
			entries = append(entries, l.Node)
		}
		p.list, p.way, p.set = first.Node.schema, first.Parent.way(), sequence(entries)
		return nil
	}
	parents, err := f.evaluate(f.parent, p.root)
	switch {
	case err != nil || len(parents) == 0:
		return err
	case len(parents) > 1:
		return errNoList
	}
	l := LocOf(parents[0])
	m := p.schema.ByNamespace(f.last.Space)
	if l == nil || m == nil {
		return errNoList
	}
	s := l.Node.schema.Child(m, f.last.Local)
	if s == nil || !s.Multiple() {
		return errNoList
	}
	p.start(s, l.way(), l.Node.kid(s))
	return nil
}

func sequence(entries []*Node) *set { return &set{byUser: true, seq: entries, index: new(seqIndex)} }

// narrow applies the content matches of the filter and the parameter where.
func (p *pager) narrow() error {
	var where *xpath.Expr
	if p.Where != "" && p.list != nil {
		var err error
		if where, err = p.compile(); err != nil {
			return err
		}
	}
	matches := len(p.part) > 0 && len(p.part[0].match) > 0
	if p.list == nil || where == nil && !matches {
		return nil
	}
	if matches && p.part[0].byKey {
		one := []*Node(nil)
		if e := p.set.get(p.part[0].key); e != nil {
			one = append(one, e)
		}
		p.set = sequence(one)
	}
	var above *Loc
	for _, n := range p.way {
		above = above.Down(n)
	}
	x := &XPath{Schema: p.schema, Root: p.root}
	budget := int64(filterSteps)
	var kept []*Node
	var err error
	p.set.each(func(e *Node) bool {
		if matches {
			if _, ok := p.sel.holds(p.part[0], e); !ok {
				return true
			}
		}
		ok := true
		if where != nil {
			c := x.context(above.Down(e))
			c.Budget = &budget
			ok, err = where.EvalBool(c)
		}
		if ok && err == nil {
			kept = append(kept, e)
		}
		return err == nil
	})
	p.set = sequence(kept)
	return tooLong(err)
}

// compile reads the parameter where. That a name is in the schema is checked as far as
// it stands below the entry.
func (p *pager) compile() (*xpath.Expr, error) {
	names := xpath.Namespaces{Default: p.list.Module.Namespace, Prefixes: map[string]string{}}
	for _, m := range p.schema.Modules {
		names.Prefixes[m.Name] = m.Namespace
	}
	for prefix, space := range p.Scope.Prefixes {
		names.Prefixes[prefix] = space
	}
	expr, err := xpath.Compile(p.Where, names)
	if err != nil {
		return nil, badPage("where", "", "%v", err)
	}
	for _, path := range expr.Paths() {
		s := p.list
		if path.Absolute {
			s = p.schema.Root
		}
		if path.Anything || path.Ups > 0 {
			continue
		}
		for _, name := range path.Names {
			m := p.schema.ByNamespace(name.Space)
			if m == nil || s.Child(m, name.Local) == nil {
				return nil, badPage("where", "", "the schema has no node %q below %s", name.Local, s.Path())
			}
			s = s.Child(m, name.Local)
		}
	}
	return expr, nil
}

// locales are the names of the one that there is; what follows a dot is the encoding.
var locales = []string{"C", "POSIX"}

// sort orders the working result-set.
func (p *pager) sort() error {
	if p.Locale != "" {
		name, encoding, _ := strings.Cut(p.Locale, ".")
		switch {
		case p.SortBy == "":
			return badPage("locale", "", "a locale has a meaning only with sort-by")
		case !slices.Contains(locales, name) || encoding != "" && !strings.EqualFold(encoding, "UTF-8"):
			return badPage("locale", "locale-unavailable", "the only locale is C")
		}
	}
	if p.SortBy == "" || p.list == nil {
		return nil
	}
	way, err := p.sortWay()
	if err != nil {
		return err
	}
	type keyed struct {
		entry *Node
		key   sortKey
	}
	var all []keyed
	p.set.each(func(e *Node) bool {
		all = append(all, keyed{e, sortKeyOf(e, way, p.schema)})
		return true
	})
	slices.SortStableFunc(all, func(a, b keyed) int { return a.key.compare(b.key) })
	entries := make([]*Node, len(all))
	for i, k := range all {
		entries[i] = k.entry
	}
	p.set, p.page.Locale = sequence(entries), locales[0]
	return nil
}

// sortWay finds the leaf to sort by in the schema.
func (p *pager) sortWay() (way []*yang.Node, err error) {
	if p.SortBy == "." && p.list.Kind == yang.LeafList {
		return nil, nil
	}
	s := p.list
	for _, step := range strings.Split(p.SortBy, "/") {
		module, name, qualified := strings.Cut(step, ":")
		m := p.schema.Module(module)
		if !qualified {
			m, name = s.Module, step
		}
		child := s.Child(m, name)
		if child == nil {
			return nil, badPage("sort-by", "", "the schema has no node %q below %s", step, s.Path())
		}
		s = child
		way = append(way, s)
		if s.Multiple() {
			break
		}
	}
	if s.Kind != yang.Leaf {
		return nil, badPage("sort-by", "", "%s is no leaf that an entry has one of", s.Path())
	}
	return way, nil
}

// cut makes the page and the tree that has it.
func (p *pager) cut() (*Node, *Page, error) {
	total := 0
	if p.set != nil {
		total = p.set.len()
	}
	p.page.Target = p.list
	p.page.Cursors = p.list != nil && p.Limit > 0 && len(p.list.Keys) > 0
	begin := p.Offset
	switch {
	case p.Offset > total:
		return nil, nil, badPage("offset", "offset-out-of-range", "there are %d entries", total)
	case p.Cursor != "" && p.Offset > 0:
		return nil, nil, badPage("offset", "", "a page begins at a cursor or at an offset")
	case p.Cursor != "" && p.list != nil && len(p.list.Keys) == 0:
		return nil, nil, &PageError{"cursor", rpcerr.OperationNotSupported("a cursor in a list without keys")}
	case p.Cursor != "":
		key, err := base64.StdEncoding.DecodeString(p.Cursor)
		begin = -1
		if err == nil && p.set != nil {
			begin = p.set.rank(string(key))
		}
		if begin < 0 {
			return nil, nil, badPage("cursor", "cursor-not-found", "the list has no such entry")
		}
		if p.Backwards {
			begin = total - 1 - begin
		}
	}
	end := total
	if p.Limit > 0 && p.Limit < total-begin {
		end = begin + p.Limit
		p.page.Remaining = total - end
	}
	if p.page.Cursors {
		p.page.Previous, p.page.Next = p.cursorAt(begin-1), p.cursorAt(end)
	}
	if begin == end {
		return nil, &p.page, nil
	}
	entries := make([]*Node, 0, end-begin)
	p.set.from(p.place(begin), p.Backwards, func(e *Node) bool {
		entries = append(entries, p.entry(e))
		return len(entries) < cap(entries)
	})
	return p.tree(entries), &p.page, nil
}

// place is the place in the set of what comes at a place in the direction of the
// traversal.
func (p *pager) place(i int) int {
	if p.Backwards {
		return p.set.len() - 1 - i
	}
	return i
}

// cursorAt is the cursor of the entry at a place of the traversal: its key, which
// finds it again whatever else comes and goes.
func (p *pager) cursorAt(i int) (cursor string) {
	if i < 0 {
		return ""
	}
	p.set.from(p.place(i), p.Backwards, func(e *Node) bool {
		cursor = base64.StdEncoding.EncodeToString([]byte(e.text))
		return false
	})
	return cursor
}

// entry is what is selected of an entry: at least its keys, as it has its place.
func (p *pager) entry(e *Node) *Node {
	if len(p.part) == 0 || !p.part[0].narrow {
		return e
	}
	if m := p.sel.apply(e, p.part); m != nil {
		return m
	}
	return part(e)
}

// tree is the entries with what leads to them.
func (p *pager) tree(entries []*Node) *Node {
	n := &Node{schema: p.list, set: sequence(entries)}
	o := new(owner)
	for i, above := range slices.Backward(p.way) {
		up := part(above)
		if i == len(p.way)-1 {
			up.setKid(n)
		} else {
			up.add(o, n)
		}
		n = up
	}
	return n
}

// sortKey is a value to sort by.
type sortKey struct {
	missing bool
	number  bool // text is one, in decimal
	text    string
}

func sortKeyOf(e *Node, way []*yang.Node, schema *yang.Schema) sortKey {
	for i, s := range way {
		c := e.Get(s)
		if c == nil {
			for _, d := range defaultsOf(e, s) {
				c = d
			}
		}
		if c == nil {
			return sortKey{missing: true}
		}
		if e = c; i < len(way)-1 && !c.interior() {
			return sortKey{missing: true}
		}
	}
	t := e.schema.Type.Resolve(e.text, schema)
	switch t.Base {
	case yang.Int8, yang.Int16, yang.Int32, yang.Int64, yang.Uint8, yang.Uint16, yang.Uint32, yang.Uint64, yang.Decimal64:
		return sortKey{number: true, text: e.text}
	case yang.Enumeration:
		for _, enum := range t.Enums {
			if enum.Name == e.text {
				return sortKey{number: true, text: strconv.FormatInt(enum.Value, 10)}
			}
		}
	}
	return sortKey{text: e.text}
}

func (k sortKey) compare(other sortKey) int {
	switch {
	case k.missing || other.missing:
		return cmp.Compare(rank(k.missing), rank(other.missing))
	case k.number != other.number: // in a union
		return -cmp.Compare(rank(k.number), rank(other.number))
	case k.number:
		return compareDecimals(k.text, other.text)
	}
	return strings.Compare(k.text, other.text)
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareDecimals compares canonical decimal numbers, which may be too large for a
// machine's.
func compareDecimals(a, b string) int {
	x, minusX := strings.CutPrefix(a, "-")
	y, minusY := strings.CutPrefix(b, "-")
	if minusX != minusY {
		return rank(minusY) - rank(minusX)
	}
	wholeX, fractionX, _ := strings.Cut(x, ".")
	wholeY, fractionY, _ := strings.Cut(y, ".")
	c := cmp.Or(cmp.Compare(len(wholeX), len(wholeY)), strings.Compare(wholeX, wholeY), strings.Compare(fractionX, fractionY))
	if minusX {
		return -c
	}
	return c
}
