package transport

import (
	"cmp"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// closeGrace is how long a peer may take to answer a close, and how long sessions
// may take to end when the context of Serve is cancelled.
const closeGrace = 3 * time.Second

// Conn is one channel with the subsystem "netconf". It is an io.ReadWriteCloser.
// One goroutine may read while another writes; Close and Abort may be called by
// any at any time.
type Conn struct {
	ch     ssh.Channel
	sc     *sshConn
	status atomic.Uint32 // exit status for the peer
	gone   chan struct{} // closed when the channel is closed by both sides, or the connection is lost

	mu     sync.Mutex
	isGone bool        // mu
	late   *time.Timer // mu: aborts when the peer does not answer a close

	closeOnce sync.Once
	closeErr  error
}

// Read blocks until the peer has sent something. io.EOF means that the peer has
// ended its side, or that the connection is lost.
func (c *Conn) Read(p []byte) (int, error) { return c.ch.Read(p) }

// Write blocks while the peer's receive window is full, without a limit of time:
// see Abort.
func (c *Conn) Write(p []byte) (int, error) {
	c.sc.wire.hold()
	n, err := c.ch.Write(p)
	return n, cmp.Or(err, c.sc.wire.release())
}

// User is the name that the peer has logged in with.
func (c *Conn) User() string { return c.sc.ssh.User() }

// Groups are those that the peer's credential has put the user into, beside what is
// configured: the principals of a certificate.
func (c *Conn) Groups() []string { return c.sc.accepted().groups }

// Expires is when the certificate that the peer has logged in with becomes invalid; zero
// for never.
func (c *Conn) Expires() time.Time { return c.sc.accepted().expires }

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.sc.tcp.RemoteAddr() }

// LocalAddr is the address that the peer has connected to.
func (c *Conn) LocalAddr() net.Addr { return c.sc.tcp.LocalAddr() }

// Close closes the channel, after what was written before. It takes a few seconds
// at most: when the peer does not take part, the connection is aborted in the
// background. The server calls it when the handler returns.
func (c *Conn) Close() error {
	c.closeOnce.Do(func() {
		c.mu.Lock()
		if !c.isGone {
			c.late = time.AfterFunc(closeGrace, c.Abort)
		}
		c.mu.Unlock()
		// For ssh -s, which ends with it.
		c.ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{c.status.Load()}))
		c.closeErr = c.ch.Close()
	})
	return c.closeErr
}

// Abort closes the whole TCP connection at once, with every other channel in it.
// Nothing else ends a Write to a peer that has stopped reading. It never blocks.
func (c *Conn) Abort() { c.sc.abort() }

// Confirm waits until the peer has received all that was written before: it asks for an
// answer behind it. It says nothing about what the peer has done with it.
func (c *Conn) Confirm() error {
	_, _, err := c.sc.ssh.SendRequest("keepalive@openssh.com", true, nil)
	return err
}

// ended notes that the channel is gone.
func (c *Conn) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isGone = true
	if c.late != nil {
		c.late.Stop()
	}
	close(c.gone)
}
