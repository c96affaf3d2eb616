package correlate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// TestMarks: a mark on one fibre takes the ticket of that fibre only, and gives it back
// when the window is over.
func TestMarks(t *testing.T) {
	m := Mark{ID: "M1", Object: MarkObject{Network: "fibre", Link: "OA:1-OB:1"}, Start: start, End: start.Add(time.Hour)}
	d := newDesk(t, layers, layersInventory, Config{Marks: []Mark{m}})
	d.at(10*time.Minute, "OA:1 los critical", "OB:1 los critical", "A:e1 link-down", "B:e1 link-down", "PA:x1 link-down", "CE1 ce-unreachable")
	d.until(30 * time.Minute)
	open := d.e.Open()
	if len(open) != 2 {
		t.Fatalf("%d incidents:\n%s", len(open), d.log())
	}
	for _, i := range open {
		marked := i.RootCauses[0].CauseName == "Fibre failure"
		if i.Ticket == marked || slices.Contains(i.Labels, "maintenance") != marked || (i.Category == "maintenance") != marked {
			t.Errorf("%s: ticket %v, labels %v, category %s", i.Name, i.Ticket, i.Labels, i.Category)
		}
	}
	d.until(2 * time.Hour)
	for _, i := range d.e.Open() {
		if !i.Ticket || len(i.Labels) > 0 {
			t.Errorf("after the window %s: ticket %v, labels %v", i.Name, i.Ticket, i.Labels)
		}
	}
}

// TestMarkOfNode: a mark on a node holds for its parts, and SetMarks replaces marks.
func TestMarkOfNode(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	d.e.SetMarks([]Mark{{ID: "M", Object: MarkObject{Node: "A"}, Start: start, End: start.Add(time.Hour)}})
	d.at(time.Minute, "A:e1 link-down", "B:e1 link-down", "A:e1 transceiver-fault")
	d.until(2 * time.Minute)
	if got := d.e.Open(); len(got) != 1 || got[0].Ticket {
		t.Errorf("%s", d.log())
	}
	d.e.SetMarks(nil)
	d.at(3*time.Minute, "A:e1 bfd-down")
	d.until(4 * time.Minute)
	if got := d.e.Open(); len(got) != 1 || !got[0].Ticket {
		t.Errorf("without the mark\n%s", d.log())
	}
}

// TestRhythm: a customer who switches off every night gets no ticket from the fourth
// night on, but one at noon, and one when the morning comes and the line does not.
func TestRhythm(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	off := func(at time.Duration) *Incident {
		d.at(at, "PA:x1 link-down", "CE1 ce-unreachable")
		d.until(at + 10*time.Second)
		return d.ds[len(d.ds)-1].Incident
	}
	on := func(at time.Duration) {
		d.at(at, "PA:x1 link-down cleared", "CE1 ce-unreachable cleared")
		d.until(at + 5*time.Minute)
	}
	const day = 24 * time.Hour
	for k := range 5 {
		begin := 12*time.Hour + time.Duration(k)*day + time.Duration(k*3)*time.Minute
		i := off(begin)
		if want := k < 3; i.Ticket != want || slices.Contains(i.Labels, "periodic") == want {
			t.Errorf("night %d: ticket %v, labels %v", k+1, i.Ticket, i.Labels)
		}
		on(begin + 9*time.Hour)
	}
	if i := off(5*day + 3*time.Hour); !i.Ticket {
		t.Error("no ticket out of the rhythm")
	}
	on(5*day + 4*time.Hour)
	if i := off(5*day + 12*time.Hour); i.Ticket {
		t.Error("a ticket in the rhythm")
	}
	d.until(6 * day)
	if got := d.e.Open(); len(got) != 1 || !got[0].Ticket {
		t.Error("no ticket when the line stays down")
	}
}

// TestRhythmOfSession: of a customer who switches off every night often the session alone tells, as other
// alarms get lost. It counts for the rhythm of his line, and has it.
func TestRhythmOfSession(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	for night, what := range [][]string{{"PA:x1 link-down"}, {"PA:bgp/CE1 bgp-peer-down"}, {"PA:x1 link-down"}, {"PA:x1 link-down"}, {"PA:bgp/CE1 bgp-peer-down"}} {
		begin := 12*time.Hour + time.Duration(night)*24*time.Hour
		d.at(begin, what...)
		d.until(begin + time.Minute)
		if open := d.e.Open(); len(open) != 1 || open[0].Ticket != (night < 3) {
			t.Fatalf("night %d:\n%s", night+1, d.log())
		}
		d.at(begin+9*time.Hour, what[0]+" cleared")
		d.until(begin + 10*time.Hour)
	}
}

