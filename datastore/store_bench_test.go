package datastore_test

import (
	"fmt"
	"runtime"
	"testing"

	"incidentd/datastore"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

// networks is a store of the server's own schema.
func networks(b *testing.B) *bench {
	b.Helper()
	s, err := yang.Compile(modules.FS, yang.Options{})
	if err != nil {
		b.Fatal(err)
	}
	x := &bench{t: b, dir: b.TempDir(), schema: s}
	x.open()
	b.Cleanup(x.close)
	return x
}

// nodes is a network of so many nodes.
func nodes(s *yang.Schema, count int) *data.Node {
	root := data.Build(s.Root)
	n := root.Container("networks").Entry("network", "n")
	for i := range count {
		n.Entry("node", fmt.Sprintf("node-%07d", i))
	}
	return root.Node()
}

// load makes a tree running.
func (b *bench) load(tree *data.Node) {
	if err := b.update(func(tx *datastore.Tx) error { tx.Set(datastore.Running, tree); return nil }); err != nil {
		b.t.Fatal(err)
	}
}

// add puts a node into the network, in a transaction.
func (b *bench) add(node string) {
	edit := networkEdit(b.schema, node)
	err := b.update(func(tx *datastore.Tx) error {
		next, err := data.Apply(tx.Running(), edit, data.MergeOp)
		tx.SetRunning(next)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// BenchmarkEditOne adds a node to a network of many. With TMPDIR in memory it shows
// what is not the fsync's.
func BenchmarkEditOne(b *testing.B) {
	for _, count := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			x := networks(b)
			x.load(nodes(x.schema, count))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				x.add(fmt.Sprintf("new-%08d", i))
			}
		})
	}
}

// BenchmarkRollbackOne goes one commit back in a network of a million nodes.
func BenchmarkRollbackOne(b *testing.B) {
	x := networks(b)
	x.load(nodes(x.schema, 1_000_000))
	x.add("one")
	for b.Loop() {
		if err := x.update(func(tx *datastore.Tx) error { return tx.Rollback(tx.Base().Commit - 1) }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoad100000 puts 100,000 nodes into an empty store in one edit.
func BenchmarkLoad100000(b *testing.B) {
	x := networks(b)
	tree, empty := nodes(x.schema, 100_000), data.New(x.schema.Root)
	for b.Loop() {
		x.load(tree)
		b.StopTimer()
		x.load(empty)
		b.StartTimer()
	}
}

// BenchmarkOpenMillion starts with a million stored nodes.
func BenchmarkOpenMillion(b *testing.B) {
	x := networks(b)
	x.load(nodes(x.schema, 1_000_000))
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		x.close()
		x.store = nil
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		x.open()
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.StartTimer()
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1_000_000, "bytes/entry")
	b.ReportMetric(float64(x.db.Stats().FileBytes)/1_000_000, "disk-bytes/entry")
}
