package data

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// packParsed makes mustParse return packed trees.
var packParsed bool

// TestPackedToo runs the tests of what reads trees with packed ones.
func TestPackedToo(t *testing.T) {
	packParsed = true
	defer func() { packParsed = false }()
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"filter", TestFilter}, {"filter matches", TestFilterMatches}, {"xpath filter", TestXPathFilter}, {"xpath", TestXPath},
		{"xpath of cases", TestDefaultsOfCases}, {"leafrefs", TestLeafrefTargets}, {"insert", TestInsert}, {"views", TestView},
		{"filler", TestFiller}, {"json", TestJSON}, {"state", TestStateOf},
	} {
		t.Run(c.name, c.test)
	}
}

// TestPacked: a packed tree is the same, in parts too; what is made of it is what would be
// made of the other; and it stays as it is.
func TestPacked(t *testing.T) {
	s := testSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		a := genTree(t, s, "a")
		b := variant(t, a)
		p, q := a.Packed(), b.Packed()
		if parts := rapid.Bool().Draw(t, "in parts"); parts {
			for c := range a.Children() {
				if !keyless(c.schema) && !c.schema.UserOrdered && c.interior() {
					p = p.With(c.Packed())
				}
			}
		}
		if !Equal(a, p) || !Equal(p, a) || form(p) != form(a) || string(AppendChildrenJSON(nil, p, nil)) != string(AppendChildrenJSON(nil, a, nil)) {
			t.Fatalf("\n%s\nis packed\n%s", form(a), form(p))
		}
		if p.Len() != a.Len() || p.Empty() != a.Empty() {
			t.Fatalf("%s has %d children packed", form(a), p.Len())
		}
		if got, want := differences(p, q), differences(a, b); got != want {
			t.Fatalf("packed trees differ in\n%s\nothers in\n%s", got, want)
		}
		if got, want := differences(p, b), differences(a, b); got != want {
			t.Fatalf("a packed tree differs from another in\n%s\nand not in\n%s", got, want)
		}
		if Equal(p, q) != Equal(a, b) {
			t.Fatalf("Equal of packed trees is %v for\n%s\n%s", Equal(p, q), form(a), form(b))
		}
		if x, y := form(Merge(p, q)), form(Merge(a, b)); x != y {
			t.Fatalf("packed trees merge to\n%s\nothers to\n%s", x, y)
		}
		if x, y := form(StateOf(p)), form(StateOf(a)); x != y {
			t.Fatalf("the state of a packed tree is\n%s\nof the other\n%s", x, y)
		}
		got, err := Apply(p, b, MergeOp)
		want, _ := Apply(a, b, MergeOp)
		if err != nil || form(got) != form(want) {
			t.Fatalf("%v: an edit makes\n%s\nof a packed tree, of the other\n%s", err, form(got), form(want))
		}
		for c := range a.Children() {
			k := p.lookup(c)
			if keyless(c.schema) {
				continue
			}
			if k == nil || string(AppendXML(nil, k, "")) != string(AppendXML(nil, c, "")) {
				t.Fatalf("%s is not found in\n%s", AppendXML(nil, c, ""), form(p))
			}
			if got := form(p.Without(c.schema, c.text)); got != form(a.Without(c.schema, c.text)) {
				t.Fatalf("without %s it is\n%s", c.Name(), got)
			}
		}
		if again := p.Packed(); !Equal(again, a) {
			t.Fatalf("packed again\n%s", form(again))
		}
		if form(p) != form(a) {
			t.Fatal("a packed tree was changed")
		}
	})
}

// differences tells what Diff does.
func differences(old, new *Node) string {
	var b strings.Builder
	Diff(old, new, func(parent *Loc, old, new *Node) bool {
		fmt.Fprint(&b, parent.Path(), " ")
		for _, n := range []*Node{old, new} {
			if n != nil {
				b.Write(AppendXML(nil, n, ""))
			}
			b.WriteString("\n")
		}
		return true
	})
	return b.String()
}

// TestPackedLarge packs what is too large for one string in parts.
func TestPackedLarge(t *testing.T) {
	s := testSchema(t)
	for _, text := range []int{1, packedSize - 10, packedSize, packedSize + 1, 70_000} {
		for _, entries := range []int{1, 2, packedEntries, packedEntries + 1, 1000} {
			b := Build(s.Root)
			two := b.Entry("two", "b", "1")
			for i := range entries {
				v := strings.Repeat("x", 5)
				if i == entries/2 {
					v = strings.Repeat("y", text)
				}
				two.Entry("in", fmt.Sprint("key-", i)).Leaf("v", v)
			}
			two.Leaf("v", "after")
			e := b.Node().Entry(s.Root.ChildNamed("two"), Key("b", "1"))
			p := e.Packed()
			if x, y := string(AppendXML(nil, p, "")), string(AppendXML(nil, e, "")); x != y {
				t.Fatalf("a text of %d, %d entries: packed it is\n%.200s\nand was\n%.200s", text, entries, x, y)
			}
			if got := p.Leaf("v"); got != "after" {
				t.Errorf("a text of %d, %d entries: the leaf after it is %q", text, entries, got)
			}
			last := fmt.Sprint("key-", entries-1)
			if got := p.EntryNamed("in", last); got == nil || got.Leaf("k") != last {
				t.Errorf("a text of %d, %d entries: the last is not found", text, entries)
			}
		}
	}
}

