package audit

import (
	"fmt"
	"sync"
	"time"
)

// lostEvent is the event of a record that says how many were lost before it.
const lostEvent = "lost"

// queue has the records that wait to be stored, in their order, and those that are
// stored and not yet in the log.
type queue struct {
	places chan struct{} // one for each record that has one, up to queued
	wake   chan struct{} // has one when there is something new for the goroutine of Open

	mu      sync.Mutex
	waiting []*entry
	urgent  bool // somebody waits for one of them
	lost    uint64
	stored  []*entry
	closed  bool
}

func newQueue() queue {
	return queue{places: make(chan struct{}, queued), wake: make(chan struct{}, 1)}
}

// notice wakes the goroutine of Open.
func (q *queue) notice() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// put adds a record, and reports whether it had to wait for a place, and whether the
// queue took it.
func (q *queue) put(e *entry) (waited, ok bool) {
	select {
	case q.places <- struct{}{}:
	default:
		waited = true
		q.places <- struct{}{}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		<-q.places
		return waited, false
	}
	e.queued = true
	q.waiting = append(q.waiting, e)
	q.urgent = q.urgent || e.stored != nil
	if n := len(q.waiting); n == 1 || n >= batched || e.stored != nil {
		q.notice()
	}
	return waited, true
}

// take takes all that wait, for a transaction that stores them and perhaps more. They
// begin with one that tells of those that were lost.
func (q *queue) take(more bool) []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.waiting
	if q.lost > 0 && (len(list) > 0 || more) {
		first := &entry{event: lostEvent, time: time.Now(), bad: true, text: fmt.Sprintf("%d records could not be stored", q.lost), losses: q.lost}
		list = append([]*entry{first}, list...)
		q.lost = 0
	}
	q.waiting, q.urgent = nil, false
	return list
}

// putBack takes back a take.
func (q *queue) putBack(list []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(list) > 0 && list[0].event == lostEvent {
		q.lost += list[0].losses
		list = list[1:]
	}
	q.waiting = append(list[:len(list):len(list)], q.waiting...)
	for _, e := range list {
		q.urgent = q.urgent || e.stored != nil
	}
	q.notice()
}

// lose notes that what was taken is lost.
func (q *queue) lose(list []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range list {
		q.lost += max(e.losses, 1)
	}
}

// keep notes that records are stored.
func (q *queue) keep(list []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stored = append(q.stored, list...)
	q.notice()
}

// takeStored takes the records that are stored since the last time.
func (q *queue) takeStored() []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.stored
	q.stored = nil
	return list
}

// leave ends the wait for a record, and frees its place.
func (q *queue) leave(e *entry) {
	if e.stored != nil {
		close(e.stored)
	}
	if e.queued {
		<-q.places
	}
}

// waits is how many wait, whether somebody waits for them, and whether they are the last.
func (q *queue) waits() (n int, urgent, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting), q.urgent, q.closed
}

// close lets the queue take no more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.notice()
}
