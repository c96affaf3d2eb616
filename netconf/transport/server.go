package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// Config is what a Server needs. HostKeys and Authenticator must be given; each
// other field has a default.
type Config struct {
	// HostKeys identify the server; at most one of a type. LoadHostKey makes them.
	HostKeys []ssh.Signer
	// Authenticator decides who may log in.
	Authenticator Authenticator
	// Logger gets logins, refusals and failures. The default discards them.
	Logger *slog.Logger
	// Limits can be replaced later, see SetLimits.
	Limits Limits
	// Logins, when not nil, is told each login, each wrong password, and each
	// connection that ended without a login though it had shown a key. It may block;
	// many goroutines call it at once.
	Logins func(Login)
}

// Stats are the server's figures, those of the second group since its start.
type Stats struct {
	Unauthenticated int // connections that have not logged in
	Connections     int // connections that have
	Sessions        int // open channels

	Accepted               uint64 // TCP connections
	RefusedUnauthenticated uint64 // closed for too many that have not logged in
	RefusedSessions        uint64 // connections and channels beyond MaxSessions
	Logins                 uint64
	FailedLogins           uint64 // connections that ended before a login
	WrongPasswords         uint64
	Throttled              uint64 // of them, answered later than the first of a series
	DeadPeers              uint64 // closed because no keepalive was answered
	Panics                 uint64 // handlers that panicked
}

// Handler runs one session. ctx is cancelled when the connection is lost or the
// server shuts down; the handler then says what it has to say and returns. The
// Conn is closed when it returns. A panic ends its session only.
type Handler func(ctx context.Context, c *Conn)

// Server accepts NETCONF sessions over SSH [RFC 6242].
type Server struct {
	cfg  Config
	log  *slog.Logger
	keys []ssh.Signer

	stopping chan struct{} // closed by Shutdown
	limits   atomic.Pointer[Limits]
	throttle throttle

	mu              sync.Mutex
	stopped         bool                  // mu
	listeners       map[net.Listener]bool // mu
	conns           map[*sshConn]bool     // mu
	idle            chan struct{}         // mu; made by Shutdown, closed when conns is empty
	unauthenticated int                   // mu
	fromSource      map[string]int        // mu; unauthenticated connections
	connections     int                   // mu
	sessions        int                   // mu
	ofUser          map[string]int        // mu; sessions

	accepted, refusedUnauthenticated, refusedSessions, deadPeers, panics atomic.Uint64
	logins, failedLogins, wrongPasswords, throttled                      atomic.Uint64
}

// NewServer checks the configuration.
func NewServer(cfg Config) (*Server, error) {
	if cfg.Authenticator == nil {
		return nil, errors.New("transport: no Authenticator")
	}
	if len(cfg.HostKeys) == 0 {
		return nil, errors.New("transport: no host key")
	}
	s := &Server{
		stopping:   make(chan struct{}),
		listeners:  make(map[net.Listener]bool),
		conns:      make(map[*sshConn]bool),
		fromSource: make(map[string]int),
		ofUser:     make(map[string]int),
	}
	for _, k := range cfg.HostKeys {
		k, err := hostSigner(k)
		if err != nil {
			return nil, fmt.Errorf("transport: %w", err)
		}
		s.keys = append(s.keys, k)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s.cfg, s.log = cfg, cfg.Logger
	s.SetLimits(cfg.Limits)
	return s, nil
}

// Stats returns the figures of this moment.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Unauthenticated:        s.unauthenticated,
		Connections:            s.connections,
		Sessions:               s.sessions,
		Accepted:               s.accepted.Load(),
		RefusedUnauthenticated: s.refusedUnauthenticated.Load(),
		RefusedSessions:        s.refusedSessions.Load(),
		Logins:                 s.logins.Load(),
		FailedLogins:           s.failedLogins.Load(),
		WrongPasswords:         s.wrongPasswords.Load(),
		Throttled:              s.throttled.Load(),
		DeadPeers:              s.deadPeers.Load(),
		Panics:                 s.panics.Load(),
	}
}

