package xmltext

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var seeds = []string{
	`<a/>`, `</a>`, `<a xmlns="u" xmlns:p="v" p:b="c"><p:d>&lt;&#x41;</p:d><![CDATA[x]]></a>`, `<a b='1' c="2">t<!-- c -->u</a>`,
	"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\r\n<a>\r\n</a>", `<!DOCTYPE a><a/>`, `<?x y?><a/>`, `<a>]]></a>`,
	`<p:a xmlns:p="u"><p:a xmlns:p="w"/><b xmlns=""/></p:a>`, `<a><b></a></b>`, `<a xml:lang="en"/>`, "<a>\x00</a>", `<é/>`,
	`<rpc message-id="1" xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><get/></rpc>`,
}

// spaces makes all white space alike: encoding/xml leaves line ends and tabs in
// attributes, so in namespaces too.
func spaces(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' {
			return ' '
		}
		return r
	}, s)
}

// standard reads a document with encoding/xml into the same lines as events does,
// with neighbouring texts joined.
func standard(in []byte) (string, error) {
	var b, text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			b.WriteString(strconv.Quote(text.String()) + "\n")
		}
		text.Reset()
	}
	d := xml.NewDecoder(bytes.NewReader(in))
	depth := 0
	for {
		t, err := d.Token()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		switch t := t.(type) {
		case xml.StartElement:
			flush()
			depth++
			b.WriteString("<{" + spaces(t.Name.Space) + "}" + t.Name.Local)
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
					b.WriteString(" {" + spaces(a.Name.Space) + "}" + a.Name.Local + "=" + strconv.Quote(spaces(a.Value)))
				}
			}
			b.WriteString(">\n")
		case xml.EndElement:
			flush()
			depth--
			b.WriteString("</{" + spaces(t.Name.Space) + "}" + t.Name.Local + ">\n")
		case xml.CharData:
			if depth > 0 {
				text.Write(t)
			}
		}
	}
}

// ours is events with white space in attributes as in standard.
func ours(in []byte) (string, error) {
	d := NewDecoder(in, Limits{})
	var b strings.Builder
	for {
		t, err := d.Next()
		if err != nil {
			return b.String(), err
		}
		switch t.Kind {
		case EOF:
			return b.String(), nil
		case Start:
			b.WriteString("<{" + t.Space + "}" + t.Local)
			for _, a := range t.Attrs {
				b.WriteString(" {" + a.Space + "}" + a.Local + "=" + strconv.Quote(spaces(a.Value)))
			}
			b.WriteString(">\n")
		case End:
			b.WriteString("</{" + t.Space + "}" + t.Local + ">\n")
		case Text:
			if len(t.Text) > 0 {
				b.WriteString(strconv.Quote(string(t.Text)) + "\n")
			}
		}
	}
}

// FuzzStandard: what we accept encoding/xml accepts too, and with the same
// elements, attributes and texts; what we refuse is refused with our error. Names
// outside ASCII are left out, as encoding/xml knows those of an older edition.
func FuzzStandard(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := ours(in)
		if err != nil {
			var s *SyntaxError
			if !errors.As(err, &s) || s.Offset < 0 || s.Offset > len(in) {
				t.Fatalf("error %v is no SyntaxError within the input", err)
			}
			return
		}
		want, err := standard(in)
		if err != nil {
			if strings.Contains(err.Error(), "invalid XML name") && bytes.IndexFunc(in, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
				return
			}
			t.Fatalf("accepted, but encoding/xml says %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-encoding/xml +ours)\n%s", diff)
		}
	})
}

// appendElement writes an element with every namespace declared where it is used.
func appendElement(b []byte, e *Element) []byte {
	b = append(append(b, `<e:`...), e.Local...)
	b = append(AppendAttr(append(b, ` xmlns:e="`...), e.Space), '"')
	for i, a := range e.Attrs {
		n := strconv.Itoa(i)
		name := a.Local
		if a.Space == xmlSpace {
			name = "xml:" + name
		} else if a.Space != "" {
			b = append(AppendAttr(append(b, " xmlns:a"+n+`="`...), a.Space), '"')
			name = "a" + n + ":" + name
		}
		b = append(AppendAttr(append(b, " "+name+`="`...), a.Value), '"')
	}
	b = AppendText(append(b, '>'), e.Text)
	for _, c := range e.Children {
		b = appendElement(b, c)
	}
	return append(append(append(b, "</e:"...), e.Local...), '>')
}

// plainElement removes what a round trip may change.
func plainElement(e *Element) *Element {
	p := &Element{Space: e.Space, Local: e.Local, Attrs: e.Attrs, Text: e.Text}
	for _, c := range e.Children {
		p.Children = append(p.Children, plainElement(c))
	}
	return p
}

// FuzzRoundTrip: an element that is written and read again is the same.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := ParseElement(in, Limits{})
		if err != nil {
			return
		}
		var unqualified func(e *Element) bool
		unqualified = func(e *Element) bool {
			if e.Space == "" || e.Space == xmlSpace {
				return true // cannot be written with a prefix of ours
			}
			for _, c := range e.Children {
				if unqualified(c) {
					return true
				}
			}
			return false
		}
		if unqualified(e) {
			t.Skip("an element of no namespace")
		}
		out := appendElement(nil, e)
		again, err := ParseElement(out, Limits{Attributes: 128})
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if diff := cmp.Diff(plainElement(e), plainElement(again)); diff != "" {
			t.Errorf("%s: (-first +again)\n%s", out, diff)
		}
	})
}

// FuzzRaw: the content of an element, read as a Raw in its bindings, has the
// tokens that it has in place.
func FuzzRaw(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, err := events(NewDecoder(in, Limits{})); err != nil {
			return
		}
		d := NewDecoder(in, Limits{})
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
		raw, err := d.ReadRaw()
		if err != nil {
			t.Fatal(err)
		}
		if end, err := d.Next(); err != nil || end.Kind != EOF {
			t.Fatalf("after the root: %v, %v", end, err)
		}
		got, err := events(raw.Decoder(Limits{}))
		if err != nil {
			t.Fatalf("the content %q: %v", raw.Content, err)
		}
		want, err := events(NewDecoder(in, Limits{}))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(want, "\n")
		if inner := strings.Join(lines[1:len(lines)-2], ""); inner != got {
			t.Errorf("(-in place +raw)\n%s", cmp.Diff(inner, got))
		}
	})
}

// FuzzText: any text survives being written and read, but for what XML cannot
// carry.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a<b>&\"'\r\n\t", "]]>", "\x00\xff\uFFFE", "é😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.Map(func(r rune) rune {
			if !IsChar(r) {
				return '\uFFFD'
			}
			return r
		}, s)
		doc := AppendAttr([]byte(`<a b="`), s)
		doc = append(AppendText(append(doc, `">`...), s), "</a>"...)
		e, err := ParseElement(doc, Limits{})
		if err != nil {
			t.Fatalf("%q: %v", doc, err)
		}
		attr, _ := e.Attr("", "b")
		if e.Text != want || attr != want {
			t.Errorf("%q: text %q, attribute %q, want %q", doc, e.Text, attr, want)
		}
	})
}
