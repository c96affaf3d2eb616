package transport

import (
	"bytes"
	"io"
	"testing"
)

var benchFraming = []struct {
	name    string
	chunked bool
}{{"delimited", false}, {"chunked", true}}

func BenchmarkRead(b *testing.B) {
	for _, f := range benchFraming {
		for _, size := range []int{300, 1 << 20} {
			b.Run(f.name+map[int]string{300: "/300B", 1 << 20: "/1MiB"}[size], func(b *testing.B) {
				var wire bytes.Buffer
				w := NewWriter(&wire)
				if f.chunked {
					w.Upgrade()
				}
				if err := w.WriteMessage(bytes.Repeat([]byte("<a>]</a>"), size/8)); err != nil {
					b.Fatal(err)
				}
				src := &repeat{b: wire.Bytes()}
				r := NewReader(src, 0)
				if f.chunked {
					r.Upgrade()
				}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := r.ReadMessage(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// repeat is its bytes again and again.
type repeat struct {
	b []byte
	i int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.b[r.i:])
	r.i = (r.i + n) % len(r.b)
	return n, nil
}

func BenchmarkWrite(b *testing.B) {
	for _, f := range benchFraming {
		for _, size := range []int{300, 1 << 20} {
			b.Run(f.name+map[int]string{300: "/300B", 1 << 20: "/1MiB"}[size], func(b *testing.B) {
				w := NewWriter(io.Discard)
				if f.chunked {
					w.Upgrade()
				}
				msg := bytes.Repeat([]byte("<a>]</a>"), size/8)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if err := w.WriteMessage(msg); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
