package listen

import (
	"net/netip"
	"sync"
	"time"
)

// mostPeers is how many addresses a Rate remembers.
const mostPeers = 10_000

// Rate bounds how much each address sends: so many a second on average, and as many at
// once. It may be used by any goroutine. A nil Rate bounds nothing.
type Rate struct {
	perSecond float64

	mu    sync.Mutex
	peers map[netip.Addr]bucket
}

// bucket is what an address may send without waiting, at a time.
type bucket struct {
	left float64
	at   time.Time
}

// NewRate bounds to a number of messages a second; 0 returns nil.
func NewRate(perSecond int) *Rate {
	if perSecond == 0 {
		return nil
	}
	return &Rate{perSecond: float64(perSecond), peers: map[netip.Addr]bucket{}}
}

// Take takes a message of an address, and returns how long it ought to wait: 0 when it is
// within the bound. One that does not wait counts all the same unless it is given Back.
func (r *Rate) Take(peer netip.Addr) time.Duration {
	if r == nil {
		return 0
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	b, ok := r.peers[peer]
	if !ok {
		if len(r.peers) >= mostPeers {
			r.forgetLocked(now)
		}
		b = bucket{r.perSecond, now}
	}
	b.left = min(r.perSecond, b.left+now.Sub(b.at).Seconds()*r.perSecond)
	b.at = now
	b.left--
	r.peers[peer] = b
	if b.left >= 0 {
		return 0
	}
	return time.Duration(-b.left / r.perSecond * float64(time.Second))
}

// Back takes back what Take has taken for a message that is not let through.
func (r *Rate) Back(peer netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b, ok := r.peers[peer]; ok {
		b.left++
		r.peers[peer] = b
	}
}

// forgetLocked forgets addresses that may send as much as those that never came, and all
// when there are none: many addresses at once are an attack that this bound cannot meet.
func (r *Rate) forgetLocked(now time.Time) {
	for p, b := range r.peers {
		if b.left+now.Sub(b.at).Seconds()*r.perSecond >= r.perSecond {
			delete(r.peers, p)
		}
	}
	if len(r.peers) >= mostPeers {
		clear(r.peers)
	}
}