// Serve accepts connections and runs handle for each session, until ctx is
// cancelled, Shutdown is called (for both of which it returns nil) or the
// listener fails. It closes the listener, and returns when its last handler has.
//
// When ctx is cancelled or the listener fails, sessions have 3 seconds to end
// before their connections are aborted; Shutdown lets the caller say how long.
// Serve may be called for several listeners.
func (s *Server) Serve(ctx context.Context, ln net.Listener, handle Handler) error {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		ln.Close()
		return ErrServerClosed
	}
	s.listeners[ln] = true
	s.mu.Unlock()

	sessions, cancel := context.WithCancel(ctx)
	defer cancel()
	var mine sync.WaitGroup // what this Serve has started
	mine.Go(func() {
		select {
		case <-s.stopping:
			cancel()
		case <-sessions.Done():
		}
		ln.Close()
	})
	err := s.accept(sessions, ln, &mine, handle)
	cancel()
	s.mu.Lock()
	delete(s.listeners, ln)
	s.mu.Unlock()

	done := make(chan struct{})
	go func() {
		mine.Wait()
		close(done)
	}()
	hurry := ctx.Done()
	if err != nil {
		hurry = closedChan
	}
	select {
	case <-done:
		return err
	case <-hurry:
	}
	select {
	case <-done:
	case <-time.After(closeGrace):
		s.abortAll(ln)
		<-done
	}
	return err
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// accept starts the connections of a listener until ctx is done or the listener
// fails for good.
func (s *Server) accept(ctx context.Context, ln net.Listener, mine *sync.WaitGroup, handle Handler) error {
	const shortest, longest = 5 * time.Millisecond, time.Second
	backoff := shortest
	for {
		c, err := ln.Accept()
		if ctx.Err() != nil || s.isStopped() {
			if err == nil {
				c.Close()
			}
			return nil
		}
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("transport: accept: %w", err)
			}
			// Such as too many open files: it passes.
			s.log.Warn("cannot accept a connection", "address", ln.Addr().String(), "err", err)
			select {
			case <-time.After(backoff):
			case <-ctx.Done():
			}
			backoff = min(2*backoff, longest)
			continue
		}
		backoff = shortest
		s.accepted.Add(1)
		sc := &sshConn{s: s, tcp: c, wire: newWire(c), ln: ln, source: sourceOf(c.RemoteAddr()), limits: s.limits.Load()}
		if !s.admit(sc) {
			s.refusedUnauthenticated.Add(1)
			s.log.Warn("too many connections that have not logged in", "remote", addrText(c.RemoteAddr()))
			c.Close()
			continue
		}
		mine.Go(func() {
			defer s.forget(sc)
			sc.serve(ctx, handle)
		})
	}
}

func (s *Server) isStopped() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// admit counts a connection among those that have not logged in.
func (s *Server) admit(sc *sshConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.unauthenticated >= sc.limits.MaxUnauthenticated || s.fromSource[sc.source] >= sc.limits.MaxPerSource {
		return false
	}
	s.unauthenticated++
	s.fromSource[sc.source]++
	s.conns[sc] = true
	return true
}

// loginEnded takes a connection out of those that have not logged in. When in is
// true it becomes one that has, or, if there are too many, is refused.
func (s *Server) loginEnded(sc *sshConn, in bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unauthenticated--
	if s.fromSource[sc.source]--; s.fromSource[sc.source] == 0 {
		delete(s.fromSource, sc.source)
	}
	if !in || s.connections >= sc.limits.MaxSessions {
		return false
	}
	s.connections++
	sc.in = true
	return true
}

// forget removes a connection that has ended.
func (s *Server) forget(sc *sshConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sc.in {
		s.connections--
	}
	delete(s.conns, sc)
	if len(s.conns) == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// takeSession counts a channel of a user, unless there are too many.
func (s *Server) takeSession(user string) (refusal string) {
	limits := s.limits.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.sessions >= limits.MaxSessions:
		return errSessions.Error()
	case s.ofUser[user] >= limits.MaxPerUser:
		return "too many sessions of this user"
	}
	s.sessions++
	s.ofUser[user]++
	return ""
}

func (s *Server) returnSession(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions--
	if s.ofUser[user]--; s.ofUser[user] == 0 {
		delete(s.ofUser, user)
	}
}

// abortAll closes the connections of a listener, of every one if ln is nil.
func (s *Server) abortAll(ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sc := range s.conns {
		if ln == nil || sc.ln == ln {
			sc.abort()
		}
	}
}

// Shutdown ends the server: it closes the listeners, cancels the context of every
// handler and waits until all connections have ended. When ctx is done before, it
// aborts those that are left and returns the cause; Serve still waits for their
// handlers. A server that was shut down cannot serve again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stopping)
	}
	for ln := range s.listeners {
		ln.Close()
	}
	var idle chan struct{}
	if len(s.conns) > 0 {
		if s.idle == nil {
			s.idle = make(chan struct{})
		}
		idle = s.idle
	}
	s.mu.Unlock()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		s.abortAll(nil)
		return context.Cause(ctx)
	}
}

func addrText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

// expected tells the ends of a login that say nothing about the server.
func expected(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}
