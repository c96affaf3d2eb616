package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

// logs is a log that is read while it is written.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// started is a server on a free port of the loopback interface.
func started(t testing.TB, dir string) (*Server, *logs) {
	t.Helper()
	l := new(logs)
	s, err := New(Config{DataDir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(l, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("Stop = %v\n%s", err, l)
		}
	})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s, l
}

// dial logs in with a password or keys.
func dial(t testing.TB, s *Server, user, password string, keys ...ssh.Signer) (*client.Client, error) {
	t.Helper()
	c, err := client.Dial(t.Context(), s.Addr().String(), client.Config{
		User: user, Password: password, Signers: keys, HostKey: ssh.FixedHostKey(s.HostKey()),
	})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func session(t testing.TB, s *Server) *client.Client {
	t.Helper()
	c, err := dial(t, s, admin.Name, admin.Password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLogin(t *testing.T) {
	s, l := started(t, initialised(t))
	if !strings.Contains(l.String(), "msg=listening addr="+s.Addr().String()) {
		t.Errorf("the log does not tell where it listens:\n%s", l)
	}
	signer, key := newKey(t)
	c := session(t, s)
	user := func(content string) string {
		return `<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><authentication>` + content + `</authentication></system>`
	}
	edit := user(fmt.Sprintf(`<user><name>noc</name><password>$0$in the clear</password>
		<authorized-key><name>k</name><algorithm>%s</algorithm><key-data>%s</key-data></authorized-key></user>`,
		key.Algorithm, base64.StdEncoding.EncodeToString(key.Data)))
	if err := c.EditConfig(t.Context(), "running", []byte(edit), ""); err != nil {
		t.Fatal(err)
	}
	r, err := c.GetConfig(t.Context(), "running", client.Subtree(user(`<user><name>noc</name></user>`)))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(r.Raw, []byte("in the clear")) || !bytes.Contains(r.Raw, []byte("<password>$6$")) {
		t.Errorf("a password in clear text is stored as it is: %s", r.Raw)
	}
	type login struct {
		name, user, password string
		keys                 []ssh.Signer
		in                   bool
	}
	try := func(tests ...login) {
		t.Helper()
		for _, tt := range tests {
			_, err := dial(t, s, tt.user, tt.password, tt.keys...)
			if (err == nil) != tt.in {
				t.Errorf("%s: login = %v, want in: %v", tt.name, err, tt.in)
			}
		}
	}
	other, _ := newKey(t)
	try(
		login{"password", "noc", "in the clear", nil, true},
		login{"key", "noc", "", []ssh.Signer{signer}, true},
		login{"wrong password", "noc", "in the dark", nil, false},
		login{"other's password", "noc", admin.Password, nil, false},
		login{"other key", "noc", "", []ssh.Signer{other}, false},
		login{"other's key", admin.Name, "", []ssh.Signer{signer}, false},
		login{"unknown user", "nobody", "in the clear", nil, false},
	)
	if !strings.Contains(l.String(), "wrong user or password") {
		t.Errorf("the log does not tell of wrong passwords:\n%s", l)
	}

	// Without local-users in the order, passwords are of no use and keys still are.
	edit = user(`<user-authentication-order xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:sys="urn:ietf:params:xml:ns:yang:ietf-system" nc:operation="delete">sys:local-users</user-authentication-order>`)
	if err := c.EditConfig(t.Context(), "running", []byte(edit), ""); err != nil {
		t.Fatal(err)
	}
	try(login{"passwords are off", "noc", "in the clear", nil, false}, login{"keys are on", "noc", "", []ssh.Signer{signer}, true})

	edit = user(`<user><name>md5</name><password>$1$abcdefgh$irWbblnpmw.5z7wgBnprh0</password></user>`)
	var refused *rpcerr.Error
	if err := c.EditConfig(t.Context(), "running", []byte(edit), ""); !errors.As(err, &refused) || refused.Tag != rpcerr.TagInvalidValue {
		t.Errorf("a hash that cannot be checked: %v, want invalid-value", err)
	}
}

// The dialogue of a reporter and an operator.
func TestOperations(t *testing.T) {
	s, _ := started(t, initialised(t))
	c := session(t, s)
	r, err := c.Call(t.Context(), []byte(`<report-events xmlns="urn:incidentd:yang:events"><event><id>e1</id><node>P1</node><resource>eth1</resource><alarm-type-id>link-down</alarm-type-id><severity>major</severity></event></report-events>`))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(r.Raw, []byte(`>1</accepted>`)) {
		t.Errorf("report-events: %s", r.Raw)
	}
	r, err = c.Get(t.Context(), client.Subtree(`<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"/>`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<resource>P1/eth1</resource>", "<alarm-summary>", "<total>1</total>"} {
		if !bytes.Contains(r.Raw, []byte(want)) {
			t.Errorf("the alarms have no %s: %s", want, r.Raw)
		}
	}
	for _, tt := range []struct {
		op   string
		want rpcerr.Tag
	}{
		{`<incident-acknowledge xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident-id>inc-99</incident-id></incident-acknowledge>`, rpcerr.TagDataMissing},
		{`<incident-diagnose xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident-id>inc-99</incident-id></incident-diagnose>`, rpcerr.TagDataMissing},
		{`<system-restart xmlns="urn:ietf:params:xml:ns:yang:ietf-system"/>`, rpcerr.TagOperationNotSupported},
	} {
		_, err := c.Call(t.Context(), []byte(tt.op))
		var e *rpcerr.Error
		if !errors.As(err, &e) || e.Tag != tt.want {
			t.Errorf("%s = %v, want %s", tt.op, err, tt.want)
		}
	}
	if err := c.CreateSubscription(t.Context(), "incidents", client.Filter{}, time.Time{}, time.Time{}); err != nil {
		t.Errorf("create-subscription: %v", err)
	}
	for _, uri := range c.Capabilities() {
		if strings.Contains(uri, "scheme=") && strings.Contains(uri, "https") {
			t.Errorf("the hello offers %s", uri)
		}
	}
}

func TestPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s, err := New(Config{DataDir: initialised(t), Listen: ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Start = %v, want %v", err, syscall.EADDRINUSE)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// Stop ends sessions with subscriptions and ones that say nothing, and what was
// there is there after a restart.
func TestRestart(t *testing.T) {
	dir := initialised(t)
	s, l := started(t, dir)
	c, idle := session(t, s), session(t, s)
	if err := c.EditConfig(t.Context(), "running", []byte(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id></network></networks>`), ""); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateSubscription(t.Context(), "", client.Filter{}, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	raw, err := net.Dial("tcp", s.Addr().String()) // never logs in
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := s.Stop(context.Background()); err != nil {
		t.Errorf("Stop = %v\n%s", err, l)
	}
	for _, c := range []*client.Client{c, idle} {
		<-c.Done()
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Errorf("a second Stop = %v", err)
	}
	key := s.HostKey()
	s, _ = started(t, dir)
	if !bytes.Equal(key.Marshal(), s.HostKey().Marshal()) {
		t.Error("the host key is another one after a restart")
	}
	r, err := session(t, s).GetConfig(t.Context(), "running", client.Subtree(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"/>`))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(r.Raw, []byte("<network-id>ip</network-id>")) {
		t.Errorf("the configuration is not there after a restart: %s", r.Raw)
	}
}

// A part that does not end holds up nobody for ever.
func TestLateStop(t *testing.T) {
	s, err := New(Config{DataDir: initialised(t)})
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	rest := s.steps
	s.onStop("stuck", func(context.Context) error { <-release; return nil })
	ctx, cancel := context.WithCancel(context.Background())
	ctx, cancelBound := context.WithTimeout(ctx, time.Hour)
	defer cancelBound()
	cancel()
	if err := s.Stop(ctx); !errors.Is(err, ErrLateStop) || !strings.Contains(err.Error(), "stuck") {
		t.Errorf("Stop = %v, want %v naming the part", err, ErrLateStop)
	}
	close(release)
	s.steps = rest
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
