package mapping

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"incidentd/incident/event"
	"incidentd/netconf/netconftest"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/validate"
)

func schemaOf(t testing.TB) *yang.Schema {
	t.Helper()
	s, err := netconftest.Schema()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at is the container mapping of what stands in it, at its place.
func at(t testing.TB, content string) *data.Loc {
	t.Helper()
	root, err := (&data.Parser{Schema: schemaOf(t)}).ParseDocument([]byte(`<mapping xmlns="urn:incidentd:yang:mapping">` + content + `</mapping>`))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.New(schemaOf(t)).Tree(root, true); err != nil {
		t.Fatal(err)
	}
	return (&data.Loc{Node: root}).Down(root.Child("mapping"))
}

func mapper(t testing.TB, content string) *Mapper {
	t.Helper()
	m, err := New(at(t, content), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The tables that come with the server are valid configurations, each table by itself.
func TestBuiltin(t *testing.T) {
	tables, err := Builtin(schemaOf(t))
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(nil, tables)
	if err != nil {
		t.Fatal(err)
	}
	b := data.Build(schemaOf(t).Root)
	b.Container("mapping").Add(tables...)
	if err := validate.New(schemaOf(t)).Tree(b.Node(), true); err != nil {
		t.Error(err)
	}
	for _, r := range m.rules {
		if r.match.text != nil && len(r.match.ids)+len(r.match.oids)+len(r.match.literals) == 0 {
			t.Errorf("rule %s of %s is tried with every message", r.name, r.table)
		}
	}
	files, err := documents.ReadDir("tables")
	if err != nil || len(files) != len(order) {
		t.Errorf("%d files and %d tables (%v)", len(files), len(order), err)
	}
}

func TestTemplate(t *testing.T) {
	v := &values{msg: &Message{Host: "pe1", Text: "t", Fields: []Field{{"a", "1"}, {"empty", ""}, {"text", "not this one"}}},
		captures: []Field{{"a", "captured"}, {"peer", "10.0.0.2"}},
		names:    &names{aliases: map[string]string{"10.0.0.2": "PE2"}}}
	for _, tt := range []struct{ template, want string }{
		{"", ""},
		{"plain", "plain"},
		{"{host}", "pe1"},
		{"x{a}y{host}z", "xcapturedype1z"},
		{"{none}", ""},
		{"{none|empty|host}", "pe1"},
		{"{none|'or this'}", "or this"},
		{"bgp/{node:peer}", "bgp/PE2"},
		{"{node:none|node:peer}", "PE2"},
		{"{node:host}", "pe1"},
		{"{{a}}", "{a}"},
		{"{text}", "t"},
	} {
		parsed, err := parseTemplate(tt.template)
		if err != nil {
			t.Errorf("parseTemplate(%q): %v", tt.template, err)
			continue
		}
		if got := parsed.fill(v); got != tt.want {
			t.Errorf("%q = %q, want %q", tt.template, got, tt.want)
		}
	}
	for _, bad := range []string{"{", "}", "{}", "a{b", "a}b", "{a|}", "{node:}", "{{a}"} {
		if _, err := parseTemplate(bad); err == nil {
			t.Errorf("parseTemplate(%q) is let through", bad)
		}
	}
}

func TestLiterals(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		want    []string
	}{
		{`AdjChg: Nbr (?P<peer>\S+)`, []string{"AdjChg: Nbr "}},
		{`(?:up|down)wards`, []string{"wards"}},
		{`(carrier|signal) lost|gone away`, []string{"carrier", "signal", "gone away"}},
		{`a.*b`, nil},
		{`(?i)neighbor`, []string{"neighbor"}},
		{`(?i)risk of links`, []string{" of lin"}},
		{`x*`, nil},
		{`(abc)+`, []string{"abc"}},
		{`(abc)?`, nil},
		{`abc{2,3}`, nil},
		{`abcd{2,3}`, []string{"abc"}},
		{`état`, []string{"état"}},
		{`[`, nil},
	} {
		if diff := cmp.Diff(tt.want, literals(tt.pattern), cmp.Transformer("lower", strings.ToLower)); diff != "" {
			t.Errorf("literals(%q) (-want +got):\n%s", tt.pattern, diff)
		}
	}
}

// A text that a pattern fits has one of its literals, whatever the case.
func TestLiteralsAreRequired(t *testing.T) {
	patterns := []string{`(?i)kelvin sign`, `(?i)bits and pieces`, `(ab|cd)efg(h|i)`, `Link is (Up|Down)`, `(foo|bar)baz|quux`, `(?i:up)stairs`, `x(yz)+w`, `a{3}b`}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(patterns).Draw(t, "pattern")
		text := rapid.StringMatching(p).Draw(t, "text")
		set := literals(p)
		if set == nil {
			return
		}
		words := map[string][]int32{}
		for _, w := range set {
			words[strings.ToLower(w)] = []int32{1}
		}
		found := false
		newAutomaton(words).find(text, func([]int32) { found = true })
		if !found {
			t.Fatalf("%q fits %q and has none of %q", p, text, set)
		}
	})
}

