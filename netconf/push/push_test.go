package push_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/netconf/netconftest"
	"incidentd/netconf/push"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

func TestUntilNext(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const now = "2026-11-22T12:00:07.5Z"
	for _, tt := range []struct {
		anchor, from string
		period, want time.Duration
	}{
		{now, now, time.Second, 0},
		{"2026-11-22T12:00:00Z", now, 10 * time.Second, 2500 * time.Millisecond},
		{"2026-11-22T12:00:30Z", now, time.Minute, 22500 * time.Millisecond},
		{"2026-11-22T12:10:00Z", now, time.Minute, 52500 * time.Millisecond},
		{"2026-11-22T12:00:08.000000001Z", now, 500 * time.Millisecond, 1},
		{"0001-01-01T00:00:00Z", now, time.Hour, time.Hour - 7500*time.Millisecond},
		{"9999-12-31T23:00:00Z", now, time.Hour, time.Hour - 7500*time.Millisecond},
	} {
		got := push.UntilNext(at(tt.anchor), at(tt.from), tt.period)
		if got != tt.want {
			t.Errorf("UntilNext(%s, %s, %v) = %v, want %v", tt.anchor, tt.from, tt.period, got, tt.want)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		anchor, from := time.Unix(r.Int64N(2e11)-6e10, r.Int64N(1e9)), time.Unix(r.Int64N(2e11)-6e10, r.Int64N(1e9))
		period := time.Duration(1+r.Int64N(1<<32-1)) * 10 * time.Millisecond
		got := push.UntilNext(anchor, from, period)
		if got < 0 || got >= period || push.UntilNext(anchor, from.Add(got), period) != 0 {
			t.Errorf("UntilNext(%v, %v, %v) = %v, which is no multiple away from the anchor", anchor, from, period, got)
		}
	}
}

// The schema has what is hard to tell of: lists and values without keys, nested; several
// keys; keys of any text; entries that the user orders, below each other.
const hard = `module hard {
  yang-version 1.1; namespace "urn:hard"; prefix h; revision 2026-11-22;
  container c {
    leaf s { type string; }
    list two { key "b a"; leaf a { type string; } leaf b { type string; } leaf v { type string; }
      list u { key k; ordered-by user; leaf k { type string; } leaf v { type string; } leaf-list w { type string; ordered-by user; } } }
    leaf-list l { type string; }
    list loose { config false; leaf x { type string; } }
    leaf-list mine { type string; ordered-by user; }
    container state { config false;
      leaf n { type string; }
      leaf-list values { type string; }
      list keyless { leaf x { type string; } list inner { leaf y { type string; } } }
      list keyed { key k; leaf k { type string; } leaf-list values { type string; } } }
  }
}`

// TestPatch applies the patches between random trees.
func TestPatch(t *testing.T) {
	schema, err := netconftest.SchemaWith(&fstest.MapFS{"hard@2026-11-22.yang": {Data: []byte(hard)}})
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	dom := func(n *data.Node) *xmltext.Element {
		e, err := xmltext.ParseRawElement(xmltext.Raw{Content: data.AppendChildrenXML(nil, n, "")}, xmltext.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	parse := func(s string) *data.Node {
		p := data.Parser{Schema: schema, State: true}
		n, err := p.ParseDocument([]byte("<data>" + s + "</data>"))
		if err != nil {
			t.Fatalf("%v: %s", err, s)
		}
		return n
	}
	for range 3000 {
		from, to := parse(randomHard(r)), parse(randomHard(r))
		copied := &receiver{schema: schema, content: dom(from)}
		patch := push.Patch(schema, from, to)
		edits, err := xmltext.ParseRawElement(xmltext.Raw{Content: patch}, xmltext.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range edits.Children {
			if err := copied.edit(e); err != nil {
				t.Fatalf("seed %d: %v\nby %s", seed, err, patch)
			}
		}
		want := canonical(dom(to), schema.Root, schema)
		if diff := cmp.Diff(want, canonical(copied.content, schema.Root, schema)); diff != "" {
			t.Fatalf("seed %d: from %s by %s (-want +got):\n%s", seed, data.AppendChildrenXML(nil, from, ""), patch, diff)
		}
	}
}

func randomHard(r *rand.Rand) string {
	var b strings.Builder
	some := func(n int) int { return r.IntN(n) }
	leaf := func(name string, values ...string) {
		fmt.Fprintf(&b, "<%s>%s</%[1]s>", name, values[some(len(values))])
	}
	if some(10) == 0 {
		return ""
	}
	b.WriteString(`<c xmlns="urn:hard">`)
	if some(2) == 0 {
		leaf("s", "1", "2")
	}
	for _, i := range r.Perm(4)[:some(4)] {
		fmt.Fprintf(&b, "<two><a>a/%d,é</a><b>%%%d</b>", i, i)
		leaf("v", "1", "2")
		for _, k := range r.Perm(5)[:some(6)] {
			fmt.Fprintf(&b, "<u><k>%d</k>", k)
			leaf("v", "1", "2")
			for _, w := range r.Perm(3)[:some(3)] {
				fmt.Fprintf(&b, "<w>%d</w>", w)
			}
			b.WriteString("</u>")
		}
		b.WriteString("</two>")
	}
	for _, i := range r.Perm(4)[:some(4)] {
		fmt.Fprintf(&b, "<l>%d =</l>", i)
	}
	for range some(2) * some(3) {
		b.WriteString("<loose>")
		leaf("x", "1", "2")
		b.WriteString("</loose>")
	}
	for _, i := range r.Perm(4)[:some(4)] {
		fmt.Fprintf(&b, "<mine>%d</mine>", i)
	}
	if some(3) > 0 {
		b.WriteString("<state>")
		if some(2) == 0 {
			leaf("n", "1", "2")
		}
		for range some(3) {
			leaf("values", "1", "2")
		}
		for range some(3) {
			b.WriteString("<keyless>")
			leaf("x", "1", "2")
			for range some(3) {
				b.WriteString("<inner>")
				leaf("y", "1", "2")
				b.WriteString("</inner>")
			}
			b.WriteString("</keyless>")
		}
		for _, k := range r.Perm(3)[:some(3)] {
			fmt.Fprintf(&b, "<keyed><k>%d</k>", k)
			for range some(3) {
				leaf("values", "1", "2")
			}
			b.WriteString("</keyed>")
		}
		b.WriteString("</state>")
	}
	b.WriteString("</c>")
	return b.String()
}
