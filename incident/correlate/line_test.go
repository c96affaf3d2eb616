package correlate

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
)

func TestIsLine(t *testing.T) {
	e := New(Config{AlarmTypes: []AlarmType{{ID: "vc:1", WillClear: true}}})
	for _, tt := range []struct {
		name string
		ev   event.Event
		want bool
	}{
		{"a log that nobody has mapped", event.Event{Kind: event.Log, AlarmTypeID: "unmapped", AlarmTypeQualifier: "bgpd", Severity: event.Critical, Text: "bgp is down"}, true},
		{"a log whose type tells", event.Event{Kind: event.Log, AlarmTypeID: "bgp-peer-down", Severity: event.Major}, false},
		{"a log of the inventory", event.Event{Kind: event.Log, AlarmTypeID: "vc:1", Severity: event.Major}, false},
		{"an alarm", event.Event{Kind: event.Alarm, AlarmTypeID: "unmapped", Severity: event.Major}, false},
		{"a notification", event.Event{Kind: event.Notification, AlarmTypeID: "unmapped", AlarmTypeQualifier: "1.3.6.1.4", Severity: event.Indeterminate}, true},
		{"a notification that tells", event.Event{Kind: event.Notification, AlarmTypeID: "unmapped", Severity: event.Indeterminate, Text: "link down"}, false},
		{"a severe notification", event.Event{Kind: event.Notification, AlarmTypeID: "unmapped", Severity: event.Major}, false},
		{"what clears", event.Event{Kind: event.Log, AlarmTypeID: "unmapped", Severity: event.Cleared}, false},
	} {
		typ := e.typeOf(tt.ev.AlarmTypeID, tt.ev.AlarmTypeQualifier)
		if got := typ.isLine(e.classOf(typ, &tt.ev), &tt.ev); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestLinesDecideNothing: with lines of logs everywhere and all the time, incidents are what
// they are without, but for the lines that they show.
func TestLinesDecideNothing(t *testing.T) {
	run := func(noise bool) (log []string) {
		d := newDesk(t, layers, layersInventory, Config{UpdateDelay: time.Hour, UpdateEvery: time.Hour})
		script := map[int][]string{
			20:   {"OA:1 los critical", "OB:1 los critical", "A:e1 link-down", "B:e1 link-down"},
			22:   {"PA:t1 tunnel-down", "PB:t2 tunnel-down"},
			40:   {"A isis-adjacency-down", "C:e2 bfd-down"},
			400:  {"OA:1 los cleared", "OB:1 los cleared", "A:e1 link-down cleared", "B:e1 link-down cleared", "PA:t1 tunnel-down cleared", "PB:t2 tunnel-down cleared"},
			460:  {"A isis-adjacency-down cleared", "C:e2 bfd-down cleared"},
			900:  {"C:e3 link-down", "PC:e0 link-down"},
			1500: {"C:e3 link-down cleared", "PC:e0 link-down cleared"},
		}
		nodes := []string{"OA", "OB", "A", "B", "C", "PA", "PB", "PC", "CE1"}
		for s := range 1800 {
			at := time.Duration(s) * time.Second
			d.at(at, script[s]...)
			if noise {
				d.at(at, fmt.Sprintf("log %s unmapped critical ospfd: line %d", nodes[s%len(nodes)], s))
				if err := d.e.check(); err != nil {
					t.Fatal(err)
				}
			}
		}
		d.until(time.Hour)
		for _, x := range d.ds {
			r := x.Incident.RootCauses[0]
			evidence, beside := 0, 0
			for _, ev := range x.Incident.Events() {
				if ev.Why.Rule == besideRule {
					beside++
				} else {
					evidence++
				}
			}
			if !noise && beside > 0 || beside > incidentLines {
				t.Errorf("%d lines", beside)
			}
			log = append(log, fmt.Sprint(x.At.Sub(start), " ", x.Op, " ", x.Incident.No, " ", r.CauseName, " ", r.Node, " ", r.Resource, " ", evidence))
		}
		return log
	}
	quiet := run(false)
	if len(quiet) < 4 {
		t.Fatalf("%d decisions", len(quiet))
	}
	if d := cmp.Diff(quiet, run(true)); d != "" {
		t.Errorf("(-quiet +noisy)\n%s", d)
	}
}

// TestLinesExplained: a line says why it is shown, and why it is not.
func TestLinesExplained(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	d.at(0, "A:e1 link-down", "B:e1 link-down")                                                                // e1 e2
	d.at(time.Second, "log A unmapped major first", "log PC unmapped major elsewhere", "log A unmapped major") // e3 e4 e5
	d.until(5 * time.Minute)
	d.at(5*time.Minute, "log B unmapped major late") // e6
	for _, tt := range []struct {
		event   string
		lacking Lacking
		want    string
	}{
		{"e3", LackingNothing, "unmapped at A is shown with inc-1, beside: nobody has mapped what the log says, so it decides nothing; 1s after the first event."},
		{"e4", LackingLast, "unmapped at PC is a line of a log that nobody has mapped, so it is no evidence; and it is not shown beside inc-1 because that has no evidence at PC."},
		{"e6", LackingTime, "unmapped at B is a line of a log that nobody has mapped, so it is no evidence; and it is not shown beside inc-1 because it was there 5m0s after the first event, more than 2m30s away from its evidence."},
	} {
		w, err := d.e.WhyNot(tt.event, 1)
		if err != nil || w.Lacking != tt.lacking || w.Sentence != tt.want {
			t.Errorf("%s: %v %q, %v", tt.event, w.Lacking, w.Sentence, err)
		}
	}
}

// TestLinesAreBounded: the most severe lines of a flood are kept, and the others counted.
func TestLinesAreBounded(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	d.at(0, "A:e1 link-down", "B:e1 link-down")
	d.at(time.Second, "log A unmapped critical the one that matters")
	for k := range 500 {
		d.at(2*time.Second+time.Duration(k)*time.Millisecond, fmt.Sprintf("log A unmapped warning noise %d", k))
	}
	d.until(time.Minute)
	i := d.e.Open()[0]
	lines, severe := 0, 0
	for _, ev := range i.Events() {
		if ev.Why.Rule == besideRule {
			lines++
			if ev.Severity == event.Critical {
				severe++
			}
		}
	}
	if lines != incidentLines || severe != 1 || i.EventsOmitted != 501-incidentLines || len(d.e.nodes["A"].lines) != nodeLines {
		t.Errorf("%d lines, %d severe, %d omitted, %d of the node", lines, severe, i.EventsOmitted, len(d.e.nodes["A"].lines))
	}
}
