package netconf_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf"
	"incidentd/netconf/auth"
	"incidentd/netconf/client"
	"incidentd/netconf/netconftest"
	"incidentd/netconf/transport"
)

// serveSSH serves a bench on a loopback address, to users who log in with a key.
func serveSSH(t testing.TB, b *netconftest.Bench) (addr string, login client.Config) {
	t.Helper()
	keys := make([]ssh.Signer, 2)
	for i := range keys {
		pem, err := transport.GenerateHostKey()
		if err != nil {
			t.Fatal(err)
		}
		if keys[i], err = ssh.ParsePrivateKey(pem); err != nil {
			t.Fatal(err)
		}
	}
	users := auth.Users{"u": {Name: "u", Keys: []ssh.PublicKey{keys[1].PublicKey()}}}
	server, err := transport.NewServer(transport.Config{HostKeys: keys[:1], Authenticator: auth.New(users), Limits: transport.Limits{MaxPerUser: 1024}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(context.Background(), ln, func(ctx context.Context, c *transport.Conn) { b.Server.Serve(ctx, c) }); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		b.Server.Stop(ctx)
		server.Shutdown(ctx)
		serving.Wait()
	})
	return ln.Addr().String(), client.Config{User: "u", Signers: keys[1:], HostKey: ssh.FixedHostKey(keys[0].PublicKey())}
}

// The whole of it over real SSH with our client.
func TestOverSSH(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{})
	addr, login := serveSSH(t, b)
	c, err := client.Dial(t.Context(), addr, login)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CreateSubscription(t.Context(), "incidents", client.Filter{}, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := c.EditConfig(t.Context(), "running", []byte(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>h</hostname></system>`), ""); err != nil {
		t.Fatal(err)
	}
	event := `<incident-notification xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident-id>inc-1</incident-id></incident-notification>`
	if err := b.Publish("incidents", event); err != nil {
		t.Fatal(err)
	}
	n := <-c.Notifications()
	if n == nil {
		t.Fatal(c.Err())
	}
	if e, err := n.Event(); err != nil || e.Tag != "incident-notification" || n.EventTime.IsZero() {
		t.Errorf("the notification %s, %v", n.Raw, err)
	}
	if err := c.CloseSession(t.Context()); err != nil {
		t.Error(err)
	}
}

// BenchmarkSessions connects, logs in, exchanges hellos and disconnects: with the
// notifications of a session's begin and end, which are stored, and on a server that
// tells nobody.
func BenchmarkSessions(b *testing.B) {
	for _, notifications := range []bool{false, true} {
		b.Run(fmt.Sprintf("notifications=%v", notifications), func(b *testing.B) {
			bench := netconftest.New(b, netconftest.Config{})
			if !notifications {
				var err error
				if bench.Server, err = netconf.New(netconf.Config{Store: bench.Store}); err != nil {
					b.Fatal(err)
				}
			}
			addr, login := serveSSH(b, bench)
			for b.Loop() {
				c, err := client.Dial(context.Background(), addr, login)
				if err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
		})
	}
}

func BenchmarkRPC(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	p := open(b, bench, 0)
	defer p.Conn.Close()
	for b.Loop() {
		if _, err := p.Ask(rpc(1, `<get-config><source><running/></source></get-config>`)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRPCs asks for a part of running over SSH, by 1 and by 16 sessions at once,
// with the audit and without.
func BenchmarkRPCs(b *testing.B) {
	for _, sessions := range []int{1, 16} {
		for _, audited := range []bool{false, true} {
			b.Run(fmt.Sprintf("sessions=%d/audit=%v", sessions, audited), func(b *testing.B) {
				addr, login := serveSSH(b, netconftest.New(b, netconftest.Config{Audit: audited}))
				clients := make([]*client.Client, sessions)
				for i := range clients {
					var err error
					if clients[i], err = client.Dial(context.Background(), addr, login); err != nil {
						b.Fatal(err)
					}
					defer clients[i].Close()
				}
				var left atomic.Int64
				left.Store(int64(b.N))
				b.ResetTimer()
				var asking sync.WaitGroup
				for _, c := range clients {
					asking.Go(func() {
						for left.Add(-1) >= 0 {
							if _, err := c.GetConfig(context.Background(), "running", client.Subtree(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"/>`)); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				asking.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rpcs/s")
			})
		}
	}
}

// BenchmarkEdits changes a leaf of running over SSH, durably, with the audit and
// without.
func BenchmarkEdits(b *testing.B) {
	for _, audited := range []bool{false, true} {
		b.Run(fmt.Sprintf("audit=%v", audited), func(b *testing.B) {
			addr, login := serveSSH(b, netconftest.New(b, netconftest.Config{Audit: audited}))
			c, err := client.Dial(context.Background(), addr, login)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			for i := 0; b.Loop(); i++ {
				config := fmt.Sprintf(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>h%d</hostname></system>`, i)
				if err := c.EditConfig(context.Background(), "running", []byte(config), ""); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "edits/s")
		})
	}
}

// BenchmarkIdleSessions measures the memory of 1,000 sessions that do nothing, of the
// server and of the clients, which are in the same process.
func BenchmarkIdleSessions(b *testing.B) {
	const sessions = 1000
	addr, login := serveSSH(b, netconftest.New(b, netconftest.Config{}))
	for b.Loop() {
		before := memory()
		clients := make([]*client.Client, sessions)
		for i := range clients {
			var err error
			if clients[i], err = client.Dial(context.Background(), addr, login); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(memory()-before)/sessions, "B/session")
		for _, c := range clients {
			c.Close()
		}
	}
}

// memory is what the process has in use, stacks included.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
