package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readAll reads messages until the first error.
func readAll(r *Reader) (messages []string, err error) {
	for {
		m, err := r.ReadMessage()
		if err != nil {
			return messages, err
		}
		messages = append(messages, string(m))
	}
}

func TestReadDelimited(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
		err      error
	}{
		{"nothing", "", nil, io.EOF},
		{"one", "<a/>]]>]]>", []string{"<a/>"}, io.EOF},
		{"two", "<a/>]]>]]><b/>]]>]]>", []string{"<a/>", "<b/>"}, io.EOF},
		{"lines between", "<a/>]]>]]>\r\n \t<b/>\n]]>]]>\n", []string{"<a/>", "<b/>\n"}, io.EOF},
		{"empty message", "]]>]]><b/>]]>]]>", []string{"", "<b/>"}, io.EOF},
		{"half a delimiter inside", "<a>]]></a>]]>]]>", []string{"<a>]]></a>"}, io.EOF},
		{"five sixths of a delimiter", "x]]>]]y]]>]]>", []string{"x]]>]]y"}, io.EOF},
		{"a bracket before it", "x]]]>]]>", []string{"x]"}, io.EOF},
		{"end inside a message", "<a/>]]>]]><b", []string{"<a/>"}, io.ErrUnexpectedEOF},
		{"end inside the delimiter", "<a/>]]>]]", nil, io.ErrUnexpectedEOF},
		{"as long as allowed", strings.Repeat("x", 40) + "]]>]]>", []string{strings.Repeat("x", 40)}, io.EOF},
		{"one longer", strings.Repeat("x", 41) + "]]>]]>", nil, ErrTooBig},
		{"without end", strings.Repeat("x", 4000), nil, ErrTooBig},
	}
	for _, tt := range tests {
		for name, wrap := range splits {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				r := NewReader(wrap(strings.NewReader(tt.in)), 40)
				got, err := readAll(r)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("messages of %q (-want +got):\n%s", tt.in, diff)
				}
				if !errors.Is(err, tt.err) {
					t.Errorf("error of %q = %v, want %v", tt.in, err, tt.err)
				}
				if _, again := r.ReadMessage(); again != err {
					t.Errorf("the error is not final: %v after %v", again, err)
				}
			})
		}
	}
}

// splits are ways in which a connection may deliver bytes.
var splits = map[string]func(io.Reader) io.Reader{
	"whole":       func(r io.Reader) io.Reader { return r },
	"one by one":  iotest.OneByteReader,
	"with error":  iotest.DataErrReader,
	"with zeroes": func(r io.Reader) io.Reader { return &zeroes{r: r} },
}

// zeroes returns nothing on every other read, which io.Reader allows.
type zeroes struct {
	r    io.Reader
	even bool
}

func (z *zeroes) Read(p []byte) (int, error) {
	if z.even = !z.even; z.even {
		return 0, nil
	}
	return z.r.Read(p)
}

