package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"incidentd/netconf/client"
	"incidentd/netconf/netconftest"
)

// virtual is a whole server in a bubble of synctest.
type virtual struct {
	live
	*netconftest.Bench
}

// inBubble runs a test with a virtual server.
func inBubble(t *testing.T, test func(t *testing.T, v *virtual)) {
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		v := &virtual{live: live{t: t}}
		v.Bench = netconftest.New(t, netconftest.Config{})
		v.app = app{dial: func(ctx context.Context) (*session, error) { return v.over(ctx, v.Dial(t.Context(), "admin", 0)) }, cache: cache}
		test(t, v)
	})
}

// over opens a session over a connection.
func (v *virtual) over(ctx context.Context, conn net.Conn) (*session, error) {
	began := time.Now()
	c, err := client.New(ctx, conn, client.Config{})
	if err != nil {
		return nil, err
	}
	return &session{c: c, timeout: 30 * time.Second, opened: began, server: "bench"}, nil
}

// happen publishes incidents of a priority.
func (v *virtual) happen(priority string, numbers ...int) {
	v.t.Helper()
	for _, n := range numbers {
		if err := v.Publish("incidents", fmt.Sprintf(`<incident-notification xmlns="%s"><incident-id>inc-%d</incident-id><name>link down</name>`+
			`<type>fault</type><priority>%s</priority><status>raised</status></incident-notification>`, nsIncident, n, priority)); err != nil {
			v.t.Fatal(err)
		}
	}
}

func TestSubscribe(t *testing.T) {
	inBubble(t, func(t *testing.T, v *virtual) {
		if err := v.Configure(`<data><filters xmlns="` + nsSubscribed + `"><stream-filter><name>critical</name>` +
			`<stream-subtree-filter><incident-notification xmlns="` + nsIncident + `"><priority>critical</priority></incident-notification></stream-subtree-filter>` +
			`</stream-filter></filters><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>nms</hostname></system></data>`); err != nil {
			t.Fatal(err)
		}
		v.happen("high", 1)
		time.Sleep(time.Minute)
		v.happen("critical", 2)
		v.happen("low", 3)
		time.Sleep(time.Minute)
		subtree := `<incident-notification xmlns="` + nsIncident + `"><priority>low</priority></incident-notification>`
		golden(t, "subscribe", v.play(
			words("streams"),
			words("streams --json"),
			words("subscribe --stream incidents --start 1h -n 4"),
			words("subscribe --stream incidents --start 2000-01-01T00:01:00Z -n 1 -f xml"),
			words("subscribe --stream incidents --start 90s -n 2 --json"),
			words("subscribe --stream incidents --start 90s -n 2 --encoding json"),
			words("subscribe --stream incidents --start 90s -n 2 --encoding json -f json"),
			words("subscribe --stream incidents --start 1h --stop 5m"),
			words("subscribe --start 2000-01-01T00:00:30Z -n 2 ietf-incident:incident-notification"),
			words(`subscribe --start 2000-01-01T00:00:30Z -n 2 "/ietf-incident:incident-notification[ietf-incident:priority='critical']"`),
			[]string{subtree, "subscribe", "--start", "2000-01-01T00:00:30Z", "-n", "2", "--subtree", "-"},
			words("subscribe --start 2000-01-01T00:00:30Z -n 2 --filter critical"),
			words("subscribe --datastore running /system -n 1"),
			words("subscribe --datastore running /system -n 2 --period 10s -f xml"),
			words("subscribe --datastore running /system -n 1 --period 1m --anchor 2000-01-01T00:00:07Z --json"),
			words("subscriptions"),
			words("subscribe --stream weather"),
			words("subscribe ietf-incident:nothing"),
			words("subscribe /system"),
			words("subscribe --start yesterday"),
			words("subscribe --period 1s"),
			words("subscribe --datastore running --start 1h"),
			words("subscribe --datastore running --period 1s --no-sync"),
			words("subscribe --datastore running --anchor 1h"),
			words("subscribe --filter critical --subtree file"),
			words("kill-subscription 7"),
		))
	})
}

