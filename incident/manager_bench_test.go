package incident_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
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

// BenchmarkReportOutages measures CPU time of the whole process for an event through the whole
// manager, by batches of a thousand: links of a ring go down, which both ends tell with two
// alarms each, and come back four seconds later, 20,000 events a second by their arrival. So
// the mix is the same however busy the machine is: an incident of eight events, or what is left of
// it when others are near. NODES is the size of the ring, EVENTS how many events, RATE how many a
// second, and BESIDE how many other alarms are active in the other half of the ring.
func BenchmarkReportOutages(b *testing.B) {
	nodes, count := environ("NODES", 20_000), environ("EVENTS", 100_000)
	rate, beside := environ("RATE", 20_000), environ("BESIDE", 0)
	const batch, lasts = 1000, 4 * time.Second
	for range b.N {
		x := open(b)
		x.configure(ring(nodes))
		type outage struct {
			link int
			at   time.Time
		}
		var down []outage
		var rest []event.Event
		link, id := 0, 0
		at := time.Now().Add(-59 * time.Minute)
		events := make([]event.Event, 0, batch)
		for k := range beside {
			at = at.Add(time.Second / 10_000)
			events = append(events, event.Event{ID: fmt.Sprint("b", k), Time: at, Arrival: at, Node: fmt.Sprint("N", nodes-1-k/len(lasting)), Resource: "e1",
				AlarmTypeID: lasting[k%len(lasting)], Severity: event.Major, Text: "Interface is in trouble"})
			if len(events) == batch || k == beside-1 {
				if _, err := x.manager.Report(b.Context(), events); err != nil {
					b.Fatal(err)
				}
				events = make([]event.Event, 0, batch)
			}
		}
		at = at.Add(2 * time.Minute)
		next := func() []event.Event {
			for len(rest) < batch {
				of, severity := link, event.Major
				if len(down) > 0 && at.Sub(down[0].at) >= lasts {
					of, severity, down = down[0].link, event.Cleared, down[1:]
				} else {
					down = append(down, outage{link, at})
					link = (link + 7919) % (nodes / 2)
				}
				for k := range 4 {
					id++
					name := fmt.Sprint("e", 1-k%2)
					rest = append(rest, event.Event{ID: fmt.Sprint(id), Time: at, Arrival: at, Node: fmt.Sprint("N", (of+k%2)%nodes), Resource: name,
						AlarmTypeID: lasting[k/2], Severity: severity, Text: "Interface " + name})
					at = at.Add(time.Second / time.Duration(rate))
				}
			}
			out := rest[:batch:batch]
			rest = rest[batch:]
			return out
		}
		if _, err := x.manager.Report(b.Context(), next()); err != nil { // by which the others are raised
			b.Fatal(err)
		}
		runtime.GC()
		before, decided := cpuTime(b), x.manager.Lag().Decisions
		for range count / batch {
			if _, err := x.manager.Report(b.Context(), next()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(count), "cpu-us/event")
		b.ReportMetric(float64(x.manager.Lag().Decisions-decided), "decisions")
		x.close()
	}
}

// environ is a number in the environment, or another without one.
func environ(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// cpuTime is what the process has had of the processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
