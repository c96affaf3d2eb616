package stamp

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"

	"incidentd/oam"
	"incidentd/oam/farend"
	"incidentd/oam/socket"
)

// Port is that of a reflector, and of some senders [RFC 8762 section 4].
const Port = 862

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

// Reflector answers senders. Its replies are as long as what it got, so that it cannot be
// made to flood others, and it does not answer replies.
type Reflector struct {
	*farend.End
	node      *Node
	key       []byte
	stateless bool
	clock     atomic.Pointer[clockState]
}

// clockState is what the system said of its clock.
type clockState struct {
	Estimate
	at time.Time
}

// Reflect begins a reflector, for IPv4 and IPv6 as far as this host knows them. It runs
// until Close.
func (n *Node) Reflect(c ReflectorConfig) (*Reflector, error) {
	key, err := n.keys.Key(c.Key)
	if err != nil {
		return nil, err
	}
	r := &Reflector{node: n, key: key, stateless: c.Stateless}
	r.End, err = farend.Listen(farend.Config{Vantage: c.Vantage, Port: c.Port, Allowed: c.Allowed, MaxRate: c.MaxRate, Forget: c.RefWait, SenderPort: Port}, r.answer)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// answer makes the reply to a packet, as long as it; it is a farend.Answer.
func (r *Reflector) answer(gate *farend.Gate, packet []byte, m socket.Message) ([]byte, bool) {
	probe, ok := DecodeProbe(packet, r.key)
	s := farend.Peer{Addr: m.From, ID: probe.SSID}
	number, ok := gate.Admit(s, m, ok && !isReply(packet, r.key))
	if !ok {
		return nil, false
	}
	r.node.meet(s)
	if r.stateless {
		number = probe.Sequence
	}
	reply := packet
	if short := base(r.key); len(packet) < short {
		// Of TWAMP Light without padding. The reply has to be longer by a few octets.
		reply = make([]byte, short)
	}
	answer := Reply{
		Probe:     Probe{Sequence: number, Estimate: r.estimate(m.At), SSID: probe.SSID},
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

// estimate is what the system said of its clock within the last minute.
func (r *Reflector) estimate(now time.Time) Estimate {
	c := r.clock.Load()
	if c == nil || now.Sub(c.at) > time.Minute {
		c = &clockState{clock(), now}
		r.clock.Store(c)
	}
	return c.Estimate
}

// isReply reports whether a packet is one of a reflector: where a sender has zeros or
// padding [RFC 8762 section 4.2], a reply tells when it was received, which is about when
// it was sent. A reflector that answers those answers another one for ever, once somebody
// has sent the first packet in the other's name.
func isReply(b []byte, key []byte) bool {
	sent, received := 4, 16
	if key != nil {
		sent, received = 16, 32
	}
	if len(b) < received+8 || binary.BigEndian.Uint64(b[received:]) == 0 {
		return false
	}
	seconds := int64(binary.BigEndian.Uint32(b[sent:])) - int64(binary.BigEndian.Uint32(b[received:]))
	return -60 <= seconds && seconds <= 60
}
