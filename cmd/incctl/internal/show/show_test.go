package show

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/yang"
	"incidentd/yang/data"
)

const module = `module net {
  yang-version 1.1;
  namespace "urn:net";
  prefix n;
  container net {
    leaf name { type string; }
    leaf on { type empty; }
    list node {
      key "name";
      leaf name { type string; }
      leaf text { type string; }
      leaf-list tag { type string; ordered-by user; }
      container place { leaf floor { type int8; } }
      container spare { presence "It is one."; }
      list port { key id; leaf id { type uint8; } }
    }
    anydata more;
  }
}`

func tree(t *testing.T, s *yang.Schema, content string) *data.Node {
	t.Helper()
	n, err := (&data.Parser{Schema: s}).ParseDocument([]byte(`<net xmlns="urn:net">` + content + `</net>`))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func schema(t *testing.T) *yang.Schema {
	t.Helper()
	s, err := yang.CompileFiles([]yang.File{{Name: "net.yang", Text: []byte(module)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const before = `<name>a b</name><on/><node><name>p 1</name><text>line
two &quot;x&quot;</text><tag>x</tag><tag>y</tag><place><floor>2</floor></place><spare/><port><id>1</id></port><port><id>2</id></port></node><node><name>p2</name></node><more><x>1</x></more>`

func TestText(t *testing.T) {
	s := schema(t)
	n := tree(t, s, before)
	notes := Notes{n.Child("net").Child("name"): "intended"}
	got := Text(&data.Loc{Node: n}, notes, Bare)
	want := `net
  name "a b"  (intended)
  on
  node "p 1"
    text "line\ntwo \"x\""
    tag x
    tag y
    place
      floor 2
    spare
    port 1
    port 2
  node p2
  more <x>1</x>
`
	if got != want {
		t.Errorf("-want +got:\n%s", cmp.Diff(want, got))
	}
}

func TestQuote(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain", "plain"}, {"größe", "größe"}, {"", `""`}, {"a b", `"a b"`}, {"\x1b[2J", `"\x1b[2J"`}, {`a"b`, `"a\"b"`}, {"\u202e", `"\u202e"`},
	} {
		if got := Quote(tt.in); got != tt.want {
			t.Errorf("Quote(%q) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestDifference(t *testing.T) {
	s := schema(t)
	old := tree(t, s, before)
	if d := Difference(old, tree(t, s, before), Bare); d != "" {
		t.Errorf("equal trees differ:\n%s", d)
	}
	changed := tree(t, s, `<name>c</name><node><name>p 1</name><tag>x</tag><place><floor>3</floor></place><spare/><port><id>1</id></port><port><id>3</id></port></node><node><name>p3</name><text>t</text></node><more><x>2</x></more>`)
	got := Difference(old, changed, Bare)
	want := `  net
-   name "a b"
+   name c
-   on
    node "p 1"
-     text "line\ntwo \"x\""
-     tag y
      place
-       floor 2
+       floor 3
-     port 2
+     port 3
-   node p2
+   node p3
+     text t
-   more <x>1</x>
+   more <x>2</x>
`
	if got != want {
		t.Errorf("-want +got:\n%s", cmp.Diff(want, got))
	}
	if a, r, c := Count(old, changed); a != 2 || r != 5 || c != 3 {
		t.Errorf("Count = %d added, %d removed, %d changed", a, r, c)
	}
}

func TestTables(t *testing.T) {
	s := schema(t)
	n := tree(t, s, before)
	want := []Table{{
		Title:   "/net/node",
		Columns: []string{"name", "text", "tag", "place/floor", "spare", "port"},
		Rows:    [][]string{{`"p 1"`, `"line\ntwo \"x\""`, "x, y", "2", "yes", "2"}, {"p2", "", "", "", "", ""}},
	}}
	ports := []Table{{Title: "/net/node=p%201/port", Columns: []string{"id"}, Rows: [][]string{{"1"}, {"2"}}}}
	for _, tt := range []struct {
		path string
		want []Table
	}{{"/", want}, {"/net", want}, {"/net/node", want}, {"/net/node=p%201", ports}, {"/net/node/port", ports}, {"/net/node=p2", nil}} {
		p, err := datapath.Parse(datapath.Top(s), tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, TablesAt(n, p, nil)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, d)
		}
	}
}

func TestJSON(t *testing.T) {
	s := schema(t)
	n := tree(t, s, "<name>x</name>")
	if got, want := JSON(n, true), `{"net:net":{"name":"x"}}`+"\n"; got != want {
		t.Errorf("JSON = %s, want %s", got, want)
	}
	if got, want := JSON(n, false), "{\n  \"net:net\": {\n    \"name\": \"x\"\n  }\n}\n"; got != want {
		t.Errorf("JSON = %s, want %s", got, want)
	}
}
