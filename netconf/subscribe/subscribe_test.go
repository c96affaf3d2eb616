package subscribe_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/datastore/journal"
	"incidentd/netconf/netconftest"
)

const create = `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="s">` +
	`<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">%s</create-subscription></rpc>`

func incident(n int) string {
	return fmt.Sprintf(`<incident-notification xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident-id>inc-%d</incident-id></incident-notification>`, n)
}

// number is that of the incident in a notification.
func number(t testing.TB, msg string) int {
	t.Helper()
	_, rest, ok := strings.Cut(msg, "<incident-id>inc-")
	var n int
	if _, err := fmt.Sscanf(rest, "%d<", &n); !ok || err != nil {
		t.Fatalf("no incident in %s", msg)
	}
	return n
}

// subscribe begins a session with a subscription.
func subscribe(t testing.TB, b *netconftest.Bench, buffer int, parameters string) (*netconftest.Peer, net.Conn) {
	t.Helper()
	c := b.Dial(t.Context(), "u", buffer)
	p := netconftest.NewPeer(c)
	if _, err := p.Open("1.1"); err != nil {
		t.Fatal(err)
	}
	if m, err := p.Ask(fmt.Sprintf(create, parameters)); err != nil || !strings.Contains(m, "<ok/>") {
		t.Fatalf("create-subscription: %s, %v", m, err)
	}
	return p, c
}

func prepare(t testing.TB) {
	t.Helper()
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
}

// Replay and what is published meanwhile meet without a gap and without a double.
func TestNoGapBetweenReplayAndLive(t *testing.T) {
	prepare(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{})
		const each, sessions = 300, 5
		var all sync.WaitGroup
		all.Go(func() {
			for i := 1; i <= each; i++ {
				if err := b.Publish("incidents", incident(i)); err != nil {
					t.Error(err)
				}
				if i%20 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
		for s := range sessions {
			all.Go(func() {
				time.Sleep(time.Duration(s) * 3 * time.Millisecond)
				p, c := subscribe(t, b, 0, "<stream>incidents</stream><startTime>2000-01-01T00:00:00Z</startTime>")
				defer c.Close()
				want, completed := 1, 0
				for want <= each || completed == 0 {
					m, err := p.R.ReadMessage()
					if err != nil {
						t.Error(err)
						return
					}
					if strings.Contains(string(m), "replayComplete") {
						completed++
						continue
					}
					if got := number(t, string(m)); got != want {
						t.Errorf("session %d: incident %d after %d", s, got, want-1)
						return
					}
					want++
				}
				if completed != 1 {
					t.Errorf("session %d: %d times replayComplete", s, completed)
				}
			})
		}
		all.Wait()
	})
}

// A peer that never reads delays nobody beyond the end of its turn, and is put out after a
// minute.
func TestSlowPeer(t *testing.T) {
	prepare(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{})
		_, slow := subscribe(t, b, 4096, "<stream>incidents</stream>")
		quick, c := subscribe(t, b, 4096, "<stream>incidents</stream>")
		defer c.Close()
		defer slow.Close()
		begin := time.Now()
		for i := 1; i <= 500; i++ {
			if err := b.Publish("incidents", incident(i)); err != nil {
				t.Fatal(err)
			}
			m, err := quick.R.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if got := number(t, string(m)); got != i {
				t.Fatalf("incident %d, want %d", got, i)
			}
		}
		if d := time.Since(begin); d > 5*time.Millisecond {
			t.Errorf("the slow peer cost the other one %v", d)
		}
		if got := b.Publisher.Stats(); got.Active != 2 {
			t.Errorf("%d subscriptions before the minute is over, want 2", got.Active)
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if got := b.Publisher.Stats(); got.Active != 1 || got.Sent < 500 {
			t.Errorf("Stats = %+v, want one subscription left", got)
		}
		if got := len(b.Server.Sessions()); got != 1 {
			t.Errorf("%d sessions, want 1", got)
		}
		if log := b.Log.String(); !strings.Contains(log, "the peer does not read") {
			t.Errorf("the log does not tell why:\n%s", log)
		}
	})
}

// Whom retention overtakes goes on with the oldest that is kept.
func TestOvertakenByRetention(t *testing.T) {
	prepare(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{Journal: journal.Options{MaxAge: time.Second, RingRecords: -1}})
		p, c := subscribe(t, b, 4096, "<stream>incidents</stream>")
		defer c.Close()
		const total = 2000
		var many []string
		for i := 1; i < total; i++ {
			many = append(many, incident(i))
		}
		if err := b.Publish("incidents", many...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if err := b.Publish("incidents", incident(total)); err != nil {
			t.Fatal(err)
		}
		trimmed, err := b.Store.Journal().Trim(t.Context(), time.Now())
		if err != nil || trimmed != total { // the start of the session is one of them
			t.Fatalf("Trim = %d, %v, want %d", trimmed, err, total)
		}
		last := 0
		for last < total {
			m, err := p.R.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			got := number(t, string(m))
			if got != last+1 && got != total {
				t.Fatalf("incident %d after %d", got, last)
			}
			if got == total && uint64(total-1-last) != b.Publisher.Stats().Lost {
				t.Errorf("lost %d, Stats say %d", total-1-last, b.Publisher.Stats().Lost)
			}
			last = got
		}
		if b.Publisher.Stats().Lost == 0 {
			t.Error("nothing was lost, so the test has shown nothing")
		}
		if log := b.Log.String(); !strings.Contains(log, "overtaken by the retention") {
			t.Errorf("the log does not tell of the loss:\n%s", log)
		}
	})
}

// The session and its subscription end together when the server stops.
func TestStopEndsSubscriptions(t *testing.T) {
	prepare(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{})
		p, c := subscribe(t, b, 0, "")
		defer c.Close()
		if err := b.Server.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		// That the session began may be told to the subscription, if it was quicker.
		for {
			m, err := p.R.ReadMessage()
			if err != nil {
				break
			}
			if !strings.Contains(string(m), "<netconf-session-start ") {
				t.Errorf("a message after the end: %s", m)
			}
		}
		if got := b.Publisher.Stats().Active; got != 0 {
			t.Errorf("%d subscriptions are left", got)
		}
	})
}