// What comes while the subscription is there, until somebody ends it.
func TestSubscribeLive(t *testing.T) {
	inBubble(t, func(t *testing.T, v *virtual) {
		var b strings.Builder
		for _, args := range []string{
			"subscribe --stream incidents",
			"subscribe --stream incidents --encoding json --json",
			"subscribe --datastore running /system --no-sync --dampening 1s --exclude create",
		} {
			ended := make(chan *program)
			go func() { ended <- v.run("", words(args)...) }()
			synctest.Wait()
			b.WriteString(v.play(words("subscriptions")))
			v.happen("high", 1, 2)
			for _, name := range []string{"a", "b"} {
				if err := v.Configure(`<data><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>` + name + `</hostname></system></data>`); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
			}
			list, err := v.subscriptions()
			if err != nil || len(list) != 1 {
				t.Fatalf("subscriptions = %v, %v; want one", list, err)
			}
			b.WriteString(v.play(words(fmt.Sprintf("kill-subscription %d", list[0].ID))))
			p := <-ended
			fmt.Fprintf(&b, "$ incctl %s\n%s! %s= %d\n\n", args, p.stdout.String(), p.stderr.String(), p.status)
		}
		golden(t, "subscribe-live", b.String())
	})
}

// Lines change a subscription while it runs, and end it.
func TestSubscribeControl(t *testing.T) {
	inBubble(t, func(t *testing.T, v *virtual) {
		var b strings.Builder
		for _, tt := range []struct{ args, lines string }{
			{"subscribe --datastore running /system --control", "modify --period 1m|modify --dampening 1s /system/hostname|resync|resync now|modify --stop yesterday|modify --anchor 1h|end"},
			{"subscribe --stream incidents --control", "|# nothing|modify ietf-incident:incident-notification|modify --stop 1h|resync|modify --period 1s|modify --on-change --period 1s|nonsense|modify \"open|modify-subscription --filter critical|delete-subscription"},
		} {
			if err := v.Configure(`<data><filters xmlns="` + nsSubscribed + `"><stream-filter><name>critical</name>` +
				`<stream-subtree-filter><incident-notification xmlns="` + nsIncident + `"><priority>critical</priority></incident-notification></stream-subtree-filter>` +
				`</stream-filter></filters><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>nms</hostname></system></data>`); err != nil {
				t.Fatal(err)
			}
			in, out := io.Pipe()
			p, a := &program{}, v.app
			a.stdin, a.stdout, a.stderr = in, &p.stdout, &p.stderr
			ended := make(chan int)
			go func() { ended <- run(t.Context(), words(tt.args), &a) }()
			synctest.Wait()
			fmt.Fprintf(&b, "$ incctl %s\n", tt.args)
			shown, told := 0, 0
			since := func() string {
				out, err := p.stdout.String(), p.stderr.String()
				text := out[shown:] + "! " + err[told:]
				shown, told = len(out), len(err)
				return strings.TrimSuffix(text, "! ")
			}
			for _, line := range strings.Split(tt.lines, "|") {
				fmt.Fprintf(&b, "%s> %s\n", since(), line)
				fmt.Fprintln(out, line)
				synctest.Wait()
				v.happen("high", 1)
				time.Sleep(5 * time.Second)
			}
			out.Close()
			status := <-ended
			fmt.Fprintf(&b, "%s= %d\n\n", since(), status)
		}
		golden(t, "subscribe-control", b.String())
	})
}

