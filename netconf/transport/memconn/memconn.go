// Package memconn is a network in memory: connections with a buffer, so that both
// ends may write first, as SSH peers do; net.Pipe has none and they block each
// other. It is made for tests under testing/synctest: whoever waits in it waits
// durably, so that virtual time goes on.
//
// # Concurrency
//
// Connections and listeners may be used by any number of goroutines at once.
package memconn

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// DefaultBuffer is the number of bytes that a direction of a connection holds
// before Write blocks.
const DefaultBuffer = 256 << 10

// Addr is the address of an end.
type Addr string

// Network is "mem".
func (Addr) Network() string { return "mem" }

func (a Addr) String() string { return string(a) }

// Pipe returns the two ends of a connection. What one writes the other reads;
// after one is closed the other reads what is left and then io.EOF, and its
// writes fail with io.ErrClosedPipe. Deadlines work as those of TCP.
func Pipe() (net.Conn, net.Conn) { return PipeBetween(Addr("a"), Addr("b"), 0) }

// PipeBetween is Pipe with the addresses of both ends, and with the size of the
// buffer in bytes; 0 means DefaultBuffer.
func PipeBetween(a, b net.Addr, buffer int) (atA, atB net.Conn) {
	if buffer <= 0 {
		buffer = DefaultBuffer
	}
	ab, ba := newHalf(buffer), newHalf(buffer)
	return &conn{in: ba, out: ab, local: a, remote: b}, &conn{in: ab, out: ba, local: b, remote: a}
}

// half is one direction.
type half struct {
	mu      sync.Mutex
	changed *sync.Cond // with mu: anything below changed
	buf     []byte     // kept when empty
	at      int        // of the next byte to be read
	max     int
	eof     bool // the writer closed: no more comes
	gone    bool // the reader closed: nothing is read any more
	read    deadline
	write   deadline
}

func newHalf(max int) *half {
	h := &half{max: max}
	h.changed = sync.NewCond(&h.mu)
	return h
}

// deadline is passed when its time has come. Its half's mutex protects it.
type deadline struct {
	passed bool
	timer  *time.Timer
}

func (h *half) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	wait := time.Until(t)
	d.passed = !t.IsZero() && wait <= 0
	if !t.IsZero() && wait > 0 {
		var own *time.Timer
		own = time.AfterFunc(wait, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if d.timer == own {
				d.passed = true
				h.changed.Broadcast()
			}
		})
		d.timer = own
	}
	h.changed.Broadcast()
}

type conn struct {
	in, out       *half
	local, remote net.Addr
}

func (c *conn) Read(p []byte) (int, error) {
	h := c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case h.read.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case len(h.buf) > h.at:
			n := copy(p, h.buf[h.at:])
			if h.at += n; h.at == len(h.buf) {
				h.buf, h.at = h.buf[:0], 0
			}
			h.changed.Broadcast()
			return n, nil
		case h.eof:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (c *conn) Write(p []byte) (int, error) {
	h := c.out
	h.mu.Lock()
	defer h.mu.Unlock()
	written := 0
	for {
		switch {
		case h.eof:
			return written, net.ErrClosed
		case h.gone:
			return written, io.ErrClosedPipe
		case h.write.passed:
			return written, os.ErrDeadlineExceeded
		case len(p) == 0:
			return written, nil
		}
		if n := min(len(p), h.max-len(h.buf)+h.at); n > 0 {
			if h.at > 0 && len(h.buf)+n > cap(h.buf) {
				h.buf, h.at = h.buf[:copy(h.buf, h.buf[h.at:])], 0
			}
			h.buf = append(h.buf, p[:n]...)
			written += n
			p = p[n:]
			h.changed.Broadcast()
			continue
		}
		h.changed.Wait()
	}
}

// Close ends both directions. What was written before can still be read at the
// other end.
func (c *conn) Close() error {
	c.out.mu.Lock()
	c.out.eof = true
	c.out.changed.Broadcast()
	c.out.mu.Unlock()
	c.in.mu.Lock()
	c.in.gone = true
	c.in.buf, c.in.at = nil, 0
	c.in.changed.Broadcast()
	c.in.mu.Unlock()
	c.SetDeadline(time.Time{})
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.read, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.write, t)
	return nil
}

// Listener is a net.Listener whose connections come from its own Dial.
type Listener struct {
	addr    net.Addr
	backlog chan net.Conn // never closed
	once    sync.Once
	closed  chan struct{} // closed by Close
}

// ErrRefused is returned by Dial when the listener is closed.
var ErrRefused = errors.New("memconn: connection refused")

// Listen returns a listener with the address.
func Listen(addr net.Addr) *Listener {
	return &Listener{addr: addr, backlog: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept waits for a Dial. After Close it returns net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.backlog:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Dial connects from an address. It waits until the connection is accepted, ctx
// is done or the listener is closed.
func (l *Listener) Dial(ctx context.Context, from net.Addr) (net.Conn, error) {
	near, far := PipeBetween(from, l.addr, 0)
	select {
	case <-l.closed:
		return nil, ErrRefused
	default:
	}
	select {
	case l.backlog <- far:
		return near, nil
	case <-l.closed:
		return nil, ErrRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends Accept and Dial. Connections stay.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is the address that Listen was given.
func (l *Listener) Addr() net.Addr { return l.addr }
