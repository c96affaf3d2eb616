package netconf

import (
	"errors"
	"fmt"
	"strings"

	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
	"incidentd/yang/xpath"
)

// Filter returns the filter of an rpc: the parameter filter, as a subtree or as XPath
// [RFC 6241 sections 6 and 8.9.5.1], or one of those of get-data [RFC 8526 section
// 3.1.1]. It is nil without one, which selects everything, while a subtree filter
// without elements selects nothing.
func (r *Request) Filter() (*data.Filter, error) {
	if f := r.Input.Child("subtree-filter"); f != nil {
		return r.subtree(f)
	}
	if f := r.Input.Child("xpath-filter"); f != nil {
		filter, why := r.xpath(f, f.Value())
		if why != "" {
			at := (&data.Loc{Parent: &data.Loc{Node: r.Input}, Node: f}).Path()
			return nil, rpcerr.InvalidValue("%s", why).At(at).WithInfo("", "bad-element", f.Name())
		}
		return filter, nil
	}
	f := r.Input.Child("filter")
	if f == nil {
		return nil, nil
	}
	kind, expr := "subtree", (*string)(nil)
	for _, a := range f.Attrs() {
		switch {
		case a.Space == "" && a.Local == "type" && (a.Value == "subtree" || a.Value == "xpath"):
			kind = a.Value
		case a.Space == "" && a.Local == "type":
			return nil, rpcerr.BadAttribute("filter", "type", "it is neither subtree nor xpath")
		case a.Space == "" && a.Local == "select":
			expr = &a.Value
		default:
			return nil, rpcerr.UnknownAttribute("filter", a.Local)
		}
	}
	switch {
	case kind == "subtree" && expr != nil:
		return nil, rpcerr.UnknownAttribute("filter", "select")
	case kind == "subtree":
		return r.subtree(f)
	case expr == nil:
		return nil, rpcerr.MissingAttribute("filter", "select")
	case len(strings.TrimSpace(string(f.Raw().Content))) > 0:
		return nil, rpcerr.BadElement("filter", "a filter of the type xpath has no content")
	}
	filter, why := r.xpath(f, *expr)
	if why != "" {
		return nil, rpcerr.BadAttribute("filter", "select", why)
	}
	return filter, nil
}

func (r *Request) subtree(f *data.Node) (*data.Filter, error) {
	elements, err := elements(f.Raw())
	if err != nil {
		return nil, err
	}
	schema := r.Session.server.schema
	return data.NewFilter(schema, schema.Root, elements), nil
}

// xpath compiles the expression that stands at a node of the input; why says what is
// wrong with it.
func (r *Request) xpath(at *data.Node, text string) (_ *data.Filter, why string) {
	f, err := data.NewXPathFilter(r.Session.server.schema, text, at.Scope())
	var syntax *xpath.SyntaxError
	switch {
	case err == nil:
		return f, ""
	case errors.As(err, &syntax):
		return nil, fmt.Sprintf("%s at position %d of the expression", syntax.Reason, syntax.Offset+1)
	}
	return nil, "the expression does not yield a node-set"
}

// maxFilter is how many elements a subtree filter may have.
const maxFilter = 100_000

// elements are the elements that the content of an anyxml or anydata consists of.
// Text between them is a bad-element.
func elements(raw xmltext.Raw) ([]*xmltext.Element, error) {
	root, err := xmltext.ParseRawElement(raw, xmltext.Limits{Elements: maxFilter})
	if errors.Is(err, xmltext.ErrManyElements) {
		return nil, rpcerr.TooBig("the filter has more than %d elements", maxFilter)
	}
	if err != nil {
		return nil, rpcerr.BadElement("filter", "%v", err)
	}
	return root.Children, nil
}
