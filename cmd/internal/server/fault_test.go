package server

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"incidentd/incident/event"
	"incidentd/netconf/client"
)

// While the disk does not answer, a change waits, and nothing else does: sessions begin and
// read, the monitoring answers. When it answers again the change is acknowledged.
func TestSlowDisk(t *testing.T) {
	var slow atomic.Pointer[chan struct{}]
	reached := make(chan struct{}, 16)
	dir := initialised(t)
	s, err := New(Config{DataDir: dir, Listen: "127.0.0.1:0", failPoint: func(at string) error {
		if release := slow.Load(); release != nil && at == "before-commit" {
			reached <- struct{}{}
			<-*release
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	c, other := session(t, s), session(t, s)
	url := monitored(t, c)
	release := make(chan struct{})
	free := sync.OnceFunc(func() { slow.Store(nil); close(release) })
	t.Cleanup(free)
	slow.Store(&release)
	acknowledged := make(chan error, 1)
	go func() {
		acknowledged <- c.EditConfig(t.Context(), "running", []byte(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>slow</hostname></system>`), "")
	}()
	<-reached
	const hostname = `<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname/></system>`
	r, err := other.GetConfig(t.Context(), "running", client.Subtree(hostname))
	if err != nil || strings.Contains(string(r.Raw), "slow") {
		t.Errorf("a read meanwhile: %v, %s", err, r.Raw)
	}
	if _, err := other.Get(t.Context(), client.Subtree(`<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/>`)); err != nil {
		t.Errorf("a read of incidents meanwhile: %v", err)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if code, text := page(t, url+path); code != 200 {
			t.Errorf("%s meanwhile: %d %s", path, code, text)
		}
	}
	select {
	case err := <-acknowledged:
		t.Errorf("the change was answered before it was on disk: %v", err)
	default:
	}
	free()
	if err := <-acknowledged; err != nil {
		t.Errorf("the change, in the end: %v", err)
	}
	if r, err := other.GetConfig(t.Context(), "running", client.Subtree(hostname)); err != nil || !strings.Contains(string(r.Raw), "slow") {
		t.Errorf("a read afterwards: %v, %s", err, r.Raw)
	}
}

// incidentCount waits until so many incidents have a status.
func incidentCount(t *testing.T, s *Server, l *logs, status string, want int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		n := 0
		for i := range s.Store().Snapshot().State.Child("incidents").Entries("incident") {
			if i.Leaf("status") == status {
				n++
			}
		}
		if n == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d incidents are %s, want %d\n%s", n, status, want, l)
		}
	}
}

// The clock of the machine is set back by an hour, forward by three and back by a day while
// the server does not run (while it does, it goes by the monotonic clock): incidents are
// raised and cleared all the same, also by the passing of time alone, and the stream has
// each notification once and in order.
func TestClockSteps(t *testing.T) {
	dir := initialised(t)
	var s *Server
	var l *logs
	begin := func(offset time.Duration) {
		if s != nil {
			if err := s.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		l = new(logs)
		var err error
		s, err = New(Config{DataDir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(l, nil)),
			now: func() time.Time { return time.Now().Add(offset) }})
		if err == nil {
			err = s.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	begin(0)
	for _, config := range []string{string(ring(12)), `<correlation xmlns="urn:incidentd:yang:correlation"><timing><soak-single>500</soak-single><clear-hold>500</clear-hold></timing></correlation>`} {
		if err := session(t, s).EditConfig(t.Context(), "running", []byte(config), ""); err != nil {
			t.Fatal(err)
		}
	}
	id := 0
	set := func(node int, severity event.Severity) {
		id++
		tell(t, s, fmt.Sprintf("e%d", id), fmt.Sprintf("N%d", node), "e1", severity)
	}
	set(0, event.Major)
	incidentCount(t, s, l, "raised", 1)
	set(0, event.Cleared)
	set(4, event.Major)
	begin(-time.Hour) // what is due now is due by the passing of time alone
	incidentCount(t, s, l, "cleared", 1)
	incidentCount(t, s, l, "raised", 1)
	set(6, event.Major)
	incidentCount(t, s, l, "raised", 2)
	begin(2 * time.Hour)
	set(8, event.Major)
	incidentCount(t, s, l, "raised", 3)
	set(4, event.Cleared)
	set(6, event.Cleared)
	incidentCount(t, s, l, "cleared", 3)
	begin(-24 * time.Hour)
	set(8, event.Cleared)
	incidentCount(t, s, l, "cleared", 4)
	set(2, event.Major)
	incidentCount(t, s, l, "raised", 1)

	j := s.Store().Journal()
	var got []string
	var last uint64
	var at time.Time
	for c := j.Cursor(1, "incidents"); ; {
		r, err := c.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if r == nil {
			break
		}
		if r.Seq <= last || r.Time.Before(at) {
			t.Errorf("notification %d of %s after %d of %s", r.Seq, r.Time, last, at)
		}
		last, at = r.Seq, r.Time
		text := string(r.Body)
		_, status, _ := strings.Cut(text, "<status>")
		status, _, _ = strings.Cut(status, "<")
		got = append(got, status)
	}
	if text := strings.Join(got, " "); strings.Count(text, "raised") != 5 || strings.Count(text, "cleared") != 4 {
		t.Errorf("the stream has %s, want 5 raised and 4 cleared", text)
	}
}
