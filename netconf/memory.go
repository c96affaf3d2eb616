package netconf

import (
	"sync"
	"sync/atomic"
)

// freeMemory is what each session may have of messages whatever the others have, so that
// a few who send much do not keep small requests out.
const freeMemory = 64 << 10

// memory is what the sessions share for messages.
type memory struct {
	max, used atomic.Int64
	refused   atomic.Uint64
}

func (m *memory) take(n int64) bool {
	if n > 0 && m.used.Add(n) > m.max.Load() {
		m.used.Add(-n)
		m.refused.Add(1)
		return false
	}
	return true
}

// account is what a session has of the memory.
type account struct {
	of *memory

	mu   sync.Mutex
	have int64
}

// beyond is the part of an amount that is not free.
func beyond(n int64) int64 { return max(n-freeMemory, 0) }

// take is false when there are no n bytes left.
func (a *account) take(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.have + int64(n)
	if !a.of.take(beyond(now) - beyond(a.have)) {
		return false
	}
	a.have = now
	return true
}

func (a *account) give(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.have - int64(n)
	a.of.used.Add(beyond(now) - beyond(a.have))
	a.have = now
}

// close gives back all that is left, once nobody takes any more.
func (a *account) close() { a.give(int(a.have)) }
