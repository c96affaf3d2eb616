package transport

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxChannels limits the channels of one connection.
const maxChannels = 64

// sshConn is one TCP connection and what runs in it.
type sshConn struct {
	s      *Server
	tcp    net.Conn
	wire   *wire // of tcp
	ln     net.Listener
	source string
	limits *Limits // of when the connection began
	in     bool    // has logged in; protected by s.mu
	ssh    *ssh.ServerConn

	// Of the login alone: the last key that was refused, and whom.
	refusedUser, refusedKey string

	mu       sync.Mutex
	channels int         // mu
	draining bool        // mu: no channel is opened any more, the last one closes the connection
	idle     *time.Timer // mu: closes a connection without channels
}

func (sc *sshConn) abort() { sc.tcp.Close() }

// serve runs a connection from its first byte to its end.
func (sc *sshConn) serve(ctx context.Context, handle Handler) {
	s := sc.s
	defer sc.tcp.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	log := s.log.With("remote", addrText(sc.tcp.RemoteAddr()))
	chans, reqs, err := sc.login(ctx)
	if !s.loginEnded(sc, err == nil) {
		if err == nil {
			s.refusedSessions.Add(1)
			log.Warn(errSessions.Error(), "user", sc.ssh.User())
			s.told(Login{User: sc.ssh.User(), RemoteAddr: sc.tcp.RemoteAddr(), Credential: sc.accepted().credential, Err: errSessions})
			sc.refuse(chans, reqs)
			return
		}
		s.failedLogins.Add(1)
		if sc.refusedKey != "" {
			s.told(Login{User: sc.refusedUser, RemoteAddr: sc.tcp.RemoteAddr(), Credential: sc.refusedKey, Err: errKey})
		}
		if expected(err) {
			log.Debug("connection ended before the login", "err", err)
		} else {
			log.Info("login failed", "err", err)
		}
		return
	}
	s.logins.Add(1)
	a := sc.accepted()
	log.Info("login", "user", sc.ssh.User(), "credential", a.credential)
	s.told(Login{User: sc.ssh.User(), RemoteAddr: sc.tcp.RemoteAddr(), Credential: a.credential, Groups: a.groups})

	var parts sync.WaitGroup
	parts.Go(func() { ssh.DiscardRequests(reqs) })
	parts.Go(func() { sc.keepAlive(ctx) })
	sc.mu.Lock()
	sc.idle = time.AfterFunc(sc.limits.LoginGrace, sc.closeIfIdle)
	sc.mu.Unlock()
	drain := context.AfterFunc(ctx, sc.drain)
	for ch := range chans { // to be read to its end, or the connection stands still
		sc.channel(ctx, &parts, ch, handle)
	}
	cancel()
	drain()
	sc.mu.Lock()
	sc.draining = true
	sc.idle.Stop()
	sc.mu.Unlock()
	sc.ssh.Close()
	parts.Wait()
	log.Info("connection ended", "user", sc.ssh.User())
}

// login runs the SSH handshake within the time for it. When ctx is cancelled it
// ends.
func (sc *sshConn) login(ctx context.Context) (chans <-chan ssh.NewChannel, reqs <-chan *ssh.Request, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = sc.s.panicked("login", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, sc.limits.LoginGrace)
	defer cancel()
	stop := context.AfterFunc(ctx, sc.abort)
	// With a deadline too, as the error then tells.
	sc.tcp.SetDeadline(time.Now().Add(sc.limits.LoginGrace))
	sc.ssh, chans, reqs, err = ssh.NewServerConn(sc.wire, sc.s.sshConfig(ctx, sc))
	if err != nil {
		stop()
		return nil, nil, err
	}
	if !stop() {
		sc.refuse(chans, reqs) // too late: the connection is being closed
		return nil, nil, context.Cause(ctx)
	}
	return chans, reqs, sc.tcp.SetDeadline(time.Time{})
}

// refuse tells the peer that it can have no session, and closes the connection.
func (sc *sshConn) refuse(chans <-chan ssh.NewChannel, reqs <-chan *ssh.Request) {
	defer time.AfterFunc(closeGrace, sc.abort).Stop()
	var parts sync.WaitGroup
	parts.Go(func() { ssh.DiscardRequests(reqs) })
	for ch := range chans {
		ch.Reject(ssh.ResourceShortage, errSessions.Error())
		sc.ssh.Close()
	}
	parts.Wait()
}

// panicked logs a panic and counts it.
func (s *Server) panicked(where string, p any) error {
	s.panics.Add(1)
	s.log.Error("panic", "where", where, "err", p, "stack", string(debug.Stack()))
	return fmt.Errorf("panic in %s: %v", where, p)
}

