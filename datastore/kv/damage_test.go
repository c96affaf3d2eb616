package kv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a closed store with tables of every shape: inline, one page, many
// pages, values over several pages, and free pages.
func sample(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample")
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, db, "small", "a", "1", "b", "2")
	for range 3 {
		var pairs []string
		for i := range 400 {
			pairs = append(pairs, fmt.Sprintf("key-%04d", i), strings.Repeat("v", i%60))
		}
		put(t, db, "tree", pairs...)
		put(t, db, "large", "x", strings.Repeat("x", 10000), "y", strings.Repeat("y", 100))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := newestMeta(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return b[:m.pages*uint64(m.pageSize)]
}

// use opens the file and goes through all of it in every way. The first error
// is returned.
func use(path string) error {
	db, err := Open(path, Options{MustExist: true, LockTimeout: -1})
	if err != nil {
		return err
	}
	err = db.Check()
	if view := db.View(func(r *Reader) error {
		for _, table := range r.Tables() {
			for k := range r.Scan(table, nil, nil) {
				r.Get(table, k)
			}
			r.Last(table)
		}
		return nil
	}); (view == nil) != (err == nil) && err == nil {
		err = fmt.Errorf("Check found nothing, but: %w", view)
	}
	if err == nil {
		err = db.Update(func(w *Writer) error {
			for _, table := range w.Tables() {
				if _, err := w.DeleteRange(table, nil, nil); err != nil {
					return err
				}
			}
			return w.Put("new", []byte("k"), make([]byte, 9000))
		})
	}
	return errors.Join(err, db.Close())
}

func TestDamage(t *testing.T) {
	whole := sample(t)
	zeros := func(from, to int) func([]byte) []byte {
		return func(b []byte) []byte { clear(b[from:to]); return b }
	}
	for _, c := range []struct {
		name  string
		spoil func([]byte) []byte
		want  error
	}{
		{"nothing", func(b []byte) []byte { return b }, nil},
		{"empty", func(b []byte) []byte { return nil }, ErrDamaged},
		{"another file", func(b []byte) []byte { return []byte(strings.Repeat("not a store\n", 2000)) }, ErrDamaged},
		{"both metas", zeros(0, 8192), ErrDamaged},
		{"all but the metas", zeros(8192, len(whole)), ErrDamaged},
		{"half", func(b []byte) []byte { return b[:len(b)/2] }, ErrDamaged},
		{"a page short", func(b []byte) []byte { return b[:len(b)-4096] }, ErrDamaged},
		{"metas alone", func(b []byte) []byte { return b[:8192] }, ErrDamaged},
		{"a flipped bit in a value", func(b []byte) []byte {
			b[strings.LastIndex(string(b), "xxxxxxxx")] ^= 1
			return b
		}, ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			if err := os.WriteFile(path, c.spoil([]byte(string(whole))), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := use(path); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if err := func() error { _, err := Open(t.TempDir(), Options{}); return err }(); err == nil {
		t.Error("Open of a directory succeeded")
	}
}

// TestCutShortWhileOpen: pages that vanish under the memory map are an error of
// the transaction that meets them, not the end of the process.
func TestCutShortWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range 500 {
		put(t, db, "t", fmt.Sprintf("%05d", i), strings.Repeat("v", 500))
	}
	if err := os.Truncate(path, 4096*20); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(); !errors.Is(err, ErrDamaged) {
		t.Errorf("Check = %v, want ErrDamaged", err)
	}
	if err := db.View(func(r *Reader) error {
		for range r.Scan("t", nil, nil) {
		}
		return nil
	}); !errors.Is(err, ErrDamaged) {
		t.Errorf("View = %v, want ErrDamaged", err)
	}
	if err := db.Update(func(w *Writer) error {
		_, err := w.DeleteRange("t", nil, nil)
		return err
	}); !errors.Is(err, ErrDamaged) {
		t.Errorf("Update = %v, want ErrDamaged", err)
	}
}

// FuzzDamage writes over a place of a good store. Whatever it is, opening and
// using the store gives ErrDamaged or works; it never ends the process.
func FuzzDamage(f *testing.F) {
	whole := sample(f)
	for page := range len(whole) / 4096 {
		for _, at := range []int{0, 8, 10, 12, 16, 20, 24, 28, 32} { // headers and first elements
			f.Add(uint32(page*4096+at), []byte{0xff})
			f.Add(uint32(page*4096+at), []byte{3, 0})
		}
	}
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		b := []byte(string(whole))
		copy(b[int(at)%len(b):], patch)
		path := filepath.Join(t.TempDir(), "store")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := use(path); err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
			t.Errorf("%d bytes at %d: %v", len(patch), at, err)
		}
	})
}