func TestReadChunked(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
		err      error
	}{
		{"nothing", "", nil, io.EOF},
		{"one chunk", "\n#4\n<a/>\n##\n", []string{"<a/>"}, io.EOF},
		{"three chunks", "\n#1\n<\n#2\na/\n#1\n>\n##\n", []string{"<a/>"}, io.EOF},
		{"two messages", "\n#4\n<a/>\n##\n\n#4\n<b/>\n##\n", []string{"<a/>", "<b/>"}, io.EOF},
		{"framing as content", "\n#18\n\n#4\n<a/>\n##\n]]>]]>\n##\n", []string{"\n#4\n<a/>\n##\n]]>]]>"}, io.EOF},
		{"a line end behind the hello", "\r\n \n\n#4\n<a/>\n##\n", []string{"<a/>"}, io.EOF},
		{"only a line end", "\n", nil, io.EOF},
		{"a line end between messages", "\n#4\n<a/>\n##\n\n\n#4\n<b/>\n##\n", []string{"<a/>"}, ErrBadChunk},
		{"no line end", "#4\n<a/>\n##\n", nil, ErrBadChunk},
		{"space instead of a line end", " #4\n<a/>\n##\n", nil, ErrBadChunk},
		{"no chunk", "\n##\n", nil, ErrBadChunk},
		{"size zero", "\n#0\n\n##\n", nil, ErrBadChunk},
		{"leading zero", "\n#04\n<a/>\n##\n", nil, ErrBadChunk},
		{"negative", "\n#-4\n<a/>\n##\n", nil, ErrBadChunk},
		{"plus", "\n#+4\n<a/>\n##\n", nil, ErrBadChunk},
		{"hexadecimal", "\n#4a\n<a/>\n##\n", nil, ErrBadChunk},
		{"no size", "\n#\n<a/>\n##\n", nil, ErrBadChunk},
		{"carriage return", "\n#4\r\n<a/>\n##\n", nil, ErrBadChunk},
		{"four gigabytes", "\n#4294967295\n<a/>", nil, ErrTooBig},
		{"four gigabytes and one", "\n#4294967296\n<a/>", nil, ErrBadChunk},
		{"a number without end", "\n#" + strings.Repeat("9", 1000), nil, ErrBadChunk},
		{"xml instead", "<rpc/>]]>]]>", nil, ErrBadChunk},
		{"too short", "\n#3\n<a/>\n##\n", nil, ErrBadChunk},
		{"garbage at the end", "\n#4\n<a/>\n##x", nil, ErrBadChunk},
		{"garbage behind a chunk", "\n#4\n<a/>x#4\n", nil, ErrBadChunk},
		{"end in the header", "\n#4", nil, io.ErrUnexpectedEOF},
		{"end in a chunk", "\n#4\n<a", nil, io.ErrUnexpectedEOF},
		{"end behind a chunk", "\n#4\n<a/>", nil, io.ErrUnexpectedEOF},
		{"end in the end", "\n#4\n<a/>\n##", nil, io.ErrUnexpectedEOF},
		{"as long as allowed", "\n#39\n" + strings.Repeat("x", 39) + "\n#1\ny\n##\n", []string{strings.Repeat("x", 39) + "y"}, io.EOF},
		{"one longer", "\n#39\n" + strings.Repeat("x", 39) + "\n#2\nyy\n##\n", nil, ErrTooBig},
	}
	for _, tt := range tests {
		for name, wrap := range splits {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				r := NewReader(wrap(strings.NewReader("<hello/>]]>]]>"+tt.in)), 40)
				if m, err := r.ReadMessage(); string(m) != "<hello/>" || err != nil {
					t.Fatalf("hello = %q, %v", m, err)
				}
				r.Upgrade()
				got, err := readAll(r)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("messages of %q (-want +got):\n%s", tt.in, diff)
				}
				if !errors.Is(err, tt.err) {
					t.Errorf("error of %q = %v, want %v", tt.in, err, tt.err)
				}
			})
		}
	}
}

func TestReadErrorOfConnection(t *testing.T) {
	broken := errors.New("reset")
	r := NewReader(io.MultiReader(strings.NewReader("<a/>]]>]]><b"), iotest.ErrReader(broken)), 0)
	got, err := readAll(r)
	if diff := cmp.Diff([]string{"<a/>"}, got); diff != "" || err != broken {
		t.Errorf("readAll = %v, %v, want <a/> and %v", got, err, broken)
	}
	if _, err := NewReader(silent{}, 0).ReadMessage(); err != io.ErrNoProgress {
		t.Errorf("a reader that never returns anything: %v, want %v", err, io.ErrNoProgress)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// TestMessagesAreTheCallers changes a message and reads on.
func TestMessagesAreTheCallers(t *testing.T) {
	r := NewReader(strings.NewReader("aaaa]]>]]>bbbb]]>]]>"), 0)
	a, _ := r.ReadMessage()
	b, _ := r.ReadMessage()
	_ = append(a, "cccc"...)
	clear(a)
	if string(b) != "bbbb" {
		t.Errorf("the second message became %q", b)
	}
}

// TestReadMemory reads a message of the greatest default size and looks at what
// has been allocated for it in all.
func TestReadMemory(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("chunked=%v", chunked), func(t *testing.T) {
			src := io.Reader(io.MultiReader(&xs{DefaultMaxMessage}, strings.NewReader("]]>]]>")))
			r := NewReader(nil, 0)
			if chunked {
				src = io.MultiReader(strings.NewReader(fmt.Sprintf("\n#%d\n", DefaultMaxMessage)), &xs{DefaultMaxMessage}, strings.NewReader("\n##\n"))
				r.Upgrade()
			}
			r.r = src
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m, err := r.ReadMessage()
			runtime.ReadMemStats(&after)
			if err != nil || len(m) != DefaultMaxMessage {
				t.Fatalf("ReadMessage = %d bytes, %v", len(m), err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 2*DefaultMaxMessage+4<<20 {
				t.Errorf("%d bytes allocated for a message of %d", got, DefaultMaxMessage)
			}
		})
	}
}

// xs is so many bytes x.
type xs struct{ n int }

func (x *xs) Read(p []byte) (int, error) {
	if x.n == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), x.n)]
	for i := range p {
		p[i] = 'x'
	}
	x.n -= len(p)
	return len(p), nil
}

