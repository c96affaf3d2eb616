package data

import (
	"io"
	"strings"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// AppendXML appends a node as XML. space is the default namespace in force where
// it is written; the node declares its own when that is another.
func AppendXML(b []byte, n *Node, space string) []byte {
	e := encoder{buf: b}
	e.node(n, space)
	return e.buf
}

// AppendChildrenXML appends the children of a node, as within <data>.
func AppendChildrenXML(b []byte, n *Node, space string) []byte {
	e := encoder{buf: b}
	e.children(n, space)
	return e.buf
}

// WriteChildrenXML writes the children of a node to w piece by piece, so that a
// large tree needs no memory of its own. It blocks as w does and returns w's
// first error.
func WriteChildrenXML(w io.Writer, n *Node, space string) error {
	e := encoder{w: w, buf: make([]byte, 0, flushSize+4096)}
	e.children(n, space)
	e.flush()
	return e.err
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

func (e *encoder) children(n *Node, space string) {
	if n.schema.Kind == yang.List {
		// Keys come first and in their order [RFC 7950 section 7.8.5].
		for _, k := range n.schema.Keys {
			if leaf := n.Get(k); leaf != nil {
				e.node(leaf, space)
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
				e.node(c, space)
				return e.err == nil
			})
		case k.schema.IsKey():
		default:
			e.node(k, space)
		}
	}
}

func (e *encoder) node(n *Node, space string) {
	s := n.schema
	e.buf = append(append(e.buf, '<'), s.Name...)
	own := s.Module.Namespace
	if own != space {
		e.buf = append(e.buf, ` xmlns="`...)
		e.buf = append(xmltext.AppendAttr(e.buf, own), '"')
	}
	switch s.Kind {
	case yang.Leaf, yang.LeafList:
		e.value(n)
	case yang.AnyData, yang.AnyXML:
		e.any(n)
	default:
		if len(n.kids) == 0 {
			e.buf = append(e.buf, "/>"...)
			return
		}
		e.buf = append(e.buf, '>')
		e.children(n, own)
		e.close(s.Name)
	}
	if e.w != nil && len(e.buf) > flushSize {
		e.flush()
	}
}

func (e *encoder) close(name string) {
	e.buf = append(append(append(e.buf, "</"...), name...), '>')
}

// value writes a leaf. Values that hold module names get prefixes, declared on
// the leaf itself.
func (e *encoder) value(n *Node) {
	text := n.text
	if t := n.schema.Type; t.Qualified() && strings.Contains(text, ":") {
		m := n.schema.Module
		var declared []*yang.Module
		text = t.Requalify(text, func(name string) string {
			mod := m.Sibling(name)
			if mod == nil {
				return name
			}
			for _, d := range declared {
				if d == mod {
					return mod.Prefix
				}
			}
			declared = append(declared, mod)
			e.buf = append(append(append(e.buf, " xmlns:"...), mod.Prefix...), `="`...)
			e.buf = append(xmltext.AppendAttr(e.buf, mod.Namespace), '"')
			return mod.Prefix
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
// in.
func (e *encoder) any(n *Node) {
	raw := n.Raw()
	seen := map[string]bool{"xml": true, "": true}
	for i := len(raw.Bindings) - 1; i >= 0; i-- {
		b := raw.Bindings[i]
		if !seen[b.Prefix] {
			seen[b.Prefix] = true
			e.buf = append(append(append(e.buf, " xmlns:"...), b.Prefix...), `="`...)
			e.buf = append(xmltext.AppendAttr(e.buf, b.Space), '"')
		}
	}
	e.buf = append(e.buf, '>')
	e.buf = append(e.buf, raw.Content...)
	e.close(n.schema.Name)
}
