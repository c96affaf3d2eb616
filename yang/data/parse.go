package data

import (
	"errors"
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
// closes them, or to the end of a Raw. Errors of the data are all collected, as
// rpcerr.Errors with paths; an error of the XML itself ends the reading and is a
// *xmltext.SyntaxError.
func (p *Parser) Parse(d *xmltext.Decoder, schema *yang.Node) (*Node, error) {
	r := &reader{Parser: p, d: d, o: new(owner)}
	n := New(schema)
	if err := r.children(&Loc{nil, n}, n, Inherit); err != nil {
		return nil, err
	}
	return n, r.errs.Err()
}

// ParseRaw reads the content of an anyxml.
func (p *Parser) ParseRaw(raw xmltext.Raw, schema *yang.Node) (*Node, error) {
	return p.Parse(raw.Decoder(p.Limits), schema)
}

// ParseDocument reads a whole document whose root element is a top-level data
// node, as in a file; or several of them within <config> or <data>.
func (p *Parser) ParseDocument(in []byte) (*Node, error) {
	d := xmltext.NewDecoder(in, p.Limits)
	t, err := d.Next()
	if err != nil {
		return nil, err
	}
	if t.Local == "config" || t.Local == "data" {
		n, err := p.Parse(d, p.Schema.Root)
		if err != nil {
			return nil, err
		}
		_, err = d.Next()
		return n, err
	}
	r := &reader{Parser: p, d: d, o: new(owner)}
	n := New(p.Schema.Root)
	if err := r.element(&Loc{nil, n}, n, t, Inherit); err != nil {
		return nil, err
	}
	if _, err := d.Next(); err != nil {
		return nil, err
	}
	return n, r.errs.Err()
}

type reader struct {
	*Parser
	d    *xmltext.Decoder
	o    *owner
	errs rpcerr.Errors
}

func (r *reader) fail(path rpcerr.Path, err *rpcerr.Error) {
	if len(r.errs) < maxErrors {
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
	m := r.Schema.ByNamespace(t.Space)
	if m == nil {
		r.fail(at.Path(), rpcerr.UnknownNamespace(t.Local, t.Space))
		return r.skip()
	}
	s := n.schema.Child(m, t.Local)
	if s == nil {
		what := "no node"
		if n.schema.Kind == yang.Root {
			what = "no top-level data node"
		}
		r.fail(at.Path(), rpcerr.UnknownElement(t.Local, "the module %s has %s %q here", m.Name, what, t.Local))
		return r.skip()
	}
	c := &Node{schema: s}
	here := at.Down(c)
	if !s.Config && !r.State && n.schema.Kind != yang.Input {
		r.fail(at.ChildPath(s), rpcerr.UnknownElement(t.Local, "%q is state, which cannot be configured", t.Local))
		return r.skip()
	}
	op, err := r.operation(at, s, t)
	if err != nil {
		r.fail(at.ChildPath(s), err)
	}
	if op != Inherit {
		c.note = &note{op: op}
		inherited = op
	}
	switch s.Kind {
	case yang.Leaf, yang.LeafList:
		if err := r.leaf(at, c, inherited); err != nil {
			return err
		}
	case yang.AnyData, yang.AnyXML:
		raw, err := r.d.ReadRaw()
		if err != nil {
			return err
		}
		if c.note == nil {
			c.note = new(note)
		}
		c.note.raw = raw
	default:
		if s.Kind == yang.List {
			return r.entry(at, n, c, inherited)
		}
		if err := r.children(here, c, inherited); err != nil {
			return err
		}
		if s.Kind == yang.Container && !s.Presence && len(c.kids) == 0 && op == Inherit && !r.Edit {
			return nil
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
		keyed := len(s.Keys) > 0 || s.Kind == yang.LeafList && (s.Config || n.schema.Kind == yang.Input)
		twice = keyed && n.Entry(s, c.text) != nil
	} else {
		twice = n.Get(s) != nil
	}
	if twice {
		r.fail((&Loc{at, c}).Path(), rpcerr.BadElement(s.Name, "it stands there twice"))
		return
	}
	n.add(r.o, c)
}

func (r *reader) operation(at *Loc, s *yang.Node, t xmltext.Token) (Op, *rpcerr.Error) {
	op := Inherit
	for _, a := range t.Attrs {
		switch {
		case r.Edit && a.Local == "operation" && (a.Space == NetconfNamespace || a.Space == ""):
			o, ok := ParseOp(a.Value)
			if !ok || o == None {
				return Inherit, rpcerr.BadAttribute(s.Name, a.Local, "the operation "+quoteShort(a.Value)+" is none of merge, replace, create, delete, remove")
			}
			if s.IsKey() {
				return Inherit, rpcerr.BadAttribute(s.Name, a.Local, "a key has no operation of its own")
			}
			op = o
		case r.Edit && a.Space == rpcerr.YANGNamespace && (a.Local == "insert" || a.Local == "key" || a.Local == "value"):
			return Inherit, rpcerr.OperationNotSupported("the attribute " + a.Local)
		default:
			return Inherit, rpcerr.UnknownAttribute(s.Name, a.Local)
		}
	}
	return op, nil
}

func (r *reader) leaf(at *Loc, c *Node, op Op) error {
	// The declarations in scope are those at the start tag; the decoder lets go
	// of them at the end tag but does not overwrite them before its next call.
	scope := r.d.Bindings()
	text := ""
	for {
		t, err := r.d.Next()
		if err != nil {
			return err
		}
		if t.Kind == xmltext.Start {
			r.fail(at.ChildPath(c.schema), rpcerr.BadElement(t.Local, "<%s> holds an element, but it is a %s", c.schema.Name, c.schema.Kind))
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		if t.Kind == xmltext.End {
			break
		}
		text += string(t.Text)
	}
	if r.Edit && text == "" && (op == Delete || op == Remove) && c.schema.Kind == yang.Leaf {
		return nil
	}
	v, verr := c.schema.Type.Canonical(text, r.Schema, r.resolver(scope, c.schema))
	if verr != nil {
		err := rpcerr.InvalidValue("%s", verr.Message)
		if verr.AppTag != "" {
			err = err.WithAppTag(verr.AppTag)
		}
		r.fail(at.ChildPath(c.schema), err.WithInfo("", "bad-element", c.schema.Name))
		return nil
	}
	c.text = v
	return nil
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
	s := c.schema
	before := len(r.errs)
	if err := r.children(&Loc{at, c}, c, op); err != nil {
		return err
	}
	values := make([]string, len(s.Keys))
	for i, k := range s.Keys {
		leaf := c.Get(k)
		if leaf == nil {
			if len(r.errs) == before { // a key that was refused is reported already
				r.fail(at.ChildPath(s), rpcerr.MissingElement(k.Name, "the entry of the list %q lacks its key %q", s.Name, k.Name))
			}
			return nil
		}
		values[i] = leaf.text
	}
	c.text = Key(values...)
	r.put(at, n, c)
	return nil
}

// AsSyntaxError returns the error of the XML itself in err, or nil.
func AsSyntaxError(err error) *xmltext.SyntaxError {
	var s *xmltext.SyntaxError
	if errors.As(err, &s) {
		return s
	}
	return nil
}
