package data

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// genValue draws a canonical value of a leaf.
func genValue(t *rapid.T, s *yang.Node) string {
	switch s.Type.Base {
	case yang.Uint8:
		return fmt.Sprint(rapid.IntRange(1, 100).Draw(t, "number"))
	case yang.Uint64:
		return fmt.Sprint(rapid.Uint64().Draw(t, "number"))
	case yang.Boolean:
		return fmt.Sprint(rapid.Bool().Draw(t, "bool"))
	case yang.Decimal64:
		return fmt.Sprintf("%d.%d", rapid.IntRange(-9, 9).Draw(t, "whole"), rapid.IntRange(0, 9).Draw(t, "tenth"))
	case yang.Bits:
		return rapid.SampledFrom([]string{"", "one", "two", "one two"}).Draw(t, "bits")
	case yang.Empty:
		return ""
	case yang.IdentityRef:
		return rapid.SampledFrom([]string{"t:cat", "u:dog"}).Draw(t, "identity")
	case yang.InstanceIdentifier:
		return rapid.SampledFrom([]string{"/t:top", "/t:l[t:k='a:b']/u:more", "/u:c/u:z"}).Draw(t, "path")
	case yang.Union:
		return rapid.SampledFrom([]string{"7", "t:cat", "u:dog", "text", "x:y", "http://a", "/a/b:c"}).Draw(t, "union")
	}
	return rapid.SampledFrom([]string{"", "a", "b", "c", " x ", "<&>\"'", "é\n\t\r", "a:b"}).Draw(t, "text")
}

// genNode draws the children of a node.
func genNode(t *rapid.T, n *Node, depth int) {
	o := new(owner)
	taken := map[*yang.Node]*yang.Node{} // the case of a choice
	for _, s := range n.schema.Data {
		if n.schema.Kind == yang.List && s.IsKey() || rapid.IntRange(0, 2).Draw(t, s.Name) == 0 {
			continue
		}
		fits := true
		for p := s; p.Parent != nil && (p.Parent.Kind == yang.Case || p.Parent.Kind == yang.Choice); p = p.Parent {
			if p.Parent.Kind == yang.Case {
				if c := taken[p.Parent.Parent]; c != nil && c != p.Parent {
					fits = false
				}
			}
		}
		if !fits {
			continue
		}
		for p := s; p.Parent != nil && (p.Parent.Kind == yang.Case || p.Parent.Kind == yang.Choice); p = p.Parent {
			if p.Parent.Kind == yang.Case {
				taken[p.Parent.Parent] = p.Parent
			}
		}
		count := 1
		if s.Multiple() {
			count = rapid.IntRange(0, 4).Draw(t, "count")
		}
		for range count {
			switch s.Kind {
			case yang.Leaf, yang.LeafList:
				n.add(o, NewLeaf(s, genValue(t, s)))
			case yang.AnyData, yang.AnyXML:
				n.add(o, NewAny(s, rapid.SampledFrom([]xmltext.Raw{
					{}, {Content: []byte("text")}, {Content: []byte("<a/>")},
					{Content: []byte("<a/>"), Bindings: []xmltext.Binding{{Prefix: "", Space: "urn:t"}}},
					{Content: []byte("<t:a>x:b</t:a>"), Bindings: []xmltext.Binding{{Prefix: "t", Space: "urn:other"}, {Prefix: "x", Space: "urn:x"}, {Prefix: "", Space: "urn:y"}}},
				}).Draw(t, "any")))
			case yang.List:
				var keys []string
				for _, k := range s.Keys {
					keys = append(keys, genValue(t, k))
				}
				e := NewEntry(s, keys...)
				genNode(t, e, depth+1)
				n.add(o, e)
			default:
				c := New(s)
				genNode(t, c, depth+1)
				if len(c.kids) > 0 || s.Presence {
					n.add(o, c)
				}
			}
		}
	}
}

func genTree(t *rapid.T, s *yang.Schema, name string) *Node {
	n := New(s.Root)
	rapid.Custom(func(t *rapid.T) *Node { genNode(t, n, 0); return n }).Draw(t, name)
	return n
}

// variant edits a tree at random, sharing what it leaves.
func variant(t *rapid.T, n *Node) *Node {
	out := n
	for c := range n.Children() {
		switch rapid.IntRange(0, 5).Draw(t, "fate") {
		case 0:
			if !c.schema.IsKey() && !keyless(c.schema) {
				out = out.Without(c.schema, c.text)
			}
		case 1:
			if c.interior() && !keyless(c.schema) {
				if v := variant(t, c); len(v.kids) > 0 || v.schema.Presence {
					out = out.With(v)
				}
			}
		case 2:
			if c.schema.Kind == yang.Leaf && !c.schema.IsKey() {
				out = out.With(NewLeaf(c.schema, genValue(t, c.schema)))
			}
		}
	}
	return out
}

