package netconf

import (
	"bytes"
	"strings"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// takesFilter reports whether an rpc has the parameter filter, an anyxml that may
// bear the attributes type and select [RFC 6241 sections 6.1 and 8.9].
func takesFilter(input *yang.Node) bool {
	n := input.ChildNamed("filter")
	return n != nil && n.Kind == yang.AnyXML
}

// takeFilterAttributes notes the attributes of the filter in the operation that
// begins at an offset of the message, and blanks them. It reports whether there
// was any.
func (r *Request) takeFilterAttributes(msg []byte, at int, limits xmltext.Limits) (bool, error) {
	d := xmltext.NewDecoder(msg, limits)
	for d.Offset() <= at {
		if _, err := d.Next(); err != nil {
			return false, err
		}
	}
	var tags [][2]int
	for depth := d.Depth(); d.Depth() >= depth; {
		t, err := d.Next()
		if err != nil {
			return false, err
		}
		if t.Kind != xmltext.Start {
			continue
		}
		if t.Local == "filter" && t.Space == r.RPC.Module.Namespace {
			taken := false
			for _, a := range t.Attrs {
				value := a.Value
				switch {
				case a.Space != "":
				case a.Local == "type":
					r.filterType, taken = &value, true
				case a.Local == "select":
					r.filterSelect, taken = &value, true
				}
			}
			if taken {
				tags = append(tags, [2]int{t.Offset, d.Offset()})
			}
		}
		if _, err := d.ReadRaw(); err != nil {
			return false, err
		}
	}
	for _, tag := range tags {
		blank(msg[tag[0]:tag[1]], "type", "select")
	}
	return len(tags) > 0, nil
}

// blank overwrites attributes without prefix in a start tag that is well formed
// with spaces.
func blank(tag []byte, names ...string) {
	i := bytes.IndexAny(tag, " \t\r\n/>")
	for i >= 0 && i < len(tag) {
		begin := i + len(tag[i:]) - len(bytes.TrimLeft(tag[i:], " \t\r\n"))
		equals := bytes.IndexByte(tag[begin:], '=')
		if equals < 0 {
			return
		}
		name := strings.TrimSpace(string(tag[begin : begin+equals]))
		open := begin + equals + bytes.IndexAny(tag[begin+equals:], `"'`)
		end := open + 1 + bytes.IndexByte(tag[open+1:], tag[open]) + 1
		for _, n := range names {
			if n == name {
				copy(tag[begin:end], bytes.Repeat([]byte{' '}, end-begin))
			}
		}
		i = end
	}
}

// Filter returns the elements of the rpc's subtree filter; present is false when
// it has none, which selects everything, while one without elements selects
// nothing [RFC 6241 section 6.4]. An XPath filter is refused, as this server does
// not offer :xpath.
func (r *Request) Filter() (elements []*xmltext.Element, present bool, err error) {
	f := r.Input.Child("filter")
	if f == nil {
		return nil, false, nil
	}
	if r.filterType != nil {
		switch *r.filterType {
		case "subtree":
		case "xpath":
			return nil, true, rpcerr.OperationNotSupported("a filter of the type xpath")
		default:
			return nil, true, rpcerr.BadAttribute("filter", "type", "it is neither subtree nor xpath")
		}
	}
	if r.filterSelect != nil {
		return nil, true, rpcerr.UnknownAttribute("filter", "select")
	}
	elements, err = Elements(f.Raw())
	return elements, true, err
}

// Elements are the elements that the content of an anyxml or anydata consists of.
// Text between them is a bad-element.
func Elements(raw xmltext.Raw) ([]*xmltext.Element, error) {
	d := raw.Decoder(xmltext.Limits{})
	var list []*xmltext.Element
	for {
		t, err := d.Next()
		if err != nil {
			return nil, rpcerr.BadElement("filter", "%v", err)
		}
		switch t.Kind {
		case xmltext.EOF:
			return list, nil
		case xmltext.Text:
			if s := strings.TrimSpace(string(t.Text)); s != "" {
				return nil, rpcerr.BadElement("filter", "text where elements belong")
			}
		case xmltext.Start:
			e, err := d.ReadElement(t)
			if err != nil {
				return nil, rpcerr.BadElement("filter", "%v", err)
			}
			list = append(list, e)
		}
	}
}
