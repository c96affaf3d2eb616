package server

import (
	"context"
	"net"
	"sync"
	"time"

	"incidentd/netconf"
	"incidentd/netconf/subscribe"
	"incidentd/netconf/transport"
)

// callTime is how long a receiver may take to accept a connection.
const callTime = 10 * time.Second

// call opens a session to a receiver of configured subscriptions: we connect, and the
// receiver is the client of SSH and NETCONF [RFC 8071 section 3].
func (s *Server) call(ctx context.Context, r subscribe.Receiver, begun func(*netconf.Session)) error {
	dialer := net.Dialer{Timeout: callTime}
	if r.Source != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(r.Source)}
	}
	tcp, err := dialer.DialContext(ctx, "tcp", r.Address)
	if err != nil {
		return err
	}
	if r.DSCP != 0 {
		if err := transport.Mark(tcp, r.DSCP); err != nil {
			tcp.Close()
			return err
		}
	}
	return s.ssh.Serve(ctx, newCalled(tcp), func(ctx context.Context, c *transport.Conn) {
		s.netconf.Serve(ctx, receiverConn{c, begun})
	})
}

// receiverConn is the connection of a session to a receiver.
type receiverConn struct {
	*transport.Conn
	begun func(*netconf.Session)
}

// Established implements what netconf.Conn says of it.
func (c receiverConn) Established(s *netconf.Session) { c.begun(s) }

// called is a listener that has one connection to accept, and is closed with it.
type called struct {
	tcp    net.Conn
	taken  chan net.Conn // one slot
	once   sync.Once
	closed chan struct{}
}

func newCalled(tcp net.Conn) *called {
	c := &called{tcp: tcp, taken: make(chan net.Conn, 1), closed: make(chan struct{})}
	c.taken <- watchedConn{tcp, c}
	return c
}

// Accept implements net.Listener.
func (c *called) Accept() (net.Conn, error) {
	select {
	case conn := <-c.taken:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The connection is left alone.
func (c *called) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// Addr implements net.Listener.
func (c *called) Addr() net.Addr { return c.tcp.LocalAddr() }

// watchedConn closes its listener with itself.
type watchedConn struct {
	net.Conn
	of *called
}

// NetConn is the connection itself.
func (c watchedConn) NetConn() net.Conn { return c.Conn }

// Close implements net.Conn.
func (c watchedConn) Close() error {
	c.of.Close()
	return c.Conn.Close()
}