// patch applies what Diff told: the changed children of each parent in the new
// tree, and then the order of the entries there.
func patch(old, new *Node) *Node {
	type change struct{ was, is *Node }
	at := map[*Node][]change{}
	Diff(old, new, func(parent *Loc, was, is *Node) bool {
		at[parent.Node] = append(at[parent.Node], change{was, is})
		return true
	})
	var rebuild func(old, new *Node) *Node
	rebuild = func(old, new *Node) *Node {
		if old == new {
			return old
		}
		out := &Node{schema: old.schema, text: old.text}
		o := &owner{}
		gone, more := map[*Node]bool{}, []*Node{}
		replaced := map[*Node]*Node{}
		for _, c := range at[new] {
			switch {
			case c.is == nil:
				gone[c.was] = true
			case c.was == nil:
				more = append(more, c.is)
			default:
				replaced[c.was] = c.is
			}
		}
		// Pairs of entries without a key are those of the same place.
		places := map[*yang.Node][]*Node{}
		for c := range new.Children() {
			places[c.schema] = append(places[c.schema], c)
		}
		next := map[*yang.Node]int{}
		for c := range old.Children() {
			i := next[c.schema]
			next[c.schema]++
			switch {
			case gone[c]:
				continue
			case replaced[c] != nil:
				c = replaced[c]
			case c.interior() && keyless(c.schema):
				if i < len(places[c.schema]) {
					c = rebuild(c, places[c.schema][i])
				}
			case c.interior():
				if other := new.lookup(c); other != nil {
					c = rebuild(c, other)
				}
			}
			out.add(o, c)
		}
		for _, c := range more {
			out.add(o, c)
		}
		for _, k := range out.kids {
			if k.set != nil && k.set.byUser && !keyless(k.schema) {
				order := new.kid(k.schema).set
				slices.SortStableFunc(k.set.seq, func(a, b *Node) int { return order.find(a.text) - order.find(b.text) })
				k.set.index = &seqIndex{}
			}
		}
		return out
	}
	return rebuild(old, new)
}

// TestDiffMergeEqual: the differences of two trees lead from one to the other,
// and only equal trees have none; Merge has nil and every tree as identities, is
// idempotent, keeps what the first has and everything of the second.
func TestDiffMergeEqual(t *testing.T) {
	s := testSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		a := genTree(t, s, "a")
		b := variant(t, a)
		if rapid.Bool().Draw(t, "unrelated") {
			b = genTree(t, s, "b")
		}
		before := form(a)
		if got := patch(a, b); form(got) != form(b) || !Equal(got, b) {
			t.Fatalf("%s\npatched to\n%s\nwant\n%s", form(a), form(got), form(b))
		}
		if Equal(a, b) != (form(a) == form(b)) || !Equal(a, a) || Equal(a, b) != Equal(b, a) {
			t.Fatalf("Equal is %v for\n%s\n%s", Equal(a, b), form(a), form(b))
		}
		if Merge(a, nil) != a || Merge(nil, a) != a || Merge(a, a) != a {
			t.Fatal("a merged with nothing or itself is another tree")
		}
		m := Merge(a, b)
		if got := Merge(m, b); !Equal(got, m) {
			t.Fatalf("merged again\n%s\n%s", form(m), form(got))
		}
		if got := Merge(a, m); !Equal(Merge(m, a), m) || got.Len() < m.Len() {
			t.Fatalf("merged with its parts\n%s\n%s", form(m), form(got))
		}
		// What a has stays.
		Diff(a, m, func(_ *Loc, was, is *Node) bool {
			if was != nil && !keyless(was.schema) && !was.schema.UserOrdered {
				t.Fatalf("the merge of\n%s\n%s\nlost %s", form(a), form(b), AppendXML(nil, was, ""))
			}
			return true
		})
		if form(a) != before {
			t.Fatal("a tree was changed")
		}
	})
}

