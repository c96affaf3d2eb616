package validate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/validate"
	"incidentd/yang/xmltext"
)

const module = `module m { yang-version 1.1; namespace "urn:m"; prefix m;
	container top {
		must "not(forbidden)" { error-message "no forbidden"; error-app-tag own-tag; }
		leaf forbidden { type empty; }
		leaf name { type string; }
		leaf needed { type string; mandatory true; }
		list item {
			key id; min-elements 1; max-elements 3; unique "port host";
			leaf id { type string; }
			leaf port { type uint16; default 80; }
			leaf host { type string; }
			leaf next { type leafref { path "../../item/id"; } }
			leaf weak { type leafref { path "../../item/id"; require-instance false; } }
			leaf fast { when "../../mode = 'fast'"; type string; }
		}
		leaf mode { type string; }
		container inner { leaf deep { type string; mandatory true; when "../../mode = 'deep'"; } }
		choice how { mandatory true;
			case a { leaf a { type string; } leaf a2 { type string; mandatory true; } }
			leaf b { type string; } }
		leaf id { type instance-identifier; }
		list pair { key "x y"; leaf x { type string; } leaf y { type string; } leaf v { type string; } }
		leaf px { type leafref { path "../pair/x"; } }
		leaf py { type leafref { path "../pair[x=current()/../px]/y"; } }
	}
}`

