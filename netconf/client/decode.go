package client

import (
	"regexp"
	"strings"

	"github.com/beevik/etree"

	"incidentd/yang/rpcerr"
)

// decodeError reads an <rpc-error> [RFC 6241 section 4.3]. What a server leaves
// out stays empty.
func decodeError(el *etree.Element) (e *rpcerr.Error, warning bool) {
	e = &rpcerr.Error{}
	for _, c := range el.ChildElements() {
		text := strings.TrimSpace(c.Text())
		switch c.Tag {
		case "error-type":
			e.Type = rpcerr.Type(text)
		case "error-tag":
			e.Tag = rpcerr.Tag(text)
		case "error-severity":
			warning = text == "warning"
		case "error-app-tag":
			e.AppTag = text
		case "error-path":
			e.Path = rpcerr.Path{Expr: text, Prefixes: prefixesOf(c, text)}
		case "error-message":
			e.Message = text
		case "error-info":
			for _, i := range c.ChildElements() {
				space := i.NamespaceURI()
				if space == baseNamespace {
					space = ""
				}
				e.Info = append(e.Info, rpcerr.Info{Space: space, Name: i.Tag, Value: strings.TrimSpace(allText(i))})
			}
		}
	}
	return e, warning
}

// allText is the text of an element and of all in it.
func allText(el *etree.Element) string {
	var b strings.Builder
	for _, t := range el.Child {
		switch t := t.(type) {
		case *etree.CharData:
			b.WriteString(t.Data)
		case *etree.Element:
			b.WriteString(allText(t))
		}
	}
	return b.String()
}

var (
	literal    = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	pathPrefix = regexp.MustCompile(`([\pL_][\pL\pN._-]*):[\pL_*]`)
)

// prefixesOf finds the namespaces of the prefixes in a path, in the order of
// their first use.
func prefixesOf(el *etree.Element, path string) []rpcerr.Prefix {
	var out []rpcerr.Prefix
	seen := make(map[string]bool)
	for _, m := range pathPrefix.FindAllStringSubmatch(literal.ReplaceAllString(path, ""), -1) {
		if prefix := m[1]; !seen[prefix] {
			seen[prefix] = true
			if ns := namespaceOf(el, prefix); ns != "" {
				out = append(out, rpcerr.Prefix{Prefix: prefix, Namespace: ns})
			}
		}
	}
	return out
}

// namespaceOf is what a prefix is bound to at an element.
func namespaceOf(el *etree.Element, prefix string) string {
	for ; el != nil; el = el.Parent() {
		for _, a := range el.Attr {
			if a.Space == "xmlns" && a.Key == prefix {
				return a.Value
			}
		}
	}
	return ""
}
