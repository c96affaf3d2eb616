package alarm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/alarm"
	"incidentd/incident/event"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
	"incidentd/yang/validate"
)

func schema(t testing.TB) *yang.Schema {
	t.Helper()
	s, err := yang.Compile(modules.FS, yang.Options{
		Implemented: []string{"ietf-alarms", "incidentd-alarm-types"}, Features: map[string][]string{"ietf-alarms": {"alarm-summary"}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeyOf(t *testing.T) {
	a := alarm.New(schema(t))
	for _, c := range []struct {
		node, resource, typ, qualifier string
		want                           alarm.Key
	}{
		{"P1", "eth1", "link-down", "", alarm.Key{"P1/eth1", "incidentd-alarm-types:link-down", ""}},
		{"P1", "", "incidentd-alarm-types:cpu-high", "core 3", alarm.Key{"P1", "incidentd-alarm-types:cpu-high", "core 3"}},
		{"P1", "eth1", "ETH_LINK_DOWN", "", alarm.Key{"P1/eth1", "incidentd-alarm-types:reported", "ETH_LINK_DOWN"}},
		{"P1", "eth1", "vc:0x2001", "q", alarm.Key{"P1/eth1", "incidentd-alarm-types:reported", "vc:0x2001/q"}},
		{"P1", "", "reported", "", alarm.Key{"P1", "incidentd-alarm-types:reported", "reported"}},
	} {
		e := event.Event{Node: c.node, Resource: c.resource, AlarmTypeID: c.typ, AlarmTypeQualifier: c.qualifier}
		if got := a.KeyOf(&e); got != c.want {
			t.Errorf("KeyOf(%s %s %s %s) = %v, want %v", c.node, c.resource, c.typ, c.qualifier, got, c.want)
		}
	}
}

// TestReport follows one alarm, and the summary with it.
func TestReport(t *testing.T) {
	s := schema(t)
	a := alarm.New(s)
	v := validate.New(s)
	state := data.New(s.Root)
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		severity event.Severity
		text     string
		notices  string
		alarm    string // is-cleared, perceived-severity, alarm-text, last-raised as minutes
		summary  string // of major: total, not-cleared, cleared
	}{
		{event.Cleared, "up", "", "", "0 0 0"},
		{event.Major, "down", "major down", "false major down 01", "1 1 0"},
		{event.Major, "down", "", "false major down 01", "1 1 0"},
		{event.Minor, "flaps", "minor flaps", "false minor flaps 01", "0 0 0"},
		{event.Cleared, "up", "cleared up", "true minor up 01", "0 0 0"},
		{event.Cleared, "up", "", "true minor up 01", "0 0 0"},
		{event.Major, "", "major ", "false major up 06", "1 1 0"},
		{event.Cleared, "up", "cleared up", "true major up 06", "1 0 1"},
	} {
		at := start.Add(time.Duration(i) * time.Minute)
		events := []*event.Event{
			{ID: "x", Node: "P1", Resource: "eth1", AlarmTypeID: "link-down", Severity: c.severity, Text: c.text, Time: at},
			{ID: "k", Node: "P1", Resource: "eth1", Kind: event.KPI, AlarmTypeID: "packet-loss", Severity: event.Major, Time: at},
		}
		var changes []alarm.Change
		state, changes = a.Report(state, events, at)
		var notices []string
		for _, ch := range changes {
			notices = append(notices, ch.Notification.Leaf("perceived-severity")+" "+ch.Notification.Leaf("alarm-text"))
		}
		got := ""
		if e := state.Descend("alarms", "alarm-list").EntryNamed("alarm", "P1/eth1", "incidentd-alarm-types:link-down", ""); e != nil {
			got = strings.Join([]string{e.Leaf("is-cleared"), e.Leaf("perceived-severity"), e.Leaf("alarm-text"), e.Leaf("last-raised")[14:16]}, " ")
		}
		sum := a.Summary(state).Child("summary").EntryNamed("alarm-summary", "major")
		summary := sum.Leaf("total") + " " + sum.Leaf("not-cleared") + " " + sum.Leaf("cleared")
		if d := cmp.Diff([]string{c.notices, c.alarm, c.summary}, []string{strings.Join(notices, ", "), got, summary}); d != "" {
			t.Errorf("step %d (-want +got):\n%s", i, d)
		}
		if err := v.Tree(data.Merge(state, data.New(s.Root).With(a.Summary(state))), false); err != nil {
			t.Errorf("step %d: not valid: %v", i, err)
		}
	}
}
