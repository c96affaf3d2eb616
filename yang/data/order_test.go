package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang/rpcerr"
)

// TestInsert has the attributes insert, key and value of RFC 7950 sections 7.7.9
// and 7.8.6. Lists and leaf-lists are written as their keys or values.
func TestInsert(t *testing.T) {
	s := testSchema(t)
	for _, c := range []struct{ name, have, edit, want, errors string }{
		{"first", "a b c", `<u yang:insert="first"><k>n</k></u>`, "n a b c", ""},
		{"last", "a b c", `<u yang:insert="last"><k>n</k></u>`, "a b c n", ""},
		{"before", "a b c", `<u yang:insert="before" yang:key="[t:k='b']"><k>n</k></u>`, "a n b c", ""},
		{"after", "a b c", `<u yang:insert="after" yang:key="[t:k='b']"><k>n</k></u>`, "a b n c", ""},
		{"after the last", "a b c", `<u yang:insert="after" yang:key='[ t:k = "c" ]'><k>n</k></u>`, "a b c n", ""},
		{"first of none", "", `<u yang:insert="first"><k>n</k></u>`, "n", ""},
		{"moved to the front", "a b c", `<u yang:insert="first"><k>c</k></u>`, "c a b", ""},
		{"moved to the end", "a b c", `<u yang:insert="last"><k>a</k></u>`, "b c a", ""},
		{"moved forward", "a b c d", `<u yang:insert="before" yang:key="[t:k='b']"><k>d</k></u>`, "a d b c", ""},
		{"moved backward", "a b c d", `<u yang:insert="after" yang:key="[t:k='c']"><k>a</k></u>`, "b c a d", ""},
		{"already there", "a b c", `<u yang:insert="after" yang:key="[t:k='a']"><k>b</k></u>`, "a b c", ""},
		{"next to itself", "a b c", `<u yang:insert="after" yang:key="[t:k='b']"><k>b</k></u>`, "a b c", ""},
		{"create", "a b", `<u nc:operation="create" yang:insert="first"><k>n</k></u>`, "n a b", ""},
		{"replace moves", "a b", `<u nc:operation="replace" yang:insert="first"><k>b</k></u>`, "b a", ""},
		{"deleted wherever", "a b", `<u nc:operation="delete" yang:insert="first"><k>b</k></u>`, "a", ""},
		{"several in turn", "a b", `<u yang:insert="first"><k>m</k></u><u yang:insert="before" yang:key="[t:k='m']"><k>n</k></u>`, "n m a b", ""},
		{"an unqualified key", "a b", `<u yang:insert="before" yang:key="[k='b']"><k>n</k></u>`, "a n b", ""},
		{"no such entry", "a b", `<u yang:insert="before" yang:key="[t:k='x']"><k>n</k></u>`, "",
			wireApp("bad-attribute", "missing-instance", at("/t:u[t:k='n']"), "there is no entry to insert it before", "<bad-attribute>key</bad-attribute><bad-element>u</bad-element>")},
		{"next to itself, which is new", "a b", `<u yang:insert="before" yang:key="[t:k='n']"><k>n</k></u>`, "",
			wireApp("bad-attribute", "missing-instance", at("/t:u[t:k='n']"), "there is no entry to insert it before", "<bad-attribute>key</bad-attribute><bad-element>u</bad-element>")},
		{"no key", "a b", `<u yang:insert="before"><k>n</k></u>`, "", "missing-attribute key u"},
		{"no insert", "a b", `<u yang:key="[t:k='a']"><k>n</k></u>`, "", "missing-attribute insert u"},
		{"a key for first", "a b", `<u yang:insert="first" yang:key="[t:k='a']"><k>n</k></u>`, "", "bad-attribute key u"},
		{"an unknown place", "a b", `<u yang:insert="middle"><k>n</k></u>`, "", "bad-attribute insert u"},
		{"value of a list", "a b", `<u yang:insert="before" yang:value="a"><k>n</k></u>`, "", "unknown-attribute value u"},
		{"a key without quotes", "a b", `<u yang:insert="before" yang:key="[t:k=a]"><k>n</k></u>`, "", "bad-attribute key u"},
		{"no predicate", "a b", `<u yang:insert="before" yang:key="a"><k>n</k></u>`, "", "bad-attribute key u"},
		{"an empty key", "a b", `<u yang:insert="before" yang:key=""><k>n</k></u>`, "", "bad-attribute key u"},
		{"a leaf that is no key", "a b", `<u yang:insert="before" yang:key="[t:v='a']"><k>n</k></u>`, "", "bad-attribute key u"},
		{"an unknown prefix", "a b", `<u yang:insert="before" yang:key="[z:k='a']"><k>n</k></u>`, "", "bad-attribute key u"},
		{"a key twice", "a b", `<u yang:insert="before" yang:key="[t:k='a'][t:k='a']"><k>n</k></u>`, "", "bad-attribute key u"},
		{"something after it", "a b", `<u yang:insert="before" yang:key="[t:k='a']x"><k>n</k></u>`, "", "bad-attribute key u"},

		{"leaf-list first", "a b/", `<c><ul yang:insert="first">n</ul></c>`, "n a b/", ""},
		{"leaf-list before", "a b/", `<c><ul yang:insert="before" yang:value="b">n</ul></c>`, "a n b/", ""},
		{"leaf-list after", "a b/", `<c><ul yang:insert="after" yang:value="a">n</ul></c>`, "a n b/", ""},
		{"leaf-list moved", "a b c/", `<c><ul yang:insert="after" yang:value="c">a</ul></c>`, "b c a/", ""},
		{"leaf-list, no such value", "a b/", `<c><ul yang:insert="after" yang:value="x">n</ul></c>`, "",
			wireApp("bad-attribute", "missing-instance", at("/t:c/t:ul[.='n']"), "there is no entry to insert it after", "<bad-attribute>value</bad-attribute><bad-element>ul</bad-element>")},
		{"key of a leaf-list", "a b/", `<c><ul yang:insert="after" yang:key="[.='a']">n</ul></c>`, "", "unknown-attribute key ul"},
	} {
		t.Run(c.name, func(t *testing.T) {
			have, leafList := strings.CutSuffix(c.have, "/")
			var xml string
			for _, k := range strings.Fields(have) {
				if leafList {
					xml += "<ul>" + k + "</ul>"
				} else {
					xml += "<u><k>" + k + "</k></u>"
				}
			}
			if leafList {
				xml = "<c>" + xml + "</c>"
			}
			target := mustParse(t, s, xml)
			before := form(target)
			p := Parser{Schema: s, Edit: true}
			edit, err := p.ParseDocument([]byte(namespaces + c.edit + "</data>"))
			if err != nil {
				list, _ := rpcerr.List(err)
				got := string(list[0].Tag)
				for _, i := range list[0].Info {
					got += " " + i.Value
				}
				if got != c.errors {
					t.Errorf("refused with %s, want %s", got, c.errors)
				}
				return
			}
			out, err := Apply(target, edit, MergeOp)
			if diff := cmp.Diff(c.errors, report(err)); diff != "" {
				t.Fatalf("errors (-want +got)\n%s", diff)
			}
			if err != nil {
				return
			}
			var keys []string
			if leafList {
				keys = out.Get(s.Root.Child(s.Module("t"), "c")).Values("ul")
			} else {
				for e := range out.Entries("u") {
					keys = append(keys, e.Key())
				}
			}
			if got := strings.Join(keys, " "); got != strings.TrimSuffix(c.want, "/") {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if form(target) != before {
				t.Errorf("the target became %s", form(target))
			}
			if form(out) == before && out != target {
				t.Error("nothing changed, but the tree is another")
			}
			if strings.Contains(form(out), "insert") || hasNotes(out) {
				t.Error("the attributes are in the result")
			}
		})
	}
}

func hasNotes(n *Node) bool {
	found := n.note != nil
	for c := range n.Children() {
		found = found || hasNotes(c)
	}
	return found
}

// wireApp is wire with an app-tag.
func wireApp(tag, app, path, message, info string) string {
	return strings.Replace(wire(tag, path, message, info), "</error-severity>", "</error-severity><error-app-tag>"+app+"</error-app-tag>", 1)
}

// TestInsertTwoKeys has keys of other types than string, in any order.
func TestInsertTwoKeys(t *testing.T) {
	s, err := yangCompile(`identity base; identity one { base base; } identity two { base base; }
		list l { ordered-by user; key "n i"; leaf n { type uint8; } leaf i { type identityref { base base; } } }`)
	if err != nil {
		t.Fatal(err)
	}
	p := Parser{Schema: s, Edit: true}
	parse := func(xml string) *Node {
		n, err := p.ParseDocument([]byte(`<data xmlns="urn:m" xmlns:q="urn:m" xmlns:yang="urn:ietf:params:xml:ns:yang:1">` + xml + `</data>`))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	target := parse(`<l><n>1</n><i>one</i></l><l><n>1</n><i>two</i></l>`)
	out, err := Apply(target, parse(`<l yang:insert="before" yang:key="[q:i='q:two'] [q:n='01']"><n>2</n><i>q:one</i></l>`), MergeOp)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e := range out.Entries("l") {
		got = append(got, strings.Join(e.Keys(), " "))
	}
	if diff := cmp.Diff([]string{"1 m:one", "2 m:one", "1 m:two"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestInsertLikeSlice moves entries at random, as a slice is edited.
func TestInsertLikeSlice(t *testing.T) {
	s := testSchema(t)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	t.Logf("seed %d", seed)
	tree := New(s.Root)
	var model []string
	for range 1000 {
		key := fmt.Sprint(r.IntN(40))
		where := []string{"first", "last", "before", "after"}[r.IntN(4)]
		attrs := fmt.Sprintf(`yang:insert="%s"`, where)
		anchor := ""
		if where == "before" || where == "after" {
			if len(model) == 0 {
				continue
			}
			anchor = model[r.IntN(len(model))]
			attrs += fmt.Sprintf(` yang:value="%s"`, anchor)
		}
		var err error
		if tree, err = Apply(tree, mustEdit(t, s, "<c><ul "+attrs+">"+key+"</ul></c>"), MergeOp); err != nil {
			t.Fatal(err)
		}
		if anchor != key {
			model = slices.DeleteFunc(model, func(k string) bool { return k == key })
			at := 0
			switch where {
			case "last":
				at = len(model)
			case "before":
				at = slices.Index(model, anchor)
			case "after":
				at = slices.Index(model, anchor) + 1
			}
			model = slices.Insert(model, at, key)
		}
		if diff := cmp.Diff(model, tree.Get(s.Root.Child(s.Module("t"), "c")).Values("ul")); diff != "" {
			t.Fatalf("%s %s: (-want +got)\n%s", attrs, key, diff)
		}
	}
}
