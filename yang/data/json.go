package data

import (
	"encoding/json"
	"strings"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// AppendJSON appends a node as a member of a JSON object: its name and value
// [RFC 7951]. in is the module of the object around it, nil at the top. For
// entries use AppendChildrenJSON on the parent.
func AppendJSON(b []byte, n *Node, in *yang.Module) []byte {
	b = appendName(b, n.schema, in)
	return appendValue(b, n)
}

// AppendChildrenJSON appends the children of a node as a JSON object. in is the
// module of the object around it, nil at the top.
func AppendChildrenJSON(b []byte, n *Node, in *yang.Module) []byte {
	b = append(b, '{')
	for i, k := range n.below() {
		if i > 0 {
			b = append(b, ',')
		}
		if k.set == nil {
			b = AppendJSON(b, k, in)
			continue
		}
		b = append(appendName(b, k.schema, in), '[')
		first := true
		k.set.each(func(c *Node) bool {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = appendValue(b, c)
			return true
		})
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendName(b []byte, s *yang.Node, in *yang.Module) []byte {
	b = append(b, '"')
	if s.Module != in {
		b = append(append(b, s.Module.Name...), ':')
	}
	return append(append(b, s.Name...), '"', ':')
}

func appendValue(b []byte, n *Node) []byte {
	switch n.schema.Kind {
	case yang.Leaf, yang.LeafList:
		return appendLeafJSON(b, n)
	case yang.AnyData:
		if tree := n.rare().tree; tree != nil {
			return AppendChildrenJSON(b, tree, nil)
		}
		if object, ok := appendElements(b, n); ok {
			return object
		}
		return appendString(b, string(n.Raw().Content))
	case yang.AnyXML:
		return appendString(b, string(n.Raw().Content))
	}
	return AppendChildrenJSON(b, n, n.schema.Module)
}

func appendLeafJSON(b []byte, n *Node) []byte {
	t := n.schema.Type
	if t.Base == yang.Union || t.Base == yang.Leafref {
		t = n.schema.Module.ResolveType(t, n.text)
	}
	switch t.Base {
	case yang.Int8, yang.Int16, yang.Int32, yang.Uint8, yang.Uint16, yang.Uint32, yang.Boolean:
		return append(b, n.text...)
	case yang.Empty:
		return append(b, "[null]"...)
	case yang.IdentityRef:
		// The module's name may be left out when it is the leaf's own, but for
		// a union, of which another member might have such a value.
		if n.schema.Type.Base == yang.Union {
			break
		}
		if name, ok := strings.CutPrefix(n.text, n.schema.Module.Name+":"); ok {
			return appendString(b, name)
		}
	case yang.InstanceIdentifier:
		return appendString(b, briefPath(n.text))
	}
	return appendString(b, n.text)
}

// appendElements appends the content of an anydata as an object [RFC 7951 section
// 5.5]; ok is false when it is not made of elements of known modules alone.
// Without a schema for them, elements that hold text are strings, and those of a
// name that occurs more than once beside each other are an array.
func appendElements(b []byte, n *Node) (_ []byte, ok bool) {
	raw := n.Raw()
	root, err := xmltext.ParseRawElement(raw, xmltext.Limits{})
	if err != nil || len(root.Children) == 0 {
		return nil, false
	}
	return appendObject(b, root, nil, n.schema.Module)
}

// appendObject appends the children of an element. in is the element's module, any
// is one to find others by.
func appendObject(b []byte, e *xmltext.Element, in, any *yang.Module) (_ []byte, ok bool) {
	b = append(b, '{')
	done := map[*xmltext.Element]bool{}
	for _, c := range e.Children {
		if done[c] {
			continue
		}
		m := any.SiblingAt(c.Space)
		if m == nil {
			return nil, false
		}
		if len(done) > 0 {
			b = append(b, ',')
		}
		name := c.Local
		if m != in {
			name = m.Name + ":" + name
		}
		b = append(appendString(b, name), ':')
		var same []*xmltext.Element
		for _, x := range e.Children {
			if x.Space == c.Space && x.Local == c.Local {
				same, done[x] = append(same, x), true
			}
		}
		if len(same) > 1 {
			b = append(b, '[')
		}
		for i, x := range same {
			if i > 0 {
				b = append(b, ',')
			}
			switch {
			case len(x.Attrs) > 0:
				return nil, false
			case len(x.Children) == 0:
				b = appendString(b, x.Text)
			default:
				if b, ok = appendObject(b, x, m, any); !ok {
					return nil, false
				}
			}
		}
		if len(same) > 1 {
			b = append(b, ']')
		}
	}
	return append(b, '}'), true
}

// briefPath leaves out the module of each name that has the module of the node
// above it or, in a predicate, of the node itself [RFC 7951 section 6.11]. Every
// name of a canonical instance-identifier has one.
func briefPath(text string) string {
	var out strings.Builder
	above, predicate := "", false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '[', ']':
			predicate = c == '['
			out.WriteByte(c)
		case '\'', '"':
			end := i + 2 + strings.IndexByte(text[i+1:], c)
			if end <= i+1 {
				return text
			}
			out.WriteString(text[i:end])
			i = end - 1
		default:
			end := i + len(text[i:])
			if j := strings.IndexAny(text[i:], "/[]='\""); j >= 0 {
				end = i + j
			}
			module, name, ok := strings.Cut(text[i:end], ":")
			switch {
			case !ok:
				if end == i {
					end++
				}
				out.WriteString(text[i:end])
			case module == above:
				out.WriteString(name)
			default:
				out.WriteString(text[i:end])
			}
			if ok && !predicate {
				above = module
			}
			i = end - 1
		}
	}
	return out.String()
}

func appendString(b []byte, s string) []byte {
	q, _ := json.Marshal(s) // a string always has a JSON form
	return append(b, q...)
}