// What a receiver lacks is seen by the patch-ids.
func TestPatches(t *testing.T) {
	xml := func(name, more string) string {
		return `<` + name + ` xmlns="` + nsPush + `"><id>1</id>` + more + `</` + name + `>`
	}
	patch := func(id string) string {
		return xml("push-change-update", "<datastore-changes><yang-patch><patch-id>"+id+"</patch-id></yang-patch></datastore-changes>")
	}
	json := func(text string) string {
		return `<encoded-event xmlns="` + nsNotifications + `"><json>` + text + `</json></encoded-event>`
	}
	for _, tt := range []struct {
		name string
		in   []string
		want string
	}{
		{"in order", []string{xml("push-update", ""), patch("0"), patch("1"), xml("push-update", ""), patch("0")}, ""},
		{"begins with a patch", []string{patch("7"), patch("8")}, ""},
		{"wraps around", []string{patch("4294967295"), patch("0")}, ""},
		{"missing", []string{xml("push-update", ""), patch("0"), patch("3")}, "2 of the changes before the patch-id 3 did not come"},
		{"missing first", []string{xml("push-update", ""), patch("1")}, "1 of the changes before the patch-id 1 did not come"},
		{"incomplete", []string{xml("push-change-update", "<datastore-changes><yang-patch><patch-id>0</patch-id></yang-patch></datastore-changes><incomplete-update/>")},
			"the change with the patch-id 0 is incomplete"},
		{"incomplete whole", []string{xml("push-update", "<incomplete-update/>")}, "not all that is selected came"},
		{"others", []string{`<x xmlns="urn:x"/>`, patch("no counter")}, ""},
		{"json", []string{json(`{"ietf-yang-push:push-update":{"id":1}}`), json(`{"ietf-yang-push:push-change-update":{"id":1,"datastore-changes":{"yang-patch":{"patch-id":"2"}}}}`)},
			"2 of the changes before the patch-id 2 did not come"},
		{"json incomplete", []string{json(`{"ietf-yang-push:push-update":{"id":1,"incomplete-update":[null]}}`)}, "not all that is selected came"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p patches
			got := ""
			for _, text := range tt.in {
				doc := etree.NewDocument()
				if err := doc.ReadFromString(text); err != nil {
					t.Fatal(err)
				}
				got += p.take(doc.Root())
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func (v *virtual) subscriptions() ([]subscriptionInfo, error) {
	s, err := v.app.dial(v.t.Context())
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.subscriptions(v.t.Context())
}

// cutting is a link that is lost after some bytes, maybe within a message.
type cutting struct {
	net.Conn
	left int
}

func (c *cutting) Read(p []byte) (int, error) {
	if c.left == 0 {
		c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// The link is lost again and again, wherever it may be, and watch shows every change
// once and in order.
func TestWatchLosesLinks(t *testing.T) {
	const cuts, each = 100, 20
	seed := uint64(time.Now().UnixNano()) // real time, before the bubble
	t.Logf("seed %d", seed)
	random, ends := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1))
	inBubble(t, func(t *testing.T, v *virtual) {
		ctx, cancel := context.WithCancel(t.Context())
		p := &program{}
		var lost atomic.Int64
		a := v.app
		a.stdout, a.stderr = &p.stdout, &p.stderr
		a.dial = func(ctx context.Context) (*session, error) {
			conn := v.Dial(t.Context(), "admin", 0)
			n := lost.Add(1)
			if n > cuts {
				return v.over(ctx, conn)
			}
			if n == 1 {
				return v.over(ctx, &cutting{conn, 40_000}) // the first list is shown
			}
			return v.over(ctx, &cutting{conn, ends.IntN(20_000)})
		}
		ended := make(chan int)
		go func() { ended <- run(ctx, []string{"watch"}, &a) }()
		synctest.Wait()
		next := 1
		for lost.Load() <= cuts {
			for range random.IntN(each) {
				v.happen("high", next)
				next++
			}
			time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
			synctest.Wait()
		}
		v.happen("high", next)
		time.Sleep(time.Hour)
		cancel()
		if status := <-ended; status != 0 {
			t.Errorf("status %d: %s", status, p.stderr.String())
		}
		var want, got []string
		for i := 1; i <= next; i++ {
			want = append(want, fmt.Sprintf("inc-%d", i))
		}
		for line := range strings.Lines(p.stdout.String()) {
			if f := strings.Fields(line); len(f) > 4 && f[2] == "raised" {
				got = append(got, f[4])
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("shown (-want +got):\n%s", d)
		}
	})
}
