package xmltext

import "unicode/utf8"

// AppendText appends character data with what XML reserves escaped. Characters
// that XML 1.0 cannot carry become U+FFFD.
func AppendText(b []byte, s string) []byte { return appendEscaped(b, s, false) }

// AppendAttr appends an attribute value, without its quotes.
func AppendAttr(b []byte, s string) []byte { return appendEscaped(b, s, true) }

// asIs are the bytes that both text and attributes can have.
var asIs = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '&' && c != '<' && c != '>' && c != '"'
	}
	return t
}()

func appendEscaped(b []byte, s string, attribute bool) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if asIs[c] {
			i++
			continue
		}
		var with string
		n := 1
		switch {
		case c == '&':
			with = "&amp;"
		case c == '<':
			with = "&lt;"
		case c == '>':
			with = "&gt;"
		case c == '\r':
			with = "&#13;"
		case attribute && c == '"':
			with = "&quot;"
		case attribute && c == '\n':
			with = "&#10;"
		case attribute && c == '\t':
			with = "&#9;"
		case c == '"', c == '\n', c == '\t':
			i++
			continue
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if n = size; (r != utf8.RuneError || size > 1) && IsChar(r) {
				i += size
				continue
			}
			with = "�"
		}
		b = append(append(b, s[from:i]...), with...)
		i += n
		from = i
	}
	return append(b, s[from:]...)
}

// Escape returns character data with what XML reserves escaped, as AppendText
// does.
func Escape(s string) string { return string(AppendText(nil, s)) }
