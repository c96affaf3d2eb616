package data_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
	"incidentd/yang/xpath"
)

// pumpModule has a notification of a list's entry, and a list of state that is keyed by a
// time.
const pumpModule = `module pumps {
  yang-version 1.1;
  namespace "urn:example:pumps";
  prefix p;
  typedef date-and-time { type string; }
  container hall {
    list pump {
      key name;
      leaf name { type string; }
      leaf litres { type uint32; }
      list reading { config false; key at; leaf at { type date-and-time; } leaf bar { type uint8; } }
      notification leaks { leaf drops { type uint32; } }
    }
  }
  notification flood { leaf depth { type uint32; } }
}`

func pumps(t *testing.T) *yang.Schema {
	t.Helper()
	s, err := yang.Compile(fstest.MapFS{"pumps.yang": {Data: []byte(pumpModule)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestParseNotification reads records of both kinds, and finds in them what is notified.
func TestParseNotification(t *testing.T) {
	s := pumps(t)
	const leak = `<hall xmlns="urn:example:pumps"><pump><name>a</name><leaks><drops>7</drops></leaks></pump></hall>`
	for _, tt := range []struct{ in, at, name, err string }{
		{`<flood xmlns="urn:example:pumps"><depth>3</depth></flood>`, "", "flood", ""},
		{leak, "/p:hall/p:pump[p:name='a']", "leaks", ""},
		{`<hall xmlns="urn:example:pumps"><pump><name>a</name><litres>3</litres></pump></hall>`, "", "", "leads to no notification"},
		{`<hall xmlns="urn:example:pumps"><leaks/></hall>`, "", "", `no node "leaks"`},
		{`<drain xmlns="urn:example:pumps"/>`, "", "", `no notification "drain"`},
		{`<flood xmlns="urn:example:nobody"/>`, "", "", "no module"},
	} {
		top, err := (&data.Parser{Schema: s}).ParseNotification([]byte(tt.in))
		if err != nil || tt.err != "" {
			if err == nil || tt.err == "" || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %q", tt.in, err, tt.err)
			}
			continue
		}
		at, n := data.Notified(s.Root, top)
		place := ""
		if at != nil {
			place = at.String()
		}
		if place != tt.at || n.Name() != tt.name {
			t.Errorf("%s tells %s of %q, want %s of %q", tt.in, n.Name(), place, tt.name, tt.at)
		}
		if got := string(data.AppendXML(nil, top, "")); got != tt.in {
			t.Errorf("%s is written as %s", tt.in, got)
		}
		if at != nil {
			if got := string(data.AppendXML(nil, data.Nested(at, n), "")); got != tt.in {
				t.Errorf("%s is nested as %s", tt.in, got)
			}
		}
	}
	top, err := (&data.Parser{Schema: s}).ParseNotification([]byte(leak))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(data.AppendJSON(nil, top, nil)), `"pumps:hall":{"pump":[{"name":"a","leaks":{"drops":7}}]}`; got != want {
		t.Errorf("in JSON %s, want %s", got, want)
	}
	names := xpath.Namespaces{Prefixes: map[string]string{"p": "urn:example:pumps"}}
	for text, want := range map[string]bool{
		"/p:hall/p:pump/p:leaks": true, "/p:hall/p:pump[p:name='b']/p:leaks": false, "//p:drops[. > 6]": true, "/p:hall/p:pump/*[p:drops=7]": true, "/p:flood": false,
	} {
		f, err := data.NewXPathFilter(s, text, names)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Matches(top); err != nil || got != want {
			t.Errorf("%s selects it: %v %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]bool{
		`<hall xmlns="urn:example:pumps"><pump><leaks/></pump></hall>`:                          true,
		`<hall xmlns="urn:example:pumps"><pump><name>b</name><leaks/></pump></hall>`:            false,
		`<hall xmlns="urn:example:pumps"><pump><leaks><drops>7</drops></leaks></pump></hall>`:   true,
		`<hall xmlns="urn:example:pumps"><pump><leaks><drops>8</drops></leaks></pump></hall>`:   false,
		`<flood xmlns="urn:example:pumps"/>`:                                                    false,
		`<hall><pump><leaks/></pump></hall>`:                                                    true,
		`<hall xmlns="urn:example:pumps"><pump><litres/></pump></hall>`:                         false,
		`<hall xmlns="urn:example:pumps"><pump><name>b</name><litres/></pump></hall>`:           false,
		`<hall xmlns="urn:example:pumps"><pump><leaks xmlns="urn:example:none"/></pump></hall>`: false,
	} {
		e, err := xmltext.ParseElement([]byte(text), xmltext.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := data.NewFilter(s, s.Root, []*xmltext.Element{e}).Matches(top); err != nil || got != want {
			t.Errorf("%s selects it: %v %v, want %v", text, got, err, want)
		}
	}
}

// TestNewestFirst puts readings in any order, whose precision differs: the latest stands
// first, in walks and from a place on, and a difference goes the same way.
func TestNewestFirst(t *testing.T) {
	s := pumps(t)
	pump := s.Root.ChildNamed("hall").ChildNamed("pump")
	reading := pump.ChildNamed("reading")
	var want []string
	for _, minute := range "987654321" {
		for _, second := range []string{"10.5", "10.05", "10", "09.999999", "09"} {
			want = append(want, "2026-03-02T10:0"+string(minute)+":"+second+"Z")
		}
	}
	n, keys := data.NewEntry(pump, "a"), slices.Clone(want)
	for i := range keys { // in some other order
		keys[i] = want[(i*29+3)%len(want)]
	}
	for _, k := range keys {
		n = n.With(data.NewEntry(reading, k))
	}
	order := func(n *data.Node, from string) (out []string) {
		for e := range n.EntriesFrom(reading, from) {
			out = append(out, e.Key())
		}
		return out
	}
	var walk []string
	for e := range n.EntriesOf(reading) {
		walk = append(walk, e.Key())
	}
	if d := cmp.Diff(want, walk); d != "" {
		t.Errorf("a walk (-want +got):\n%s", d)
	}
	if d := cmp.Diff(want[13:], order(n, want[13])); d != "" {
		t.Errorf("from an entry on (-want +got):\n%s", d)
	}
	less := n.Without(reading, want[13])
	if d := cmp.Diff(want[14:], order(less, want[13])); d != "" {
		t.Errorf("from what is not there on (-want +got):\n%s", d)
	}
	more := less.With(data.NewEntry(reading, "2026-03-02T11:00:00Z"))
	var changes []string
	data.DiffEntries(n, more, reading, func(old, new *data.Node) bool {
		if old != nil {
			changes = append(changes, "-"+old.Key())
		}
		if new != nil {
			changes = append(changes, "+"+new.Key())
		}
		return true
	})
	if d := cmp.Diff([]string{"+2026-03-02T11:00:00Z", "-" + want[13]}, changes); d != "" {
		t.Errorf("the difference (-want +got):\n%s", d)
	}
	for _, k := range want {
		if k != want[13] && more.Entry(reading, k) == nil {
			t.Errorf("%s is not found", k)
		}
	}
}
