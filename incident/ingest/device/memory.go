package device

import (
	"sync"
	"time"
)

// mostKnown is how many active alarms of a source are remembered. Those beyond are
// reported all the same, and are not cleared when the device forgets them.
const mostKnown = 100_000

// memory is what is known of the devices, by the names of their sources.
type memory struct {
	mu      sync.Mutex
	devices map[string]*known
}

// of returns what is known of the device of a source. It is owned by the source's run, and
// a source has one run at a time.
func (m *memory) of(source string) *known {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.devices[source]
	if k == nil {
		k = &known{active: map[key]state{}}
		m.devices[source] = k
	}
	return k
}

// known is what is known of one device.
type known struct {
	// active are the alarms that were reported and not cleared.
	active map[key]state
	// whole says that every active alarm of the device is in active.
	whole bool
	// last is when the last event happened by the device's clock, zero if it is not known.
	last time.Time
}

// state is an alarm and the place where it was reported.
type state struct {
	alarm
	node, resource string
}

// see notes when something happened.
func (k *known) see(at time.Time) {
	if at.After(k.last) {
		k.last = at
	}
}