// The automaton finds what a search for each word finds.
func TestAutomaton(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-dé]{1,5}`), 1, 12, rapid.ID).Draw(t, "words")
		words := map[string][]int32{}
		for i, w := range list {
			words[w] = []int32{int32(i)}
		}
		text := rapid.StringMatching(`[a-dA-Dé ]{0,40}`).Draw(t, "text")
		got := map[int32]bool{}
		newAutomaton(words).find(text, func(found []int32) {
			for _, i := range found {
				got[i] = true
			}
		})
		lower := strings.Map(func(r rune) rune {
			if r < 0x80 {
				return rune(fold(byte(r)))
			}
			return r
		}, text)
		for i, w := range list {
			if want := strings.Contains(lower, w); got[int32(i)] != want {
				t.Fatalf("%q in %q: %v, want %v", w, text, got[int32(i)], want)
			}
		}
	})
}

// The index leaves out no rule that fits: the rule that decides is the one that decides
// without it.
func TestIndex(t *testing.T) {
	words := []string{"link down", "neighbour lost", "Fan", "OK", "peer"}
	apps, ids := []string{"", "rpd", "BGPD"}, []string{"", "LINK", "ADJ"}
	pick := func(t *rapid.T, name string, from []string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID).Draw(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		var rules []*rule
		for i := range rapid.IntRange(0, 70).Draw(t, "rules") {
			r := &rule{name: fmt.Sprint(i), event: &outline{}}
			r.match.ids = slices.DeleteFunc(pick(t, "ids", ids), func(s string) bool { return s == "" })
			for _, a := range pick(t, "apps", apps) {
				r.match.apps = append(r.match.apps, strings.ToLower(a))
			}
			if w := rapid.SampledFrom(append(words, "")).Draw(t, "word"); w != "" {
				pattern := rapid.SampledFrom([]string{"", "(?i)"}).Draw(t, "flags") + w
				r.match.text, r.match.literals = regexp.MustCompile(pattern), literals(pattern)
			}
			rules = append(rules, r)
		}
		msg := &Message{App: rapid.SampledFrom(apps).Draw(t, "app"), MsgID: rapid.SampledFrom(ids).Draw(t, "id"),
			Text: strings.Join(rapid.SliceOfN(rapid.SampledFrom(append(words, "LINK DOWN", "x")), 0, 4).Draw(t, "text"), "-")}
		v := &values{msg: msg, names: &names{}}
		want := slices.IndexFunc(rules, func(r *rule) bool { return r.match.fits(v) })
		x := newIndex(rules)
		for range 2 { // the second time with a set that was used
			got := -1
			x.candidates(msg, func(i int) bool {
				if rules[i].match.fits(v) {
					got = i
				}
				return got >= 0
			})
			if got != want {
				t.Fatalf("rule %d decides, want %d", got, want)
			}
		}
	})
}

func TestNames(t *testing.T) {
	m := mapper(t, `<alias><name>10.0.0.1</name><node>PE1</node></alias><alias><name>Loopback-PE2</name><node>PE2</node></alias>
		<resource-alias><node>PE1</node><name>Gi0/0/0/1</name><resource>ge1</resource></resource-alias>
		<resource-alias><node>*</node><name>TenGigE0/0/0/2</name><resource>xe2</resource></resource-alias>`)
	root, err := (&data.Parser{Schema: schemaOf(t)}).ParseDocument([]byte(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network">
		<network><network-id>ip</network-id><node><node-id>P1</node-id></node><node><node-id>core.P2</node-id></node></network></networks>`))
	if err != nil {
		t.Fatal(err)
	}
	m = m.WithNodes(root.Child("networks"))
	for name, want := range map[string]string{
		"10.0.0.1": "PE1", "loopback-pe2": "PE2", "loopback-pe2.example.net": "PE2", "p1": "P1", "p1.example.net": "P1", "P1": "P1",
		"core.p2": "core.P2", "core.p3": "core.p3", "10.0.0.2": "10.0.0.2", "other": "other", ".": ".", "": "",
	} {
		if got := m.names.node(name); got != want {
			t.Errorf("node(%q) = %q, want %q", name, got, want)
		}
	}
	for _, tt := range []struct{ node, name, want string }{
		{"PE1", "Gi0/0/0/1", "ge1"}, {"PE2", "Gi0/0/0/1", "Gi0/0/0/1"}, {"PE2", "TenGigE0/0/0/2", "xe2"}, {"PE1", "", ""},
	} {
		if got := m.names.resource(tt.node, tt.name); got != tt.want {
			t.Errorf("resource(%q, %q) = %q, want %q", tt.node, tt.name, got, tt.want)
		}
	}
}

