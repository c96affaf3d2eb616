package transport

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"
)

const (
	chunkRoom    = 64 << 10                 // content of a chunk that a Message sends at once
	chunkHead    = len("\n#4294967295\n")   // longest header
	chunkTail    = len("\n##\n")            // end of chunks
	delimiterLen = 6                        // of the end-of-message framing
	tailRoom     = chunkTail + delimiterLen // more than either ending needs
)

var chunkBuffers = sync.Pool{New: func() any { return new([chunkHead + chunkRoom + tailRoom]byte) }}

// Writer writes framed messages. It is not safe for concurrent use, and its first
// error is final: what the peer has got of the message then cannot be taken back,
// so the connection has to be closed.
type Writer struct {
	w       io.Writer
	chunked bool
	open    bool // a Message is being written
	err     error
}

// NewWriter returns a Writer with end-of-message framing.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Upgrade switches to chunked framing from the next message on.
func (w *Writer) Upgrade() { w.chunked = true }

// WriteMessage sends a whole message. It blocks as the connection does.
//
// ErrDelimiter refuses a message with the end-of-message delimiter inside unless
// the framing is chunked.
func (w *Writer) WriteMessage(p []byte) error {
	m := w.NewMessage()
	if _, err := m.Write(p); err != nil {
		m.Discard()
		return err
	}
	return m.Close()
}

// WriteMessages sends whole messages, as many as fit into a piece of 64 KiB at a time
// where the framing is chunked. It blocks as the connection does. An error is that of
// WriteMessage, and says how many messages went before it.
func (w *Writer) WriteMessages(messages [][]byte) (int, error) {
	if !w.chunked || len(messages) == 1 {
		for i, p := range messages {
			if err := w.WriteMessage(p); err != nil {
				return i, err
			}
		}
		return len(messages), nil
	}
	buffer := chunkBuffers.Get().(*[chunkHead + chunkRoom + tailRoom]byte)
	defer chunkBuffers.Put(buffer)
	out, done := buffer[:0], 0
	flush := func(upTo int) error {
		if len(out) == 0 || w.err != nil {
			return w.err
		}
		_, w.err = w.w.Write(out)
		out = out[:0]
		if w.err == nil {
			done = upTo
		}
		return w.err
	}
	for i, p := range messages {
		if len(p) == 0 || len(out)+chunkHead+len(p)+chunkTail > len(buffer) {
			if err := flush(i); err != nil {
				return done, err
			}
		}
		if len(p) == 0 || chunkHead+len(p)+chunkTail > len(buffer) {
			if err := w.WriteMessage(p); err != nil {
				return done, err
			}
			done = i + 1
			continue
		}
		out = appendChunked(out, p)
	}
	err := flush(len(messages))
	return done, err
}

// NewMessage begins a message that is written piece by piece, and sent in chunks
// of at most 64 KiB: a reply of any size needs no more memory than that. Until it
// is closed or discarded, no other message can be begun; that is a bug and
// panics.
func (w *Writer) NewMessage() *Message {
	if w.open {
		panic("transport: a message is begun inside another")
	}
	w.open = true
	return &Message{w: w}
}

// Message is one message on its way out. It is an io.WriteCloser.
type Message struct {
	w      *Writer
	buf    *[chunkHead + chunkRoom + tailRoom]byte
	n      int  // content bytes in buf, from chunkHead on
	sent   bool // something has gone out
	closed bool

	// With end-of-message framing: the last bytes before those in buf, where a
	// delimiter may have begun.
	carry []byte
}

var (
	errMessageClosed = errors.New("transport: write to a closed message")
	errEmptyMessage  = errors.New("transport: an empty message cannot be chunked")
)

// Write adds bytes to the message. It sends them when a chunk is full, and then
// blocks as the connection does.
func (m *Message) Write(p []byte) (int, error) {
	if m.closed {
		return 0, errMessageClosed
	}
	if m.w.err != nil {
		return 0, m.w.err
	}
	written := 0
	for len(p) > 0 {
		if m.n == chunkRoom {
			if err := m.flush(false); err != nil {
				return written, err
			}
		}
		if m.buf == nil {
			m.buf = chunkBuffers.Get().(*[chunkHead + chunkRoom + tailRoom]byte)
		}
		n := copy(m.buf[chunkHead+m.n:chunkHead+chunkRoom], p)
		m.n += n
		written += n
		p = p[n:]
	}
	return written, nil
}

// Close sends what is left and ends the message.
func (m *Message) Close() error {
	if m.closed {
		return errMessageClosed
	}
	err := m.w.err
	if err == nil {
		err = m.flush(true)
	}
	m.release()
	return err
}

// Discard gives the message up. It reports whether the Writer is still good for
// another message, that is, whether nothing of this one has gone out. Otherwise
// the connection has to be closed: the peer waits for the rest. After Close it
// does nothing and reports whether the Writer is good.
func (m *Message) Discard() bool {
	if !m.closed {
		m.release()
		if m.sent && m.w.err == nil {
			m.w.err = errors.New("transport: a message was given up half sent")
		}
	}
	return m.w.err == nil
}

func (m *Message) release() {
	m.closed = true
	m.w.open = false
	if m.buf != nil {
		chunkBuffers.Put(m.buf)
		m.buf = nil
	}
}

// flush sends the buffer, with one Write.
func (m *Message) flush(last bool) error {
	var out []byte
	if m.w.chunked {
		if m.n == 0 {
			// Only an empty message comes here without content, as a full buffer is
			// kept until there is more. RFC 6242 has no empty chunked message.
			return errEmptyMessage
		}
		var head [chunkHead]byte
		h := append(head[:0], "\n#"...)
		h = strconv.AppendInt(h, int64(m.n), 10)
		h = append(h, '\n')
		start := chunkHead - len(h)
		copy(m.buf[start:], h)
		out = m.buf[start : chunkHead+m.n]
		if last {
			out = append(out, "\n##\n"...)
		}
	} else {
		if m.buf == nil {
			m.buf = chunkBuffers.Get().(*[chunkHead + chunkRoom + tailRoom]byte)
		}
		content := m.buf[chunkHead : chunkHead+m.n]
		if err := m.guard(content, last); err != nil {
			if m.sent {
				m.w.err = err
			}
			return err
		}
		out = content
		if last {
			out = append(out, delimiter...)
		}
	}
	m.sent = true
	m.n = 0
	_, err := m.w.w.Write(out)
	m.w.err = err
	return err
}

// guard looks for the delimiter in content, across its border to what was sent
// before, and at the end of the message, where content that ends in the beginning
// of a delimiter would make the real one come early.
func (m *Message) guard(content []byte, last bool) error {
	const most = delimiterLen - 1
	border := append(m.carry[:len(m.carry):len(m.carry)], content[:min(len(content), most)]...)
	if bytes.Contains(content, delimiter) || bytes.Contains(border, delimiter) {
		return ErrDelimiter
	}
	tail := content
	if len(tail) < most {
		tail = border
	}
	tail = append([]byte(nil), tail[max(0, len(tail)-most):]...)
	if last && bytes.Index(append(tail, delimiter...), delimiter) != len(tail) {
		return ErrDelimiter
	}
	m.carry = tail
	return nil
}
