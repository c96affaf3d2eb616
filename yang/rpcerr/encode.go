package rpcerr

import "strings"

// AppendXML appends the error as an <rpc-error> element, whose default namespace
// is that of the base protocol, which the surrounding element has declared.
func (e *Error) AppendXML(b []byte) []byte {
	b = append(b, "<rpc-error><error-type>"...)
	b = append(b, e.Type...)
	b = append(b, "</error-type><error-tag>"...)
	b = append(b, e.Tag...)
	b = append(b, "</error-tag><error-severity>error</error-severity>"...)
	if e.AppTag != "" {
		b = append(b, "<error-app-tag>"...)
		b = appendText(b, e.AppTag)
		b = append(b, "</error-app-tag>"...)
	}
	if e.Path.Expr != "" {
		b = append(b, "<error-path"...)
		b = declare(b, e.Path.Prefixes)
		b = append(b, '>')
		b = appendText(b, e.Path.Expr)
		b = append(b, "</error-path>"...)
	}
	if e.Message != "" {
		b = append(b, `<error-message xml:lang="en">`...)
		b = appendText(b, e.Message)
		b = append(b, "</error-message>"...)
	}
	if len(e.Info) > 0 {
		b = append(b, "<error-info>"...)
		for _, i := range e.Info {
			b = i.append(b, BaseNamespace)
		}
		b = append(b, "</error-info>"...)
	}
	return append(b, "</rpc-error>"...)
}

// append appends the element where space is the default namespace.
func (i Info) append(b []byte, space string) []byte {
	b = append(b, '<')
	b = append(b, i.Name...)
	if i.Space != "" && i.Space != space {
		b = append(b, ` xmlns="`...)
		b = appendText(b, i.Space)
		b = append(b, '"')
		space = i.Space
	}
	b = declare(b, i.Prefixes)
	b = append(b, '>')
	b = appendText(b, i.Value)
	for _, c := range i.Children {
		b = c.append(b, space)
	}
	b = append(b, "</"...)
	b = append(b, i.Name...)
	return append(b, '>')
}

func declare(b []byte, prefixes []Prefix) []byte {
	for _, p := range prefixes {
		b = append(b, " xmlns:"...)
		b = append(b, p.Prefix...)
		b = append(b, `="`...)
		b = appendText(b, p.Namespace)
		b = append(b, '"')
	}
	return b
}

// escaper leaves out what XML 1.0 cannot carry at all.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;")

func appendText(b []byte, s string) []byte {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '�'
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	return append(b, escaper.Replace(s)...)
}