// keepAlive asks the peer for a sign of life until ctx is done, and aborts the
// connection when none has come for too long.
func (sc *sshConn) keepAlive(ctx context.Context) {
	interval := sc.limits.KeepAlive
	if interval < 0 {
		return
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		answer := make(chan error, 1)
		go func() {
			_, _, err := sc.ssh.SendRequest("keepalive@openssh.com", true, nil)
			answer <- err
		}()
		timer.Reset(time.Duration(sc.limits.KeepAliveCount) * interval)
		select {
		case err := <-answer:
			if err != nil {
				return
			}
		case <-timer.C:
			sc.s.deadPeers.Add(1)
			sc.s.log.Info("peer is dead", "remote", addrText(sc.tcp.RemoteAddr()), "user", sc.ssh.User())
			sc.abort()
			<-answer
			return
		}
		timer.Reset(interval)
	}
}

// drain lets the connection end when its last channel has.
func (sc *sshConn) drain() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.draining = true
	if sc.channels == 0 {
		sc.abort()
	}
}

func (sc *sshConn) closeIfIdle() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.channels == 0 {
		sc.s.log.Info("connection without a session", "remote", addrText(sc.tcp.RemoteAddr()), "user", sc.ssh.User())
		sc.abort()
	}
}

// take counts a channel; the text says why there can be no more.
func (sc *sshConn) take() (refusal string) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	switch {
	case sc.draining:
		return "the server is shutting down"
	case sc.channels >= maxChannels:
		return "too many sessions in this connection"
	}
	// Locks s.mu inside sc.mu; never the other way round.
	if refusal := sc.s.takeSession(sc.ssh.User()); refusal != "" {
		return refusal
	}
	sc.channels++
	sc.idle.Stop()
	return ""
}

func (sc *sshConn) giveBack() {
	sc.s.returnSession(sc.ssh.User())
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.channels--
	if sc.channels == 0 {
		if sc.draining {
			sc.abort()
		} else {
			sc.idle.Reset(sc.limits.LoginGrace)
		}
	}
}

// channel answers a request for a channel and starts what runs in it.
func (sc *sshConn) channel(ctx context.Context, parts *sync.WaitGroup, nch ssh.NewChannel, handle Handler) {
	if nch.ChannelType() != "session" {
		nch.Reject(ssh.UnknownChannelType, "only sessions with the subsystem netconf are served here")
		return
	}
	if refusal := sc.take(); refusal != "" {
		sc.s.refusedSessions.Add(1)
		sc.s.log.Warn("session refused", "remote", addrText(sc.tcp.RemoteAddr()), "user", sc.ssh.User(), "reason", refusal)
		nch.Reject(ssh.ResourceShortage, refusal)
		return
	}
	ch, reqs, err := nch.Accept()
	if err != nil {
		sc.giveBack()
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &Conn{ch: ch, sc: sc, gone: make(chan struct{})}
	decided := make(chan bool, 1)
	parts.Go(func() {
		c.requests(reqs, decided)
		c.ended()
		cancel()
	})
	parts.Go(func() {
		defer sc.giveBack()
		grace := time.NewTimer(sc.limits.LoginGrace)
		defer grace.Stop()
		select {
		case ok := <-decided:
			if ok {
				sc.run(ctx, c, handle)
			}
		case <-grace.C:
		case <-ctx.Done():
		}
		c.Close()
		<-c.gone // Close sees to it
	})
}

// run calls the handler; a panic in it ends the session only.
func (sc *sshConn) run(ctx context.Context, c *Conn, handle Handler) {
	defer func() {
		if p := recover(); p != nil {
			sc.s.panicked("session", p)
		}
	}()
	handle(ctx, c)
}

// requests answers a channel's requests until it is closed. decided gets true
// with the first subsystem netconf, false with the first attempt at something
// else.
func (c *Conn) requests(reqs <-chan *ssh.Request, decided chan<- bool) {
	done := false
	for req := range reqs {
		switch req.Type {
		case "subsystem", "shell", "exec":
			if done {
				break
			}
			done = true
			start := req.Type == "subsystem" && subsystem(req.Payload) == "netconf"
			// A shell and a command are accepted, since OpenSSH shows only then what
			// it is told, and end at once.
			if req.WantReply {
				req.Reply(start || req.Type != "subsystem", nil)
			}
			if !start {
				c.status.Store(1)
				io.WriteString(c.ch.Stderr(), "Only the subsystem netconf is served here: ssh -s HOST netconf\r\n")
			}
			decided <- start
			continue
		case "pty-req":
			// There is no terminal, but clients that ask for one, such as scrapli's,
			// take no for the end. What they get are the same bytes.
			if req.WantReply {
				req.Reply(true, nil)
			}
			continue
		}
		if req.WantReply {
			req.Reply(false, nil)
		}
	}
}

// subsystem is the name in a subsystem request [RFC 4254 section 6.5].
func subsystem(payload []byte) string {
	var p struct{ Name string }
	if ssh.Unmarshal(payload, &p) != nil {
		return ""
	}
	return p.Name
}
