package incident_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"incidentd/incident/event"
)

// BenchmarkReport measures events a second through the whole manager: logged,
// correlated, with alarms, incidents and notifications, durable. Each event is an
// interface of another node that goes down, or comes back.
func BenchmarkReport(b *testing.B) {
	for _, batch := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			x := open(b)
			defer x.close()
			x.configure(figure)
			at := time.Now()
			n := 0
			events := make([]event.Event, batch)
			for b.Loop() {
				for i := range events {
					at = at.Add(20 * time.Millisecond)
					events[i] = event.Event{ID: fmt.Sprint("e", n), Time: at, Arrival: at, Node: fmt.Sprint("n", n/2%2000), Resource: "eth1",
						AlarmTypeID: "link-down", Severity: event.Major, Text: "Interface eth1 is down"}
					if n%2 == 1 {
						events[i].Severity = event.Cleared
					}
					n++
				}
				if _, err := x.manager.Report(context.Background(), events); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
