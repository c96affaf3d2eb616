package data

import (
	"encoding/json"
	"strings"

	"incidentd/yang"
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
	for i, k := range n.kids {
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
	case yang.AnyData, yang.AnyXML:
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
		// The module's name may be left out when it is the leaf's own.
		if name, ok := strings.CutPrefix(n.text, n.schema.Module.Name+":"); ok {
			return appendString(b, name)
		}
	}
	return appendString(b, n.text)
}

func appendString(b []byte, s string) []byte {
	q, _ := json.Marshal(s) // a string always has a JSON form
	return append(b, q...)
}
