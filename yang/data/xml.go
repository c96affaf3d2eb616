package data

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// AppendXML appends a node as XML. space is the default namespace in force where
// it is written; the node declares its own when that is another.
func AppendXML(b []byte, n *Node, space string) []byte {
	e := encoder{buf: b}
	e.node(n, space, mark{})
	return e.buf
}

// AppendChildrenXML appends the children of a node, as within <data>.
func AppendChildrenXML(b []byte, n *Node, space string) []byte {
	e := encoder{buf: b}
	e.children(n, space, mark{})
	return e.buf
}

// WriteChildrenXML writes the children of a node to w piece by piece, so that a
// large tree needs no memory of its own. It blocks as w does and returns w's
// first error.
func WriteChildrenXML(w io.Writer, n *Node, space string) error {
	e := encoder{w: w, buf: make([]byte, 0, flushSize+4096)}
	e.children(n, space, mark{})
	e.flush()
	return e.err
}

// WriteOriginsXML is WriteChildrenXML for a tree of the operational datastore, with
// the annotation origin: configuration that stands in the tree intended comes from
// there, all other from the system. A node has it where it differs from its parent's
// [RFC 8342 section 5.3.4].
func WriteOriginsXML(w io.Writer, n *Node, space string, intended *Node) error {
	e := encoder{w: w, buf: make([]byte, 0, flushSize+4096)}
	e.children(n, space, mark{on: true, at: intended})
	e.flush()
	return e.err
}

// mark is where the writing of origins stands: the node of the intended datastore
// beside the one that is written, and the origin that was last told.
type mark struct {
	on   bool
	at   *Node
	from string
}

// The origins that the server tells apart [RFC 8342 section 5.3.4], and the namespace
// of their identities and of the annotation.
const (
	originIntended  = "intended"
	originSystem    = "system"
	originNamespace = "urn:ietf:params:xml:ns:yang:ietf-origin"
)

// below is the mark of a child.
func (m mark) below(c *Node) mark {
	if m.on {
		m.at = m.at.lookup(c)
	}
	return m
}

// origin writes the annotation where it is due.
func (e *encoder) origin(s *yang.Node, m mark) mark {
	from := originSystem
	if m.at != nil {
		from = originIntended
	}
	if !m.on || !s.Config || s.IsKey() || from == m.from {
		return m
	}
	e.declare("or", originNamespace)
	e.buf = append(append(append(e.buf, ` or:origin="or:`...), from...), '"')
	m.from = from
	return m
}

// flushSize is how much is written at a time.
const flushSize = 32 << 10

type encoder struct {
	w   io.Writer
	buf []byte
	err error
}

func (e *encoder) flush() {
	if e.w == nil || e.err != nil || len(e.buf) == 0 {
		return
	}
	_, e.err = e.w.Write(e.buf)
	e.buf = e.buf[:0]
}

func (e *encoder) children(n *Node, space string, m mark) {
	if n.schema.Kind == yang.List {
		// Keys come first and in their order [RFC 7950 section 7.8.5].
		for _, k := range n.schema.Keys {
			if leaf := n.Get(k); leaf != nil {
				e.node(leaf, space, m.below(leaf))
			}
		}
	}
	for _, k := range n.kids {
		if e.err != nil {
			return
		}
		switch {
		case k.set != nil:
			k.set.each(func(c *Node) bool {
				e.node(c, space, m.below(c))
				return e.err == nil
			})
		case k.schema.IsKey():
		default:
			e.node(k, space, m.below(k))
		}
	}
}

func (e *encoder) node(n *Node, space string, m mark) {
	s := n.schema
	if s.Kind == yang.AnyData || s.Kind == yang.AnyXML {
		e.any(n, space)
		return
	}
	e.buf = append(append(e.buf, '<'), s.Name...)
	own := s.Module.Namespace
	if own != space {
		e.declare("", own)
	}
	m = e.origin(s, m)
	switch {
	case s.HasValue():
		e.value(n)
	case len(n.kids) == 0:
		e.buf = append(e.buf, "/>"...)
	default:
		e.buf = append(e.buf, '>')
		e.children(n, own, m)
		e.close(s.Name)
	}
	if e.w != nil && len(e.buf) > flushSize {
		e.flush()
	}
}

// declare writes a namespace declaration.
func (e *encoder) declare(prefix, space string) {
	e.buf = append(e.buf, " xmlns"...)
	if prefix != "" {
		e.buf = append(append(e.buf, ':'), prefix...)
	}
	e.buf = append(e.buf, `="`...)
	e.buf = append(xmltext.AppendAttr(e.buf, space), '"')
}

func (e *encoder) close(name string) {
	e.buf = append(append(append(e.buf, "</"...), name...), '>')
}

// value writes a leaf. Values that hold module names get prefixes, declared on
// the leaf itself.
func (e *encoder) value(n *Node) {
	text := n.text
	if t := n.schema.Type; t.Qualified() && strings.Contains(text, ":") {
		var declared prefixes
		text = n.schema.Module.Requalify(t, text, func(m *yang.Module) string {
			prefix, isNew := declared.of(m)
			if isNew {
				e.declare(prefix, m.Namespace)
			}
			return prefix
		})
	}
	if text == "" {
		e.buf = append(e.buf, "/>"...)
		return
	}
	e.buf = append(e.buf, '>')
	e.buf = xmltext.AppendText(e.buf, text)
	e.close(n.schema.Name)
}

// any writes an anydata or anyxml with the declarations that its content stood
// in. Where the content's default namespace is not the node's own, the node
// itself is written with a prefix.
func (e *encoder) any(n *Node, space string) {
	raw := n.Raw()
	in := scope(raw.Bindings)
	name, own := n.schema.Name, n.schema.Module.Namespace
	outer := in[""]
	if !bytes.Contains(raw.Content, []byte("<")) {
		outer = own
	}
	if outer != own {
		prefix := n.schema.Module.Prefix
		for i := 1; in[prefix] != "" && in[prefix] != own; i++ {
			prefix = numbered(n.schema.Module.Prefix, i)
		}
		in[prefix] = own
		name = prefix + ":" + name
	}
	e.buf = append(append(e.buf, '<'), name...)
	if outer != space {
		e.declare("", outer)
	}
	delete(in, "")
	for _, prefix := range slices.Sorted(maps.Keys(in)) {
		e.declare(prefix, in[prefix])
	}
	if len(raw.Content) == 0 {
		e.buf = append(e.buf, "/>"...)
	} else {
		e.buf = append(append(e.buf, '>'), raw.Content...)
		e.close(name)
	}
	if e.w != nil && len(e.buf) > flushSize {
		e.flush()
	}
}
