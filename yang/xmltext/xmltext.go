// Package xmltext is a strict reader and an appending writer of the XML that
// NETCONF uses [RFC 6241 section 3].
//
// It is ours because both directions are on the hot path and because the public
// decoders accept what NETCONF forbids: unbound prefixes, duplicate attributes,
// two roots, text outside the root. A DTD, a processing instruction, an entity
// other than the five, text that is not UTF-8 or holds characters that XML 1.0
// excludes are refused; depth, attributes and names are bounded, so that no
// input costs more than time in proportion to its length.
//
// A Decoder belongs to one goroutine and does not copy its input, which must not
// change while it or a Raw of it is in use.
package xmltext

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a document; zero values mean the defaults.
type Limits struct {
	Depth      int // nesting of elements, default 256
	Attributes int // of one element, default 64
	// Elements is how many Elements are made, which take many times the memory of their
	// text; 0 is any number.
	Elements int
}

// ErrManyElements is the error of more elements than Limits allow.
var ErrManyElements = errors.New("too many elements")

// SyntaxError says what is wrong and at which byte.
type SyntaxError struct {
	Offset int
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("XML at byte %d: %s", e.Offset, e.Reason) }

// Kind is the kind of a token.
type Kind uint8

// The kinds of tokens. EOF follows the end of the root element.
const (
	EOF Kind = iota
	Start
	End
	Text
)

// Token is one piece of the document. Attrs and Text are valid until the next
// call of Next.
type Token struct {
	Kind   Kind
	Space  string // namespace of a Start or End, "" for none
	Local  string
	Attrs  []Attr // without namespace declarations
	Text   []byte // of a Text, entities resolved
	Offset int
}

// Attr is an attribute.
type Attr struct {
	Space, Local string
	Value        string
}

// Binding is a namespace declaration; the prefix "" is the default namespace.
type Binding struct{ Prefix, Space string }

// Decoder reads tokens.
type Decoder struct {
	in     []byte
	pos    int
	limits Limits
	made   int // Elements

	stack    []open
	bindings []Binding
	attrs    []Attr
	raw      []rawAttr
	text     []byte
	pending  bool // a self-closed element's End is due
	begun    bool
	done     bool
	fragment bool // any elements and text at the top, as in a Raw
	interned map[string]string
	near     [128]string // of interned, by a cheap hash
	space    string      // the default namespace in force

	kept      []Binding // a copy of bindings that Raws and Elements share
	keptValid bool      // bindings have not changed since
	keptSize  int       // of all such copies
}

type open struct {
	name         []byte // as written, to compare with the end tag
	space, local string
	bindings     int    // length of bindings before this element
	outer        string // the default namespace before this element
}

type rawAttr struct {
	prefix, local []byte
	value         string
	offset        int
}

const (
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
	maxName    = 1024
	// maxBindings keeps the search for prefixes and for duplicate declarations
	// cheap.
	maxBindings = 256
	// maxReference is the longest entity or character reference.
	maxReference = 64
)

// NewDecoder reads a whole document.
func NewDecoder(in []byte, l Limits) *Decoder {
	if l.Depth == 0 {
		l.Depth = 256
	}
	if l.Attributes == 0 {
		l.Attributes = 64
	}
	return &Decoder{in: in, limits: l, bindings: []Binding{{"xml", xmlSpace}}, interned: map[string]string{}}
}

// Depth is the number of open elements.
func (d *Decoder) Depth() int { return len(d.stack) }

// Offset is the position of the next byte to read.
func (d *Decoder) Offset() int { return d.pos }

// Resolve returns the namespace of a prefix where the decoder stands; ok is
// false for an undeclared prefix other than "".
func (d *Decoder) Resolve(prefix string) (space string, ok bool) {
	for i := len(d.bindings) - 1; i >= 0; i-- {
		if d.bindings[i].Prefix == prefix {
			return d.bindings[i].Space, true
		}
	}
	return "", prefix == ""
}

func (d *Decoder) resolve(prefix []byte) (space string, ok bool) {
	for i := len(d.bindings) - 1; i >= 0; i-- {
		if d.bindings[i].Prefix == string(prefix) {
			return d.bindings[i].Space, true
		}
	}
	return "", false
}

