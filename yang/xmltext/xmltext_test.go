package xmltext

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// events renders a document as one line a token, neighbouring texts joined.
func events(d *Decoder) (string, error) {
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
			fmt.Fprintf(&b, "<{%s}%s", t.Space, t.Local)
			for _, a := range t.Attrs {
				fmt.Fprintf(&b, " {%s}%s=%q", a.Space, a.Local, a.Value)
			}
			b.WriteString(">\n")
		case End:
			fmt.Fprintf(&b, "</{%s}%s>\n", t.Space, t.Local)
		case Text:
			fmt.Fprintf(&b, "%q\n", t.Text)
		}
	}
}

func TestAccepted(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"self-closed", `<a/>`, "<{}a>\n</{}a>\n"},
		{"declaration and comment", "<?xml version=\"1.0\" encoding='utf-8' standalone = 'yes' ?>\n<!-- - c -->\n<a></a >\n<!---->\n", "<{}a>\n</{}a>\n"},
		{"byte order mark", "\xef\xbb\xbf<?xml version='1.0'?><a/>", "<{}a>\n</{}a>\n"},
		{"default namespace", `<a xmlns="urn:a"><b xmlns=""><c/></b><d/></a>`,
			"<{urn:a}a>\n<{}b>\n<{}c>\n</{}c>\n</{}b>\n<{urn:a}d>\n</{urn:a}d>\n</{urn:a}a>\n"},
		{"prefix rebound", `<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"/><p:c/></p:a>`,
			"<{urn:1}a>\n<{urn:2}b>\n</{urn:2}b>\n<{urn:1}c>\n</{urn:1}c>\n</{urn:1}a>\n"},
		{"declared after its use", `<p:a p:x="1" x="2" xmlns:p="urn:1"/>`, "<{urn:1}a {urn:1}x=\"1\" {}x=\"2\">\n</{urn:1}a>\n"},
		{"attributes have no default namespace", `<a xmlns="urn:1" xmlns:p="urn:1" x="1" p:x="2"/>`,
			"<{urn:1}a {}x=\"1\" {urn:1}x=\"2\">\n</{urn:1}a>\n"},
		{"xml prefix", `<a xml:lang="en"/>`, "<{}a {http://www.w3.org/XML/1998/namespace}lang=\"en\">\n</{}a>\n"},
		{"entities", `<a b="&lt;&#9;&quot;'">&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#x1F600;</a>`,
			"<{}a {}b=\"<\\t\\\"'\">\n\"<>&\\\"'AB😀\"\n</{}a>\n"},
		{"CDATA and comments join", `<a>x<![CDATA[<&]]]]>y<!-- z -->w<![CDATA[]]></a>`, "<{}a>\n\"x<&]]yw\"\n</{}a>\n"},
		{"]] and > apart", `<a>]]<!-- -->> ]] ></a>`, "<{}a>\n\"]]> ]] >\"\n</{}a>\n"},
		{"line ends", "<a b='1\r\n2\r3\t4'>1\r\n2\r3&#13;<![CDATA[\r\n]]></a>", "<{}a {}b=\"1 2 3 4\">\n\"1\\n2\\n3\\r\\n\"\n</{}a>\n"},
		{"names", `<_é.·-9 ünï="1"/>`, "<{}_é.·-9 {}ünï=\"1\">\n</{}_é.·-9>\n"},
		{"attribute holds >", `<a b=">"/>`, "<{}a {}b=\">\">\n</{}a>\n"},
		{"deepest", strings.Repeat("<a>", 256) + strings.Repeat("</a>", 256),
			strings.Repeat("<{}a>\n", 256) + strings.Repeat("</{}a>\n", 256)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := events(NewDecoder([]byte(c.in), Limits{}))
			if err != nil {
				t.Fatalf("%s: %v", c.in, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", c.in, diff)
			}
		})
	}
}

