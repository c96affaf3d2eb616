package incident_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident"
	"incidentd/incident/correlate"
	"incidentd/yang"
	"incidentd/yang/modules"
)

// TestCorrelatorDefaults: the defaults of the module are those of the engine, and its
// enumerations have what the engine knows.
func TestCorrelatorDefaults(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"incidentd-correlation"}})
	if err != nil {
		t.Fatal(err)
	}
	root := s.Root.Child(s.Module("incidentd-correlation"), "correlation")
	def := func(container, leaf string) string {
		n := root.ChildNamed(container).ChildNamed(leaf)
		if n == nil || len(n.Defaults) != 1 {
			t.Fatalf("%s/%s has no default", container, leaf)
		}
		return n.Defaults[0]
	}
	var c correlate.Config
	for _, x := range c.Settings() {
		if want := strconv.FormatInt(x.Default.Milliseconds(), 10); def("timing", x.Name) != want {
			t.Errorf("%s: default %s, the engine's is %s", x.Name, def("timing", x.Name), want)
		}
	}
	for _, x := range c.Counts() {
		if want := strconv.Itoa(x.Default); def(x.Container, x.Name) != want {
			t.Errorf("%s: default %s, the engine's is %s", x.Name, def(x.Container, x.Name), want)
		}
	}
	for _, w := range correlate.DefaultKnowledge().Weights() {
		if want := strconv.Itoa(int(*w.Value)); def("weights", w.Name) != want {
			t.Errorf("%s: default %s, the engine's is %s", w.Name, def("weights", w.Name), want)
		}
	}
	rule := root.ChildNamed("rule")
	for leaf, known := range map[string]func(string) bool{
		"class":    func(v string) bool { _, ok := correlate.ParseClass(v); return ok },
		"relation": func(v string) bool { _, ok := correlate.ParseRelation(v); return ok },
		"cause":    func(v string) bool { _, ok := correlate.ParseCause(v); return ok },
	} {
		for _, e := range enums(rule.ChildNamed(leaf)) {
			if !known(e) {
				t.Errorf("%s: the engine does not know %q", leaf, e)
			}
		}
	}
	for _, r := range correlate.DefaultKnowledge().Rules {
		for leaf, v := range map[string]string{"class": r.Class.String(), "relation": r.Via.String(), "cause": r.Cause.String()} {
			if !slices.Contains(enums(rule.ChildNamed(leaf)), v) {
				t.Errorf("%s: the module does not know %q", leaf, v)
			}
		}
	}
}

func enums(n *yang.Node) (out []string) {
	for _, e := range n.Type.Enums {
		out = append(out, e.Name)
	}
	return out
}

// TestCorrelatorData: a configuration is written as what differs from what is built in,
// and read back as it was.
func TestCorrelatorData(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"incidentd-correlation"}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range incident.CorrelatorToData(s, correlate.Config{Knowledge: correlate.DefaultKnowledge()}).Children() {
		if !n.Empty() {
			t.Errorf("%s: what is built in is written", n.Name())
		}
	}
	k := correlate.DefaultKnowledge()
	k.Set(correlate.Rule{ID: "cpu-high-routing-crash", Class: correlate.CPU, Via: correlate.OwnNode, Cause: correlate.RoutingCrash, Weight: 700})
	k.Set(correlate.Rule{ID: "bfd-down-node", Class: correlate.BFD, Via: correlate.FarNode, Cause: correlate.NodeFailure, Weight: 1234, Root: true})
	k.Set(correlate.Rule{Class: correlate.LDP, Via: correlate.OwnNode, Cause: correlate.IGPFailure})
	k.Prior[correlate.NodeFailure] = -4500
	k.Against.Alive = -6000
	want := correlate.Config{
		Debounce: time.Second, ClearHold: -1, Recurrence: 48 * time.Hour, PeriodDays: 5, RaiseMinors: 4, RiskTimes: 2, RiskShare: 80, PairTimes: 9, PairShare: 50, FlapRaises: 4, Short: -1, Reopen: time.Hour, Knowledge: k, ApplyLearned: true,
		AlarmTypes:    []correlate.AlarmType{{ID: "vnd:1", Class: "link-down", WillClear: true}, {ID: "vnd:2", Description: "Mains supply lost"}},
		Rhythmic:      []correlate.Cause{correlate.AccessOutage, correlate.PortFailure},
		SharedRisks:   []correlate.SharedRisk{{Name: "duct 7", Members: []correlate.MarkObject{{Network: "otn", Link: "a-b"}, {Node: "N", Resource: "e0"}}}},
		CoOccurrences: []correlate.CoOccurrence{{Name: "a", Cause: "vnd:1", Effect: "vnd:2", Beside: true, Within: 90 * time.Second}, {Name: "b", Cause: "vnd:2", Effect: "vnd:3", Within: time.Second}},
		Calendar: []correlate.CalendarRule{{Name: "nights", Object: correlate.MarkObject{Node: "N"}, Start: 22*time.Hour + 30*time.Minute, Slack: 10 * time.Minute,
			Lasts: 8 * time.Hour, Weekdays: []time.Weekday{time.Monday, time.Sunday}}},
	}
	got := incident.CorrelatorFromData(incident.CorrelatorToData(s, want), correlate.Config{})
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if d := cmp.Diff(correlate.Config{Debounce: 5}, incident.CorrelatorFromData(nil, correlate.Config{Debounce: 5})); d != "" {
		t.Errorf("nothing configured (-want +got)\n%s", d)
	}
}