// Bindings are the declarations in scope, innermost last. The slice is shared:
// copy what is kept.
func (d *Decoder) Bindings() []Binding { return d.bindings }

// keep is a copy of the bindings that others may share. The copies of a document
// may not grow out of proportion to its length: each element of a few bytes could
// keep all declarations around it.
func (d *Decoder) keep() ([]Binding, error) {
	if !d.keptValid {
		d.kept, d.keptValid = slices.Clone(d.bindings), true
		if d.keptSize += len(d.kept); d.keptSize > 4*len(d.in)+1<<16 {
			return nil, d.fail(d.pos, "too many namespace declarations")
		}
	}
	return d.kept, nil
}

func (d *Decoder) fail(at int, format string, args ...any) error {
	return &SyntaxError{at, fmt.Sprintf(format, args...)}
}

// intern returns b as a string; the few names of a document are made once.
func (d *Decoder) intern(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	near := &d.near[(int(b[0])*7+int(b[len(b)-1])*31+len(b))%len(d.near)]
	if *near == string(b) {
		return *near
	}
	s, ok := d.interned[string(b)]
	if !ok {
		s = string(b)
		if len(d.interned) < 4096 {
			d.interned[s] = s
		}
	}
	*near = s
	return s
}

// Next returns the next token. After an error the decoder is of no more use.
func (d *Decoder) Next() (Token, error) {
	if d.pending {
		d.pending = false
		return d.pop(d.pos), nil
	}
	for {
		if len(d.stack) == 0 && !d.fragment {
			if t, ok, err := d.outside(); err != nil || ok {
				return t, err
			}
			continue
		}
		if d.pos >= len(d.in) {
			if len(d.stack) == 0 {
				return Token{Kind: EOF, Offset: d.pos}, nil
			}
			return Token{}, d.fail(d.pos, "ends inside <%s>", d.stack[len(d.stack)-1].name)
		}
		if d.in[d.pos] == '<' && d.pos+1 < len(d.in) { // tags, without a detour
			if c := d.in[d.pos+1]; c == '/' {
				return d.endTag()
			} else if classes[c]&nameStart != 0 {
				return d.startTag()
			}
		}
		if d.in[d.pos] != '<' || bytes.HasPrefix(d.in[d.pos:], cdataStart) {
			return d.readText()
		}
		t, ok, err := d.markup()
		if err != nil || ok {
			return t, err
		}
	}
}

var (
	cdataStart   = []byte("<![CDATA[")
	cdataEnd     = []byte("]]>")
	commentStart = []byte("<!--")
	commentEnd   = []byte("-->")
)

// outside reads what may stand around the root element: white space, comments
// and, at the very start, the XML declaration.
func (d *Decoder) outside() (Token, bool, error) {
	if !d.begun {
		d.begun = true
		if bytes.HasPrefix(d.in, []byte("\xef\xbb\xbf")) {
			d.pos = 3
		}
		if bytes.HasPrefix(d.in[d.pos:], []byte("<?xml")) && len(d.in) > d.pos+5 && isSpace(d.in[d.pos+5]) {
			end := bytes.Index(d.in[d.pos:], []byte("?>"))
			if end < 0 {
				return Token{}, false, d.fail(d.pos, "the XML declaration is not closed")
			}
			if err := d.declaration(d.in[d.pos+5 : d.pos+end]); err != nil {
				return Token{}, false, err
			}
			d.pos += end + 2
		}
	}
	d.skipSpace()
	if d.pos == len(d.in) {
		if !d.done {
			return Token{}, false, d.fail(d.pos, "there is no element")
		}
		return Token{Kind: EOF, Offset: d.pos}, true, nil
	}
	if d.in[d.pos] != '<' {
		return Token{}, false, d.fail(d.pos, "text outside the root element")
	}
	if d.done && !bytes.HasPrefix(d.in[d.pos:], commentStart) {
		return Token{}, false, d.fail(d.pos, "something follows the root element")
	}
	return d.markup()
}

