package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"incidentd/incident/ingest"
)

// errLimit is why a connection is refused.
var (
	errLimit  = errors.New("too many connections")
	errPrefix = errors.New("its address is not allowed")
)

// TCP listens at the address of a configuration, for connections that it admits. With a
// configuration of TLS they are secured. Closing the listener closes no connection.
func TCP(ctx context.Context, c *Config, limits Connections, secure *tls.Config, f *ingest.Feed) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", c.Address.String())
	if err != nil {
		return nil, err
	}
	var out net.Listener = &limited{Listener: ln, config: c, limits: limits, feed: f, peers: map[netip.Addr]int{}}
	if secure != nil {
		out = tls.NewListener(out, secure)
	}
	return out, nil
}

// limited admits connections within limits; it refuses others and goes on.
type limited struct {
	net.Listener
	config *Config
	limits Connections
	feed   *ingest.Feed

	mu    sync.Mutex
	all   int
	peers map[netip.Addr]int
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if temporary(err) {
				time.Sleep(50 * time.Millisecond) // out of file descriptors, say
				l.feed.Refused(err)
				continue
			}
			return nil, err
		}
		peer := Peer(conn.RemoteAddr())
		if err := l.admit(peer); err != nil {
			l.feed.Refused(fmt.Errorf("connection from %s: %w", peer, err))
			conn.Close()
			continue
		}
		return &counted{Conn: conn, of: l, peer: peer}, nil
	}
}

// temporary reports whether accepting may go on after an error.
func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary() && !errors.Is(err, net.ErrClosed)
}

func (l *limited) admit(peer netip.Addr) error {
	if !l.config.Admits(peer) {
		return errPrefix
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= l.limits.Most || l.peers[peer] >= l.limits.PerPeer {
		return errLimit
	}
	l.all++
	l.peers[peer]++
	l.feed.Connected(1)
	return nil
}

// counted is a connection that counts.
type counted struct {
	net.Conn
	of   *limited
	peer netip.Addr
	once sync.Once
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.once.Do(func() {
		l := c.of
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all--
		if l.peers[c.peer]--; l.peers[c.peer] == 0 {
			delete(l.peers, c.peer)
		}
		l.feed.Connected(-1)
	})
	return c.Conn.Close()
}

// Peer is the address of the other end, an IPv4 address as such.
func Peer(a net.Addr) netip.Addr {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap().WithZone("")
}

// Serve gives each connection of a listener to a function, in a goroutine of its own, and
// closes it afterwards. It ends when ctx is done, or the listener fails; it closes the
// listener and all connections, and waits for the functions. It returns nil when ctx is
// done.
func Serve(ctx context.Context, ln net.Listener, f *ingest.Feed, each func(context.Context, net.Conn)) error {
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer func() {
		cancel()
		stop()
		ln.Close()
		serving.Wait()
	}()
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		serving.Go(func() {
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer conn.Close()
			defer stop()
			if t, ok := conn.(*tls.Conn); ok {
				if err := handshake(ctx, t); err != nil {
					f.Refused(fmt.Errorf("connection from %s: %w", Peer(conn.RemoteAddr()), err))
					return
				}
			}
			f.Guard(func() { each(ctx, conn) })
		})
	}
}

// handshakeTime is how long a client may take to secure its connection.
const handshakeTime = 10 * time.Second

func handshake(ctx context.Context, c *tls.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	return c.HandshakeContext(ctx)
}
