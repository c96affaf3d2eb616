package stamp

import (
	"context"
	"net/netip"
	"time"

	"incidentd/oam"
	"incidentd/oam/farend"
	"incidentd/oam/socket"
)

// SessionConfig is what a session is to be.
type SessionConfig struct {
	Target string
	Port   uint16 // of the reflector
	From   uint16 // the port of the sender; 0: any
	SSID   uint16 // [RFC 8972 section 3]
	DSCP   uint8
	Key    string // the name of the key; "": not authenticated
	// DoNotFragment makes packets that are larger than the link an error.
	DoNotFragment bool
	// Size is how many octets of UDP the packets have, over IPv6 if six. What is too small
	// for a packet of STAMP is made as large as that.
	Size func(six bool) int
}

// Session is the near end of a session: a Session-Sender. One goroutine may send while
// another receives.
type Session struct {
	// Octets is the size of the packets, from the IP header on, and Wanted what it was to be.
	Octets, Wanted int

	node   *Node
	conn   *socket.Conn
	key    []byte
	peer   farend.Peer // as which a reflector of the same node would know it
	packet []byte
	buffer []byte
	own    Estimate
}

// Open opens a session. Nothing is sent yet.
func (n *Node) Open(ctx context.Context, env *oam.Env, c SessionConfig) (*Session, error) {
	key, err := n.keys.Key(c.Key)
	if err != nil {
		return nil, err
	}
	target, err := socket.Lookup(ctx, env.Vantage, c.Target)
	if err != nil {
		return nil, err
	}
	if err := env.Permit(target); err != nil {
		return nil, err
	}
	conn, err := socket.Open(env.Vantage, socket.UDP, target.Is6(),
		socket.Options{Port: c.From, DSCP: c.DSCP, DoNotFragment: c.DoNotFragment, Connect: netip.AddrPortFrom(target, c.Port)})
	if err != nil {
		return nil, err
	}
	local, err := conn.Local()
	if err != nil {
		conn.Close()
		return nil, err
	}
	s := &Session{
		node: n, conn: conn, key: key, peer: farend.Peer{Addr: local, ID: c.SSID},
		packet: make([]byte, max(c.Size(target.Is6()), base(key))), buffer: make([]byte, 65536), own: clock(),
	}
	s.Octets, s.Wanted = octets(len(s.packet), target.Is6()), octets(c.Size(target.Is6()), target.Is6())
	copy(s.packet[base(key):], extensions(len(s.packet)-base(key), c.DSCP, key))
	n.begin(s.peer)
	return s, nil
}

// octets is the size of the IP packet of a payload.
func octets(payload int, six bool) int {
	if six {
		return 40 + 8 + payload
	}
	return 20 + 8 + payload
}

// Send sends the packet of a number, with the time that it tells: its T1.
func (s *Session) Send(number uint32, at time.Time) error {
	Probe{Sequence: number, Timestamp: ntp(at), Estimate: s.own, SSID: s.peer.ID}.Encode(s.packet, s.key)
	sealTLVs(s.packet, s.key)
	_, err := s.conn.Send(s.packet, netip.AddrPort{})
	return err
}

// Receive waits for a packet, and reports whether it is a reply. An error is that of a
// session that is closed.
func (s *Session) Receive() (reply Reply, m socket.Message, ok bool, err error) {
	n, m, err := s.conn.Receive(s.buffer)
	if err != nil {
		return Reply{}, m, false, err
	}
	reply, ok = DecodeReply(s.buffer[:n], s.key)
	return reply, m, ok, nil
}

// Close ends the session; Receive fails then.
func (s *Session) Close() error { return s.conn.Close() }

// End forgets the session, once nothing is received any more. It tells whether delays in one
// direction mean something, and how far both clocks together may be wrong, by what the far
// end said of its clock: both ends are this process, or both clocks are synchronised.
func (s *Session) End(far Estimate) (valid bool, wrong time.Duration) {
	if here := s.node.end(s.peer); here {
		return true, 0
	}
	if s.own.Synchronized && far.Synchronized {
		return true, s.own.Error() + far.Error()
	}
	return false, 0
}

// Delays are those that a reply tells.
type Delays struct {
	// Answered is when the reply came, less the time that the reflector took.
	Answered time.Time
	// Sane is whether the reflector's times can be. Those of some cannot, as they put them
	// into each other's place or do not copy ours: then only what this host's clock tells is
	// true, and there is nothing in one direction.
	Sane      bool
	Far, Near time.Duration // there and back
}

// Delays are those of a reply to a packet with the time t1.
func (r Reply) Delays(t1 time.Time, m socket.Message) Delays {
	t2, t3 := fromTimestamp(r.Received, r.Estimate.PTP), fromTimestamp(r.Timestamp, r.Estimate.PTP)
	t4, start := m.At.Round(0), fromTimestamp(ntp(t1), false)
	inside := t3.Sub(t2)
	if r.Sender.Timestamp != ntp(t1) || inside < 0 || inside > t4.Sub(start)+time.Millisecond {
		return Delays{Answered: m.At}
	}
	return Delays{Answered: m.At.Add(-inside), Sane: true, Far: t2.Sub(start), Near: t4.Sub(t3)}
}