// BenchmarkPacked measures an alarm of a list: what it weighs, and what packing it and
// reading all of it and one leaf cost.
func BenchmarkPacked(b *testing.B) {
	s, err := embedded()
	if err != nil {
		b.Fatal(err)
	}
	alarm := func(i int) *Node {
		at := "2026-11-22T11:00:00.123456789Z"
		e := Build(s.Root.Child(s.Module("ietf-alarms"), "alarms")).Container("alarm-list").
			Entry("alarm", fmt.Sprintf("router-%d/e1", i), "incidentd-alarm-types:link-down", "")
		e.Leaf("time-created", at).Leaf("is-cleared", "false").Leaf("last-raised", at).Leaf("last-changed", at).
			Leaf("perceived-severity", "major").Leaf("alarm-text", "Interface e1 is down")
		e.Entry("status-change", at).Leaf("perceived-severity", "major").Leaf("alarm-text", "Interface e1 is down")
		return e.n
	}
	b.Run("memory", func(b *testing.B) {
		var before, after runtime.MemStats
		for b.Loop() {
			keep := make([]*Node, 100_000)
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := range keep {
				keep[i] = alarm(i).Packed()
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(keep)), "B/alarm")
			runtime.KeepAlive(keep)
		}
	})
	e := alarm(1)
	p := e.Packed()
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"pack", func() { e.Packed() }}, {"unpack", func() { p.clone() }}, {"leaf", func() { p.Leaf("perceived-severity") }},
		{"write", func() { AppendXML(nil, p, "") }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.f()
			}
		})
	}
}

// TestLoaderPacks loads a tree with packed entries, of which one is put in two parts.
func TestLoaderPacks(t *testing.T) {
	s := testSchema(t)
	two, in := s.Root.ChildNamed("two"), s.Root.ChildNamed("two").ChildNamed("in")
	l := NewLoader(s.Root)
	l.Pack()
	put := func(key, inner, value string) {
		t.Helper()
		way := []Step{{two, Key("b", key)}, {in, inner}, {in.ChildNamed("v"), ""}}
		if err := l.Put(way, value, 0); err != nil {
			t.Fatal(err)
		}
	}
	put("1", "x", "one")
	put("2", "x", "two")
	put("3", "x", "three")
	put("2", "y", "four")
	put("2", "x", "not again")
	tree := l.Tree()
	const want = `<two><b>b</b><a>1</a><in><k>x</k><v>one</v></in></two>` +
		`<two><b>b</b><a>2</a><in><k>x</k><v>two</v></in><in><k>y</k><v>four</v></in></two>` +
		`<two><b>b</b><a>3</a><in><k>x</k><v>three</v></in></two>`
	if got := form(tree); got != want {
		t.Errorf("the tree is\n%s\nand not\n%s", got, want)
	}
	for e := range tree.Entries("two") {
		if !e.isPacked() {
			t.Errorf("the entry %q is not packed", e.Key())
		}
	}
}

// TestRebindToWrite writes an entry below another schema node, as Rebind has it.
func TestRebindToWrite(t *testing.T) {
	s, err := yangCompile(`grouping g { leaf v { type string; } container same { leaf w { type string; } leaf-list ll { type string; } }
			list e { key k; leaf k { type string; } container c { leaf x { type string; } } }
			container other { leaf a { type string; } } }
		container top { list l { key k; leaf k { type string; } uses g { augment "other" { leaf b { type string; } } } leaf more { type string; } } }
		notification n { leaf first { type string; } leaf k { type string; } uses g; }`)
	if err != nil {
		t.Fatal(err)
	}
	b := BuildEntry(s.Root.ChildNamed("top").ChildNamed("l"), "1").Leaf("v", "x").Leaf("more", "left out")
	b.Container("same").Leaf("w", "y").Leaf("ll", "2").Leaf("ll", "1")
	b.Entry("e", "a").Container("c").Leaf("x", "z")
	b.Container("other").Leaf("a", "here").Leaf("b", "left out")
	to := s.Notification("m", "n")
	for name, n := range map[string]*Node{"plain": b.Node(), "packed": b.Node().Packed()} {
		want := string(AppendXML(nil, Rebind(n, to).With(NewLeaf(to.ChildNamed("first"), "1")), ""))
		if got := string(AppendXML(nil, RebindToWrite(n, to).With(NewLeaf(to.ChildNamed("first"), "1")), "")); got != want {
			t.Errorf("%s: written as\n%s\nwant\n%s", name, got, want)
		}
	}
}
