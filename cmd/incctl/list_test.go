package main

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/beevik/etree"
)

func TestList(t *testing.T) {
	for _, tt := range []struct {
		name  string
		width int
		args  []string
	}{
		{"list", 0, nil},
		{"list-all", 0, []string{"--status", "all"}},
		{"list-narrow", 80, []string{"--status", "all"}},
		{"list-relative", 120, []string{"-r", "--status", "open,cleared"}},
		{"list-service", 0, []string{"--service", "VPN-C"}},
		{"list-priority", 0, []string{"--priority", "critical,low", "--status", "raised,updated"}},
		{"list-json", 0, []string{"--json", "--status", "cleared"}},
		{"list-none", 0, []string{"--priority", "medium"}},
		{"list-none-json", 0, []string{"--json", "--priority", "medium"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				p := s.incctl(t.Context(), nil, tt.width, append([]string{"list"}, tt.args...)...)
				p.want(t, 0, "")
				golden(t, tt.name, p.stdout.String()+"\n"+strings.Join(s.asked(), "\n")+"\n")
			})
		})
	}
}

func TestListEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		for _, e := range s.incidents.Root().ChildElements() {
			s.incidents.Root().RemoveChild(e)
		}
		p := s.incctl(t.Context(), nil, 0, "list")
		p.want(t, 0, "")
		if got := p.stdout.String(); got != "No incidents.\n" {
			t.Errorf("got %q", got)
		}
	})
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"list", "--status", "broken"}, 2, "--status"},
		{[]string{"report", "x", "--batch", "0"}, 2, "--batch must be from 1 to 5000"},
		{[]string{"report", "x", "--batch", "5001"}, 2, "--batch must be from 1 to 5000"},
		{[]string{"ack"}, 2, "<id>"},
		{[]string{"frob"}, 2, "frob"},
		{[]string{"report", "testdata/none.jsonl"}, 1, "no such file"},
	} {
		s := newServer(t)
		p := s.incctl(t.Context(), nil, 0, tt.args...)
		if p.status != tt.status || !strings.Contains(p.stderr.String(), tt.want) {
			t.Errorf("incctl %s: status %d, want %d; stderr %q, want %q in it", strings.Join(tt.args, " "), p.status, tt.status, p.stderr.String(), tt.want)
		}
	}
	s := newServer(t)
	p := s.incctl(t.Context(), nil, 0, "--help")
	p.want(t, 0, "")
	golden(t, "help", p.stdout.String())
}

func TestAge(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "just now"}, {59 * time.Second, "59s ago"}, {61 * time.Second, "1m01s ago"},
		{3*time.Hour + 5*time.Minute, "3h05m ago"}, {49 * time.Hour, "2d01h ago"}, {-90 * time.Second, "in 1m30s"},
	} {
		if got := age(tt.d); got != tt.want {
			t.Errorf("age(%v) = %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"VPN-A größer", "VPN-A größer"}, {"a\nb\tc", "a b c"}, {"\x1b[2Jboo", "�[2Jboo"}, {"\u009b2J", "�2J"}, {"\u202Eabc", "�abc"},
	} {
		if got := clean(tt.in); got != tt.want {
			t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// A table is never wider than the screen as long as its columns can give.
func TestTableFits(t *testing.T) {
	list := decodeIncidents(wrapData(t))
	for width := 80; width < 200; width++ {
		var b strings.Builder
		if err := (screen{w: &b, width: width}).incidents(list); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(b.String(), "\n") {
			if n := len([]rune(line)); n > width {
				t.Errorf("width %d: %d columns in %q", width, n, line)
			}
		}
	}
}

// What --json prints is JSON with the names of RFC 7951, whatever the incident holds.
func TestJSONIsValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		p := s.incctl(t.Context(), nil, 0, "--json", "show", "12")
		var got map[string]map[string][]map[string]any
		if err := json.Unmarshal([]byte(p.stdout.String()), &got); err != nil {
			t.Fatal(err)
		}
		i := got["ietf-incident:incidents"]["incident"][0]
		for key, want := range map[string]any{
			"incident-id": "inc-12", "csn": "12", "domain": "ietf-incident-types:ip", "incidentd-incident:ticket": true,
		} {
			if i[key] != want {
				t.Errorf("%s is %v, want %v", key, i[key], want)
			}
		}
	})
}

func wrapData(t *testing.T) *etree.Element {
	data := etree.NewElement("data")
	data.AddChild(newServer(t).incidents.Root().Copy())
	return data
}
