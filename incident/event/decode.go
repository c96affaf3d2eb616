package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// The keys, as bits of the set of those seen.
const (
	keyID = 1 << iota
	keyTime
	keyArrival
	keyKind
	keyNode
	keyResource
	keyType
	keyQualifier
	keySeverity
	keyText
	keyValue
	keyThreshold
	keyTraceID
	keyShelved
)

// Parse reads one event from its JSON form. The keys id, node and alarm-type-id are
// mandatory; kind is alarm and severity indeterminate when absent; unknown keys are
// skipped. An error names the key it is about and wraps one of the package's errors.
// The event does not alias line.
func Parse(line []byte) (Event, error) {
	e := Event{Severity: Indeterminate}
	d := decoder{in: line}
	seen := 0
	if !d.take('{') {
		return Event{}, fmt.Errorf("%w: it begins with no brace", ErrSyntax)
	}
	for more := !d.take('}'); more; {
		key, ok := d.text()
		if !ok || !d.take(':') {
			return Event{}, fmt.Errorf("%w: bad key at byte %d", ErrSyntax, d.at)
		}
		d.space()
		start := d.at
		bit, err := d.member(&e, key)
		if err != nil {
			return Event{}, fmt.Errorf("%q: %w", key, err)
		}
		if seen&bit != 0 {
			return Event{}, fmt.Errorf("%q: %w", key, ErrTwice)
		}
		if start == d.at {
			return Event{}, fmt.Errorf("%q: %w: no value", key, ErrSyntax)
		}
		seen |= bit
		switch {
		case d.take(','):
		case d.take('}'):
			more = false
		default:
			return Event{}, fmt.Errorf("%w: neither comma nor brace after %q", ErrSyntax, key)
		}
	}
	d.space()
	if d.at != len(d.in) {
		return Event{}, fmt.Errorf("%w: more after the object", ErrSyntax)
	}
	for _, m := range [...]struct {
		bit int
		key string
	}{{keyID, "id"}, {keyNode, "node"}, {keyType, "alarm-type-id"}} {
		if seen&m.bit == 0 {
			return Event{}, fmt.Errorf("%q: %w", m.key, ErrMissing)
		}
	}
	return e, nil
}

// member reads the value of a key into e.
func (d *decoder) member(e *Event, key string) (bit int, err error) {
	switch key {
	case "id":
		return keyID, d.nonEmpty(&e.ID, 255)
	case "time":
		return keyTime, d.time(&e.Time)
	case "arrival":
		return keyArrival, d.time(&e.Arrival)
	case "kind":
		s, ok := d.text()
		if e.Kind, ok = parseIf(ok, s, ParseKind); !ok {
			return 0, fmt.Errorf("%w: one of %v is wanted", ErrValue, kindNames)
		}
		return keyKind, nil
	case "node":
		return keyNode, d.nonEmpty(&e.Node, -1)
	case "resource":
		return keyResource, d.string(&e.Resource)
	case "alarm-type-id":
		return keyType, d.nonEmpty(&e.AlarmTypeID, -1)
	case "alarm-type-qualifier":
		return keyQualifier, d.string(&e.AlarmTypeQualifier)
	case "severity":
		s, ok := d.text()
		if e.Severity, ok = parseIf(ok, s, ParseSeverity); !ok {
			return 0, fmt.Errorf("%w: one of %v is wanted", ErrValue, severityNames[1:])
		}
		return keySeverity, nil
	case "text":
		return keyText, d.string(&e.Text)
	case "value":
		return keyValue, d.scalar(&e.Value)
	case "threshold":
		return keyThreshold, d.scalar(&e.Threshold)
	case "trace-id":
		if err := d.string(&e.TraceID); err != nil {
			return 0, err
		}
		if !isTraceID(e.TraceID) {
			return 0, fmt.Errorf("%w: 32 lower-case hexadecimal digits are wanted", ErrValue)
		}
		return keyTraceID, nil
	case "shelved":
		start := d.at
		if !d.skip() {
			return 0, ErrSyntax
		}
		switch v := bytes.TrimSpace(d.in[start:d.at]); string(v) {
		case "true":
			e.Shelved = true
		case "false":
		default:
			return 0, fmt.Errorf("%w: true or false is wanted", ErrValue)
		}
		return keyShelved, nil
	}
	if !d.skip() {
		return 0, ErrSyntax
	}
	return 0, nil
}

