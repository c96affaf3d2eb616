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

// Authenticator decides who may log in. Its methods are called by many goroutines
// at once and may block; the connection's time for logging in runs on.
//
// The peer learns nothing but yes or no. It is the Authenticator's duty that the
// time of a no tells nothing either: an unknown user has to cost what a wrong
// password costs.
type Authenticator interface {
	// Password reports whether the user has this password. from is the peer's
	// address, for the log.
	Password(user, password string, from net.Addr) bool
	// PublicKey reports whether the user may log in with the key. The peer has
	// not shown yet that it holds the private key, so a yes is not a login.
	PublicKey(user string, key ssh.PublicKey, from net.Addr) bool
}

// Config is what a Server needs. HostKeys and Authenticator must be given; each
// other field has a default.
type Config struct {
	// HostKeys identify the server; at most one of a type. LoadHostKey makes them.
	HostKeys []ssh.Signer
	// Authenticator decides who may log in.
	Authenticator Authenticator
	// Logger gets logins, refusals and failures. The default discards them.
	Logger *slog.Logger
	// LoginGrace is the time from the connection to the end of the login, then for
	// each channel to the request of the subsystem, and for a connection without
	// channels to open one. 30 seconds by default.
	LoginGrace time.Duration
	// MaxUnauthenticated limits the connections that have not logged in. Others
	// are closed at once. 64 by default.
	MaxUnauthenticated int
	// MaxPerSource is the same for those of one IPv4 address or IPv6 /64, so that
	// one host cannot lock out all others. Half of MaxUnauthenticated by default.
	MaxPerSource int
	// MaxSessions limits the channels, and also the connections that have logged
	// in. 1024 by default.
	MaxSessions int
	// MaxAuthTries limits the failed attempts of a connection. 6 by default.
	MaxAuthTries int
	// KeepAlive is the interval of keepalive@openssh.com requests. A peer that
	// answers none for three intervals has its connection closed. 30 seconds by
	// default, negative switches them off.
	KeepAlive time.Duration
}

// Stats are the server's figures, those of the second group since its start.
type Stats struct {
	Unauthenticated int // connections that have not logged in
	Connections     int // connections that have
	Sessions        int // open channels

	Accepted               uint64 // TCP connections
	RefusedUnauthenticated uint64 // closed for too many that have not logged in
	RefusedSessions        uint64 // connections and channels beyond MaxSessions
	FailedLogins           uint64 // connections that ended before a login
	WrongPasswords         uint64
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

	accepted, refusedUnauthenticated, refusedSessions atomic.Uint64
	failedLogins, wrongPasswords, deadPeers, panics   atomic.Uint64
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
	if cfg.LoginGrace <= 0 {
		cfg.LoginGrace = 30 * time.Second
	}
	if cfg.MaxUnauthenticated <= 0 {
		cfg.MaxUnauthenticated = 64
	}
	if cfg.MaxPerSource <= 0 {
		cfg.MaxPerSource = (cfg.MaxUnauthenticated + 1) / 2
	}
	if cfg.MaxSessions <= 0 {
		cfg.MaxSessions = 1024
	}
	if cfg.MaxAuthTries <= 0 {
		cfg.MaxAuthTries = 6
	}
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = 30 * time.Second
	}
	s.cfg, s.log = cfg, cfg.Logger
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
		FailedLogins:           s.failedLogins.Load(),
		WrongPasswords:         s.wrongPasswords.Load(),
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
		sc := &sshConn{s: s, tcp: c, ln: ln, source: sourceOf(c.RemoteAddr())}
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
	if s.stopped || s.unauthenticated >= s.cfg.MaxUnauthenticated || s.fromSource[sc.source] >= s.cfg.MaxPerSource {
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
	if !in || s.connections >= s.cfg.MaxSessions {
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

// takeSession counts a channel, unless there are too many.
func (s *Server) takeSession() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions >= s.cfg.MaxSessions {
		return false
	}
	s.sessions++
	return true
}

func (s *Server) returnSession() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions--
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

// sshConfig is the configuration of one connection. ctx ends the waits in it.
func (s *Server) sshConfig(ctx context.Context, sc *sshConn) *ssh.ServerConfig {
	refused := errors.New("refused") // stays on this side
	cfg := &ssh.ServerConfig{
		Config: ssh.Config{
			KeyExchanges: keyExchanges,
			Ciphers:      ciphers,
			MACs:         macs,
		},
		PublicKeyAuthAlgorithms: publicKeyAlgorithms,
		MaxAuthTries:            s.cfg.MaxAuthTries,
		ServerVersion:           "SSH-2.0-incidentd",
		PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if s.cfg.Authenticator.Password(meta.User(), string(password), meta.RemoteAddr()) {
				return nil, nil
			}
			s.wrongPasswords.Add(1)
			delay := s.throttle.failed(sc.source, time.Now())
			s.log.Info("wrong user or password", "user", meta.User(), "remote", addrText(meta.RemoteAddr()), "delay", delay)
			select {
			case <-time.After(delay):
			case <-ctx.Done():
			}
			return nil, refused
		},
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.cfg.Authenticator.PublicKey(meta.User(), key, meta.RemoteAddr()) {
				return nil, nil
			}
			s.log.Debug("key refused", "user", meta.User(), "remote", addrText(meta.RemoteAddr()), "key", ssh.FingerprintSHA256(key))
			return nil, refused
		},
	}
	for _, k := range s.keys {
		cfg.AddHostKey(k)
	}
	return cfg
}

// Today's algorithms, the best first: no SHA-1, no CBC, no finite-field groups.
var (
	keyExchanges = []string{
		ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519,
		ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
	}
	ciphers = []string{
		ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305,
		ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
	}
	macs                = []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512}
	publicKeyAlgorithms = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512,
	}
)

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
