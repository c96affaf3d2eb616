package data

import (
	"io"
	"strconv"

	"incidentd/yang"
)

// View is how a tree of a datastore is written as the reply to a retrieval. The zero
// value writes it as it stands, but for state of which defaults are in use.
type View struct {
	// Defaults is the mode of RFC 6243. The tree must have been selected with it.
	Defaults Defaults
	// InUse is set for the operational state: there the mode ReportAllTagged tags each
	// leaf that has its default value, whoever has set it [RFC 8526 section 3.1.1.2].
	InUse bool
	// MaxDepth is how many levels are written from each node that a filter has selected
	// whole, which is the first level; 0: all. Keys are always written [RFC 8526
	// section 3.1.1].
	MaxDepth int
	// Content leaves out configuration or state [RFC 8526 section 3.1.1].
	Content Content
	// Origins tells the origin of configuration by an annotation: what stands in
	// Intended comes from there, a default is one, all other is from the system. A node
	// has it where it differs from its parent's [RFC 8342 section 5.3.4].
	Origins  bool
	Intended *Node
	// Source is the whole datastore, in which the conditions of defaults are evaluated;
	// Schema is that of its nodes.
	Source *Node
	Schema *yang.Schema
	// Page, when not nil, is told by annotations of its entries, and SublistLimit is how
	// many entries are written of each list or leaf-list below them or, without a page,
	// below what was selected whole; 0: all.
	Page         *Page
	SublistLimit int
	// Readable, when not nil, reports whether a default may be shown that stands for
	// an absent child of a place.
	Readable func(parent *Loc, child *yang.Node) bool
}

// Content is which nodes are written.
type Content uint8

// The contents: all, those of config true, and those of config false with what leads
// to them.
const (
	AllNodes Content = iota
	ConfigNodes
	StateNodes
)

// Write writes the children of a node to w piece by piece, so that a large tree needs
// no memory of its own. space is the default namespace in force. It blocks as w does
// and returns w's first error.
func (v *View) Write(w io.Writer, n *Node, space string) error {
	e := encoder{w: w, buf: make([]byte, 0, flushSize+4096), viewer: viewer{view: *v, defaults: v.Defaults, active: true,
		chooses: v.Content != AllNodes || v.MaxDepth > 0,
		notes:   v.Defaults == ReportAllTagged || v.Origins || v.Page != nil || v.SublistLimit > 0}}
	e.enter(n)
	e.children(n, space, e.begin())
	e.flush()
	return e.err
}

// viewer is a view while it is written.
type viewer struct {
	view     View
	defaults Defaults
	active   bool // a datastore is written, not just a tree
	chooses  bool // some nodes are not written
	notes    bool // some nodes have attributes
	// way leads from the root to the node whose children are written.
	way    []*Node
	absent map[*yang.Node][]absence
}

// absence is a child that has defaults to be written when it is not there.
type absence struct {
	schema      *yang.Node
	nodes       []*Node // leafs or leaf-list entries, or the container
	conditional bool
}

// mark is where the writing stands.
type mark struct {
	at    *Node  // beside the node that is written, in the intended datastore
	from  string // the origin that was last told
	depth int    // levels from the one that was selected; 0: above it, or not counted
	top   bool   // what is written next stands at the top
	// paged is true below an entry of the page; left are entries that the sublist-limit
	// leaves out beside the one that is written next.
	paged bool
	left  int
}

func (v *viewer) begin() mark { return mark{at: v.view.Intended, top: true} }

// below is the mark of a child.
func (m mark) below(c *Node) mark {
	if m.at != nil {
		m.at = m.at.lookup(c)
	}
	return m
}

func (v *viewer) enter(n *Node) {
	if v.active {
		v.way = append(v.way, n)
	}
}

func (v *viewer) leave() {
	if v.active {
		v.way = v.way[:len(v.way)-1]
	}
}

// hides reports whether a node is not written for its place, and counts the levels.
// Keys always are.
func (v *viewer) hides(n *Node, m *mark) bool {
	s := n.schema
	switch {
	case v.view.Content == ConfigNodes && !s.Config:
		return true
	case v.view.Content == StateNodes && s.Config && !n.interior() && !s.IsKey():
		return true
	case v.view.MaxDepth == 0 || m.depth == 0 && n.isPartial() && !n.isPruned():
		return false
	}
	m.depth++
	return m.depth > v.view.MaxDepth && !s.IsKey()
}

// vain reports whether a node of which nothing was written but its keys is left out:
// a container without presence of which everything is hidden, and configuration that
// does not lead to state.
func (v *viewer) vain(n *Node, m mark) bool {
	switch {
	case n.isAssumed():
		return true
	case v.view.Content == StateNodes && n.schema.Config:
		return true
	}
	return !n.Empty() && n.schema.Kind == yang.Container && !n.schema.Presence && m.depth == 0
}

