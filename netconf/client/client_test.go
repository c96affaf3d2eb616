package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/netconf/transport"
	"incidentd/netconf/transport/memconn"
	"incidentd/yang/rpcerr"
)

// fake is a NETCONF server that says what a test tells it to.
type fake struct {
	t    *testing.T
	conn net.Conn
	r    *transport.Reader
	w    *transport.Writer
}

const serverHello = `<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>` +
	`<capability>urn:ietf:params:netconf:base:1.0</capability>` +
	`<capability> urn:ietf:params:netconf:base:1.1 </capability>` +
	`<capability>urn:ietf:params:netconf:capability:with-defaults:1.0?basic-mode=explicit</capability>` +
	`</capabilities><session-id>4711</session-id></hello>`

// connect returns a client and the server that it has exchanged hellos with.
func connect(t *testing.T, hello string, cfg Config) (*Client, *fake) {
	t.Helper()
	near, far := memconn.Pipe()
	f := &fake{t: t, conn: far, r: transport.NewReader(far, 0), w: transport.NewWriter(far)}
	f.send(hello)
	c, err := New(t.Context(), near, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if m := f.receive(); !strings.Contains(m, "<capability>") {
		t.Fatalf("hello of the client: %s", m)
	}
	if strings.Contains(hello, "base:1.1") && (cfg.Capabilities == nil || has(cfg.Capabilities, Base11)) {
		f.r.Upgrade()
		f.w.Upgrade()
	}
	return c, f
}

func (f *fake) send(text string) {
	f.t.Helper()
	if err := f.w.WriteMessage([]byte(text)); err != nil {
		f.t.Errorf("fake server: %v", err)
	}
}

func (f *fake) receive() string {
	f.t.Helper()
	m, err := f.r.ReadMessage()
	if err != nil {
		f.t.Errorf("fake server: %v", err)
	}
	return string(m)
}

var messageID = regexp.MustCompile(`message-id="([^"]*)"`)

// reply is an rpc-reply to a request.
func reply(request, content string) string {
	return fmt.Sprintf(`<rpc-reply xmlns="%s" message-id="%s">%s</rpc-reply>`, baseNamespace, messageID.FindStringSubmatch(request)[1], content)
}

// serve answers each request with what answer makes of it, until the end.
func (f *fake) serve(answer func(request string) string) {
	for {
		m, err := f.r.ReadMessage()
		if err != nil {
			return
		}
		f.send(reply(string(m), answer(string(m))))
	}
}

func notification(n int) string {
	return fmt.Sprintf(`<notification xmlns="%s"><eventTime>2026-01-02T03:04:05.%06dZ</eventTime><e xmlns="urn:e"><n>%d</n></e></notification>`, notificationNamespace, n, n)
}

func TestHello(t *testing.T) {
	old := strings.Replace(serverHello, "<capability> urn:ietf:params:netconf:base:1.1 </capability>", "", 1)
	tests := []struct {
		name, hello string
		cfg         Config
	}{
		{"1.1", serverHello, Config{}},
		{"server of 1.0", old, Config{}},
		{"client of 1.0", serverHello, Config{Capabilities: []string{Base10}}},
		{"only 1.1", serverHello, Config{Capabilities: []string{Base11}}},
		{"prefixes", strings.NewReplacer("</", "</n:", "<c", "<n:c", "<s", "<n:s", "<hello xmlns", "<n:hello xmlns:n").Replace(serverHello), Config{}},
		{"declaration", `<?xml version="1.0" encoding="UTF-8"?>` + serverHello, Config{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, f := connect(t, tt.hello, tt.cfg)
				if c.SessionID() != 4711 {
					t.Errorf("SessionID = %d", c.SessionID())
				}
				if !c.HasCapability("urn:ietf:params:netconf:capability:with-defaults:1.0") || !c.HasCapability(Base10) || c.HasCapability("urn:x") {
					t.Errorf("Capabilities = %q", c.Capabilities())
				}
				go f.serve(func(string) string { return "<ok/>" })
				if _, err := c.Call(t.Context(), []byte("<x/>")); err != nil {
					t.Errorf("Call = %v", err)
				}
				c.Close()
			})
		})
	}
}