func TestMap(t *testing.T) {
	m := mapper(t, `
		<alias><name>pe1</name><node>PE1</node></alias>
		<table><name>mine</name>
		  <rule><name>noise</name><match><app-name>cron</app-name></match><ignore/></rule>
		  <rule><name>by-label</name><match><source-kind>alertmanager</source-kind><field><name>team</name><pattern>^net(?P&lt;which&gt;\w*)</pattern></field><field><name>port</name></field></match>
		    <event><resource>{port}</resource><alarm-type-id>team-{which}</alarm-type-id><kind>kpi</kind><value>{value}</value><threshold>{limit}</threshold><time>{at}</time><text>{text|'no text'}</text>
		      <severity-of><name>level</name><severity><value>P1</value><severity>critical</severity></severity><severity><value>p2</value><severity>minor</severity></severity></severity-of></event></rule>
		  <rule><name>paired</name><match><text>door (?P&lt;door&gt;\d+) (?P&lt;state&gt;open|shut)</text></match>
		    <event><node>site-{door}</node><resource>door</resource><alarm-type-id>door-open</alarm-type-id><severity>warning</severity><clear-when><name>state</name><pattern>^shut$</pattern></clear-when></event></rule>
		</table>
		<table><name>off</name><enabled>false</enabled><rule><name>all</name><match/><ignore/></rule></table>`)
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, rule string
		msg        Message
		outcome    Outcome
		want       event.Event
	}{
		{"ignored", "noise", Message{App: "CRON", Text: "x"}, Ignored, event.Event{}},
		{"a label with its severity", "by-label",
			Message{Kind: "alertmanager", Host: "pe1", Fields: []Field{{"team", "netops"}, {"port", "eth1"}, {"level", "p1"}, {"value", "97"}, {"limit", "90"}, {"at", "1795348800.5"}}}, Mapped,
			event.Event{Kind: event.KPI, Node: "PE1", Resource: "eth1", AlarmTypeID: "team-ops", Severity: event.Critical, Value: "97", Threshold: "90", Text: "no text", Time: time.Date(2026, 11, 22, 12, 0, 0, 5e8, time.UTC)}},
		{"a severity that is not in the table, and a time that is none", "by-label",
			Message{Kind: "alertmanager", Host: "pe1", Time: noon, Severity: event.Major, Text: "t", Fields: []Field{{"team", "net"}, {"port", "eth1"}, {"level", "P9"}, {"at", "noon"}}}, Mapped,
			event.Event{Kind: event.KPI, Node: "PE1", Resource: "eth1", AlarmTypeID: "team-", Severity: event.Major, Text: "t", Time: noon}},
		{"a message that says that it clears", "by-label",
			Message{Kind: "alertmanager", Host: "pe1", Severity: event.Cleared, Text: "t", Fields: []Field{{"team", "net"}, {"port", "eth1"}, {"level", "P1"}}}, Mapped,
			event.Event{Kind: event.KPI, Node: "PE1", Resource: "eth1", AlarmTypeID: "team-", Severity: event.Cleared, Text: "t"}},
		{"without a label", "", Message{Kind: "alertmanager", Host: "pe1", Type: "Load", Qualifier: "q", Resource: "cpu", Fields: []Field{{"team", "net"}}}, Mapped,
			event.Event{Node: "PE1", Resource: "cpu", AlarmTypeID: "Load", AlarmTypeQualifier: "q", Severity: event.Indeterminate}},
		{"raises", "paired", Message{Host: "pe1", Text: "door 7 open"}, Mapped,
			event.Event{Node: "site-7", Resource: "door", AlarmTypeID: "door-open", Severity: event.Warning, Text: "door 7 open"}},
		{"clears", "paired", Message{Host: "pe1", Text: "door 7 shut"}, Mapped,
			event.Event{Node: "site-7", Resource: "door", AlarmTypeID: "door-open", Severity: event.Cleared, Text: "door 7 shut"}},
		{"no rule", "", Message{Peer: netip.MustParseAddr("192.0.2.1"), App: "a", MsgID: "M", Text: "x\x00y\xff", Observed: event.Log, Severity: event.Minor}, Unmapped,
			event.Event{Kind: event.Log, Node: "192.0.2.1", AlarmTypeID: "unmapped", AlarmTypeQualifier: "a/M", Severity: event.Minor, Text: "x\uFFFDy\uFFFD"}},
		{"an unknown notification", "", Message{Host: "pe1", OID: "1.3.6.1.4.1.9.1", Observed: event.Notification}, Unmapped,
			event.Event{Kind: event.Notification, Node: "PE1", AlarmTypeID: "unmapped", AlarmTypeQualifier: "1.3.6.1.4.1.9.1", Severity: event.Indeterminate}},
		{"nothing at all", "", Message{}, Unmapped, event.Event{Node: "unknown", AlarmTypeID: "unmapped", Severity: event.Indeterminate}},
		{"an event", "", Message{Event: &event.Event{ID: "e", Node: "pe1", AlarmTypeID: "x", Severity: event.Major}}, Mapped, event.Event{ID: "e", Node: "PE1", AlarmTypeID: "x", Severity: event.Major}},
	} {
		x := m.Explain(&tt.msg)
		if x.Outcome != tt.outcome || x.Rule != tt.rule {
			t.Errorf("%s: %s by rule %q, want %s by %q", tt.name, x.Outcome, x.Rule, tt.outcome, tt.rule)
		}
		if diff := cmp.Diff(tt.want, x.Event); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		got, outcome := m.Map(&tt.msg)
		if outcome != x.Outcome || got != x.Event {
			t.Errorf("%s: Map and Explain differ", tt.name)
		}
	}
	if hits := m.Hits("mine", "paired"); hits != "2" {
		t.Errorf("rule paired has decided %s times, want 2", hits)
	}
}

