package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// DefaultMaxMessage is the size limit of a message in bytes unless a Reader is
// told another.
const DefaultMaxMessage = 64 << 20

// delimiter ends a message of the end-of-message framing [RFC 6242 section 4.3].
var delimiter = []byte("]]>]]>")

const (
	readBuffer   = 16 << 10 // the fixed buffer of a Reader
	firstSegment = 4 << 10
	lastSegment  = 1 << 20
)

// Reader reads framed messages. It is not safe for concurrent use.
//
// Its first error is final: ReadMessage returns it ever after. The errors are
// io.EOF (the peer closed between two messages), one that wraps
// io.ErrUnexpectedEOF (inside a message), ErrTooBig, ErrNoMemory or ErrBadChunk, or that of
// the underlying reader.
type Reader struct {
	r       io.Reader
	max     int
	take    func(n int) bool
	chunked bool
	first   bool // the next message is the first after Upgrade
	err     error

	buf        []byte // read ahead; buf[start:end] is unused yet
	start, end int

	msg assembly
}

// NewReader returns a Reader with end-of-message framing. max limits the size of
// a message in bytes, 0 means DefaultMaxMessage.
func NewReader(r io.Reader, max int) *Reader {
	if max <= 0 {
		max = DefaultMaxMessage
	}
	return &Reader{r: r, max: max, take: func(int) bool { return true }}
}

// Budget sets who is asked for each n bytes of a message before they are kept, and may
// refuse them with false, which is ErrNoMemory. A message has taken its length; one that
// is not finished has taken what was read of it.
func (r *Reader) Budget(take func(n int) bool) { r.take = take }

// Upgrade switches to chunked framing from the next message on. What was read
// ahead behind the hello is taken as chunked, so a request may arrive in the same
// segment as the hello.
func (r *Reader) Upgrade() { r.chunked, r.first = true, true }

// ReadMessage returns the next message without its framing. It blocks until the
// message is complete. The slice belongs to the caller. While the message is put
// together it takes at most twice its size.
//
// With end-of-message framing, white space before a message is skipped: people
// who type at a terminal end their lines.
func (r *Reader) ReadMessage() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	var err error
	if r.chunked {
		err = r.readChunks()
	} else {
		err = r.readDelimited()
	}
	if err != nil {
		r.msg.reset()
		r.buf = nil
		r.err = err
		return nil, err
	}
	return r.msg.take(), nil
}

// fill reads more bytes behind those that are unused yet; there must be room.
func (r *Reader) fill() error {
	if r.buf == nil {
		r.buf = make([]byte, readBuffer)
	}
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.end -= r.start
		r.start = 0
	}
	n, err := readSome(r.r, r.buf[r.end:])
	r.end += n
	if n > 0 {
		return nil // an error comes again with the next read
	}
	return err
}