func parseIf[T any](ok bool, s string, parse func(string) (T, bool)) (v T, _ bool) {
	if !ok {
		return v, false
	}
	return parse(s)
}

func isTraceID(s string) bool {
	if len(s) != 32 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// decoder walks one flat JSON object.
type decoder struct {
	in []byte
	at int
}

func (d *decoder) space() {
	for d.at < len(d.in) {
		switch d.in[d.at] {
		case ' ', '\t', '\r', '\n':
			d.at++
		default:
			return
		}
	}
}

func (d *decoder) take(c byte) bool {
	d.space()
	if d.at < len(d.in) && d.in[d.at] == c {
		d.at++
		return true
	}
	return false
}

// raw returns the bytes of a string, quotes included.
func (d *decoder) raw() (b []byte, plain, ok bool) {
	d.space()
	if d.at >= len(d.in) || d.in[d.at] != '"' {
		return nil, false, false
	}
	plain = true
	for i := d.at + 1; i < len(d.in); i++ {
		switch c := d.in[i]; {
		case c == '"':
			b = d.in[d.at : i+1]
			d.at = i + 1
			return b, plain, true
		case c == '\\':
			plain = false
			i++
		case c < 0x20:
			return nil, false, false
		}
	}
	return nil, false, false
}

func (d *decoder) text() (string, bool) {
	b, plain, ok := d.raw()
	if !ok || !utf8.Valid(b) {
		return "", false
	}
	if plain {
		return string(b[1 : len(b)-1]), true
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		return "", false
	}
	return s, true
}

func (d *decoder) string(to *string) error {
	s, ok := d.text()
	if !ok {
		return fmt.Errorf("%w: a string is wanted", ErrValue)
	}
	*to = s
	return nil
}

func (d *decoder) nonEmpty(to *string, most int) error {
	if err := d.string(to); err != nil {
		return err
	}
	if *to == "" {
		return fmt.Errorf("%w: it is empty", ErrValue)
	}
	if most > 0 && utf8.RuneCountInString(*to) > most {
		return fmt.Errorf("%w: longer than %d characters", ErrValue, most)
	}
	return nil
}

func (d *decoder) time(to *time.Time) error {
	s, ok := d.text()
	if !ok {
		return fmt.Errorf("%w: a string is wanted", ErrValue)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("%w: a date-and-time of RFC 3339 is wanted", ErrValue)
	}
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return fmt.Errorf("%w: the year is out of range", ErrValue)
	}
	*to = t.UTC()
	return nil
}

// scalar takes a string, or a number with the digits it was written with.
func (d *decoder) scalar(to *string) error {
	if d.at < len(d.in) && d.in[d.at] == '"' {
		return d.string(to)
	}
	start := d.at
	for d.at < len(d.in) && bytes.IndexByte([]byte("+-.0123456789eE"), d.in[d.at]) >= 0 {
		d.at++
	}
	if b := d.in[start:d.at]; len(b) > 0 && json.Valid(b) {
		*to = string(b)
		return nil
	}
	return fmt.Errorf("%w: a number or a string is wanted", ErrValue)
}

// skip passes over any value.
func (d *decoder) skip() bool {
	start, depth := d.at, 0
	for d.at < len(d.in) {
		switch d.in[d.at] {
		case '"':
			if _, _, ok := d.raw(); !ok {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return json.Valid(d.in[start:d.at])
			}
			depth--
		case ',':
			if depth == 0 {
				return json.Valid(d.in[start:d.at])
			}
		}
		d.at++
	}
	return false
}
