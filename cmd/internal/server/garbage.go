package server

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// room is how much garbage may gather at least before it is collected. The runtime's own
// measure is as much as is live. That is so little on a server without much data that
// collecting takes a quarter of its time under load, and so much on one with a million
// alarms that their gigabyte would take two: beyond, it is half of what is live.
const room = 128 << 20

// percentFor is the GOGC that lets so much gather beside so many bytes. The runtime takes 4
// MiB at least for them.
func percentFor(bytes uint64) int {
	bytes = max(bytes, 4<<20)
	return int(max(room, bytes/2) * 100 / bytes)
}

// readBase is what GOGC is a percentage of: what is live, stacks and globals.
func readBase() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() + s[1].Value.Uint64() + s[2].Value.Uint64()
}

// pacer sets GOGC anew after each collection.
type pacer struct {
	mu      sync.Mutex
	percent int  // mu
	stopped bool // mu
}

// cycle is garbage from the beginning: it is found by each collection.
type cycle struct{ of *pacer }

// startPacer begins, unless whoever runs the server has decided on a GOGC. stop returns to
// what was before.
func startPacer() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	p := &pacer{percent: percentFor(readBase())}
	before := debug.SetGCPercent(p.percent)
	p.arm()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stopped = true
		debug.SetGCPercent(before)
	}
}

func (p *pacer) arm() {
	runtime.SetFinalizer(&cycle{p}, func(c *cycle) { c.of.collected() })
}

// collected runs after a collection, in the runtime's goroutine of finalizers.
func (p *pacer) collected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	// It stops the world, so not for a trifle.
	if percent := percentFor(readBase()); percent*10 < p.percent*9 || percent*9 > p.percent*10 {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	p.arm()
}
