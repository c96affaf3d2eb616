package datastore

import (
	"bytes"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
)

// fuzzed is a schema whose nodes all have numbers, and two trees of it.
func fuzzed(t testing.TB) (n *names, schema *yang.Schema, old, new *data.Node) {
	t.Helper()
	schema, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(`module m { yang-version 1.1; namespace "urn:m"; prefix m;
		container top {
			leaf name { type string; }
			container there { presence "it"; leaf a { type string; } }
			leaf-list ordered { type string; ordered-by user; }
			list l { key "a b"; leaf a { type string; } leaf b { type string; } leaf v { type string; }
				list o { key k; ordered-by user; leaf k { type string; } } }
			anydata any;
		}
	}`)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n = newNames()
	var number func(*yang.Node)
	number = func(s *yang.Node) {
		for _, c := range s.Data {
			num := uint16(len(n.number) + 1)
			if _, ok := n.number[c.QName()]; !ok {
				n.number[c.QName()], n.name[num] = num, c.QName()
			}
			number(c)
		}
	}
	number(schema.Root)
	a, b := data.Build(schema.Root), data.Build(schema.Root)
	top := a.Container("top").Leaf("name", "x").Leaf("ordered", "2").Leaf("ordered", "1")
	top.Entry("l", "1", "1").Entry("o", "9").Up().Entry("o", "8")
	top.Entry("l", "2", "1").Leaf("v", "v")
	top = b.Container("top").Leaf("name", "y").Leaf("ordered", "1").Leaf("ordered", "2").Leaf("ordered", "3")
	top.Entry("l", "1", "1").Entry("o", "8")
	top.Container("there").Leaf("a", "a")
	return n, schema, a.Node(), b.Node()
}

// FuzzGoBack reads ways back: each is refused, or gives a tree of the schema, whose
// rows and whose own way back can be made.
func FuzzGoBack(f *testing.F) {
	n, schema, old, new := fuzzed(f)
	for _, pair := range [][2]*data.Node{{old, new}, {new, old}, {data.New(schema.Root), new}, {new, data.New(schema.Root)}} {
		rw, err := n.changes(nil, "t", pair[0], pair[1], true)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(rw.back.bytes())
		got, err := n.goBack(pair[1], rw.back.bytes(), schema)
		if err != nil || !data.Equal(got, pair[0]) {
			f.Errorf("way back from\n%s\ngives\n%s, %v", data.AppendChildrenXML(nil, pair[1], ""), data.AppendChildrenXML(nil, got, ""), err)
		}
	}
	f.Fuzz(func(t *testing.T, delta []byte) {
		tree, err := n.goBack(new, delta, schema)
		if err != nil {
			if tree != nil {
				t.Errorf("a tree, and the error %v", err)
			}
			return
		}
		data.AppendChildrenXML(nil, tree, "")
		if _, err := n.changes(nil, "t", new, tree, true); err != nil {
			t.Error(err)
		}
	})
}

// FuzzRows reads the rows of a commit and of a confirmed commit: each is refused as
// damage, or is what it is written as.
func FuzzRows(f *testing.F) {
	at := time.Unix(0, 1234567890123456789).UTC()
	f.Add(Commit{7, at, Author{User: "u", Session: 3, Source: "netconf", Comment: "why"}}.encode())
	f.Add((&Confirmation{"p", "u", 3, at, at.Add(time.Second), 4}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, delta, err := decodeCommit(numberKey(7), b)
		switch {
		case err == nil:
			again, rest, err := decodeCommit(numberKey(7), append(c.encode(), delta...))
			if err != nil || again != c || !bytes.Equal(rest, delta) {
				t.Errorf("%+v became %+v, %v", c, again, err)
			}
		case !errors.Is(err, kv.ErrDamaged):
			t.Error(err)
		}
		p, err := decodePending(b)
		switch {
		case err == nil:
			if again, err := decodePending(p.encode()); err != nil || *again != *p {
				t.Errorf("%+v became %+v, %v", p, again, err)
			}
		case !errors.Is(err, kv.ErrDamaged):
			t.Error(err)
		}
	})
}
