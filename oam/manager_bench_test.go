package oam

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"incidentd/datastore/kv"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

// instant is an engine that measures nothing.
type instant struct{}

func (instant) Demand() Demand {
	return Demand{Packets: 1, PacketRate: 1, BitRate: 1, Duration: time.Millisecond}
}
func (instant) Check(context.Context, *Env) error { return nil }
func (instant) Run(context.Context, *Env) (*Measurement, error) {
	return &Measurement{Packets: &Packets{Sent: 1, Received: 1}, Verdict: Pass}, nil
}

// BenchmarkManager configures 100,000 tests in one commit, and has 1,000 of them due each
// second for ten seconds, each run with its begin, its end and its notifications on disk.
func BenchmarkManager(b *testing.B) {
	const tests, rate, seconds = 100_000, 1000, 10
	for b.Loop() {
		n := netconftest.New(b, netconftest.Config{})
		m, err := New(Config{Store: n.Store, DB: n.DB, Strict: true, Engines: map[string]Engine{"icmp-echo": func(Params) (Test, error) { return instant{}, nil }}})
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Start(); err != nil {
			b.Fatal(err)
		}
		first := time.Now().Add(40 * time.Second).Truncate(time.Second)
		var text strings.Builder
		text.WriteString(`<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><oam-service xmlns="urn:incidentd:yang:oam-tests"><limits><max-concurrent-runs>10000</max-concurrent-runs><max-concurrent-runs-per-target>10000</max-concurrent-runs-per-target></limits></oam-service>
			<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test" xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">`)
		for i := range tests {
			fmt.Fprintf(&text, `<oam-unitary-test><name>t%d</name><icmp-echo xmlns="urn:incidentd:yang:oam-tests"><target>192.0.2.1</target></icmp-echo><period-start>%s</period-start><frequency>s:hourly</frequency></oam-unitary-test>`,
				i, data.FormatTime(first.Add(time.Duration(i)*time.Second/rate)))
		}
		text.WriteString(`</oam-unitary-tests></config>`)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		begun := time.Now()
		if err := n.Configure(text.String()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/commit")
		text.Reset()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/tests, "B/test")
		if time.Now().After(first) {
			b.Fatal("the commit took longer than the time until the first test is due")
		}
		time.Sleep(time.Until(first.Add((seconds + 2) * time.Second)))
		m.Stop()
		var late []time.Duration
		for i := range seconds * rate {
			runs, err := stored(m, id{UnitaryTest, fmt.Sprintf("t%d", i)})
			if err != nil || len(runs) != 1 {
				b.Fatalf("test %d has %d results, %v", i, len(runs), err)
			}
			late = append(late, runs[0].Start.Sub(runs[0].Occurrence))
		}
		slices.Sort(late)
		b.ReportMetric(float64(late[len(late)/2].Microseconds()), "p50-us")
		b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "p99-us")
		b.ReportMetric(0, "ns/op")
	}
}

// stored are the results of a test.
func stored(m *Manager, i id) (list []Run, err error) {
	err = m.db.View(func(r *kv.Reader) error {
		list, err = resultsOf(r, i, 100)
		return err
	})
	return list, err
}
