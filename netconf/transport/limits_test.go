package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

func TestMaxPerUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{Limits: Limits{MaxPerUser: 2}}, echo)
		a, b := f.client(), f.client()
		first := f.netconf(a)
		f.netconf(b)
		var refused *ssh.OpenChannelError
		if _, _, err := b.OpenChannel("session", nil); !errors.As(err, &refused) || refused.Message != "too many sessions of this user" {
			t.Errorf("a third session: %v, want a refusal", err)
		}
		first.Close()
		synctest.Wait()
		if got := say(t, f.netconf(a), "x"); got != "ann: x" {
			t.Errorf("after one has ended: %q", got)
		}
		if !strings.Contains(f.log.String(), `msg="session refused" remote=client user=ann reason="too many sessions of this user"`) {
			t.Errorf("the log does not tell of the refusal:\n%s", f.log)
		}
		a.Close()
		b.Close()
		f.stop()
	})
}

// TestSetLimits changes limits below a connection that is there.
func TestSetLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, echo)
		a := f.client()
		ch := f.netconf(a)
		f.server.SetLimits(Limits{MaxSessions: 1, MaxAuthTries: 1, LoginGrace: time.Second})
		if got := say(t, ch, "x"); got != "ann: x" {
			t.Errorf("the session that was there: %q", got)
		}
		if _, _, err := a.OpenChannel("session", nil); err == nil {
			t.Error("a second session in spite of the new limit")
		}
		tries := 0
		f.dial(f.config(ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
			tries++
			return "wrong", nil
		}), 9)))
		if tries != 1 {
			t.Errorf("%d tries after the limit was set to 1", tries)
		}
		a.Close()
		f.stop()
	})
}

// TestRekey sends much in both directions while keys are agreed again and again, by
// the limit of either side.
func TestRekey(t *testing.T) {
	for _, tt := range []struct {
		name           string
		client, server uint64
	}{{"server", 0, 16 << 10}, {"client", 16 << 10, 0}, {"both", 16 << 10, 16 << 10}} {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t, Config{Limits: Limits{RekeyBytes: tt.server}}, echo)
			var exchanges atomic.Int32
			cfg := f.config(ssh.Password("right"))
			cfg.RekeyThreshold = tt.client
			cfg.HostKeyCallback = func(string, net.Addr, ssh.PublicKey) error { exchanges.Add(1); return nil }
			c, err := f.dial(cfg)
			if err != nil {
				t.Fatal(err)
			}
			var talking sync.WaitGroup
			for range 2 {
				ch := f.netconf(c)
				r, w := NewReader(ch, 0), NewWriter(ch)
				const messages, size = 512, 4 << 10
				talking.Go(func() {
					for i := range messages {
						if err := w.WriteMessage(fmt.Appendf(nil, "%d %s", i, strings.Repeat("x", size))); err != nil {
							t.Error(err)
							return
						}
					}
				})
				talking.Go(func() {
					for i := range messages {
						m, err := r.ReadMessage()
						if want := fmt.Sprintf("ann: %d %s", i, strings.Repeat("x", size)); err != nil || string(m) != want {
							t.Errorf("message %d: %.20q, %v", i, m, err)
							return
						}
					}
				})
			}
			talking.Wait()
			if n := exchanges.Load(); n < 8 {
				t.Errorf("%d key exchanges, want 8 at least", n)
			}
			c.Close()
			f.stop()
		})
	}
}

// TestLogins has the server tell of logins.
func TestLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, other := newSigner(t), newSigner(t)
		var mu sync.Mutex
		var got []string
		groups := make(chan []string, 1)
		f := start(t, Config{Authenticator: users{key: key.PublicKey()}, Logins: func(l Login) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprint(l.User, " ", l.RemoteAddr, " ", l.Credential, " ", l.Groups, " ", l.Err))
		}}, func(_ context.Context, c *Conn) { groups <- c.Groups() })
		dial := func(auth ssh.AuthMethod) {
			if c, err := f.dial(f.config(auth)); err == nil {
				ch := f.netconf(c)
				io.Copy(io.Discard, ch)
				c.Close()
			}
			synctest.Wait()
		}
		dial(ssh.Password("wrong"))
		dial(ssh.PublicKeys(other))
		dial(ssh.Password("right"))
		if g := <-groups; g != nil {
			t.Errorf("a password gives the groups %q", g)
		}
		dial(ssh.PublicKeys(other, key))
		if g := <-groups; !slices.Equal(g, []string{"operators"}) {
			t.Errorf("Groups = %q, want operators", g)
		}
		f.stop()
		fingerprint := func(k ssh.Signer) string { return ssh.FingerprintSHA256(k.PublicKey()) }
		want := []string{
			"ann client password [] wrong user or password",
			"ann client " + fingerprint(other) + " [] no key was accepted",
			"ann client password [] <nil>",
			"ann client " + fingerprint(key) + " [operators] <nil>",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what was told (-want +got):\n%s", diff)
		}
	})
}

// TestStrictKeyExchange reads what the server offers in the clear, before any keys:
// the strict key exchange, and today's algorithms alone.
func TestStrictKeyExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, Config{}, echo)
		c, err := f.ln.Dial(t.Context(), f.ln.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "SSH-2.0-test\r\n")
		var got []byte
		buf := make([]byte, 4096)
		for !strings.Contains(string(got), "hmac-sha2-512") {
			n, err := c.Read(buf)
			if err != nil {
				t.Fatalf("after %q: %v", got, err)
			}
			got = append(got, buf[:n]...)
		}
		for _, want := range []string{
			"mlkem768x25519-sha256,curve25519-sha256,", ",kex-strict-s-v00@openssh.com",
			"aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr",
			"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512",
		} {
			if !strings.Contains(string(got), want) {
				t.Errorf("the server's offer has no %q: %q", want, got)
			}
		}
		for _, not := range []string{"sha1", "cbc", "group14", "ssh-dss", "ssh-rsa,", "md5", "3des", "rc4"} {
			if strings.Contains(string(got), not) {
				t.Errorf("the server offers %q: %q", not, got)
			}
		}
		c.Close()
		f.stop()
	})
}
