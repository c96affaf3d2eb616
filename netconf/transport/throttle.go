package transport

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	firstDelay   = 250 * time.Millisecond
	longestDelay = 4 * time.Second
	forgiveAfter = time.Minute // one failure is forgiven in this time
	mostSources  = 4096
)

// throttle slows down who guesses passwords: each wrong one from an address makes
// the answer to it come later.
type throttle struct {
	mu      sync.Mutex
	sources map[string]failures // mu
}

type failures struct {
	n    int
	last time.Time
}

// failed notes a wrong password and returns how long its answer has to wait.
func (t *throttle) failed(source string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.sources[source].at(now)
	if t.sources == nil {
		t.sources = make(map[string]failures)
	}
	if _, known := t.sources[source]; !known && len(t.sources) >= mostSources {
		t.makeRoomLocked(now)
	}
	delay := longestDelay
	if f.n < 4 {
		delay = firstDelay << f.n
	}
	t.sources[source] = failures{n: min(f.n+1, 10), last: now}
	return delay
}

// at is what is left of the failures when time has forgiven some.
func (f failures) at(now time.Time) failures {
	f.n -= int(now.Sub(f.last) / forgiveAfter)
	return failures{n: max(f.n, 0), last: f.last}
}

// makeRoomLocked drops the forgiven sources, and any until half the room is free:
// an attacker who has thousands of addresses is not stopped by delays.
func (t *throttle) makeRoomLocked(now time.Time) {
	for s, f := range t.sources {
		if f.at(now).n == 0 {
			delete(t.sources, s)
		}
	}
	for s := range t.sources {
		if len(t.sources) <= mostSources/2 {
			return
		}
		delete(t.sources, s)
	}
}

// sourceOf is what counts as one source: an IPv4 address, the /64 of an IPv6
// address, or the text of another kind of address.
func sourceOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := p.Addr().Unmap()
	if ip.Is6() {
		if net, err := ip.WithZone("").Prefix(64); err == nil {
			return net.String()
		}
	}
	return ip.String()
}
