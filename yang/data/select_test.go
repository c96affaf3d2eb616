package data

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"incidentd/yang/rpcerr"
	"incidentd/yang/xpath"
)

// names are the prefixes of the expressions, as XML has them: without a default.
var names = xpath.Namespaces{Prefixes: map[string]string{"t": "urn:t", "u": "urn:u"}}

func TestXPathFilter(t *testing.T) {
	s := testSchema(t)
	n := mustParse(t, s, farm)
	const nothing = "nothing"
	for _, c := range []struct{ name, expr, want string }{
		{"a leaf", `/t:top`, `<top>hello</top>`},
		{"relative to the root", `t:top`, `<top>hello</top>`},
		{"an entry by key", `/t:l[t:k='2']`, `<l><k>2</k><v>red</v><w>two</w></l>`},
		{"entries by another leaf", `/t:l[t:v='red']/t:w`, `<l><k>1</k><w>one</w></l><l><k>2</k><w>two</w></l>`},
		{"by two keys", `/t:two[t:b='p'][t:a=1]/t:in[t:k='m']/t:v`, `<two><b>p</b><a>1</a><in><k>m</k><v>n</v></in></two>`},
		{"a key alone", `/t:l[2]/t:k`, `<l><k>2</k></l>`},
		{"the user's order stays", `/t:u[t:v='1']`, `<u><k>z</k><v>1</v></u><u><k>x</k><v>1</v></u>`},
		{"within what is selected", `/t:l[t:k='1'] | /t:l/t:v`, `<l><k>1</k><v>red</v><w>one</w></l><l><k>2</k><v>red</v></l><l><k>3</k><v>blue</v></l>`},
		{"values of a leaf-list", `/t:c/t:ll[.='b']`, `<c><ll>b</ll></c>`},
		{"entries without keys", `/t:st/t:kl[t:v='1']/t:c/t:x`, `<st><kl><c><x>a</x></c></kl></st>`},
		{"equal entries without keys", `/t:st/t:kl[t:v='1']/t:v`, `<st><kl><v>1</v></kl><kl><v>1</v></kl></st>`},
		{"texts", `/t:c/t:np//text()`, `<c><np><x>1</x><deep><y>2</y></deep></np></c>`},
		{"another module's", `/t:c/u:s | /t:c/t:s`, `<c><s>text</s><s xmlns="urn:u">other</s></c>`},
		{"no prefix is no namespace", `/top | //s`, nothing},
		{"no such node", `/t:nosuch | /t:l[t:k='9']`, nothing},
		{"upwards", `/t:c/t:np/t:x/../t:deep`, `<c><np><deep><y>2</y></deep></np></c>`},
		{"in any order", `/t:top | /t:l[t:k='3'] | /t:l[t:k='1']/t:k`, `<l><k>1</k></l><l><k>3</k><v>blue</v></l><top>hello</top>`},
		{"everything", `/`, form(n)},
		{"all nodes", `//node()`, form(n)},
		{"identities", `/t:c[derived-from(t:id, 't:animal')]/t:b`, `<c><b>true</b></c>`},
		{"an absent default is not set", `/t:c/t:def`, nothing},
		{"but it is there to be asked", `/t:c[t:def='d']/t:b`, `<c><b>true</b></c>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := NewXPathFilter(s, c.expr, names)
			if err != nil {
				t.Fatal(err)
			}
			got := selected(t, f, n)
			if form(got) != c.want {
				t.Errorf("\n got %s\nwant %s", form(got), c.want)
			}
			for _, top := range s.Root.Data {
				if got.kid(top) != nil && !f.Touches(top) {
					t.Errorf("selects of %s, but does not touch it", top.Path())
				}
			}
		})
	}
}

// What a filter cannot look at is not made.
func TestXPathFilterTouches(t *testing.T) {
	s := testSchema(t)
	for _, c := range []struct{ expr, want string }{
		{`/t:top`, "top"}, {`t:c/t:np | /t:l[t:k=/t:top]`, "c l top"}, {`/t:nosuch`, ""}, {`/t:c/../t:l`, "c l"},
		{`//t:k`, "*"}, {`/`, "*"}, {`/t:*`, "*"}, {`deref(/t:c/t:ref)`, "*"},
	} {
		f, err := NewXPathFilter(s, c.expr, names)
		if err != nil {
			t.Fatal(err)
		}
		var touched []string
		for _, top := range s.Root.Data {
			if f.Touches(top) {
				touched = append(touched, top.Name)
			}
		}
		got := strings.Join(touched, " ")
		if len(touched) == len(s.Root.Data) {
			got = "*"
		}
		if got != c.want {
			t.Errorf("%s touches %q, want %q", c.expr, got, c.want)
		}
	}
}

// No expression takes longer than its budget.
func TestXPathFilterBudget(t *testing.T) {
	s := testSchema(t)
	var in strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&in, "<l><k>%d</k></l>", i)
	}
	n := mustParse(t, s, in.String())
	f, err := NewXPathFilter(s, `/t:l[count(/t:l[t:k=current()/t:l/t:k]) > 1]`, names)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Select(n, Explicit)
	var e *rpcerr.Error
	if !errors.As(err, &e) || e.Tag != rpcerr.TagResourceDenied {
		t.Errorf("Select = %v, want resource-denied", err)
	}
}