// defaultsOf are the children of a node that have defaults to be written where they
// are not there.
func (v *viewer) defaultsOf(n *Node) []absence {
	if !v.active || v.defaults == Trim || n.isPartial() || v.defaults == Explicit && v.view.Content == ConfigNodes {
		return nil
	}
	list, ok := v.absent[n.schema]
	if !ok {
		for _, s := range n.schema.Data {
			if !v.defaults.addsBelow(s) {
				continue
			}
			a := absence{schema: s, conditional: conditional(s)}
			if s.Kind == yang.Container {
				a.nodes = []*Node{{schema: s, note: assumed}}
			}
			for _, value := range s.Defaults {
				a.nodes = append(a.nodes, assume(s, value))
			}
			list = append(list, a)
		}
		if v.absent == nil {
			v.absent = map[*yang.Node][]absence{}
		}
		v.absent[n.schema] = list
	}
	return list
}

// assumed writes the defaults that stand for a child which a node does not have.
func (e *encoder) assumed(n *Node, a absence, space string, m mark) {
	if !n.caseChosen(a.schema) || !e.shows(a.schema, a.conditional) {
		return
	}
	for _, d := range a.nodes {
		e.node(d, space, m.below(d))
	}
}

// shows reports whether a default of the node that is written is in use, and for this
// reader.
func (v *viewer) shows(child *yang.Node, conditional bool) bool {
	return (!conditional || v.allows(child)) && (v.view.Readable == nil || v.view.Readable(v.place(), child))
}

// refuses is for what a filter has selected as a default.
func (v *viewer) refuses(k *Node) bool {
	first := k
	if k.set != nil {
		k.set.each(func(c *Node) bool { first = c; return false })
	}
	return first.isAssumed() && !v.shows(k.schema, conditional(k.schema))
}

// allows evaluates the conditions of an absent child of the node that is written.
func (v *viewer) allows(s *yang.Node) bool {
	if v.view.Source == nil {
		return true
	}
	x := XPath{Schema: v.view.Schema, Root: v.view.Source}
	return x.Allows(v.place(), s)
}

// place is where the writing stands, in the whole datastore.
func (v *viewer) place() *Loc {
	at := &Loc{nil, v.way[0]}
	if v.view.Source != nil {
		at.Node = v.view.Source
	}
	for _, n := range v.way[1:] {
		if there := at.Node.lookup(n); there != nil {
			n = there
		}
		at = at.Down(n)
	}
	return at
}

// The origins that the server tells apart [RFC 8342 section 5.3.4], and the namespaces
// of the annotations.
const (
	originIntended    = "intended"
	originSystem      = "system"
	originDefault     = "default"
	originNamespace   = "urn:ietf:params:xml:ns:yang:ietf-origin"
	defaultsNamespace = "urn:ietf:params:xml:ns:netconf:default:1.0"
	pageNamespace     = "urn:ietf:params:xml:ns:yang:ietf-list-pagination"
)

// annotate writes the attributes of a node, into its start tag.
func (e *encoder) annotate(n *Node, m mark) mark {
	if m.top {
		if m.top = false; e.defaults == ReportAllTagged {
			e.declare("wd", defaultsNamespace) // once for all below
		}
		if e.view.Page != nil || e.view.SublistLimit > 0 {
			e.declare("lp", pageNamespace)
		}
	}
	if m.left > 0 {
		e.attribute("lp:remaining", strconv.Itoa(m.left))
		m.left = 0
	}
	if p := e.view.Page; p != nil && p.Target == n.schema {
		e.page(p)
		m.paged = true
	}
	if e.defaults == ReportAllTagged && n.schema.HasValue() && (n.isAssumed() || e.view.InUse && n.hasDefault()) {
		e.buf = append(e.buf, ` wd:default="true"`...)
	}
	if !e.view.Origins || !n.schema.Config || n.schema.IsKey() {
		return m
	}
	from := originSystem
	switch {
	case n.isAssumed():
		from = originDefault
	case m.at != nil:
		from = originIntended
	}
	if from == m.from {
		return m
	}
	e.declare("or", originNamespace)
	e.buf = append(append(append(e.buf, ` or:origin="or:`...), from...), '"')
	m.from = from
	return m
}

// page writes the annotations of a page, which each of its entries has.
func (e *encoder) page(p *Page) {
	if p.Remaining > 0 {
		e.attribute("lp:remaining", strconv.Itoa(p.Remaining))
	}
	if p.Cursors {
		e.attribute("lp:next", p.Next)
		e.attribute("lp:previous", p.Previous)
	}
	if p.Locale != "" {
		e.attribute("lp:locale", p.Locale)
	}
}

// attribute writes one whose value needs no escapes.
func (e *encoder) attribute(name, value string) {
	e.buf = append(append(append(append(append(e.buf, ' '), name...), `="`...), value...), '"')
}

// sublist is how many entries of a collection below a node are written.
func (v *viewer) sublist(parent, k *Node, m mark) int {
	n := k.set.len()
	limited := m.paged
	if v.view.Page == nil {
		limited = !parent.isPartial()
	}
	if v.view.SublistLimit > 0 && limited {
		return min(n, v.view.SublistLimit)
	}
	return n
}
