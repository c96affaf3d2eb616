package data

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
)

// TestParseJSON reads what XML says as well, and comes to the same tree.
func TestParseJSON(t *testing.T) {
	s := testSchema(t)
	p := Parser{Schema: s, State: true}
	for _, c := range []struct{ json, xml string }{
		{`{}`, ``},
		{` { "t:top" : "a\"\u003c\u00e9\n" } `, `<top>a"&lt;é` + "\n" + `</top>`},
		{`{"t:c":{"n":5,"e":[null],"b":true,"big":"18446744073709551615","dec":"1.50","bits":"two one"}}`,
			`<c><n>5</n><e/><b>true</b><big>18446744073709551615</big><dec>1.5</dec><bits>one two</bits></c>`},
		{`{"t:c":{"id":"u:dog","ids":["cat","u:dog","t:cat"]}}`, "bad-element"},
		{`{"t:c":{"id":"u:dog","ids":["cat","u:dog"]}}`, `<c><id>u:dog</id><ids>cat</ids><ids>u:dog</ids></c>`},
		{`{"t:c":{"u:s":"x","u:ul2":[{"k":"1"}]},"u:c":{"z":"1"}}`, `<c><u:s>x</u:s><u:ul2><u:k>1</u:k></u:ul2></c><u:c><u:z>1</u:z></u:c>`},
		{`{"t:c":{"uni":7}}`, `<c><uni>7</uni></c>`},
		{`{"t:c":{"uni":"7"}}`, `<c><uni>7</uni></c>`},
		{`{"t:c":{"uni":"t:cat"}}`, `<c><uni>t:cat</uni></c>`},
		{`{"t:c":{"ref":"01","p":{},"np":{}}}`, `<c><ref>01</ref><p/></c>`},
		{`{"t:c":{"ii":"/t:two[b='t:x'][a=\"1\"]/in[k='/t:y']/v"}}`, `<c><ii>/t:two[t:b='t:x'][t:a="1"]/t:in[t:k='/t:y']/t:v</ii></c>`},
		{`{"t:c":{"ii":"/t:l[k='1']/u:more"}}`, `<c><ii>/t:l[t:k='1']/u:more</ii></c>`},
		{`{"t:l":[{"v":"x","k":"2"},{"k":"1","u:more":"m"}]}`, `<l><k>2</k><v>x</v></l><l><k>1</k><u:more>m</u:more></l>`},
		{`{"t:two":[{"a":1,"b":"x"}],"t:u":[]}`, `<two><a>1</a><b>x</b></two>`},
		{`{"t:st":{"kl":[{"v":"1"},{"v":"1"}],"sl":["x","x"]}}`, `<st><kl><v>1</v></kl><kl><v>1</v></kl><sl>x</sl><sl>x</sl></st>`},
	} {
		got, err := p.ParseJSON([]byte(c.json), s.Root)
		if !strings.HasPrefix(c.xml, "<") && c.xml != "" {
			if list, _ := rpcerr.List(err); err == nil || string(list[0].Tag) != c.xml {
				t.Errorf("%s: %v, want %s", c.json, err, c.xml)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.json, err)
			continue
		}
		if diff := cmp.Diff(form(mustParse(t, s, c.xml)), form(got)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.json, diff)
		}
	}
}

