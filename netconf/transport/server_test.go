package transport

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/transport/memconn"
)

// fixture is a server on an in-memory listener.
type fixture struct {
	t      *testing.T
	server *Server
	ln     *memconn.Listener
	host   ssh.PublicKey
	log    *safeBuffer
	cancel context.CancelFunc
	served chan error
}

// safeBuffer is a bytes.Buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// users knows ann with the password "right" and with her key.
type users struct{ key ssh.PublicKey }

func (u users) Password(user, password string, _ net.Addr) bool {
	if user == "panic" {
		panic("authenticator")
	}
	return user == "ann" && password == "right"
}

func (u users) PublicKey(user string, key ssh.PublicKey, _ net.Addr) ([]string, error) {
	if user == "ann" && u.key != nil && bytes.Equal(key.Marshal(), u.key.Marshal()) {
		return []string{"operators"}, nil
	}
	return nil, errors.New("another key")
}

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	text, err := GenerateHostKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// start serves handle. The server ends with the test.
func start(t *testing.T, cfg Config, handle Handler) *fixture {
	t.Helper()
	f := &fixture{t: t, log: &safeBuffer{}, ln: memconn.Listen(memconn.Addr("server")), served: make(chan error, 1)}
	key := newSigner(t)
	f.host = key.PublicKey()
	cfg.HostKeys = []ssh.Signer{key}
	if cfg.Authenticator == nil {
		cfg.Authenticator = users{}
	}
	cfg.Logger = slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if f.server, err = NewServer(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() { f.served <- f.server.Serve(ctx, f.ln, handle) }()
	t.Cleanup(cancel)
	return f
}

// stop cancels the server and waits for its end.
func (f *fixture) stop() {
	f.t.Helper()
	f.cancel()
	if err := <-f.served; err != nil {
		f.t.Errorf("Serve = %v", err)
	}
	if got := f.server.Stats(); got.Connections+got.Sessions+got.Unauthenticated != 0 {
		f.t.Errorf("after Serve: %+v", got)
	}
}

func (f *fixture) config(auth ...ssh.AuthMethod) *ssh.ClientConfig {
	return &ssh.ClientConfig{User: "ann", Auth: auth, HostKeyCallback: ssh.FixedHostKey(f.host)}
}

func (f *fixture) dial(cfg *ssh.ClientConfig) (*ssh.Client, error) {
	f.t.Helper()
	c, err := f.ln.Dial(f.t.Context(), memconn.Addr("client"))
	if err != nil {
		return nil, err
	}
	conn, chans, reqs, err := ssh.NewClientConn(c, "server", cfg)
	if err != nil {
		c.Close()
		return nil, err
	}
	return ssh.NewClient(conn, chans, reqs), nil
}

// client is a connection that has logged in.
func (f *fixture) client() *ssh.Client {
	f.t.Helper()
	c, err := f.dial(f.config(ssh.Password("right")))
	if err != nil {
		f.t.Fatalf("login: %v\n%s", err, f.log)
	}
	return c
}

// netconf opens a channel with the subsystem.
func (f *fixture) netconf(c *ssh.Client) ssh.Channel {
	f.t.Helper()
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	go ssh.DiscardRequests(reqs)
	if ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"netconf"})); !ok || err != nil {
		f.t.Fatalf("subsystem = %v, %v", ok, err)
	}
	return ch
}

// echo sends every message back with the user's name.
func echo(ctx context.Context, c *Conn) { echoExcept("", nil)(ctx, c) }

// echoExcept calls other for one message.
func echoExcept(text string, other func(c *Conn)) Handler {
	return func(_ context.Context, c *Conn) { echoLoop(c, text, other) }
}

func echoLoop(c *Conn, text string, other func(c *Conn)) {
	r, w := NewReader(c, 0), NewWriter(c)
	for {
		m, err := r.ReadMessage()
		if err != nil {
			return
		}
		if other != nil && string(m) == text {
			other(c)
			return
		}
		if err := w.WriteMessage(fmt.Appendf(nil, "%s: %s", c.User(), m)); err != nil {
			return
		}
	}
}

