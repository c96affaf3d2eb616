package push

import (
	"strings"

	"incidentd/yang/data"
)

// resource is the way to a node as it stands in the URI of a RESTCONF resource, which is
// how a YANG patch names its targets [RFC 8072 section 2.4, RFC 8040 section 3.5.3].
func resource(way []data.Step) string {
	if len(way) == 0 {
		return "/"
	}
	var b strings.Builder
	var in string
	for _, s := range way {
		b.WriteByte('/')
		if m := s.Schema.Module.Name; m != in {
			b.WriteString(m + ":")
			in = m
		}
		b.WriteString(s.Schema.Name)
		if !s.Schema.Multiple() {
			continue
		}
		for i, key := range strings.Split(s.Key, "\x00") {
			b.WriteByte("=,"[min(i, 1)])
			writeEscaped(&b, key)
		}
	}
	return b.String()
}

// writeEscaped writes a key, of which all that is not unreserved is percent-encoded [RFC
// 3986 section 2.3].
func writeEscaped(b *strings.Builder, key string) {
	const hex = "0123456789ABCDEF"
	for i := range len(key) {
		c := key[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
}
