package farend

import (
	"net/netip"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
)

// maxPeers is how many peers are remembered. Beyond that, new ones are not answered until
// one has been silent for Config.Forget.
const maxPeers = 10_000

// systemPorts are those below: services have them, and no sender [RFC 6335 section 6].
const systemPorts = 1024

// Config is who is answered, and where.
type Config struct {
	Vantage oam.Vantage
	Port    uint16
	Allowed []netip.Prefix // who is answered; none: nobody
	MaxRate int            // packets per second of a peer; 0: not bounded
	Forget  time.Duration  // how long a peer is remembered that is silent

	// SenderPort is a system port that senders may have all the same; 0: none.
	SenderPort uint16
	// OneHopLess has each answer go one hop less than what it answers could have gone on.
	OneHopLess bool
}

// Peer is what senders are told apart by.
type Peer struct {
	Addr netip.AddrPort
	ID   uint16 // where senders of one address and port have ids
}

// Stats are figures of an end since it began.
type Stats struct {
	Peers                   int // that are remembered
	Received, Sent, Refused uint64
}

// Gate says which packets are answered. It may be used concurrently.
type Gate struct {
	config Config

	mu    sync.Mutex
	peers map[Peer]*peerState
	swept time.Time
	stats Stats
}

// peerState is what is remembered of a peer.
type peerState struct {
	next  uint32
	last  time.Time
	level float64 // of its token bucket
}

// NewGate makes the gate of a configuration.
func NewGate(c Config) *Gate { return &Gate{config: c, peers: map[Peer]*peerState{}} }

// Admit counts a packet of a peer, and tells its number among those of the peer that are
// answered, from 0. It reports false for one that is not answered; valid is whether it is
// a packet of the service at all.
func (g *Gate) Admit(p Peer, m socket.Message, valid bool) (number uint32, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Received++
	if valid && g.allows(m) {
		number, ok = g.countLocked(p, m.At)
	}
	if !ok {
		g.stats.Refused++
	}
	return number, ok
}

// allows reports whether a sender is one that may be answered.
func (g *Gate) allows(m socket.Message) bool {
	if port := m.From.Port(); port < systemPorts && (port == 0 || port != g.config.SenderPort) {
		return false // a service, which might answer the answer
	}
	if g.config.OneHopLess && m.HopLimit <= 1 {
		return false
	}
	for _, p := range g.config.Allowed {
		if p.Contains(m.From.Addr().WithZone("")) {
			return true
		}
	}
	return false
}

// countLocked takes a packet from the bucket of a peer.
func (g *Gate) countLocked(id Peer, now time.Time) (uint32, bool) {
	p := g.peers[id]
	if p != nil && now.Sub(p.last) > g.config.Forget {
		p = nil
	}
	if p == nil {
		if len(g.peers) >= maxPeers {
			g.sweepLocked(now)
		}
		if len(g.peers) >= maxPeers {
			return 0, false
		}
		p = &peerState{last: now, level: float64(g.config.MaxRate)}
		g.peers[id] = p
	}
	if rate := float64(g.config.MaxRate); rate > 0 {
		p.level = min(rate, p.level+rate*now.Sub(p.last).Seconds())
		if p.level < 1 {
			p.last = now
			return 0, false
		}
		p.level--
	}
	p.last = now
	p.next++
	return p.next - 1, true
}

// sweepLocked forgets peers that are silent, at most once a second.
func (g *Gate) sweepLocked(now time.Time) {
	if now.Sub(g.swept) < time.Second {
		return
	}
	g.swept = now
	for id, p := range g.peers {
		if now.Sub(p.last) > g.config.Forget {
			delete(g.peers, id)
		}
	}
}

// sent counts an answer that has left.
func (g *Gate) sent() {
	g.mu.Lock()
	g.stats.Sent++
	g.mu.Unlock()
}

// Stats are the figures since it began.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweepLocked(time.Now())
	s := g.stats
	s.Peers = len(g.peers)
	return s
}
