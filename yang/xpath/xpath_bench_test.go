package xpath

import (
	"fmt"
	"strings"
	"testing"
)

// bigNetwork has a network of n nodes, each with a reference to the next.
func bigNetwork(b *testing.B, n int) *tree {
	var doc strings.Builder
	doc.WriteString(`<nws xmlns="urn:nw"><nw><id>ip</id><kind>urn:t#base/urn:t#ip</kind>`)
	for i := range n {
		fmt.Fprintf(&doc, "<node><id>node-%d</id><next>node-%d</next><nwref>ip</nwref></node>", i, (i+1)%n)
	}
	doc.WriteString("</nw></nws>")
	root := parseTree(b, doc.String(), networkLists)
	root.kids[0].kids[0].Entry(Name{}, nil) // makes the index
	root.kids[0].Entry(Name{}, nil)
	return root
}

func BenchmarkEval(b *testing.B) {
	root := bigNetwork(b, 10000)
	leaf := at(b, root, "/nws/nw/node[5000]/next")
	for _, source := range []string{
		"/nws/nw[id='ip']/node[id='node-7777']",
		"/nws/nw[id=current()/../nwref]/node[id=current()]/id",
		"../../node[id='node-7777']/next = 'node-7778'",
		"derived-from-or-self(../../kind, 't:base')",
		"not(../../none)",
		"not(../nwref) or derived-from-or-self(../../kind, 't:ip')",
		"count(../../node[id='node-1'])",
		"count(../../node) > 3",
		"../../node[next='node-7778']/id",
		"count(//next)",
	} {
		b.Run(source, func(b *testing.B) {
			e := mustCompile(b, source, networkNames)
			b.ReportAllocs()
			for b.Loop() {
				v, err := e.EvalBool(Context{Node: leaf, Env: schema{root}})
				if err != nil || !v {
					b.Fatalf("%v, %v", v, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile("/nws/nw[id=current()/../nwref]/node[id=current()]/id", networkNames); err != nil {
			b.Fatal(err)
		}
	}
}