func TestWriter(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 5000) // 80,000 bytes
	tests := []struct {
		name    string
		chunked bool
		pieces  []string
		want    string
	}{
		{"delimited", false, []string{"<a/>"}, "<a/>]]>]]>"},
		{"delimited pieces", false, []string{"<a", "/>"}, "<a/>]]>]]>"},
		{"delimited empty", false, nil, "]]>]]>"},
		{"delimited long", false, []string{long}, long + "]]>]]>"},
		{"chunked", true, []string{"<a/>"}, "\n#4\n<a/>\n##\n"},
		{"chunked pieces", true, []string{"<a", "", "/>"}, "\n#4\n<a/>\n##\n"},
		{"chunked long", true, []string{long}, "\n#65536\n" + long[:65536] + "\n#14464\n" + long[65536:] + "\n##\n"},
		{"chunked exactly full", true, []string{long[:65536]}, "\n#65536\n" + long[:65536] + "\n##\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			w := NewWriter(&out)
			if tt.chunked {
				w.Upgrade()
			}
			m := w.NewMessage()
			for _, p := range tt.pieces {
				if n, err := m.Write([]byte(p)); n != len(p) || err != nil {
					t.Fatalf("Write(%d bytes) = %d, %v", len(p), n, err)
				}
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("wire (-want +got):\n%s", diff)
			}
			if err := m.Close(); err == nil {
				t.Error("a second Close succeeded")
			}
			if _, err := m.Write([]byte("x")); err == nil {
				t.Error("a Write after Close succeeded")
			}
			if !m.Discard() {
				t.Error("after a good message the writer is not good")
			}
		})
	}
}

// TestWriterDelimiter tries to smuggle the delimiter into a message, at every
// border between two writes and at that of the buffer.
func TestWriterDelimiter(t *testing.T) {
	for _, content := range []string{"a]]>]]>b", "]]>]]>", "a]]>", "a]]>]]", "a]]", "a]", "a]]>]", "a]]>]]]"} {
		for pad := chunkRoom - 8; pad <= chunkRoom+1; pad++ {
			full := strings.Repeat("x", pad) + content
			want := !strings.HasPrefix(full+"]]>]]>", full+"]]>") || strings.Index(full+"]]>]]>", "]]>]]>") != len(full)
			w := NewWriter(io.Discard)
			err := w.WriteMessage([]byte(full))
			if got := errors.Is(err, ErrDelimiter); got != want {
				t.Errorf("%d bytes and %q: %v, want refused = %v", pad, content, err, want)
			}
		}
	}
	var out bytes.Buffer
	w := NewWriter(&out)
	if err := w.WriteMessage([]byte("]]>]]>")); !errors.Is(err, ErrDelimiter) || out.Len() > 0 {
		t.Errorf("WriteMessage = %v, sent %q; want %v and nothing", err, &out, ErrDelimiter)
	}
	if err := w.WriteMessage([]byte("<a/>")); err != nil || out.String() != "<a/>]]>]]>" {
		t.Errorf("after a refused message: %v, %q", err, &out)
	}
}

func TestDiscard(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	w.Upgrade()
	m := w.NewMessage()
	io.WriteString(m, "never sent")
	if !m.Discard() || out.Len() > 0 {
		t.Errorf("Discard of an unsent message: sent %q", &out)
	}
	if err := w.WriteMessage([]byte("<a/>")); err != nil || out.String() != "\n#4\n<a/>\n##\n" {
		t.Errorf("after Discard: %v, %q", err, &out)
	}
	m = w.NewMessage()
	m.Write(make([]byte, 2*chunkRoom))
	if m.Discard() {
		t.Error("a message half sent was discarded as if nothing were wrong")
	}
	if err := w.WriteMessage([]byte("<a/>")); err == nil {
		t.Error("a message was written into another")
	}
	w = NewWriter(io.Discard)
	w.Upgrade()
	if err := w.WriteMessage(nil); err == nil {
		t.Error("an empty chunked message was sent")
	}
}

func TestMessageInsideMessage(t *testing.T) {
	w := NewWriter(io.Discard)
	w.NewMessage()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	w.NewMessage()
}

