package load

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/transport"
)

// Capabilities that decide what can be asked of a server.
const (
	base10          = "urn:ietf:params:netconf:base:1.0"
	base11          = "urn:ietf:params:netconf:base:1.1"
	writableRunning = "urn:ietf:params:netconf:capability:writable-running:1.0"
	candidate       = "urn:ietf:params:netconf:capability:candidate:1.0"
	notification    = "urn:ietf:params:netconf:capability:notification:1.0"
)

// Server is a NETCONF server over SSH and how to log in there.
type Server struct {
	// Address is a host and a port.
	Address string
	// SSH says who logs in, and which host key is the right one.
	SSH ssh.ClientConfig
	// Base10 offers base:1.0 alone.
	Base10 bool
	// Timeout limits logging in, and the wait for each reply. 60 seconds by default.
	Timeout time.Duration
}

func (s *Server) timeout() time.Duration {
	if s.Timeout <= 0 {
		return time.Minute
	}
	return s.Timeout
}

// hello is ours.
func (s *Server) hello() string {
	offer := []string{base10}
	if !s.Base10 {
		offer = append(offer, base11)
	}
	var b strings.Builder
	b.WriteString(`<hello xmlns="` + baseNamespace + `"><capabilities>`)
	for _, c := range offer {
		b.WriteString("<capability>" + c + "</capability>")
	}
	b.WriteString("</capabilities></hello>")
	return b.String()
}

// pause is for servers that never answer an rpc that arrives together with the hello: what
// is asked of them otherwise shall not depend on how fast the network is. The workload
// early-rpc tells which they are.
const pause = 50 * time.Millisecond

// Dial logs in and exchanges hellos.
func (s *Server) Dial(ctx context.Context) (*Session, error) {
	ss, err := s.dial(ctx)
	if err == nil {
		time.Sleep(pause)
	}
	return ss, err
}

func (s *Server) dial(ctx context.Context) (*Session, error) {
	ss, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := ss.hello(s.hello()); err != nil {
		ss.Close()
		return nil, fmt.Errorf("%s: hello: %w", s.Address, err)
	}
	return ss, nil
}

// open logs in and starts the subsystem; hellos are left to the caller.
func (s *Server) open(ctx context.Context) (*Session, error) {
	d := net.Dialer{Timeout: s.timeout()}
	conn, err := d.DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, err
	}
	tap := &tap{Conn: conn}
	ss := &Session{tap: tap, timeout: s.timeout()}
	ss.watch = time.AfterFunc(ss.timeout, ss.expire)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := ss.login(s); err != nil {
		ss.Close()
		return nil, fmt.Errorf("%s: %w", s.Address, ss.cause(err))
	}
	ss.watch.Stop()
	ss.r, ss.w = transport.NewReader(ss.channel, maxReply), transport.NewWriter(ss.channel)
	return ss, nil
}

// maxReply limits a reply; a whole configuration may be long.
const maxReply = 2 << 30

func (ss *Session) login(s *Server) error {
	cfg := s.SSH
	c, channels, requests, err := ssh.NewClientConn(ss.tap, s.Address, &cfg)
	if err != nil {
		return err
	}
	ss.ssh = c
	ss.parts.Go(func() { ssh.DiscardRequests(requests) })
	ss.parts.Go(func() {
		for n := range channels {
			n.Reject(ssh.Prohibited, "this is a client")
		}
	})
	ch, more, err := c.OpenChannel("session", nil)
	if err != nil {
		return err
	}
	ss.channel = ch
	ss.parts.Go(func() { ssh.DiscardRequests(more) })
	ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"netconf"}))
	if err == nil && !ok {
		err = errors.New("the server has no subsystem netconf")
	}
	return err
}

// hello sends ours, reads theirs, and agrees on the framing.
func (ss *Session) hello(ours string) error {
	ss.watch.Reset(ss.timeout)
	defer ss.watch.Stop()
	if err := ss.w.WriteMessage([]byte(ours)); err != nil {
		return ss.cause(err)
	}
	msg, err := ss.r.ReadMessage()
	if err != nil {
		return ss.cause(err)
	}
	var theirs struct {
		XMLName      xml.Name `xml:"urn:ietf:params:xml:ns:netconf:base:1.0 hello"`
		Capabilities []string `xml:"capabilities>capability"`
	}
	if err := xml.Unmarshal(msg, &theirs); err != nil {
		return fmt.Errorf("not a hello: %w", err)
	}
	for _, c := range theirs.Capabilities {
		name, _, _ := strings.Cut(strings.TrimSpace(c), "?")
		ss.capabilities = append(ss.capabilities, name)
	}
	switch {
	case strings.Contains(ours, base11) && ss.has(base11):
		ss.r.Upgrade()
		ss.w.Upgrade()
	case !ss.has(base10):
		return errors.New("no version of the base protocol in common")
	}
	return nil
}

func (ss *Session) has(capability string) bool { return slices.Contains(ss.capabilities, capability) }
