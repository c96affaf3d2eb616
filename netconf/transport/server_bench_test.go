package transport

import (
	"context"
	"net"
	"testing"

	"golang.org/x/crypto/ssh"
)

// BenchmarkLogin is a TCP connection, a login with a key, the subsystem and one
// message each way; client and server in one process.
func BenchmarkLogin(b *testing.B) {
	key, host := newSigner(b), newSigner(b)
	server, err := NewServer(Config{HostKeys: []ssh.Signer{host}, Authenticator: users{key: key.PublicKey()}})
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, ln, echo) }()
	defer func() { cancel(); <-served }()
	cfg := &ssh.ClientConfig{User: "ann", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.FixedHostKey(host.PublicKey())}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c, err := ssh.Dial("tcp", ln.Addr().String(), cfg)
			if err != nil {
				b.Error(err)
				return
			}
			ch, reqs, err := c.OpenChannel("session", nil)
			if err != nil {
				b.Error(err)
				return
			}
			go ssh.DiscardRequests(reqs)
			if ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"netconf"})); !ok {
				b.Error(err)
				return
			}
			NewWriter(ch).WriteMessage([]byte("<a/>"))
			if _, err := NewReader(ch, 0).ReadMessage(); err != nil {
				b.Error(err)
			}
			c.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
}
