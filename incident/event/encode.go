package event

import (
	"encoding/json"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the JSON form of e without a line end. Keys stand in the fixed
// order of the file form; resource and alarm-type-qualifier are always there; value
// and threshold are numbers where they are written as JSON numbers.
func AppendJSON(b []byte, e *Event) []byte {
	b = append(b, `{"id":`...)
	b = AppendString(b, e.ID)
	if !e.Arrival.IsZero() {
		b = append(b, `,"arrival":`...)
		b = appendTime(b, e.Arrival)
	}
	if !e.Time.IsZero() {
		b = append(b, `,"time":`...)
		b = appendTime(b, e.Time)
	}
	for _, m := range [...]struct{ key, value string }{
		{"kind", e.Kind.String()}, {"node", e.Node}, {"resource", e.Resource}, {"alarm-type-id", e.AlarmTypeID},
		{"alarm-type-qualifier", e.AlarmTypeQualifier}, {"severity", e.Severity.String()}, {"text", e.Text},
	} {
		if m.key == "text" && m.value == "" {
			continue
		}
		b = append(b, ',', '"')
		b = append(b, m.key...)
		b = append(b, '"', ':')
		b = AppendString(b, m.value)
	}
	b = appendScalar(b, `,"value":`, e.Value)
	b = appendScalar(b, `,"threshold":`, e.Threshold)
	if e.TraceID != "" {
		b = append(b, `,"trace-id":`...)
		b = AppendString(b, e.TraceID)
	}
	if e.Shelved {
		b = append(b, `,"shelved":true`...)
	}
	return append(b, '}')
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

func appendScalar(b []byte, key, v string) []byte {
	if v == "" {
		return b
	}
	b = append(b, key...)
	if c := v[0]; (c == '-' || c >= '0' && c <= '9') && json.Valid([]byte(v)) {
		return append(b, v...)
	}
	return AppendString(b, v)
}

// AppendString appends s as a JSON string. Only what JSON demands is escaped, and
// what is not UTF-8 becomes the replacement character.
func AppendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i]...), "\uFFFD"...)
				i++
				from = i
			} else {
				i += n
			}
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
