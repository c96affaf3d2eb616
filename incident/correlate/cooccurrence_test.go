package correlate

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCoOccurrence: an alarm that nothing is known of joins the incident that has the alarm
// which it follows, by what was approved, whichever is judged first.
func TestCoOccurrence(t *testing.T) {
	rule := CoOccurrence{Name: "froth", Cause: "link-down", Effect: "zz-9", Within: 30 * time.Second}
	beside := rule
	beside.Beside = true
	for _, tt := range []struct {
		name   string
		rules  []CoOccurrence
		script func(d *desk)
		want   int // incidents
	}{
		{"nothing approved", nil, func(d *desk) {
			d.at(0, "A:e3 link-down", "PA:e0 link-down")
			d.at(10*time.Second, "A:shelf zz-9 critical")
		}, 2},
		{"at the node", []CoOccurrence{rule}, func(d *desk) {
			d.at(0, "A:e3 link-down", "PA:e0 link-down")
			d.at(10*time.Second, "A:shelf zz-9 critical")
		}, 1},
		{"before the cause is judged", []CoOccurrence{rule}, func(d *desk) {
			d.at(0, "A:e3 link-down", "PA:e0 link-down", "A:shelf zz-9 critical")
		}, 1},
		{"a moment before its cause", []CoOccurrence{rule}, func(d *desk) {
			d.at(0, "A:shelf zz-9 critical")
			d.at(time.Second, "A:e3 link-down", "PA:e0 link-down")
		}, 1},
		{"too late", []CoOccurrence{rule}, func(d *desk) {
			d.at(0, "A:e3 link-down", "PA:e0 link-down")
			d.at(40*time.Second, "A:shelf zz-9 critical")
		}, 2},
		{"at the next node", []CoOccurrence{rule}, func(d *desk) {
			d.at(0, "A:e3 link-down", "PA:e0 link-down")
			d.at(10*time.Second, "B:shelf zz-9 critical")
		}, 2},
		{"at the next node, beside", []CoOccurrence{beside}, func(d *desk) {
			d.at(0, "A:e3 link-down", "PA:e0 link-down")
			d.at(10*time.Second, "B:shelf zz-9 critical")
		}, 1},
		{"at a far node, beside", []CoOccurrence{beside}, func(d *desk) {
			d.at(0, "A:e3 link-down", "PA:e0 link-down")
			d.at(10*time.Second, "PC:shelf zz-9 critical")
		}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, layers, layersInventory, Config{CoOccurrences: tt.rules})
			tt.script(d)
			if err := d.e.check(); err != nil {
				t.Fatal(err)
			}
			d.until(2 * time.Minute)
			open := d.e.Open()
			if len(open) != tt.want {
				t.Fatalf("%d incidents, want %d\n%s", len(open), tt.want, d.log())
			}
			b := d.e.Snapshot()
			if err := d.e.Restore(b); err != nil {
				t.Error(err)
			}
			if tt.want == 1 {
				learnt := open[0].Reasoning().Learned
				if !slices.ContainsFunc(learnt, func(s string) bool { return strings.Contains(s, "froth") }) || open[0].RootCauses[0].CauseName != "Interface down" {
					t.Errorf("root %v, learnt %q", open[0].RootCauses[0], learnt)
				}
				d.at(3*time.Minute, "A:e3 link-down cleared", "PA:e0 link-down cleared") // the follower holds nothing open
				d.until(6 * time.Minute)
				if n := len(d.e.Open()); n != 0 {
					t.Errorf("it is held open\n%s", d.log())
				}
			}
		})
	}
}
