package client

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"incidentd/netconf/auth"
	"incidentd/netconf/transport"
	"incidentd/netconf/transport/memconn"
)

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	text, err := transport.GenerateHostKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// serveSSH runs a server that says ok to everything, until the test ends.
func serveSSH(t testing.TB, ln net.Listener, host ssh.Signer, users auth.Users) (stop func()) {
	t.Helper()
	s, err := transport.NewServer(transport.Config{HostKeys: []ssh.Signer{host}, Authenticator: auth.New(users)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(ctx, ln, func(_ context.Context, c *transport.Conn) {
			r, w := transport.NewReader(c, 0), transport.NewWriter(c)
			w.WriteMessage([]byte(serverHello))
			for first := true; ; first = false {
				m, err := r.ReadMessage()
				if err != nil {
					return
				}
				if first {
					r.Upgrade()
					w.Upgrade()
					continue
				}
				w.WriteMessage([]byte(reply(string(m), "<ok/>")))
				if bytes.Contains(m, []byte("close-session")) {
					return
				}
			}
		})
	}()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v", err)
		}
	}
}

func TestSSH(t *testing.T) {
	hash, err := auth.HashPassword("right")
	if err != nil {
		t.Fatal(err)
	}
	host, key := newSigner(t), newSigner(t)
	users := auth.Users{"ann": {Password: hash, Keys: []ssh.PublicKey{key.PublicKey()}}}
	tests := []struct {
		name string
		cfg  Config
		want string // in the error; none for success
	}{
		{"password", Config{User: "ann", Password: "right"}, ""},
		{"key", Config{User: "ann", Signers: []ssh.Signer{key}}, ""},
		{"password after a wrong key", Config{User: "ann", Signers: []ssh.Signer{host}, Password: "right"}, ""},
		{"wrong password", Config{User: "ann", Password: "wrong"}, "unable to authenticate"},
		{"wrong user", Config{User: "bob", Password: "right"}, "unable to authenticate"},
		{"wrong key", Config{User: "ann", Signers: []ssh.Signer{host}}, "unable to authenticate"},
		{"nothing", Config{User: "ann"}, "unable to authenticate"},
		{"another host key", Config{User: "ann", Password: "right", HostKey: ssh.FixedHostKey(key.PublicKey())}, ErrHostKey.Error()},
		{"no host key check", Config{User: "ann", Password: "right", HostKey: noCheck}, ErrHostKey.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := memconn.Listen(memconn.Addr("server"))
				stop := serveSSH(t, ln, host, users)
				defer stop()
				conn, err := ln.Dial(t.Context(), memconn.Addr("client"))
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case tt.name == "no host key check":
					tt.cfg.HostKey = nil
				case tt.cfg.HostKey == nil:
					tt.cfg.HostKey = ssh.FixedHostKey(host.PublicKey())
				}
				c, err := NewSSH(t.Context(), conn, "server:830", tt.cfg)
				if tt.want != "" {
					if err == nil || !strings.Contains(err.Error(), tt.want) {
						t.Errorf("NewSSH = %v, want an error with %q", err, tt.want)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Call(t.Context(), []byte("<x/>")); err != nil {
					t.Errorf("Call = %v", err)
				}
				if err := c.CloseSession(t.Context()); err != nil {
					t.Errorf("CloseSession = %v", err)
				}
			})
		})
	}
}

func noCheck(string, net.Addr, ssh.PublicKey) error { return nil }

func TestDial(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	key, host := newSigner(t), newSigner(t)
	stop := serveSSH(t, ln, host, auth.Users{"ann": {Keys: []ssh.PublicKey{key.PublicKey()}}})
	known, err := OpenKnownHosts(filepath.Join(t.TempDir(), "known"), true)
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	cfg := Config{User: "ann", Signers: []ssh.Signer{key}, HostKey: known.Check}
	for range 2 {
		c, err := Dial(t.Context(), addr, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Call(t.Context(), []byte("<x/>")); err != nil {
			t.Errorf("Call = %v", err)
		}
		c.Close()
	}
	stop()
	if _, err := Dial(t.Context(), addr, cfg); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("Dial where nobody listens = %v", err)
	}
}

// TestDialTimeout has servers that accept and say nothing more.
func TestDialTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memconn.Pipe()
		begin := time.Now()
		_, err := NewSSH(t.Context(), near, "server:830", Config{User: "ann", HostKey: noCheck, Timeout: time.Minute})
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != time.Minute {
			t.Errorf("NewSSH = %v after %v, want the deadline after 1m", err, took)
		}
		far.Close()
	})
}

// TestServerWithoutNetconf has an SSH server that refuses the subsystem.
func TestServerWithoutNetconf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := memconn.Pipe()
		host := newSigner(t)
		cfg := &ssh.ServerConfig{NoClientAuth: true}
		cfg.AddHostKey(host)
		go func() {
			_, chans, reqs, err := ssh.NewServerConn(far, cfg)
			if err != nil {
				t.Errorf("server: %v", err)
				return
			}
			go ssh.DiscardRequests(reqs)
			for n := range chans {
				if _, reqs, err := n.Accept(); err == nil {
					go ssh.DiscardRequests(reqs)
				}
			}
		}()
		_, err := NewSSH(t.Context(), near, "server:830", Config{User: "ann", HostKey: ssh.FixedHostKey(host.PublicKey())})
		if !errors.Is(err, ErrNoSubsystem) {
			t.Errorf("NewSSH = %v, want %v", err, ErrNoSubsystem)
		}
	})
}

func TestKnownHosts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "known")
	a, b := newSigner(t).PublicKey(), newSigner(t).PublicKey()
	remote := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 830}

	strict, err := OpenKnownHosts(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := strict.Check("host:830", remote, a); err == nil || !strings.Contains(err.Error(), "is not in") {
		t.Errorf("an unknown host = %v", err)
	}
	trusting, err := OpenKnownHosts(path, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"host:830", "host:22", "[2001:db8::1]:830"} {
		if got := trusting.Algorithms(host); got != nil {
			t.Errorf("Algorithms of unknown %s = %q", host, got)
		}
		if err := trusting.Check(host, remote, a); err != nil {
			t.Errorf("%s for the first time = %v", host, err)
		}
		if err := strict.Check(host, remote, a); err != nil {
			t.Errorf("%s for the second time = %v", host, err)
		}
		if err := trusting.Check(host, remote, b); err == nil || !strings.Contains(err.Error(), "another one") {
			t.Errorf("another key of %s = %v", host, err)
		}
		if diff := cmp.Diff([]string{ssh.KeyAlgoED25519}, trusting.Algorithms(host)); diff != "" {
			t.Errorf("Algorithms of %s (-want +got):\n%s", host, diff)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v, want mode 0600", info.Mode(), err)
	}

	// A file that somebody left without the last line's end.
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.TrimRight(text, "\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := trusting.Check("third:830", memconn.Addr("x"), b); err != nil {
		t.Error(err)
	}
	if err := strict.Check("[2001:db8::1]:830", remote, a); err != nil {
		t.Errorf("after an append to an unfinished line: %v", err)
	}
	if err := os.WriteFile(path, []byte("garbage\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKnownHosts(path, true); err == nil {
		t.Error("a damaged file was opened")
	}
	if err := trusting.Check("host:830", remote, a); err == nil {
		t.Error("a damaged file was trusted")
	}
}
