package alarm_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"incidentd/incident/alarm"
	"incidentd/incident/event"
)

// many is how many active alarms the benchmarks of scale have beside each other; ALARMS
// makes it a million.
func many(b *testing.B) []int {
	most, err := strconv.Atoi(os.Getenv("ALARMS"))
	if err != nil {
		most = 50_000
	}
	return []int{1000, most}
}

// filled is a store with active alarms, and what they take of memory each. There are a
// thousand shelves by name and ten by expressions, which take none of them.
func filled(b *testing.B, n int) (x *bench, bytesEach float64) {
	b.Helper()
	x = open(b)
	config := `<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"><control><max-alarm-status-changes>4</max-alarm-status-changes><alarm-shelving>`
	for i := range 1000 {
		config += fmt.Sprintf("<shelf><name>s%d</name><resource>X%d(/.*)?</resource></shelf>", i, i)
	}
	for i := range 10 {
		config += fmt.Sprintf("<shelf><name>e%d</name><resource>Y%d.*z</resource></shelf>", i, i)
	}
	if err := x.configure(config + "</alarm-shelving></control></alarms>"); err != nil {
		b.Fatal(err)
	}
	before := heap()
	for i := 0; i < n; i += 10_000 {
		var events []*event.Event
		for k := i; k < min(n, i+10_000); k++ {
			events = append(events, port(k, event.Major, "Interface is down"))
		}
		x.report(events...)
	}
	return x, float64(heap()-before) / float64(n)
}

func port(k int, s event.Severity, text string) *event.Event {
	return &event.Event{Node: fmt.Sprintf("N%05d", k/20), Resource: fmt.Sprintf("eth%d", k%20), AlarmTypeID: "link-down", Severity: s, Text: text}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkStatusChange is a change of one alarm among many, as a hundredth of a
// transaction, with its history, the summary and the notification.
func BenchmarkStatusChange(b *testing.B) {
	for _, n := range many(b) {
		b.Run(fmt.Sprint("alarms=", n), func(b *testing.B) {
			x, each := filled(b, n)
			i := 0
			for b.Loop() {
				var events []*event.Event
				for range 100 {
					i++
					events = append(events, port(i*7919%n, event.Severity(3+i/n%4), fmt.Sprint("change ", i)))
				}
				x.report(events...)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/change")
			b.ReportMetric(each, "B/alarm")
		})
	}
}

// BenchmarkSummary reads the summary beside many alarms.
func BenchmarkSummary(b *testing.B) {
	for _, n := range many(b) {
		b.Run(fmt.Sprint("alarms=", n), func(b *testing.B) {
			x, _ := filled(b, n)
			want := strconv.Itoa(n)
			for b.Loop() {
				if got := x.top().Child("summary").EntryNamed("alarm-summary", "major").Leaf("total"); got != want {
					b.Fatalf("%s major alarms, want %s", got, want)
				}
			}
		})
	}
}

// BenchmarkPurge purges a tenth of many alarms.
func BenchmarkPurge(b *testing.B) {
	for _, n := range many(b)[1:] {
		b.Run(fmt.Sprint("alarms=", n), func(b *testing.B) {
			x, _ := filled(b, n)
			purged := 0
			for i := 0; b.Loop(); i++ {
				last := byte('0' + i%10)
				count, err := x.alarms.PurgeIf(context.Background(), false, func(k alarm.Key) bool { return k.Resource[5] == last })
				if err != nil {
					b.Fatal(err)
				}
				purged += count
			}
			b.ReportMetric(float64(purged)/b.Elapsed().Seconds(), "alarms/s")
		})
	}
}
