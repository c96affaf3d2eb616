package transport

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// wireRoom takes two packets of SSH as large as peers allow them, and so what a Writer
	// writes at once.
	wireRoom = 68 << 10
	// wireWait is how long the peer waits for what is held while the rest waits for the
	// peer, whose window is full.
	wireWait = time.Millisecond
)

var wireBuffers = sync.Pool{New: func() any { return new([wireRoom]byte) }}

// wire is the TCP connection below an SSH connection. Package ssh writes a packet in two
// pieces, the first of 4 KiB. Each costs a system call and, worse, wakes the peer. So what
// is written between hold and release goes out together.
type wire struct {
	net.Conn
	holds atomic.Int32
	late  *time.Timer // calls overdue

	turn chan struct{}   // holds one element while one of the following is used
	buf  *[wireRoom]byte // turn; nil when it is empty
	n    int             // turn: bytes in buf
	err  error           // turn: of a write that its caller did not wait for
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c, turn: make(chan struct{}, 1)}
	w.late = time.AfterFunc(time.Hour, w.overdue)
	w.late.Stop()
	return w
}

// hold lets Write keep what it is given until release.
func (w *wire) hold() { w.holds.Add(1) }

// release ends a hold. After the last one what was kept is written; the error is that of
// this write or of an earlier one.
func (w *wire) release() error {
	last := w.holds.Add(-1) == 0
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	if last {
		w.flush()
	}
	return w.err
}

// Write implements io.Writer. While there are holds it keeps what has room.
func (w *wire) Write(p []byte) (int, error) {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	keep := w.holds.Load() > 0 && len(p) <= wireRoom
	if !keep || w.n+len(p) > wireRoom {
		w.flush()
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case !keep:
		return w.Conn.Write(p)
	}
	if w.buf == nil {
		w.buf = wireBuffers.Get().(*[wireRoom]byte)
		w.late.Reset(wireWait)
	}
	w.n += copy(w.buf[w.n:], p)
	return len(p), nil
}

// flush writes what was kept. It is called with the turn.
func (w *wire) flush() {
	if w.buf == nil {
		return
	}
	w.late.Stop()
	if w.err == nil {
		_, w.err = w.Conn.Write(w.buf[:w.n])
	}
	wireBuffers.Put(w.buf)
	w.buf, w.n = nil, 0
}

// overdue writes what was kept for too long.
func (w *wire) overdue() {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.flush()
}