// TestParseJSONErrors compares with the errors of the same faults in XML: tag,
// path and element.
func TestParseJSONErrors(t *testing.T) {
	s := testSchema(t)
	p := Parser{Schema: s}
	first := func(err error) string {
		list, known := rpcerr.List(err)
		if err == nil || !known {
			t.Fatalf("%v is no rpc-error", err)
		}
		var out []string
		for _, e := range list {
			line := string(e.Tag) + " " + e.AppTag + " " + e.Path.Expr
			for _, i := range e.Info {
				line += " " + i.Value
			}
			out = append(out, line)
		}
		return strings.Join(out, "\n")
	}
	for _, c := range []struct{ json, xml string }{
		{`{"t:nosuch":{"x":[1,{}]},"t:top":"x"}`, `<nosuch/>`},
		{`{"t:c":{"nosuch":1}}`, `<c><nosuch>1</nosuch></c>`},
		{`{"t:c":{"n":300}}`, `<c><n>300</n></c>`},
		{`{"t:c":{"n":101}}`, `<c><n>101</n></c>`},
		{`{"t:c":{"n":"5"}}`, `<c><n>x</n></c>`},
		{`{"t:c":{"n":5.0}}`, `<c><n>5.0</n></c>`},
		{`{"t:c":{"n":[5]}}`, `<c><n>x</n></c>`},
		{`{"t:c":{"n":{"x":[]}}}`, `<c><n>x</n></c>`},
		{`{"t:c":{"n":null}}`, `<c><n>x</n></c>`},
		{`{"t:c":{"b":"true"}}`, `<c><b>x</b></c>`},
		{`{"t:c":{"big":5}}`, `<c><big>x</big></c>`},
		{`{"t:c":{"e":null}}`, `<c><e>x</e></c>`},
		{`{"t:c":{"e":[null,null]}}`, `<c><e>x</e></c>`},
		{`{"t:c":{"id":"mouse"}}`, `<c><id>mouse</id></c>`},
		{`{"t:c":{"state":"x"}}`, `<c><state>x</state></c>`},
		{`{"t:l":[{"v":"x"}]}`, `<l><v>x</v></l>`},
		{`{"t:two":[{"b":"k","a":"x"}]}`, `<two><b>k</b><a>x</a></two>`},
		{`{"t:l":[{"k":"1"},{"k":"1"}]}`, `<l><k>1</k></l><l><k>1</k></l>`},
		{`{"t:top":"x","t:top":"y"}`, `<top>x</top><top>y</top>`},
		{`{"t:c":{"p":{},"p":{}}}`, `<c><p/><p/></c>`},
	} {
		_, err := p.ParseJSON([]byte(c.json), s.Root)
		_, want := p.ParseDocument([]byte(namespaces + c.xml + "</data>"))
		if diff := cmp.Diff(first(want), first(err)); diff != "" {
			t.Errorf("%s: (-XML +JSON)\n%s", c.json, diff)
		}
	}
	for in, want := range map[string]string{
		`{"top":"x"}`:                   "unknown-element  / top",
		`{"z:top":"x"}`:                 "unknown-namespace  / top z",
		`{"t:l":{"k":"1"}}`:             "invalid-value  /t:l l",
		`{"t:c":[]}`:                    "invalid-value  /t:c c",
		`{"t:top":"\u0000"}`:            "invalid-value  /t:top top",
		`{"t:c":{"@x":{}}}`:             "unknown-attribute  /t:c @x c",
		`{"t:c":{"@s":[]}}`:             "bad-attribute  /t:c @ s",
		`{"t:c":{"@s":{"t:mark":"x"}}}`: "unknown-attribute  /t:c t:mark s",
	} {
		if _, err := p.ParseJSON([]byte(in), s.Root); first(err) != want {
			t.Errorf("%s: %s, want %s", in, first(err), want)
		}
	}
	for _, in := range []string{``, `[]`, `{`, `{"t:top"}`, `{"t:top":"x"`, `{"t:top":"x"} x`, `{"t:top":'x'}`, "{\"t:top\":\"\xff\"}", `{"t:c":{"any":{]}}`,
		`{"t:nosuch":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`} {
		var syntax *JSONError
		if _, err := p.ParseJSON([]byte(in), s.Root); !errors.As(err, &syntax) {
			t.Errorf("%.40s: %v is no JSONError", in, err)
		}
	}
}