func TestWriteError(t *testing.T) {
	broken := errors.New("broken")
	w := NewWriter(failing{broken})
	if err := w.WriteMessage([]byte("x")); err != broken {
		t.Errorf("WriteMessage = %v, want %v", err, broken)
	}
	if err := w.WriteMessage([]byte("x")); err != broken {
		t.Errorf("second WriteMessage = %v, want %v", err, broken)
	}
	w = NewWriter(failing{broken})
	m := w.NewMessage()
	if n, err := m.Write(make([]byte, chunkRoom+10)); err != broken || n != chunkRoom {
		t.Errorf("Write = %d, %v, want %d, %v", n, err, chunkRoom, broken)
	}
	if m.Discard() {
		t.Error("the writer is good after an error")
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// randomSplit delivers random parts.
type randomSplit struct {
	b   []byte
	rnd *rand.Rand
}

func (s *randomSplit) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := min(1+s.rnd.IntN(7), len(p), len(s.b))
	if s.rnd.IntN(4) == 0 {
		n = min(len(p), len(s.b))
	}
	copy(p, s.b[:n])
	s.b = s.b[n:]
	return n, nil
}

// Messages that are written together arrive as they were, one by one, whatever their
// sizes and the framing.
func TestWriteMessages(t *testing.T) {
	var messages [][]byte
	for _, n := range []int{1, 10, 70000, 64 << 10, 65000, 400, 1, 1 << 20, 3} {
		messages = append(messages, bytes.Repeat([]byte("<a/>"), n))
	}
	for _, chunked := range []bool{false, true} {
		var stream bytes.Buffer
		w, r := NewWriter(&stream), NewReader(&stream, 0)
		if chunked {
			w.Upgrade()
			r.Upgrade()
		}
		if n, err := w.WriteMessages(messages); n != len(messages) || err != nil {
			t.Fatalf("chunked %t: WriteMessages = %d, %v, want %d", chunked, n, err, len(messages))
		}
		for i, want := range messages {
			if got, err := r.ReadMessage(); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("chunked %t: message %d: %d bytes, %v, want %d", chunked, i, len(got), err, len(want))
			}
		}
	}
	w := NewWriter(new(bytes.Buffer))
	if n, err := w.WriteMessages([][]byte{[]byte("<a/>"), []byte("]]>]]>"), []byte("<b/>")}); n != 1 || !errors.Is(err, ErrDelimiter) {
		t.Errorf("WriteMessages with a delimiter = %d, %v, want 1, ErrDelimiter", n, err)
	}
	w = NewWriter(new(bytes.Buffer))
	w.Upgrade()
	if n, err := w.WriteMessages([][]byte{[]byte("<a/>"), nil}); n != 1 || err == nil {
		t.Errorf("WriteMessages with an empty one = %d, %v, want 1 and an error", n, err)
	}
}

// A batch arrives as its messages, at peers of both framings, whatever its size.
func TestWriteBatch(t *testing.T) {
	for _, sizes := range [][]int{{1}, {1, 10, 400, 3}, {64 << 10}, {64<<10 + 1, 5}, {5, 70000, 6}, {5, 1 << 20, 6}} {
		var messages [][]byte
		for _, n := range sizes {
			messages = append(messages, bytes.Repeat([]byte{'x'}, n))
		}
		b := NewBatch(messages)
		for _, chunked := range []bool{true, false, true, true} {
			var stream bytes.Buffer
			w, r := NewWriter(&stream), NewReader(&stream, 0)
			if chunked {
				w.Upgrade()
				r.Upgrade()
			}
			if n, err := w.WriteBatch(b); n != len(messages) || err != nil {
				t.Fatalf("%v, chunked %t: WriteBatch = %d, %v, want %d", sizes, chunked, n, err, len(messages))
			}
			for i, want := range messages {
				if got, err := r.ReadMessage(); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%v, chunked %t: message %d: %d bytes, %v, want %d", sizes, chunked, i, len(got), err, len(want))
				}
			}
			if stream.Len() > 0 {
				t.Errorf("%v, chunked %t: %d bytes are left", sizes, chunked, stream.Len())
			}
		}
	}
	broken := errors.New("broken")
	w := NewWriter(&writes{err: broken})
	w.Upgrade()
	b := NewBatch([][]byte{[]byte("<a/>")})
	for range 2 {
		if n, err := w.WriteBatch(b); n != 0 || err != broken {
			t.Errorf("WriteBatch to a broken connection = %d, %v", n, err)
		}
	}
}
