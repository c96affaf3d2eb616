package alarm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
)

// TestClearOvertakesRaise: a raise whose clear came before it is listed with its end, after a
// restart too; one that happened after the clear lasts.
func TestClearOvertakesRaise(t *testing.T) {
	b := open(t)
	now := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	at := func(s int, severity event.Severity, arrives int) *event.Event {
		return &event.Event{Node: "P1", Resource: "eth1", AlarmTypeID: "link-down", Severity: severity, Text: fmt.Sprint("at ", s),
			Time: now.Add(time.Duration(s) * time.Second), Arrival: now.Add(time.Duration(arrives) * time.Second)}
	}
	history := func() (got []string) {
		for a := range b.top().Child("alarm-list").Entries("alarm") {
			got = append(got, a.Leaf("is-cleared"))
			for s := range a.Entries("status-change") {
				stamp, _ := time.Parse(time.RFC3339Nano, s.Leaf("time"))
				got = append(got, fmt.Sprint(stamp.Sub(now).Seconds(), " ", s.Leaf("perceived-severity"), " ", s.Leaf("alarm-text")))
			}
		}
		return got
	}
	check := func(want ...string) {
		t.Helper()
		b.valid()
		if d := cmp.Diff(want, history()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
	b.report(at(20, event.Cleared, 21))
	check()
	b.close()
	b.open()
	b.report(at(10, event.Major, 22))
	check("true", "20 cleared at 10", "10 major at 10")
	// It is known and over now; the same happens again.
	b.report(at(40, event.Cleared, 41))
	b.report(at(30, event.Critical, 42))
	check("true", "40 cleared at 30", "30 critical at 30", "20 cleared at 10", "10 major at 10")
	// A raise after the clear lasts, and so does one that comes when the clear is forgotten.
	b.report(at(50, event.Cleared, 51))
	b.report(at(60, event.Minor, 61))
	b.report(at(70, event.Cleared, 71))
	b.report(at(80, event.Cleared, 81))
	b.report(at(75, event.Minor, 81+301))
	if got := history(); got[0] != "false" || got[1] != "75 minor at 75" {
		t.Errorf("%q", got)
	}
}

// TestEarlyClearsAreBounded: clears of what nobody raised leave no more than a bounded number of
// rows, and the latest are those that are kept.
func TestEarlyClearsAreBounded(t *testing.T) {
	b := open(t)
	now := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	var events []*event.Event
	for k := range 10_000 {
		events = append(events, &event.Event{Node: "P1", Resource: fmt.Sprint("eth", k), AlarmTypeID: "link-down", Severity: event.Cleared,
			Time: now, Arrival: now.Add(time.Duration(k) * time.Millisecond)})
	}
	b.report(events...)
	last := *events[len(events)-1]
	last.Severity, last.Time = event.Major, now.Add(-time.Second)
	b.report(&last)
	if n := b.top().Child("alarm-list").Leaf("number-of-alarms"); n != "1" {
		t.Fatalf("%s alarms", n)
	}
	for a := range b.top().Child("alarm-list").Entries("alarm") {
		if a.Leaf("is-cleared") != "true" {
			t.Error("the clear that came before is forgotten")
		}
	}
}
