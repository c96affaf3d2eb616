package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/netconf/transport/memconn"
)

// writes is a connection that keeps what each Write was given, until one fails.
type writes struct {
	net.Conn
	list []string
	err  error
}

func (w *writes) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.list = append(w.list, string(p))
	return len(p), nil
}

func TestWire(t *testing.T) {
	long := strings.Repeat("x", wireRoom)
	type step any // a string is written, +1 holds, -1 releases
	for _, test := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"without a hold", []step{"a", "b"}, []string{"a", "b"}},
		{"together", []step{+1, "a", "b", -1, "c"}, []string{"ab", "c"}},
		{"nothing", []step{+1, -1}, nil},
		{"two that hold", []step{+1, "a", +1, "b", -1, "c", -1}, []string{"abc"}},
		{"no room", []step{+1, "a", long, "b", -1}, []string{"a", long, "b"}},
		{"longer than the room", []step{+1, "a", long + "y", "b", -1}, []string{"a", long + "y", "b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := new(writes)
			w := newWire(got)
			for _, s := range test.steps {
				var err error
				switch s := s.(type) {
				case string:
					_, err = io.WriteString(w, s)
				case int:
					if s > 0 {
						w.hold()
					} else {
						err = w.release()
					}
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(test.want, got.list); diff != "" {
				t.Errorf("the writes (-want +got):\n%s", diff)
			}
		})
	}
}

// What is held while the peer is waited for goes out all the same.
func TestWireOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memconn.Pipe()
		defer near.Close()
		w := newWire(near)
		w.hold()
		begin := time.Now()
		for _, text := range []string{"one ", "two ", "three"} {
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		buf := make([]byte, 100)
		n, err := far.Read(buf)
		if got := string(buf[:n]); err != nil || got != "one two three" {
			t.Errorf("read %q, %v", got, err)
		}
		if d := time.Since(begin); d != wireWait {
			t.Errorf("after %v, want %v", d, wireWait)
		}
		if err := w.release(); err != nil {
			t.Error(err)
		}
	})
}

// A failure that came late is told to the next who writes, and to all after.
func TestWireFails(t *testing.T) {
	broken := errors.New("broken")
	c := &writes{err: broken}
	w := newWire(c)
	w.hold()
	if _, err := w.Write(bytes.Repeat([]byte{'x'}, 5000)); err != nil {
		t.Errorf("Write that is held = %v", err)
	}
	if err := w.release(); err != broken {
		t.Errorf("release = %v, want %v", err, broken)
	}
	c.err = nil
	if _, err := w.Write([]byte("x")); err != broken {
		t.Errorf("Write = %v, want %v", err, broken)
	}
	w.hold()
	if err := w.release(); err != broken {
		t.Errorf("release = %v, want %v", err, broken)
	}
}
