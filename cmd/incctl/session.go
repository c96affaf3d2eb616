package main

import (
	"context"
	"fmt"
	"time"

	"github.com/beevik/etree"
	"golang.org/x/crypto/ssh"

	"incidentd/netconf/client"
	"incidentd/yang"
	"incidentd/yang/rpcerr"
)

const capabilityInterleave = "urn:ietf:params:netconf:capability:interleave:1.0"

// stream is that of the incidents.
const stream = "incidents"

// session is a NETCONF session as the commands need it.
type session struct {
	c       *client.Client
	timeout time.Duration // for an answer
	opened  time.Time     // when the connection began, on our clock
	early   []*client.Notification
	server  string        // its address
	schema  *yang.Schema  // nil until app.schema has fetched it
	hostKey ssh.PublicKey // of the server
	shared  bool          // close leaves it open, for the next command
}

// close ends the session, politely if the server is quick.
func (s *session) close() {
	if s.shared {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	// The connection is closed either way, and nobody is left to be told.
	_ = s.c.CloseSession(ctx)
}

// get reads what a subtree filter selects, as the children of the element returned.
func (s *session) get(ctx context.Context, filter *etree.Element) (*etree.Element, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	r, err := s.c.Get(ctx, client.Subtree(string(marshal(filter))))
	if err != nil {
		return nil, err
	}
	return r.Data()
}

// call runs an operation and returns its <rpc-reply>.
func (s *session) call(ctx context.Context, op *etree.Element) (*etree.Element, error) {
	return s.callRaw(ctx, marshal(op))
}

func (s *session) callRaw(ctx context.Context, op []byte) (*etree.Element, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	r, err := s.c.Call(ctx, op)
	if err != nil {
		return nil, err
	}
	doc, err := r.Doc()
	if err != nil {
		return nil, err
	}
	return doc.Root(), nil
}

func (s *session) slow() error {
	return fmt.Errorf("no answer within %s; --timeout gives the server longer: %w", s.timeout, context.DeadlineExceeded)
}

// subscribe asks for the notifications of the stream, from a time on if it is not zero.
func (s *session) subscribe(ctx context.Context, start time.Time) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	return s.meanwhile(func() error { return s.c.CreateSubscription(ctx, stream, client.Filter{}, start, time.Time{}) })
}

// interleaves reports whether the server answers requests during a subscription.
func (s *session) interleaves() bool { return s.c.HasCapability(capabilityInterleave) }

// getMeanwhile is get during a subscription.
func (s *session) getMeanwhile(ctx context.Context, filter *etree.Element) (data *etree.Element, err error) {
	err = s.meanwhile(func() error {
		data, err = s.get(ctx, filter)
		return err
	})
	return data, err
}

// meanwhile waits for a call, and keeps the notifications that come before its answer
// for next, however many they are: the client stops reading when nobody takes them.
func (s *session) meanwhile(call func() error) error {
	answer := make(chan error, 1)
	go func() { answer <- call() }()
	notifications := s.c.Notifications()
	for {
		select {
		case n, ok := <-notifications:
			if !ok {
				notifications = nil // the answer tells why
				continue
			}
			s.early = append(s.early, n)
		case err := <-answer:
			return err
		}
	}
}

// notification is one of the server's: when it happened, its content, and its sequence
// number if the server sends them.
type notification struct {
	at       time.Time
	content  *etree.Element
	number   uint32
	numbered bool
}

// next waits for the next notification.
func (s *session) next(ctx context.Context) (notification, error) {
	n, _, err := s.nextOr(ctx, nil)
	return n, err
}

// nextOr waits for the next notification or, without one, for what a channel has; only one
// of the two is not empty. A nil or closed channel has nothing.
func (s *session) nextOr(ctx context.Context, lines <-chan string) (notification, string, error) {
	var n *client.Notification
	for n == nil {
		if len(s.early) > 0 {
			n, s.early = s.early[0], s.early[1:]
			break
		}
		select {
		case <-ctx.Done():
			return notification{}, "", ctx.Err()
		case line, ok := <-lines:
			if ok {
				return notification{}, line, nil
			}
			lines = nil
		case got, ok := <-s.c.Notifications():
			if !ok {
				return notification{}, "", s.c.Err()
			}
			n = got
		}
	}
	e, err := n.Event()
	if err != nil {
		return notification{}, "", err
	}
	out := notification{at: n.EventTime, content: e}
	_, out.number, out.numbered = n.Sequence()
	return out, "", nil
}

// marshal writes an element without a document around it.
func marshal(e *etree.Element) []byte {
	b, err := etree.NewDocumentWithRoot(e.Copy()).WriteToBytes()
	if err != nil {
		panic(err) // memory takes everything
	}
	return b
}

// refused reports whether the server has answered, with a refusal.
func refused(err error) bool {
	_, known := rpcerr.List(err)
	return err != nil && known
}
