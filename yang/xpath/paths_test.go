package xpath

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResults(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{"1 + 2", ""},
		{"/a/b[c = ../d]", "/a/b"},
		{"/a/b | /a/c[2]/d", "/a/b /a/c/d"},
		{"/a//b", "/a//"},
		{"/a/*", "/a//"},
		{"/a/b/../c", "/a/c"},
		{"//b", "///"},
		{"deref(/a)", "?"},
		{"count(/a)", ""},
	} {
		var got []string
		for _, p := range mustCompile(t, tt.expr, testNamespaces).Results() {
			s := shortPath(p)
			if p.Below {
				s += "//"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("Results of %s = %q, want %q", tt.expr, s, tt.want)
		}
	}
}

// shortPath writes a Path as text: / for the root, ^ for each parent, ? for anything.
func shortPath(p Path) string {
	if p.Anything {
		return "?"
	}
	s := strings.Repeat("^", p.Ups)
	if p.Absolute {
		s = "/"
	}
	names := make([]string, len(p.Names))
	for i, n := range p.Names {
		names[i] = n.Local
		if n.Space != "" {
			names[i] = n.Space + "#" + n.Local
		}
	}
	return s + strings.Join(names, "/")
}

func TestPaths(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"1 + 2", ""},
		{"true()", ""},
		{"a", "a"},
		{".", "."},
		{". = 'x'", "."},
		{"string()", "."},
		{"..", "^"},
		{"../a", "^a"},
		{"../../a/b", "^^a/b"},
		{"/a/p:b", "/a/urn:p#b"},
		{"a or not(../b) and c = 'x'", "a ^b c"},
		{"a = 'x'", "a"},
		{"count(a) > sum(b)", "a b"},
		{"/n/w[id=current()/../ref]/x", "/n/w/id ^ref /n/w/x"},
		{"/n/w[id='a'][v]/x", "/n/w/id /n/w/v /n/w/x"},
		{"/n/w[../v]/x", "/n/w /n/v /n/w/x"},
		{"/n/w[2]/x", "/n/w /n/w/x"},
		{"/n/w[position() = last()]/x", "/n/w /n/w/x"},
		{"a/../b", "a b"},
		{"a/b/../..", "a/b a ."},
		{"a | ../b", "a ^b"},
		{"(a | ../b)/c", "a ^b a/c ^b/c"},
		{"(a | b)[c]/d", "a b a/c b/c a/d b/d"},
		{"a//b", "a"},
		{"//b", "/"},
		{"a/*/b", "a"},
		{"a/*/..", "a"},
		{"a/*/../../b", "a ."},
		{"a//b/../c", "a"},
		{"*", "."},
		{"a/text()", "a"},
		{"a/node()", "a"},
		{"a/@x", ""},
		{"comment()", ""},
		{"a/following-sibling::b", "a b"},
		{"preceding-sibling::b", "^b"},
		{"preceding-sibling::*", "^"},
		{"ancestor::a", "?"},
		{"a/following::b", "?"},
		{"deref(a)/../b", "?"},
		{"current()", "."},
		{"current()/a", "a"},
		{"a[current()/b]", "b a"},
		{"derived-from-or-self(../type, 'p:x')", "^type"},
		{"../../../x", "^^^x"},
		{"/..", ""},
		{"self::a/b", "b"},
		{"re-match(a, b)", "a b"},
		{"id(a)", "a"},
		{"-a", "a"},
		{"a[. = 'x']/b", "a a/b"},
		{"a[string() = 'x']/b", "a a/b"},
	}
	for _, tt := range tests {
		var got []string
		for _, p := range mustCompile(t, tt.expr, testNamespaces).Paths() {
			s := shortPath(p)
			if s == "" {
				s = "."
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("Paths of %s = %q, want %q", tt.expr, s, tt.want)
		}
	}

	var many strings.Builder
	many.WriteString("a")
	for i := range maxPaths {
		many.WriteString(" or a" + strings.Repeat("x", i+1))
	}
	if got := mustCompile(t, many.String(), testNamespaces).Paths(); !cmp.Equal(got, []Path{{Anything: true}}) {
		t.Errorf("of too many paths there are %d", len(got))
	}
	deep := "a"
	for range 30 {
		deep = "(b | c)[" + deep + "]"
	}
	if got := mustCompile(t, deep, testNamespaces).Paths(); len(got) == 0 || len(got) > maxPaths {
		t.Errorf("of nested unions there are %d paths", len(got))
	}
}

