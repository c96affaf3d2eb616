package client

import "sort"

// Filter selects data. The zero Filter selects everything.
type Filter struct {
	// Subtree is the content of a subtree filter [RFC 6241 section 6]: elements
	// with their namespaces.
	Subtree string
	// XPath is an expression instead, for servers with the capability :xpath.
	XPath string
	// Namespaces are those of the prefixes in XPath.
	Namespaces map[string]string
}

// Subtree is a Filter of these elements.
func Subtree(elements string) Filter { return Filter{Subtree: elements} }

// XPath is a Filter with an expression, whose prefixes stand for the namespaces.
func XPath(expr string, namespaces map[string]string) Filter {
	return Filter{XPath: expr, Namespaces: namespaces}
}

func (f Filter) appendNamespaces(b []byte) []byte {
	prefixes := make([]string, 0, len(f.Namespaces))
	for p := range f.Namespaces {
		prefixes = append(prefixes, p)
	}
	sort.Strings(prefixes)
	for _, p := range prefixes {
		b = append(b, " xmlns:"+p+`="`...)
		b = appendText(b, f.Namespaces[p])
		b = append(b, '"')
	}
	return b
}

// appendTo appends the <filter> of get, get-config and create-subscription.
func (f Filter) appendTo(b []byte) []byte {
	switch {
	case f.XPath != "":
		b = append(b, `<filter type="xpath" select="`...)
		b = appendText(b, f.XPath)
		b = append(b, '"')
		b = f.appendNamespaces(b)
		b = append(b, "/>"...)
	case f.Subtree != "":
		b = append(b, `<filter type="subtree">`...)
		b = append(b, f.Subtree...)
		b = append(b, "</filter>"...)
	}
	return b
}

// appendNMDA appends the filter of get-data.
func (f Filter) appendNMDA(b []byte) []byte {
	switch {
	case f.XPath != "":
		b = append(b, "<xpath-filter"...)
		b = f.appendNamespaces(b)
		b = append(b, '>')
		b = appendText(b, f.XPath)
		b = append(b, "</xpath-filter>"...)
	case f.Subtree != "":
		b = append(b, "<subtree-filter>"...)
		b = append(b, f.Subtree...)
		b = append(b, "</subtree-filter>"...)
	}
	return b
}
