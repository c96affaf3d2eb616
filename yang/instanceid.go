package yang

import "strings"

// canonicalInstanceIdentifier checks the syntax of an instance-identifier and
// rewrites its prefixes to module names, one for each name [RFC 7950 section
// 9.13].
func canonicalInstanceIdentifier(text string, schema *Schema, resolve Prefixes) (string, *ValueError) {
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "/") {
		return "", badValue("an instance-identifier starts with a slash")
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\'' || c == '"':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return "", badValue("a literal of the instance-identifier has no closing quote")
			}
			out.WriteString(s[i : i+end+2])
			i += end + 2
		case isNameStart(c):
			j := i
			for j < len(s) && (isNameStart(s[j]) || s[j] >= '0' && s[j] <= '9' || s[j] == '-' || s[j] == '.' || s[j] == ':') {
				j++
			}
			prefix, name, ok := strings.Cut(s[i:j], ":")
			if !ok {
				prefix, name = "", s[i:j]
			}
			var m *Module
			if resolve != nil {
				m = resolve(prefix)
			}
			if m == nil {
				return "", badValue("the name %q of the instance-identifier is of no known module", s[i:j])
			}
			out.WriteString(m.Name + ":" + name)
			i = j
		case strings.IndexByte("/[]=. \t\r\n0123456789", c) >= 0:
			if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				out.WriteByte(c)
			}
			i++
		default:
			return "", badValue("%q has no place in an instance-identifier", c)
		}
	}
	return out.String(), nil
}

func isNameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
