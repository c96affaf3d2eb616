package datastore

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// packed is a schema with what entries can hold, in entries and in entries of entries.
func packed(t testing.TB) *yang.Schema {
	t.Helper()
	schema, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(`module m { yang-version 1.1; namespace "urn:m"; prefix m;
		grouping all {
			leaf v { type string; }
			leaf-list set { type string; }
			container plain { leaf w { type string; } list deep { key k; leaf k { type string; } leaf v { type string; } } }
			container there { presence "it"; leaf w { type string; } }
			anydata any;
		}
		container top {
			uses all;
			list l { key "a b"; leaf a { type string; } leaf b { type string; } uses all;
				list m { key k; leaf k { type string; } uses all; }
				container in { uses all; list m { key k; leaf k { type string; } uses all; } } }
			list o { key k; config true; ordered-by user; leaf k { type string; } uses all;
				list m { key k; leaf k { type string; } uses all; } leaf-list u { type string; ordered-by user; } }
		}
	}`)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// grow returns a node with something in it changed, added or removed.
func grow(rnd *rand.Rand, n *data.Node) *data.Node {
	var fields []*yang.Node
	for _, c := range n.Schema().Data {
		if !c.IsKey() {
			fields = append(fields, c)
		}
	}
	for range 1 + rnd.IntN(3) {
		c := fields[rnd.IntN(len(fields))]
		name := strconv.Itoa(rnd.IntN(4))
		if rnd.IntN(10) == 0 {
			if rnd.IntN(2) == 0 || c.Kind != yang.Leaf && c.Kind != yang.Container {
				name = "1"
			}
			switch c.Kind {
			case yang.List:
				keys := make([]string, len(c.Keys))
				for k := range keys {
					keys[k] = name
				}
				n = n.Without(c, data.Key(keys...))
			case yang.LeafList:
				n = n.Without(c, name)
			default:
				n = n.Without(c, "")
			}
			continue
		}
		switch c.Kind {
		case yang.Leaf, yang.LeafList:
			if rnd.IntN(8) == 0 {
				name = strings.Repeat(name, 3000) // a few of these are too long for one row
			}
			n = n.With(data.NewLeaf(c, name))
		case yang.AnyData:
			n = n.With(data.NewAny(c, xmltext.Raw{Content: []byte("<x xmlns=\"urn:x\">" + name + "</x>")}))
		case yang.Container:
			have := n.Get(c)
			if have == nil {
				have = data.New(c)
			}
			if have = grow(rnd, have); have.Empty() && !c.Presence { // it is not there
				n = n.Without(c, "")
			} else {
				n = n.With(have)
			}
		case yang.List:
			keys := make([]string, len(c.Keys))
			for k := range keys {
				keys[k] = name
			}
			have := n.Entry(c, data.Key(keys...))
			if have == nil {
				have = data.NewEntry(c, keys...)
			}
			n = n.With(grow(rnd, have))
		}
	}
	return n
}

// putLayout3 writes an entry as layout 3 had it: each entry below has a row of its own.
func putLayout3(rw *rowWriter, key []byte, n *data.Node) {
	if n.Schema().Kind == yang.List {
		rw.set(key, rw.pack(nil, nil, n))
	}
	for c := range n.Children() {
		if k := c.Schema().Kind; k == yang.List || k == yang.Container {
			putLayout3(rw, rw.step(key[:len(key):len(key)], c), c)
		}
	}
}

// TestStateRows changes a state tree at random and loads it after each change: it is what
// was stored. It begins with the rows of layout 2, and goes on with those of layout 3.
func TestStateRows(t *testing.T) {
	schema := packed(t)
	top := schema.Root.ChildNamed("top")
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		db, err := kv.Open(filepath.Join(t.TempDir(), "store.db"), kv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		tree := data.New(schema.Root)
		change := func(f func(n *names, w *kv.Writer, fresh *data.Node) error) {
			at := tree.Get(top)
			if at == nil {
				at = data.New(top)
			}
			fresh := tree.Without(top, "")
			if at = grow(rnd, at); !at.Empty() {
				fresh = tree.With(at)
			}
			var loaded *data.Node
			err := db.Update(func(w *kv.Writer) error {
				n, err := loadNames(&w.Reader)
				if err != nil {
					return err
				}
				if err := f(n, w, fresh); err != nil {
					return err
				}
				loaded, err = n.load(&w.Reader, tableState, schema)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if !data.Equal(loaded, fresh) {
				t.Fatalf("seed %d: stored\n%s\nloaded\n%s", seed, data.AppendChildrenXML(nil, fresh, " "), data.AppendChildrenXML(nil, loaded, " "))
			}
			tree = fresh
		}
		for range 20 { // the old layout
			change(func(n *names, w *kv.Writer, fresh *data.Node) error {
				if _, err := w.DeleteRange(tableState, nil, nil); err != nil {
					return err
				}
				rw := &rowWriter{names: n, w: w, table: tableState}
				for c := range fresh.Children() {
					rw.put(rw.step(nil, c), c)
				}
				if rw.err != nil {
					return rw.err
				}
				return rw.write()
			})
		}
		l := top.ChildNamed("l")
		change(func(n *names, w *kv.Writer, fresh *data.Node) error {
			if _, err := w.DeleteRange(tableState, nil, nil); err != nil {
				return err
			}
			rw, err := n.changes(w, tableState, data.New(schema.Root), fresh.With(fresh.Get(top).WithOnly(l)), false)
			if err != nil {
				return err
			}
			for e := range fresh.Get(top).EntriesOf(l) {
				putLayout3(rw, rw.step(rw.step(nil, fresh.Get(top)), e), e)
			}
			return rw.write()
		})
		for range 300 {
			before := tree
			change(func(n *names, w *kv.Writer, fresh *data.Node) error {
				rw, err := n.changes(w, tableState, before, fresh, false)
				if err != nil {
					return err
				}
				return rw.write()
			})
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStateRowsAreFew: an entry is one row, which is written when something in it is another.
func TestStateRowsAreFew(t *testing.T) {
	schema := packed(t)
	n := newNames()
	db, err := kv.Open(filepath.Join(t.TempDir(), "store.db"), kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	entry := func(v string) *data.Node {
		b := data.Build(schema.Root)
		e := b.Container("top").Entry("l", "1", "1").Leaf("v", v)
		for k := range 20 {
			e.Leaf("set", fmt.Sprint(k))
		}
		e.Container("plain").Leaf("w", v)
		e.Entry("m", "1").Leaf("v", "same")
		return b.Node()
	}
	err = db.Update(func(w *kv.Writer) error {
		for _, c := range []struct {
			old, new *data.Node
			rows     int
		}{{data.New(schema.Root), entry("1"), 1}, {entry("1"), entry("2"), 1}, {entry("2"), entry("2"), 0}} {
			rw, err := n.changes(w, tableState, c.old, c.new, false)
			if err != nil {
				return err
			}
			if got := len(rw.changes); got != c.rows {
				t.Errorf("%d rows, want %d", got, c.rows)
			}
			if err := rw.write(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzUnpack reads rows of entries: each is refused, or what it holds makes a tree.
func FuzzUnpack(f *testing.F) {
	n, schema, _, tree := fuzzed(f)
	rw := &rowWriter{names: n}
	list := schema.Root.ChildNamed("top").ChildNamed("l")
	for e := range tree.Get(schema.Root.ChildNamed("top")).EntriesOf(list) {
		f.Add(rw.pack(nil, nil, e))
		if row, ok := rw.whole(e); ok {
			f.Add(row)
		}
	}
	f.Add([]byte{2, 0, 1, 1})
	f.Fuzz(func(t *testing.T, row []byte) {
		l := data.NewLoader(schema.Root)
		way := []data.Step{{Schema: schema.Root.ChildNamed("top")}, {Schema: list, Key: data.Key("1", "2")}}
		if err := n.unpack(l, schema, way, row); err != nil {
			return
		}
		e := l.Tree().Get(schema.Root.ChildNamed("top")).Entry(list, data.Key("1", "2"))
		again := func(row []byte) *data.Node {
			l := data.NewLoader(schema.Root)
			if err := n.unpack(l, schema, way, row); err != nil {
				t.Fatalf("packed again it is refused: %v", err)
			}
			return l.Tree().Get(schema.Root.ChildNamed("top")).Entry(list, data.Key("1", "2"))
		}
		again(rw.pack(nil, nil, e))
		if row, ok := rw.whole(e); ok && !data.Equal(again(row), e) {
			t.Errorf("packed again it is\n%s\nand was\n%s", data.AppendXML(nil, again(row), ""), data.AppendXML(nil, e, ""))
		}
	})
}
