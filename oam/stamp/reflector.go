package stamp

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
)

// maxSessions is how many senders a reflector remembers. Beyond that, new ones are not
// answered until one has been silent for RefWait.
const maxSessions = 10_000

// ReflectorConfig is what a reflector is to do.
type ReflectorConfig struct {
	Vantage oam.Vantage
	Port    uint16
	// Stateless reflectors copy the sender's number in place of counting.
	Stateless bool
	RefWait   time.Duration  // how long a sender is remembered that is silent
	Key       string         // the name of the key; "": not authenticated
	Allowed   []netip.Prefix // who is answered; none: nobody
	MaxRate   int            // packets per second of a sender; 0: not bounded
}

// ReflectorStats are figures of a reflector.
type ReflectorStats struct {
	Sessions                int
	Received, Sent, Refused uint64
}

// Reflector answers senders. Its replies are as long as what it got, so that it cannot be
// made to flood others.
type Reflector struct {
	node   *Node
	config ReflectorConfig
	key    []byte
	conns  []*socket.Conn
	wait   sync.WaitGroup

	mu       sync.Mutex
	sessions map[session]*sessionState
	swept    time.Time
	stats    ReflectorStats
}

// sessionState is what a reflector remembers of a sender.
type sessionState struct {
	next  uint32
	last  time.Time
	level float64 // of its token bucket
}

// Reflect begins a reflector, for IPv4 and IPv6 as far as this host has them. It runs
// until Close.
func (n *Node) Reflect(c ReflectorConfig) (*Reflector, error) {
	key, err := n.key(c.Key)
	if err != nil {
		return nil, err
	}
	r := &Reflector{node: n, config: c, key: key, sessions: map[session]*sessionState{}}
	families := []bool{false, true}
	if a := c.Vantage.SourceAddress; a.IsValid() {
		families = []bool{a.Is6()}
	}
	var errs []error
	for _, six := range families {
		conn, err := socket.Open(c.Vantage, socket.UDP, six, socket.Options{Port: c.Port})
		if errors.Is(err, syscall.EADDRINUSE) { // half a reflector would go unnoticed
			r.Close()
			return nil, err
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.conns = append(r.conns, conn)
	}
	if len(r.conns) == 0 {
		return nil, errors.Join(errs...)
	}
	for _, conn := range r.conns {
		r.wait.Go(func() { r.serve(conn) })
	}
	return r, nil
}

// Addresses are what the reflector listens at.
func (r *Reflector) Addresses() []netip.AddrPort {
	var list []netip.AddrPort
	for _, c := range r.conns {
		if a, err := c.Local(); err == nil {
			list = append(list, a)
		}
	}
	return list
}

// Stats are the figures since it began.
func (r *Reflector) Stats() ReflectorStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(time.Now())
	s := r.stats
	s.Sessions = len(r.sessions)
	return s
}

// Close ends it.
func (r *Reflector) Close() error {
	for _, c := range r.conns {
		c.Close()
	}
	r.wait.Wait()
	return nil
}

func (r *Reflector) serve(conn *socket.Conn) {
	own, at := clock(), time.Now()
	buffer := make([]byte, 65536)
	for {
		n, m, err := conn.Receive(buffer)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(100 * time.Millisecond) // such as out of memory: not for ever as fast as one can
			continue
		}
		if m.At.Sub(at) > time.Minute {
			own, at = clock(), m.At
		}
		reply, ok := r.answer(buffer[:n], m, own)
		if !ok {
			continue
		}
		if conn.Reply(reply, m) == nil {
			r.mu.Lock()
			r.stats.Sent++
			r.mu.Unlock()
		}
	}
}

// answer makes the reply to a packet, as long as it. It reports false when there is none.
// The packet is overwritten.
func (r *Reflector) answer(packet []byte, m socket.Message, own Estimate) ([]byte, bool) {
	probe, ok := DecodeProbe(packet, r.key)
	s := session{m.From, probe.SSID}
	number, ok := r.admit(s, ok && r.allowed(m.From.Addr()), m.At)
	if !ok {
		return nil, false
	}
	r.node.meet(s)
	if r.config.Stateless {
		number = probe.Sequence
	}
	reply := packet
	if short := base(r.key); len(packet) < short {
		// Of TWAMP Light without padding. The reply has to be longer by a few octets.
		reply = make([]byte, short)
	}
	answer := Reply{
		Probe:     Probe{Sequence: number, Estimate: own, SSID: probe.SSID},
		Received:  ntp(m.At),
		Sender:    Probe{Sequence: probe.Sequence, Timestamp: probe.Timestamp, Estimate: probe.Estimate},
		SenderTTL: uint8(max(0, m.HopLimit)),
	}
	if len(reply) > base(r.key) {
		reflectTLVs(reply, r.key, uint8(max(0, m.TrafficClass)))
	}
	answer.Timestamp = ntp(time.Now())
	answer.Encode(reply, r.key)
	sealTLVs(reply, r.key)
	return reply, true
}

// admit counts a packet and tells the number of its reply. It reports false for one that
// is not answered.
func (r *Reflector) admit(id session, ok bool, now time.Time) (uint32, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Received++
	if !ok {
		r.stats.Refused++
		return 0, false
	}
	s := r.sessions[id]
	if s != nil && now.Sub(s.last) > r.config.RefWait {
		s = nil
	}
	if s == nil {
		if len(r.sessions) >= maxSessions {
			r.sweep(now)
		}
		if len(r.sessions) >= maxSessions {
			r.stats.Refused++
			return 0, false
		}
		s = &sessionState{last: now, level: float64(r.config.MaxRate)}
		r.sessions[id] = s
	}
	if rate := float64(r.config.MaxRate); rate > 0 {
		s.level = min(rate, s.level+rate*now.Sub(s.last).Seconds())
		if s.level < 1 {
			s.last = now
			r.stats.Refused++
			return 0, false
		}
		s.level--
	}
	s.last = now
	s.next++
	return s.next - 1, true
}

// sweep forgets senders that are silent, at most once a second. The lock is held.
func (r *Reflector) sweep(now time.Time) {
	if now.Sub(r.swept) < time.Second {
		return
	}
	r.swept = now
	for id, s := range r.sessions {
		if now.Sub(s.last) > r.config.RefWait {
			delete(r.sessions, id)
		}
	}
}

func (r *Reflector) allowed(a netip.Addr) bool {
	for _, p := range r.config.Allowed {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
