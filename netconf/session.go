package netconf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/netconf/nacm"
	"incidentd/netconf/transport"
	"incidentd/yang/rpcerr"
)

// Session is a NETCONF session. Its methods may be called concurrently, except
// where they say otherwise.
type Session struct {
	server *Server
	id     uint32
	conn   Conn
	begun  time.Time
	limits Limits
	log    *slog.Logger
	out    *output

	established atomic.Bool
	modern      bool // base:1.1 was agreed; set before established
	counters    counters

	ctx    context.Context
	cancel context.CancelFunc
	once   sync.Once
	ending ending // valid when ctx is done

	memory  account
	leave   chan string // has one: why the server wants it to end after the RPC under way
	queue   chan []byte // closed by the reader at its end
	backlog *backlog
	readErr error // why the reader ended; valid when queue is closed

	parts     sync.WaitGroup // the reader, the closer and what Go started
	beginning sync.WaitGroup // observers that are told of it
	onEnd     []func()       // of the goroutine that serves

	joining sync.Mutex
	over    bool // joining: parts is being waited for
}

// Termination is why a session has ended [RFC 6470 section 2.2].
type Termination string

// The reasons of an end.
const (
	Closed   Termination = "closed"
	Killed   Termination = "killed"
	Dropped  Termination = "dropped"
	TimedOut Termination = "timeout"
	BadHello Termination = "bad-hello"
	Other    Termination = "other"
)

// Observer is told the begin and the end of sessions.
type Observer interface {
	// Began says that hellos were exchanged. It may wait, and holds up nobody.
	Began(*Session)
	// Ended says that a session is over, and by whom it was killed, 0 for nobody. It is
	// called after Began has returned; when there was no hello, only for TimedOut and
	// BadHello.
	Ended(s *Session, why Termination, by uint32)
}

// ending is how a session comes to its end.
type ending struct {
	as     Termination // "" for Dropped
	why    string
	by     uint32 // the session that killed it
	err    error
	proper bool // by close-session, kill-session or the server's stop
	gentle bool // the message that is being written may be finished
}

func newSession(s *Server, id uint32, conn Conn) *Session {
	limits := *s.limits.Load()
	sess := &Session{server: s, id: id, conn: conn, begun: time.Now(), limits: limits,
		log:   s.log.With("session-id", id, "user", conn.User(), "remote", addressText(conn.RemoteAddr())),
		queue: make(chan []byte, limits.Queue), backlog: newBacklog(limits.Message),
		memory: account{of: &s.memory}, leave: make(chan string, 1)}
	sess.ctx, sess.cancel = context.WithCancel(context.Background())
	sess.out = newOutput(conn, limits.Stall, func() {
		sess.end(ending{as: TimedOut, why: "the peer does not read"})
		conn.Abort()
	})
	return sess
}

func addressText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

// ID is the session-id.
func (s *Session) ID() uint32 { return s.id }

// Access is what the session's user may do now; nil permits everything.
func (s *Session) Access() *nacm.Access {
	if s.server.access == nil {
		return nil
	}
	return s.server.access(s.conn.User(), s.Groups())
}

// Groups are those of the user that the transport has found out [RFC 8341 section
// 3.4.1]. They must not be changed.
func (s *Session) Groups() []string {
	if c, ok := s.conn.(interface{ Groups() []string }); ok {
		return c.Groups()
	}
	return nil
}

// User is the name that the client has logged in with.
func (s *Session) User() string { return s.conn.User() }

// RemoteAddr is the client's address.
func (s *Session) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }

// Begun is when the session began.
func (s *Session) Begun() time.Time { return s.begun }

// Counters are those of this session.
func (s *Session) Counters() Counters { return s.counters.read() }

// Server is the server that runs the session.
func (s *Session) Server() *Server { return s.server }

// Host is the address of the client as inet:host has it, "" for one that is no IP address.
func (s *Session) Host() string {
	a := s.RemoteAddr()
	if a == nil {
		return ""
	}
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return ap.Addr().Unmap().String()
	}
	return ""
}

// Log is for what concerns the session: its id and user are in every line.
func (s *Session) Log() *slog.Logger { return s.log }

// Go runs f in a goroutine that the session waits for when it ends; ctx is
// cancelled then. It is for handlers and their Reply.Then only.
func (s *Session) Go(f func(ctx context.Context)) { s.parts.Go(func() { f(s.ctx) }) }

// Join is Go for everybody; false when the session has ended.
func (s *Session) Join(f func(ctx context.Context)) bool {
	s.joining.Lock()
	defer s.joining.Unlock()
	if s.over {
		return false
	}
	s.Go(f)
	return true
}

// OnEnd calls f when the session has ended and all its goroutines have, in the
// reverse order. It is for handlers and their Reply.Then only.
func (s *Session) OnEnd(f func()) { s.onEnd = append(s.onEnd, f) }

// Close ends the session on behalf of its client [RFC 6241 section 7.8]. It does
// not wait. What is being written is finished before the connection is closed.
func (s *Session) Close() {
	s.end(ending{as: Closed, why: "close-session", proper: true, gentle: true})
}

