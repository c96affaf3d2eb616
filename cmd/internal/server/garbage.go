package server

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// room is how much garbage may gather at least before it is collected. The runtime's own
// measure is as much as is live, which is so little on a server without much data that
// collecting takes a quarter of its time under load.
const room = 64 << 20

// percentFor is the GOGC of a heap in which so many bytes are live.
func percentFor(live uint64) int { return max(100, int(room*100/max(live, 1<<20))) }

func readLive() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
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
	p := &pacer{percent: percentFor(readLive())}
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
	if percent := percentFor(readLive()); percent*10 < p.percent*9 || percent*9 > p.percent*10 || percent == 100 && p.percent != 100 {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	p.arm()
}