func TestXPathFilterMatches(t *testing.T) {
	s := testSchema(t)
	note := Build(s.Notification("t", "note")).Leaf("a", "x").Container("c").Leaf("b", "y").Node()
	for _, c := range []struct {
		expr string
		want bool
	}{
		{`/t:note`, true}, {`t:note/t:a`, true}, {`/t:note[t:a='x']`, true}, {`/t:note[t:a='y']`, false}, {`//t:b[.='y']`, true},
		{`/u:note`, false}, {`/t:top`, false}, {`/*`, true}, {`/t:note/t:c/..`, true},
	} {
		f, err := NewXPathFilter(s, c.expr, names)
		if err != nil {
			t.Fatal(err)
		}
		if got := matches(t, f, note); got != c.want {
			t.Errorf("%s matches: %v, want %v", c.expr, got, c.want)
		}
	}
}

func TestXPathFilterErrors(t *testing.T) {
	s := testSchema(t)
	if _, err := NewXPathFilter(s, `count(/t:l)`, names); !errors.Is(err, xpath.ErrNotNodeSet) {
		t.Errorf("a number: %v", err)
	}
	var syntax *xpath.SyntaxError
	if _, err := NewXPathFilter(s, `/x:l`, names); !errors.As(err, &syntax) || syntax.Offset != 1 {
		t.Errorf("an unknown prefix: %v", err)
	}
}

// FuzzXPathFilter: whatever the expression, what it selects is a part of the tree.
func FuzzXPathFilter(f *testing.F) {
	for _, in := range []string{`/t:l[t:k='1']/t:v`, `//t:v | /t:c`, `/t:two/t:in[1]`, `//text()`, `/t:u[last()]/preceding::*`} {
		f.Add(in)
	}
	s := testSchema(f)
	n := mustParse(f, s, farm)
	f.Fuzz(func(t *testing.T, expr string) {
		filter, err := NewXPathFilter(s, expr, names)
		if err != nil {
			return
		}
		got, err := filter.Select(n, Explicit)
		if err != nil || got == nil {
			return
		}
		if st := s.Root.ChildNamed("st"); got.Get(st) != nil { // entries without keys are no part by key
			got = got.Without(st, "")
		}
		Diff(got, n, func(_ *Loc, was, is *Node) bool {
			if is == nil {
				t.Errorf("%s: %s is not in the tree", expr, AppendXML(nil, was, ""))
			}
			return true
		})
	})
}
