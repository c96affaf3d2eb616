package incident_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"incidentd/incident/event"
)

// ring is the configuration of n routers in a ring.
func ring(n int) string {
	var b strings.Builder
	b.WriteString(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology"><network><network-id>ip</network-id>`)
	for i := range n {
		fmt.Fprintf(&b, `<node><node-id>N%d</node-id><nt:termination-point><nt:tp-id>e0</nt:tp-id></nt:termination-point><nt:termination-point><nt:tp-id>e1</nt:tp-id></nt:termination-point></node>`, i)
	}
	for i := range n {
		fmt.Fprintf(&b, `<nt:link><nt:link-id>l%d</nt:link-id><nt:source><nt:source-node>N%d</nt:source-node><nt:source-tp>e1</nt:source-tp></nt:source><nt:destination><nt:dest-node>N%d</nt:dest-node><nt:dest-tp>e0</nt:dest-tp></nt:destination></nt:link>`,
			i, i, (i+1)%n)
	}
	b.WriteString(`</network></networks>`)
	return b.String()
}

// BenchmarkManagerStorm measures a storm through the whole manager, in real time: each
// alarm is a link of its own and an incident of its own, durable and notified, and clears
// when all others have come. It reports how long decisions took from when they were due.
func BenchmarkManagerStorm(b *testing.B) {
	const nodes, batch = 20_000, 100
	x := open(b)
	defer x.close()
	x.configure(ring(nodes))
	n := 0
	for b.Loop() {
		var reporters sync.WaitGroup
		for k := range 4 {
			reporters.Go(func() {
				for from := k * batch; from < nodes; from += 4 * batch {
					events := make([]event.Event, batch)
					for j := range events {
						link := (from + j) * 7919 % nodes
						events[j] = event.Event{ID: fmt.Sprint("e", n, "-", from+j), Node: fmt.Sprint("N", link), Resource: "e1",
							AlarmTypeID: "link-down", Severity: event.Major, Text: "Interface e1 is down"}
						if n%2 == 1 {
							events[j].Severity = event.Cleared
						}
					}
					if _, err := x.manager.Report(context.Background(), events); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		reporters.Wait()
		n++
	}
	b.ReportMetric(float64(n*nodes)/b.Elapsed().Seconds(), "events/s")
	begun, told := time.Now(), 0
	for told < nodes && time.Since(begun) < 20*time.Second { // they soak before they are raised
		time.Sleep(10 * time.Millisecond)
		told = int(x.manager.Lag().Decisions)
	}
	f := x.manager.Lag()
	b.ReportMetric(float64(f.Decisions), "decisions")
	b.ReportMetric(float64(f.Median.Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(f.P99.Microseconds())/1e3, "p99-ms")
	b.ReportMetric(float64(f.Longest.Microseconds())/1e3, "max-ms")
}