// TestRefused has one hostile input for each rule; offset is the byte that the
// error names.
func TestRefused(t *testing.T) {
	attributes := func(n int, form string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, form, i)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, in string
		offset   int
		want     string
	}{
		{"nothing", ``, 0, "no element"},
		{"only a comment", `<!-- -->`, 8, "no element"},
		{"only a declaration", `<?xml version="1.0"?>`, 21, "no element"},
		{"end without start", `</a>`, 0, "without a start"},
		{"end after the root", `<a/></a>`, 4, "follows the root"},
		{"two roots", `<a/><b/>`, 4, "follows the root"},
		{"text before", `x<a/>`, 0, "outside the root"},
		{"text after", `<a/>x`, 4, "outside the root"},
		{"CDATA outside", `<![CDATA[x]]><a/>`, 0, "not allowed"},
		{"NUL after", "<a/>\x00", 4, "outside the root"},
		{"unbound prefix", `<p:a/>`, 0, `prefix "p" is not declared`},
		{"unbound attribute prefix", `<a p:b="1"/>`, 3, `prefix "p" is not declared`},
		{"prefix out of scope", `<a><p:b xmlns:p="urn:1"/><p:c/></a>`, 25, `prefix "p"`},
		{"duplicate attribute", `<a b="1" b="2"/>`, 9, "twice"},
		{"duplicate by namespace", `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, 35, "twice"},
		{"duplicate declaration", `<a xmlns:p="u" xmlns:p="u"/>`, 28, "twice"},
		{"duplicate default", `<a xmlns="u" xmlns="v"/>`, 24, "twice"},
		{"prefix undeclared", `<a xmlns:p=""/>`, 3, "no namespace"},
		{"xmlns bound", `<a xmlns:xmlns="u"/>`, 3, "cannot be bound"},
		{"xml rebound", `<a xmlns:xml="u"/>`, 3, "cannot be bound"},
		{"xml's namespace under another prefix", `<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>`, 3, "cannot be bound"},
		{"xmlns's namespace", `<a xmlns="http://www.w3.org/2000/xmlns/"/>`, 3, "cannot be bound"},
		{"xmlns as prefix", `<xmlns:a/>`, 0, "not declared"},
		{"DTD", `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, 0, "DTD"},
		{"DTD within", `<a><!DOCTYPE a></a>`, 3, "DTD"},
		{"PI before", `<?php x?><a/>`, 0, "processing instruction"},
		{"PI within", `<a><?x?></a>`, 3, "processing instruction"},
		{"PI after", `<a/><?x?>`, 4, "follows the root"},
		{"late declaration", ` <?xml version="1.0"?><a/>`, 1, "processing instruction"},
		{"other encoding", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, 0, "not UTF-8"},
		{"encoding that begins with UTF-8", `<?xml version="1.0" encoding="UTF-8859"?><a/>`, 0, "not UTF-8"},
		{"UTF-16", "\xff\xfe<\x00a\x00/\x00>\x00", 0, "outside the root"},
		{"other version", `<?xml version="1.1"?><a/>`, 0, "version 1.0"},
		{"no version", `<?xml encoding="utf-8"?><a/>`, 0, "version 1.0"},
		{"declaration in disorder", `<?xml version="1.0" standalone="no" encoding="utf-8"?><a/>`, 0, "malformed"},
		{"junk in declaration", `<?xml version="1.0" junk?><a/>`, 0, "malformed"},
		{"declaration unquoted", `<?xml version=1.0?><a/>`, 0, "version 1.0"},
		{"bad standalone", `<?xml version="1.0" standalone="maybe"?><a/>`, 0, "standalone"},
		{"half declaration", `<?xml version="1.0"`, 0, "not closed"},
		{"unknown entity", `<a>&nbsp;</a>`, 3, "not allowed"},
		{"entity not closed", `<a>&amp</a>`, 3, "not closed"},
		{"bare ampersand", `<a>a & b</a>`, 5, "not closed"},
		{"reference to NUL", `<a>&#0;</a>`, 3, "no character"},
		{"reference to a surrogate", `<a>&#xD800;</a>`, 3, "no character"},
		{"reference too large", `<a>&#x110000;</a>`, 3, "no character"},
		{"reference that overflows", `<a>&#99999999999;</a>`, 3, "no character"},
		{"reference with a sign", `<a>&#+65;</a>`, 3, "no character"},
		{"capital X", `<a>&#X41;</a>`, 3, "no character"},
		{"empty reference", `<a>&;</a>`, 3, "not allowed"},
		{"bad UTF-8", "<a>x\xff</a>", 4, "UTF-8"},
		{"overlong UTF-8", "<a>\xc0\x80</a>", 3, "UTF-8"},
		{"surrogate in UTF-8", "<a>\xed\xa0\x80</a>", 3, "UTF-8"},
		{"bad UTF-8 in attribute", "<a b='\xff'/>", 6, "UTF-8"},
		{"bad UTF-8 in name", "<a\xff/>", 2, "name"},
		{"bad UTF-8 in comment", "<a><!-- \xff --></a>", 8, "UTF-8"},
		{"bad UTF-8 in CDATA", "<a><![CDATA[\xff]]></a>", 12, "UTF-8"},
		{"NUL", "<a>\x00</a>", 3, "U+0000"},
		{"control character", "<a>abcdefgh\x1b</a>", 11, "U+001B"},
		{"control character in attribute", "<a b='\x01'/>", 6, "U+0001"},
		{"U+FFFE", "<a>\uFFFE</a>", 3, "U+FFFE"},
		{"-- in comment", `<a><!-- a -- b --></a>`, 3, "comment"},
		{"comment ends with --->", `<a><!-- a ---></a>`, 3, "comment"},
		{"comment not closed", `<a><!-- `, 3, "comment"},
		{"CDATA not closed", `<a><![CDATA[x]]</a>`, 3, "CDATA"},
		{"]]> in text", `<a>x]]></a>`, 4, "]]>"},
		{"< in attribute", `<a b="<"/>`, 6, "'<'"},
		{"unquoted attribute", `<a b=c/>`, 5, "not quoted"},
		{"attribute without value", `<a b/>`, 4, "no value"},
		{"attribute not closed", `<a b="c/>`, 5, "not closed"},
		{"attributes run together", `<a b="c"d="e"/>`, 8, "white space"},
		{"half root", `<a>`, 3, "inside <a>"},
		{"half start tag", `<a `, 0, "not closed"},
		{"half name", `<`, 0, "after '<'"},
		{"half end tag", `<a></a`, 3, "not closed"},
		{"half empty tag", `<a/`, 2, "without '>'"},
		{"half text", `<a>text`, 7, "inside <a>"},
		{"crossed tags", `<a><b></a></b>`, 6, "closes <b>"},
		{"same name by another prefix", `<p:a xmlns:p="u" xmlns:q="u"></q:a>`, 29, "closes <p:a>"},
		{"end tag with attribute", `<a></a b="c">`, 3, "not closed"},
		{"space before the name", `< a/>`, 1, "name was expected"},
		{"digit first", `<1a/>`, 1, "name was expected"},
		{"combining character first", "<\u0301a/>", 1, "cannot have"},
		{"times sign in name", "<a×/>", 2, "cannot have"},
		{"two colons", `<a:b:c xmlns:a="u"/>`, 4, "colon"},
		{"colon first", `<:a/>`, 1, "colon"},
		{"colon last", `<a: xmlns:a="u"/>`, 1, "name was expected"},
		{"digit after colon", `<a:1 xmlns:a="u"/>`, 1, "name was expected"},
		{"long name", "<" + strings.Repeat("a", 1025) + "/>", 1, "longer than"},
		{"too deep", strings.Repeat("<a>", 257), 768, "deeper than 256"},
		{"many attributes", `<a` + attributes(65, ` b%d=""`) + `/>`, 441, "more than 64"},
		{"many declarations", `<a` + attributes(256, ` xmlns:b%d="u"`) + `/>`, 3718, "declarations"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := events(NewDecoder([]byte(c.in), Limits{}))
			var s *SyntaxError
			if !errors.As(err, &s) {
				t.Fatalf("%.200s: error = %v, want a SyntaxError with %q; tokens\n%s", c.in, err, c.want, got)
			}
			if !strings.Contains(s.Reason, c.want) || s.Offset != c.offset {
				t.Errorf("%.200s: error = %v, want %q at byte %d", c.in, err, c.want, c.offset)
			}
		})
	}
}

