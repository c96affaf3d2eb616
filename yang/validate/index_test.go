package validate

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// indexed has lists with unique statements, also over defaults and nested leafs, and
// leafrefs of all shapes.
const indexed = `module m { yang-version 1.1; namespace "urn:m"; prefix m;
  list net { key id; leaf id { type string; }
    list host { key name; unique "address/ip address/port"; unique serial; leaf name { type string; } leaf serial { type string; }
      container address { leaf ip { type string; } leaf port { type uint16; default 1; } }
      leaf-list tag { type string; } }
    container use { container by { leaf host { type leafref { path "../../../host/name"; } } }
      leaf-list tag { type leafref { path "../../host[name=current()/../by/host]/tag"; } }
      leaf any { type union { type uint8; type leafref { path "/net/host/serial"; } } } } }
}`

// TestIndexMoves brings indexes through random changes; they must count as those that
// are made anew. The indexes fall behind at times and go back.
func TestIndexMoves(t *testing.T) {
	s, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(indexed)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := func(v *Validator) (out []*index) {
		for _, x := range v.uniques {
			out = append(out, x)
		}
		for _, path := range []string{"use/by/host", "use/tag", "use/any"} {
			n := s.Root.ChildNamed("net")
			for part := range strings.SplitSeq(path, "/") {
				n = n.ChildNamed(part)
			}
			for _, list := range v.references {
				for _, d := range list {
					if d.node == n {
						out = append(out, d.index)
					}
				}
			}
		}
		return out
	}
	moving := all(New(s))
	if len(moving) != 4 {
		t.Fatalf("%d indexes, want 4", len(moving))
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	word := func() string { return fmt.Sprint(r.IntN(3)) }
	tree, kept, repeated := data.New(s.Root), data.New(s.Root), 0
	for step := range 3000 {
		op := []string{"", "", "", ` nc:operation="remove"`, ` nc:operation="replace"`}
		with := func(name, value string) string {
			return "<" + name + op[r.IntN(4)] + ">" + value + "</" + name + ">"
		}
		var inner string
		switch r.IntN(8) {
		case 0:
			inner = with("serial", word())
		case 1:
			inner = "<address>" + with("ip", word()) + with("port", word()) + "</address>"
		case 2:
			inner = "<address" + op[3+r.IntN(2)] + "/>"
		case 3:
			inner = with("tag", word())
		case 4:
			inner = `<tag>` + word() + `</tag><serial>` + word() + `</serial>`
		}
		host := "<host" + op[r.IntN(5)] + "><name>" + word() + "</name>" + inner + "</host>"
		use := []string{"", "", "<use><by>" + with("host", word()) + "</by></use>", "<use>" + with("tag", word()) + "</use>",
			"<use>" + with("any", word()) + "</use>", "<use" + op[3] + "/>", "<use><by" + op[3] + "/></use>"}[r.IntN(7)]
		text := `<net xmlns="urn:m"` + op[r.IntN(4)] + "><id>" + word() + "</id>" + host + use + "</net>"
		raw := xmltext.Raw{Content: []byte(text), Bindings: []xmltext.Binding{{Prefix: "nc", Space: rpcerr.BaseNamespace}}}
		e, err := (&data.Parser{Schema: s, Edit: true}).ParseRaw(raw, s.Root)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if tree, err = data.Apply(tree, e, data.MergeOp); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		switch r.IntN(10) {
		case 0:
			continue // the next change is added to this
		case 1:
			tree, kept = kept, tree
		}
		for i, x := range all(New(s)) {
			x.move(tree)
			moving[i].move(tree)
			if !maps.Equal(x.counts, moving[i].counts) || x.repeated != moving[i].repeated {
				t.Fatalf("step %d, %s: the index of %s has %v (%d), want %v (%d)\n%s", step, text, x.of, moving[i].counts, moving[i].repeated,
					x.counts, x.repeated, data.AppendChildrenXML(nil, tree, ""))
			}
			repeated += x.repeated
		}
	}
	if repeated == 0 {
		t.Error("nothing was ever there twice: the test proves little")
	}
}