// declaration checks what stands between <?xml and ?> [XML 1.0 section 2.8].
func (d *Decoder) declaration(b []byte) error {
	next := func() (name, value string, ok bool) {
		b = bytes.TrimLeft(b, " \t\r\n")
		i := bytes.IndexByte(b, '=')
		if i < 0 {
			return "", "", false
		}
		name = string(bytes.TrimRight(b[:i], " \t\r\n"))
		v := bytes.TrimLeft(b[i+1:], " \t\r\n")
		if len(v) == 0 || v[0] != '"' && v[0] != '\'' {
			return "", "", false
		}
		end := bytes.IndexByte(v[1:], v[0])
		if end < 0 {
			return "", "", false
		}
		value, b = string(v[1:1+end]), v[end+2:]
		return name, value, len(b) == 0 || isSpace(b[0])
	}
	name, value, ok := next()
	if !ok || name != "version" || value != "1.0" {
		return d.fail(d.pos, "the XML declaration is not of version 1.0")
	}
	rank := map[string]int{"encoding": 1, "standalone": 2}
	last := 0
	for len(bytes.TrimLeft(b, " \t\r\n")) > 0 {
		name, value, ok = next()
		switch {
		case !ok || rank[name] <= last:
			return d.fail(d.pos, "the XML declaration is malformed")
		case name == "encoding" && !strings.EqualFold(value, "UTF-8"):
			return d.fail(d.pos, "the encoding is not UTF-8")
		case name == "standalone" && value != "yes" && value != "no":
			return d.fail(d.pos, "standalone is neither yes nor no")
		}
		last = rank[name]
	}
	return nil
}

// markup reads a tag or a comment; ok is false for a comment.
func (d *Decoder) markup() (Token, bool, error) {
	at := d.pos
	rest := d.in[at:]
	switch {
	case len(rest) < 2:
		return Token{}, false, d.fail(at, "ends after '<'")
	case rest[1] == '/':
		t, err := d.endTag()
		return t, true, err
	case bytes.HasPrefix(rest, commentStart):
		end := bytes.Index(rest[4:], []byte("--"))
		if end < 0 || !bytes.HasPrefix(rest[4+end:], commentEnd) {
			return Token{}, false, d.fail(at, "a comment is not closed or holds --")
		}
		if err := d.checkChars(rest[4:4+end], at+4); err != nil {
			return Token{}, false, err
		}
		d.pos += 4 + end + 3
		return Token{}, false, nil
	case rest[1] == '!':
		return Token{}, false, d.fail(at, "a DTD or declaration is not allowed")
	case rest[1] == '?':
		return Token{}, false, d.fail(at, "a processing instruction is not allowed")
	}
	t, err := d.startTag()
	return t, true, err
}

func (d *Decoder) startTag() (Token, error) {
	at := d.pos
	d.pos++
	prefix, local, err := d.name()
	if err != nil {
		return Token{}, err
	}
	name := d.in[at+1 : d.pos]
	if len(d.stack) >= d.limits.Depth {
		return Token{}, d.fail(at, "elements nest deeper than %d", d.limits.Depth)
	}
	o := open{name: name, bindings: len(d.bindings), outer: d.space}
	d.raw, d.attrs = d.raw[:0], d.attrs[:0]
	closed := false
	for {
		spaced := d.skipSpace()
		if d.pos >= len(d.in) {
			return Token{}, d.fail(at, "the tag <%s> is not closed", name)
		}
		c := d.in[d.pos]
		if c == '>' {
			d.pos++
			break
		}
		if c == '/' {
			if d.pos+1 >= len(d.in) || d.in[d.pos+1] != '>' {
				return Token{}, d.fail(d.pos, "'/' without '>' in <%s>", name)
			}
			d.pos += 2
			closed = true
			break
		}
		if !spaced {
			return Token{}, d.fail(d.pos, "no white space before an attribute of <%s>", name)
		}
		if err := d.attribute(name); err != nil {
			return Token{}, err
		}
	}
	if err := d.resolveAttributes(name, o.bindings); err != nil {
		return Token{}, err
	}
	o.space, o.local = d.space, d.intern(local)
	if len(prefix) > 0 {
		var ok bool
		if o.space, ok = d.resolve(prefix); !ok {
			return Token{}, d.fail(at, "the prefix %q is not declared", prefix)
		}
	}
	d.stack = append(d.stack, o)
	d.pending = closed
	return Token{Kind: Start, Space: o.space, Local: o.local, Attrs: d.attrs, Offset: at}, nil
}