func say(t *testing.T, ch ssh.Channel, text string) string {
	t.Helper()
	if err := NewWriter(ch).WriteMessage([]byte(text)); err != nil {
		t.Fatal(err)
	}
	m, err := NewReader(ch, 0).ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(m)
}

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newSigner(t)
		f := start(t, Config{Authenticator: users{key: key.PublicKey()}}, echo)
		for _, auth := range []ssh.AuthMethod{ssh.Password("right"), ssh.PublicKeys(newSigner(t), key)} {
			c, err := f.dial(f.config(auth))
			if err != nil {
				t.Fatal(err)
			}
			a, b := f.netconf(c), f.netconf(c)
			if got := say(t, a, "one") + " " + say(t, b, "two"); got != "ann: one ann: two" {
				t.Errorf("echo = %q", got)
			}
			if got := f.server.Stats(); got.Sessions != 2 || got.Connections != 1 {
				t.Errorf("with two channels: %+v", got)
			}
			a.CloseWrite()
			if _, err := io.ReadAll(a); err != nil {
				t.Errorf("after the end of the handler: %v", err)
			}
			if got := say(t, b, "three"); got != "ann: three" {
				t.Errorf("the other channel after the end of the first: %q", got)
			}
			c.Close()
			synctest.Wait()
		}
		if strings.Contains(f.log.String(), "right") {
			t.Errorf("the log has a password:\n%s", f.log)
		}
		f.stop()
	})
}

func TestLoginRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newSigner(t)
		f := start(t, Config{Authenticator: users{key: key.PublicKey()}}, echo)
		asOther := func(cfg *ssh.ClientConfig, user string) *ssh.ClientConfig { cfg.User = user; return cfg }
		var texts []string
		for _, cfg := range []*ssh.ClientConfig{
			f.config(ssh.Password("wrong")),
			asOther(f.config(ssh.Password("right")), "nobody"),
			f.config(ssh.Password("")),
		} {
			_, err := f.dial(cfg)
			if err == nil {
				t.Fatalf("%s logged in", cfg.User)
			}
			texts = append(texts, err.Error())
		}
		if texts[0] != texts[1] || texts[0] != texts[2] {
			t.Errorf("the answers tell what was wrong: %q", texts)
		}
		for _, cfg := range []*ssh.ClientConfig{
			f.config(),
			f.config(ssh.PublicKeys(newSigner(t))),
			asOther(f.config(ssh.PublicKeys(key)), "nobody"),
			f.config(ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil })),
		} {
			if _, err := f.dial(cfg); err == nil {
				t.Errorf("%s logged in", cfg.User)
			}
		}
		synctest.Wait()
		if got := f.server.Stats(); got.FailedLogins != 7 || got.WrongPasswords != 3 {
			t.Errorf("stats = %+v, want 7 failed logins, 3 wrong passwords", got)
		}
		f.stop()
	})
}

// TestGuessing lets a client guess as often as it may, and measures.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, echo)
		guess := func() (tries int, took time.Duration) {
			begin := time.Now()
			f.dial(f.config(ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
				tries++
				return "wrong", nil
			}), 100)))
			return tries, time.Since(begin)
		}
		if tries, took := guess(); tries != 6 || took != 250*time.Millisecond*(1+2+4+8+16+16) {
			t.Errorf("the first connection had %d tries in %v, want 6 in 11.75s", tries, took)
		}
		if tries, took := guess(); tries != 6 || took != 24*time.Second {
			t.Errorf("the second connection had %d tries in %v, want 6 in 24s", tries, took)
		}
		time.Sleep(time.Hour)
		if _, took := guess(); took != 250*time.Millisecond*(1+2+4+8+16+16) {
			t.Errorf("an hour later: %v, want 11.75s", took)
		}
		begin := time.Now()
		f.client().Close()
		if took := time.Since(begin); took != 0 {
			t.Errorf("the right password after all the wrong ones took %v", took)
		}
		if got := f.server.Stats(); got.WrongPasswords != 18 || got.Throttled != 16 {
			t.Errorf("stats = %+v, want 18 wrong passwords, 16 throttled", got)
		}
		f.stop()
	})
}

func TestPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, echoExcept("panic", func(*Conn) { panic("handler") }))
		c := f.client()
		ch := f.netconf(c)
		NewWriter(ch).WriteMessage([]byte("panic"))
		if _, err := io.ReadAll(ch); err != nil {
			t.Errorf("the channel after a panic: %v", err)
		}
		other := f.netconf(c)
		if got := say(t, other, "alive"); got != "ann: alive" {
			t.Errorf("the connection after a panic: %q", got)
		}
		c.Close()
		cfg := f.config(ssh.Password("x"))
		cfg.User = "panic"
		if _, err := f.dial(cfg); err == nil {
			t.Error("a panicking authenticator let somebody in")
		}
		f.client().Close()
		synctest.Wait()
		if got := f.server.Stats().Panics; got != 2 {
			t.Errorf("%d panics, want 2", got)
		}
		f.stop()
	})
}

func TestLoginGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{Limits: Limits{LoginGrace: 10 * time.Second}}, echo)
		waits := func(what string, c io.Reader) {
			t.Helper()
			begin := time.Now()
			io.Copy(io.Discard, c)
			if took := time.Since(begin); took != 10*time.Second {
				t.Errorf("%s was closed after %v, want 10s", what, took)
			}
		}
		silent, err := f.ln.Dial(t.Context(), memconn.Addr("client"))
		if err != nil {
			t.Fatal(err)
		}
		waits("a connection that says nothing", silent)
		garbage, err := f.ln.Dial(t.Context(), memconn.Addr("client"))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(garbage, "SSH-2.0-x\r\n")
		waits("a connection that stops after its version", garbage)
		c := f.client()
		ch, reqs, err := c.OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go ssh.DiscardRequests(reqs)
		waits("a channel without subsystem", ch)
		begin := time.Now()
		c.Wait()
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("a connection without channels was closed after %v, want 10s", took)
		}
		f.stop()
	})
}

func TestGarbageInsteadOfSSH(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, echo)
		for _, text := range []string{"GET / HTTP/1.1\r\n\r\n" + strings.Repeat("x", 1000), "SSH-2.0-x\r\n\x00\x00\x00\x01\xff", strings.Repeat("\x00", 4000)} {
			c, err := f.ln.Dial(t.Context(), memconn.Addr("client"))
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			io.WriteString(c, text)
			io.Copy(io.Discard, c)
			if took := time.Since(begin); took > 0 {
				t.Errorf("%.10q was suffered for %v", text, took)
			}
			c.Close()
		}
		f.client().Close()
		f.stop()
	})
}

func TestMaxUnauthenticated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{Limits: Limits{MaxUnauthenticated: 6}}, echo)
		open := func(from string) net.Conn {
			c, err := f.ln.Dial(t.Context(), memconn.Addr(from))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		refused := func(c net.Conn) bool {
			synctest.Wait()
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := c.Read(make([]byte, 1))
			return err == io.EOF
		}
		var all []net.Conn
		for i := range 4 {
			c := open("attacker")
			all = append(all, c)
			if got, want := refused(c), i >= 3; got != want {
				t.Errorf("connection %d of one source: refused = %v, want %v", i+1, got, want)
			}
		}
		f.client().Close() // another source gets in
		for i := range 4 {
			c := open(fmt.Sprint("other", i))
			all = append(all, c)
			if got, want := refused(c), i >= 3; got != want {
				t.Errorf("connection %d of another source: refused = %v, want %v", i+1, got, want)
			}
		}
		if got := f.server.Stats(); got.Unauthenticated != 6 || got.RefusedUnauthenticated != 2 {
			t.Errorf("stats = %+v, want 6 unauthenticated, 2 refused", got)
		}
		for _, c := range all {
			c.Close()
		}
		synctest.Wait()
		f.client().Close()
		f.stop()
	})
}

func TestMaxSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{Limits: Limits{MaxSessions: 2}}, echo)
		a, b := f.client(), f.client()
		first := f.netconf(a)
		f.netconf(a)
		var refused *ssh.OpenChannelError
		if _, _, err := b.OpenChannel("session", nil); !errors.As(err, &refused) || refused.Reason != ssh.ResourceShortage {
			t.Errorf("a third session: %v, want a resource shortage", err)
		}
		third := f.client()
		if _, _, err := third.OpenChannel("session", nil); !errors.As(err, &refused) || refused.Message != "too many sessions" {
			t.Errorf("a session in a third connection: %v, want a resource shortage", err)
		}
		third.Wait()
		first.Close()
		synctest.Wait()
		if got := say(t, f.netconf(b), "x"); got != "ann: x" {
			t.Errorf("echo = %q", got)
		}
		if got := f.server.Stats(); got.RefusedSessions != 2 {
			t.Errorf("stats = %+v, want 2 refused sessions", got)
		}
		a.Close()
		b.Close()
		f.stop()
	})
}