func TestHelloRefused(t *testing.T) {
	tests := []struct {
		name, hello string
		cfg         Config
		want        error
	}{
		{"not XML", "hello", Config{}, ErrProtocol},
		{"another element", `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>`, Config{}, ErrProtocol},
		{"no namespace", `<hello><session-id>1</session-id></hello>`, Config{}, ErrProtocol},
		{"no session-id", strings.Replace(serverHello, "<session-id>4711</session-id>", "", 1), Config{}, ErrProtocol},
		{"session-id 0", strings.Replace(serverHello, "4711", "0", 1), Config{}, ErrProtocol},
		{"session-id too big", strings.Replace(serverHello, "4711", "4294967296", 1), Config{}, ErrProtocol},
		{"no version in common", strings.ReplaceAll(serverHello, "base:1.0<", "base:2.0<"), Config{Capabilities: []string{Base10}}, ErrProtocol},
		{"too long", serverHello, Config{MaxMessage: 100}, transport.ErrTooBig},
		{"nothing", "", Config{}, context.DeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := memconn.Pipe()
				if tt.hello != "" {
					transport.NewWriter(far).WriteMessage([]byte(tt.hello))
				}
				begin := time.Now()
				if _, err := New(t.Context(), near, tt.cfg); !errors.Is(err, tt.want) {
					t.Errorf("New = %v, want %v", err, tt.want)
				}
				if took := time.Since(begin); took > 30*time.Second {
					t.Errorf("New took %v", took)
				}
				if _, err := io.Copy(io.Discard, far); err != nil {
					t.Errorf("the connection is still there: %v", err)
				}
			})
		})
	}
	near, far := memconn.Pipe()
	far.Close()
	if _, err := New(t.Context(), near, Config{}); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("New on a closed connection = %v", err)
	}
}