// TestEveryPrefixEnds cuts a document at every byte: no part of it is a document.
func TestEveryPrefixEnds(t *testing.T) {
	whole := "<?xml version=\"1.0\" encoding=\"UTF-8\"?><p:a xmlns:p='urn:é' p:b=\"&lt;\"><!-- é --><c>&#65;é<![CDATA[<]]></c><d/></p:a>"
	if _, err := events(NewDecoder([]byte(whole), Limits{})); err != nil {
		t.Fatal(err)
	}
	for i := range len(whole) {
		var s *SyntaxError
		if got, err := events(NewDecoder([]byte(whole[:i]), Limits{})); !errors.As(err, &s) {
			t.Errorf("%q: error = %v, tokens %s", whole[:i], err, got)
		}
	}
}

// TestLinear counts tokens rather than time: hostile documents of a megabyte and
// more are refused early or read whole.
func TestLinear(t *testing.T) {
	const n = 1_000_000
	var many strings.Builder
	many.WriteString("<a")
	for i := range n {
		fmt.Fprintf(&many, " b%d=''", i)
	}
	many.WriteString("/>")
	var s *SyntaxError
	d := NewDecoder([]byte(many.String()), Limits{})
	if _, err := d.Next(); !errors.As(err, &s) || s.Offset > 1000 {
		t.Errorf("a million attributes: %v", err)
	}
	// Text between many children, which must not be joined again and again, and
	// declarations that every element could keep a copy of.
	var in strings.Builder
	in.WriteString("<a>")
	for range n / 4 {
		in.WriteString("text<b/>")
	}
	in.WriteString("</a>")
	e, err := ParseElement([]byte(in.String()), Limits{})
	if err != nil || len(e.Children) != n/4 || e.Text != "" {
		t.Errorf("a quarter million children: %v", err)
	}
	in.Reset()
	in.WriteString("<a")
	for i := range 250 {
		fmt.Fprintf(&in, " xmlns:p%d='u'", i)
	}
	in.WriteString(">")
	for range n / 4 {
		in.WriteString("<b xmlns='v'/>")
	}
	in.WriteString("</a>")
	if _, err = ParseElement([]byte(in.String()), Limits{}); !errors.As(err, &s) || !strings.Contains(s.Reason, "too many") {
		t.Errorf("declarations to be copied for each element: %v", err)
	}
	if got, err := events(NewDecoder([]byte(in.String()), Limits{})); err != nil || strings.Count(got, "{v}b") != n/2 {
		t.Errorf("the same as tokens: %v", err)
	}
}

