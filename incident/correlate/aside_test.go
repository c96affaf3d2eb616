package correlate

import (
	"testing"
	"time"

	"incidentd/incident/event"
)

// TestShelved: what is on a shelf raises nothing and is no evidence; what comes off and lasts
// is judged then, and what goes there leaves its incident.
func TestShelved(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	feed := func(at time.Duration, shelved bool, alarms ...string) {
		for _, s := range alarms {
			d.n++
			ev := parseAlarm(s, s, start.Add(at))
			ev.Shelved = shelved
			d.ds = append(d.ds, d.e.Feed(&ev)...)
			if err := d.e.check(); err != nil {
				t.Fatal(err)
			}
		}
	}
	open := func(at time.Duration, want ...string) {
		t.Helper()
		d.until(at)
		b := d.e.Snapshot()
		if err := d.e.Restore(b); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range d.e.Open() {
			got = append(got, i.RootCauses[0].CauseName+" "+i.RootCauses[0].Node)
		}
		if len(got) != len(want) {
			t.Fatalf("open at %s: %q, want %q\n%s", at, got, want, d.log())
		}
		for k := range got {
			if got[k] != want[k] {
				t.Fatalf("open at %s: %q, want %q\n%s", at, got, want, d.log())
			}
		}
	}
	// A and its neighbours complain of the link to PA, but only one end counts.
	feed(0, true, "A:e3 link-down critical", "A:e3 bfd-down critical")
	open(time.Minute)
	feed(time.Minute, true, "PA:e0 link-down critical")
	feed(time.Minute, false, "PC:e0 link-down critical", "C:e3 link-down critical") // a fault beside it
	open(2*time.Minute, "Interface down PC")
	feed(3*time.Minute, true, "A:e3 bfd-down cleared")
	if n := d.e.Aside(); n != 2 {
		t.Errorf("%d alarms are aside", n)
	}
	// The shelf goes: what lasts of it is an incident.
	d.until(10 * time.Minute)
	d.ds = append(d.ds, d.e.Shelve(func(*event.Event) bool { return false })...)
	open(11*time.Minute, "Interface down PC", "Interface down A")
	if i := d.e.Open()[1]; len(i.Events()) != 2 || !i.OccurTime.Equal(start) || i.RaiseTime.Before(start.Add(10*time.Minute)) {
		t.Errorf("%d events, since %s, raised %s", len(i.Events()), i.OccurTime, i.RaiseTime)
	}
	// Another shelf takes what is in the first incident, which ends.
	d.ds = append(d.ds, d.e.Shelve(func(ev *event.Event) bool { return ev.Node == "C" || ev.Node == "PC" })...)
	open(20*time.Minute, "Interface down A")
	if n := d.e.Aside(); n != 2 {
		t.Errorf("%d alarms are aside", n)
	}
	// An event that is on no shelf any more counts, before anybody has asked for it.
	feed(21*time.Minute, false, "C:e3 link-down critical")
	open(22*time.Minute, "Interface down A", "Interface down C")
	if n := d.e.Aside(); n != 1 {
		t.Errorf("%d alarms are aside", n)
	}
}
