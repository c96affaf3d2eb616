package kv

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestMain plays the part of another process when it is asked to.
func TestMain(m *testing.M) {
	path := os.Getenv("KV_TEST_PATH")
	var err error
	switch what := os.Getenv("KV_TEST_CHILD"); what {
	case "":
		os.Exit(m.Run())
	case "limit":
		err = limitChild(path)
	case "crash":
		err = crashChild(path)
	default:
		err = fmt.Errorf("no part %q", what)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// numbered is the n-th transaction: a row in one table, its square in another,
// and the last forty rows kept.
func numbered(w *Writer, n uint64) error {
	key := binary.BigEndian.AppendUint64(nil, n)
	_, err := w.DeleteRange("rows", nil, binary.BigEndian.AppendUint64(nil, max(n, 40)-40))
	return errors.Join(err,
		w.Append("rows", key, bytes.Repeat([]byte{byte(n)}, int(n%17)*700)),
		w.Put("squares", []byte("last"), fmt.Appendf(nil, "%d", n*n)))
}

// crashChild commits and tells so, until it is killed.
func crashChild(path string) error {
	db, err := Open(path, Options{})
	if err != nil {
		return err
	}
	var n uint64
	if err := db.View(func(r *Reader) error {
		if k, _ := r.Last("rows"); k != nil {
			n = binary.BigEndian.Uint64(k)
		}
		return nil
	}); err != nil {
		return err
	}
	for {
		n++
		if err := db.Update(func(w *Writer) error { return numbered(w, n) }); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKill kills a process with SIGKILL at random moments between and during its
// commits. Invariants: what it told to be committed is there, at most one
// transaction more, each of them whole.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		told, stderr := killed(t, path, 1+random.IntN(40), time.Duration(random.IntN(2000))*time.Microsecond)
		if stderr != "" {
			t.Fatalf("round %d: %s", round, stderr)
		}
		db, err := Open(path, Options{MustExist: true})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := errors.Join(db.Check(), db.View(func(r *Reader) error { return whole(r, told) }), db.Close()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// killed starts the process, lets it tell of so many commits, waits a moment
// that falls anywhere in the next ones, and kills it.
func killed(t *testing.T, path string, commits int, moment time.Duration) (told uint64, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KV_TEST_CHILD=crash", "KV_TEST_PATH="+path)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if told, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		if i == commits {
			time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait()
	return told, errs.String()
}

func whole(r *Reader, told uint64) error {
	k, _ := r.Last("rows")
	if k == nil {
		return errors.New("no rows")
	}
	last := binary.BigEndian.Uint64(k)
	if last < told || last > told+1 {
		return fmt.Errorf("the last row is %d, and %d was acknowledged", last, told)
	}
	if got, want := string(r.Get("squares", []byte("last"))), fmt.Sprint(last*last); got != want {
		return fmt.Errorf("a torn transaction: square %s of %d", got, last)
	}
	n := max(last, 40) - 40
	if n == 0 {
		n = 1
	}
	for k, v := range r.Scan("rows", nil, nil) {
		if got := binary.BigEndian.Uint64(k); got != n {
			return fmt.Errorf("row %d where %d should be", got, n)
		}
		if want := bytes.Repeat([]byte{byte(n)}, int(n%17)*700); !bytes.Equal(v, want) {
			return fmt.Errorf("row %d is not what was put", n)
		}
		n++
	}
	if n != last+1 {
		return fmt.Errorf("the rows end at %d, not %d", n-1, last)
	}
	return nil
}