func (d *Decoder) attribute(element []byte) error {
	at := d.pos
	prefix, local, err := d.name()
	if err != nil {
		return err
	}
	d.skipSpace()
	if d.pos >= len(d.in) || d.in[d.pos] != '=' {
		return d.fail(d.pos, "the attribute %q has no value", local)
	}
	d.pos++
	d.skipSpace()
	if d.pos >= len(d.in) || d.in[d.pos] != '"' && d.in[d.pos] != '\'' {
		return d.fail(d.pos, "the value of the attribute %q is not quoted", local)
	}
	quote := d.in[d.pos]
	start := d.pos + 1
	end := bytes.IndexByte(d.in[start:], quote)
	if end < 0 {
		return d.fail(d.pos, "the value of the attribute %q is not closed", local)
	}
	raw := d.in[start : start+end]
	if i := bytes.IndexByte(raw, '<'); i >= 0 {
		return d.fail(start+i, "'<' in the value of the attribute %q", local)
	}
	d.text = d.text[:0]
	if err := d.unescape(raw, start, true); err != nil {
		return err
	}
	d.pos = start + end + 1
	value := string(d.text)
	switch {
	case len(prefix) == 0 && string(local) == "xmlns":
		return d.bind("", value, at)
	case string(prefix) == "xmlns":
		if value == "" {
			return d.fail(at, "the prefix %q is bound to no namespace", local)
		}
		return d.bind(d.intern(local), value, at)
	}
	if len(d.raw) >= d.limits.Attributes {
		return d.fail(at, "<%s> has more than %d attributes", element, d.limits.Attributes)
	}
	d.raw = append(d.raw, rawAttr{prefix, local, value, at})
	return nil
}

func (d *Decoder) bind(prefix, space string, at int) error {
	if prefix == "xmlns" || (prefix == "xml") != (space == xmlSpace) || space == xmlnsSpace {
		return d.fail(at, "the prefix %q cannot be bound to %q", prefix, space)
	}
	space = d.intern([]byte(space))
	d.bindings, d.keptValid = append(d.bindings, Binding{prefix, space}), false
	if prefix == "" {
		d.space = space
	}
	if len(d.bindings) > maxBindings {
		return d.fail(at, "more than %d namespace declarations are in scope", maxBindings)
	}
	return nil
}

// resolveAttributes binds the prefixes of attributes, which the element's own
// declarations may follow, and refuses duplicates. The element's declarations
// start at first.
func (d *Decoder) resolveAttributes(element []byte, first int) error {
	for i := first + 1; i < len(d.bindings); i++ {
		for j := first; j < i; j++ {
			if d.bindings[i].Prefix == d.bindings[j].Prefix {
				return d.fail(d.pos, "<%s> declares the prefix %q twice", element, d.bindings[i].Prefix)
			}
		}
	}
	for _, a := range d.raw {
		space := ""
		if len(a.prefix) > 0 {
			var ok bool
			if space, ok = d.resolve(a.prefix); !ok {
				return d.fail(a.offset, "the prefix %q is not declared", a.prefix)
			}
		}
		local := d.intern(a.local)
		for _, b := range d.attrs {
			if b.Space == space && b.Local == local {
				return d.fail(a.offset, "<%s> has the attribute %q twice", element, local)
			}
		}
		d.attrs = append(d.attrs, Attr{space, local, a.value})
	}
	return nil
}

func (d *Decoder) endTag() (Token, error) {
	at := d.pos
	d.pos += 2
	start := d.pos
	if len(d.stack) == 0 {
		return Token{}, d.fail(at, "an end tag without a start")
	}
	o := &d.stack[len(d.stack)-1]
	if n := len(o.name); start+n < len(d.in) && d.in[start+n] == '>' && bytes.Equal(d.in[start:start+n], o.name) {
		d.pos = start + n + 1
		return d.pop(at), nil
	}
	if _, _, err := d.name(); err != nil {
		return Token{}, err
	}
	name := d.in[start:d.pos]
	d.skipSpace()
	if d.pos >= len(d.in) || d.in[d.pos] != '>' {
		return Token{}, d.fail(at, "the tag </%s> is not closed", name)
	}
	d.pos++
	if !bytes.Equal(name, o.name) {
		return Token{}, d.fail(at, "</%s> closes <%s>", name, o.name)
	}
	return d.pop(at), nil
}

