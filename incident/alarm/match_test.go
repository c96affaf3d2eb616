package alarm

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
	"incidentd/yang/xpath"
)

func matchSchema(t testing.TB) *yang.Schema {
	s, err := yang.Compile(modules.FS, yang.Options{
		Implemented: []string{"ietf-alarms", "ietf-alarms-x733", "incidentd-alarms", "incidentd-alarm-types", "ietf-network"}, Features: Features()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// resourceLeaf is a resource-match in the configuration.
func resourceLeaf(s *yang.Schema, text string) *data.Node {
	shelf := s.Root.ChildNamed("alarms").ChildNamed("control").ChildNamed("alarm-shelving").ChildNamed("shelf")
	return data.NewLeaf(shelf.ChildNamed("resource"), text)
}

// TestResourceMatch has the kinds of a resource-match [RFC 8632 section 6].
func TestResourceMatch(t *testing.T) {
	s := matchSchema(t)
	networks, err := (&data.Parser{Schema: s}).ParseDocument([]byte(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network">
		<network><network-id>ip</network-id><node><node-id>P1</node-id></node></network><network><network-id>otn</network-id></network></networks>`))
	if err != nil {
		t.Fatal(err)
	}
	nodes := selects(s, func() *data.Node { return networks })
	for _, tt := range []struct {
		match   string
		yes, no []string
		named   bool
	}{
		{"P1/eth1", []string{"P1/eth1"}, []string{"P1/eth12", "XP1/eth1", "P1"}, true},
		{`P1/eth1\.7`, []string{"P1/eth1.7"}, []string{"P1/eth117"}, true},
		{"P1/eth1.7", []string{"P1/eth1.7", "P1/eth117"}, []string{"P1/eth1"}, false},
		{"P1/.*", []string{"P1/eth1", "P1/", "P1/slot/3"}, []string{"P1", "P11/eth1"}, true},
		{"P1(/.*)?", []string{"P1", "P1/eth1"}, []string{"P11", "P1eth1"}, true},
		{"P[0-9]+/eth.*", []string{"P1/eth1", "P22/eth"}, []string{"P/eth1", "P1/slot"}, false},
		{`P\d`, []string{"P1"}, []string{"Pd", `P\d`}, false},
		{"", []string{""}, []string{"P1"}, true},
		{".*", []string{"", "P1"}, []string{"P1\nP2"}, false},
		{"1.3.6.1.2.1.2.2", []string{"1.3.6.1.2.1.2.2", "1.3.6.1.2.1.2.2.1.8.3"}, []string{"1.3.6.1.2.1.2.20", "1.3.6.1.2.1.2.2.x", "1.3.6"}, false},
		{"/ietf-network:networks/ietf-network:network[ietf-network:network-id='ip']",
			[]string{"/ietf-network:networks/network[network-id='ip']"},
			[]string{"/ietf-network:networks/network[network-id='otn']", "/ietf-network:networks", "ip"}, false},
		{"//ietf-network:node", nil, []string{"/ietf-network:networks/network[network-id='ip']"}, false},
	} {
		m, err := parseResourceMatch(s, resourceLeaf(s, tt.match))
		if err != nil {
			t.Errorf("%q: %v", tt.match, err)
			continue
		}
		if m.named() != tt.named {
			t.Errorf("%q is found by name: %v, want %v", tt.match, m.named(), tt.named)
		}
		for want, list := range map[bool][]string{true: tt.yes, false: tt.no} {
			for _, r := range list {
				if got := m.matches(r, nodes); got != want && !strings.HasPrefix(r, "/") {
					t.Errorf("%q matches %q: %v, want %v", tt.match, r, got, want)
				}
			}
		}
		if m.path != nil {
			want := tt.yes != nil
			env := &data.XPath{Schema: s, Root: networks}
			if l := env.Instance("/ietf-network:networks/network[network-id='ip']"); l != nil && m.matches(l.InstanceID(), nodes) != want {
				t.Errorf("%q matches %q: %v, want %v", tt.match, l.InstanceID(), !want, want)
			}
		}
	}
	for _, bad := range []string{"P1(", "*", "[z-a]", "/x:y", "/ietf-network:networks[", "/1", `\`} {
		if m, err := parseResourceMatch(s, resourceLeaf(s, bad)); err == nil {
			t.Errorf("%q was taken: %+v", bad, m)
		}
	}
}

// FuzzResourceMatch: what is found by name is what the regular expression says, in a table
// too.
func FuzzResourceMatch(f *testing.F) {
	s := matchSchema(f)
	for _, seed := range []string{"P1", "P1/.*", "P1(/.*)?", `P1/eth1\.7`, "1.3.6", "/ietf-network:networks", `a\-b`, "(/.*)?", "/.*", "[^a]", `\c`} {
		f.Add(seed, "P1/eth1")
		f.Add(seed, "P1")
	}
	f.Fuzz(func(t *testing.T, pattern, resource string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(resource) {
			return // no leaf holds that
		}
		began := time.Now()
		m, err := parseResourceMatch(s, resourceLeaf(s, pattern))
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%q took %v", pattern, took)
		}
		if err != nil {
			return
		}
		none := func(*xpath.Expr, string) bool { return false }
		got := m.matches(resource, none)
		if m.named() {
			re, err := yang.CompilePattern(pattern)
			if err != nil {
				t.Fatalf("%q is taken for a name: %v", pattern, err)
			}
			if want := re.MatchString(resource); got != want {
				t.Errorf("%q matches %q: %v, the expression says %v", pattern, resource, got, want)
			}
		}
		table := newTable(s)
		table.add([]resourceMatch{{literal: "no such resource", self: true}}, nil)
		table.add([]resourceMatch{m}, nil)
		if found := table.find(Key{Resource: resource}, none) == 1; found != got && resource != "no such resource" {
			t.Errorf("%q is found in a table by %q: %v, alone %v", resource, pattern, found, got)
		}
	})
}
