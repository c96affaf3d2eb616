package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// JSONError says what is wrong with a text as JSON, and at which byte.
type JSONError struct {
	Offset int
	Reason string
}

func (e *JSONError) Error() string { return fmt.Sprintf("JSON at byte %d: %s", e.Offset, e.Reason) }

// ParseJSON reads an object whose members are the children of a node of the schema
// [RFC 7951]. Errors of the data are those of Parse; an error of the JSON itself is
// a *JSONError. Metadata of known annotations is read and not kept [RFC 7952].
//
// The content of an anyxml, and of an anydata that is no object, is kept as a text;
// that of an anydata that is one becomes elements.
func (p *Parser) ParseJSON(in []byte, schema *yang.Node) (*Node, error) {
	if !utf8.Valid(in) {
		return nil, &JSONError{0, "it is not UTF-8"}
	}
	depth := p.Limits.Depth
	if depth == 0 {
		depth = 256
	}
	r := &jsonReader{reader: p.reader(nil, schema), j: json.NewDecoder(bytes.NewReader(in)), depth: depth}
	r.j.UseNumber()
	n := New(schema)
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, r.fault("an object belongs at the top")
	}
	if err := r.object(&Loc{nil, n}, n, schema.Module); err != nil {
		return nil, err
	}
	if _, err := r.j.Token(); !errors.Is(err, io.EOF) {
		return nil, r.fault("something follows the object")
	}
	return r.result(n)
}

// jsonReader is a reader of JSON; what it has of XML is not used.
type jsonReader struct {
	*reader
	j     *json.Decoder
	depth int // how much deeper objects and arrays may nest
}

func (r *jsonReader) fault(reason string) error {
	return &JSONError{int(r.j.InputOffset()), reason}
}

func (r *jsonReader) token() (json.Token, error) {
	t, err := r.j.Token()
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, r.fault("it ends early")
		}
		return nil, r.fault(strings.TrimPrefix(err.Error(), "json: "))
	}
	switch t {
	case json.Delim('{'), json.Delim('['):
		if r.depth--; r.depth < 0 {
			return nil, r.fault("objects and arrays nest too deep")
		}
	case json.Delim('}'), json.Delim(']'):
		r.depth++
	}
	return t, nil
}

// skip reads the rest of the value that t began.
func (r *jsonReader) skip(t json.Token) error {
	level := 0
	for {
		switch t {
		case json.Delim('{'), json.Delim('['):
			level++
		case json.Delim('}'), json.Delim(']'):
			level--
		}
		if level == 0 {
			return nil
		}
		var err error
		if t, err = r.token(); err != nil {
			return err
		}
	}
}

// skipNext skips the next value.
func (r *jsonReader) skipNext() error {
	t, err := r.token()
	if err != nil {
		return err
	}
	return r.skip(t)
}

// object reads the members of the object that was begun. in is the module whose
// names need not be qualified, nil at the top.
func (r *jsonReader) object(at *Loc, n *Node, in *yang.Module) error {
	for {
		t, err := r.token()
		if err != nil {
			return err
		}
		if t == json.Delim('}') {
			return nil
		}
		if err := r.member(at, n, in, t.(string)); err != nil { // a key is a string
			return err
		}
	}
}

func (r *jsonReader) member(at *Loc, n *Node, in *yang.Module, name string) error {
	if meta, ok := strings.CutPrefix(name, "@"); ok {
		return r.metadata(at, n, in, meta)
	}
	m, local := in, name
	if module, rest, ok := strings.Cut(name, ":"); ok {
		if m, local = r.Schema.Module(module), rest; m == nil {
			if !r.full() {
				r.fail(at.Path(), rpcerr.UnknownNamespace(printable(local), printable(module)))
			}
			return r.skipNext()
		}
	}
	if m == nil {
		if !r.full() {
			r.fail(at.Path(), rpcerr.UnknownElement(printable(name), "the name %q has no module, as it must have here", name))
		}
		return r.skipNext()
	}
	s := n.schema.Child(m, local)
	if s == nil {
		if !r.full() {
			what := "no node"
			if n.schema.Kind == yang.Root {
				what = "no top-level data node"
			}
			r.fail(at.Path(), rpcerr.UnknownElement(printable(local), "the module %s has %s %q here", m.Name, what, local))
		}
		return r.skipNext()
	}
	if !s.Config && !r.state {
		r.fail(at.ChildPath(s), rpcerr.UnknownElement(local, "%q is state, which cannot be configured", local))
		return r.skipNext()
	}
	return r.values(at, n, s)
}

// printable is a name from outside as an error may hold it.
func printable(s string) string { return strings.Trim(quoteShort(s), `"`) }