// TestJSONMetadata: annotations of the schema are understood wherever RFC 7952 section
// 5.2 has them, and leave no trace; others are refused.
func TestJSONMetadata(t *testing.T) {
	s := embeddedSchema(t)
	p := Parser{Schema: s}
	const network = `{"ietf-network:networks":{"@":{"ietf-origin:origin":"intended"},"network":[{"@":{"ietf-origin:origin":"ietf-origin:system"},` +
		`"network-id":"n","@network-id":{"ietf-origin:origin":"ietf-origin:learned"}}]}}`
	n, err := p.ParseJSON([]byte(network), s.Root)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(AppendChildrenJSON(nil, n, nil)), `{"ietf-network:networks":{"network":[{"network-id":"n"}]}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for in, want := range map[string]string{
		`{"ietf-system:system":{"contact":"x","@contact":{"ietf-netconf-with-defaults:default":true}}}`:                  "",
		`{"ietf-system:system":{"dns-resolver":{"search":["a","b"],"@search":[null,{"ietf-origin:origin":"default"}]}}}`: "",
		`{"ietf-system:system":{"@contact":{"ietf-origin:origin":"nowhere"}}}`:                                           `bad-attribute: attribute "ietf-origin:origin" of <contact>: the module ietf-origin has no identity "nowhere" [/sys:system]`,
		`{"ietf-system:system":{"@contact":{"ietf-origin:origin":{}}}}`:                                                  `bad-attribute: attribute "ietf-origin:origin" of <contact>: a leaf is no object [/sys:system]`,
		`{"ietf-system:system":{"@contact":{"ietf-netconf-with-defaults:default":"true"}}}`:                              `bad-attribute: attribute "ietf-netconf-with-defaults:default" of <contact>: it is a string, where true or false belongs [/sys:system]`,
		`{"ietf-system:system":{"@clock":{"ietf-origin:origin":"system"}}}`:                                              `unknown-attribute: <system> may not have the attribute "@clock" [/sys:system]`,
		`{"ietf-system:system":{"dns-resolver":{"@search":{}}}}`:                                                         `bad-attribute: attribute "@search" of <search>: the annotations of a leaf-list are an array [/sys:system/sys:dns-resolver/sys:search]`,
		`{"ietf-system:system":{"dns-resolver":{"@search":[7]}}}`:                                                        `bad-attribute: attribute "@" of <search>: annotations are an object [/sys:system/sys:dns-resolver]`,
	} {
		_, err := p.ParseJSON([]byte(in), s.Root)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", in, got, want)
		}
	}
	q := Parser{Schema: testSchema(t)}
	tree, err := q.ParseJSON([]byte(`{"t:c":{"any":{"@":{"x:y":1},"t:top":"v","@t:top":{"x:y":[]}}}}`), q.Schema.Root)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(AppendChildrenJSON(nil, tree, nil)), `{"t:c":{"any":{"t:top":"v"}}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestJSONAnydata has the content of anydata as an object, where its modules are
// known.
func TestJSONAnydata(t *testing.T) {
	s := testSchema(t)
	p := Parser{Schema: s}
	for _, c := range []struct{ xml, json string }{
		{`<top>x</top>`, `{"t:c":{"any":{"t:top":"x"}}}`},
		{`<l><k>1</k><u:more>m</u:more></l><l><k>2</k></l><top/>`, `{"t:c":{"any":{"t:l":[{"k":"1","u:more":"m"},{"k":"2"}],"t:top":""}}}`},
		{`some text`, `{"t:c":{"any":"some text"}}`},
		{`<x xmlns="urn:unknown"/>`, `{"t:c":{"any":"\u003cx xmlns=\"urn:unknown\"/\u003e"}}`},
		{`<top a="1">x</top>`, `{"t:c":{"any":"\u003ctop a=\"1\"\u003ex\u003c/top\u003e"}}`},
	} {
		got := string(AppendChildrenJSON(nil, mustParse(t, s, "<c><any>"+c.xml+"</any></c>"), nil))
		if got != c.json {
			t.Errorf("%s:\ngot  %s\nwant %s", c.xml, got, c.json)
		}
		back, err := p.ParseJSON([]byte(got), s.Root)
		if err != nil {
			t.Errorf("%s: %v", got, err)
			continue
		}
		if again := string(AppendChildrenJSON(nil, back, nil)); again != c.json {
			t.Errorf("%s came back as %s", c.json, again)
		}
	}
}

// FuzzParseJSON: no input makes it panic, and a tree survives the way through JSON
// and through XML.
func FuzzParseJSON(f *testing.F) {
	for _, in := range []string{`{"t:top":"x"}`, `{"t:c":{"n":5,"e":[null],"b":true,"big":"1","dec":"1.50","id":"u:dog","ids":["cat"],"uni":"t:cat","ul":["b","a"],"any":{"t:top":[1,{}]},"xml":"<a/>"}}`,
		`{"t:l":[{"k":"1","u:more":"m"}],"t:c":{"ii":"/t:l[k='1']/u:more"}}`, `{"t:two":[{"a":1,"b":"x","in":[{"k":"y"}]}]}`, `{"@x":{}}`} {
		f.Add([]byte(in))
	}
	s := testSchema(f)
	p := Parser{Schema: s, State: true}
	f.Fuzz(func(t *testing.T, in []byte) {
		tree, err := p.ParseJSON(in, s.Root)
		if err != nil {
			var syntax *JSONError
			if _, known := rpcerr.List(err); !known && !errors.As(err, &syntax) {
				t.Fatalf("%q: %v", in, err)
			}
			return
		}
		text := AppendChildrenJSON(nil, tree, nil)
		again, err := p.ParseJSON(text, s.Root)
		if err != nil {
			t.Fatalf("%q became %q: %v", in, text, err)
		}
		if back := AppendChildrenJSON(nil, again, nil); string(back) != string(text) {
			t.Fatalf("%q became %q and then %q", in, text, back)
		}
		if hasAny(tree) {
			return // how content is written is free
		}
		xml := append(AppendChildrenXML([]byte(`<data xmlns="urn:t">`), tree, "urn:t"), "</data>"...)
		fromXML, err := p.ParseDocument(xml)
		if err != nil {
			t.Fatalf("%q became %q: %v", in, xml, err)
		}
		if !Equal(tree, again) || string(AppendChildrenJSON(nil, fromXML, nil)) != string(text) {
			t.Fatalf("%q became %q and %q", in, text, xml)
		}
	})
}

func hasAny(n *Node) bool {
	found := n.schema.Kind == yang.AnyData || n.schema.Kind == yang.AnyXML
	for c := range n.Children() {
		found = found || hasAny(c)
	}
	return found
}
