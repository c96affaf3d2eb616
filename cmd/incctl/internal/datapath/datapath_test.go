package datapath

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/data"
)

const module = `module net {
  yang-version 1.1;
  namespace "urn:net";
  prefix n;
  identity kind;
  identity core { base kind; }
  identity edge { base kind; }
  container net {
    list node {
      key "site name";
      leaf site { type string; }
      leaf name { type string; }
      leaf kind { type identityref { base kind; } }
      leaf state { type enumeration { enum up; enum down; } config false; }
      leaf-list tag { type string; }
      container place { leaf floor { type int8; } leaf lit { type boolean; } }
    }
    list log { config false; leaf text { type string; } }
  }
  leaf shared { type string; }
}`

const other = `module other {
  yang-version 1.1;
  namespace "urn:other";
  prefix o;
  import net { prefix net; }
  identity edge { base net:kind; }
  leaf shared { type string; }
  augment "/net:net/net:node" { leaf tag { type bits { bit red; bit green; } } leaf weight { type uint8; } }
}`

func schema(t testing.TB) *yang.Schema {
	t.Helper()
	s, err := yang.CompileFiles([]yang.File{{Name: "net.yang", Text: []byte(module)}, {Name: "other.yang", Text: []byte(other)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	s := schema(t)
	for _, tt := range []struct{ text, want, filter string }{
		{"/", "/", ""},
		{"", "/", ""},
		{"/net", "/net", `<net xmlns="urn:net"/>`},
		{"net//node/", "/net/node", `<net xmlns="urn:net"><node/></net>`},
		{"/n:net/net:node=a,b", "/net/node=a,b", `<net xmlns="urn:net"><node><site>a</site><name>b</name></node></net>`},
		{"/net/node[name='b/c'][site=\"a'\"]", "/net/node=a%27,b%2Fc", `<net xmlns="urn:net"><node><site>a'</site><name>b/c</name></node></net>`},
		{"/net/node[n:site = a][name= ']' ]/weight", "/net/node=a,%5D/weight", `<net xmlns="urn:net"><node><site>a</site><name>]</name><weight xmlns="urn:other"/></node></net>`},
		{"/net/node=%2C%25,ü%C2%85", "/net/node=%2C%25,ü%C2%85", "<net xmlns=\"urn:net\"><node><site>,%</site><name>ü\u0085</name></node></net>"},
		{"/net/node=,", "/net/node=,", `<net xmlns="urn:net"><node><site></site><name></name></node></net>`},
		{"/net/node=a,b/tag=x,y", "/net/node=a,b/net:tag=x%2Cy", `<net xmlns="urn:net"><node><site>a</site><name>b</name><tag>x,y</tag></node></net>`},
		{"/net/node=a,b/net:tag[.='z']", "/net/node=a,b/net:tag=z", `<net xmlns="urn:net"><node><site>a</site><name>b</name><tag>z</tag></node></net>`},
		{"/net/node=a,b/other:tag", "/net/node=a,b/other:tag", `<net xmlns="urn:net"><node><site>a</site><name>b</name><tag xmlns="urn:other"/></node></net>`},
		{"/net/node=a,b/../node=c,d/./place/floor", "/net/node=c,d/place/floor", `<net xmlns="urn:net"><node><site>c</site><name>d</name><place><floor/></place></node></net>`},
		{"/net/../..", "/", ""},
		{"/o:shared", "/other:shared", `<shared xmlns="urn:other"/>`},
	} {
		p, err := Parse(Top(s), tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		if got := p.String(); got != tt.want {
			t.Errorf("Parse(%q) = %s, want %s", tt.text, got, tt.want)
		}
		if got := p.Filter(); got != tt.filter {
			t.Errorf("filter of %q = %s, want %s", tt.text, got, tt.filter)
		}
	}
}

func TestParseFaults(t *testing.T) {
	s := schema(t)
	for _, tt := range []struct{ text, want string }{
		{"/nett", "nett: there is no such node in /; did you mean net?"},
		{"/floor", "floor: there is no such node in /; did you mean net/node/place/floor?"},
		{"/shared", "shared: several modules have this name; did you mean net:shared or other:shared?"},
		{"/net/ndoe=a,b", "ndoe: there is no such node in /net; did you mean node?"},
		{"/net/node=a,b/wieght", "wieght: there is no such node in /net/node=a,b; did you mean weight?"},
		{"/x:net", "x:net: there is no such node in /; did you mean net?"},
		{"/net/node=a", "node=a: 1 of the 2 keys (site, name) are given"},
		{"/net=a", "net=a: net is a container and has no entries"},
		{"/net/log=1", "log=1: the list has no keys"},
		{"/net/node=%zz,b", `node=%zz,b: "%zz" is no key: a percent sign is written %25`},
		{"/net/node[site='a']", "node[site='a']: the key name is missing"},
		{"/net/node[site='a'][name='b'][x='y']", "node[site='a'][name='b'][x='y']: x is no key of node; its keys are site, name"},
		{"/net/node[site='a'", "node[site='a': a bracket is not closed"},
		{"/net/node[site='a'][name]", `node[site='a'][name]: "[name]" is not of the form [key='value']`},
		{"/net/node[site='a'][name='b']x", `node[site='a'][name='b']x: "x" follows the predicates`},
		{"/net/node=a,b/kind/x", "x: /net/node=a,b/kind is a leaf and has nothing below it"},
	} {
		_, err := Parse(Top(s), tt.text)
		var e *Error
		if !errors.As(err, &e) || err.Error() != tt.want {
			t.Errorf("Parse(%q) = %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestValue(t *testing.T) {
	s := schema(t)
	at := func(path string) *yang.Node {
		p, err := Parse(Top(s), path)
		if err != nil {
			t.Fatal(err)
		}
		return p.Node()
	}
	for _, tt := range []struct{ path, text, want string }{
		{"/net/node/kind", "core", "net:core"},
		{"/net/node/kind", "n:core", "net:core"},
		{"/net/node/kind", "edge", "net:edge"}, // its own before another's
		{"/net/node/kind", "other:edge", "other:edge"},
		{"/net/node/place/floor", "+07", "7"},
	} {
		if got, err := Value(s, at(tt.path), tt.text); err != nil || got != tt.want {
			t.Errorf("Value(%s, %q) = %q, %v; want %q", tt.path, tt.text, got, err, tt.want)
		}
	}
	if got, err := Value(s, at("/net/node/kind"), "nothing"); err == nil {
		t.Errorf("Value of an unknown identity = %q", got)
	}
	p, err := Parse(Top(s), "/net/node=a,b/kind")
	if err != nil {
		t.Fatal(err)
	}
	attributes, text := Encode(p.Node(), "other:edge")
	want := `<net xmlns="urn:net"><node><site>a</site><name>b</name><kind nc:operation="merge" xmlns:other="urn:other">other:edge</kind></node></net>`
	if got := string(p.Wrap(` nc:operation="merge"`+attributes, text)); got != want {
		t.Errorf("an edit (-want +got):\n%s", cmp.Diff(want, got))
	}
}

func TestComplete(t *testing.T) {
	s := schema(t)
	o := Options{Keys: func(list Path) [][]string {
		if list.String() != "/net/node" {
			t.Errorf("asked for the entries of %s", list)
		}
		return [][]string{{"oslo", "p1"}, {"oslo", "p2"}, {"os/lo", "p3"}}
	}}
	config := o
	config.Config = true
	for _, tt := range []struct {
		text string
		o    Options
		want []string
	}{
		{"", o, []string{"net/+", "net:shared", "other:shared"}},
		{"/n", o, []string{"/net/+", "/net:shared"}},
		{"/net/", o, []string{"/net/node=+", "/net/log/+"}},
		{"/net/", config, []string{"/net/node=+"}},
		{"/net/node=", o, []string{"/net/node=oslo,+", "/net/node=os%2Flo,+"}},
		{"/net/node=os%", o, []string{"/net/node=os%2Flo,+"}},
		{"/net/node=oslo,", o, []string{"/net/node=oslo,p1+", "/net/node=oslo,p2+"}},
		{"/net/node=oslo,p1,", o, nil},
		{"/net/node=a,b/net:t", o, []string{"/net/node=a,b/net:tag"}},
		{"/net/node=a,b/place/", config, []string{"/net/node=a,b/place/floor", "/net/node=a,b/place/lit"}},
		{"/nowhere/", o, nil},
	} {
		var got []string
		for _, c := range Complete(Top(s), tt.text, tt.o) {
			if c.Open {
				c.Text += "+"
			}
			got = append(got, c.Text)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("Complete(%q) (-want +got):\n%s", tt.text, d)
		}
	}
}

func TestFind(t *testing.T) {
	s := schema(t)
	tree, err := (&data.Parser{Schema: s, State: true}).ParseDocument([]byte(`<net xmlns="urn:net"><node><site>a</site><name>1</name><tag>x</tag><tag>y</tag></node><node><site>b</site><name>2</name><tag>x</tag></node></net>`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		want []string
	}{
		{"/net/node", []string{"/net/node=a,1", "/net/node=b,2"}},
		{"/net/node=b,2/site", []string{"/net/node=b,2/site"}},
		{"/net/node/net:tag", []string{"/net/node=a,1/net:tag=x", "/net/node=a,1/net:tag=y", "/net/node=b,2/net:tag=x"}},
		{"/net/node/net:tag=x", []string{"/net/node=a,1/net:tag=x", "/net/node=b,2/net:tag=x"}},
		{"/net/node=c,3", nil},
	} {
		p, err := Parse(Top(s), tt.path)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range p.Find(tree) {
			got = append(got, Of(s, l).String())
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("Find(%s) (-want +got):\n%s", tt.path, d)
		}
	}
}

// What String writes, Parse reads; and neither completion nor the filter of anything falls over.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"/net/node=a,b/kind", "/net/node[site='a'][name=\"]\"]", "net/node=%2F,%", "../o:shared", "/net/node=a,b/net:tag=", "/net/node[", "a]b'"} {
		f.Add(text)
	}
	s := schema(f)
	f.Fuzz(func(t *testing.T, text string) {
		Complete(Top(s), text, Options{Keys: func(Path) [][]string { return [][]string{{text, text}} }})
		p, err := Parse(Top(s), text)
		if err != nil {
			return
		}
		again, err := Parse(Top(s), p.String())
		if err != nil || again.String() != p.String() || again.Filter() != p.Filter() {
			t.Errorf("%q is %s, and that is %s (%v)", text, p, again, err)
		}
	})
}