func TestOnlyNetconf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, echo)
		c := f.client()
		for _, tt := range []struct {
			kind    string
			payload []byte
		}{
			{"shell", nil},
			{"exec", ssh.Marshal(struct{ Command string }{"id"})},
			{"subsystem", ssh.Marshal(struct{ Name string }{"sftp"})},
			{"subsystem", []byte{0, 0, 0, 99, 'n'}},
		} {
			ch, reqs, err := c.OpenChannel("session", nil)
			if err != nil {
				t.Fatal(err)
			}
			go ssh.DiscardRequests(reqs)
			// A terminal is granted, as clients of subsystems ask for one, and is none.
			for kind, want := range map[string]bool{"pty-req": true, "x11-req": false, "env": false} {
				if ok, err := ch.SendRequest(kind, true, nil); ok != want || err != nil {
					t.Errorf("%s = %v, %v", kind, ok, err)
				}
			}
			if ok, err := ch.SendRequest(tt.kind, true, tt.payload); ok != (tt.kind != "subsystem") || err != nil {
				t.Errorf("%s %q = %v, %v, want only a subsystem to be refused", tt.kind, tt.payload, ok, err)
			}
			if text, _ := io.ReadAll(ch.Stderr()); !strings.Contains(string(text), "ssh -s") {
				t.Errorf("%s: the refusal says %q", tt.kind, text)
			}
			ch.Close()
		}
		if _, _, err := c.OpenChannel("direct-tcpip", nil); err == nil {
			t.Error("a forwarding channel was opened")
		}
		if ok, _, err := c.SendRequest("tcpip-forward", true, nil); ok || err != nil {
			t.Errorf("tcpip-forward = %v, %v", ok, err)
		}
		ch := f.netconf(c)
		if ok, _ := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"netconf"})); ok {
			t.Error("a channel has got two subsystems")
		}
		if got := say(t, ch, "x"); got != "ann: x" {
			t.Errorf("echo = %q", got)
		}
		c.Close()
		f.stop()
	})
}

// TestAlgorithms offers what is of yesterday.
func TestAlgorithms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, echo)
		for _, tt := range []struct {
			name string
			cfg  ssh.Config
		}{
			{"sha1", ssh.Config{KeyExchanges: []string{ssh.InsecureKeyExchangeDH14SHA1}}},
			{"group14", ssh.Config{KeyExchanges: []string{ssh.KeyExchangeDH14SHA256}}},
			{"cbc", ssh.Config{Ciphers: []string{ssh.InsecureCipherAES128CBC}}},
			{"hmac-sha1", ssh.Config{Ciphers: []string{ssh.CipherAES128CTR}, MACs: []string{ssh.HMACSHA1}}},
		} {
			cfg := f.config(ssh.Password("right"))
			cfg.Config = tt.cfg
			var negotiation *ssh.AlgorithmNegotiationError
			if _, err := f.dial(cfg); !errors.As(err, &negotiation) {
				t.Errorf("%s: %v, want a failed negotiation", tt.name, err)
			}
		}
		f.stop()
	})
}

// frozen is a connection whose reader can be stopped, as a peer that hangs.
type frozen struct {
	net.Conn
	stop   chan struct{} // closed to stop it
	closed chan struct{}
	once   sync.Once
}

func (c *frozen) Read(p []byte) (int, error) {
	select {
	case <-c.stop:
		<-c.closed
		return 0, net.ErrClosed
	default:
	}
	n, err := c.Conn.Read(p)
	select {
	case <-c.stop:
		<-c.closed
	default:
	}
	return n, err
}

func (c *frozen) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (f *fixture) frozen() (*ssh.Client, *frozen) {
	f.t.Helper()
	c, err := f.ln.Dial(f.t.Context(), memconn.Addr("client"))
	if err != nil {
		f.t.Fatal(err)
	}
	fc := &frozen{Conn: c, stop: make(chan struct{}), closed: make(chan struct{})}
	conn, chans, reqs, err := ssh.NewClientConn(fc, "server", f.config(ssh.Password("right")))
	if err != nil {
		f.t.Fatal(err)
	}
	return ssh.NewClient(conn, chans, reqs), fc
}