// TestApplyProperties: the replacement of everything by a tree is that tree; the
// result of a change that changes nothing is the target itself.
func TestApplyProperties(t *testing.T) {
	s := testSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := genTree(t, s, "a"), genTree(t, s, "b")
		before := form(a)
		got, err := Apply(a, b, Replace)
		if err != nil || !Equal(got, b) {
			t.Fatalf("replaced: %v\n%s\nwant\n%s", err, form(got), form(b))
		}
		if form(a) != before {
			t.Fatal("the target was changed")
		}
		m, err := Apply(a, b, MergeOp)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Apply(m, withoutKeyless(b), MergeOp); err != nil || again != m {
			t.Fatalf("merging again makes another tree: %v\n%s\n%s", err, form(m), form(again))
		}
		if same, err := Apply(a, withoutKeyless(a), Replace); err != nil || Equal(a, withoutKeyless(a)) && same != a {
			t.Fatalf("replacing by the same makes another tree: %v", err)
		}
	})
}

// withoutKeyless leaves out state, whose entries without keys an edit would add
// again.
func withoutKeyless(n *Node) *Node {
	for c := range n.Children() {
		if !c.schema.Config {
			n = n.Without(c.schema, c.text)
		}
	}
	return n
}

// TestXMLRoundTrip: a tree that is written and read again is equal.
func TestXMLRoundTrip(t *testing.T) {
	s := testSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		a := genTree(t, s, "a")
		for _, space := range []string{"", "urn:t", "urn:u"} {
			xml := AppendChildrenXML([]byte(`<data xmlns="`+space+`">`), a, space)
			xml = append(xml, "</data>"...)
			p := Parser{Schema: s, State: true}
			b, err := p.ParseDocument(xml)
			if err != nil {
				t.Fatalf("%s: %v", xml, err)
			}
			if !Equal(a, b) {
				t.Fatalf("%s\nread again is\n%s", xml, AppendChildrenXML(nil, b, space))
			}
			var w strings.Builder
			if err := WriteChildrenXML(&w, a, space); err != nil || `<data xmlns="`+space+`">`+w.String()+"</data>" != string(xml) {
				t.Fatalf("written piece by piece: %v\n%s\n%s", err, &w, xml)
			}
		}
	})
}

// TestRecordedTopologies reads and writes the recorded networks.
func TestRecordedTopologies(t *testing.T) {
	root := "."
	for range 6 {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		root = filepath.Join(root, "..")
	}
	files, err := fs.Glob(os.DirFS(filepath.Join(root, "..", "shared", "data", "correlation")), "*/topology.xml")
	if err != nil || len(files) == 0 {
		t.Skip("the recorded topologies are not here")
	}
	p := Parser{Schema: embeddedSchema(t)}
	for _, f := range files {
		in, err := os.ReadFile(filepath.Join(root, "..", "shared", "data", "correlation", f))
		if err != nil {
			t.Fatal(err)
		}
		n, err := p.ParseDocument(in)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out := append(AppendChildrenXML([]byte("<data>"), n, ""), "</data>"...)
		again, err := p.ParseDocument(out)
		if err != nil || !Equal(n, again) {
			t.Errorf("%s: written and read again is another tree: %v", f, err)
		}
		if c := n.Child("networks"); c.Len() == 0 || len(out) < len(in)/2 {
			t.Errorf("%s: %d networks, %d bytes of %d", f, c.Len(), len(out), len(in))
		}
		applied, err := Apply(nil, n, MergeOp)
		if err != nil || !Equal(applied, n) {
			t.Errorf("%s: applied to nothing is another tree: %v", f, err)
		}
	}
}

type failingWriter struct{ left int }

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, fs.ErrClosed
	}
	return len(b), nil
}

func TestWriteFails(t *testing.T) {
	s := testSchema(t)
	b := Build(s.Root)
	for i := range 10_000 {
		b.Entry("l", fmt.Sprint(i))
	}
	if err := WriteChildrenXML(&failingWriter{100_000}, b.Node(), ""); err != fs.ErrClosed {
		t.Errorf("error = %v, want that of the writer", err)
	}
}

