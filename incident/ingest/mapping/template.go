package mapping

import (
	"fmt"
	"strings"
)

// template is a text with values in it, as typedef template of incidentd-mapping has it.
type template []part

// part is a literal text, or the first of several values that is not empty.
type part struct {
	text string
	refs []ref
}

// ref is a value of a name, the node that it is another name of, or a text.
type ref struct {
	name string
	node bool
	text bool
}

// parseTemplate reads a template.
func parseTemplate(s string) (template, error) {
	var t template
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			t = append(t, part{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case (c == '{' || c == '}') && i+1 < len(s) && s[i+1] == c:
			text.WriteByte(c)
			i++
		case c == '}':
			return nil, fmt.Errorf("%q has a } without its {; }} is a brace", s)
		case c == '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("%q has a { without its }; {{ is a brace", s)
			}
			refs, err := parseRefs(s[i+1 : i+end])
			if err != nil {
				return nil, fmt.Errorf("%q: %w", s, err)
			}
			flush()
			t = append(t, part{refs: refs})
			i += end
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return t, nil
}

func parseRefs(s string) (refs []ref, err error) {
	for alt := range strings.SplitSeq(s, "|") {
		alt = strings.TrimSpace(alt)
		if n := len(alt); n >= 2 && alt[0] == '\'' && alt[n-1] == '\'' {
			refs = append(refs, ref{name: alt[1 : n-1], text: true})
			continue
		}
		name, node := strings.CutPrefix(alt, "node:")
		if name == "" {
			return nil, fmt.Errorf("{%s} names nothing", s)
		}
		refs = append(refs, ref{name: name, node: node})
	}
	return refs, nil
}

// fill puts values into the template.
func (t template) fill(v *values) string {
	if len(t) == 1 {
		return t[0].fill(v)
	}
	var b strings.Builder
	for i := range t {
		b.WriteString(t[i].fill(v))
	}
	return b.String()
}

func (p *part) fill(v *values) string {
	if p.refs == nil {
		return p.text
	}
	for _, r := range p.refs {
		if r.text {
			if r.name != "" {
				return r.name
			}
			continue
		}
		s, _ := v.get(r.name)
		if r.node && s != "" {
			s = v.names.node(s)
		}
		if s != "" {
			return s
		}
	}
	return ""
}

// values are those of a message and of the patterns that fit it.
type values struct {
	msg      *Message
	captures []Field
	names    *names
}

// get returns the value of a name; false when there is none.
func (v *values) get(name string) (string, bool) {
	for i := range v.captures {
		if v.captures[i].Name == name {
			return v.captures[i].Value, true
		}
	}
	return v.msg.value(name)
}
