package server

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestPercentFor(t *testing.T) {
	for live, want := range map[uint64]int{0: 3200, 1 << 20: 3200, 8 << 20: 1600, 64 << 20: 200, 128 << 20: 100, 256 << 20: 50, 1 << 30: 50} {
		if got := percentFor(live); got != want {
			t.Errorf("percentFor(%d MiB) = %d, want %d", live>>20, got, want)
		}
	}
}

// GOGC follows what is live, and is what it was in the end.
func TestPacer(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	stop := startPacer()
	if got := current(); got <= 100 {
		t.Errorf("GOGC is %d with a small heap", got)
	}
	runtime.GC()
	goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	for begin := time.Now(); ; runtime.GC() {
		metrics.Read(goal)
		if v := goal[0].Value.Uint64(); v >= room && v < room+64<<20 {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("the heap may grow to %d MiB", goal[0].Value.Uint64()>>20)
		}
	}
	large := make([]byte, 256<<20)
	for begin := time.Now(); current() > 60; runtime.GC() { // finalizers run when they do
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("GOGC is %d with a large heap", current())
		}
	}
	runtime.KeepAlive(large)
	stop()
	if got := current(); got != 77 {
		t.Errorf("GOGC is %d in the end, want 77", got)
	}
	runtime.GC()
	if got := current(); got != 77 {
		t.Errorf("GOGC is %d after the end, want 77", got)
	}
	t.Setenv("GOGC", "50")
	startPacer()()
	if got := current(); got != 77 {
		t.Errorf("GOGC is %d though somebody has decided on it", got)
	}
}

func current() int {
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent
}
