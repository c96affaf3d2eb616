package data

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"incidentd/yang/xmltext"
)

// nodes is a network of n nodes, each with its key alone.
func nodes(b testing.TB, n int) *Node {
	t := Build(embeddedSchema(b).Root)
	network := t.Container("networks").Entry("network", "ip")
	for i := range n {
		network.Entry("node", fmt.Sprintf("router-%07d", i))
	}
	return t.Node()
}

// oneLeaf is an edit that gives a node a termination point.
func oneLeaf(b testing.TB, i int) *Node {
	t := Build(embeddedSchema(b).Root)
	t.Container("networks").Entry("network", "ip").Entry("node", fmt.Sprintf("router-%07d", i)).Entry("termination-point", "tp")
	return t.Node()
}

const million = 1_000_000

func BenchmarkMemoryPerEntry(b *testing.B) {
	var before, after runtime.MemStats
	var keep *Node
	perEntry := 0.0
	for b.Loop() {
		keep = nil
		runtime.GC()
		runtime.ReadMemStats(&before)
		keep = nodes(b, million)
		runtime.GC()
		runtime.ReadMemStats(&after)
		perEntry = float64(after.HeapAlloc-before.HeapAlloc) / million
	}
	b.ReportMetric(perEntry, "B/entry")
	runtime.KeepAlive(keep)
}

func BenchmarkEditAmongMillion(b *testing.B) {
	tree := nodes(b, million)
	edit := oneLeaf(b, million/2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Apply(tree, edit, MergeOp); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDiffAmongMillion(b *testing.B) {
	tree := nodes(b, million)
	changed, err := Apply(tree, oneLeaf(b, million/2), MergeOp)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		count := 0
		Diff(tree, changed, func(*Loc, *Node, *Node) bool { count++; return true })
		if count != 1 {
			b.Fatalf("%d differences", count)
		}
	}
}

// BenchmarkDiffSplit has an entry more at either end of a million, so that pages
// were split.
func BenchmarkDiffSplit(b *testing.B) {
	tree := nodes(b, million)
	t := Build(embeddedSchema(b).Root)
	network := t.Container("networks").Entry("network", "ip")
	for _, key := range []string{"a", "router-0500000x", "z"} {
		network.Entry("node", key)
	}
	changed, err := Apply(tree, t.Node(), MergeOp)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Diff(tree, changed, func(*Loc, *Node, *Node) bool { return true })
	}
}

func BenchmarkMergeIntoMillion(b *testing.B) {
	tree, small := nodes(b, million), oneLeaf(b, million/3)
	b.ReportAllocs()
	for b.Loop() {
		if Merge(tree, small) == tree {
			b.Fatal("nothing was merged")
		}
	}
}

func BenchmarkSelectAmongMillion(b *testing.B) {
	tree := nodes(b, million)
	e, err := xmltext.ParseElement([]byte(`<filter><networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id>`+
		`<node><node-id>router-0777777</node-id></node></network></networks></filter>`), xmltext.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if selected(b, NewFilter(embeddedSchema(b), embeddedSchema(b).Root, e.Children), tree) == nil {
			b.Fatal("nothing is selected")
		}
	}
}

func BenchmarkParseApply100000(b *testing.B) {
	in := AppendChildrenXML([]byte("<config>"), nodes(b, 100_000), "")
	in = append(in, "</config>"...)
	tree := oneLeaf(b, 5)
	p := Parser{Schema: embeddedSchema(b), Edit: true}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		edit, err := p.ParseDocument(in)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Apply(tree, edit, MergeOp); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	in := AppendChildrenXML([]byte("<config>"), nodes(b, 100_000), "")
	in = append(in, "</config>"...)
	p := Parser{Schema: embeddedSchema(b)}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.ParseDocument(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteXML(b *testing.B) {
	tree := nodes(b, 100_000)
	b.SetBytes(int64(len(AppendChildrenXML(nil, tree, ""))))
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteChildrenXML(io.Discard, tree, ""); err != nil {
			b.Fatal(err)
		}
	}
}