// TestTomb: a clear that overtakes its raise leaves nothing behind.
func TestTomb(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	feed := func(arrival, stamp time.Duration, s string) {
		ev := parseAlarm(s, "e", start.Add(stamp))
		ev.Arrival = start.Add(arrival)
		d.ds = append(d.ds, d.e.Feed(&ev)...)
	}
	for k := range 6 { // so that the clock of A is known
		feed(time.Duration(k)*time.Second, time.Duration(k)*time.Second, "A:fan fan-speed warning")
	}
	feed(20*time.Second, 20*time.Second, "A:e3 link-down cleared")
	feed(22*time.Second, 10*time.Second, "A:e3 link-down")
	d.until(10 * time.Minute)
	if len(d.ds) != 0 {
		t.Errorf("decisions:\n%s", d.log())
	}
}

// TestConfig: durations can be shortened, and switched off.
func TestConfig(t *testing.T) {
	d := newDesk(t, figure, nil, Config{Debounce: -1, SoakPair: -1, SoakSingle: -1, ClearHold: -1, UpdateDelay: -1, UpdateEvery: -1, NextNo: 42})
	d.at(time.Second, "P1:eth1 link-down")
	d.until(time.Second)
	d.at(2*time.Second, "P1:eth1 link-down cleared")
	d.until(2 * time.Second)
	var got []string
	for _, x := range d.ds {
		got = append(got, x.Op.String())
	}
	if !cmp.Equal(got, []string{"raised", "cleared"}) && !cmp.Equal(got, []string{"raised", "updated", "cleared"}) {
		t.Errorf("%v\n%s", got, d.log())
	}
	if d.ds[0].Incident.No != 42 {
		t.Errorf("the first incident is %d", d.ds[0].Incident.No)
	}
}

// TestConfigure: other rules hold from then on, for what is open too, and a snapshot holds.
func TestConfigure(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	d.at(0, "A:e1 vnd:7", "B:e1 link-down")
	d.at(time.Second, "A:e3 vnd:7:q")
	c := Config{AlarmTypes: []AlarmType{{ID: "vnd:7", Class: "link-down", WillClear: true}}, SoakPair: time.Minute, SoakSingle: time.Minute}
	d.e.Configure(c)
	if err := d.e.check(); err != nil {
		t.Fatal(err)
	}
	d.at(20*time.Second, "C:e2 vnd:7")
	d.until(70 * time.Second)
	if strings.Contains(d.log(), "Interface down: C e2") {
		t.Errorf("raised before its time:\n%s", d.log())
	}
	d.until(90 * time.Second)
	if !strings.Contains(d.log(), "Interface down: C e2") {
		t.Errorf("the class of the type is not known:\n%s", d.log())
	}
	b := d.e.Snapshot()
	e := New(c)
	e.SetTopology(topology.Build(network(layers), layersInventory))
	if err := e.Restore(b); err != nil || !bytes.Equal(e.Snapshot(), b) {
		t.Errorf("Restore = %v", err)
	}
}

// TestDecisions: serials count, times never go back, and what was given out is not
// changed by what comes later.
func TestDecisions(t *testing.T) {
	s := invented(42, 500)
	e := s.engine()
	var ds []Decision
	var before []string
	for k := range s.events {
		for _, d := range e.Feed(&s.events[k]) {
			ds = append(ds, d)
			before = append(before, render([]Decision{d}))
		}
	}
	if len(ds) == 0 {
		t.Fatal("no decisions")
	}
	state := map[uint64]Op{}
	for k, d := range ds {
		if d.Serial != uint64(k+1) || k > 0 && d.At.Before(ds[k-1].At) {
			t.Errorf("decision %d has serial %d at %v", k, d.Serial, d.At)
		}
		if before[k] != render([]Decision{d}) {
			t.Errorf("decision %d has changed", k)
		}
		was := state[d.Incident.No]
		if (d.Op == Raised) != (was == 0) || was == Cleared {
			t.Errorf("incident %d: %v after %v", d.Incident.No, d.Op, was)
		}
		state[d.Incident.No] = d.Op
		if d.Incident.Status != d.Op || len(d.Incident.RootCauses) == 0 || len(d.Incident.RootCauses) > 4 || d.Incident.Name == "" || d.Incident.Explanation() == "" {
			t.Errorf("incident %d is not whole: %+v", d.Incident.No, d.Incident)
		}
	}
}

