package server

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/client"
)

// TestThousandStrangers: a thousand connections that never log in leave the sessions
// that are there alone, keep nobody out who comes from elsewhere, and are few at a time.
func TestThousandStrangers(t *testing.T) {
	s, _ := started(t, initialised(t))
	before := session(t, s)
	var strangers []net.Conn
	for range 1000 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		strangers = append(strangers, c)
	}
	ask := func(who string, c *client.Client) {
		begin := time.Now()
		if _, err := c.GetConfig(t.Context(), "running", client.Filter{}); err != nil {
			t.Errorf("%s: %v", who, err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s waited for %v", who, took)
		}
	}
	ask("who was there before", before)
	elsewhere := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := elsewhere.DialContext(t.Context(), "tcp", s.Addr().String())
	if err != nil {
		t.Skip("127.0.0.2 is no address of this system: ", err)
	}
	after, err := client.NewSSH(context.Background(), conn, s.Addr().String(),
		client.Config{User: admin.Name, Password: admin.Password, HostKey: ssh.FixedHostKey(s.HostKey())})
	if err != nil {
		t.Fatalf("nobody can log in from elsewhere: %v", err)
	}
	defer after.Close()
	ask("who came later, from elsewhere", after)
	greeted := 0
	for _, c := range strangers {
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		banner := make([]byte, 4)
		if n, _ := io.ReadFull(c, banner); strings.HasPrefix(string(banner[:n]), "SSH-") {
			greeted++
		}
	}
	if greeted == 0 || greeted > 32 {
		t.Errorf("%d of them were let in so far that they could have logged in, want 1 to 32", greeted)
	}
}