func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 1)
		f := start(t, Config{Limits: Limits{KeepAlive: 10 * time.Second}}, func(ctx context.Context, c *Conn) {
			echo(ctx, c)
			ended <- time.Now()
		})
		c, fc := f.frozen()
		ch := f.netconf(c)
		time.Sleep(time.Hour + time.Second)
		if got := say(t, ch, "still here"); got != "ann: still here" {
			t.Errorf("after an idle hour: %q", got)
		}
		begin := time.Now()
		close(fc.stop)
		if took := (<-ended).Sub(begin); took < 30*time.Second || took > 40*time.Second {
			t.Errorf("a dead peer was kept for %v, want 30s to 40s", took)
		}
		if got := f.server.Stats().DeadPeers; got != 1 {
			t.Errorf("%d dead peers, want 1", got)
		}
		fc.Close()
		f.stop()
	})
}

// TestSlowPeer has a peer that never reads: Write blocks, Abort ends it, nobody
// else notices.
func TestSlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns := make(chan *Conn, 2)
		result := make(chan error, 2)
		f := start(t, Config{}, echoExcept("flood", func(c *Conn) {
			conns <- c
			for {
				if _, err := c.Write(make([]byte, 1<<16)); err != nil {
					result <- err
					return
				}
			}
		}))
		slow := f.client()
		flooded := f.netconf(slow)
		NewWriter(flooded).WriteMessage([]byte("flood"))
		c := <-conns
		synctest.Wait()
		select {
		case err := <-result:
			t.Fatalf("Write to a peer that does not read: %v", err)
		default:
		}
		other := f.netconf(f.client())
		if got := say(t, other, "x"); got != "ann: x" {
			t.Errorf("echo = %q", got)
		}
		c.Abort()
		<-result
		slow.Wait()

		// Close has the same effect, a little later.
		slow = f.client()
		NewWriter(f.netconf(slow)).WriteMessage([]byte("flood"))
		c = <-conns
		synctest.Wait()
		begin := time.Now()
		c.Close()
		<-result
		if took := time.Since(begin); took > closeGrace {
			t.Errorf("Close let a blocked Write go on for %v", took)
		}
		f.stop()
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, func(ctx context.Context, c *Conn) {
			<-ctx.Done()
			time.Sleep(time.Second)
			NewWriter(c).WriteMessage([]byte("goodbye"))
		})
		a, b := f.client(), f.client()
		ch := f.netconf(a)
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- f.server.Shutdown(t.Context()) }()
		if m, err := NewReader(ch, 0).ReadMessage(); string(m) != "goodbye" || err != nil {
			t.Errorf("on shutdown the session got %q, %v", m, err)
		}
		if err := <-done; err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		if err := <-f.served; err != nil {
			t.Errorf("Serve = %v", err)
		}
		b.Wait()
		if _, err := f.dial(f.config(ssh.Password("right"))); err == nil {
			t.Error("login after Shutdown")
		}
		if err := f.server.Serve(t.Context(), memconn.Listen(memconn.Addr("x")), echo); err != ErrServerClosed {
			t.Errorf("Serve after Shutdown = %v, want %v", err, ErrServerClosed)
		}
		if err := f.server.Shutdown(t.Context()); err != nil {
			t.Errorf("second Shutdown = %v", err)
		}
	})
}

// TestShutdownIsBounded has peers and handlers that do not end by themselves.
func TestShutdownIsBounded(t *testing.T) {
	stubborn := func(_ context.Context, c *Conn) { io.Copy(io.Discard, c) }
	t.Run("by its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := start(t, Config{}, stubborn)
			f.netconf(f.client())
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			begin := time.Now()
			if err := f.server.Shutdown(ctx); err != context.DeadlineExceeded {
				t.Errorf("Shutdown = %v, want %v", err, context.DeadlineExceeded)
			}
			if err := <-f.served; err != nil || time.Since(begin) != 2*time.Second {
				t.Errorf("Serve = %v after %v, want nil after 2s", err, time.Since(begin))
			}
		})
	})
	t.Run("by the context of Serve", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := start(t, Config{}, stubborn)
			f.netconf(f.client())
			silent, _ := f.ln.Dial(t.Context(), memconn.Addr("client")) // inside its login
			defer silent.Close()
			_, hung := f.frozen()
			close(hung.stop)
			defer hung.Close()
			synctest.Wait()
			begin := time.Now()
			f.stop()
			if took := time.Since(begin); took > closeGrace {
				t.Errorf("Serve ended after %v, want at most %v", took, closeGrace)
			}
		})
	})
}

func TestServeListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, echo)
		ch := f.netconf(f.client())
		f.ln.Close()
		if err := <-f.served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve on a closed listener = %v", err)
		}
		if _, err := io.ReadAll(ch); err != nil && err != io.EOF {
			t.Errorf("session: %v", err)
		}
	})
}

func TestNewServer(t *testing.T) {
	if _, err := NewServer(Config{HostKeys: []ssh.Signer{newSigner(t)}}); err == nil {
		t.Error("a server without authenticator")
	}
	if _, err := NewServer(Config{Authenticator: users{}}); err == nil {
		t.Error("a server without host key")
	}
}

func TestSourceOf(t *testing.T) {
	tests := []struct {
		in   net.Addr
		want string
	}{
		{&net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 1}, "192.0.2.1"},
		{&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.1"), Port: 2}, "192.0.2.1"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1}, "2001:db8::/64"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8::2"), Port: 1}, "2001:db8::/64"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 1}, "fe80::/64"},
		{memconn.Addr("x"), "x"},
		{nil, ""},
	}
	for _, tt := range tests {
		if got := sourceOf(tt.in); got != tt.want {
			t.Errorf("sourceOf(%v) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestThrottleIsBounded(t *testing.T) {
	var th throttle
	now := time.Now()
	for i := range 3 * mostKeys {
		th.failed(fmt.Sprint(i), fmt.Sprint(i, strings.Repeat("x", maxName)), now)
	}
	if len(th.sources) > mostKeys || len(th.users) > mostKeys {
		t.Errorf("%d sources and %d users are remembered, want at most %d", len(th.sources), len(th.users), mostKeys)
	}
	for name := range th.users {
		if len(name) > maxName {
			t.Errorf("a name of %d bytes is remembered", len(name))
		}
	}
	if d := th.failed("late", "late", now.Add(time.Hour)); d != firstDelay || len(th.sources) != 1 || len(th.users) != 1 {
		t.Errorf("an hour later: %v, %d sources and %d users are remembered, want %v and one", d, len(th.sources), len(th.users), firstDelay)
	}
}

// TestThrottle says how long answers to wrong passwords take.
func TestThrottle(t *testing.T) {
	type attempt struct {
		after        time.Duration // the attempt before
		source, user string
		want         time.Duration
	}
	tests := []struct {
		name     string
		attempts []attempt
	}{
		{"one source, many users", []attempt{
			{0, "a", "u1", 250 * time.Millisecond}, {0, "a", "u2", 500 * time.Millisecond}, {0, "a", "u3", time.Second},
			{0, "a", "u4", 2 * time.Second}, {0, "a", "u5", 4 * time.Second}, {0, "a", "u6", 4 * time.Second},
			{0, "b", "u7", 250 * time.Millisecond},
		}},
		{"many sources, one user", []attempt{
			{0, "a", "u", 250 * time.Millisecond}, {0, "b", "u", 500 * time.Millisecond}, {0, "c", "u", time.Second},
			{0, "d", "v", 250 * time.Millisecond},
		}},
		{"forgiven", []attempt{
			{0, "a", "u", 250 * time.Millisecond}, {0, "a", "u", 500 * time.Millisecond},
			{time.Minute, "a", "u", 500 * time.Millisecond}, {2 * time.Minute, "a", "u", 250 * time.Millisecond},
		}},
	}
	for _, tt := range tests {
		var th throttle
		now := time.Now()
		for i, a := range tt.attempts {
			now = now.Add(a.after)
			if got := th.failed(a.source, a.user, now); got != a.want {
				t.Errorf("%s: attempt %d waits %v, want %v", tt.name, i+1, got, a.want)
			}
		}
	}
}

func TestSignerIsEd25519(t *testing.T) {
	text, err := GenerateHostKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if _, ok := key.(*ed25519.PrivateKey); !ok || err != nil {
		t.Errorf("GenerateHostKey made a %T, %v", key, err)
	}
}
