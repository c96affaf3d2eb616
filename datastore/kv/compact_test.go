package kv

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// filled is a store of which most rows are deleted again, closed.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store")
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []func(*Writer) error{
		func(w *Writer) error {
			for i := range uint64(5000) {
				if err := w.Put("t", binary.BigEndian.AppendUint64(nil, i), make([]byte, 300)); err != nil {
					return err
				}
			}
			return w.Put("u", []byte("k"), []byte("v"))
		},
		func(w *Writer) error {
			_, err := w.DeleteRange("t", binary.BigEndian.AppendUint64(nil, 100), nil)
			return err
		},
	} {
		if err := db.Update(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// holdsFilled checks what filled left.
func holdsFilled(t *testing.T, path string) {
	t.Helper()
	db, err := Open(path, Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(); err != nil {
		t.Error(err)
	}
	err = db.View(func(r *Reader) error {
		n := 0
		for range r.Scan("t", nil, nil) {
			n++
		}
		if v := r.Get("u", []byte("k")); n != 100 || string(v) != "v" {
			t.Errorf("%d rows and %q, want 100 and v", n, v)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCompact(t *testing.T) {
	path := filled(t)
	if err := os.WriteFile(path+".compact", []byte("what a crash left"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, after, err := Compact(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if after >= before/4 || after != info.Size() || info.Mode().Perm() != 0o600 {
		t.Errorf("%d bytes became %d; the file has %d, mode %v", before, after, info.Size(), info.Mode())
	}
	if _, err := os.Stat(path + ".compact"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file: %v", err)
	}
	holdsFilled(t, path)
}

func TestCompactFails(t *testing.T) {
	path := filled(t)
	failing := errors.New("no luck")
	if _, _, err := Compact(path, Options{FailPoint: func(string) error { return failing }}); !errors.Is(err, failing) {
		t.Errorf("error = %v", err)
	}
	holdsFilled(t, path)
	if _, _, err := Compact(path+"x", Options{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("without a file: %v", err)
	}
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, _, err := Compact(path, Options{LockTimeout: -1}); !errors.Is(err, ErrInUse) {
		t.Errorf("while it is open: %v", err)
	}
}

// TestOpenDuringCompact opens a store whose file is replaced while Open waits for it:
// it gets the new one.
func TestOpenDuringCompact(t *testing.T) {
	path := filled(t)
	opened := make(chan *DB)
	_, _, err := Compact(path, Options{FailPoint: func(string) error {
		// Another process has the old file open and waits for its lock.
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		go func() {
			defer f.Close()
			if err := lock(f, time.Minute); err != nil || !replaced(f) {
				t.Errorf("lock of the old file: %v, replaced %v", err, replaced(f))
			}
			db, err := Open(path, Options{MustExist: true, LockTimeout: time.Minute})
			if err != nil {
				t.Error(err)
			}
			opened <- db
		}()
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if db := <-opened; db != nil {
		if err := errors.Join(db.Update(func(w *Writer) error { return w.Put("u", []byte("new"), nil) }), db.Close()); err != nil {
			t.Error(err)
		}
	}
	holdsFilled(t, path)
}
