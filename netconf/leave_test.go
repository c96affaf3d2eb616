package netconf_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/netconf/netconftest"
	"incidentd/netconf/transport/memconn"
)

// expiring is a connection whose login has a certificate.
type expiring struct {
	net.Conn
	at time.Time
}

func (e expiring) User() string       { return "u" }
func (e expiring) Abort()             { e.Close() }
func (e expiring) Expires() time.Time { return e.at }

// A session ends when the certificate of its login does, and not before.
func TestExpires(t *testing.T) {
	inBubble(t, netconftest.Config{}, func(t *testing.T, b *netconftest.Bench) {
		near, far := memconn.PipeBetween(memconn.Addr("192.0.2.7:1"), memconn.Addr("192.0.2.1:830"), 0)
		served := make(chan struct{})
		go func() {
			defer close(served)
			b.Server.Serve(t.Context(), expiring{far, time.Now().Add(time.Hour)})
		}()
		p := netconftest.NewPeer(near)
		if _, err := p.Open("1.1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - time.Second)
		if reply, err := p.Ask(rpc(1, `<get-config><source><running/></source></get-config>`)); err != nil || !strings.Contains(reply, "<data/>") {
			t.Errorf("before its time: %s, %v", reply, err)
		}
		time.Sleep(2 * time.Second)
		<-served
		if _, err := p.R.ReadMessage(); err != io.EOF {
			t.Errorf("after its time: %v, want the end", err)
		}
		if want := `why="the certificate of the login has expired"`; !strings.Contains(b.Log.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, b.Log)
		}
	})
}

// The sessions of one user end, and of no other; what is under way is answered.
func TestEndAll(t *testing.T) {
	inBubble(t, netconftest.Config{}, func(t *testing.T, b *netconftest.Bench) {
		begin := func(user string) *netconftest.Peer {
			p := netconftest.NewPeer(b.Dial(context.Background(), user, 0))
			if _, err := p.Open("1.1"); err != nil {
				t.Fatal(err)
			}
			return p
		}
		bob, ann := begin("bob"), begin("ann")
		b.Server.EndAll("bob", "the user was removed")
		b.Server.EndAll("bob", "the user was removed") // it does not wait
		if _, err := bob.R.ReadMessage(); err != io.EOF {
			t.Errorf("bob's session: %v, want the end", err)
		}
		synctest.Wait()
		if sessions := b.Server.Sessions(); len(sessions) != 1 || sessions[0].User() != "ann" || b.Server.Stats().Dropped != 0 {
			t.Errorf("%d sessions are left, %d were dropped", len(sessions), b.Server.Stats().Dropped)
		}
		if want := `why="the user was removed"`; !strings.Contains(b.Log.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, b.Log)
		}
		if reply, err := ann.Ask(rpc(1, `<close-session/>`)); err != nil || !strings.Contains(reply, "<ok/>") {
			t.Errorf("ann's session: %s, %v", reply, err)
		}
	})
}