// Confirm waits until the peer has received all that was sent before, if the connection
// can tell.
func (s *Session) Confirm() error {
	if c, ok := s.conn.(interface{ Confirm() error }); ok {
		return c.Confirm()
	}
	return nil
}

// Mark lets the packets that are sent to the peer from now on have a DSCP. The error says
// why they cannot.
func (s *Session) Mark(dscp uint8) error {
	if c, ok := s.conn.(interface{ Mark(uint8) error }); ok {
		return c.Mark(dscp)
	}
	return errors.New("the connection has no packets that could be marked")
}

// Patience sets how long the peer may keep a write of at most 64 KiB from ending
// before the connection is aborted; 0 is Limits.Stall again. It holds from the next
// write on.
func (s *Session) Patience(d time.Duration) {
	if d == 0 {
		d = s.limits.Stall
	}
	s.out.bound.Store(int64(d))
}

// Notify sends notification messages as AppendNotification makes them. It waits for
// its turn, until ctx is done, and then for the peer to read. The messages are copied.
// An error says that not all were sent, and none when it is that of ctx; otherwise the
// session has ended.
func (s *Session) Notify(ctx context.Context, messages ...[]byte) error {
	if err := s.out.take(ctx, s.ctx); err != nil {
		return err
	}
	defer s.out.give()
	for len(messages) > 0 {
		n, err := s.out.w.WriteMessages(messages)
		switch err = s.notified(n, err); {
		case errors.Is(err, transport.ErrDelimiter):
			s.log.Error("a notification holds what ends a message of base:1.0 and is left out", "err", err)
			n++
		case err != nil:
			return err
		}
		messages = messages[n:]
	}
	return nil
}

// NotifyBatch is Notify of messages that other sessions get too. They are not copied.
func (s *Session) NotifyBatch(ctx context.Context, b *transport.Batch) error {
	if !s.modern {
		return s.Notify(ctx, b.Messages()...)
	}
	if err := s.out.take(ctx, s.ctx); err != nil {
		return err
	}
	defer s.out.give()
	return s.notified(s.out.w.WriteBatch(b))
}

// notified counts n notifications. An error that leaves half of one behind ends the
// session.
func (s *Session) notified(n int, err error) error {
	s.counters.outNotifications.Add(uint32(n))
	s.server.counters.outNotifications.Add(uint32(n))
	if err != nil && !errors.Is(err, transport.ErrDelimiter) {
		s.end(ending{why: "a notification cannot be sent", err: err})
	}
	return err
}

// leaves lets the session end after the RPC under way.
func (s *Session) leaves(why string) {
	select {
	case s.leave <- why:
	default:
	}
}

// end lets the session end, for the first reason that it is given.
func (s *Session) end(e ending) {
	s.once.Do(func() {
		s.ending = e
		s.cancel()
	})
}

// run is the life of the session.
func (s *Session) run(ctx context.Context) {
	s.parts.Go(func() {
		<-s.ctx.Done()
		if s.ending.gentle {
			s.out.finish()
		}
		s.conn.Close()
	})
	s.talk(ctx)
	s.end(ending{why: "the connection has ended"})
	s.joining.Lock()
	s.over = true
	s.joining.Unlock()
	s.parts.Wait()
	s.memory.close()
	for i := len(s.onEnd) - 1; i >= 0; i-- {
		s.onEnd[i]()
	}
	s.server.store.Release(s.id)
	e := s.ending
	defer s.observed(e) // which may take a while
	if !s.established.Load() {
		return
	}
	if !e.proper {
		s.server.dropped.Add(1)
	}
	attrs := []any{"why", e.why, "duration", time.Since(s.begun)}
	if e.by != 0 {
		attrs = append(attrs, "by", e.by)
	}
	if e.err != nil {
		attrs = append(attrs, "err", e.err)
	}
	s.log.Info("session ended", attrs...)
}

// observed tells the observers and the audit that the session has ended.
func (s *Session) observed(e ending) {
	s.beginning.Wait()
	as := cmp.Or(e.as, Dropped)
	if !s.established.Load() && as != TimedOut && as != BadHello {
		return
	}
	for _, o := range s.server.observers {
		o.Ended(s, as, e.by)
	}
	if s.established.Load() && s.server.audit != nil {
		s.server.audit.Ended(s, e.why)
	}
}

