package data_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"incidentd/yang"
	"incidentd/yang/data"
)

// TestOrigins tells and filters the origin of what is configured, of what the system
// has added to the same list, and of state.
func TestOrigins(t *testing.T) {
	s, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(`module m { yang-version 1.1; namespace "urn:m"; prefix m;
		container top { leaf a { type string; } list l { key k; leaf k { type string; } leaf v { type string; } }
			container state { config false; leaf s { type string; } } } }`)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	parse := func(text string) *data.Node {
		n, err := (&data.Parser{Schema: s, State: true}).ParseDocument([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	running := parse(`<top xmlns="urn:m"><a>1</a><l><k>x</k><v>1</v></l></top>`)
	all := data.Merge(running, parse(`<top xmlns="urn:m"><l><k>x</k></l><l><k>y</k><v>2</v></l><state><s>up</s></state></top>`))
	const or = ` xmlns:or="urn:ietf:params:xml:ns:yang:ietf-origin" or:origin="or:`
	for _, c := range []struct {
		name string
		tree *data.Node
		want string
	}{
		{"all", all, `<top xmlns="urn:m"` + or + `intended"><a>1</a><l><k>x</k><v>1</v></l><l` + or + `system"><k>y</k><v>2</v></l><state><s>up</s></state></top>`},
		{"intended", data.OfOrigin(all, running, data.Explicit, func(o string) bool { return o == "intended" }),
			`<top xmlns="urn:m"` + or + `intended"><a>1</a><l><k>x</k><v>1</v></l><state><s>up</s></state></top>`},
		{"system", data.OfOrigin(all, running, data.Explicit, func(o string) bool { return o == "system" }),
			`<top xmlns="urn:m"` + or + `intended"><l` + or + `system"><k>y</k><v>2</v></l><state><s>up</s></state></top>`},
		{"none", data.OfOrigin(all, running, data.Explicit, func(string) bool { return false }), `<top xmlns="urn:m"` + or + `intended"><state><s>up</s></state></top>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := (&data.View{Origins: true, Intended: running}).Write(&b, c.tree, ""); err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
