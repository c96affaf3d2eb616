package correlate

import (
	"strings"
	"testing"
	"time"
)

// TestHold: how long an incident is held after its root is clear, by what is configured.
func TestHold(t *testing.T) {
	const down, up = true, false
	type step struct {
		at time.Duration
		is bool
	}
	steady := []step{{0, down}, {5 * time.Minute, up}}
	short := []step{{0, down}, {10 * time.Second, up}}
	flaps := []step{{0, down}, {10 * time.Second, up}, {15 * time.Second, down}, {25 * time.Second, up}, {30 * time.Second, down}, {10 * time.Minute, up}}
	returns := []step{{0, down}, {5 * time.Minute, up}, {15 * time.Minute, down}, {20 * time.Minute, up}}
	for _, tt := range []struct {
		name   string
		config Config
		steps  []step
		want   time.Duration // from the last step until it is cleared
	}{
		{"steady", Config{}, steady, 30 * time.Second},
		{"steady, configured", Config{ClearHold: 10 * time.Second}, steady, 10 * time.Second},
		{"short", Config{}, short, 90 * time.Second},
		{"short, held once", Config{ShortHolds: 1}, short, 30 * time.Second},
		{"short, configured", Config{Short: 5 * time.Second}, short, 30 * time.Second},
		{"nothing is short", Config{Short: -1}, short, 30 * time.Second},
		{"flaps", Config{}, flaps, 3 * time.Minute},
		{"flaps, configured", Config{FlapHold: time.Minute}, flaps, time.Minute},
		{"flaps from five on", Config{FlapRaises: 5}, flaps, 30 * time.Second},
		{"flaps from two on", Config{FlapRaises: 2}, flaps[:4], 3 * time.Minute},
		{"returns", Config{}, returns, 3 * time.Minute},
		{"returns too late for that", Config{Reopen: 5 * time.Minute}, returns, 30 * time.Second},
		{"returns as another alarm", Config{Rejoin: 2 * time.Second, FlapRaises: 2}, flaps[:4], 90 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, layers, layersInventory, tt.config)
			for _, s := range tt.steps {
				d.until(s.at)
				if s.is == down {
					d.at(s.at, "PA:x1 link-down critical", "CE1 ce-unreachable critical")
				} else {
					d.at(s.at, "PA:x1 link-down cleared", "CE1 ce-unreachable cleared")
				}
			}
			last := tt.steps[len(tt.steps)-1].at
			d.until(last + time.Hour)
			if n := len(d.ds); n == 0 || d.ds[n-1].Op != Cleared {
				t.Fatalf("not cleared\n%s", d.log())
			}
			if got := d.ds[len(d.ds)-1].At.Sub(start) - last; got != tt.want {
				t.Errorf("held %s, want %s\n%s", got, tt.want, d.log())
			}
		})
	}
}

// TestHeldTells: an incident that is over and held says until when, and why that long.
func TestHeldTells(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	d.at(0, "PA:x1 link-down critical", "CE1 ce-unreachable critical")
	d.at(10*time.Second, "PA:x1 link-down cleared", "CE1 ce-unreachable cleared")
	const want = "Its root is clear since 2026-03-02T08:00:10Z; unless that returns, it is cleared at 2026-03-02T08:01:40Z, because what is so short may well return."
	if got := d.e.Open()[0].Explanation(); !strings.HasSuffix(got, want) {
		t.Errorf("%s\nhas no %q", got, want)
	}
	d.until(time.Hour)
	if got := d.ds[len(d.ds)-1].Incident; got.Status != Cleared || strings.Contains(got.Explanation(), "unless") {
		t.Errorf("%s: %s", got.Status, got.Explanation())
	}
}

// TestLateness: a clear waits for the raise that it has overtaken as long as is configured.
func TestLateness(t *testing.T) {
	for wait, want := range map[time.Duration]int{0: 0, 4 * time.Second: 0, time.Second: 1, -1: 1} {
		d := newDesk(t, layers, layersInventory, Config{Lateness: wait})
		for k := range 6 { // so that the clock of A is known
			d.at(time.Duration(k)*time.Second, "A:fan fan-speed warning")
		}
		d.at(20*time.Second, "A:e3 link-down cleared")
		ev := parseAlarm("A:e3 link-down", "late", start.Add(19*time.Second))
		ev.Arrival = start.Add(22 * time.Second)
		d.ds = append(d.ds, d.e.Feed(&ev)...)
		d.until(time.Minute)
		if got := len(d.e.Open()); got != want {
			t.Errorf("lateness %s: %d incidents, want %d", wait, got, want)
		}
	}
}
