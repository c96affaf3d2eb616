package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"incidentd/yang/rpcerr"
)

// news is a notification of an incident.
func news(at time.Time, id, status, more string) string {
	stamp := at.UTC().Format(time.RFC3339Nano)
	return fmt.Sprintf(`<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><eventTime>%s</eventTime>`+
		`<incident-notification xmlns="%s"><incident-id>%s</incident-id><csn>9</csn><name>VPN-D unavailable</name><type>fault</type>`+
		`<priority>high</priority><status>%s</status>%s<time>%[1]s</time></incident-notification></notification>`, stamp, nsIncident, id, status, more)
}

const more = `<service-instance>VPN-D</service-instance><root-causes><root-cause><node>P4</node><cause-name>node down</cause-name></root-cause></root-causes>`

// scenario runs watch until the server's script is through and then interrupts it.
func scenario(t *testing.T, s *server, script func(op *etree.Element, p *peer, session int) string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sessions := 0
	s.answer = func(op *etree.Element, p *peer) string {
		sessions++
		out := script(op, p, sessions)
		if out == "" || out == "last" {
			// After everything sent has been shown.
			s.conns.Go(func() {
				time.Sleep(time.Minute)
				if out == "last" {
					cancel()
				}
			})
		}
		if out == "last" {
			return "<ok/>"
		}
		return out
	}
	return s.incctl(ctx, nil, 0, append([]string{"watch"}, args...)...)
}

func TestWatch(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
	}{{"watch", nil}, {"watch-json", []string{"--json"}}, {"watch-verbose", []string{"--verbose"}}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				p := scenario(t, s, func(_ *etree.Element, p *peer, _ int) string {
					now := time.Now()
					s.conns.Go(func() {
						time.Sleep(5 * time.Second)
						now = now.Add(5 * time.Second)
						// Something that the list has told already, and something else.
						p.send("%s", news(time.Date(1999, 12, 31, 23, 59, 0, 0, time.UTC), "inc-12", "updated", ""))
						p.send(`<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><eventTime>2000-01-01T00:00:05Z</eventTime><other xmlns="urn:x"/></notification>`)
						p.send("%s", news(now, "inc-13", "raised", more))
						p.send("%s", news(now, "inc-12", "cleared", ""))
						p.send("%s", news(now.Add(time.Second), "inc-13", "cleared", more+`<merged-into xmlns="`+nsAddition+`">inc-7</merged-into>`))
					})
					return "last"
				}, tt.args...)
				p.want(t, 0, "")
				golden(t, tt.name, p.stdout.String()+"\n"+strings.Join(s.asked(), "\n")+"\n")
			})
		})
	}
}

// More notifications than the client holds come before the list does.
func TestWatchFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		p := scenario(t, s, func(_ *etree.Element, p *peer, _ int) string {
			for i := range 1000 {
				p.send("%s", news(time.Now(), fmt.Sprintf("inc-%d", 100+i), "raised", ""))
			}
			return "last"
		}, "--since", "1h")
		p.want(t, 0, "")
		if got := strings.Count(p.stdout.String(), "VPN-D"); got != 1000 {
			t.Errorf("%d of 1000 notifications shown", got)
		}
	})
}

// A lost connection is made again, and the subscription goes on where it was: nothing
// is lost and nothing doubled.
func TestWatchResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		began := time.Now()
		at := func(n int) time.Time { return began.Add(time.Duration(n) * 500 * time.Millisecond) }
		send := func(p *peer, from, to int) {
			for i := from; i <= to; i++ {
				p.send("%s", news(at(i), fmt.Sprintf("inc-%d", 100+i), "raised", ""))
			}
		}
		p := scenario(t, s, func(op *etree.Element, p *peer, session int) string {
			switch session {
			case 1:
				s.conns.Go(func() {
					time.Sleep(10 * time.Second)
					send(p, 1, 10)
					time.Sleep(time.Second)
					s.refuse = []error{errors.New("connection refused"), errors.New("connection refused")}
					p.conn.Close()
				})
			case 2:
				start := parseTime(op.FindElement("startTime").Text())
				if want := at(10).Add(-overlap); !start.Equal(want) {
					t.Errorf("resumed from %v, want %v", start, want)
				}
				for i := 1; i <= 15; i++ {
					if !at(i).Before(start) {
						send(p, i, i)
					}
				}
				return "last"
			}
			return "<ok/>"
		})
		p.want(t, 0, "incctl: connection lost: netconf: connection closed: the server has closed it; trying again in 1s\n"+
			"incctl: connection lost: connection refused; trying again in 2s\n"+
			"incctl: connection lost: connection refused; trying again in 4s\n"+
			"incctl: connected again\n")
		var want, got []string
		for i := 1; i <= 15; i++ {
			want = append(want, fmt.Sprintf("inc-%d", 100+i))
		}
		for _, line := range strings.Split(p.stdout.String(), "\n") {
			if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], "inc-1") && f[2] == "raised" && f[4] != "inc-12" {
				got = append(got, f[4])
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("shown (-want +got):\n%s\n%s", d, p.stdout.String())
		}
	})
}

