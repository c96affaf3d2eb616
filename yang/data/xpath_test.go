package data

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"incidentd/yang/xpath"
)

func TestXPath(t *testing.T) {
	s := testSchema(t)
	n := mustParse(t, s, farm)
	x := &XPath{Schema: s, Root: n}
	ns := xpath.Namespaces{Default: "urn:t", Prefixes: map[string]string{"t": "urn:t", "u": "urn:u"}}
	for _, c := range []struct{ expr, want string }{
		{"/c/s", "/t:c/t:s"},
		{"/c/u:s", "/t:c/t.1:s"},
		{"/l[k='2']/v", "/t:l[t:k='2']/t:v"},
		{"/two[a='1'][b='p']/in", "/t:two[t:b='p'][t:a='1']/t:in[t:k='i'] /t:two[t:b='p'][t:a='1']/t:in[t:k='m']"},
		{"/u[v='1']/k", "/t:u[t:k='z']/t:k /t:u[t:k='x']/t:k"},
		{"/u[k='x'] | /u[k='z']", "/t:u[t:k='z'] /t:u[t:k='x']"},
		{"/c/def", "/t:c/t:def"},
		{"/c/def[. = 'd']", "/t:c/t:def"},
		{"/c/ll[. = 'b']", "/t:c/t:ll[.='b']"},
		{"/c/np/deep/y/../../x", "/t:c/t:np/t:x"},
		{"/c/p", ""},
		{"/c[derived-from(id, 't:animal')]", "/t:c"},
		{"/c[derived-from-or-self(id, 'u:dog')]", "/t:c"},
		{"/c[derived-from(id, 'u:dog')]", ""},
		{"/st/kl[v='1']", "/t:st/t:kl[1] /t:st/t:kl[3]"},
		{"/st/kl[3] | /st/kl[1] | /st/kl[1]", "/t:st/t:kl[1] /t:st/t:kl[3]"},
		{"//y", "/t:c/t:np/t:deep/t:y /t:st/t:kl[1]/t:c/t:y"},
	} {
		e, err := xpath.Compile(c.expr, ns)
		if err != nil {
			t.Fatalf("%s: %v", c.expr, err)
		}
		nodes, err := e.EvalNodes(xpath.Context{Node: x.At(&Loc{nil, n}), Env: x})
		if err != nil {
			t.Fatalf("%s: %v", c.expr, err)
		}
		var got []string
		for _, n := range nodes {
			got = append(got, LocOf(n).String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s = %s, want %s", c.expr, strings.Join(got, " "), c.want)
		}
	}
	for id, want := range map[string]string{
		"/t:l[t:k='2']/t:v": "/t:l[t:k='2']/t:v", "/t:l[t:k='9']": "", "/t:c/t:ll[.='a']": "/t:c/t:ll[.='a']", "/t:st/t:kl[2]": "/t:st/t:kl[2]",
		"/u:c": "", "garbage(": "",
	} {
		got := ""
		if l := x.Instance(id); l != nil {
			got = l.String()
		}
		if id == "/u:c" {
			got = strings.TrimPrefix(got, "/t:c") // a container without presence is always there
		}
		if got != want {
			t.Errorf("Instance(%s) = %q, want %q", id, got, want)
		}
	}
}

// TestXPathNames: a literal that is compared with a name means what it means with the
// prefixes of the expression, here those of a client, and so are names turned into texts.
func TestXPathNames(t *testing.T) {
	s := testSchema(t)
	n := mustParse(t, s, `<c><id>u:dog</id><ids>cat</ids><ids>u:dog</ids><uni>u:dog</uni><ii>/t:c/t:ids[.='u:dog']</ii></c>`)
	x := &XPath{Schema: s, Root: n}
	ns := xpath.Namespaces{Prefixes: map[string]string{"x": "urn:t", "y": "urn:u"}}
	for expr, want := range map[string]bool{
		"/x:c/x:id = 'y:dog'":                      true,
		"' y:dog ' = /x:c/x:id":                    true,
		"/x:c/x:id/text() = 'y:dog'":               true,
		"/x:c/x:id != 'y:dog'":                     false,
		"/x:c/x:id = 'x:dog'":                      false,
		"/x:c/x:id = 'dog'":                        false, // in no namespace
		"/x:c/x:id = 'z:dog'":                      false,
		"starts-with(/x:c/x:id, 'y:')":             true,
		"string(/x:c/x:id) = 'y:dog'":              true,
		"concat('y:', 'dog') = /x:c/x:id":          true,
		"/x:c/x:ids[. = string(/x:c/x:uni)]":       true,
		"contains(/x:c/x:ii, 'y:dog')":             true,
		"/x:c/x:ids[. = 'y:dog']":                  true,
		"/x:c/x:ids = 'x:cat'":                     true,
		"/x:c[x:ids = 'x:cat']/x:id = 'y:dog'":     true,
		"//x:uni[. = 'y:dog']":                     true,
		"//*[. = 'y:dog']":                         true,
		"/x:c/x:ii = '/x:c/x:ids[.=\"y:dog\"]'":    true,
		"/x:c/x:ii = '/x:c/x:ids[.=\"x:cat\"]'":    false,
		"/x:c/x:ii[. = '/x:c/x:ids[.=\"y:dog\"]']": true,
		"/x:c/x:id = /x:c/x:uni":                   true,
	} {
		e, err := xpath.Compile(expr, ns)
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		got, err := e.EvalBool(xpath.Context{Node: x.At(&Loc{nil, n}), Env: x})
		if err != nil || got != want {
			t.Errorf("%s = %v (%v), want %v", expr, got, err, want)
		}
	}
}

func TestDefaultsOfCases(t *testing.T) {
	s, err := yangCompile(`container c { choice ch { default b;
		case a { leaf x { type string; default "1"; } leaf z { type string; } }
		case b { leaf y { type string; default "2"; } } } leaf-list d { type string; default "p"; default "q"; } }`)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{``: "y=2 d=p d=q", `<z>v</z>`: "x=1 z=v d=p d=q", `<y>v</y><d>r</d>`: "y=v d=r"} {
		p := Parser{Schema: s}
		n, err := p.ParseDocument([]byte(`<data xmlns="urn:m"><c>` + in + `</c></data>`))
		if err != nil {
			t.Fatal(err)
		}
		x := &XPath{Schema: s, Root: n}
		var got []string
		x.At(&Loc{nil, n}).Children(func(c xpath.Node) bool {
			c.Children(func(l xpath.Node) bool {
				got = append(got, l.Name().Local+"="+l.Value())
				return true
			})
			return true
		})
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestLeafrefTargets(t *testing.T) {
	s, err := yangCompile(`list l { key "a b"; leaf a { type string; } leaf b { type string; } leaf v { type string; } }
		container r { leaf a { type leafref { path "/m:l/m:a"; } }
			leaf b { type leafref { path "/m:l[m:a=current()/../m:a]/m:b"; } }
			leaf v { type leafref { path "../../m:l[m:a=current()/../m:a][m:b=current()/../m:b]/m:v"; } } }`)
	if err != nil {
		t.Fatal(err)
	}
	p := Parser{Schema: s}
	n, err := p.ParseDocument([]byte(`<data xmlns="urn:m"><l><a>1</a><b>x</b><v>p</v></l><l><a>1</a><b>y</b><v>q</v></l><l><a>2</a><b>z</b></l>` +
		`<r><a>1</a><b>y</b><v>q</v></r></data>`))
	if err != nil {
		t.Fatal(err)
	}
	r := &Loc{&Loc{nil, n}, n.Child("r")}
	for _, c := range []struct {
		leaf    string
		targets string
		has     []string
		hasNot  []string
	}{
		{"a", "1 1 2", []string{"1", "2"}, []string{"3", ""}},
		{"b", "x y", []string{"x", "y"}, []string{"z"}},
		{"v", "q", []string{"q"}, []string{"p"}},
	} {
		l := r.Down(r.Node.Child(c.leaf))
		path := l.Node.schema.Type.Path
		var got []string
		l.Targets(path, n, func(t *Loc) bool {
			got = append(got, t.Node.Value())
			return true
		})
		if strings.Join(got, " ") != c.targets {
			t.Errorf("%s leads to %q, want %s", path.Text, got, c.targets)
		}
		for _, v := range slices.Concat(c.has, c.hasNot) {
			if got, want := l.HasTarget(path, n, v), slices.Contains(c.has, v); got != want {
				t.Errorf("%s has %q: %v, want %v", path.Text, v, got, want)
			}
		}
	}
}

func TestLoader(t *testing.T) {
	s := testSchema(t)
	l := NewLoader(s.Root)
	u, list := s.Root.ChildNamed("u"), s.Root.ChildNamed("l")
	for i, k := range []string{"b", "c", "a"} {
		rank := map[string]int{"a": 2, "b": 0, "c": 1}[k]
		if err := l.Put([]Step{{u, k}}, "", rank); err != nil {
			t.Fatal(err)
		}
		if err := l.Put([]Step{{list, k}, {list.ChildNamed("v"), ""}}, fmt.Sprint(i), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Put([]Step{{s.Root.ChildNamed("two"), "x"}}, "", 0); err == nil {
		t.Error("an entry with one of two keys is taken")
	}
	want := `<l><k>a</k><v>2</v></l><l><k>b</k><v>0</v></l><l><k>c</k><v>1</v></l><u><k>b</k></u><u><k>c</k></u><u><k>a</k></u>`
	if got := form(l.Tree()); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestStateOf(t *testing.T) {
	s := testSchema(t)
	n := mustParse(t, s, `<c><s>x</s><state>on</state></c><l><k>1</k></l><st><sl>y</sl></st>`)
	if got, want := form(StateOf(n)), `<c><state>on</state></c><st><sl>y</sl></st>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if StateOf(mustParse(t, s, `<l><k>1</k></l>`)) != nil || StateOf(nil) != nil {
		t.Error("there is state where there is none")
	}
	if !Equal(Merge(StateOf(n), n), n) {
		t.Error("the state is no part of the tree")
	}
}