// TestOperations has the requests as they go out.
func TestOperations(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 600000000, time.UTC)
	subtree := Subtree(`<a xmlns="urn:a"/>`)
	xpath := XPath(`/a:x[b="<&"]`, map[string]string{"b": "urn:b", "a": "urn:a"})
	tests := []struct {
		name string
		call func(ctx context.Context, c *Client) error
		want string
	}{
		{"get", func(ctx context.Context, c *Client) error { _, err := c.Get(ctx, Filter{}); return err }, `<get></get>`},
		{"get subtree", func(ctx context.Context, c *Client) error { _, err := c.Get(ctx, subtree); return err },
			`<get><filter type="subtree"><a xmlns="urn:a"/></filter></get>`},
		{"get xpath", func(ctx context.Context, c *Client) error { _, err := c.Get(ctx, xpath); return err },
			`<get><filter type="xpath" select="/a:x[b=&#34;&lt;&amp;&#34;]" xmlns:a="urn:a" xmlns:b="urn:b"/></get>`},
		{"get-config", func(ctx context.Context, c *Client) error { _, err := c.GetConfig(ctx, "running", subtree); return err },
			`<get-config><source><running/></source><filter type="subtree"><a xmlns="urn:a"/></filter></get-config>`},
		{"get-data", func(ctx context.Context, c *Client) error {
			_, err := c.GetData(ctx, "operational", subtree)
			return err
		},
			`<get-data xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"><datastore>ds:operational</datastore><subtree-filter><a xmlns="urn:a"/></subtree-filter></get-data>`},
		{"get-data xpath", func(ctx context.Context, c *Client) error { _, err := c.GetData(ctx, "running", xpath); return err },
			`<get-data xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"><datastore>ds:running</datastore><xpath-filter xmlns:a="urn:a" xmlns:b="urn:b">/a:x[b=&#34;&lt;&amp;&#34;]</xpath-filter></get-data>`},
		{"edit-config", func(ctx context.Context, c *Client) error {
			return c.EditConfig(ctx, "running", []byte(`<a xmlns="urn:a"/>`), "none")
		}, `<edit-config><target><running/></target><default-operation>none</default-operation><config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><a xmlns="urn:a"/></config></edit-config>`},
		{"lock", func(ctx context.Context, c *Client) error { return c.Lock(ctx, "running") }, `<lock><target><running/></target></lock>`},
		{"unlock", func(ctx context.Context, c *Client) error { return c.Unlock(ctx, "running") }, `<unlock><target><running/></target></unlock>`},
		{"kill-session", func(ctx context.Context, c *Client) error { return c.KillSession(ctx, 7) }, `<kill-session><session-id>7</session-id></kill-session>`},
		{"create-subscription", func(ctx context.Context, c *Client) error {
			return c.CreateSubscription(ctx, "", Filter{}, time.Time{}, time.Time{})
		}, `<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"></create-subscription>`},
		{"create-subscription with all", func(ctx context.Context, c *Client) error {
			return c.CreateSubscription(ctx, "incidents", subtree, at, at.Add(time.Hour))
		}, `<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><stream>incidents</stream><filter type="subtree"><a xmlns="urn:a"/></filter><startTime>2026-01-02T03:04:05.6Z</startTime><stopTime>2026-01-02T04:04:05.6Z</stopTime></create-subscription>`},
		{"get-schema", func(ctx context.Context, c *Client) error {
			text, err := c.GetSchema(ctx, "ietf-x", "2026-01-02", "yang")
			if want := "module x {\n  \"<&\"\n}"; err == nil && text != want {
				err = fmt.Errorf("schema = %q, want %q", text, want)
			}
			return err
		}, `<get-schema xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><identifier>ietf-x</identifier><version>2026-01-02</version><format>yang</format></get-schema>`},
		{"close-session", func(ctx context.Context, c *Client) error { return c.CloseSession(ctx) }, `<close-session/>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, f := connect(t, serverHello, Config{})
				defer c.Close()
				var got string
				go f.serve(func(request string) string {
					got = strings.TrimSuffix(request[strings.Index(request, ">")+1:], "</rpc>")
					if strings.Contains(request, "get-schema") {
						return `<data xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring">module x {` + "\n" + `  "&lt;&amp;"<![CDATA[` + "\n}]]></data>"
					}
					return "<ok/>"
				})
				if err := tt.call(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("request (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestReplyData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{})
		defer c.Close()
		answers := []string{`<data><x xmlns="urn:x">1</x></data>`, `<ok/>`, `<data><x></data>`}
		go f.serve(func(string) string {
			a := answers[0]
			answers = answers[1:]
			return a
		})
		r, err := c.Get(t.Context(), Filter{})
		if err != nil {
			t.Fatal(err)
		}
		data, err := r.Data()
		if err != nil || data.FindElement("x").Text() != "1" || data.FindElement("x").NamespaceURI() != "urn:x" {
			t.Errorf("Data = %v, %v", data, err)
		}
		if !bytes.Contains(r.Raw, []byte(`<x xmlns="urn:x">1</x>`)) {
			t.Errorf("Raw = %s", r.Raw)
		}
		for range 2 {
			r, err := c.Get(t.Context(), Filter{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Data(); !errors.Is(err, ErrProtocol) {
				t.Errorf("Data of %s: %v, want %v", r.Raw, err, ErrProtocol)
			}
		}
	})
}

func TestErrors(t *testing.T) {
	path := rpcerr.Path{
		Expr:     `/t:top/t:interface[t:name="a:b"]/x:mtu`,
		Prefixes: []rpcerr.Prefix{{Prefix: "t", Namespace: "urn:t"}, {Prefix: "x", Namespace: "urn:x"}},
	}
	tests := []struct {
		name string
		want rpcerr.Errors
	}{
		{"plain", rpcerr.Errors{rpcerr.OperationFailed("no")}},
		{"everything", rpcerr.Errors{rpcerr.InvalidValue("not <this> & that").At(path).WithAppTag("app").WithInfo("urn:y", "y", "v").WithInfo("", "bad-element", "mtu")}},
		{"two", rpcerr.Errors{rpcerr.LockDenied(7), rpcerr.NotUnique(rpcerr.Path{Expr: "/a"}, rpcerr.Path{Expr: "/b"})}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, f := connect(t, serverHello, Config{})
				defer c.Close()
				go f.serve(func(string) string {
					var b []byte
					for _, e := range tt.want {
						b = e.AppendXML(b)
					}
					return string(b)
				})
				r, err := c.Call(t.Context(), []byte("<x/>"))
				got, known := rpcerr.List(err)
				if diff := cmp.Diff([]*rpcerr.Error(tt.want), got); diff != "" || !known {
					t.Errorf("errors (-want +got):\n%s", diff)
				}
				if r == nil || !bytes.Contains(r.Raw, []byte("rpc-error")) {
					t.Errorf("Reply = %v, want that with the errors", r)
				}
			})
		})
	}
}

