package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/transport"
)

// Capabilities of the base protocol [RFC 6241 section 8.1].
const (
	Base10 = "urn:ietf:params:netconf:base:1.0"
	Base11 = "urn:ietf:params:netconf:base:1.1"
)

// Config is how a client connects. For New its zero value works; Dial needs User,
// HostKey and Password or Signers.
type Config struct {
	// User is the name to log in with.
	User string
	// Password is tried after the Signers.
	Password string
	// Signers are the private keys to log in with.
	Signers []ssh.Signer
	// HostKey decides whether the server is the right one; see KnownHosts.
	HostKey ssh.HostKeyCallback
	// HostKeyAlgorithms are those of the keys that HostKey knows. All that are
	// safe by default.
	HostKeyAlgorithms []string
	// Timeout limits connecting, logging in and the exchange of hellos together.
	// 30 seconds by default.
	Timeout time.Duration
	// MaxMessage limits a message of the server in bytes,
	// transport.DefaultMaxMessage by default.
	MaxMessage int
	// Notifications is how many of them wait for the consumer before the client
	// stops reading. 64 by default.
	Notifications int
	// Capabilities are sent in our hello. Base10 and Base11 by default.
	Capabilities []string
}

func (cfg Config) withDefaults() Config {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Notifications <= 0 {
		cfg.Notifications = 64
	}
	if len(cfg.Capabilities) == 0 {
		cfg.Capabilities = []string{Base10, Base11}
	}
	return cfg
}

// Client is a NETCONF session.
type Client struct {
	rw           io.ReadWriteCloser
	sessionID    uint32
	capabilities []string
	r            *transport.Reader // the reader goroutine's

	writing chan struct{} // one element while a request is written; guards w
	w       *transport.Writer

	notifications chan *Notification // closed by the reader goroutine at its end
	closing       chan struct{}      // closed by fail: the reader shall end
	done          chan struct{}      // closed by the reader goroutine at its end

	mu      sync.Mutex
	lastID  uint64                   // mu
	pending map[uint64]chan<- *Reply // mu; each has room for one
	order   []uint64                 // mu; the ids in pending, oldest first
	err     error                    // mu; why the connection ended
}

// New exchanges hellos over rw and returns the session. It takes rw over: it is
// closed with the client, and when New fails. Read and Write of rw have to return
// once it is closed.
func New(ctx context.Context, rw io.ReadWriteCloser, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	c := &Client{
		rw:            rw,
		r:             transport.NewReader(rw, cfg.MaxMessage),
		w:             transport.NewWriter(rw),
		writing:       make(chan struct{}, 1),
		notifications: make(chan *Notification, cfg.Notifications),
		closing:       make(chan struct{}),
		done:          make(chan struct{}),
		pending:       make(map[uint64]chan<- *Reply),
	}
	stop := context.AfterFunc(ctx, func() { rw.Close() })
	err := c.hello(cfg.Capabilities)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		rw.Close()
		return nil, fmt.Errorf("netconf: hello: %w", err)
	}
	go c.read()
	return c, nil
}

// hello sends ours while it reads theirs, as both sides speak first [RFC 6241
// section 8.1].
func (c *Client) hello(offer []string) error {
	sent := make(chan error, 1)
	go func() { sent <- c.w.WriteMessage(appendHello(nil, offer)) }()
	msg, err := c.r.ReadMessage()
	if err != nil {
		c.rw.Close()
		<-sent
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
		}
		return err
	}
	h, err := decodeHello(msg)
	if err != nil {
		c.rw.Close()
		<-sent
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	c.sessionID, c.capabilities = h.sessionID, h.capabilities
	both := func(base string) bool { return has(offer, base) && has(h.capabilities, base) }
	switch {
	case both(Base11):
		c.r.Upgrade()
		c.w.Upgrade()
	case !both(Base10):
		return fmt.Errorf("%w: no version of the base protocol in common", ErrProtocol)
	}
	return nil
}

func has(list []string, capability string) bool {
	for _, c := range list {
		if c == capability {
			return true
		}
	}
	return false
}

// SessionID is the number that the server has given the session.
func (c *Client) SessionID() uint32 { return c.sessionID }

// Capabilities are those of the server's hello. They must not be changed.
func (c *Client) Capabilities() []string { return c.capabilities }

