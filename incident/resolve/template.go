package resolve

import (
	"fmt"
	"slices"
	"strings"

	"incidentd/yang/xmltext"
)

// parameters are the words in braces that stand for values of an incident.
var parameters = []string{"incident-id", "type", "category", "priority", "node", "resource", "cause-name", "service-instance", "run-id"}

// template is a text with parameters.
type template []piece

// piece is a text or, when it has a name, a parameter.
type piece struct{ text, parameter string }

// parseTemplate reads a text in which {name} is a parameter and {{ a brace.
func parseTemplate(s string) (t template, err error) {
	for s != "" {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return append(t, piece{text: s}), nil
		}
		if i > 0 {
			t = append(t, piece{text: s[:i]})
		}
		s = s[i+1:]
		if strings.HasPrefix(s, "{") {
			t, s = append(t, piece{text: "{"}), s[1:]
			continue
		}
		name, rest, ok := strings.Cut(s, "}")
		switch {
		case !ok:
			return nil, fmt.Errorf("a brace is not closed; {{ is one that stands for itself")
		case !slices.Contains(parameters, name):
			return nil, fmt.Errorf("{%s} is no parameter, which are %s; {{ is a brace that stands for itself", name, strings.Join(parameters, ", "))
		}
		t, s = append(t, piece{parameter: name}), rest
	}
	return t, nil
}

// lacking is the first parameter for which there is no value, "" if there is none.
func (t template) lacking(f *facts) string {
	for _, p := range t {
		if p.parameter != "" && p.parameter != "run-id" && f.value(p.parameter) == "" {
			return p.parameter
		}
	}
	return ""
}

// fill puts the values in, each as escape writes it.
func (t template) fill(f *facts, escape func(string) string) string {
	var b strings.Builder
	for _, p := range t {
		if p.parameter != "" {
			b.WriteString(escape(f.value(p.parameter)))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// xml puts the values in as XML text or the value of an attribute.
func (t template) xml(f *facts) string {
	return t.fill(f, func(s string) string { return string(xmltext.AppendAttr(nil, s)) })
}

// argument puts the values in as they are. The error says which of them cannot be part of an
// argument.
func (t template) argument(f *facts) (string, error) {
	const most = 1024
	for i, p := range t {
		v := f.value(p.parameter)
		switch {
		case p.parameter == "":
		case strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r == 0x7f }):
			return "", fmt.Errorf("its %s has control characters, which no argument may have", p.parameter)
		case len(v) > most:
			return "", fmt.Errorf("its %s is longer than the %d bytes that an argument may have of it", p.parameter, most)
		case i == 0 && strings.HasPrefix(v, "-"):
			return "", fmt.Errorf("its %s %q would begin an argument, and with its hyphen an option", p.parameter, v)
		}
	}
	return t.fill(f, func(s string) string { return s }), nil
}
