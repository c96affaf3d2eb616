package correlate

import "container/heap"

// timerKind says what a timer is for.
type timerKind uint8

const (
	solveTimer   timerKind = iota // a pooled alarm: solve its region
	waitTimer                     // a waiting symptom: it found no cause
	raiseTimer                    // an incident: it has soaked
	emitTimer                     // an incident: changes were gathered
	clearTimer                    // an incident: its root has been clear
	staleTimer                    // an incident: look whether it is forgotten
	overdueTimer                  // an incident of a rhythm: it should have ended
)

// timer is an entry of the queue. ref and version name what it is for: an alarm by
// serial, or an incident by id. A timer whose version has passed does nothing.
type timer struct {
	at      int64
	seq     uint64
	kind    timerKind
	ref     uint64
	version uint32
}

type timerHeap []timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)   { *h = append(*h, x.(timer)) }
func (h *timerHeap) Pop() any {
	t := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return t
}

// after arms a timer; a time that has passed already means now.
func (e *Engine) after(at int64, kind timerKind, ref uint64, version uint32) {
	e.timerSeq++
	heap.Push(&e.timers, timer{at: max(at, e.now), seq: e.timerSeq, kind: kind, ref: ref, version: version})
}

// run fires the timers due at or before now, each at its own time.
func (e *Engine) run(now int64) {
	for len(e.timers) > 0 && e.timers[0].at <= now {
		t := heap.Pop(&e.timers).(timer)
		e.now = max(e.now, t.at)
		e.fire(t)
	}
}

func (e *Engine) fire(t timer) {
	if t.kind == solveTimer || t.kind == waitTimer {
		a := e.bySerial[t.ref]
		if a == nil || a.version != t.version {
			return
		}
		if t.kind == solveTimer {
			e.solve(a)
		} else {
			e.waitedInVain(a)
		}
		return
	}
	i := e.incidents[t.ref]
	if i == nil {
		return
	}
	switch t.kind {
	case raiseTimer:
		if i.raiseVersion == t.version {
			e.considerRaise(i)
		}
	case emitTimer:
		if i.emitVersion == t.version {
			e.emitUpdate(i)
		}
	case clearTimer:
		if i.clearVersion == t.version {
			e.considerClear(i)
		}
	case staleTimer:
		e.considerStale(i)
	case overdueTimer:
		e.overdue(i)
	}
}
