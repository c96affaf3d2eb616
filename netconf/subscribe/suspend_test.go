package subscribe_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/datastore/journal"
	"incidentd/netconf/netconftest"
)

const (
	establish = `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="e">` +
		`<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"><stream>incidents</stream>%s</establish-subscription></rpc>`
	firstID = 1 << 31
)

// established begins a session with a subscription of RFC 8639.
func established(t testing.TB, b *netconftest.Bench, buffer int, parameters string) (*netconftest.Peer, net.Conn) {
	t.Helper()
	c := b.Dial(t.Context(), "u", buffer)
	return establishOn(t, c, parameters), c
}

// establishOn begins a session on a connection, with a subscription.
func establishOn(t testing.TB, c io.ReadWriteCloser, parameters string) *netconftest.Peer {
	t.Helper()
	p := netconftest.NewPeer(c)
	if _, err := p.Open("1.1"); err != nil {
		t.Fatal(err)
	}
	if m, err := p.Ask(fmt.Sprintf(establish, parameters)); err != nil || !strings.Contains(m, "<id ") {
		t.Fatalf("establish-subscription: %s, %v", m, err)
	}
	return p
}

// stateOf is the state of the receiver of a subscription, as another session sees it.
func stateOf(t testing.TB, b *netconftest.Bench, id int) string {
	t.Helper()
	c := b.Dial(t.Context(), "u", 0)
	defer c.Close()
	p := netconftest.NewPeer(c)
	if _, err := p.Open("1.1"); err != nil {
		t.Fatal(err)
	}
	m, err := p.Ask(fmt.Sprintf(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="g"><get><filter>`+
		`<subscriptions xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"><subscription><id>%d</id><receivers/></subscription></subscriptions></filter></get></rpc>`, id))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(m, "<state>")
	state, _, _ := strings.Cut(rest, "<")
	return state
}

// publish publishes incidents, one a transaction.
func publish(t testing.TB, b *netconftest.Bench, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := b.Publish("incidents", incident(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// A peer that stops reading is suspended, and learns so when it reads again, and then all
// that it has missed. Nobody else notices.
func TestSuspended(t *testing.T) {
	prepare(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{})
		slow, c := established(t, b, 4096, "")
		defer c.Close()
		const total = 500
		begin := time.Now()
		publish(t, b, 1, total)
		synctest.Wait()
		if got := stateOf(t, b, firstID); got != "active" {
			t.Errorf("at first the state is %q, want active", got)
		}
		time.Sleep(5*time.Second + time.Millisecond)
		if got := stateOf(t, b, firstID); got != "suspended" {
			t.Errorf("after 5 seconds the state is %q, want suspended", got)
		}
		time.Sleep(5 * time.Minute) // longer than netconf.Limits.Stall
		want := 1
		var told []string
		for want <= total {
			m, err := slow.R.ReadMessage()
			if err != nil {
				t.Fatalf("after incident %d and %q: %v", want-1, told, err)
			}
			text := string(m)
			switch {
			case strings.Contains(text, "<subscription-suspended"):
				told = append(told, "suspended")
				if at := begin.Add(5 * time.Second).UTC().Format(time.RFC3339); !strings.Contains(text, "<eventTime>"+at+"</eventTime>") || !strings.Contains(text, ":unsupportable-volume<") {
					t.Errorf("not suspended at %s: %s", at, text)
				}
			case strings.Contains(text, "<subscription-resumed"):
				told = append(told, "resumed")
			default:
				if got := number(t, text); got != want {
					t.Fatalf("incident %d, want %d", got, want)
				}
				want++
			}
		}
		if got := strings.Join(told, " "); got != "suspended resumed" {
			t.Errorf("the peer was told %q", got)
		}
		if got := stateOf(t, b, firstID); got != "active" {
			t.Errorf("in the end the state is %q, want active", got)
		}
		if got := b.Publisher.Stats(); got.Suspensions != 1 || got.Sent != total || got.Lost != 0 {
			t.Errorf("Stats = %+v", got)
		}
	})
}

// A session that does not read for SuspensionTimeout is closed.
func TestSuspensionTimeout(t *testing.T) {
	prepare(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{})
		_, c := established(t, b, 4096, "")
		defer c.Close()
		publish(t, b, 1, 500)
		time.Sleep(9 * time.Minute)
		if got := b.Publisher.Stats().Active; got != 1 {
			t.Errorf("%d subscriptions after 9 minutes, want 1", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got, n := b.Publisher.Stats().Active, len(b.Server.Sessions()); got != 0 || n != 0 {
			t.Errorf("%d subscriptions, %d sessions after 11 minutes, want none", got, n)
		}
	})
}

// Whose place in the stream is kept no longer is told that it is over.
func TestTerminatedByRetention(t *testing.T) {
	prepare(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{Journal: journal.Options{MaxAge: time.Minute, RingRecords: -1}})
		slow, c := established(t, b, 4096, "")
		defer c.Close()
		publish(t, b, 1, 1000)
		time.Sleep(2 * time.Minute)
		if n, err := b.Store.Journal().Trim(t.Context(), time.Now()); err != nil || n == 0 {
			t.Fatalf("Trim = %d, %v", n, err)
		}
		var last string
		for want := 1; ; {
			m, err := slow.R.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			last = string(m)
			if strings.Contains(last, "<subscription-terminated") {
				break
			}
			if strings.Contains(last, "<incident-id>") {
				if got := number(t, last); got != want {
					t.Fatalf("incident %d, want %d", got, want)
				}
				want++
			}
		}
		if !strings.Contains(last, ":suspension-timeout<") {
			t.Errorf("terminated for another reason: %s", last)
		}
		synctest.Wait()
		if got := b.Publisher.Stats(); got.Active != 0 || got.Lost == 0 {
			t.Errorf("Stats = %+v", got)
		}
	})
}

// A subscription that is stuck can be killed.
func TestKilledWhileStuck(t *testing.T) {
	prepare(t)
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{})
		slow, c := established(t, b, 4096, "")
		defer c.Close()
		publish(t, b, 1, 500)
		other := netconftest.NewPeer(b.Dial(t.Context(), "u", 0))
		defer other.Conn.Close()
		if _, err := other.Open("1.1"); err != nil {
			t.Fatal(err)
		}
		m, err := other.Ask(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="k">` +
			`<kill-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"><id>2147483648</id></kill-subscription></rpc>`)
		if err != nil || !strings.Contains(m, "<ok/>") {
			t.Fatalf("%s, %v", m, err)
		}
		if got := b.Publisher.Stats().Active; got != 0 {
			t.Errorf("%d subscriptions are left", got)
		}
		for n := 0; ; n++ {
			m, err := slow.R.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(m), "<subscription-terminated") {
				break
			}
			if n > 100 {
				t.Fatalf("%d notifications after the end", n)
			}
		}
	})
}
