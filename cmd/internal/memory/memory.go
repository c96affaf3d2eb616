// Package memory says how far the heap of a server may grow between two runs of the garbage
// collector.
//
// Go lets it double. That is little while it is small: a storm of events fills a hundred
// megabytes in half a second, and a quarter of the server's time would go into collecting. And
// it is much when there are a million alarms: their gigabyte would take two. Here the heap may
// grow by half of what is live, and by 256 MiB anyway.
//
// # Concurrency
//
// A Tuner works in the runtime's own goroutine for cleanups, once for each collection.
package memory

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// least is how much the heap may grow however small it is, in bytes.
const least = 256 << 20

// Tuner keeps the bound on the heap's growth.
type Tuner struct {
	before  int // percent
	now     int // percent; of the cleanups, which run one after the other
	stopped atomic.Bool
}

// sentinel is what a collection finds to be garbage.
type sentinel struct{ _ *int }

// Tune keeps the bound until Stop. Where the environment says how often to collect, with
// GOGC, it does nothing and returns nil.
func Tune() *Tuner {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	t := &Tuner{now: 100}
	t.before = debug.SetGCPercent(100)
	t.collected(0)
	return t
}

// Stop ends it; the bound is as it was before. Nil may be stopped.
func (t *Tuner) Stop() {
	if t != nil && !t.stopped.Swap(true) {
		debug.SetGCPercent(t.before)
	}
}

// collected sets the bound after a collection, and waits for the next.
func (t *Tuner) collected(int) {
	if t.stopped.Load() {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if p := percent(live[0].Value.Uint64()); p > t.now+t.now/10 || p < t.now-t.now/10 { // setting it stops the world for a moment
		t.now = p
		debug.SetGCPercent(p)
		if t.stopped.Load() {
			debug.SetGCPercent(t.before)
		}
	}
	runtime.AddCleanup(new(sentinel), t.collected, 0)
}

// percent is how much of the live heap the heap may grow by.
func percent(live uint64) int {
	const most = 1000
	if live == 0 {
		return most
	}
	return int(min(most, max(live/2, least)*100/live))
}
