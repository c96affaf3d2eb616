package data

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// maxErrors bounds how many errors of one input are told.
const maxErrors = 100

// NetconfNamespace is that of the attribute "operation".
const NetconfNamespace = rpcerr.BaseNamespace

// Parser binds XML to a schema. Its zero value but for Schema reads plain data.
type Parser struct {
	Schema *yang.Schema
	// Edit accepts the attribute operation of RFC 6241 section 7.2, and the
	// absence of values that operations do not need.
	Edit bool
	// State accepts nodes of config false; without it they are refused, as in
	// an edit-config.
	State bool
	// Limits bound the XML.
	Limits xmltext.Limits
}

// Parse reads the children of a node of the schema (the schema's Root for a
// datastore) from a decoder that stands before them, up to the end tag that
// closes them, or to the end of a Raw. Errors of the data are collected, up to a
// hundred, as rpcerr.Errors with paths (one alone as *rpcerr.Error); an error of
// the XML itself ends the reading and is a *xmltext.SyntaxError. With an error
// there is no tree.
//
// Below an rpc's input or output, or in a notification, every node may stand,
// whatever State says.
func (p *Parser) Parse(d *xmltext.Decoder, schema *yang.Node) (*Node, error) {
	r := p.reader(d, schema)
	n := New(schema)
	if err := r.children(&Loc{nil, n}, n, Inherit); err != nil {
		return nil, err
	}
	return r.result(n)
}

func (p *Parser) reader(d *xmltext.Decoder, schema *yang.Node) *reader {
	return &reader{Parser: p, d: d, o: new(owner), state: p.State || !schema.Config}
}

func (r *reader) result(n *Node) (*Node, error) {
	if len(r.errs) > 0 {
		return nil, r.errs.Err()
	}
	return n, nil
}

// ParseRaw reads the content of an anyxml.
func (p *Parser) ParseRaw(raw xmltext.Raw, schema *yang.Node) (*Node, error) {
	return p.Parse(raw.Decoder(p.Limits), schema)
}

// ParseDocument reads a whole document whose root element is a top-level data
// node, as in a file; or several of them within <config> or <data>, of whatever
// namespace, unless the schema has a node of that name.
func (p *Parser) ParseDocument(in []byte) (*Node, error) {
	d := xmltext.NewDecoder(in, p.Limits)
	t, err := d.Next()
	if err != nil {
		return nil, err
	}
	r := p.reader(d, p.Schema.Root)
	n := New(p.Schema.Root)
	top := &Loc{nil, n}
	m := p.Schema.ByNamespace(t.Space)
	if (t.Local == "config" || t.Local == "data") && (m == nil || p.Schema.Root.Child(m, t.Local) == nil) {
		err = r.children(top, n, Inherit)
	} else {
		err = r.element(top, n, t, Inherit)
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Next(); err != nil {
		return nil, err
	}
	return r.result(n)
}

type reader struct {
	*Parser
	d     *xmltext.Decoder
	o     *owner
	state bool // nodes of config false may stand here
	// events lets the notification of a data node stand in it.
	events bool
	errs   rpcerr.Errors
	spare  []Node // not used yet
	locs   []*Loc // the places that are being read, depth of them in use
	depth  int
	// The last namespace's module, and children by parent and name.
	space  string
	module *yang.Module
	known  [64]known
	bad    map[place]bool // keys whose value was refused
	// empties are the containers without presence that had nothing in them.
	empties map[place]bool
}

// place is a child of a node.
type place struct {
	parent *Node
	child  *yang.Node
}

// full reports whether no more errors are kept, so that none need be made.
func (r *reader) full() bool { return len(r.errs) >= maxErrors }

func (r *reader) fail(path rpcerr.Path, err *rpcerr.Error) {
	if !r.full() {
		r.errs = append(r.errs, err.At(path))
	}
}

func (r *reader) skip() error {
	_, err := r.d.ReadRaw()
	return err
}

func (r *reader) children(at *Loc, n *Node, op Op) error {
	for {
		t, err := r.d.Next()
		if err != nil {
			return err
		}
		switch t.Kind {
		case xmltext.EOF, xmltext.End:
			return nil
		case xmltext.Text:
			if r.full() {
				continue
			}
			if s := strings.TrimSpace(string(t.Text)); s != "" {
				r.fail(at.Path(), rpcerr.BadElement(n.schema.Name, "text %s where elements belong", quoteShort(s)))
			}
		case xmltext.Start:
			if err := r.element(at, n, t, op); err != nil {
				return err
			}
		}
	}
}

func quoteShort(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:37], "") + "..."
	}
	return `"` + s + `"`
}