// HasCapability reports whether the server has offered a capability, with or
// without parameters.
func (c *Client) HasCapability(uri string) bool {
	for _, have := range c.capabilities {
		if name, _, _ := strings.Cut(have, "?"); name == uri || have == uri {
			return true
		}
	}
	return false
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why the connection ended: an error that wraps ErrClosed, nil while it is
// there.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection without asking the server (see CloseSession for
// that), and returns when everything that the client has started has ended.
func (c *Client) Close() error {
	c.fail(nil)
	<-c.done
	return nil
}

// fail ends the connection, with the cause unless there was one before.
func (c *Client) fail(cause error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = ErrClosed
		if cause != nil {
			c.err = fmt.Errorf("%w: %w", ErrClosed, cause)
		}
		close(c.closing)
	}
	c.mu.Unlock()
	if first {
		c.rw.Close()
	}
}

// Call sends <rpc> with the operation in it, and waits for the reply. op is one
// element; without a namespace of its own it is in that of the base protocol.
//
// An <rpc-error> of the server is returned as *rpcerr.Error, or rpcerr.Errors if
// there are several, next to the Reply that held it.
func (c *Client) Call(ctx context.Context, op []byte) (*Reply, error) {
	answer := make(chan *Reply, 1)
	id, err := c.expect(ctx, answer)
	if err != nil {
		return nil, err
	}
	if err := c.send(ctx, id, op); err != nil {
		c.forget(id)
		return nil, err
	}
	select {
	case r := <-answer:
		return r, r.err
	case <-ctx.Done():
		c.forget(id)
		return nil, context.Cause(ctx)
	case <-c.done:
	}
	select {
	case r := <-answer: // it came before the end
		return r, r.err
	default:
		return nil, c.Err()
	}
}

// expect registers a call, and holds the right to write when it returns without
// error: the order of the ids is that of the requests.
func (c *Client) expect(ctx context.Context, answer chan<- *Reply) (uint64, error) {
	select {
	case c.writing <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-c.closing:
		return 0, c.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.err
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		<-c.writing
		return 0, err
	}
	c.lastID++
	c.pending[c.lastID] = answer
	c.order = append(c.order, c.lastID)
	return c.lastID, nil
}

// send writes a request and gives the right to write back.
func (c *Client) send(ctx context.Context, id uint64, op []byte) error {
	defer func() { <-c.writing }()
	b := make([]byte, 0, len(op)+120)
	b = append(b, `<rpc xmlns="`+baseNamespace+`" message-id="`...)
	b = strconv.AppendUint(b, id, 10)
	b = append(b, `">`...)
	b = append(b, op...)
	b = append(b, `</rpc>`...)

	var mu sync.Mutex
	written := false // mu
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !written {
			c.fail(fmt.Errorf("%w: %w", ErrTorn, context.Cause(ctx)))
		}
	})
	err := c.w.WriteMessage(b)
	mu.Lock()
	written = true
	mu.Unlock()
	stop()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, transport.ErrDelimiter):
		return fmt.Errorf("netconf: this server speaks base:1.0 only: %w", err) // nothing was sent
	}
	c.fail(err)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.Err()
}

// forget drops a call that nobody waits for any more.
func (c *Client) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takeLocked(id)
}

// takeLocked removes a call. Its answer is nil if there is none of that id.
func (c *Client) takeLocked(id uint64) chan<- *Reply {
	answer, ok := c.pending[id]
	if !ok {
		return nil
	}
	delete(c.pending, id)
	for i, o := range c.order {
		if o == id {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	return answer
}

// read is the reader goroutine.
func (c *Client) read() {
	defer close(c.done)
	defer close(c.notifications)
	for {
		msg, err := c.r.ReadMessage()
		if errors.Is(err, io.EOF) {
			err = errors.New("the server has closed it")
		}
		if err == nil {
			err = c.dispatch(msg)
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// dispatch hands a message to whom it is for. It blocks while the channel of
// notifications is full.
func (c *Client) dispatch(msg []byte) error {
	env, err := decodeEnvelope(msg)
	if err != nil {
		return err
	}
	if env.notification {
		select {
		case c.notifications <- newNotification(msg, env.eventTime):
		case <-c.closing:
		}
		return nil
	}
	r, err := newReply(msg)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var id uint64
	if env.hasID {
		if id, err = strconv.ParseUint(env.messageID, 10, 64); err != nil {
			return fmt.Errorf("%w: a reply with the message-id %q, which is none of ours", ErrProtocol, env.messageID)
		}
	} else if len(c.order) > 0 {
		// A server that could not read the message-id answers without one. It works
		// in order, so this is the answer to the oldest call.
		id = c.order[0]
	}
	if answer := c.takeLocked(id); answer != nil {
		answer <- r
	}
	return nil // a reply that nobody waits for was given up
}

// Notifications are what the server sends after CreateSubscription, in order. The
// channel is closed when the connection has ended; see the package comment for
// what happens when it is not read.
func (c *Client) Notifications() <-chan *Notification { return c.notifications }
