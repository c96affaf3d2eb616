package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical is JSON in its canonical form [RFC 8785]: without spaces, the members of objects
// in the order of their names, and numbers and strings as ECMAScript writes them. Text that
// is not I-JSON [RFC 7493] is refused: a name that is there twice, a number that is too large
// for a float64. Half a surrogate becomes U+FFFD.
func Canonical(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("canonical JSON: the text is not UTF-8")
	}
	if !json.Valid(text) {
		return nil, errors.New("canonical JSON: the text is not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	c := canonizer{decoder: d}
	if err := c.value(0); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return c.out, nil
}

// maxDepth is how deep values may be nested.
const maxDepth = 1000

type canonizer struct {
	decoder *json.Decoder
	out     []byte
}

func (c *canonizer) value(depth int) error {
	t, err := c.decoder.Token()
	if err != nil {
		return err
	}
	if depth > maxDepth {
		return errors.New("it is nested too deeply")
	}
	switch v := t.(type) {
	case json.Delim:
		if v == '{' {
			return c.object(depth)
		}
		return c.array(depth)
	case json.Number:
		return c.number(v)
	case string:
		c.text(v)
	case bool:
		c.out = fmt.Appendf(c.out, "%t", v)
	default:
		c.out = append(c.out, "null"...)
	}
	return nil
}

func (c *canonizer) array(depth int) error {
	c.out = append(c.out, '[')
	for i := 0; c.decoder.More(); i++ {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		if err := c.value(depth + 1); err != nil {
			return err
		}
	}
	c.out = append(c.out, ']')
	_, err := c.decoder.Token()
	return err
}

// object sorts the members by the UTF-16 code units of their names [RFC 8785 section 3.2.3].
func (c *canonizer) object(depth int) error {
	type member struct {
		name  []uint16
		text  string
		value []byte
	}
	var members []member
	outer := c.out
	for c.decoder.More() {
		t, err := c.decoder.Token()
		if err != nil {
			return err
		}
		name := t.(string)
		c.out = nil
		if err := c.value(depth + 1); err != nil {
			return err
		}
		members = append(members, member{utf16.Encode([]rune(name)), name, c.out})
	}
	if _, err := c.decoder.Token(); err != nil {
		return err
	}
	slices.SortFunc(members, func(a, b member) int { return slices.Compare(a.name, b.name) })
	c.out = append(outer, '{')
	for i, m := range members {
		if i > 0 {
			if members[i-1].text == m.text {
				return fmt.Errorf("the name %q is there twice", m.text)
			}
			c.out = append(c.out, ',')
		}
		c.text(m.text)
		c.out = append(append(c.out, ':'), m.value...)
	}
	c.out = append(c.out, '}')
	return nil
}

// number writes a number as ECMAScript does, which encoding/json does for float64, but for a
// zero that is negative.
func (c *canonizer) number(n json.Number) error {
	f, err := n.Float64()
	if err != nil {
		return fmt.Errorf("the number %s is too large", n)
	}
	if f == 0 {
		c.out = append(c.out, '0')
		return nil
	}
	text, err := json.Marshal(f)
	c.out = append(c.out, text...)
	return err
}

var escapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// text writes a string.
func (c *canonizer) text(s string) {
	c.out = append(c.out, '"')
	for _, r := range s {
		escape, ok := escapes[r]
		switch {
		case ok:
			c.out = append(c.out, escape...)
		case r < 0x20:
			c.out = fmt.Appendf(c.out, `\u%04x`, r)
		default:
			c.out = utf8.AppendRune(c.out, r)
		}
	}
	c.out = append(c.out, '"')
}
