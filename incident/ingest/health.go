package ingest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/incident/ingest/mapping"
)

// State is how a source gets on.
type State uint8

// The states, as source-state of incidentd-sources has them.
const (
	Disabled State = iota
	Starting
	Up
	Degraded
	Down
)

var stateNames = [...]string{"disabled", "starting", "up", "degraded", "down"}

// String returns the enum name of the YANG module.
func (s State) String() string { return stateNames[s] }

// lossTime is how long a source is degraded after it has lost a message.
const lossTime = time.Minute

// health is how a source gets on. It belongs to the name of a source: it stays when that
// is configured anew.
type health struct {
	name  string
	since time.Time // it was made

	failures, received, octets, refused, malformed, mapped, unmapped, ignored atomic.Uint64
	events, duplicates, dropped, delayed                                      atomic.Uint64
	connections, waiting                                                      atomic.Int64
	lastEvent, lastLoss                                                       atomic.Int64 // nanoseconds, 0 for never

	mu          sync.Mutex
	kind        string
	base        State // as far as the supervisor knows
	upSince     time.Time
	why         string        // the source is down
	next        time.Time     // when it is begun again
	complaint   string        // of the source itself
	storeFault  string        // why events cannot be stored
	silentAfter time.Duration // 0: for ever
	listening   []string
	lastError   string
	errorTime   time.Time
	lossReason  string

	backlog func() int64 // nil: not known

	unknown map[string]bool // nodes that events were of and the network does not have

	shown      State // what refresh found last
	shownSince time.Time
	reason     string
	told       State // what was announced last; Starting for nothing
}

func newHealth(name string, now time.Time) *health {
	return &health{name: name, since: now, shownSince: now, told: Starting, base: Starting, shown: Starting}
}

// set changes the state as the supervisor sees it.
func (h *health) set(base State, why string, next time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if base == Up && h.base != Up {
		h.upSince = now
	}
	if base != Up {
		h.listening, h.complaint, h.backlog = nil, "", nil
	}
	h.base, h.why, h.next = base, why, next
	if base == Down {
		h.lastError, h.errorTime = why, now
	}
	h.refreshLocked(now)
}

// fault keeps an error that ends nothing.
func (h *health) fault(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastError, h.errorTime = err.Error(), time.Now()
}

// lost counts messages that are lost.
func (h *health) lost(n int, why string) {
	h.dropped.Add(uint64(n))
	now := time.Now().UnixNano()
	if before := h.lastLoss.Swap(now); now-before < int64(time.Second) && before != 0 {
		return // the reason was noted not long ago
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lossReason = why
}

// strange reports whether an event may be of a node that the network does not have: one
// that was seen before, or while there are fewer of them than most.
func (h *health) strange(node string, most int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unknown[node] || node == mapping.UnknownNode {
		return true
	}
	if len(h.unknown) >= most {
		return false
	}
	if h.unknown == nil {
		h.unknown = map[string]bool{}
	}
	h.unknown[node] = true
	return true
}

// refreshLocked finds the state that is shown, from all that is known.
func (h *health) refreshLocked(now time.Time) {
	state, reason := h.base, h.why
	if state == Up {
		loss, last := h.lastLoss.Load(), h.lastEvent.Load()
		quiet := h.upSince
		if t := time.Unix(0, last); last != 0 && t.After(quiet) {
			quiet = t
		}
		switch {
		case h.storeFault != "":
			state, reason = Degraded, "events cannot be stored: "+h.storeFault
		case h.complaint != "":
			state, reason = Degraded, h.complaint
		case loss != 0 && now.Sub(time.Unix(0, loss)) < lossTime:
			state, reason = Degraded, "messages are lost: "+h.lossReason
		case h.silentAfter > 0 && now.Sub(quiet) > h.silentAfter:
			state, reason = Degraded, fmt.Sprintf("silent for more than %s", h.silentAfter)
		}
	}
	if state != h.shown {
		h.shown, h.shownSince = state, now
	}
	h.reason = reason
}

// news is what is to be announced of a source.
type news struct {
	health                *health
	kind, reason          string
	state, previous, told State
}

// news returns what has changed since the last time; false when nothing has. It counts
// as told from now on.
func (h *health) news(now time.Time) (news, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refreshLocked(now)
	n := news{h, h.kind, h.reason, h.shown, h.told, h.told}
	if h.shown == h.told || h.shown == Starting {
		return news{}, false
	}
	h.told = h.shown
	if h.shown == Disabled {
		return news{}, false // by order of an operator, who knows
	}
	return n, true
}

// untold takes back what news has said.
func (n news) untold() {
	n.health.mu.Lock()
	defer n.health.mu.Unlock()
	n.health.told = n.told
}
