package load

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/transport"
)

// Namespaces of messages.
const (
	baseNamespace         = "urn:ietf:params:xml:ns:netconf:base:1.0"
	notificationNamespace = "urn:ietf:params:xml:ns:netconf:notification:1.0"
)

// ErrTimeout is a reply that did not come in time; the session is closed then.
var ErrTimeout = errors.New("no answer in time")

// Session is a NETCONF session. It costs the machine as little as it can, so that what is
// measured is the server: replies are looked at, not parsed. It belongs to one goroutine.
type Session struct {
	tap     *tap
	ssh     ssh.Conn
	channel ssh.Channel
	parts   sync.WaitGroup // what runs in the connection
	r       *transport.Reader
	w       *transport.Writer

	capabilities []string
	timeout      time.Duration
	watch        *time.Timer // closes the connection when a reply is late
	expired      atomic.Bool
	lastID       int
	buffer       []byte
}

func (ss *Session) expire() {
	ss.expired.Store(true)
	ss.tap.Close()
}

// cause is err, or ErrTimeout when that is what has ended the connection.
func (ss *Session) cause(err error) error {
	switch {
	case ss.expired.Load():
		return fmt.Errorf("%w (%v)", ErrTimeout, ss.timeout)
	case errors.Is(err, io.EOF):
		return errors.New("the server has closed the connection")
	}
	return err
}

// Close ends the connection without asking the server.
func (ss *Session) Close() {
	ss.watch.Stop()
	ss.tap.thaw()
	if ss.ssh != nil {
		ss.ssh.Close()
	}
	ss.tap.Close()
	ss.parts.Wait()
}

// End asks the server to end the session [RFC 6241 section 7.8], and closes it.
func (ss *Session) End() error {
	_, err := ss.Call("<close-session/>")
	ss.Close()
	return err
}

// Call sends an operation and returns the reply. Notifications that come before it are
// dropped. What the server refuses is a *Refusal.
func (ss *Session) Call(op string) ([]byte, error) {
	if err := ss.send(op); err != nil {
		return nil, err
	}
	return ss.reply()
}

// send writes a request.
func (ss *Session) send(op string) error {
	ss.lastID++
	ss.buffer = appendRPC(ss.buffer[:0], ss.lastID, op)
	ss.watch.Reset(ss.timeout)
	defer ss.watch.Stop()
	if err := ss.w.WriteMessage(ss.buffer); err != nil {
		return ss.cause(err)
	}
	return nil
}

func appendRPC(b []byte, id int, op string) []byte {
	b = append(b, `<rpc xmlns="`+baseNamespace+`" message-id="`...)
	b = strconv.AppendInt(b, int64(id), 10)
	b = append(b, `">`...)
	b = append(b, op...)
	return append(b, `</rpc>`...)
}

// reply reads up to the reply to the last request.
func (ss *Session) reply() ([]byte, error) {
	for {
		msg, err := ss.message()
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(head(msg), []byte("rpc-reply")) {
			continue
		}
		if bytes.Contains(msg, []byte("rpc-error>")) {
			if err := refusal(msg); err != nil {
				return msg, err
			}
		}
		return msg, nil
	}
}

// message reads one.
func (ss *Session) message() ([]byte, error) {
	ss.watch.Reset(ss.timeout)
	defer ss.watch.Stop()
	msg, err := ss.r.ReadMessage()
	if err != nil {
		return nil, ss.cause(err)
	}
	return msg, nil
}

// head is as much of a message as its first element takes.
func head(msg []byte) []byte {
	if len(msg) > 400 {
		return msg[:400]
	}
	return msg
}

// Refusal is the first <rpc-error> of a reply.
type Refusal struct {
	Severity string `xml:"error-severity"`
	Tag      string `xml:"error-tag"`
	Path     string `xml:"error-path"`
	Message  string `xml:"error-message"`
}

func (r *Refusal) Error() string {
	text := strings.Join(strings.Fields(r.Tag+": "+r.Message), " ")
	if path := strings.TrimSpace(r.Path); path != "" {
		text += " (" + path + ")"
	}
	return "the server refuses: " + text
}

// refusal is the error of a reply, nil when it holds warnings at most.
func refusal(msg []byte) error {
	var reply struct {
		Errors []*Refusal `xml:"urn:ietf:params:xml:ns:netconf:base:1.0 rpc-error"`
	}
	if err := xml.Unmarshal(msg, &reply); err != nil {
		return fmt.Errorf("a reply that is not XML: %w", err)
	}
	for _, e := range reply.Errors {
		if strings.TrimSpace(e.Severity) != "warning" {
			e.Tag = strings.TrimSpace(e.Tag)
			return e
		}
	}
	return nil
}

// tap is a connection that can stop reading, as a client does whose machine hangs.
type tap struct {
	net.Conn
	mu   sync.Mutex
	gate chan struct{} // mu; closed by thaw; nil while it flows
}

// freeze stops reading, and lets the kernel keep as little as it can.
func (t *tap) freeze() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gate = make(chan struct{})
	if c, ok := t.Conn.(*net.TCPConn); ok {
		c.SetReadBuffer(4096) // a hint; without it the server is blocked later
	}
}

func (t *tap) thaw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gate != nil {
		close(t.gate)
		t.gate = nil
	}
}

func (t *tap) Read(p []byte) (int, error) {
	t.mu.Lock()
	gate := t.gate
	t.mu.Unlock()
	if gate != nil {
		<-gate
	}
	return t.Conn.Read(p)
}

// dialAll opens n sessions, a few at a time. It returns those that were opened, with the
// first error.
func (s *Server) dialAll(ctx context.Context, n int) ([]*Session, error) {
	var (
		mu    sync.Mutex
		list  []*Session // mu
		first error      // mu
		wg    sync.WaitGroup
		room  = make(chan struct{}, 8)
	)
	for range n {
		room <- struct{}{}
		mu.Lock()
		failed := first != nil
		mu.Unlock()
		if failed {
			break
		}
		wg.Go(func() {
			defer func() { <-room }()
			ss, err := s.Dial(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				if first == nil {
					first = err
				}
				return
			}
			list = append(list, ss)
		})
	}
	wg.Wait()
	return list, first
}

func closeAll(list []*Session) {
	var wg sync.WaitGroup
	for _, ss := range list {
		wg.Go(ss.Close)
	}
	wg.Wait()
}