// element reads one child element, whose start tag is t, into n.
func (r *reader) element(at *Loc, n *Node, t xmltext.Token, inherited Op) error {
	if t.Space != r.space || r.module == nil {
		r.space, r.module = t.Space, r.Schema.ByNamespace(t.Space)
	}
	m := r.module
	if m == nil {
		if r.full() {
			return r.skip()
		}
		r.fail(at.Path(), rpcerr.UnknownNamespace(t.Local, t.Space))
		return r.skip()
	}
	s := r.child(n.schema, m, t.Local)
	if s == nil && r.events {
		s = n.schema.NotificationIn(m, t.Local)
	}
	if s == nil {
		if r.full() {
			return r.skip()
		}
		what := "no node"
		if n.schema.Kind == yang.Root {
			what = "no top-level data node"
		}
		r.fail(at.Path(), rpcerr.UnknownElement(t.Local, "the module %s has %s %q here", m.Name, what, t.Local))
		return r.skip()
	}
	if !s.Config && !r.state {
		r.fail(at.ChildPath(s), rpcerr.UnknownElement(t.Local, "%q is state, which cannot be configured", t.Local))
		return r.skip()
	}
	c := r.node(s)
	var attrs []xmltext.Attr
	if s.Kind == yang.AnyXML && !r.Edit {
		attrs, t.Attrs = slices.Clone(t.Attrs), nil
	}
	said, err := r.attributes(s, t)
	if err != nil {
		r.fail(at.ChildPath(s), err)
	}
	if said != (attributes{}) {
		c.note = &note{op: said.op, assumed: said.assumed}
		if said.move != nil {
			c.note.rare = &rare{move: said.move}
		}
	}
	if said.op != Inherit {
		inherited = said.op
	}
	switch s.Kind {
	case yang.Leaf, yang.LeafList:
		if ok, err := r.leaf(at, c, inherited); err != nil || !ok {
			return err
		}
		if said.assumed && !r.assumed(at, c) {
			return nil
		}
	case yang.AnyData, yang.AnyXML:
		raw, err := r.d.ReadRaw()
		if err != nil {
			return err
		}
		if c.note == nil {
			c.note = new(note)
		}
		raw.Content = bytes.Clone(raw.Content) // the tree outlives the message
		c.note.rare = &rare{move: said.move, raw: raw, attrs: attrs}
	default:
		if s.Kind == yang.List {
			return r.entry(at, n, c, inherited)
		}
		err := r.children(r.down(at, c), c, inherited)
		r.up()
		if err != nil {
			return err
		}
		if s.Kind == yang.Container && !s.Presence && c.Empty() && said.op == Inherit && !r.Edit {
			return r.empty(at, n, c)
		}
	}
	r.put(at, n, c)
	return nil
}

// put adds a child that has been read; a second one of its kind is an error.
func (r *reader) put(at *Loc, n, c *Node) {
	s := c.schema
	var twice bool
	if s.Multiple() {
		twice = !keyless(s) && n.Entry(s, c.text) != nil
	} else {
		twice = n.Get(s) != nil || r.empties[place{n, s}]
	}
	if twice {
		r.fail((&Loc{at, c}).Path(), rpcerr.BadElement(s.Name, "it stands there twice"))
		return
	}
	if other := r.otherCase(n, c); other != nil {
		r.fail((&Loc{at, c}).Path(), rpcerr.BadElement(s.Name, "it stands in another case of a choice than %q", other.Name))
		return
	}
	n.add(r.o, c)
}

// empty notes a container that is nothing, which still may not stand there twice.
func (r *reader) empty(at *Loc, n, c *Node) error {
	k := place{n, c.schema}
	if n.Get(c.schema) != nil || r.empties[k] {
		r.fail((&Loc{at, c}).Path(), rpcerr.BadElement(c.schema.Name, "it stands there twice"))
	}
	if r.empties == nil {
		r.empties = map[place]bool{}
	}
	r.empties[k] = true
	return nil
}

