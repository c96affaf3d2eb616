package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
	_ "time/tzdata" // the zones of time-zone, wherever we run

	"incidentd/incident/ingest"
	"incidentd/incident/ingest/listen"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Kind is the kind of source syslog of incidentd-sources.
func Kind() ingest.Kind {
	return ingest.Kind{Module: "incidentd-sources", Name: "syslog", New: func(c *data.Loc) (ingest.Source, error) { return newSource(c) }}
}

// source is a source of syslog.
type source struct {
	config    listen.Config
	limits    listen.Connections
	secure    *tls.Config
	transport string
	zone      *time.Location
	rate      *listen.Rate
}

func newSource(at *data.Loc) (*source, error) {
	config, err := listen.FromData(at)
	if err != nil {
		return nil, err
	}
	s := &source{config: config, limits: listen.ConnectionsFromData(at.Node), transport: listen.Text(at.Node, "transport"), rate: listen.NewRate(config.RatePerPeer)}
	if s.secure, err = listen.TLSFromData(at); err != nil {
		return nil, err
	}
	if s.zone, err = time.LoadLocation(listen.Text(at.Node, "time-zone")); err != nil {
		return nil, rpcerr.InvalidValue("%v", err).At(at.Down(at.Node.Child("time-zone")).Path())
	}
	return s, nil
}

// Endpoint implements ingest.Listener.
func (s *source) Endpoint() ingest.Endpoint {
	return ingest.Endpoint{Network: s.transport, Address: s.config.Address}
}

// Run implements ingest.Source.
func (s *source) Run(ctx context.Context, f *ingest.Feed) error {
	if s.transport == "udp" {
		return listen.UDP(ctx, &s.config, s.rate, f, func(b []byte, peer netip.Addr) []byte { s.datagram(b, peer, f); return nil })
	}
	ln, err := listen.TCP(ctx, &s.config, s.limits, s.secure, f)
	if err != nil {
		return err
	}
	name := "tcp "
	if s.secure != nil {
		name = "tls "
	}
	f.Up(name + ln.Addr().String())
	return listen.Serve(ctx, ln, f, func(ctx context.Context, c net.Conn) { s.connection(ctx, c, f) })
}

// datagram takes the message of a datagram [RFC 5426 section 3.1].
func (s *source) datagram(b []byte, peer netip.Addr, f *ingest.Feed) {
	if len(b) > s.config.MaxMessage {
		b = b[:s.config.MaxMessage]
		f.Malformed(fmt.Errorf("message from %s: %w", peer, ErrTooLong))
	}
	m, err := Parse(b, time.Now(), s.zone)
	if err != nil {
		f.Malformed(fmt.Errorf("message from %s: %w", peer, err))
	}
	if m != nil {
		m.Peer = peer
		f.Offer(m)
	}
}

// connection takes the messages of a connection until it ends. A message is read only
// when there is room for it, which holds up the sender.
func (s *source) connection(ctx context.Context, c net.Conn, f *ingest.Feed) {
	peer := listen.Peer(c.RemoteAddr())
	in := newFrames(idle{c, s.limits.Idle}, s.config.MaxMessage)
	for {
		b, err := in.next()
		if err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				f.Malformed(fmt.Errorf("connection from %s: %w", peer, err))
			}
			return
		}
		f.Received(len(b))
		if in.long {
			f.Malformed(fmt.Errorf("message from %s: %w", peer, ErrTooLong))
		}
		if wait := s.rate.Take(peer); wait > 0 {
			f.Delayed(1)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
		}
		m, err := Parse(b, time.Now(), s.zone)
		if err != nil {
			f.Malformed(fmt.Errorf("message from %s: %w", peer, err))
		}
		if m == nil {
			continue
		}
		m.Peer = peer
		if f.Put(ctx, m) != nil {
			return
		}
	}
}

// idle is a connection whose reads end when nothing has come for a time.
type idle struct {
	net.Conn
	after time.Duration
}

// Read implements io.Reader.
func (c idle) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.after)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}