// values reads what a member has: one value, or the entries of a list.
func (r *jsonReader) values(at *Loc, n *Node, s *yang.Node) error {
	if s.Kind == yang.AnyData || s.Kind == yang.AnyXML {
		return r.any(at, n, s)
	}
	t, err := r.token()
	if err != nil {
		return err
	}
	if !s.Multiple() {
		return r.value(at, n, s, t)
	}
	if t != json.Delim('[') {
		r.fail(at.ChildPath(s), rpcerr.InvalidValue("a %s is an array", s.Kind).WithInfo("", "bad-element", s.Name))
		return r.skip(t)
	}
	for {
		if t, err = r.token(); err != nil || t == json.Delim(']') {
			return err
		}
		if err := r.value(at, n, s, t); err != nil {
			return err
		}
	}
}

func (r *jsonReader) value(at *Loc, n *Node, s *yang.Node, t json.Token) error {
	c := &Node{schema: s}
	if s.HasValue() {
		if ok, err := r.leaf(at, c, t); err != nil || !ok {
			return err
		}
		r.put(at, n, c)
		return nil
	}
	if t != json.Delim('{') {
		r.fail(at.ChildPath(s), rpcerr.InvalidValue("a %s is an object", s.Kind).WithInfo("", "bad-element", s.Name))
		return r.skip(t)
	}
	if err := r.object(at.Down(c), c, s.Module); err != nil {
		return err
	}
	switch {
	case s.Kind == yang.List:
		r.keyed(at, n, c)
	case s.Kind == yang.Container && !s.Presence && c.Empty():
		return r.empty(at, n, c)
	default:
		r.put(at, n, c)
	}
	return nil
}

func (r *jsonReader) leaf(at *Loc, c *Node, t json.Token) (ok bool, _ error) {
	var text string
	var form jsonForm
	switch v := t.(type) {
	case string:
		text, form = v, jsonString
	case json.Number:
		text, form = v.String(), jsonNumber
	case bool:
		text, form = fmt.Sprint(v), jsonBool
	case json.Delim:
		if v == '[' && c.schema.Type != nil {
			null, err := r.null()
			if err != nil {
				return false, err
			}
			if null {
				form = jsonEmpty
				break
			}
			r.refused(at, c, "a leaf has no such value")
			return false, nil
		}
		if err := r.skip(t); err != nil {
			return false, err
		}
		r.refused(at, c, "a leaf is no object")
		return false, nil
	default:
		r.refused(at, c, "null is no value")
		return false, nil
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !xmltext.IsChar(r) }); i >= 0 {
		r.refused(at, c, "it holds a character that is not allowed")
		return false, nil
	}
	v, err := r.canonical(c.schema, c.schema.Type, text, form)
	if err != nil {
		e := rpcerr.InvalidValue("%s", err.Message)
		if err.AppTag != "" {
			e = e.WithAppTag(err.AppTag)
		}
		r.fail(at.ChildPath(c.schema), e.WithInfo("", "bad-element", c.schema.Name))
		r.refuse(at.Node, c)
		return false, nil
	}
	c.text = v
	return true, nil
}

func (r *jsonReader) refused(at *Loc, c *Node, why string) {
	r.fail(at.ChildPath(c.schema), rpcerr.InvalidValue("%s", why).WithInfo("", "bad-element", c.schema.Name))
	r.refuse(at.Node, c)
}

