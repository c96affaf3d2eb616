package transport

import (
	"strconv"
	"sync"
	"sync/atomic"
)

// batchRoom is how long a batch may be whose framing is kept.
const batchRoom = 2 * chunkRoom

// Batch is messages for many peers. When the second one gets them their chunked framing is
// made for all who follow, unless they are long. It may be used by any number of goroutines
// at once.
type Batch struct {
	messages [][]byte
	chunked  func() []byte // nil when they are long
	used     atomic.Bool
}

// NewBatch makes a batch of messages, none of which is empty. They must not be changed any
// more.
func NewBatch(messages [][]byte) *Batch {
	b := &Batch{messages: messages}
	size := 0
	for _, m := range messages {
		size += len(m) + (len(m)/chunkRoom+1)*chunkHead + chunkTail
	}
	if size > batchRoom {
		return b
	}
	b.chunked = sync.OnceValue(func() []byte {
		framed := make([]byte, 0, size)
		for _, m := range messages {
			framed = appendChunked(framed, m)
		}
		return framed
	})
	return b
}

// Messages are those of the batch.
func (b *Batch) Messages() [][]byte { return b.messages }

// appendChunked appends a message with its framing [RFC 6242 section 4.2].
func appendChunked(b, message []byte) []byte {
	for len(message) > 0 {
		n := min(len(message), chunkRoom)
		b = append(strconv.AppendInt(append(b, "\n#"...), int64(n), 10), '\n')
		b = append(b, message[:n]...)
		message = message[n:]
	}
	return append(b, "\n##\n"...)
}

// WriteBatch sends the messages of a batch, 64 KiB at a time. Otherwise it is
// WriteMessages.
func (w *Writer) WriteBatch(b *Batch) (int, error) {
	if !w.chunked || b.chunked == nil || !b.used.Swap(true) {
		return w.WriteMessages(b.messages)
	}
	if w.open {
		panic("transport: a batch is written inside a message")
	}
	for left := b.chunked(); len(left) > 0 && w.err == nil; {
		n := min(len(left), chunkRoom)
		_, w.err = w.w.Write(left[:n])
		left = left[n:]
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b.messages), nil
}