// otherCase returns a sibling that was read before and is of another case of the
// same choice, which an edit may not have [RFC 7950 section 8.3.1]; what it takes
// away does not count. Of other input it is for validation to say.
func (r *reader) otherCase(n, c *Node) *yang.Node {
	gone := func(n *Node) bool { return n.op() == Delete || n.op() == Remove }
	if !r.Edit || gone(c) {
		return nil
	}
	var present func(s *yang.Node) *yang.Node
	present = func(s *yang.Node) *yang.Node {
		if s.Kind != yang.Choice && s.Kind != yang.Case {
			k := n.kid(s)
			if k == nil || k.set == nil && gone(k) {
				return nil
			}
			if k.set == nil || !k.set.each(gone) {
				return s
			}
			return nil
		}
		for _, ch := range s.Children {
			if found := present(ch); found != nil {
				return found
			}
		}
		return nil
	}
	for s := c.schema; s.Parent != nil && (s.Parent.Kind == yang.Case || s.Parent.Kind == yang.Choice); s = s.Parent {
		if s.Parent.Kind != yang.Case {
			continue
		}
		for _, other := range s.Parent.Parent.Children {
			if other == s.Parent {
				continue
			}
			if found := present(other); found != nil {
				return found
			}
		}
	}
	return nil
}

// attributes reads those that an edit may have: the operation, the place among
// entries that the user orders, and that a value is the default.
func (r *reader) attributes(s *yang.Node, t xmltext.Token) (said attributes, _ *rpcerr.Error) {
	given := false
	var order orderAttrs
	for _, a := range t.Attrs {
		switch {
		case r.Edit && a.Local == "operation" && (a.Space == NetconfNamespace || a.Space == ""):
			o, ok := ParseOp(a.Value)
			if given {
				return attributes{}, rpcerr.BadAttribute(s.Name, a.Local, "it stands there twice, with a namespace and without")
			}
			given = true
			if !ok || o == None {
				return attributes{}, rpcerr.BadAttribute(s.Name, a.Local, "the operation "+quoteShort(a.Value)+" is none of merge, replace, create, delete, remove")
			}
			if s.IsKey() {
				return attributes{}, rpcerr.BadAttribute(s.Name, a.Local, "a key has no operation of its own")
			}
			said.op = o
		case r.Edit && a.Space == rpcerr.YANGNamespace && order.take(s, a):
		case !r.state && a.Space == defaultsNamespace && a.Local == "default" && s.HasValue() && !s.IsKey():
			switch strings.TrimSpace(a.Value) {
			case "true", "1":
				said.assumed = true
			case "false", "0":
			default:
				return attributes{}, rpcerr.BadAttribute(s.Name, a.Local, quoteShort(a.Value)+" is no boolean")
			}
		default:
			return attributes{}, rpcerr.UnknownAttribute(s.Name, a.Local)
		}
	}
	if order == (orderAttrs{}) {
		return said, nil
	}
	var err *rpcerr.Error
	said.move, err = order.move(s, r.Schema, r.resolver(r.d.Bindings(), s))
	return said, err
}

// attributes are what those of an element say.
type attributes struct {
	op      Op
	move    *move
	assumed bool // the value is the default [RFC 6243 section 6]
}

// assumed checks a value that is said to be the default. In a whole configuration it
// needs no place; in an edit it stands there to be applied.
func (r *reader) assumed(at *Loc, c *Node) (keep bool) {
	if !slices.Contains(c.schema.Defaults, c.text) {
		r.fail((&Loc{at, c}).Path(), rpcerr.InvalidValue("it is tagged as a default, but %s is not the default", quoteShort(c.text)).
			WithInfo("", "bad-element", c.schema.Name))
		return false
	}
	return r.Edit
}

// leaf reads the value of a leaf or leaf-list entry; ok is false when it was
// refused.
func (r *reader) leaf(at *Loc, c *Node, op Op) (ok bool, _ error) {
	// The declarations in scope are those at the start tag; the decoder lets go
	// of them at the end tag but does not overwrite them before its next call.
	scope := r.d.Bindings()
	text, elements := "", 0
	for {
		t, err := r.d.Next()
		if err != nil {
			return false, err
		}
		if t.Kind == xmltext.Start {
			if elements++; elements == 1 {
				r.fail(at.ChildPath(c.schema), rpcerr.BadElement(t.Local, "<%s> holds an element, but it is a %s", c.schema.Name, c.schema.Kind))
			}
			if err := r.skip(); err != nil {
				return false, err
			}
			continue
		}
		if t.Kind == xmltext.End {
			break
		}
		if elements == 0 {
			text = string(t.Text)
		}
	}
	if elements > 0 {
		r.refuse(at.Node, c)
		return false, nil
	}
	if r.Edit && text == "" && (op == Delete || op == Remove) && c.schema.Kind == yang.Leaf && !c.schema.IsKey() {
		return true, nil
	}
	var prefixes yang.Prefixes
	if c.schema.Type.Qualified() {
		prefixes = r.resolver(scope, c.schema)
	}
	v, verr := c.schema.Type.Canonical(text, r.Schema, prefixes)
	if verr != nil {
		err := rpcerr.InvalidValue("%s", verr.Message)
		if verr.AppTag != "" {
			err = err.WithAppTag(verr.AppTag)
		}
		r.fail(at.ChildPath(c.schema), err.WithInfo("", "bad-element", c.schema.Name))
		r.refuse(at.Node, c)
		return false, nil
	}
	c.text = v
	if r.state && c.note == nil && holdsXPath(c.schema.Type) {
		c.note = &note{rare: &rare{raw: xmltext.Raw{Bindings: slices.Clone(scope)}}}
	}
	return true, nil
}

