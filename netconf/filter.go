package netconf

import (
	"strings"

	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// Filter returns the elements of the rpc's subtree filter; present is false when
// it has none, which selects everything, while one without elements selects
// nothing [RFC 6241 section 6.4]. An XPath filter is refused, as this server does
// not offer :xpath.
func (r *Request) Filter() (elements []*xmltext.Element, present bool, err error) {
	f := r.Input.Child("filter")
	if f == nil {
		return nil, false, nil
	}
	selects := false
	for _, a := range f.Attrs() {
		switch {
		case a.Space == "" && a.Local == "type" && a.Value == "subtree":
		case a.Space == "" && a.Local == "type" && a.Value == "xpath":
			return nil, true, rpcerr.OperationNotSupported("a filter of the type xpath")
		case a.Space == "" && a.Local == "type":
			return nil, true, rpcerr.BadAttribute("filter", "type", "it is neither subtree nor xpath")
		case a.Space == "" && a.Local == "select":
			selects = true
		default:
			return nil, true, rpcerr.UnknownAttribute("filter", a.Local)
		}
	}
	if selects {
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