func (d *Decoder) pop(at int) Token {
	o := d.stack[len(d.stack)-1]
	d.stack = d.stack[:len(d.stack)-1]
	if len(d.bindings) > o.bindings {
		d.bindings, d.keptValid = d.bindings[:o.bindings], false
	}
	d.space = o.outer
	if len(d.stack) == 0 {
		d.done = true
	}
	return Token{Kind: End, Space: o.space, Local: o.local, Offset: at}
}

// name reads prefix:local.
func (d *Decoder) name() (prefix, local []byte, err error) {
	start := d.pos
	colon := -1
	for d.pos < len(d.in) {
		c := d.in[d.pos]
		if c == ':' {
			if colon >= 0 || d.pos == start {
				return nil, nil, d.fail(d.pos, "a name with a misplaced colon")
			}
			colon = d.pos
			d.pos++
			continue
		}
		n := 1
		first := d.pos == start || colon == d.pos-1
		if c < utf8.RuneSelf {
			if first && classes[c]&nameStart == 0 || classes[c]&nameRest == 0 {
				break
			}
		} else {
			r, size := utf8.DecodeRune(d.in[d.pos:])
			if r == utf8.RuneError && size <= 1 || !isNameRune(r, first) {
				return nil, nil, d.fail(d.pos, "a character that a name cannot have")
			}
			n = size
		}
		d.pos += n
		if d.pos-start > maxName {
			return nil, nil, d.fail(start, "a name longer than %d bytes", maxName)
		}
	}
	name := d.in[start:d.pos]
	if len(name) == 0 || colon == d.pos-1 {
		return nil, nil, d.fail(start, "a name was expected")
	}
	if colon >= 0 {
		return d.in[start:colon], d.in[colon+1 : d.pos], nil
	}
	return nil, name, nil
}

// classes tells what a byte may be.
var classes = func() (t [256]class) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
			t[c] = nameStart | nameRest | plain
		case c >= '0' && c <= '9', c == '-', c == '.':
			t[c] = nameRest | plain
		case c == '&', c == '<', c == ']':
			t[c] = char
		case c == '\n', c == '\t', c >= 0x20 && c < utf8.RuneSelf:
			t[c] = plain
		case c == '\r':
			t[c] = char
		}
		if t[c]&plain != 0 {
			t[c] |= char
		}
	}
	return t
}()

type class uint8

const (
	nameStart class = 1 << iota // may begin a name
	nameRest                    // may stand in a name
	char                        // a character of one byte that XML allows
	plain                       // such a one that text may have as it is
)

// isNameRune reports whether a name may have, or begin with, a rune outside ASCII
// [XML 1.0 section 2.3].
func isNameRune(r rune, first bool) bool {
	switch {
	case r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7, r >= 0x370 && r <= 0x1FFF && r != 0x37E,
		r == 0x200C, r == 0x200D, r >= 0x2070 && r <= 0x218F, r >= 0x2C00 && r <= 0x2FEF, r >= 0x3001 && r <= 0xD7FF,
		r >= 0xF900 && r <= 0xFDCF, r >= 0xFDF0 && r <= 0xFFFD, r >= 0x10000 && r <= 0xEFFFF:
		return true
	case r == 0xB7, r >= 0x300 && r <= 0x36F, r == 0x203F, r == 0x2040:
		return !first
	}
	return false
}

