package subscribe_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/auth"
	"incidentd/netconf/netconftest"
	"incidentd/netconf/transport"
)

// overSSH serves a bench on the loopback interface until the benchmark ends, and returns
// what opens a session there.
func overSSH(b *testing.B, bench *netconftest.Bench) func() io.ReadWriteCloser {
	keys := make([]ssh.Signer, 2)
	for i := range keys {
		pem, err := transport.GenerateHostKey()
		if err == nil {
			keys[i], err = ssh.ParsePrivateKey(pem)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	users := auth.Users{"u": {Name: "u", Keys: []ssh.PublicKey{keys[1].PublicKey()}}}
	server, err := transport.NewServer(transport.Config{HostKeys: keys[:1], Authenticator: auth.New(users), Limits: transport.Limits{MaxPerUser: 1024}})
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(context.Background(), ln, func(ctx context.Context, c *transport.Conn) { bench.Server.Serve(ctx, c) }); err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		bench.Server.Stop(ctx)
		server.Shutdown(ctx)
		serving.Wait()
	})
	login := &ssh.ClientConfig{User: "u", Auth: []ssh.AuthMethod{ssh.PublicKeys(keys[1])}, HostKeyCallback: ssh.FixedHostKey(keys[0].PublicKey())}
	return func() io.ReadWriteCloser {
		c, err := ssh.Dial("tcp", ln.Addr().String(), login)
		if err != nil {
			b.Fatal(err)
		}
		ch, reqs, err := c.OpenChannel("session", nil)
		if err != nil {
			b.Fatal(err)
		}
		go ssh.DiscardRequests(reqs)
		if ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"netconf"})); err != nil || !ok {
			b.Fatalf("subsystem: %v, %v", ok, err)
		}
		return sshSession{ch, c}
	}
}

// sshSession closes its connection with its channel.
type sshSession struct {
	ssh.Channel
	conn *ssh.Client
}

func (s sshSession) Close() error { return s.conn.Close() }
