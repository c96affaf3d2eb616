package kv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fill writes rows until the store is full, makes room, and goes on. It is run
// where there is little room.
func fill(path string, makeRoom func() error) error {
	db, err := Open(path, Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	row := func(i int) func(*Writer) error {
		return func(w *Writer) error {
			return errors.Join(
				w.Put("rows", fmt.Appendf(nil, "%06d", i), []byte(strings.Repeat("r", 100000))),
				w.Put("count", []byte("n"), fmt.Appendf(nil, "%d", i)))
		}
	}
	state := func(want int) error {
		return db.View(func(r *Reader) error {
			n := 0
			for range r.Scan("rows", nil, nil) {
				n++
			}
			if count := string(r.Get("count", []byte("n"))); n != want || count != fmt.Sprint(want) {
				return fmt.Errorf("%d rows, count %s, want %d", n, count, want)
			}
			return nil
		})
	}
	n := 0
	for ; err == nil; n++ {
		if n > 2000 {
			return fmt.Errorf("still not full after %d rows", n)
		}
		err = db.Update(row(n + 1))
	}
	n-- // the last one failed
	if !errors.Is(err, ErrFull) {
		return fmt.Errorf("row %d: %w, want ErrFull", n, err)
	}
	if n == 0 {
		return errors.New("full from the start")
	}
	for range 3 { // failing again and again does no harm either
		if err := db.Update(row(n + 1)); !errors.Is(err, ErrFull) {
			return fmt.Errorf("Update again = %w, want ErrFull", err)
		}
		if err := errors.Join(state(n), db.Check()); err != nil {
			return fmt.Errorf("when full: %w", err)
		}
	}
	if err := makeRoom(); err != nil {
		return err
	}
	for range 30 {
		n++
		if err := db.Update(row(n)); err != nil {
			return fmt.Errorf("with room again: %w", err)
		}
	}
	if err := errors.Join(state(n), db.Check(), db.Close()); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	if db, err = Open(path, Options{MustExist: true}); err != nil {
		return err
	}
	return errors.Join(state(n), db.Check(), db.Close())
}

// TestFileSizeLimit fills the store up to a limit of the process (ulimit -f).
func TestFileSizeLimit(t *testing.T) {
	runChild(t, "limit", filepath.Join(t.TempDir(), "store"))
}

func limitChild(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	limit := old
	limit.Cur = 40 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return fill(path, func() error { return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) })
}

// TestFullDisk fills a small file system.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("NOTICE: no small file system to fill here: mount: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	}()
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, make([]byte, 12<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := fill(filepath.Join(dir, "store"), func() error { return os.Remove(other) }); err != nil {
		t.Error(err)
	}
	// And with no room to begin with.
	if err := os.WriteFile(other, make([]byte, 24<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling up: %v", err)
	}
	fresh := filepath.Join(dir, "fresh")
	if _, err := Open(fresh, Options{}); !errors.Is(err, ErrFull) {
		t.Errorf("Open of a new store on a full disk = %v, want ErrFull", err)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	db, err := Open(fresh, Options{})
	if err != nil {
		t.Fatalf("Open with room again = %v", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// runChild runs this test binary again as a process of its own.
func runChild(t *testing.T, what, path string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KV_TEST_CHILD="+what, "KV_TEST_PATH="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", what, err, out)
	}
}
