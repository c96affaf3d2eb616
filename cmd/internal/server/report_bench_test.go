package server

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkReportEvents measures report-events over SSH through the whole server, by
// batches: each event durable, correlated, in the alarm list, with the incidents and
// notifications that follow. Links of a ring go down, which both ends tell with two alarms
// each, and come back four seconds later: eight events for an incident. REPORT_SECONDS is
// for how long, REPORT_RATE how many events a second at most; without it, as many as can be.
func BenchmarkReportEvents(b *testing.B) {
	for _, c := range []struct{ batch, sessions int }{{1, 64}, {100, 8}, {1000, 4}} {
		b.Run(fmt.Sprintf("batch=%d", c.batch), func(b *testing.B) {
			for range b.N {
				reportEvents(b, c.batch, c.sessions)
			}
		})
	}
}

func reportEvents(b *testing.B, batch, sessions int) {
	const links, lasts = 20_000, 4 * time.Second
	seconds, rate := 5, 0
	if n, err := strconv.Atoi(os.Getenv("REPORT_SECONDS")); err == nil {
		seconds = n
	}
	if n, err := strconv.Atoi(os.Getenv("REPORT_RATE")); err == nil {
		rate = n
	}
	dir := b.TempDir() + "/data"
	if _, err := Init(dir, admin); err != nil {
		b.Fatal(err)
	}
	s, _ := started(b, dir)
	if err := session(b, s).EditConfig(b.Context(), "running", ring(links), "merge"); err != nil {
		b.Fatal(err)
	}
	// One after the other, the ends of a link tell of it; the clears wait for their time.
	var mu sync.Mutex
	type outage struct {
		link int
		at   time.Time
	}
	var down []outage
	var rest []string
	link, id := 0, 0
	event := func(link, end int, kind, severity string) {
		id++
		rest = append(rest, fmt.Sprintf("<event><id>%d</id><node>N%d</node><resource>e%d</resource><alarm-type-id>%s</alarm-type-id><severity>%s</severity><text>Interface e%d</text></event>",
			id, (link+end)%links, 1-end, kind, severity, 1-end))
	}
	next := func(n int) []byte {
		mu.Lock()
		defer mu.Unlock()
		for len(rest) < n {
			of, severity := link, "major"
			if len(down) > 0 && time.Since(down[0].at) >= lasts {
				of, severity, down = down[0].link, "cleared", down[1:]
			} else {
				down = append(down, outage{link, time.Now()})
				link = (link + 7919) % links
			}
			for k := range 4 {
				event(of, k%2, []string{"link-down", "isis-adjacency-down"}[k/2], severity)
			}
		}
		text := `<report-events xmlns="urn:incidentd:yang:events">` + strings.Join(rest[:n], "") + `</report-events>`
		rest = rest[n:]
		return []byte(text)
	}
	var reporters sync.WaitGroup
	var sent atomic.Int64
	before := cpuTime(b)
	begun := time.Now()
	for range sessions {
		c := session(b, s)
		reporters.Go(func() {
			for time.Since(begun) < time.Duration(seconds)*time.Second {
				if rate > 0 {
					time.Sleep(time.Until(begun.Add(time.Duration(sent.Load()) * time.Second / time.Duration(rate))))
				}
				sent.Add(int64(batch))
				if _, err := c.Call(b.Context(), next(batch)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	reporters.Wait()
	took := time.Since(begun)
	f, lag := s.Incidents().Admission(), s.Incidents().Lag()
	b.ReportMetric(float64(f.Accepted)/took.Seconds(), "events/s")
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(f.Accepted), "cpu-us/event")
	b.ReportMetric(float64(lag.Decisions)/took.Seconds(), "decisions/s")
	b.ReportMetric(float64(lag.Median.Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(lag.P99.Microseconds())/1e3, "p99-ms")
	b.ReportMetric(float64(lag.Longest.Microseconds())/1e3, "max-ms")
}

// cpuTime is what the process, server and clients, has had of the processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ring is the configuration of n routers in a ring.
func ring(n int) []byte {
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
	return []byte(b.String())
}