// child is Child of the schema node, which is mostly asked the same again.
func (r *reader) child(parent *yang.Node, m *yang.Module, local string) *yang.Node {
	k := &r.known[(parent.Order*7+len(parent.Data)*3+len(local)+int(local[0]))%len(r.known)]
	if k.parent != parent || k.module != m || k.local != local {
		*k = known{parent, m, local, parent.Child(m, local)}
	}
	return k.child
}

// known is a child that was looked up in the schema, nil when there is none.
type known struct {
	parent *yang.Node
	module *yang.Module
	local  string
	child  *yang.Node
}

// node is a new node. They are made some at a time, which costs a fraction; few
// enough that one which lives on does not keep many others.
func (r *reader) node(s *yang.Node) *Node {
	if len(r.spare) == 0 {
		r.spare = make([]Node, 16)
	}
	n := &r.spare[0]
	r.spare = r.spare[1:]
	n.schema = s
	return n
}

// down is the place of a child for as long as it is read; up gives it back.
func (r *reader) down(at *Loc, n *Node) *Loc {
	if r.depth == len(r.locs) {
		r.locs = append(r.locs, new(Loc))
	}
	l := r.locs[r.depth]
	r.depth++
	*l = Loc{at, n}
	return l
}

func (r *reader) up() { r.depth-- }

func (r *reader) refuse(parent, c *Node) {
	if !c.schema.IsKey() {
		return
	}
	if r.bad == nil {
		r.bad = map[place]bool{}
	}
	r.bad[place{parent, c.schema}] = true
}

// resolver finds the module of a prefix in a value; without a prefix it is that
// of the default namespace, or else the node's own.
func (r *reader) resolver(scope []xmltext.Binding, s *yang.Node) yang.Prefixes {
	return func(prefix string) *yang.Module {
		for i := len(scope) - 1; i >= 0; i-- {
			if scope[i].Prefix == prefix {
				if m := r.Schema.ByNamespace(scope[i].Space); m != nil || prefix != "" {
					return m
				}
				break
			}
		}
		if prefix == "" {
			return s.Module
		}
		return nil
	}
}

// entry reads a list entry, whose keys may stand anywhere in it.
func (r *reader) entry(at *Loc, n, c *Node, op Op) error {
	err := r.children(r.down(at, c), c, op)
	r.up()
	if err != nil {
		return err
	}
	r.keyed(at, n, c)
	return nil
}

// keyed puts a list entry that was read under its key.
func (r *reader) keyed(at *Loc, n, c *Node) {
	s := c.schema
	if len(s.Keys) == 1 {
		if leaf := c.Get(s.Keys[0]); leaf != nil {
			c.text = leaf.text
			r.put(at, n, c)
			return
		}
	}
	values, whole := make([]string, len(s.Keys)), true
	for i, k := range s.Keys {
		leaf := c.Get(k)
		switch {
		case leaf == nil && r.bad[place{c, k}]: // reported already
			whole = false
		case leaf == nil:
			r.fail((&Loc{at, c}).Path(), rpcerr.MissingElement(k.Name, "the entry of the list %q lacks its key %q", s.Name, k.Name))
			whole = false
		default:
			values[i] = leaf.text
		}
	}
	if !whole {
		return
	}
	c.text = Key(values...)
	r.put(at, n, c)
}

// AsSyntaxError returns the error of the XML itself in err, or nil.
func AsSyntaxError(err error) *xmltext.SyntaxError {
	var s *xmltext.SyntaxError
	if errors.As(err, &s) {
		return s
	}
	return nil
}
