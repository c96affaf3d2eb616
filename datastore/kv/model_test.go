package kv

import (
	"bytes"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is a store as a plain map: table, key, value.
type model map[string]map[string]string

func (m model) clone() model {
	c := model{}
	for table, rows := range m {
		c[table] = maps.Clone(rows)
	}
	return c
}

type pair struct{ Key, Value string }

// between are the rows with from <= key < to in order.
func (m model) between(table string, from, to []byte) []pair {
	var all []pair
	for _, k := range slices.Sorted(maps.Keys(m[table])) {
		if (from == nil || k >= string(from)) && (to == nil || k < string(to)) {
			all = append(all, pair{k, m[table][k]})
		}
	}
	return all
}

// TestModel does random transactions, reopenings and readings on a store and on
// plain maps. Invariants: every reading inside a transaction and after it gives
// what the map has; a failed transaction changes nothing; the file stays sound.
func TestModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	rapid.Check(t, func(t *rapid.T) {
		db, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if err := db.Update(func(w *Writer) error { // what the last run left
			for _, table := range w.Tables() {
				if _, err := w.DeleteRange(table, nil, nil); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		state := model{}
		t.Repeat(map[string]func(*rapid.T){
			"update": func(t *rapid.T) {
				next, fail := state.clone(), rapid.Bool().Draw(t, "fail")
				err := db.Update(func(w *Writer) error {
					for range rapid.IntRange(1, 30).Draw(t, "edits") {
						edit(t, w, next)
					}
					if fail {
						return errFailing
					}
					return nil
				})
				switch {
				case fail && !errors.Is(err, errFailing), !fail && err != nil:
					t.Fatalf("Update = %v", err)
				case !fail:
					state = next
				}
			},
			"view": func(t *rapid.T) {
				if err := db.View(func(r *Reader) error { read(t, r, state); return nil }); err != nil {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				if db, err = Open(path, Options{MustExist: true}); err != nil {
					t.Fatal(err)
				}
				if err := db.Check(); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}

var (
	tables = rapid.SampledFrom([]string{"a", "b", "c"})
	keys   = rapid.Custom(func(t *rapid.T) []byte {
		k := []byte{byte(rapid.IntRange(0, 200).Draw(t, "key"))}
		return append(k, bytes.Repeat([]byte{'k'}, rapid.SampledFrom([]int{0, 1, 300}).Draw(t, "longer"))...)
	})
	ends = rapid.Custom(func(t *rapid.T) []byte {
		if rapid.Bool().Draw(t, "open") {
			return nil
		}
		return keys.Draw(t, "end")
	})
	values = rapid.Custom(func(t *rapid.T) []byte {
		size := rapid.SampledFrom([]int{0, 1, 50, 700, 3000, 20000}).Draw(t, "size")
		return bytes.Repeat([]byte{rapid.Byte().Draw(t, "value")}, size)
	})
)

// edit makes one random change to both, or reads.
func edit(t *rapid.T, w *Writer, m model) {
	table := tables.Draw(t, "table")
	if m[table] == nil {
		m[table] = map[string]string{}
	}
	var err error
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1, 2, 3:
		k, v := keys.Draw(t, "k"), values.Draw(t, "v")
		m[table][string(k)] = string(v)
		err = w.Put(table, k, v)
		clear(k) // the caller's memory is the caller's
		clear(v)
	case 4:
		k, v := keys.Draw(t, "k"), values.Draw(t, "v")
		m[table][string(k)] = string(v)
		err = w.Append(table, k, v)
	case 5, 6:
		k := keys.Draw(t, "k")
		delete(m[table], string(k))
		err = w.Delete(table, k)
	case 7:
		from, to := ends.Draw(t, "from"), ends.Draw(t, "to")
		want := m.between(table, from, to)
		for _, p := range want {
			delete(m[table], p.Key)
		}
		var n int
		if n, err = w.DeleteRange(table, from, to); n != len(want) {
			t.Fatalf("DeleteRange(%q, %q, %q) = %d, want %d", table, from, to, n, len(want))
		}
	case 8:
		editWhileScanning(t, w, m, table)
	default:
		read(t, &w.Reader, m)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// editWhileScanning deletes some rows from within a scan, in one direction or the
// other, and puts rows just behind the place that it has reached.
func editWhileScanning(t *rapid.T, w *Writer, m model, table string) {
	before, i, back := m.between(table, nil, nil), 0, rapid.Bool().Draw(t, "back")
	scan := w.Scan
	if back {
		scan = w.ScanBack
		slices.Reverse(before)
	}
	for k := range scan(table, nil, nil) {
		k := slices.Clone(k)
		if i >= len(before) || string(k) != before[i].Key {
			t.Fatalf("row %d of a scan with edits is %q", i, k)
		}
		switch i++; i % 4 {
		case 1:
			delete(m[table], string(k))
			if err := w.Delete(table, k); err != nil {
				t.Fatal(err)
			}
		case 3:
			other := append(k, 0) // just ahead of a scan that ascends
			if _, there := m[table][string(other)]; !there && !back {
				before = slices.Insert(before, i, pair{Key: string(other)})
			}
			m[table][string(other)] = "new"
			if err := w.Put(table, other, []byte("new")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if i != len(before) {
		t.Fatalf("a scan with edits gave %d rows, want %d", i, len(before))
	}
}

// read compares one table, read in all ways.
func read(t *rapid.T, r *Reader, m model) {
	table := tables.Draw(t, "table")
	from, to := ends.Draw(t, "from"), ends.Draw(t, "to")
	want := m.between(table, from, to)
	var got []pair
	for k, v := range r.Scan(table, from, to) {
		got = append(got, pair{string(k), string(v)})
	}
	if !slices.Equal(want, got) {
		t.Fatalf("Scan(%q, %q, %q) (-want +got):\n%s", table, from, to, cmp.Diff(want, got))
	}
	got = nil
	for k, v := range r.ScanBack(table, from, to) {
		got = append(got, pair{string(k), string(v)})
	}
	slices.Reverse(got)
	if !slices.Equal(want, got) {
		t.Fatalf("ScanBack(%q, %q, %q) (-want +got):\n%s", table, from, to, cmp.Diff(want, got))
	}
	for _, p := range want {
		if v := r.Get(table, []byte(p.Key)); v == nil || string(v) != p.Value {
			t.Fatalf("Get(%q, %q) has %d bytes, want %d", table, p.Key, len(v), len(p.Value))
		}
	}
	all := m.between(table, nil, nil)
	first, _ := r.First(table)
	last, _ := r.Last(table)
	if len(all) == 0 {
		if first != nil || last != nil {
			t.Fatalf("First = %q, Last = %q of an empty table", first, last)
		}
	} else if string(first) != all[0].Key || string(last) != all[len(all)-1].Key {
		t.Fatalf("First = %q, Last = %q, want %q, %q", first, last, all[0].Key, all[len(all)-1].Key)
	}
}