// Sequence numbers tell that something is missing, and that two notifications which are alike
// are two.
func TestWatchMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		at := time.Now().Add(time.Second)
		numbered := func(n int, id string) string {
			return strings.Replace(news(at, id, "raised", ""), "<incident-notification", fmt.Sprintf(
				`<sysName xmlns="urn:ietf:params:xml:ns:yang:ietf-notification-sequencing">nms</sysName>`+
					`<sequenceNumber xmlns="urn:ietf:params:xml:ns:yang:ietf-notification-sequencing">%d</sequenceNumber><incident-notification`, uint32(n)), 1)
		}
		all := []string{"inc-101", "inc-102", "inc-102", "inc-103", "inc-104", "inc-105"}
		p := scenario(t, s, func(op *etree.Element, p *peer, session int) string {
			time.Sleep(2 * time.Second)
			switch session {
			case 1:
				for _, n := range []int{0, 1, 2, 4} { // without inc-103
					p.send("%s", numbered(n-2, all[n])) // they wrap around
				}
				return "<ok/>"
			default:
				for n, id := range all {
					p.send("%s", numbered(1+n, id))
				}
				return "last"
			}
		}, "--since", "1m")
		p.want(t, 0, "incctl: a notification is missing; asking for what happened since in a new session in 1s\nincctl: connected again\n")
		var got []string
		for line := range strings.Lines(p.stdout.String()) {
			if f := strings.Fields(line); len(f) > 4 && f[2] == "raised" {
				got = append(got, f[4])
			}
		}
		if d := cmp.Diff(all, slices.DeleteFunc(got, func(id string) bool { return !slices.Contains(all, id) })); d != "" {
			t.Errorf("shown (-want +got):\n%s\n%s", d, p.stdout.String())
		}
	})
}

// When the server does not replay that far, a gap is told and the watch goes on.
func TestWatchGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		p := scenario(t, s, func(op *etree.Element, p *peer, session int) string {
			switch session {
			case 1:
				s.conns.Go(func() { time.Sleep(10 * time.Second); p.conn.Close() })
			case 2:
				return errorXML(rpcerr.BadElement("startTime", "too long ago"))
			case 3:
				if op.FindElement("startTime") != nil {
					t.Error("asks for a replay again")
				}
				return "last"
			}
			return "<ok/>"
		})
		p.want(t, 0, "incctl: connection lost: netconf: connection closed: the server has closed it; trying again in 1s\n"+
			"incctl: the server does not replay from 2000-01-01 00:59:58 (bad-element: too long ago); changes since then may be missing\n"+
			"incctl: connected again\n")
	})
}

// What trying again cannot cure ends the watch.
func TestWatchGivesUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		errs []error
		want string
	}{
		{"at the first connection", []error{errors.New("connection refused")}, "incctl: connection refused\n"},
		{"login", []error{fmt.Errorf("%w: no", errLogin)}, "incctl: login failed: no\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.refuse = tt.errs
				s.incctl(t.Context(), nil, 0, "watch").want(t, 1, tt.want)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		p := scenario(t, s, func(*etree.Element, *peer, int) string { return errorXML(rpcerr.AccessDenied("not for you")) })
		p.want(t, 1, "incctl: access-denied: not for you\nincctl: Which rule decides: incctl nacm explain admin exec MODULE:OPERATION\n")
	})
}