// What is no pattern and no template is named with its place.
func TestFaults(t *testing.T) {
	_, err := New(at(t, `<table><name>t</name>
		<rule><name>r</name><match><text>(</text><field><name>f</name><pattern>[</pattern></field></match>
		<event><alarm-type-id>{</alarm-type-id><clear-when><name>x</name><pattern>*</pattern></clear-when></event></rule></table>`), nil)
	if err == nil {
		t.Fatal("it is let through")
	}
	const rule = "/idm:mapping/idm:table[idm:name='t']/idm:rule[idm:name='r']"
	for _, want := range []string{rule + "/idm:match/idm:text", rule + "/idm:match/idm:field[idm:name='f']/idm:pattern",
		rule + "/idm:event/idm:alarm-type-id", rule + "/idm:event/idm:clear-when/idm:pattern"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		most     int
	}{
		{"plain", "plain", 10}, {"a\x00b\x1bc", "a\uFFFDb\uFFFDc", 10}, {"a\r\nb", "a\n\nb", 10}, {"\xff\xfe", "\uFFFD", 10},
		{"éé", "é", 3}, {"éé", "éé", 4}, {"\uFFFE", "\uFFFD", 10}, {"é\xc3", "é\uFFFD", 10}, {"tab\there", "tab\there", 10},
	} {
		if got := clean(tt.in, tt.most); got != tt.want {
			t.Errorf("clean(%q, %d) = %q, want %q", tt.in, tt.most, got, tt.want)
		}
	}
}
