package validate_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
	"incidentd/yang/validate"
)

func embedded(b *testing.B) *yang.Schema {
	b.Helper()
	s, err := yang.Compile(modules.FS, yang.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// links is a network of nodes with a link from each to the next: each link has
// four leafrefs.
func links(b *testing.B, s *yang.Schema, n int) *data.Node {
	t := data.Build(s.Root)
	network := t.Container("networks").Entry("network", "ip")
	name := func(i int) string { return fmt.Sprintf("router-%07d", i%n) }
	for i := range n {
		node := network.Entry("node", name(i))
		node.Entry("termination-point", "a")
		node.Entry("termination-point", "b")
		link := network.Entry("link", fmt.Sprintf("link-%07d", i))
		link.Container("source").Leaf("source-node", name(i)).Leaf("source-tp", "a")
		link.Container("destination").Leaf("dest-node", name(i+1)).Leaf("dest-tp", "b")
	}
	return t.Node()
}

// BenchmarkLeafrefs validates 40,000 leafrefs that one commit adds.
func BenchmarkLeafrefs(b *testing.B) {
	s := embedded(b)
	v := validate.New(s)
	empty, tree := data.New(s.Root), links(b, s, 10_000)
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := v.Tree(tree, true); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("change", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := v.Change(empty, tree, true); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("settle", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got, err := v.Settle(empty, tree); err != nil || got != tree {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkOneLeafAmongMillion is what a commit validates when it changes one leaf
// among a million entries: nothing but what is near.
func BenchmarkOneLeafAmongMillion(b *testing.B) {
	s := embedded(b)
	v := validate.New(s)
	t := data.Build(s.Root)
	network := t.Container("networks").Entry("network", "ip")
	for i := range 1_000_000 {
		network.Entry("node", fmt.Sprintf("router-%07d", i))
	}
	old := t.Node()
	t = data.Build(s.Root)
	t.Container("networks").Entry("network", "ip").Entry("node", "router-0500000").Entry("termination-point", "tp")
	next, err := data.Apply(old, t.Node(), data.MergeOp)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		settled, err := v.Settle(old, next)
		if err != nil || settled != next {
			b.Fatal(err)
		}
		if err := v.Change(old, next, true); err != nil {
			b.Fatal(err)
		}
	}
}

// crowd is a module of a million hosts, whose addresses are unique, and as many
// clients that refer to them: by name, and by the port of a host.
const crowd = `module m { yang-version 1.1; namespace "urn:m"; prefix m;
  container top {
    list host { key name; unique "address port"; leaf name { type string; } leaf address { type string; } leaf port { type uint16; default 22; }
      list service { key name; leaf name { type string; } } }
    list client { key name; leaf name { type string; } leaf host { type leafref { path "../../host/name"; } }
      leaf service { type leafref { path "../../host[name=current()/../host]/service/name"; } } }
  }
}`

// crowded is n hosts and clients; of the last host there are no clients, and of
// others none of the service "idle".
func crowded(s *yang.Schema, n int) *data.Node {
	t := data.Build(s.Root)
	top := t.Container("top")
	name := func(i int) string { return fmt.Sprintf("host-%07d", i) }
	for i := range n {
		h := top.Entry("host", name(i)).Leaf("address", fmt.Sprintf("192.0.2.%d", i))
		h.Entry("service", "idle")
		h.Entry("service", "ssh")
		top.Entry("client", fmt.Sprintf("client-%07d", i)).Leaf("host", name(i%(n-1))).Leaf("service", "ssh")
	}
	return t.Node()
}

// BenchmarkUniqueAmongMillion and its like change one thing in turn; each change is
// validated as a commit would.
func BenchmarkUniqueAmongMillion(b *testing.B) {
	among(b, `<top xmlns="urn:m"><host><name>host-0500000</name><address>198.51.100.1</address></host></top>`,
		`<top xmlns="urn:m"><host><name>host-0500000</name><address>192.0.2.500000</address></host></top>`)
}

func BenchmarkTargetGoneAmongMillion(b *testing.B) {
	among(b, `<top xmlns="urn:m"><host nc:operation="delete"><name>host-0999999</name></host></top>`,
		`<top xmlns="urn:m"><host><name>host-0999999</name><address>192.0.2.999999</address></host></top>`)
}

func BenchmarkNestedTargetGoneAmongMillion(b *testing.B) {
	among(b, `<top xmlns="urn:m"><host><name>host-0500000</name><service nc:operation="delete"><name>idle</name></service></host></top>`,
		`<top xmlns="urn:m"><host><name>host-0500000</name><service><name>idle</name></service></host></top>`)
}

// million is made once for all benchmarks.
var million = sync.OnceValues(func() (*yang.Schema, *data.Node) {
	s, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(crowd)}}, yang.Options{})
	if err != nil {
		panic(err)
	}
	return s, crowded(s, 1_000_000)
})

func among(b *testing.B, forth, back string) {
	s, tree := million()
	v := validate.New(s)
	edits := [2]*data.Node{}
	for i, text := range []string{forth, back} {
		e, err := (&data.Parser{Schema: s, Edit: true}).Parse(within(text), s.Root)
		if err != nil {
			b.Fatal(err)
		}
		edits[i] = e
	}
	step := func(i int) {
		next, err := data.Apply(tree, edits[i%2], data.MergeOp)
		if err != nil {
			b.Fatal(err)
		}
		if next, err = v.Settle(tree, next); err != nil {
			b.Fatal(err)
		}
		if err := v.Change(tree, next, true); err != nil {
			b.Fatal(err)
		}
		tree = next
	}
	began := time.Now()
	step(0) // the first makes the index
	first := time.Since(began)
	step(1)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		step(i)
		i++
	}
	b.ReportMetric(first.Seconds(), "s-first")
}
