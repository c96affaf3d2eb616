package correlate

import (
	"errors"
	"testing"
	"time"

	"incidentd/incident/event"
)

// TestClose ends incidents on an operator's word: those of which nothing lasts, and no
// others.
func TestClose(t *testing.T) {
	e := New(Config{AlarmTypes: []AlarmType{{ID: "CORE_DUMP", Class: "process-restart"}}})
	at := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	feed := func(id, kind string, after time.Duration) {
		e.Feed(&event.Event{ID: id, Node: "N" + id, AlarmTypeID: kind, Severity: event.Critical, Time: at.Add(after), Arrival: at.Add(after)})
	}
	feed("1", "CORE_DUMP", 0)
	feed("2", "LINK_DOWN", time.Second)
	e.Advance(at.Add(time.Minute))
	open := e.Open()
	if len(open) != 2 {
		t.Fatalf("%d incidents are open, want 2", len(open))
	}
	closed := 0
	for _, inc := range open {
		lasts := e.Lasts(inc.No)
		ds, err := e.Command(Command{Action: Close, Incident: inc.No})
		switch {
		case inc.Events()[0].ID == "1" && (lasts || err != nil || len(ds) != 1 || ds[0].Op != Cleared):
			t.Errorf("what does not last: lasts %v, %v, %v", lasts, ds, err)
		case inc.Events()[0].ID == "2" && (!lasts || !errors.Is(err, ErrCommand) || len(ds) != 0):
			t.Errorf("what lasts: lasts %v, %v, %v", lasts, ds, err)
		}
		closed += len(ds)
	}
	if n := len(e.Open()); closed != 1 || n != 1 {
		t.Errorf("%d were closed and %d are open", closed, n)
	}
	if got := e.Holders([]string{"1", "2", "3"}); len(got) != 1 {
		t.Errorf("the events are in %v", got)
	}
	if _, err := e.Content(99); !errors.Is(err, ErrUnknown) {
		t.Errorf("the content of an unknown incident: %v", err)
	}
}