// null reads the rest of an array and tells whether it is [null], the value of the
// type empty.
func (r *jsonReader) null() (bool, error) {
	t, err := r.token()
	if err != nil {
		return false, err
	}
	if t == nil {
		if t, err = r.token(); err != nil {
			return false, err
		}
		if t == json.Delim(']') {
			return true, nil
		}
	}
	for t != json.Delim(']') {
		if err := r.skip(t); err != nil {
			return false, err
		}
		if t, err = r.token(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// jsonForm is how JSON writes a value.
type jsonForm uint8

const (
	jsonString jsonForm = iota
	jsonNumber
	jsonBool
	jsonEmpty
)

var jsonForms = [...]string{"a string", "a number", "true or false", "[null]"}

// formOf is how values of a type are written [RFC 7951 section 6].
func formOf(t *yang.Type) jsonForm {
	switch t.Base {
	case yang.Int8, yang.Int16, yang.Int32, yang.Uint8, yang.Uint16, yang.Uint32:
		return jsonNumber
	case yang.Boolean:
		return jsonBool
	case yang.Empty:
		return jsonEmpty
	}
	return jsonString
}

// canonical is Type.Canonical where the JSON form tells types apart as well.
func (r *jsonReader) canonical(s *yang.Node, t *yang.Type, text string, form jsonForm) (string, *yang.ValueError) {
	switch t.Base {
	case yang.Leafref:
		return r.canonical(s, t.Path.Target.Type, text, form)
	case yang.Union:
		var first *yang.ValueError
		for _, m := range t.Members {
			v, err := r.canonical(s, m, text, form)
			if err == nil {
				return v, nil
			}
			if first == nil {
				first = err
			}
		}
		return "", &yang.ValueError{Message: fmt.Sprintf("%s fits no member of the union (%s)", quoteShort(text), first.Message)}
	}
	if want := formOf(t); want != form {
		return "", &yang.ValueError{Message: fmt.Sprintf("it is %s, where %s belongs", jsonForms[form], jsonForms[want])}
	}
	if t.Base == yang.InstanceIdentifier {
		text = wholePath(text)
	}
	return t.Canonical(text, r.Schema, func(module string) *yang.Module {
		if module == "" {
			return s.Module
		}
		return r.Schema.Module(module)
	})
}

// wholePath gives each name of an instance-identifier its module, as briefPath
// left it out.
func wholePath(text string) string {
	var out strings.Builder
	above, predicate := "", false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '[' || c == ']':
			predicate = c == '['
			out.WriteByte(c)
		case c == '\'' || c == '"':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				return text
			}
			out.WriteString(text[i : i+end+2])
			i += end + 1
		case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			end := len(text)
			if j := strings.IndexAny(text[i:], "/[]= \t\r\n'\""); j >= 0 {
				end = i + j
			}
			module, _, ok := strings.Cut(text[i:end], ":")
			switch {
			case ok && !predicate:
				above = module
			case !ok && above != "" && text[i-1] != '$': // which begins a variable
				out.WriteString(above + ":")
			}
			out.WriteString(text[i:end])
			i = end - 1
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// any reads an anydata or anyxml.
func (r *jsonReader) any(at *Loc, n *Node, s *yang.Node) error {
	var raw json.RawMessage
	start := r.j.InputOffset()
	if err := r.j.Decode(&raw); err != nil {
		return &JSONError{int(start), strings.TrimPrefix(err.Error(), "json: ")}
	}
	c := &Node{schema: s}
	content, ok := r.content(raw, s.Kind == yang.AnyData)
	if !ok {
		r.refused(at, c, "it holds a character or a name that is not allowed")
		return nil
	}
	c.note = &note{rare: &rare{raw: xmltext.Raw{Content: content}}}
	r.put(at, n, c)
	return nil
}

// content is the value of an anydata or anyxml as XML; ok is false when XML cannot
// have it.
func (r *jsonReader) content(raw json.RawMessage, elements bool) (content []byte, ok bool) {
	if raw = bytes.TrimSpace(raw); elements && raw[0] == '{' {
		j := json.NewDecoder(bytes.NewReader(raw))
		j.UseNumber()
		if _, err := j.Token(); err != nil {
			return nil, false
		}
		content, ok = r.elements(nil, j, nil)
	} else {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		if content = []byte(text); !wellFormed(content) {
			content = xmltext.AppendText(nil, text)
		}
		ok = true
	}
	return content, ok && wellFormed(content)
}

func wellFormed(content []byte) bool {
	d := xmltext.Raw{Content: content}.Decoder(xmltext.Limits{})
	for {
		t, err := d.Next()
		if err != nil {
			return false
		}
		if t.Kind == xmltext.EOF {
			return true
		}
	}
}

// elements appends the members of the object that was begun as elements. in is the
// module of the element around them.
func (r *jsonReader) elements(b []byte, j *json.Decoder, in *yang.Module) ([]byte, bool) {
	for {
		t, err := j.Token()
		if err != nil {
			return nil, false
		}
		name, isName := t.(string)
		if !isName {
			return b, t == json.Delim('}')
		}
		if strings.HasPrefix(name, "@") { // metadata [RFC 7952 section 5.2]
			var meta json.RawMessage
			if j.Decode(&meta) != nil {
				return nil, false
			}
			continue
		}
		m, local := in, name
		if module, rest, ok := strings.Cut(name, ":"); ok {
			m, local = r.Schema.Module(module), rest
		}
		if m == nil || local == "" || strings.ContainsAny(local, "<>/&'\"= \t\r\n") {
			return nil, false
		}
		if t, err = j.Token(); err != nil {
			return nil, false
		}
		many := t == json.Delim('[')
		for {
			if many {
				if t, err = j.Token(); err != nil {
					return nil, false
				}
				if t == json.Delim(']') {
					break
				}
			}
			b = append(append(b, '<'), local...)
			if m != in {
				b = append(xmltext.AppendAttr(append(b, ` xmlns="`...), m.Namespace), '"')
			}
			b = append(b, '>')
			switch v := t.(type) {
			case json.Delim:
				ok := v == '{'
				if ok {
					b, ok = r.elements(b, j, m)
				}
				if !ok {
					return nil, false
				}
			case nil: // [null] is an empty element
			default:
				b = xmltext.AppendText(b, fmt.Sprint(v))
			}
			b = append(append(append(b, "</"...), local...), '>')
			if !many {
				break
			}
		}
	}
}