func (d *Decoder) skipSpace() bool {
	start := d.pos
	for d.pos < len(d.in) && isSpace(d.in[d.pos]) {
		d.pos++
	}
	return d.pos > start
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// readText reads up to the next tag; CDATA sections and comments in between are
// joined to one token.
func (d *Decoder) readText() (Token, error) {
	at := d.pos
	d.text = d.text[:0]
	for d.pos < len(d.in) {
		rest := d.in[d.pos:]
		if rest[0] == '<' {
			if bytes.HasPrefix(rest, cdataStart) {
				end := bytes.Index(rest, cdataEnd)
				if end < 0 {
					return Token{}, d.fail(d.pos, "a CDATA section is not closed")
				}
				if err := d.checkChars(rest[9:end], d.pos+9); err != nil {
					return Token{}, err
				}
				d.text = appendLines(d.text, rest[9:end])
				d.pos += end + 3
				continue
			}
			if bytes.HasPrefix(rest, commentStart) {
				if _, _, err := d.markup(); err != nil {
					return Token{}, err
				}
				continue
			}
			break
		}
		n := 0
		for n < len(rest) && classes[rest[n]]&plain != 0 {
			n++
		}
		d.text = append(d.text, rest[:n]...)
		d.pos += n
		if rest = rest[n:]; len(rest) == 0 || rest[0] == '<' {
			continue
		}
		end := bytes.IndexByte(rest, '<')
		if end < 0 {
			end = len(rest)
		}
		if i := bytes.Index(rest[:end], cdataEnd); i >= 0 {
			return Token{}, d.fail(d.pos+i, "]]> in text")
		}
		if err := d.unescape(rest[:end], d.pos, false); err != nil {
			return Token{}, err
		}
		d.pos += end
	}
	return Token{Kind: Text, Text: d.text, Offset: at}, nil
}

// unescape appends raw to d.text with entities and character references
// resolved. Line ends become \n; in attributes white space becomes a space.
func (d *Decoder) unescape(raw []byte, offset int, attribute bool) error {
	if err := d.checkChars(raw, offset); err != nil {
		return err
	}
	for len(raw) > 0 {
		i := bytes.IndexByte(raw, '&')
		plain := raw
		if i >= 0 {
			plain = raw[:i]
		}
		from := len(d.text)
		d.text = appendLines(d.text, plain)
		if attribute {
			for j := from; j < len(d.text); j++ {
				if isSpace(d.text[j]) {
					d.text[j] = ' '
				}
			}
		}
		if i < 0 {
			return nil
		}
		offset += i
		raw = raw[i:]
		semicolon := bytes.IndexByte(raw[:min(len(raw), maxReference)], ';')
		if semicolon < 0 {
			return d.fail(offset, "an entity reference is not closed")
		}
		r, err := entity(raw[1:semicolon])
		if err != "" {
			return d.fail(offset, "%s", err)
		}
		d.text = utf8.AppendRune(d.text, r)
		raw = raw[semicolon+1:]
		offset += semicolon + 1
	}
	return nil
}

func entity(name []byte) (rune, string) {
	switch string(name) {
	case "lt":
		return '<', ""
	case "gt":
		return '>', ""
	case "amp":
		return '&', ""
	case "quot":
		return '"', ""
	case "apos":
		return '\'', ""
	}
	if len(name) > 1 && name[0] == '#' {
		digits, base := string(name[1:]), 10
		if digits[0] == 'x' {
			digits, base = digits[1:], 16
		}
		if v, err := strconv.ParseUint(digits, base, 32); err == nil && IsChar(rune(v)) {
			return rune(v), ""
		}
		return 0, fmt.Sprintf("&%s; is no character of XML", name)
	}
	return 0, fmt.Sprintf("the entity &%s; is not allowed", name)
}

// appendLines appends text with its line ends made \n [XML 1.0 section 2.11].
func appendLines(out, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\r')
		if i < 0 {
			return append(out, text...)
		}
		out = append(append(out, text[:i]...), '\n')
		text = text[i+1:]
		if len(text) > 0 && text[0] == '\n' {
			text = text[1:]
		}
	}
}

// IsChar reports whether XML 1.0 allows a character [section 2.2].
func IsChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

func (d *Decoder) checkChars(b []byte, offset int) error {
	for i := 0; i < len(b); {
		if classes[b[i]]&char != 0 {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return d.fail(offset+i, "not UTF-8")
		}
		if !IsChar(r) {
			return d.fail(offset+i, "the character U+%04X is not allowed", r)
		}
		i += n
	}
	return nil
}
