package validate_test

import (
	"fmt"
	"testing"

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