// talk exchanges the hellos and answers RPCs to the end.
func (s *Session) talk(ctx context.Context) {
	r := transport.NewReader(s.conn, s.limits.Message)
	r.Budget(s.memory.take)
	if err := s.hello(ctx, r); err != nil {
		as := BadHello
		if errors.Is(err, io.EOF) {
			as = Dropped
		} else if s.ctx.Err() == nil {
			s.server.badHellos.Add(1)
		}
		s.log.Warn("no session: the hello failed", "err", err)
		s.end(ending{as: as, why: "bad hello", err: err})
		return
	}
	s.established.Store(true)
	s.server.inSessions.Add(1)
	for _, o := range s.server.observers {
		s.beginning.Go(func() { o.Began(s) })
	}
	s.log.Info("session began", "base", map[bool]string{true: "1.1", false: "1.0"}[s.modern])
	s.parts.Go(func() { s.read(r) })
	if c, ok := s.conn.(interface{ Expires() time.Time }); ok && !c.Expires().IsZero() {
		expired := time.AfterFunc(time.Until(c.Expires()), func() { s.leaves("the certificate of the login has expired") })
		defer expired.Stop()
	}
	if c, ok := s.conn.(interface{ Established(*Session) }); ok {
		c.Established(s)
	}
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.server.stop:
			s.end(ending{as: Other, why: "the server stops", proper: true, gentle: true})
			return
		case <-ctx.Done():
			s.end(ending{as: Other, why: "the transport has ended", gentle: true})
			return
		case why := <-s.leave:
			s.end(ending{as: Other, why: why, proper: true, gentle: true})
			return
		case msg, ok := <-s.queue:
			if !ok {
				s.unreadable(s.readErr)
				return
			}
			s.backlog.release(len(msg))
			s.handle(msg)
			s.memory.give(len(msg))
		}
	}
}

// read is the reader: it queues messages.
func (s *Session) read(r *transport.Reader) {
	defer close(s.queue)
	for {
		msg, err := r.ReadMessage()
		if err != nil {
			s.readErr = err
			return
		}
		if !s.backlog.acquire(len(msg), s.ctx.Done()) {
			return
		}
		select {
		case s.queue <- msg:
		case <-s.ctx.Done():
			return
		}
	}
}

// unreadable ends the session after the reader has.
func (s *Session) unreadable(err error) {
	switch {
	case errors.Is(err, io.EOF):
		s.end(ending{why: "the client closed the connection", gentle: true})
	case errors.Is(err, transport.ErrTooBig):
		s.bad()
		s.refuse(replyHead{}, rpcerr.TooBig("a message may have %d bytes", s.limits.Message))
		s.end(ending{as: Other, why: "a message was too big", err: err, gentle: true})
	case errors.Is(err, transport.ErrNoMemory):
		s.bad()
		s.refuse(replyHead{}, rpcerr.TooBig("the messages of all sessions have taken the memory that there is for them; come again later"))
		s.end(ending{as: Other, why: "no memory is left for a message", err: err, gentle: true})
	default:
		as := Dropped
		if errors.Is(err, transport.ErrBadChunk) {
			s.bad()
			as = Other
		}
		s.end(ending{as: as, why: "nothing more can be read", err: err, gentle: true})
	}
}

// bad counts a message that is no rpc.
func (s *Session) bad() {
	s.counters.inBadRPCs.Add(1)
	s.server.counters.inBadRPCs.Add(1)
}

// hello exchanges the hellos.
func (s *Session) hello(ctx context.Context, r *transport.Reader) error {
	var late atomic.Bool
	timer := time.AfterFunc(s.limits.Hello, func() {
		late.Store(true)
		s.end(ending{as: TimedOut, why: "no hello in time"})
	})
	defer timer.Stop()
	halt := context.AfterFunc(ctx, func() { s.end(ending{as: Other, why: "the transport has ended"}) })
	defer halt()
	quit := make(chan struct{})
	defer close(quit)
	s.parts.Go(func() {
		select {
		case <-s.server.stop:
			s.end(ending{as: Other, why: "the server stops", proper: true})
		case <-quit:
		}
	})
	if err := s.out.w.WriteMessage(appendHello(nil, s.server.Capabilities(), s.id)); err != nil {
		return fmt.Errorf("sending ours: %w", err)
	}
	msg, err := r.ReadMessage()
	if late.Load() {
		return fmt.Errorf("none came within %v", s.limits.Hello)
	}
	if err != nil {
		return err
	}
	s.memory.give(len(msg))
	theirs, err := parseHello(msg)
	if err != nil {
		return err
	}
	switch {
	case has(theirs, Base11):
		s.modern = true
		r.Upgrade()
		s.out.w.Upgrade()
	case !has(theirs, Base10):
		return errors.New("it offers neither base:1.0 nor base:1.1")
	}
	return nil
}

// backlog bounds the bytes of messages that wait. One that is alone is always let
// in.
type backlog struct {
	max   int
	freed chan struct{} // has room for one; told after each release

	mu   sync.Mutex
	used int
}

func newBacklog(max int) *backlog { return &backlog{max: max, freed: make(chan struct{}, 1)} }

// acquire waits for room; false when done is closed before. There is one caller.
func (b *backlog) acquire(n int, done <-chan struct{}) bool {
	for {
		b.mu.Lock()
		ok := b.used == 0 || b.used+n <= b.max
		if ok {
			b.used += n
		}
		b.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-b.freed:
		case <-done:
			return false
		}
	}
}

func (b *backlog) release(n int) {
	b.mu.Lock()
	b.used -= n
	b.mu.Unlock()
	select {
	case b.freed <- struct{}{}:
	default:
	}
}