// TestAppendJSON: the keys of a replay's line, and no others.
func TestAppendJSON(t *testing.T) {
	told := &telling{done: true, text: text{events: []EventRef{{ID: "e1"}, {ID: "e2"}}, roots: []EventRef{{ID: "e1"}}}}
	i := &Incident{No: 7, Name: `a "b"`, Status: Updated, RaiseTime: start, told: told,
		RootCauses: []RootCause{{"n", "r", "c", "d"}}, ServiceInstances: []string{"s"}, Labels: []string{"maintenance"}, MergedInto: 3}
	want := `{"incident-id":"inc-7","csn":7,"name":"a \"b\"","type":"","domain":"","category":"","priority":"","status":"updated",` +
		`"raise-time":"2026-03-02T08:00:00Z","clear-time":null,"events":["e1","e2"],"root-causes":[{"node":"n","resource":"r","cause-name":"c","detail":"d"}],` +
		`"root-events":["e1"],"service-instances":["s"],"ticket":false,"labels":["maintenance"],"explanation":"","merged-into":"inc-3"}`
	got := AppendJSON(nil, i)
	if d := cmp.Diff(want, string(got)); d != "" || !json.Valid(got) {
		t.Errorf("valid %v (-want +got)\n%s", json.Valid(got), d)
	}
}

func TestReplay(t *testing.T) {
	d := newDesk(t, figure, nil, Config{})
	told := 0
	r := NewReplay(d.e, func(Decision) { told++ })
	for k, s := range []string{"P1:eth1 link-down", "P2:eth0 igp-down", "PE1:x cpu-high"} {
		ev := parseAlarm(s, strings.Repeat("e", k+1), start)
		ev.Arrival = time.Time{} // it arrives when it happened
		r.Feed(ev)
	}
	got := r.Finish()
	if len(got) != 2 || got[0].Name != "VPN-A unavailable" || told < 2 {
		t.Errorf("%d incidents, %d decisions: %+v", len(got), told, got)
	}
	if got := NewReplay(New(Config{}), nil).Finish(); len(got) != 0 {
		t.Errorf("a replay of nothing has %d incidents", len(got))
	}
}

func TestLoad(t *testing.T) {
	marks, err := ReadMarks(strings.NewReader(`{"mark":[{"mark-id":"M","object":{"network":"n","link":"l"},"start":"2026-03-02T08:00:00Z","end":"2026-03-02T09:00:00Z"}]}`))
	want := []Mark{{ID: "M", Object: MarkObject{Network: "n", Link: "l"}, Start: start, End: start.Add(time.Hour)}}
	if d := cmp.Diff(want, marks); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	for _, bad := range []string{``, `{"mark":[{}]}`, `{"mark":[{"mark-id":"M"}]}`,
		`{"mark":[{"mark-id":"M","object":{"node":"n"},"start":"2026-03-02T08:00:00Z","end":"2026-03-02T07:00:00Z"}]}`} {
		if _, err := ReadMarks(strings.NewReader(bad)); err == nil || !strings.HasPrefix(err.Error(), "mark") {
			t.Errorf("ReadMarks(%s) = %v", bad, err)
		}
	}
	types, err := ReadAlarmTypes(strings.NewReader(`{"alarm-type":[{"alarm-type-id":"t","will-clear":true,"resource-class":"interface","severity-level":["major"],"description":"d"}]}`))
	wantTypes := []AlarmType{{ID: "t", WillClear: true, ResourceClass: "interface", Severities: []string{"major"}, Description: "d"}}
	if d := cmp.Diff(wantTypes, types); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	for _, bad := range []string{`[]`, `{"alarm-type":[{}]}`} {
		if _, err := ReadAlarmTypes(strings.NewReader(bad)); err == nil || !strings.HasPrefix(err.Error(), "alarm types: ") {
			t.Errorf("ReadAlarmTypes(%s) = %v", bad, err)
		}
	}
}

// TestExtremes: stamps far out and odd events do no harm.
func TestExtremes(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	for _, at := range []time.Time{{}, time.Unix(0, 0), start, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		for _, s := range []string{"A:e1 link-down", "A link-down", "X los", "A:e1 link-down cleared", "CE1 last-gasp", "PA:bgp/nobody bgp-down", "Y:vpn/none service-down"} {
			ev := parseAlarm(s, "x", at)
			ev.Arrival = start
			d.e.Feed(&ev)
			if err := d.e.check(); err != nil {
				t.Fatalf("%s at %v: %v", s, at, err)
			}
		}
	}
	d.e.Feed(&event.Event{})
	d.e.Advance(start.Add(-time.Hour))
	if got := d.e.Now(); !got.Equal(start) {
		t.Errorf("stream time is %v", got)
	}
}
