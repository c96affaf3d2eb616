package netconf_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/netconf"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

func rpc(id int, op string) string {
	return fmt.Sprintf(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="%d">%s</rpc>`, id, op)
}

// inBubble runs f in virtual time, with a server.
func inBubble(t *testing.T, c netconftest.Config, f func(t *testing.T, b *netconftest.Bench)) {
	t.Helper()
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { f(t, netconftest.New(t, c)) })
}

// open begins a session.
func open(t testing.TB, b *netconftest.Bench, buffer int) *netconftest.Peer {
	t.Helper()
	p := netconftest.NewPeer(b.Dial(t.Context(), "u", buffer))
	if _, err := p.Open("1.1"); err != nil {
		t.Fatal(err)
	}
	return p
}

// handle registers a handler of incident-acknowledge.
func handle(t testing.TB, h netconf.Handler) func(*netconftest.Bench) {
	return func(b *netconftest.Bench) {
		if err := b.Server.Handle("ietf-incident", "incident-acknowledge", h); err != nil {
			t.Fatal(err)
		}
	}
}

const acknowledge = `<incident-acknowledge xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/>`

func TestStop(t *testing.T) {
	t.Run("finishes what is under way", func(t *testing.T) {
		inBubble(t, netconftest.Config{Setup: handle(t, func(context.Context, *netconf.Request) (*netconf.Reply, error) {
			time.Sleep(time.Second)
			return nil, nil
		})}, func(t *testing.T, b *netconftest.Bench) {
			p := open(t, b, 0)
			defer p.Conn.Close()
			silent := netconftest.NewPeer(b.Dial(t.Context(), "u", 0)) // never says hello
			defer silent.Conn.Close()
			for i := range 2 {
				if err := p.W.WriteMessage([]byte(rpc(i, acknowledge))); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			begin := time.Now()
			if err := b.Server.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if d := time.Since(begin); d > 2*time.Second {
				t.Errorf("Stop took %v", d)
			}
			m, err := p.R.ReadMessage()
			if err != nil || !strings.Contains(string(m), `message-id="0"`) || !strings.Contains(string(m), "<ok/>") {
				t.Errorf("the reply to what was under way: %s, %v", m, err)
			}
			late := b.Dial(t.Context(), "u", 0)
			if n, err := late.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("a session after Stop: %d bytes, %v", n, err)
			}
			if got := b.Server.Stats().Dropped; got != 0 {
				t.Errorf("%d sessions dropped, want none", got)
			}
		})
	})
	t.Run("is bounded", func(t *testing.T) {
		cancelled := false
		inBubble(t, netconftest.Config{Setup: handle(t, func(ctx context.Context, _ *netconf.Request) (*netconf.Reply, error) {
			<-ctx.Done()
			cancelled = true
			return nil, ctx.Err()
		})}, func(t *testing.T, b *netconftest.Bench) {
			p := open(t, b, 0)
			defer p.Conn.Close()
			if err := p.W.WriteMessage([]byte(rpc(1, acknowledge))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			begin := time.Now()
			if err := b.Server.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Stop = %v", err)
			}
			if d := time.Since(begin); d != 5*time.Second || !cancelled {
				t.Errorf("Stop took %v, want 5s; handler cancelled: %t", d, cancelled)
			}
		})
	})
}

// A session that does not read its own replies is killed by another one at once.
func TestKillWhoDoesNotRead(t *testing.T) {
	inBubble(t, netconftest.Config{}, func(t *testing.T, b *netconftest.Bench) {
		p := open(t, b, 2048)
		defer p.Conn.Close()
		if err := p.W.WriteMessage([]byte(rpc(1, `<get/>`))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		q := open(t, b, 0)
		defer q.Conn.Close()
		begin := time.Now()
		m, err := q.Ask(rpc(1, `<kill-session><session-id>1</session-id></kill-session>`))
		if err != nil || !strings.Contains(m, "<ok/>") {
			t.Errorf("kill-session: %s, %v", m, err)
		}
		synctest.Wait()
		if d := time.Since(begin); d != 0 {
			t.Errorf("kill-session took %v", d)
		}
		if log := b.Log.String(); !strings.Contains(log, "why=killed") {
			t.Errorf("the session has not ended:\n%s", log)
		}
	})
}

// A peer that does not read its replies is put out after Limits.Stall, and one that
// reads slowly is not.
func TestStall(t *testing.T) {
	c := netconftest.Config{Limits: netconf.Limits{Stall: 10 * time.Second}}
	inBubble(t, c, func(t *testing.T, b *netconftest.Bench) {
		p := open(t, b, 2048)
		defer p.Conn.Close()
		if err := p.W.WriteMessage([]byte(rpc(1, `<get/>`))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if got := len(b.Server.Sessions()); got != 1 {
			t.Fatalf("%d sessions after 9s, want 1", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := len(b.Server.Sessions()); got != 0 {
			t.Fatalf("%d sessions after 11s, want 0", got)
		}
		if got := b.Server.Stats().Dropped; got != 1 {
			t.Errorf("%d sessions dropped, want 1", got)
		}
	})
}

// Beyond the queue the server does not read on, and takes up again where it was.
func TestQueueIsBounded(t *testing.T) {
	const size, total = 2000, 60
	// What the connection and the framing hold themselves, in messages.
	const buffers = (2048 + 16<<10) / size
	for _, test := range []struct {
		name   string
		limits netconf.Limits
		want   int // in work, waiting, and in the reader's hand
	}{
		{"messages", netconf.Limits{Queue: 3}, 1 + 3 + 1},
		{"bytes", netconf.Limits{Queue: 100, Message: 3 * size}, 1 + 3 + 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var gate chan bool
			c := netconftest.Config{Limits: test.limits, Setup: handle(t, func(context.Context, *netconf.Request) (*netconf.Reply, error) {
				<-gate
				return nil, nil
			})}
			inBubble(t, c, func(t *testing.T, b *netconftest.Bench) {
				gate = make(chan bool)
				p := open(t, b, 2048)
				sent := make(chan int, total)
				go func() {
					for i := range total {
						msg := rpc(i, acknowledge)
						if p.W.WriteMessage([]byte(msg+strings.Repeat(" ", size-len(msg)))) != nil {
							return
						}
						sent <- i
					}
				}()
				synctest.Wait()
				if got := len(sent); got < test.want || got > test.want+buffers {
					t.Errorf("%d messages were taken, want %d and at most %d more", got, test.want, buffers)
				}
				close(gate)
				for i := range total {
					m, err := p.R.ReadMessage()
					if err != nil {
						t.Fatal(err)
					}
					if !strings.Contains(string(m), fmt.Sprintf(`message-id="%d"`, i)) {
						t.Fatalf("reply %d is %s", i, m)
					}
				}
				p.Conn.Close()
			})
		})
	}
}

// Notifications stand between replies, never inside one, and never before Then.
func TestNotificationsBetweenReplies(t *testing.T) {
	inBubble(t, netconftest.Config{Setup: handle(t, func(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
		return &netconf.Reply{Then: func() {
			r.Session.Go(func(ctx context.Context) {
				for r.Session.Notify(ctx, netconf.AppendNotification(nil, time.Now(), []byte(`<a xmlns="urn:a"/>`))) == nil {
				}
			})
		}}, nil
	})}, func(t *testing.T, b *netconftest.Bench) {
		p := open(t, b, 1024)
		for i := range 20 {
			if err := p.W.WriteMessage([]byte(rpc(i, map[bool]string{true: acknowledge, false: `<get/>`}[i == 0]))); err != nil {
				t.Fatal(err)
			}
		}
		replies, notifications := 0, 0
		for replies < 20 {
			m, err := p.R.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			switch s := string(m); {
			case strings.HasPrefix(s, "<rpc-reply ") && strings.HasSuffix(s, "</rpc-reply>") && strings.Contains(s, fmt.Sprintf(`message-id="%d"`, replies)):
				replies++
			case strings.HasPrefix(s, "<notification ") && strings.HasSuffix(s, "</notification>") && replies > 0:
				notifications++
			default:
				t.Fatalf("after %d replies: %.200s", replies, s)
			}
		}
		if notifications == 0 {
			t.Error("no notification came between the replies")
		}
		p.Conn.Close()
	})
}

func TestRegistration(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{})
	none := func(context.Context, *netconf.Request) (*netconf.Reply, error) { return nil, nil }
	for _, test := range []struct{ name, module, rpc, want string }{
		{"no such rpc", "ietf-netconf", "get-coffee", "has no rpc ietf-netconf:get-coffee"},
		{"twice", "ietf-netconf", "get", "has a handler already"},
	} {
		if err := b.Server.Handle(test.module, test.rpc, none); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Handle = %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := netconf.New(netconf.Config{}); err == nil {
		t.Error("a server without a store")
	}
	var names []string
	for _, n := range b.Server.Unhandled() {
		names = append(names, n.QName())
	}
	if got := strings.Join(names, " "); !strings.Contains(got, "ietf-incident:incident-resolve") || strings.Contains(got, "ietf-netconf:get ") {
		t.Errorf("Unhandled = %s", got)
	}
}

// sink is a connection that says what it is told and counts what it gets.
type sink struct {
	io.Reader
	written int
}

func (s *sink) Write(p []byte) (int, error) {
	s.written += len(p)
	return len(p), nil
}

func (*sink) Close() error         { return nil }
func (*sink) Abort()               {}
func (*sink) User() string         { return "u" }
func (*sink) RemoteAddr() net.Addr { return nil }

// A reply is not put together in memory, however long it is.
func TestLargeReplyIsStreamed(t *testing.T) {
	const entries, size = 1000, 100 << 10
	var tree *data.Node
	b := netconftest.New(t, netconftest.Config{Setup: handle(t, func(context.Context, *netconf.Request) (*netconf.Reply, error) {
		return netconf.DataReply(tree, &data.View{}), nil
	})})
	incidents := b.Schema.Root.Child(b.Schema.Module("ietf-incident"), "incidents")
	list := data.Build(incidents)
	detail := strings.Repeat("x", size)
	for i := range entries {
		list.Entry("incident", fmt.Sprintf("inc-%d", i)).Leaf("detail", detail)
	}
	tree = data.Build(b.Schema.Root).Add(list.Node()).Node()
	s := &sink{Reader: strings.NewReader(netconftest.Hello("1.0") + "]]>]]>" + rpc(1, acknowledge) + "]]>]]>")}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.Server.Serve(t.Context(), s)
	runtime.ReadMemStats(&after)
	if s.written < entries*size {
		t.Fatalf("%d bytes were written, want %d", s.written, entries*size)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("a reply of %d bytes took %d bytes of memory", s.written, got)
	}
}

// What a session has begun ends before what it has left for its end, and that in
// the reverse order.
func TestOnEnd(t *testing.T) {
	var order []string
	inBubble(t, netconftest.Config{Setup: handle(t, func(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
		r.Session.OnEnd(func() { order = append(order, "first") })
		r.Session.OnEnd(func() { order = append(order, "second") })
		r.Session.Go(func(ctx context.Context) {
			<-ctx.Done()
			time.Sleep(time.Second)
			order = append(order, "goroutine")
		})
		return nil, nil
	})}, func(t *testing.T, b *netconftest.Bench) {
		p := open(t, b, 0)
		if m, err := p.Ask(rpc(1, acknowledge)); err != nil || !strings.Contains(m, "<ok/>") {
			t.Fatal(m, err)
		}
		p.Conn.Close()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got, want := strings.Join(order, " "), "goroutine second first"; got != want {
			t.Errorf("the order of the end is %q, want %q", got, want)
		}
	})
}
