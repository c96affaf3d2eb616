package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// document is a configuration that somebody has written, in XML or JSON.
type document struct {
	name string
	text []byte
	json bool
}

func newDocument(name string, text []byte) *document {
	trimmed := bytes.TrimLeft(text, " \t\r\n\ufeff")
	return &document{name: name, text: text, json: len(trimmed) > 0 && trimmed[0] == '{'}
}

// spot is an element or member of a document.
type spot struct {
	name, text string
	offset     int
	children   []*spot
}

// spots reads where each element or member is, as far as the text can be read. They hang
// below one without a name.
func (d *document) spots() *spot {
	top := &spot{}
	if d.json {
		dec := json.NewDecoder(bytes.NewReader(d.text))
		dec.UseNumber()
		if t, err := dec.Token(); err == nil && t == json.Delim('{') {
			d.members(dec, top)
		}
		return top
	}
	dec := xmltext.NewDecoder(d.text, xmltext.Limits{})
	open := []*spot{top}
	for {
		t, err := dec.Next()
		if err != nil || t.Kind == xmltext.EOF {
			break
		}
		in := open[len(open)-1]
		switch t.Kind {
		case xmltext.Start:
			s := &spot{name: t.Local, offset: t.Offset}
			in.children = append(in.children, s)
			open = append(open, s)
		case xmltext.Text:
			in.text += string(t.Text)
		case xmltext.End:
			open = open[:len(open)-1]
		}
	}
	if len(top.children) == 1 && (top.children[0].name == "config" || top.children[0].name == "data") {
		return top.children[0]
	}
	return top
}

// members reads those of an object, to its end.
func (d *document) members(dec *json.Decoder, in *spot) {
	for dec.More() {
		at := d.next(dec)
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return
		}
		if !d.value(dec, in, name[strings.IndexByte(name, ':')+1:], at) {
			return
		}
	}
	_, _ = dec.Token() // the end, or what the parser will complain of
}

// next is where the next token begins.
func (d *document) next(dec *json.Decoder) int {
	at := int(dec.InputOffset())
	for at < len(d.text) && strings.IndexByte(" \t\r\n,:", d.text[at]) >= 0 {
		at++
	}
	return at
}

// value reads that of a member: each element of an array is a spot of its own. It is
// false when the text cannot be read on.
func (d *document) value(dec *json.Decoder, in *spot, name string, at int) bool {
	t, err := dec.Token()
	if err != nil {
		return false
	}
	s := &spot{name: name, offset: at}
	switch t {
	case json.Delim('{'):
		in.children = append(in.children, s)
		d.members(dec, s)
	case json.Delim('['):
		for dec.More() {
			if !d.value(dec, in, name, d.next(dec)) {
				return false
			}
		}
		_, _ = dec.Token() // as in members
	default:
		s.text = fmt.Sprint(t)
		in.children = append(in.children, s)
	}
	return true
}

// line is the number of the line that an offset is in.
func (d *document) line(offset int) int {
	return 1 + bytes.Count(d.text[:min(offset, len(d.text))], []byte("\n"))
}

// find follows an error's path, and returns the last spot that is there.
func (s *spot) find(path string) *spot {
	at := s
	for _, step := range steps(path) {
		var next *spot
		for _, c := range at.children {
			if c.name == step.name && c.has(step.keys) {
				next = c
				break
			}
		}
		if next == nil {
			break
		}
		at = next
	}
	return at
}

// has reports whether the keys of an entry, or its own value, are those.
func (s *spot) has(keys map[string]string) bool {
	for name, value := range keys {
		found := name == "." && strings.TrimSpace(s.text) == value
		for _, c := range s.children {
			text := strings.TrimSpace(c.text)
			found = found || c.name == name && (text == value || local(text) == local(value))
		}
		if !found {
			return false
		}
	}
	return true
}

// step is one of an error's path.
type step struct {
	name string
	keys map[string]string
}

// steps takes an instance-identifier apart; prefixes are left out.
func steps(path string) (list []step) {
	var s step
	flush := func(name string) {
		if name = local(strings.TrimSpace(name)); name != "" {
			list = append(list, step{name, s.keys})
		}
		s = step{}
	}
	name := ""
	for path != "" {
		switch path[0] {
		case '/':
			flush(name)
			name, path = "", path[1:]
		case '[':
			end := datapath.Closing(path)
			if end < 0 {
				end = len(path)
			}
			key, value, _ := strings.Cut(path[1:end], "=")
			if s.keys == nil {
				s.keys = map[string]string{}
			}
			s.keys[local(strings.TrimSpace(key))] = strings.Trim(strings.TrimSpace(value), `'"`)
			path = path[min(end+1, len(path)):]
		default:
			name, path = name+path[:1], path[1:]
		}
	}
	flush(name)
	return list
}

// located is an error about a document, its text with the lines.
type located struct {
	text string
	err  error
}

func (l *located) Error() string { return l.text }
func (l *located) Unwrap() error { return l.err }

// locate says for each error in which line of the document it is.
func (d *document) locate(err error) error {
	if err == nil {
		return nil
	}
	var syntax *xmltext.SyntaxError
	var inJSON *data.JSONError
	switch {
	case errors.As(err, &syntax):
		return &located{fmt.Sprintf("%s:%d: %s", d.name, d.line(syntax.Offset), syntax.Reason), err}
	case errors.As(err, &inJSON):
		return &located{fmt.Sprintf("%s:%d: %s", d.name, d.line(inJSON.Offset), inJSON.Reason), err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &located{fmt.Sprintf("%s:%d: the text ends too early", d.name, d.line(len(d.text))), err}
	}
	list, known := rpcerr.List(err)
	if !known {
		return err
	}
	top := d.spots()
	lines := make([]string, len(list))
	for i, e := range list {
		if e.Path.Expr == "" {
			lines[i] = e.Error()
			continue
		}
		at := top.find(e.Path.Expr)
		for _, info := range e.Info {
			for _, c := range at.children {
				if (info.Name == "bad-element") && c.name == local(info.Value) {
					at = c
				}
			}
		}
		if lines[i] = e.Error(); at.name != "" {
			lines[i] = fmt.Sprintf("%s:%d: %s", d.name, d.line(at.offset), e)
		}
	}
	return &located{strings.Join(lines, "\n"), err}
}
