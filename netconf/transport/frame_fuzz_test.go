package transport

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// FuzzDelimited: what the Writer accepts comes back, however it is split.
func FuzzDelimited(f *testing.F) {
	f.Add([]byte("<a/>"), []byte("<b/>"), uint64(1))
	f.Add([]byte("]]>"), []byte("]"), uint64(2))
	f.Add([]byte("x]]>]"), []byte("]>]]>"), uint64(3))
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		roundTrip(t, false, a, b, seed)
	})
}

// FuzzChunked: every message comes back, however it is split.
func FuzzChunked(f *testing.F) {
	f.Add([]byte("<a/>"), []byte("\n##\n"), uint64(1))
	f.Add(bytes.Repeat([]byte("x"), 300), []byte("]]>]]>"), uint64(2))
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		roundTrip(t, true, a, b, seed)
	})
}

func roundTrip(t *testing.T, chunked bool, a, b []byte, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	var wire bytes.Buffer
	w := NewWriter(&wire)
	if chunked {
		w.Upgrade()
	}
	var want [][]byte
	for _, p := range [][]byte{a, b} {
		before := wire.Len()
		m := w.NewMessage()
		var err error
		for rest := p; len(rest) > 0 && err == nil; {
			n := min(len(rest), 1+rnd.IntN(100))
			if rnd.IntN(3) == 0 {
				n = len(rest)
			}
			_, err = m.Write(rest[:n])
			rest = rest[n:]
		}
		if err == nil {
			err = m.Close()
		}
		if err != nil {
			refused := errors.Is(err, ErrDelimiter) || chunked && len(p) == 0
			if good := m.Discard(); !refused || good != (wire.Len() == before) {
				t.Fatalf("message of %d bytes: %v, %d bytes sent, good = %v", len(p), err, wire.Len()-before, good)
			} else if !good {
				return
			}
			continue
		}
		if !chunked {
			p = bytes.TrimLeft(p, " \t\r\n")
		}
		want = append(want, p)
	}
	r := NewReader(&randomSplit{wire.Bytes(), rnd}, 0)
	if chunked {
		r.Upgrade()
	}
	for i, p := range want {
		got, err := r.ReadMessage()
		if err != nil || !bytes.Equal(got, p) {
			t.Fatalf("message %d = %q, %v, want %q", i, got, err, p)
		}
	}
	if _, err := r.ReadMessage(); err != io.EOF {
		t.Fatalf("after the last message: %v", err)
	}
}

// FuzzReader: whatever comes is messages and then one of the documented errors,
// the same for every split.
func FuzzReader(f *testing.F) {
	f.Add([]byte("<a/>]]>]]>\n#3\nabc\n##\n"), true, uint64(1))
	f.Add([]byte("<a/>]]>]]><b>]]></b>]]>]]>"), false, uint64(1))
	f.Add([]byte("]]>]]>\n#1\nx\n#4294967295\n"), true, uint64(1))
	f.Fuzz(func(t *testing.T, in []byte, upgrade bool, seed uint64) {
		read := func(src io.Reader) (got [][]byte, err error) {
			r := NewReader(src, 1000)
			for i := 0; ; i++ {
				m, err := r.ReadMessage()
				if err != nil {
					return got, err
				}
				if len(m) > 1000 {
					t.Fatalf("a message of %d bytes passed the limit", len(m))
				}
				got = append(got, m)
				if i == 0 && upgrade {
					r.Upgrade()
				}
			}
		}
		a, errA := read(bytes.NewReader(in))
		b, errB := read(&randomSplit{in, rand.New(rand.NewPCG(seed, 0))})
		if errA.Error() != errB.Error() || len(a) != len(b) {
			t.Fatalf("%d messages, %v when whole; %d, %v when split", len(a), errA, len(b), errB)
		}
		for i := range a {
			if !bytes.Equal(a[i], b[i]) {
				t.Fatalf("message %d: %q when whole, %q when split", i, a[i], b[i])
			}
		}
		for _, want := range []error{io.EOF, io.ErrUnexpectedEOF, ErrTooBig, ErrBadChunk} {
			if errors.Is(errA, want) {
				return
			}
		}
		t.Fatalf("undocumented error %v", errA)
	})
}
