package correlate

import "slices"

// timerKind says what a timer is for.
type timerKind uint8

const (
	solveTimer  timerKind = iota // an alarm: solve its region
	waitTimer                    // a waiting symptom: it found no cause
	raiseTimer                   // an incident: it has soaked
	emitTimer                    // an incident: changes were gathered
	clearTimer                   // an incident: its root has been clear
	staleTimer                   // an incident: look whether it is forgotten
	settleTimer                  // an incident: its root moves no more
	markTimer                    // an incident of a mark: the window is over
	rhythmTimer                  // an incident of a rhythm: it should have ended
	timerKinds
)

// slot is where the owner of a timer notes it. A timer that its owner's slot does not
// name any more is void: arming again replaces. The zero slot is not armed.
type slot struct {
	at  int64
	seq uint64
}

// timer is an entry of the queue. It belongs to an alarm or to an incident.
type timer struct {
	slot
	kind timerKind
	a    *alarm
	i    *incident
}

func (t *timer) before(u *timer) bool { return t.at < u.at || t.at == u.at && t.seq < u.seq }

// timerQueue orders timers by time, then by age. Those of the present span lie in a
// heap, later ones unsorted by span, so that arming one costs the same however many
// there are.
type timerQueue struct {
	soon    []timer // a heap of those before horizon
	horizon int64
	later   map[int64]*span
	spans   []int64 // the keys of later, latest first
	n       int
}

// span holds the timers of one span.
type span struct {
	first  int64 // the time of the first
	timers []timer
}

// spanBits is the binary logarithm of a span in nanoseconds: about a second.
const spanBits = 30

func (q *timerQueue) push(t timer) {
	q.n++
	if t.at < q.horizon {
		q.soon = append(q.soon, t)
		q.up(len(q.soon) - 1)
		return
	}
	no := t.at >> spanBits
	if q.later == nil {
		q.later = map[int64]*span{}
	}
	s := q.later[no]
	if s == nil {
		at, _ := slices.BinarySearchFunc(q.spans, no, func(a, b int64) int { return int(max(-1, min(b-a, 1))) })
		q.spans = slices.Insert(q.spans, at, no)
		s = &span{first: t.at}
		q.later[no] = s
	}
	s.first = min(s.first, t.at)
	s.timers = append(s.timers, t)
}

// pop takes the first timer that is due at now.
func (q *timerQueue) pop(now int64) (t timer, ok bool) {
	if len(q.soon) == 0 && !q.refill(now) || q.soon[0].at > now {
		return t, false
	}
	t = q.soon[0]
	last := len(q.soon) - 1
	q.soon[0], q.soon[last] = q.soon[last], timer{}
	q.soon = q.soon[:last]
	q.down(0)
	q.n--
	return t, true
}

// refill moves the first span that has begun into the heap.
func (q *timerQueue) refill(now int64) bool {
	if len(q.spans) == 0 {
		return false
	}
	span := q.spans[len(q.spans)-1]
	if span > now>>spanBits {
		return false
	}
	q.spans = q.spans[:len(q.spans)-1]
	q.soon, q.horizon = q.later[span].timers, (span+1)<<spanBits
	delete(q.later, span)
	for k := len(q.soon)/2 - 1; k >= 0; k-- {
		q.down(k)
	}
	return true
}

// next returns when the first timer is due.
func (q *timerQueue) next() (at int64, ok bool) {
	if len(q.soon) > 0 {
		return q.soon[0].at, true
	}
	if len(q.spans) == 0 {
		return 0, false
	}
	return q.later[q.spans[len(q.spans)-1]].first, true
}

func (q *timerQueue) up(k int) {
	for k > 0 {
		parent := (k - 1) / 2
		if !q.soon[k].before(&q.soon[parent]) {
			return
		}
		q.soon[k], q.soon[parent] = q.soon[parent], q.soon[k]
		k = parent
	}
}

func (q *timerQueue) down(k int) {
	for {
		child := 2*k + 1
		if child >= len(q.soon) {
			return
		}
		if child+1 < len(q.soon) && q.soon[child+1].before(&q.soon[child]) {
			child++
		}
		if !q.soon[child].before(&q.soon[k]) {
			return
		}
		q.soon[k], q.soon[child] = q.soon[child], q.soon[k]
		k = child
	}
}

// arm sets the timer of an alarm, in place of one that is armed. A time that has passed
// means now.
func (e *Engine) arm(a *alarm, at int64, kind timerKind) {
	e.timerSeq++
	a.timer, a.timerKind = slot{max(at, e.now), e.timerSeq}, kind
	e.timers.push(timer{slot: a.timer, kind: kind, a: a})
	e.touchAlarm(a)
}

// armIncident sets a timer of an incident, in place of one of its kind.
func (e *Engine) armIncident(i *incident, at int64, kind timerKind) {
	e.timerSeq++
	i.timers[kind-raiseTimer] = slot{max(at, e.now), e.timerSeq}
	e.timers.push(timer{slot: i.timers[kind-raiseTimer], kind: kind, i: i})
	e.touch(i)
}

// armed reports whether a timer of an incident is.
func (i *incident) armed(kind timerKind) bool { return i.timers[kind-raiseTimer].seq != 0 }

func (e *Engine) disarm(i *incident, kind timerKind) {
	i.timers[kind-raiseTimer] = slot{}
	e.touch(i)
}

// run fires the timers due at or before now, each at its own time.
func (e *Engine) run(now int64) {
	for e.fireNext(now) {
	}
}

// fireNext fires the first timer that is due at now; false if none is.
func (e *Engine) fireNext(now int64) bool {
	t, ok := e.timers.pop(now)
	if !ok {
		return false
	}
	e.now = max(e.now, t.at)
	if t.a != nil {
		e.fireAlarm(t.a, &t)
	} else {
		e.fire(t.i, &t)
	}
	return true
}

func (e *Engine) fireAlarm(a *alarm, t *timer) {
	if a.timer.seq != t.seq {
		return
	}
	a.timer = slot{}
	e.touchAlarm(a)
	if t.kind == solveTimer {
		e.solve(a)
	} else {
		e.waitedInVain(a)
	}
}

func (e *Engine) fire(i *incident, t *timer) {
	if i.timers[t.kind-raiseTimer].seq != t.seq {
		return
	}
	e.disarm(i, t.kind)
	switch t.kind {
	case raiseTimer:
		e.considerRaise(i)
	case emitTimer:
		e.emitUpdate(i)
	case clearTimer:
		e.considerClear(i)
	case staleTimer:
		e.considerStale(i)
	case settleTimer:
		e.settle(i)
	case markTimer, rhythmTimer:
		e.overdue(i)
	}
}
