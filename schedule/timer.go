package schedule

import (
	"context"
	"sync"
	"time"
)

// Timer calls a function at times of the wall clock, for any number of alarms. It follows
// the clock: when that is set forward, or the host wakes from sleep, what has become due is
// called within half a second; when it is set back, alarms wait.
//
// # Concurrency
//
// All methods may be called concurrently. Run is the one goroutine that calls what is due,
// one alarm after the other, in the order of their times. The function must be quick: it
// holds up all alarms; it may set alarms, the one that it is called for among them.
type Timer[T any] struct {
	// Stepped, when not nil, is called when the wall clock has been set back, or forward, by
	// that much, and before what has become due is called: alarms that were set by a clock
	// that was wrong may be set anew. It is to be set before Run.
	Stepped func(by time.Duration)

	now  func() time.Time
	ring func(a *Alarm[T], due time.Time)
	wake chan struct{} // one slot: there is an earlier alarm

	mu   sync.Mutex
	heap heap[T]
}

// Alarm is a time to be told of. It is of one Timer, and not set before Set.
type Alarm[T any] struct {
	Value T

	at  int64 // nanoseconds since 1970
	pos int   // in the heap, from 1; 0: not set
}

// watch is how long a Timer trusts that the wall clock goes on as it did.
const watch = 500 * time.Millisecond

// slew is by how much the wall clock may go wrong without having been set. A host that
// sleeps is one whose clock is set forward.
const slew = time.Second

// NewTimer makes a Timer that calls ring for each alarm that is due, with the time for which
// it was set. The clock is time.Now if now is nil.
func NewTimer[T any](now func() time.Time, ring func(a *Alarm[T], due time.Time)) *Timer[T] {
	if now == nil {
		now = time.Now
	}
	return &Timer[T]{now: now, ring: ring, wake: make(chan struct{}, 1)}
}

// Set sets an alarm, or sets it anew. A time that has passed is due at once.
func (t *Timer[T]) Set(a *Alarm[T], at time.Time) {
	t.mu.Lock()
	a.at = at.UnixNano()
	if a.pos == 0 {
		t.heap.push(a)
	} else {
		t.heap.moved(a)
	}
	first := a.pos == 1
	t.mu.Unlock()
	if first {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// Stop forgets an alarm. One that is due may be called while Stop returns.
func (t *Timer[T]) Stop(a *Alarm[T]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.pos != 0 {
		t.heap.remove(a)
	}
}

// Len is the number of alarms that are set.
func (t *Timer[T]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.heap)
}

// Run calls what is due until ctx is done.
func (t *Timer[T]) Run(ctx context.Context) {
	sleep := time.NewTimer(0)
	defer sleep.Stop()
	wall, steady := t.now().Round(0), time.Now()
	for {
		if by := t.now().Round(0).Sub(wall) - time.Since(steady); by.Abs() > slew {
			wall, steady = t.now().Round(0), time.Now()
			if t.Stepped != nil {
				t.Stepped(by)
			}
		}
		wait, any := t.drain(ctx)
		var due <-chan time.Time
		if any {
			sleep.Reset(min(wait, watch))
			due = sleep.C
		}
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-due:
		}
	}
}

// drain calls all that is due, and tells how long it is until the next, if there is one.
func (t *Timer[T]) drain(ctx context.Context) (wait time.Duration, any bool) {
	for ctx.Err() == nil {
		now := t.now().UnixNano()
		t.mu.Lock()
		if len(t.heap) == 0 {
			t.mu.Unlock()
			return 0, false
		}
		a := t.heap[0]
		at := a.at
		if at > now {
			t.mu.Unlock()
			return time.Duration(at - now), true
		}
		t.heap.remove(a)
		t.mu.Unlock()
		t.ring(a, time.Unix(0, at))
	}
	return 0, false
}

// heap is a heap of four children a node, whose alarms know their places.
type heap[T any] []*Alarm[T]

const children = 4

func (h *heap[T]) push(a *Alarm[T]) {
	*h = append(*h, a)
	a.pos = len(*h)
	h.up(a)
}

func (h *heap[T]) remove(a *Alarm[T]) {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	if last != a {
		h.put(a.pos-1, last)
		h.moved(last)
	}
	a.pos = 0
}

func (h heap[T]) put(i int, a *Alarm[T]) {
	h[i] = a
	a.pos = i + 1
}

// moved restores the order when the time of one alarm has changed.
func (h heap[T]) moved(a *Alarm[T]) {
	before := a.pos
	h.up(a)
	if a.pos == before {
		h.down(a)
	}
}

func (h heap[T]) up(a *Alarm[T]) {
	i := a.pos - 1
	for i > 0 {
		parent := (i - 1) / children
		if h[parent].at <= a.at {
			break
		}
		h.put(i, h[parent])
		i = parent
	}
	h.put(i, a)
}

func (h heap[T]) down(a *Alarm[T]) {
	i := a.pos - 1
	for {
		first := children*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for c := first + 1; c < min(first+children, len(h)); c++ {
			if h[c].at < h[least].at {
				least = c
			}
		}
		if h[least].at >= a.at {
			break
		}
		h.put(i, h[least])
		i = least
	}
	h.put(i, a)
}