// TestForeignErrors has replies as other servers write them.
func TestForeignErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{})
		defer c.Close()
		content := ""
		go f.serve(func(string) string { return content })

		content = `<rpc-error><error-type>application</error-type><error-tag>operation-failed</error-tag><error-severity>warning</error-severity><error-message>
			mind the gap </error-message></rpc-error><ok/>`
		r, err := c.Call(t.Context(), []byte("<x/>"))
		if err != nil || len(r.Warnings) != 1 || r.Warnings[0].Message != "mind the gap" {
			t.Errorf("a warning: %v, %v", r.Warnings, err)
		}

		content = `<data><log xmlns="urn:x">an rpc-error was seen</log></data>`
		if _, err := c.Call(t.Context(), []byte("<x/>")); err != nil {
			t.Errorf("data that speak of errors: %v", err)
		}

		content = `<nc:rpc-error xmlns:nc="` + baseNamespace + `"><nc:error-tag>data-missing</nc:error-tag><nc:error-info><nc:bad-element>a</nc:bad-element><junk xmlns="urn:j"><a>1</a><b>2</b></junk></nc:error-info></nc:rpc-error>`
		_, err = c.Call(t.Context(), []byte("<x/>"))
		var one *rpcerr.Error
		want := &rpcerr.Error{Tag: rpcerr.TagDataMissing, Info: []rpcerr.Info{{Name: "bad-element", Value: "a"}, {Space: "urn:j", Name: "junk", Value: "12"}}}
		if !errors.As(err, &one) {
			t.Fatalf("Call = %v", err)
		}
		if diff := cmp.Diff(want, one); diff != "" {
			t.Errorf("error with prefixes (-want +got):\n%s", diff)
		}
	})
}

// TestConcurrentCalls has replies in another order than their requests.
func TestConcurrentCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{})
		defer c.Close()
		const n = 50
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				r, err := c.Call(t.Context(), fmt.Appendf(nil, "<call><n>%d</n></call>", i))
				if err != nil || !strings.Contains(string(r.Raw), fmt.Sprintf("<n>%d</n>", i)) {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		requests := make([]string, n)
		for i := range requests {
			requests[i] = f.receive()
		}
		for i := range requests {
			r := requests[(i*7+3)%n]
			f.send(reply(r, r[strings.Index(r, "<n>"):strings.Index(r, "</call>")]))
		}
		wg.Wait()
	})
}

func TestReplyWithoutID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{})
		defer c.Close()
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = c.Call(t.Context(), []byte("<x/>")) })
			synctest.Wait()
		}
		f.receive()
		second := f.receive()
		f.send(fmt.Sprintf(`<rpc-reply xmlns="%s">%s</rpc-reply>`, baseNamespace, rpcerr.MalformedMessage("what?").AppendXML(nil)))
		f.send(reply(second, "<ok/>"))
		wg.Wait()
		var e *rpcerr.Error
		if !errors.As(errs[0], &e) || e.Tag != rpcerr.TagMalformedMessage || errs[1] != nil {
			t.Errorf("calls = %v, want malformed-message for the first only", errs)
		}
	})
}

