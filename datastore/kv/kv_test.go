package kv

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

// openTest opens a store of its own for a test, and checks it in the end.
func openTest(t testing.TB, o Options) *DB {
	t.Helper()
	db, err := Open(filepath.Join(t.TempDir(), "store"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Check(); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("Check after the test: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

func put(t testing.TB, db *DB, table string, pairs ...string) {
	t.Helper()
	if err := db.Update(func(w *Writer) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := w.Put(table, []byte(pairs[i]), []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// rows is a table as text.
func rows(t testing.TB, db *DB, table string) (all []string) {
	t.Helper()
	if err := db.View(func(r *Reader) error {
		for k, v := range r.Scan(table, nil, nil) {
			all = append(all, string(k)+"="+string(v))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "store")
	if _, err := Open(path, Options{MustExist: true}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("Open of nothing with MustExist = %v, want ErrNotFound", err)
	}
	if _, err := Open(filepath.Join(dir, "no", "store"), Options{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("Open in no directory = %v, want ErrNotFound", err)
	}
	// A creation that was cut short leaves a beginning behind.
	if err := os.WriteFile(path+".new", []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, db, "t", "a", "1")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode = %o, want 600", mode)
	}
	if _, err := Open(path, Options{LockTimeout: -1}); !errors.Is(err, ErrInUse) {
		t.Errorf("second Open = %v, want ErrInUse", err)
	} else if !strings.Contains(err.Error(), path) {
		t.Errorf("error %q does not name the file", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
	if err := db.View(func(*Reader) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("View after Close = %v, want ErrClosed", err)
	}
	if err := db.Update(func(*Writer) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Update after Close = %v, want ErrClosed", err)
	}
	db, err = Open(path, Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if diff := cmp.Diff([]string{"a=1"}, rows(t, db, "t")); diff != "" {
		t.Errorf("after reopening (-want +got):\n%s", diff)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 1 {
		t.Errorf("the directory has %q, want the store alone", names)
	}
}

// TestOpenTogether lets many create the same store at once: exactly one gets it.
func TestOpenTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	var wg sync.WaitGroup
	got := make([]error, 8)
	dbs := make([]*DB, len(got))
	for i := range got {
		wg.Go(func() { dbs[i], got[i] = Open(path, Options{LockTimeout: -1}) })
	}
	wg.Wait()
	open := 0
	for i, err := range got {
		if err == nil {
			open++
			put(t, dbs[i], "t", "k", "v")
			if err := dbs[i].Close(); err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, ErrInUse) {
			t.Errorf("Open = %v, want ErrInUse", err)
		}
	}
	if open > 1 {
		t.Errorf("%d opened it at once", open)
	}
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(); err != nil {
		t.Error(err)
	}
}

func TestLayout(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*bolt.Tx) error
		want error
	}{
		{"newer", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("kv")).Put([]byte("layout"), seal([]byte("layout"), []byte("9")))
		}, ErrNewer},
		{"no number", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("kv")).Put([]byte("layout"), seal([]byte("layout"), []byte("x")))
		}, ErrDamaged},
		{"no checksum", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("kv")).Put([]byte("layout"), []byte("1234567"))
		}, ErrDamaged},
		{"another program's", func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("kv")) }, ErrDamaged},
		{"table in a table", func(tx *bolt.Tx) error {
			_, err := tx.Bucket([]byte("kv")).CreateBucket([]byte("b"))
			return err
		}, ErrDamaged},
		{"with a free list", func(tx *bolt.Tx) error { return nil }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			db, err := Open(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			put(t, db, "t", "a", strings.Repeat("x", 9000))
			put(t, db, "t", "a", "1")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := bolt.Open(path, 0, nil) // writes a free list, as other tools do
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(b.Update(c.edit), b.Close()); err != nil {
				t.Fatal(err)
			}
			db, err = Open(path, Options{})
			if !errors.Is(err, c.want) {
				t.Errorf("Open = %v, want %v", err, c.want)
			}
			if err == nil {
				if err := errors.Join(db.Check(), db.Close()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestUpdateErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		f    func(*Writer) error
		want error
	}{
		{"own error", func(w *Writer) error { return boom }, boom},
		{"empty key", func(w *Writer) error { return w.Put("t", nil, nil) }, ErrKey},
		{"long key", func(w *Writer) error { return w.Put("t", make([]byte, MaxKey+1), nil) }, ErrKey},
		{"no table", func(w *Writer) error { return w.Put("", []byte("k"), nil) }, ErrTable},
		{"reserved table", func(w *Writer) error { return w.Append("kv", []byte("k"), nil) }, ErrTable},
		{"error passed over", func(w *Writer) error { _ = w.Put("t", nil, nil); return nil }, ErrKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openTest(t, Options{})
			put(t, db, "t", "a", "1")
			err := db.Update(func(w *Writer) error {
				if err := w.Put("t", []byte("a"), []byte("2")); err != nil {
					return err
				}
				return c.f(w)
			})
			if !errors.Is(err, c.want) {
				t.Errorf("Update = %v, want %v", err, c.want)
			}
			if diff := cmp.Diff([]string{"a=1"}, rows(t, db, "t")); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPanic: a bug in the caller's function is neither hidden nor harmful.
func TestPanic(t *testing.T) {
	db := openTest(t, Options{})
	put(t, db, "t", "a", "1")
	caught := func(f func()) (p any) {
		defer func() { p = recover() }()
		f()
		return nil
	}
	var nowhere *int
	if p := caught(func() {
		_ = db.Update(func(w *Writer) error {
			_ = w.Put("t", []byte("a"), []byte("2"))
			*nowhere = 1
			return nil
		})
	}); p == nil {
		t.Error("the panic of an Update was swallowed")
	}
	if p := caught(func() { _ = db.View(func(*Reader) error { panic("bug") }) }); p != "bug" {
		t.Errorf("the panic of a View came out as %v", p)
	}
	if diff := cmp.Diff([]string{"a=1"}, rows(t, db, "t")); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	put(t, db, "t", "a", "3")
}

func TestFailPoint(t *testing.T) {
	boom := errors.New("boom")
	at := ""
	db := openTest(t, Options{FailPoint: func(name string) error {
		if name == at {
			return boom
		}
		return nil
	}})
	put(t, db, "t", "a", "1")
	for _, c := range []struct{ at, want string }{
		{"before-commit", "a=1"},
		{"after-commit", "a=2"},
	} {
		at = c.at
		err := db.Update(func(w *Writer) error { return w.Put("t", []byte("a"), []byte("2")) })
		if !errors.Is(err, boom) {
			t.Errorf("%s: Update = %v", c.at, err)
		}
		if got := rows(t, db, "t"); got[0] != c.want {
			t.Errorf("%s: state %q, want %q", c.at, got, c.want)
		}
	}
}

// TestFailedCommit: commits that fail after their meta page was written, as when
// its fsync fails, and commits after which bbolt is of no use.
func TestFailedCommit(t *testing.T) {
	eio := errors.New("input/output error")
	for _, c := range []struct {
		name   string
		commit func(*bolt.Tx) error
		want   error
	}{
		{"written all the same", func(tx *bolt.Tx) error {
			if err := tx.Commit(); err != nil {
				return err
			}
			return eio
		}, eio},
		{"not written", func(tx *bolt.Tx) error { _ = tx.Rollback(); return eio }, eio},
		{"panicked", func(*bolt.Tx) error { panic("page 7 already freed") }, ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openTest(t, Options{})
			for i := range 4 {
				put(t, db, "t", "a", fmt.Sprint(i))
				db.commit = c.commit
				err := db.Update(func(w *Writer) error {
					_, err := w.DeleteRange("t", nil, nil)
					return errors.Join(err, w.Put("u", []byte("a"), make([]byte, 10000)))
				})
				db.commit = (*bolt.Tx).Commit
				if !errors.Is(err, c.want) {
					t.Fatalf("Update = %v, want %v", err, c.want)
				}
				if diff := cmp.Diff([]string{"a=" + fmt.Sprint(i)}, rows(t, db, "t")); diff != "" {
					t.Errorf("state (-want +got):\n%s", diff)
				}
				if got := rows(t, db, "u"); got != nil {
					t.Errorf("%d rows of a failed commit", len(got))
				}
				if err := db.Check(); err != nil {
					t.Error(err)
				}
			}
			if s := db.Stats(); s.Failures != 4 || s.Commits != 4 {
				t.Errorf("Stats = %+v, want 4 commits and 4 failures", s)
			}
		})
	}
}

// TestBroken: when a failed commit cannot be taken back either, the store says
// so until it can.
func TestBroken(t *testing.T) {
	db := openTest(t, Options{})
	put(t, db, "t", "a", "1")
	db.commit = func(tx *bolt.Tx) error {
		if err := errors.Join(tx.Commit(), os.Rename(db.path, db.path+".away")); err != nil {
			return err
		}
		return errors.New("disk gone")
	}
	set := func(v string) error {
		return db.Update(func(w *Writer) error { return w.Put("t", []byte("a"), []byte(v)) })
	}
	if err := set("2"); err == nil || !strings.Contains(err.Error(), "disk gone") {
		t.Fatalf("Update = %v", err)
	}
	if err := db.View(func(*Reader) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("View of a broken store = %v", err)
	}
	if err := set("3"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Update of a broken store = %v", err)
	}
	if err := os.Rename(db.path+".away", db.path); err != nil {
		t.Fatal(err)
	}
	db.commit = (*bolt.Tx).Commit
	if err := db.Update(func(w *Writer) error {
		if got := string(w.Get("t", []byte("a"))); got != "1" {
			t.Errorf("state = %q, want that before the failure", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	put(t, db, "t", "a", "4")
}

// TestSnapshot: a View does not see what is committed while it runs, and does
// not hold it up.
func TestSnapshot(t *testing.T) {
	db := openTest(t, Options{})
	put(t, db, "t", "a", "1")
	if err := db.View(func(r *Reader) error {
		for i := range 50 {
			done := make(chan struct{})
			go func() {
				defer close(done)
				put(t, db, "t", "a", "2", fmt.Sprint("k", i), strings.Repeat("x", 5000))
			}()
			<-done
		}
		var got []string
		for k, v := range r.Scan("t", nil, nil) {
			got = append(got, string(k)+"="+string(v))
		}
		if diff := cmp.Diff([]string{"a=1"}, got); diff != "" {
			t.Errorf("snapshot (-want +got):\n%s", diff)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestGetEmpty(t *testing.T) {
	db := openTest(t, Options{})
	put(t, db, "t", "a", "")
	_ = db.View(func(r *Reader) error {
		if v := r.Get("t", []byte("a")); v == nil || len(v) != 0 {
			t.Errorf("Get of an empty value = %v, want empty and not nil", v)
		}
		if v := r.Get("t", []byte("b")); v != nil {
			t.Errorf("Get of nothing = %v", v)
		}
		if v := r.Get("none", []byte("b")); v != nil {
			t.Errorf("Get in no table = %v", v)
		}
		if v := r.Get("kv", []byte("layout")); v != nil {
			t.Errorf("Get in the reserved table = %q", v)
		}
		return nil
	})
}

func TestBackup(t *testing.T) {
	db := openTest(t, Options{})
	for i := range 300 {
		put(t, db, "t", fmt.Sprintf("%04d", i), strings.Repeat("v", i))
	}
	want := rows(t, db, "t")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				put(t, db, "u", fmt.Sprint(i%100), strings.Repeat("w", i%3000))
			}
		}
	})
	var copied bytes.Buffer
	n, err := db.Backup(&copied)
	close(stop)
	wg.Wait()
	if err != nil || n != int64(copied.Len()) {
		t.Fatalf("Backup = %d, %v; %d bytes came", n, err, copied.Len())
	}
	path := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	restored, err := Open(path, Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if err := restored.Check(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, rows(t, restored, "t")); diff != "" {
		t.Errorf("copy (-want +got):\n%s", diff)
	}
	if _, err := db.Backup(failingWriter{}); !errors.Is(err, errFailing) {
		t.Errorf("Backup to a failing writer = %v", err)
	}
}

var errFailing = errors.New("pipe closed")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errFailing }

func TestStats(t *testing.T) {
	db := openTest(t, Options{})
	put(t, db, "t", "ab", "123", "c", "")
	_ = db.Update(func(w *Writer) error { _ = w.Put("t", []byte("x"), []byte("y")); return errFailing })
	got := db.Stats()
	if got.FileBytes <= 0 {
		t.Errorf("FileBytes = %d", got.FileBytes)
	}
	got.FileBytes = 0
	if diff := cmp.Diff(Stats{Commits: 1, PutBytes: 6}, got); diff != "" {
		t.Errorf("Stats (-want +got):\n%s", diff)
	}
}