func TestLimits(t *testing.T) {
	if _, err := events(NewDecoder([]byte(`<a><b><c/></b></a>`), Limits{Depth: 2})); err == nil {
		t.Error("three levels pass a limit of two")
	}
	if _, err := events(NewDecoder([]byte(`<a b="" c=""/>`), Limits{Attributes: 1})); err == nil {
		t.Error("two attributes pass a limit of one")
	}
}

func TestElement(t *testing.T) {
	e, err := ParseElement([]byte(`<a xmlns="urn:a" xmlns:p="urn:p" k="v"> <p:b>p:x</p:b><c> t<!-- --> </c><d xmlns:p="urn:q"/></a>`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := e.Attr("", "k"); !ok || v != "v" || len(e.Children) != 3 || e.Text != "" {
		t.Errorf("root = %+v", e)
	}
	b, c, d := e.Child("urn:p", "b"), e.Child("urn:a", "c"), e.Child("urn:a", "d")
	if b == nil || b.Text != "p:x" || c == nil || c.Text != " t " || d == nil || e.Child("", "b") != nil {
		t.Fatalf("children = %v %v %v", b, c, d)
	}
	for _, q := range []struct {
		e            *Element
		prefix, want string
		ok           bool
	}{{b, "p", "urn:p", true}, {d, "p", "urn:q", true}, {b, "", "urn:a", true}, {b, "q", "", false}, {b, "xml", xmlSpace, true}} {
		if got, ok := q.e.Resolve(q.prefix); got != q.want || ok != q.ok {
			t.Errorf("Resolve(%q) = %q, %v, want %q, %v", q.prefix, got, ok, q.want, q.ok)
		}
	}
	for _, in := range []string{`<a><b></a>`, `<a/><b/>`, ``, `<a>`} {
		if _, err := ParseElement([]byte(in), Limits{}); err == nil {
			t.Errorf("ParseElement(%s) succeeds", in)
		}
	}
}

func TestRaw(t *testing.T) {
	for _, c := range []struct{ in, content, want string }{
		{`<a/>`, ``, ""},
		{`<a></a>`, ``, ""},
		{`<a> text </a>`, ` text `, "\" text \"\n"},
		{`<a xmlns:p="u"><p:b/>x<c/></a>`, `<p:b/>x<c/>`, "<{u}b>\n</{u}b>\n\"x\"\n<{}c>\n</{}c>\n"},
		{`<a xmlns="u"><b/></a>`, `<b/>`, "<{u}b>\n</{u}b>\n"},
		{`<a xmlns="u"><a><a/></a></a >`, `<a><a/></a>`, "<{u}a>\n<{u}a>\n</{u}a>\n</{u}a>\n"},
		{`<a><![CDATA[<]]><!-- c --></a>`, `<![CDATA[<]]><!-- c -->`, "\"<\"\n"},
	} {
		d := NewDecoder([]byte("<o>"+c.in+"<next/></o>"), Limits{})
		for range 2 {
			if _, err := d.Next(); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := d.ReadRaw()
		if err != nil || string(raw.Content) != c.content {
			t.Errorf("%s: content %q, %v", c.in, raw.Content, err)
			continue
		}
		if next, err := d.Next(); err != nil || next.Local != "next" {
			t.Errorf("%s: then %v, %v", c.in, next, err)
		}
		if got, err := events(raw.Decoder(Limits{})); err != nil || got != c.want {
			t.Errorf("%s: read again\n%s%v, want\n%s", c.in, got, err, c.want)
		}
	}
	for _, bad := range []string{`</a>`, `<a>`, `<?x?>`, `<p:a/>`, `<!DOCTYPE a>`} {
		if got, err := events((Raw{Content: []byte(bad)}).Decoder(Limits{})); err == nil {
			t.Errorf("a Raw of %s passes: %s", bad, got)
		}
	}
	if got, err := events((Raw{Content: []byte(`<a xml:lang="x"/>`)}).Decoder(Limits{})); err != nil {
		t.Errorf("a Raw without bindings: %s %v", got, err)
	}
}

func TestAppend(t *testing.T) {
	for _, c := range []struct{ in, text, attr string }{
		{"", "", ""},
		{"plain é😀", "plain é😀", "plain é😀"},
		{`<&>"'`, `&lt;&amp;&gt;"'`, `&lt;&amp;&gt;&quot;'`},
		{"]]>", "]]&gt;", "]]&gt;"},
		{"a\tb\nc\rd", "a\tb\nc&#13;d", "a&#9;b&#10;c&#13;d"},
		{"\x00\x1f\x7f", "\uFFFD\uFFFD\x7f", "\uFFFD\uFFFD\x7f"},
		{"\xff\xc0\x80\xed\xa0\x80", strings.Repeat("\uFFFD", 6), strings.Repeat("\uFFFD", 6)},
		{"\uFFFD\uFFFE\uFFFF", "\uFFFD\uFFFD\uFFFD", "\uFFFD\uFFFD\uFFFD"},
	} {
		if got := string(AppendText([]byte("_"), c.in)); got != "_"+c.text {
			t.Errorf("AppendText(%q) = %q, want %q", c.in, got, c.text)
		}
		if got := Escape(c.in); got != c.text {
			t.Errorf("Escape(%q) = %q, want %q", c.in, got, c.text)
		}
		if got := string(AppendAttr(nil, c.in)); got != c.attr {
			t.Errorf("AppendAttr(%q) = %q, want %q", c.in, got, c.attr)
		}
	}
}