func TestInstanceIdentifier(t *testing.T) {
	xml := Namespaces{Prefixes: map[string]string{"n": "urn:nw", "p": "urn:p"}}
	n := func(local string) Name { return Name{"urn:nw", local} }
	tests := []struct {
		text    string
		inherit bool
		want    InstanceIdentifier
		format  string
	}{
		{"/n:a", false, InstanceIdentifier{{Name: n("a")}}, "/n:a"},
		{"/n:a/p:b", false, InstanceIdentifier{{Name: n("a")}, {Name: Name{"urn:p", "b"}}}, "/n:a/p:b"},
		{"/n:a/b/p:c/d", true, InstanceIdentifier{{Name: n("a")}, {Name: n("b")}, {Name: Name{"urn:p", "c"}},
			{Name: Name{"urn:p", "d"}}}, "/n:a/n:b/p:c/p:d"},
		{"/n:a[n:k='1'] [ n:l = \"it's\" ]/n:b", false, InstanceIdentifier{{Name: n("a"),
			Keys: []KeyValue{{n("k"), "1"}, {n("l"), "it's"}}}, {Name: n("b")}}, `/n:a[n:k='1'][n:l="it's"]/n:b`},
		{"/n:a[k='1']", true, InstanceIdentifier{{Name: n("a"), Keys: []KeyValue{{n("k"), "1"}}}}, "/n:a[n:k='1']"},
		{"/n:a[.='x']", false, InstanceIdentifier{{Name: n("a"), HasValue: true, Value: "x"}}, "/n:a[.='x']"},
		{"/n:a[3]", false, InstanceIdentifier{{Name: n("a"), Position: 3}}, "/n:a[3]"},
	}
	for _, tt := range tests {
		id, err := ParseInstanceIdentifier(tt.text, xml, tt.inherit)
		if diff := cmp.Diff(tt.want, id); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", tt.text, err, diff)
		}
		got, err := id.Format(func(space string) string { return strings.TrimPrefix(space, "urn:")[:1] })
		if err != nil || got != tt.format {
			t.Errorf("Format of %s = %s, %v, want %s", tt.text, got, err, tt.format)
		}
	}
	for _, bad := range []string{"", "/", "n:a", "/a", "/n:a/b", "/x:a", "/n:*", "/n:a/", "//n:a", "/n:a[1][2]", "/n:a[0]",
		"/n:a[1.5]", "/n:a[n:k=1]", "/n:a[n:k]", "/n:a[k='1']", "/n:a[.='x'][.='y']", "/n:a[n:k='1'][2]", "/n:a[n:k='1'][n:k='2']",
		"/n:a[n:k='1'", "/n:a[]", "/n:a/..", "/n:a/@n:b", "/n:a[n:k!='1']", "/n:a n:b", "/n:a[-1]", "/n:a/text()",
		"/n:a[99999999999999999999]", "/n:a[n:k='1'][.='2']"} {
		if id, err := ParseInstanceIdentifier(bad, xml, false); err == nil {
			t.Errorf("%s is accepted: %v", bad, id)
		} else if _, ok := err.(*SyntaxError); !ok {
			t.Errorf("%s: %T", bad, err)
		}
	}
	id := InstanceIdentifier{{Name: n("a"), HasValue: true, Value: `'"`}}
	if s, err := id.Format(func(string) string { return "" }); err == nil {
		t.Errorf("both quotes: %s", s)
	}
	id[0] = InstanceStep{Name: n("a"), Keys: []KeyValue{{n("k"), `'"`}}}
	if s, err := id.Format(func(string) string { return "" }); err == nil {
		t.Errorf("both quotes in a key: %s", s)
	}
}

func TestInstanceIdentifierFind(t *testing.T) {
	ns := Namespaces{Default: "urn:nw"}
	tests := []struct{ id, want string }{
		{"/nws", "e1"},
		{"/nws/mode", "e17"},
		{"/nws/nw[id='opt']", "e12"},
		{"/nws/nw[id='opt']/node[id='O1']/id", "e16"},
		{"/nws/nw[id='ip']/node[id='P1']/sup[noderef='O1'][nwref='opt']", "e7"},
		{"/nws/nw[id='ip']/node[id='P1']/sup[noderef='O1']", ""},
		{"/nws/nw[id='none']", ""},
		{"/nws/nw[kind='none']", ""},
		{"/nws/nw", ""},
		{"/nws/none/x", ""},
		{"/nws/nw[2]", "e12"},
		{"/nws/nw[3]", ""},
		{"/nws/mode[.='up=7']", "e17"},
		{"/nws/mode[.='x']", ""},
	}
	root := parseTree(t, network, networkLists)
	for _, tt := range tests {
		id, err := ParseInstanceIdentifier(tt.id, ns, false)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if n := id.Find(root); n != nil {
			got = label(n)
		}
		if got != tt.want {
			t.Errorf("Find(%s) = %s, want %s", tt.id, got, tt.want)
		}
	}
	tags, err := ParseInstanceIdentifier("/n:r/n:item[n:id='a']/n:tag[.='y']", Namespaces{Prefixes: map[string]string{"n": "urn:nw"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tags {
		tags[i].Name.Space = "" // the sample tree has no namespace
		for j := range tags[i].Keys {
			tags[i].Keys[j].Name.Space = ""
		}
	}
	if n := tags.Find(readTree(t, testLists)); n == nil || label(n) != "e7" {
		t.Errorf("in a leaf-list: %v", n)
	}
}
