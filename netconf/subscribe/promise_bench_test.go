package subscribe_test

import (
	"context"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

// setting is a number in the environment, for the long form of a test.
func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// storm is the size of a BenchmarkPromise, as its clients have to know it.
type storm struct {
	Subscribers int // that follow the stream incidents
	Silent      int // of those, that do not read until they are woken
	Total       int // notifications that each of them gets
	Old         int // notifications that are replayed beside it, of the stream oam
}

// crowd are the clients of a storm.
type crowd interface {
	// latency is the p99 of gets of one incident, one every two milliseconds.
	latency(time.Duration) time.Duration
	// subscribe returns when all have subscribed; they read from then on.
	subscribe()
	// wait returns when those that read have everything.
	wait()
	// wake lets the silent ones read, and returns when they have everything: how many
	// were told that they are suspended, and resumed.
	wake() (suspended, resumed int)
	// used is the CPU time of their processes since they have subscribed; 0 when they
	// have none of their own.
	used() time.Duration
}

// BenchmarkPromise is a storm: 200 subscribers, of which 5 never read while it lasts, 5,000
// notifications a second, and a replay of old ones beside it. Every subscriber that reads
// gets every notification in order; those that do not are suspended, and when they read
// again they are resumed and get the rest. It reports the time of a get of one incident
// before (idle-p99) and during the storm (storm-p99), and the memory.
//
// PROMISE_SECONDS and PROMISE_REPLAY make it long, PROMISE_SUBSCRIBERS and PROMISE_RATE
// large. The sessions are in memory, or with PROMISE_SSH=1 over SSH on the loopback
// interface: then the clients are processes of their own, the memory is the server's, and
// it reports the CPU time of the server (us-server) and of the clients (us-clients) for
// each message that a subscriber got.
func BenchmarkPromise(b *testing.B) {
	seconds, rate := setting("PROMISE_SECONDS", 8), setting("PROMISE_RATE", 5000)
	s := storm{Subscribers: setting("PROMISE_SUBSCRIBERS", 200), Silent: 5, Total: seconds * rate, Old: setting("PROMISE_REPLAY", 50_000)}
	const group = 50
	for b.Loop() {
		bench := netconftest.New(b, netconftest.Config{Journal: journal.Options{MaxBytes: -1}})
		storeIncidents(b, bench, 1000)
		for i := 0; i < s.Old; i += 1000 {
			publishGroup(b, bench, "oam", i, min(1000, s.Old-i))
		}
		var crowd crowd
		if setting("PROMISE_SSH", 0) != 0 {
			crowd = startProcesses(b, bench, s)
		} else {
			crowd = &clients{TB: b, storm: s, dial: func() io.ReadWriteCloser { return bench.Dial(b.Context(), "u", 0) }}
		}
		idle := crowd.latency(time.Second)
		crowd.subscribe()
		during := make(chan time.Duration, 1)
		go func() { during <- crowd.latency(time.Duration(seconds) * time.Second) }()
		var most atomic.Uint64
		ctx, cancel := context.WithCancel(b.Context())
		go watchMemory(ctx, &most)

		begin, server := time.Now(), cpuTime(b)
		for i := 0; i < s.Total; i += group {
			publishGroup(b, bench, "incidents", i, group)
			time.Sleep(time.Until(begin.Add(time.Duration(i+group) * time.Second / time.Duration(rate))))
		}
		took := time.Since(begin)
		crowd.wait()
		behind := time.Since(begin) - took
		server = cpuTime(b) - server
		used := crowd.used()
		storm := <-during
		cancel()
		if suspended, resumed := crowd.wake(); suspended != s.Silent || resumed != s.Silent {
			b.Errorf("%d were told that they are suspended, %d resumed, want %d", suspended, resumed, s.Silent)
		}
		b.ReportMetric(float64(s.Total)/took.Seconds(), "notifications/s")
		b.ReportMetric(behind.Seconds(), "s-behind")
		b.ReportMetric(float64(idle.Microseconds()), "us-idle-p99")
		b.ReportMetric(float64(storm.Microseconds()), "us-storm-p99")
		b.ReportMetric(float64(most.Load())/(1<<20), "MiB")
		if used > 0 {
			messages := float64(s.Total*(s.Subscribers-s.Silent) + s.Old)
			b.ReportMetric(server.Seconds()*1e6/messages, "us-server")
			b.ReportMetric(used.Seconds()*1e6/messages, "us-clients")
		}
		b.ReportMetric(0, "ns/op")
	}
}

// publishGroup publishes incidents of about 600 bytes in one transaction, with numbers
// from the given one on.
func publishGroup(b *testing.B, bench *netconftest.Bench, stream string, from, n int) {
	schema := bench.Schema.Notification("ietf-incident", "incident-notification")
	detail := strings.Repeat("x", 400)
	err := bench.Store.Update(b.Context(), func(tx *datastore.Tx) error {
		for i := from; i < from+n; i++ {
			tx.Notify(stream, data.Build(schema).Leaf("incident-id", "inc-"+strconv.Itoa(i)).Leaf("name", "interface down").
				Leaf("type", "fault").Leaf("priority", "high").Leaf("status", "raised").Leaf("detail", detail).Node())
		}
		return nil
	})
	if err != nil {
		b.Error(err)
	}
}

// storeIncidents puts incidents into the operational state.
func storeIncidents(b *testing.B, bench *netconftest.Bench, n int) {
	top := bench.Schema.Root.Child(bench.Schema.Module("ietf-incident"), "incidents")
	list := data.Build(top)
	for i := range n {
		list.Entry("incident", "inc-"+strconv.Itoa(i)).Leaf("name", "interface down").Leaf("type", "fault").Leaf("priority", "high").Leaf("status", "raised")
	}
	if err := bench.Store.Update(b.Context(), func(tx *datastore.Tx) error {
		tx.SetState(tx.State().With(list.Node()))
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// watchMemory keeps the most memory that the process had from the system.
func watchMemory(ctx context.Context, most *atomic.Uint64) {
	for ctx.Err() == nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if now := m.Sys - m.HeapReleased; now > most.Load() {
			most.Store(now)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