// TestXMLForms are outputs to the letter.
func TestXMLForms(t *testing.T) {
	s := testSchema(t)
	for _, c := range []struct{ name, in, want string }{
		{"keys first, in their order", `<two><v>x</v><a>1</a><b>y</b></two>`, `<two><b>y</b><a>1</a><v>x</v></two>`},
		{"entries sorted", `<l><k>b</k></l><l><k>a</k></l>`, `<l><k>a</k></l><l><k>b</k></l>`},
		{"the user's order", `<u><k>b</k></u><u><k>a</k></u>`, `<u><k>b</k></u><u><k>a</k></u>`},
		{"another module", `<c><u:extra>x</u:extra></c>`, `<c><extra xmlns="urn:u">x</extra></c>`},
		{"identity of another module with the same prefix", `<c><id>u:dog</id></c>`, `<c><id xmlns:t="urn:u">t:dog</id></c>`},
		{"two modules with one prefix", `<c><ii>/t:l[t:k='u:x']/u:more</ii></c>`, `<c><ii xmlns:t="urn:t" xmlns:t.1="urn:u">/t:l[t:k='u:x']/t.1:more</ii></c>`},
		{"union of a string that looks like an identity", `<c><uni>t:dog</uni></c>`, `<c><uni>t:dog</uni></c>`},
		{"empty values", `<c><s/><e/><p/></c>`, `<c><s/><e/><p/></c>`},
		{"no empty containers", `<c><np><deep/></np></c>`, ``},
		{"escapes", `<top>&lt;&amp;&gt;&#13;</top>`, `<top>&lt;&amp;&gt;&#13;</top>`},
		{"order of the schema", `<top>x</top><c><ll>a</ll><s>y</s></c>`, `<c><s>y</s><ll>a</ll></c><top>x</top>`},
	} {
		if got := form(mustParse(t, s, c.in)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestNodeAccess(t *testing.T) {
	s := testSchema(t)
	n := mustParse(t, s, `<c><s>x</s><ul>b</ul><ul>a</ul><u:extra>e</u:extra></c><l><k>1</k><v>one</v></l><l><k>2</k></l><two><a>1</a><b>y</b></two>`)
	if n.Child("c") != nil {
		t.Error("c is of two modules, but found by its name alone")
	}
	c := n.Get(s.Root.Child(s.Module("t"), "c"))
	if got := c.Values("ul"); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("Values = %q", got)
	}
	if c.Child("s") != nil || c.Leaf("extra") != "e" || c.Leaf("n") != "" {
		t.Error("s is of two modules and has no unambiguous name; extra is e, n is not there")
	}
	if e := n.EntryNamed("l", "1"); e.Leaf("v") != "one" || e.Key() != "1" || n.EntryNamed("l", "3") != nil {
		t.Errorf("entry 1 = %v", e)
	}
	if got := n.EntryNamed("two", "y", "1").Keys(); !slices.Equal(got, []string{"y", "1"}) {
		t.Errorf("Keys = %q", got)
	}
	if n.Len() != 4 || !n.Has("l") || n.Has("u") || n.Count(s.Root.ChildNamed("l")) != 2 {
		t.Errorf("%d children", n.Len())
	}
	var none *Node
	if none.Child("c") != nil || none.Get(s.Root) != nil || none.Leaf("x") != "" || !none.Empty() || none.Has("c") || none.Descend("a", "b") != nil {
		t.Error("a nil node has something")
	}
	if got := c.Get(s.Root.ChildNamed("top")); got != nil {
		t.Errorf("a child of another schema node's parent: %v", got)
	}
	less := n.Without(s.Root.ChildNamed("l"), "1").Without(s.Root.ChildNamed("l"), "2")
	if less.Has("l") || !n.Has("l") {
		t.Error("the last entry leaves its list, in the copy only")
	}
	if diff := cmp.Diff(`<l><k>1</k><v>new</v></l>`, form(New(s.Root).With(n.EntryNamed("l", "1").With(NewLeaf(s.Root.ChildNamed("l").ChildNamed("v"), "new"))))); diff != "" {
		t.Error(diff)
	}
}

func TestBuilder(t *testing.T) {
	s := testSchema(t)
	b := Build(s.Root)
	b.Leaf("top", "x").Entry("l", "b").Text("v", "").Text("w", "y")
	b.Entry("l", "a").Leaf("v", "1").Up().Entry("l", "a").Leaf("w", "2")
	b.Entry("two", "k", "1").Entry("in", "z").Leaf("v", "deep")
	st := b.Container("st")
	st.Entry("kl").Leaf("v", "1")
	st.Entry("kl").Leaf("v", "1")
	st.Leaf("sl", "x").Leaf("sl", "x")
	want := `<l><k>a</k><v>1</v><w>2</w></l><l><k>b</k><w>y</w></l><two><b>k</b><a>1</a><in><k>z</k><v>deep</v></in></two><top>x</top>` +
		`<st><kl><v>1</v></kl><kl><v>1</v></kl><sl>x</sl><sl>x</sl></st>`
	if diff := cmp.Diff(want, form(st.Node())); diff != "" {
		t.Error(diff)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name that the schema does not have is taken")
		}
	}()
	b.Leaf("nosuch", "")
}
