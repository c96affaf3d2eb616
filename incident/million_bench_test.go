package incident_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"incidentd/incident/event"
)

// lasting are the alarms of a line that is bad at both ends, five at each.
var lasting = []string{"link-down", "isis-adjacency-down", "ldp-session-down", "bfd-down", "input-errors"}

// BenchmarkMillionAlarms measures what active alarms weigh in a manager with its stores:
// in the correlator, the alarm list, the incidents and the journal. ALARMS is how many,
// a million without it; ten at a link, an incident of each. HEAP names a file for a profile.
func BenchmarkMillionAlarms(b *testing.B) {
	alarms := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("ALARMS")); err == nil {
		alarms = n
	}
	for range b.N {
		x := open(b)
		nodes := alarms/10 + 1
		x.configure(ring(nodes))
		n := 0
		begun, events := time.Now(), make([]event.Event, 1000)
		for n < alarms {
			events = events[:0]
			for ; len(events) < cap(events) && n < alarms; n++ {
				port := n / len(lasting)
				node, name := port/2, fmt.Sprint("e", 1-port%2)
				if port%2 == 1 {
					node = (node + 1) % nodes
				}
				events = append(events, event.Event{ID: fmt.Sprint("b", n), Node: fmt.Sprint("N", node), Resource: name,
					AlarmTypeID: lasting[n%len(lasting)], Severity: event.Major, Text: "Interface is in trouble"})
			}
			if _, err := x.manager.Report(b.Context(), events); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(alarms)/time.Since(begun).Seconds(), "events/s")
		time.Sleep(10 * time.Second) // until the last are raised
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/float64(alarms), "B/alarm")
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB")
		if rss := resident(); rss > 0 {
			b.ReportMetric(rss, "peak-resident-MiB")
		}
		f := x.manager.Lag()
		b.ReportMetric(float64(f.P99.Microseconds())/1e3, "p99-ms")
		b.ReportMetric(float64(f.Longest.Microseconds())/1e3, "max-ms")
		if name := os.Getenv("HEAP"); name != "" {
			w, err := os.Create(name)
			if err != nil {
				b.Fatal(err)
			}
			if err := pprof.Lookup("heap").WriteTo(w, 0); err != nil {
				b.Error(err)
			}
			w.Close()
		}
		x.close()
	}
}

// resident is the most memory that the process ever had, in MiB; 0 where nobody tells.
func resident() float64 {
	text, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kB, _ := strconv.ParseFloat(strings.Fields(rest + " 0")[0], 64)
	return kB / 1024
}