// TestCancel gives calls up: one that waits for its reply, and one whose request
// cannot be written.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.Call(ctx, []byte("<slow/>")); err != context.DeadlineExceeded {
			t.Errorf("Call = %v, want %v", err, context.DeadlineExceeded)
		}
		if _, err := c.Call(ctx, []byte("<x/>")); err != context.DeadlineExceeded {
			t.Errorf("Call with a dead context = %v", err)
		}
		f.send(reply(f.receive(), "<late/>"))
		go f.serve(func(string) string { return "<ok/>" })
		if r, err := c.Call(t.Context(), []byte("<x/>")); err != nil || !bytes.Contains(r.Raw, []byte("<ok/>")) {
			t.Errorf("the call after a forgotten one = %v, %v", r, err)
		}
		if len(c.pending)+len(c.order) != 0 {
			t.Errorf("%d calls are pending", len(c.pending))
		}
		c.Close()

		c, _ = connect(t, serverHello, Config{})
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		waiting := make(chan error, 1)
		go func() { _, err := c.Call(t.Context(), []byte("<first/>")); waiting <- err }()
		synctest.Wait()
		blocked := make(chan error, 1)
		go func() {
			_, err := c.Call(ctx, bytes.Repeat([]byte("<x/>"), memconn.DefaultBuffer))
			blocked <- err
		}()
		synctest.Wait()
		short, cancelShort := context.WithTimeout(t.Context(), time.Second)
		defer cancelShort()
		if _, err := c.Call(short, []byte("<x/>")); err != context.DeadlineExceeded || c.Err() != nil {
			t.Errorf("a call that waited for its turn = %v, connection: %v", err, c.Err())
		}
		if err := <-blocked; err != context.DeadlineExceeded {
			t.Errorf("a call half written = %v, want %v", err, context.DeadlineExceeded)
		}
		if err := <-waiting; !errors.Is(err, ErrClosed) || !errors.Is(err, ErrTorn) {
			t.Errorf("another call on the torn connection = %v, want %v", err, ErrTorn)
		}
		<-c.Done()
	})
}

func TestLostConnection(t *testing.T) {
	tests := []struct {
		name string
		do   func(f *fake, c *Client)
		want error
	}{
		{"closed by the server", func(f *fake, _ *Client) { f.conn.Close() }, ErrClosed},
		{"closed inside a message", func(f *fake, _ *Client) { io.WriteString(f.conn, "\n#10\n<rpc"); f.conn.Close() }, io.ErrUnexpectedEOF},
		{"closed here", func(_ *fake, c *Client) { c.Close() }, ErrClosed},
		{"bad framing", func(f *fake, _ *Client) { io.WriteString(f.conn, "Connection refused\n") }, transport.ErrBadChunk},
		{"not XML", func(f *fake, _ *Client) { f.send("Internal error") }, ErrProtocol},
		{"a document type", func(f *fake, _ *Client) {
			f.send(`<!DOCTYPE x><rpc-reply xmlns="` + baseNamespace + `"/>`)
		}, ErrProtocol},
		{"another message", func(f *fake, _ *Client) { f.send(`<rpc xmlns="` + baseNamespace + `"/>`) }, ErrProtocol},
		{"a strange message-id", func(f *fake, _ *Client) {
			f.send(`<rpc-reply xmlns="` + baseNamespace + `" message-id="x"><ok/></rpc-reply>`)
		}, ErrProtocol},
		{"an error that is not XML", func(f *fake, _ *Client) {
			f.send(`<rpc-reply xmlns="` + baseNamespace + `" message-id="1"><rpc-error></rpc-reply>`)
		}, ErrProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, f := connect(t, serverHello, Config{})
				errs := make(chan error, 3)
				for range 3 {
					go func() { _, err := c.Call(t.Context(), []byte("<x/>")); errs <- err }()
				}
				synctest.Wait()
				tt.do(f, c)
				for range 3 {
					if err := <-errs; !errors.Is(err, ErrClosed) || !errors.Is(err, tt.want) {
						t.Errorf("Call = %v, want %v and %v", err, ErrClosed, tt.want)
					}
				}
				<-c.Done()
				if _, open := <-c.Notifications(); open {
					t.Error("a notification from nowhere")
				}
				if _, err := c.Call(t.Context(), []byte("<x/>")); !errors.Is(err, ErrClosed) {
					t.Errorf("a later call = %v", err)
				}
				if !errors.Is(c.Err(), tt.want) {
					t.Errorf("Err = %v", c.Err())
				}
			})
		})
	}
}

