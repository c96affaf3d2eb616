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
	mostKeys     = 4096        // of sources, and of users
)

// throttle slows down who guesses passwords: each wrong one from an address, or for a
// user, makes the answer to it come later. A right one is never delayed, so nobody is
// locked out by the guesses of others.
type throttle struct {
	mu      sync.Mutex
	sources map[string]failures // mu
	users   map[string]failures // mu; the name need not be that of a user
}

type failures struct {
	n    int
	last time.Time
}

// failed notes a wrong password and returns how long its answer has to wait.
func (t *throttle) failed(source, user string, now time.Time) time.Duration {
	if len(user) > maxName {
		user = user[:maxName]
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(failedLocked(&t.sources, source, now), failedLocked(&t.users, user, now))
}

// maxName bounds what is remembered of a user's name in bytes.
const maxName = 64

func failedLocked(all *map[string]failures, key string, now time.Time) time.Duration {
	if *all == nil {
		*all = make(map[string]failures)
	}
	f, known := (*all)[key]
	f = f.at(now)
	if !known && len(*all) >= mostKeys {
		makeRoomLocked(*all, now)
	}
	delay := longestDelay
	if f.n < 4 {
		delay = firstDelay << f.n
	}
	(*all)[key] = failures{n: min(f.n+1, 10), last: now}
	return delay
}

// at is what is left of the failures when time has forgiven some.
func (f failures) at(now time.Time) failures {
	f.n -= int(now.Sub(f.last) / forgiveAfter)
	return failures{n: max(f.n, 0), last: f.last}
}

// makeRoomLocked drops what is forgiven, and any until half the room is free: an
// attacker who has thousands of addresses or names is not stopped by delays.
func makeRoomLocked(all map[string]failures, now time.Time) {
	for k, f := range all {
		if f.at(now).n == 0 {
			delete(all, k)
		}
	}
	for k := range all {
		if len(all) <= mostKeys/2 {
			return
		}
		delete(all, k)
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
