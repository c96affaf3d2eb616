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
	e.node(n, space, e.begin())
	return e.buf
}

// AppendChildrenXML appends the children of a node, as within <data>.
func AppendChildrenXML(b []byte, n *Node, space string) []byte {
	e := encoder{buf: b}
	e.children(n, space, e.begin())
	return e.buf
}

// WriteChildrenXML writes the children of a node to w piece by piece, so that a
// large tree needs no memory of its own. It blocks as w does and returns w's
// first error.
func WriteChildrenXML(w io.Writer, n *Node, space string) error {
	e := encoder{w: w, buf: make([]byte, 0, flushSize+4096)}
	e.children(n, space, e.begin())
	e.flush()
	return e.err
}

// flushSize is how much is written at a time.
const flushSize = 32 << 10

type encoder struct {
	w       io.Writer
	buf     []byte
	flushes int
	err     error
	viewer
}

func (e *encoder) flush() {
	if e.w == nil || e.err != nil || len(e.buf) == 0 {
		return
	}
	_, e.err = e.w.Write(e.buf)
	e.buf = e.buf[:0]
	e.flushes++
}

// keys writes the keys of an entry, which come first and in their order [RFC 7950
// section 7.8.5].
func (e *encoder) keys(n *Node, space string, m mark) {
	for _, k := range n.schema.Keys {
		if leaf := n.Get(k); leaf != nil {
			e.node(leaf, space, m.below(leaf))
		}
	}
}

// children writes the children of a node but for its keys.
func (e *encoder) children(n *Node, space string, m mark) {
	defaults := e.defaultsOf(n)
	for _, k := range n.below() {
		for len(defaults) > 0 && defaults[0].schema.Order <= k.schema.Order {
			if defaults[0].schema != k.schema {
				e.assumed(n, defaults[0], space, m)
			}
			defaults = defaults[1:]
		}
		if e.err != nil {
			return
		}
		switch {
		case e.defaults.hides(k), n.isPartial() && e.refuses(k):
		case k.set != nil:
			most := e.sublist(n, k, m)
			m.left = k.set.len() - most
			k.set.each(func(c *Node) bool {
				if most == 0 {
					return false
				}
				most--
				e.node(c, space, m.below(c))
				return e.err == nil
			})
			m.left = 0
		case k.schema.IsKey():
		default:
			e.node(k, space, m.below(k))
		}
	}
	for _, d := range defaults {
		e.assumed(n, d, space, m)
	}
}

func (e *encoder) node(n *Node, space string, m mark) {
	s := n.schema
	if e.chooses && e.hides(n, &m) {
		return
	}
	if s.Kind == yang.AnyData || s.Kind == yang.AnyXML {
		e.any(n, space)
		return
	}
	begin := len(e.buf)
	e.buf = append(append(e.buf, '<'), s.Name...)
	own := s.Module.Namespace
	if own != space {
		e.declare("", own)
	}
	if e.notes {
		m = e.annotate(n, m)
	}
	if s.HasValue() {
		e.value(n)
	} else if !e.interior(n, own, m, begin) {
		return
	}
	e.relieve(s)
}

// relieve writes the buffer out when it is large. What is there may not have to be
// left out again, as an entry may of which there are only the keys so far.
func (e *encoder) relieve(last *yang.Node) {
	if e.w != nil && len(e.buf) > flushSize && !last.IsKey() {
		e.flush()
	}
}

// interior writes what follows the start tag of a node, which begins at a place of
// the buffer. What turns out to be written in vain is taken back; kept is false then.
func (e *encoder) interior(n *Node, space string, m mark, begin int) (kept bool) {
	e.buf = append(e.buf, '>')
	tag := len(e.buf)
	n = n.unpacked()
	e.keys(n, space, m)
	head, flushes := len(e.buf), e.flushes
	e.enter(n)
	e.children(n, space, m)
	e.leave()
	switch {
	case len(e.buf) == head && e.flushes == flushes && e.active && e.vain(n, m):
		e.buf = e.buf[:begin]
		return false
	case len(e.buf) == tag && e.flushes == flushes:
		e.buf = append(e.buf[:tag-1], "/>"...)
	default:
		e.close(n.schema.Name)
	}
	return true
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
// the leaf itself, and XPath expressions those of the place where they stood.
func (e *encoder) value(n *Node) {
	text := n.text
	if n.note != nil {
		e.scope(n)
	}
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

// scope declares the prefixes of an XPath expression.
func (e *encoder) scope(n *Node) {
	in := scope(n.rare().raw.Bindings)
	delete(in, "")
	for _, prefix := range slices.Sorted(maps.Keys(in)) {
		if strings.Contains(n.text, prefix+":") {
			e.declare(prefix, in[prefix])
		}
	}
}

// anyTree writes an anydata whose content has a schema.
func (e *encoder) anyTree(n *Node, space string) {
	own := n.schema.Module.Namespace
	e.buf = append(append(e.buf, '<'), n.schema.Name...)
	if own != space {
		e.declare("", own)
	}
	e.buf = AppendChildrenXML(append(e.buf, '>'), n.rare().tree, own)
	e.close(n.schema.Name)
	e.relieve(n.schema)
}

// any writes an anydata or anyxml with the declarations that its content stood
// in. Where the content's default namespace is not the node's own, the node
// itself is written with a prefix.
func (e *encoder) any(n *Node, space string) {
	if n.rare().tree != nil {
		e.anyTree(n, space)
		return
	}
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
		// Others were in scope of the message, and mean nothing here.
		if in[prefix] == own && strings.HasPrefix(name, prefix+":") || bytes.Contains(raw.Content, []byte(prefix+":")) {
			e.declare(prefix, in[prefix])
		}
	}
	if len(raw.Content) == 0 {
		e.buf = append(e.buf, "/>"...)
	} else {
		e.buf = append(append(e.buf, '>'), raw.Content...)
		e.close(name)
	}
	e.relieve(n.schema)
}
