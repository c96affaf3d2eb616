package netconf_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

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
	server, err := transport.NewServer(transport.Config{HostKeys: keys[:1], Authenticator: auth.New(users)})
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

func BenchmarkSessions(b *testing.B) {
	addr, login := serveSSH(b, netconftest.New(b, netconftest.Config{}))
	for b.Loop() {
		c, err := client.Dial(context.Background(), addr, login)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.CloseSession(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
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