// readSome reads at least one byte or returns an error.
func readSome(r io.Reader, p []byte) (int, error) {
	for range 100 {
		if n, err := r.Read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// add appends n unused bytes to the message.
func (r *Reader) add(n int) error {
	if r.msg.size+n > r.max {
		return r.tooBig()
	}
	if !r.take(n) {
		return ErrNoMemory
	}
	r.msg.write(r.buf[r.start : r.start+n])
	r.start += n
	return nil
}

func (r *Reader) tooBig() error { return fmt.Errorf("%w of %d bytes", ErrTooBig, r.max) }

func (r *Reader) readDelimited() error {
	for {
		if r.msg.size == 0 {
			for r.start < r.end && isSpace(r.buf[r.start]) {
				r.start++
			}
		}
		unused := r.buf[r.start:r.end]
		if i := bytes.Index(unused, delimiter); i >= 0 {
			if err := r.add(i); err != nil {
				return err
			}
			r.start += len(delimiter)
			return nil
		}
		// All but a possible beginning of the delimiter is the message's.
		if n := len(unused) - (len(delimiter) - 1); n > 0 {
			if err := r.add(n); err != nil {
				return err
			}
		}
		if err := r.fill(); err != nil {
			return inMessage(err, r.msg.size > 0 || r.start < r.end)
		}
	}
}

// inMessage makes an end of the stream inside a message an error that tells.
func inMessage(err error, inside bool) error {
	if inside && errors.Is(err, io.EOF) {
		return fmt.Errorf("the peer closed inside a message: %w", io.ErrUnexpectedEOF)
	}
	return err
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (r *Reader) readChunks() error {
	first, begun := r.first, false
	r.first = false
	for {
		size, err := r.chunkHeader(first, begun)
		if err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
		first, begun = false, true
		if size > int64(r.max-r.msg.size) {
			return r.tooBig()
		}
		if err := r.chunkData(int(size)); err != nil {
			return err
		}
	}
}

// chunkHeader reads LF HASH SIZE LF, or LF HASH HASH LF for which it returns 0.
// first allows white space in front, which may stand behind the delimiter of the
// hello; begun says that a chunk of this message came before.
func (r *Reader) chunkHeader(first, begun bool) (int64, error) {
	inside := begun
	next := func() (byte, error) {
		if r.start == r.end {
			if err := r.fill(); err != nil {
				return 0, inMessage(err, inside)
			}
		}
		c := r.buf[r.start]
		r.start++
		inside = inside || !isSpace(c)
		return c, nil
	}
	c, err := next()
	if err != nil {
		return 0, err
	}
	previous := c
	if first {
		for isSpace(c) {
			previous = c
			if c, err = next(); err != nil {
				return 0, err
			}
		}
	} else if c == '\n' {
		inside = true
		if c, err = next(); err != nil {
			return 0, err
		}
	}
	if previous != '\n' {
		return 0, fmt.Errorf("%w: %q where a chunk should begin", ErrBadChunk, previous)
	}
	if c != '#' {
		return 0, fmt.Errorf("%w: %q instead of # before a chunk's size", ErrBadChunk, c)
	}
	if c, err = next(); err != nil {
		return 0, err
	}
	if c == '#' {
		if c, err = next(); err != nil {
			return 0, err
		}
		switch {
		case c != '\n':
			return 0, fmt.Errorf("%w: %q after the end of chunks", ErrBadChunk, c)
		case !begun:
			return 0, fmt.Errorf("%w: a message without a chunk", ErrBadChunk)
		}
		return 0, nil
	}
	if c < '1' || c > '9' {
		return 0, fmt.Errorf("%w: a chunk's size begins with %q", ErrBadChunk, c)
	}
	size := int64(c - '0')
	for {
		if c, err = next(); err != nil {
			return 0, err
		}
		switch {
		case c == '\n':
			return size, nil
		case c < '0' || c > '9':
			return 0, fmt.Errorf("%w: %q in a chunk's size", ErrBadChunk, c)
		}
		// The limit of RFC 6242; a longer number cannot overflow before it.
		if size = size*10 + int64(c-'0'); size > 4294967295 {
			return 0, fmt.Errorf("%w: a chunk of more than 4294967295 bytes", ErrBadChunk)
		}
	}
}

// chunkData appends size bytes to the message, past the buffer when that is
// empty.
func (r *Reader) chunkData(size int) error {
	for size > 0 {
		if r.start < r.end {
			n := min(size, r.end-r.start)
			if err := r.add(n); err != nil {
				return err
			}
			size -= n
			continue
		}
		if size < readBuffer {
			if err := r.fill(); err != nil {
				return inMessage(err, true)
			}
			continue
		}
		room := r.msg.room()
		n, err := readSome(r.r, room[:min(size, len(room))])
		if !r.take(n) {
			return ErrNoMemory
		}
		r.msg.advance(n)
		size -= n
		if n == 0 {
			return inMessage(err, true)
		}
	}
	return nil
}

// assembly puts a message together from segments of growing size, so that
// nothing is copied more than once.
type assembly struct {
	full [][]byte
	last []byte // len is what is used
	size int
}

// room returns space to write to, at least one byte; advance then takes it over.
func (a *assembly) room() []byte {
	if len(a.last) == cap(a.last) {
		grow := firstSegment
		if a.last != nil {
			a.full = append(a.full, a.last)
			grow = min(2*cap(a.last), lastSegment)
		}
		a.last = make([]byte, 0, grow)
	}
	return a.last[len(a.last):cap(a.last)]
}

func (a *assembly) advance(n int) {
	a.last = a.last[:len(a.last)+n]
	a.size += n
}

func (a *assembly) write(p []byte) {
	for len(p) > 0 {
		n := copy(a.room(), p)
		a.advance(n)
		p = p[n:]
	}
}

func (a *assembly) take() []byte {
	msg := a.last
	if len(a.full) > 0 {
		msg = make([]byte, 0, a.size)
		for _, s := range a.full {
			msg = append(msg, s...)
		}
		msg = append(msg, a.last...)
	}
	a.reset()
	return msg[:len(msg):len(msg)]
}

func (a *assembly) reset() { *a = assembly{} }
