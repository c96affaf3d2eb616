package server

import (
	"context"
	"log/slog"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A load leaves the heap at twice what is live and more, and the runtime has no reason to
// give that back while nothing is allocated. So memory is given back once the server has
// become quiet.
const (
	// lookAtMemory is how often that is looked at.
	lookAtMemory = 2 * time.Second
	// quiet is how much is allocated in between at most when nobody loads the server.
	quiet = 2 << 20
	// worthIt is what has to have been allocated since the last time; where the heap is
	// large, and looking through it costs more, a quarter of it.
	worthIt = 16 << 20
)

// heap is the memory of the heap at a moment, in bytes.
type heap struct {
	allocated uint64 // in all, since the start
	resident  uint64 // held, whether in use or not
}

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(s)
	return heap{allocated: s[0].Value.Uint64(), resident: s[1].Value.Uint64() + s[2].Value.Uint64() + s[3].Value.Uint64()}
}

// trimmer decides when memory is given back.
type trimmer struct {
	last    heap   // when it was looked at
	trimmed uint64 // what had been allocated in all when memory was last given back
}

// due reports whether now is a time to give memory back.
func (t *trimmer) due(now heap) bool {
	idle := now.allocated-t.last.allocated < quiet
	t.last = now
	if !idle || now.allocated < t.trimmed+max(worthIt, now.resident/4) {
		return false
	}
	t.trimmed = now.allocated
	return true
}

// trimMemory gives memory back until the context ends.
func trimMemory(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(lookAtMemory)
	defer tick.Stop()
	t := trimmer{last: readHeap()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if before := readHeap(); t.due(before) {
			debug.FreeOSMemory()
			log.Debug("memory is given back", "bytes", before.resident-min(before.resident, readHeap().resident))
		}
	}
}