func TestDelimiterInOldFraming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{Capabilities: []string{Base10}})
		defer c.Close()
		go f.serve(func(string) string { return "<ok/>" })
		if _, err := c.Call(t.Context(), []byte("<x><!--]]>]]>--></x>")); !errors.Is(err, transport.ErrDelimiter) {
			t.Errorf("Call = %v, want %v", err, transport.ErrDelimiter)
		}
		if _, err := c.Call(t.Context(), []byte("<x/>")); err != nil {
			t.Errorf("the next call = %v", err)
		}
	})
}

func TestNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{Notifications: 2})
		go func() {
			f.send(reply(f.receive(), "<ok/>"))
			for i := range 3 {
				f.send(notification(i))
			}
			f.send(reply(f.receive(), "<ok/>"))
			f.send(strings.Replace(notification(3), "2026", "now", 1))
		}()
		if err := c.CreateSubscription(t.Context(), "", Filter{}, time.Time{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		replied := false
		go func() {
			if _, err := c.Get(t.Context(), Filter{}); err != nil {
				t.Errorf("Get = %v", err)
			}
			replied = true
		}()
		synctest.Wait()
		if replied {
			t.Error("a reply behind three notifications was read, with room for two")
		}
		for i := range 3 {
			n := <-c.Notifications()
			if want := time.Date(2026, 1, 2, 3, 4, 5, i*1000, time.UTC); !n.EventTime.Equal(want) {
				t.Errorf("EventTime = %v, want %v", n.EventTime, want)
			}
			ev, err := n.Event()
			if err != nil || ev.Tag != "e" || ev.NamespaceURI() != "urn:e" || ev.FindElement("n").Text() != fmt.Sprint(i) {
				t.Errorf("notification %d = %s, %v", i, n.Raw, err)
			}
		}
		if n := <-c.Notifications(); !n.EventTime.IsZero() {
			t.Errorf("EventTime of a bad time = %v", n.EventTime)
		}
		synctest.Wait()
		if !replied {
			t.Error("no reply though the notifications were read")
		}
		c.Close()
	})
}

// TestCloseWithFullChannel: nobody reads the notifications, and Close returns.
func TestCloseWithFullChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := connect(t, serverHello, Config{Notifications: 1})
		for i := range 3 {
			f.send(notification(i))
		}
		synctest.Wait()
		c.Close()
		if n, open := <-c.Notifications(); !open || !strings.Contains(string(n.Raw), "<n>0</n>") {
			t.Error("what was received is lost")
		}
		if _, open := <-c.Notifications(); open {
			t.Error("the channel is not closed")
		}
	})
}

func TestSequence(t *testing.T) {
	const head = `<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><eventTime>2000-01-01T00:00:00Z</eventTime>`
	const event = `<note xmlns="urn:x"/></notification>`
	const space = ` xmlns="urn:ietf:params:xml:ns:yang:ietf-notification-sequencing">`
	for _, tt := range []struct {
		name, text, sysName string
		number              uint32
		ok                  bool
	}{
		{"none", head + event, "", 0, false},
		{"both", head + "<sysName" + space + "nms</sysName><sequenceNumber" + space + "4294967295</sequenceNumber>" + event, "nms", 4294967295, true},
		{"no number", head + "<sysName" + space + "nms</sysName>" + event, "nms", 0, false},
		{"too large", head + "<sequenceNumber" + space + "4294967296</sequenceNumber>" + event, "", 0, false},
	} {
		n := newNotification([]byte(tt.text), time.Time{})
		if name, number, ok := n.Sequence(); name != tt.sysName || ok != tt.ok || ok && number != tt.number {
			t.Errorf("%s: %q, %d, %v; want %q, %d, %v", tt.name, name, number, ok, tt.sysName, tt.number, tt.ok)
		}
		if e, err := n.Event(); err != nil || e.Tag != "note" {
			t.Errorf("%s: the event is %v, %v", tt.name, e, err)
		}
	}
	if _, _, ok := newNotification([]byte("<"), time.Time{}).Sequence(); ok {
		t.Error("what is no XML has a number")
	}
}
