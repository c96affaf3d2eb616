package ops_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/datastore/journal"
	"incidentd/netconf/netconftest"
)

// told are the records of begins and ends in a journal, and of ends in the audit: what
// they are, their session, and when they were written since a time.
func told(t *testing.T, b *netconftest.Bench, since time.Time) (list []string) {
	t.Helper()
	c := b.Store.Journal().Cursor(0, journal.NETCONF)
	a := b.Store.Journal().Cursor(0, "audit")
	read := func(c *journal.Cursor) *journal.Record {
		r, err := c.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	n, m := read(c), read(a)
	for n != nil || m != nil {
		r := n
		if n == nil || m != nil && m.Seq < n.Seq {
			r, m = m, read(a)
		} else {
			n = read(c)
		}
		body := string(r.Body)
		_, session, ok := strings.Cut(body, "<session-id>")
		session, _, _ = strings.Cut(session, "<")
		what := strings.TrimPrefix(r.Name, "ietf-netconf-notifications:netconf-")
		if strings.Contains(body, "<event>session-end</event>") {
			what = "audit"
		}
		if ok {
			list = append(list, fmt.Sprintf("%s %s at %v", what, session, r.Time.Sub(since)))
		}
	}
	return list
}

// Begins and ends that come together are one transaction, none is lost when the server
// stops, and the end of a session is told of before its record in the audit.
func TestSessionEventsTogether(t *testing.T) {
	const few = 8
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{Audit: true})
		for range few { // their begins and ends are told of at once
			p := netconftest.NewPeer(b.Dial(t.Context(), "u", 0))
			if _, err := p.Open("1.1"); err != nil {
				t.Error(err)
			}
			p.Conn.Close()
			synctest.Wait()
		}
		begin := time.Now()
		at := func(d time.Duration) { time.Sleep(time.Until(begin.Add(d))) }
		var sessions sync.WaitGroup
		for i, times := range []struct{ from, to time.Duration }{
			{0, 10 * time.Millisecond},
			{5 * time.Millisecond, 60 * time.Millisecond},
			{20 * time.Millisecond, 2 * time.Second}, // the server stops before
			{500 * time.Millisecond, time.Second},
		} {
			sessions.Go(func() {
				at(times.from)
				p := netconftest.NewPeer(b.Dial(t.Context(), fmt.Sprint("u", i+1), 0))
				if _, err := p.Open("1.1"); err != nil {
					t.Error(err)
				}
				at(times.to)
				p.Conn.Close()
			})
		}
		at(time.Second + 10*time.Millisecond)
		if err := b.Server.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		b.Audit.Close()
		want := strings.Join([]string{
			"session-start 9 at 50ms",
			"session-start 10 at 50ms",
			"session-start 11 at 50ms",
			"session-end 9 at 100ms",
			"session-end 10 at 100ms",
			"audit 9 at 200ms",
			"audit 10 at 200ms",
			"session-start 12 at 500ms",
			"session-end 12 at 1s",
			"session-end 11 at 1.01s",
			"audit 12 at 1.01s",
			"audit 11 at 1.01s",
		}, "\n")
		list := told(t, b, begin)
		for _, event := range list[:2*few] {
			if !strings.HasSuffix(event, " at 0s") {
				t.Errorf("one of the first: %s", event)
			}
		}
		list = slices.DeleteFunc(list[2*few:], func(event string) bool {
			var session int
			fmt.Sscanf(strings.TrimPrefix(event, "audit "), "%d", &session)
			return session > 0 && session <= few
		})
		got := strings.Join(list, "\n")
		if got != want {
			t.Errorf("the journal has\n%s\nwant\n%s", got, want)
		}
		sessions.Wait()
	})
}