func schema(t testing.TB, text string) *yang.Schema {
	t.Helper()
	s, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(text)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t testing.TB, s *yang.Schema, text string) *data.Node {
	t.Helper()
	n, err := (&data.Parser{Schema: s}).ParseDocument([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

const valid = `<needed>n</needed><item><id>1</id></item><b>x</b>`

var cases = []struct{ name, body, want string }{
	{"valid", valid, ""},
	{"mandatory leaf", `<item><id>1</id></item><b>x</b>`, "data-missing /m:top/m:needed"},
	{"min-elements", `<needed/><b/>`, "operation-failed too-few-elements /m:top/m:item"},
	{"max-elements", `<needed/><b/><item><id>1</id></item><item><id>2</id></item><item><id>3</id></item><item><id>4</id></item>`, "operation-failed too-many-elements /m:top/m:item"},
	{"unique with default", `<needed/><b/><item><id>1</id><host>h</host></item><item><id>2</id><host>h</host><port>80</port></item>`, "operation-failed data-not-unique /m:top/m:item"},
	{"unique needs all leafs", `<needed/><b/><item><id>1</id></item><item><id>2</id></item>`, ""},
	{"must", valid + `<forbidden/>`, "operation-failed own-tag /m:top"},
	{"mandatory choice", `<needed/><item><id>1</id></item>`, "data-missing missing-choice /m:top"},
	{"two cases", valid + `<a2/>`, "bad-element /m:top/m:b"},
	{"mandatory in case", `<needed/><item><id>1</id></item><a/>`, "data-missing /m:top/m:a2"},
	{"leafref", `<needed/><b/><item><id>1</id><next>1</next></item>`, ""},
	{"dangling leafref", `<needed/><b/><item><id>1</id><next>2</next></item>`, "data-missing instance-required /m:top/m:item[m:id='1']/m:next"},
	{"weak leafref", `<needed/><b/><item><id>1</id><weak>2</weak></item>`, ""},
	{"leafref with predicate", valid + `<pair><x>1</x><y>2</y></pair><px>1</px><py>2</py>`, ""},
	{"leafref with predicate, dangling", valid + `<pair><x>1</x><y>2</y></pair><pair><x>3</x><y>4</y></pair><px>1</px><py>4</py>`, "data-missing instance-required /m:top/m:py"},
	{"when", `<needed/><b/><mode>fast</mode><item><id>1</id><fast/></item>`, ""},
	{"when is false", `<needed/><b/><item><id>1</id><fast/></item>`, "unknown-element /m:top/m:item[m:id='1']/m:fast"},
	{"mandatory below absent container", valid + `<mode>deep</mode>`, "data-missing /m:top/m:inner/m:deep"},
	{"instance-identifier", valid + `<id xmlns:m="urn:m">/m:top/m:item[m:id='1']</id>`, ""},
	{"dangling instance-identifier", valid + `<id xmlns:m="urn:m">/m:top/m:item[m:id='9']</id>`, "data-missing instance-required /m:top/m:id"},
	{"two faults", `<item><id>1</id><next>2</next></item>`, "data-missing /m:top/m:needed; data-missing instance-required /m:top/m:item[m:id='1']/m:next; data-missing missing-choice /m:top"},
}

func document(body string) string { return `<top xmlns="urn:m">` + body + `</top>` }

func brief(err error) string {
	list, _ := rpcerr.List(err)
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = strings.Join(strings.Fields(string(e.Tag)+" "+e.AppTag+" "+e.Path.Expr), " ")
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func TestTree(t *testing.T) {
	s := schema(t, module)
	v := validate.New(s)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := brief(v.Tree(parse(t, s, document(c.body)), true)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestChangeFindsWhatTreeFinds goes from every valid tree to every other tree:
// the incremental validation must come to the whole one's verdict.
func TestChangeFindsWhatTreeFinds(t *testing.T) {
	s := schema(t, module)
	v := validate.New(s)
	for _, from := range cases {
		if from.want != "" {
			continue
		}
		for _, to := range cases {
			old, new := parse(t, s, document(from.body)), parse(t, s, document(to.body))
			if got := brief(v.Change(old, new, true)); got != to.want {
				t.Errorf("from %q to %q:\ngot  %s\nwant %s", from.name, to.name, got, to.want)
			}
		}
	}
}

// TestInput validates the input of rpcs: what is missing is a missing-element,
// below absent containers too, and references lead into the datastore.
func TestInput(t *testing.T) {
	s := schema(t, `module m { yang-version 1.1; namespace "urn:m"; prefix m;
		list item { key id; leaf id { type string; } }
		rpc act { input {
			container target { choice which { mandatory true; leaf a { type empty; } leaf b { type empty; } } }
			leaf item { type leafref { path "/m:item/m:id"; } }
			leaf must-be { type string; mandatory true; }
			leaf-list some { type string; min-elements 1; }
		} } }`)
	v := validate.New(s)
	operational := parse(t, s, `<item xmlns="urn:m"><id>1</id></item>`)
	for _, c := range []struct{ name, body, want string }{
		{"whole", `<target><a/></target><item>1</item><must-be/><some>x</some>`, ""},
		{"nothing", ``, "missing-element /m:act/m:must-be; missing-element /m:act/m:target; operation-failed too-few-elements /m:act/m:some"},
		{"dangling", `<target><b/></target><item>2</item><must-be/><some>x</some>`, "data-missing instance-required /m:act/m:item"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := xmltext.Raw{Content: []byte(c.body), Bindings: []xmltext.Binding{{Space: "urn:m"}}}
			in, err := (&data.Parser{Schema: s}).ParseRaw(raw, s.RPC("m", "act").Children[0])
			if err != nil {
				t.Fatal(err)
			}
			if got := brief(v.Input(in, operational)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestRandomChanges edits one tree at random; whatever the edit, both ways to
// validate agree on whether the result is valid.
func TestRandomChanges(t *testing.T) {
	s := schema(t, module)
	v := validate.New(s)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	now := parse(t, s, document(valid))
	accepted := 0
	parser := &data.Parser{Schema: s, Edit: true}
	fragments := []string{
		`<item%[3]s><id>%[1]d</id><next>%[2]d</next></item>`, `<item%[3]s><id>%[1]d</id><host>%[2]d</host></item>`, `<mode%[3]s>fast</mode>`, `<mode%[3]s>deep</mode>`,
		`<inner><deep%[3]s>x</deep></inner>`, `<a2%[3]s>x</a2>`, `<b%[3]s>x</b>`, `<item><id>%[1]d</id><fast%[3]s>x</fast></item>`, `<px%[3]s>%[1]d</px>`, `<py%[3]s>%[2]d</py>`,
		`<pair%[3]s><x>%[1]d</x><y>%[2]d</y></pair>`, `<item%[3]s><id>%[1]d</id></item>`, `<id xmlns:m="urn:m"%[3]s>/m:top/m:item[m:id='%[1]d']</id>`,
	}
	for i := range 3000 {
		body := ""
		for range 1 + r.IntN(2) {
			op := ""
			if r.IntN(3) == 0 {
				op = ` nc:operation="remove"`
			}
			body += fmt.Sprintf(fragments[r.IntN(len(fragments))]+"<!-- %[1]d %[2]d%[3]s -->", r.IntN(3), r.IntN(3), op)
		}
		d := xmltext.NewDecoder([]byte(`<c xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">`+document(body)+`</c>`), xmltext.Limits{})
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
		edit, err := parser.Parse(d, s.Root)
		if err != nil {
			continue // the same entry twice
		}
		next, err := data.Apply(now, edit, data.MergeOp)
		if err != nil {
			continue
		}
		whole, part := v.Tree(next, true), v.Change(now, next, true)
		if brief(whole) != brief(part) {
			t.Fatalf("step %d, edit %s\nwhole  %s\nchange %s\nof %s", i, body, brief(whole), brief(part), data.AppendChildrenXML(nil, now, ""))
		}
		if whole == nil {
			now = next
			accepted++
		}
	}
	if accepted < 100 {
		t.Errorf("only %d edits were valid: the test proves little", accepted)
	}
}
