package correlate

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSharedRisk: two fibres in one duct are two incidents until it is learnt that they
// fail together. That is offered with its evidence, and used once approved.
func TestSharedRisk(t *testing.T) {
	cut := func(d *desk, at, apart time.Duration) int {
		before := len(d.ds)
		d.at(at, "OA:1 los critical", "OB:1 los critical")
		d.at(at+apart, "OB:2 los critical", "OC:1 los critical")
		d.until(at + time.Minute)
		raised := 0
		for _, x := range d.ds[before:] {
			if x.Op == Raised {
				raised++
			}
		}
		d.at(at+time.Hour, "OA:1 los cleared", "OB:1 los cleared", "OB:2 los cleared", "OC:1 los cleared")
		d.until(at + 2*time.Hour)
		return raised
	}
	d := newDesk(t, layers, layersInventory, Config{})
	for k := range 5 {
		if got := d.e.Proposals(); (len(got) > 0) != (k >= 3) {
			t.Errorf("after %d times: %d proposals", k, len(got))
		}
		if n := cut(d, time.Duration(k)*31*time.Hour, 3*time.Second); n != 2 {
			t.Errorf("time %d, not approved: %d incidents", k, n)
		}
	}
	got := d.e.Proposals()
	if len(got) != 1 || got[0].Risk == nil {
		t.Fatalf("proposals: %+v", got)
	}
	want := []MarkObject{{Network: "fibre", Link: "OA:1-OB:1"}, {Network: "fibre", Link: "OB:2-OC:1"}}
	if diff := cmp.Diff(want, got[0].Risk.Members); diff != "" || len(got[0].Times) != 5 || got[0].Of != 5 {
		t.Errorf("%d times of %d (-want +got)\n%s", len(got[0].Times), got[0].Of, diff)
	}
	if w := "Link failure at fibre OA:1-OB:1 and Link failure at fibre OB:2-OC:1 failed within 4s of each other in 5 of 5 failures of the rarer."; got[0].Sentence != w {
		t.Errorf("%q, want %q", got[0].Sentence, w)
	}

	approved := newDesk(t, layers, layersInventory, Config{SharedRisks: []SharedRisk{*got[0].Risk}})
	if n := cut(approved, 0, 3*time.Second); n != 1 {
		t.Errorf("approved: %d incidents\n%s", n, approved.log())
	}
	if last := approved.ds[len(approved.ds)-1].Incident; len(last.Events()) != 4 || len(last.RootEvents()) != 4 || len(last.RootCauses) < 2 {
		t.Errorf("approved: %d events, %d roots, causes %v", len(last.Events()), len(last.RootEvents()), last.RootCauses)
	}
	asked := newDesk(t, layers, layersInventory, Config{ApplyLearned: true})
	for k, want := range []int{2, 2, 2, 1, 1} {
		if n := cut(asked, time.Duration(k)*31*time.Hour, 3*time.Second); n != want {
			t.Errorf("time %d, nobody to ask: %d incidents, want %d", k, n, want)
		}
	}
	if n := cut(newDesk(t, layers, layersInventory, Config{}), 0, time.Second/2); n != 1 {
		t.Errorf("at one blow: %d incidents", n)
	}
	marked := Config{Marks: []Mark{{ID: "M", Object: MarkObject{Network: "fibre", Link: "OA:1-OB:1"}, Start: start, End: start.Add(30 * time.Minute)}}}
	if n := cut(newDesk(t, layers, layersInventory, marked), 0, time.Second/2); n != 2 {
		t.Errorf("at one blow, one of them marked: %d incidents", n)
	}
}

// TestRecurrence: what comes back within the hold time is the same incident, what comes
// back later a new one that names the old, and what comes back much later has no past.
func TestRecurrence(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	for _, at := range []time.Duration{0, 20 * time.Second, time.Hour, 3 * time.Hour, 60 * time.Hour} {
		d.at(at, "A:e3 link-down")
		d.at(at+12*time.Second, "A:e3 link-down cleared")
	}
	d.until(61 * time.Hour)
	type link struct {
		no, of uint64
		times  int
	}
	var got []link
	for _, x := range d.ds {
		if x.Op == Raised {
			got = append(got, link{x.Incident.No, x.Incident.RecurrenceOf, x.Incident.Recurrences})
		}
		if x.Incident.No == 3 && !strings.Contains(x.Incident.Explanation(), "inc-2 was the last of 2 earlier ones") {
			t.Errorf("%s", x.Incident.Explanation())
		}
	}
	want := []link{{1, 0, 0}, {2, 1, 1}, {3, 2, 2}, {4, 0, 0}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(link{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCalendar: a node that is switched off every night is offered as a rule of the
// calendar; approved, the rule takes the ticket away in its hours, on its days, and only
// as long as it says.
func TestCalendar(t *testing.T) {
	night := func(d *desk, at time.Duration) *Incident {
		d.at(at, "A:e3 link-down", "PA:e0 link-down")
		d.until(at + 10*time.Second)
		i := d.ds[len(d.ds)-1].Incident
		d.at(at+6*time.Hour, "A:e3 link-down cleared", "PA:e0 link-down cleared")
		d.until(at + 7*time.Hour)
		return i
	}
	const day = 24 * time.Hour
	d := newDesk(t, layers, layersInventory, Config{})
	for k := range 4 {
		if i := night(d, 14*time.Hour+time.Duration(k)*day); !i.Ticket {
			t.Errorf("night %d: no ticket without approval", k)
		}
	}
	var rules []CalendarRule
	for _, p := range d.e.Proposals() {
		if p.Calendar != nil {
			rules = append(rules, *p.Calendar)
			if w := "Interface down at A e3 began about 22:00 UTC on 4 of the last 4 times and lasted up to 6h1m0s."; p.Sentence != w {
				t.Errorf("%q, want %q", p.Sentence, w)
			}
		}
	}
	want := []CalendarRule{{Name: "e3", Object: MarkObject{Node: "A", Resource: "e3"}, Start: 22 * time.Hour, Slack: 20 * time.Minute, Lasts: 6*time.Hour + 31*time.Minute}}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	rules[0].Weekdays = []time.Weekday{time.Monday, time.Tuesday}
	d = newDesk(t, layers, layersInventory, Config{Calendar: rules})
	if i := night(d, 14*time.Hour); i.Ticket {
		t.Error("a ticket on Monday at ten in the evening")
	}
	if i := night(d, day+10*time.Hour); !i.Ticket {
		t.Error("no ticket on Tuesday at six")
	}
	if i := night(d, 2*day+14*time.Hour); !i.Ticket {
		t.Error("no ticket on Wednesday")
	}
	d.at(8*day+14*time.Hour, "A:e3 link-down", "PA:e0 link-down")
	d.until(9 * day)
	if open := d.e.Open(); len(open) != 1 || !open[0].Ticket {
		t.Error("no ticket when the link stays down")
	}
}
