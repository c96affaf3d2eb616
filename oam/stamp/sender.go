package stamp

import (
	"context"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/farend"
	"incidentd/oam/socket"
	"incidentd/oam/train"
)

// sender is a test of stamp: a Session-Sender.
type sender struct {
	node      *Node
	target    string
	port      uint16 // of the reflector
	from      uint16 // of the sender; 0: any
	ssid      uint16
	dscp      uint8
	size      int    // of the UDP payload
	keyRef    string // "": not authenticated
	stateless bool
	plan      train.Plan
}

// Engine makes tests of stamp; it is an oam.Engine.
func (n *Node) Engine(p oam.Params) (oam.Test, error) {
	s := &sender{
		node:      n,
		target:    p.String("target"),
		port:      uint16(p.Uint("session-reflector-udp-port")),
		from:      uint16(p.Uint("session-sender-udp-port")),
		ssid:      uint16(p.Uint("stamp-session-id")),
		dscp:      uint8(p.Uint("dscp")),
		size:      p.Int("packet-size"),
		keyRef:    p.String("authentication-key-ref"),
		stateless: p.String("reflector-mode") == "stateless",
	}
	if s.keyRef != "" {
		s.size = max(s.size, authenticatedSize)
	}
	s.plan = train.ReadPlan(p, octets(s.size, true))
	return s, nil
}

// octets is the size of the IP packet of a payload.
func octets(payload int, six bool) int {
	if six {
		return 40 + 8 + payload
	}
	return 20 + 8 + payload
}

// Demand is what a run takes.
func (s *sender) Demand() oam.Demand {
	d := s.plan.Demand(s.target)
	if s.from != 0 {
		d.Exclusive = []string{"udp port " + strconv.Itoa(int(s.from))}
	}
	return d
}

// Check finds the address and the key, and opens the socket once.
func (s *sender) Check(ctx context.Context, env *oam.Env) error {
	conn, _, _, err := s.open(ctx, env)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (s *sender) open(ctx context.Context, env *oam.Env) (*socket.Conn, netip.AddrPort, []byte, error) {
	var to netip.AddrPort
	key, err := s.node.keys.Key(s.keyRef)
	if err != nil {
		return nil, to, nil, err
	}
	target, err := socket.Lookup(ctx, env.Vantage, s.target)
	if err != nil {
		return nil, to, nil, err
	}
	if err := env.Permit(target); err != nil {
		return nil, to, nil, err
	}
	to = netip.AddrPortFrom(target, s.port)
	conn, err := socket.Open(env.Vantage, socket.UDP, target.Is6(), socket.Options{Port: s.from, DSCP: s.dscp, Connect: to})
	return conn, to, key, err
}

// Run sends the train and reads the replies.
func (s *sender) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	conn, to, key, err := s.open(ctx, env)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	plan := s.plan
	plan.Octets = octets(s.size, to.Addr().Is6())
	local, err := conn.Local()
	if err != nil {
		return nil, err
	}
	self := farend.Peer{Addr: local, ID: s.ssid}
	s.node.begin(self)

	r := newReplies(plan, key)
	var wait sync.WaitGroup
	wait.Go(func() { r.receive(conn) })

	packet := make([]byte, s.size)
	copy(packet[base(key):], extensions(s.size-base(key), s.dscp, key))
	own := clock()
	err = plan.Pace(ctx, env, r.record, func(i int) (time.Time, error) {
		now := time.Now()
		p := Probe{Sequence: uint32(i), Timestamp: ntp(now), Estimate: own, SSID: s.ssid}
		r.expect(i, p.Timestamp)
		p.Encode(packet, key)
		sealTLVs(packet, key)
		_, err := conn.Send(packet, netip.AddrPort{})
		return now, err
	})
	conn.Close()
	wait.Wait()
	here := s.node.end(self)
	if err != nil {
		return nil, err
	}
	return r.measurement(plan, own, here, s.stateless), nil
}

// replies are those of a train.
type replies struct {
	record *train.Record
	key    []byte

	mu   sync.Mutex
	sent []uint64 // T1 of each packet, as it stands in it; 0: not sent

	// Of the goroutine that receives, until it has ended.
	first   map[uint32]uint32 // the number of the reflector in the first reply to a packet
	seen    map[uint32]bool   // the numbers of the reflector
	doubled int               // packets that the reflector got twice
	highest uint32            // of the reflector
	any     bool
	swapped bool     // its timestamps cannot be
	far     Estimate // of the reflector's clock
}

func newReplies(plan train.Plan, key []byte) *replies {
	return &replies{
		record: train.NewRecord(plan), key: key, sent: make([]uint64, plan.Packets),
		first: make(map[uint32]uint32, plan.Packets), seen: make(map[uint32]bool, plan.Packets),
	}
}

// expect tells that packet i is about to be sent, with its T1.
func (r *replies) expect(i int, t1 uint64) {
	r.mu.Lock()
	r.sent[i] = t1
	r.mu.Unlock()
}

// receive records replies until the socket is closed.
func (r *replies) receive(conn *socket.Conn) {
	buffer := make([]byte, 65536)
	for {
		n, m, err := conn.Receive(buffer)
		if err != nil {
			return
		}
		reply, ok := DecodeReply(buffer[:n], r.key)
		if !ok {
			r.record.Bad()
			continue
		}
		r.take(reply, m)
	}
}

func (r *replies) take(reply Reply, m socket.Message) {
	i := int(reply.Sender.Sequence)
	if i < 0 || i >= len(r.sent) {
		r.record.Bad()
		return
	}
	r.mu.Lock()
	t1 := r.sent[i]
	r.mu.Unlock()
	if t1 == 0 {
		r.record.Bad() // the answer to a packet that was not sent
		return
	}
	r.far = reply.Estimate
	number := reply.Sequence
	if r.seen[number] {
		r.record.Received(i, m.At, m.Kernel) // doubled on the way back
		return
	}
	r.seen[number] = true
	if earlier, again := r.first[uint32(i)]; again && earlier != number {
		r.doubled++
	} else {
		r.first[uint32(i)] = number
	}
	r.highest, r.any = max(r.highest, number), true

	t2, t3 := fromTimestamp(reply.Received, reply.Estimate.PTP), fromTimestamp(reply.Timestamp, reply.Estimate.PTP)
	start := fromTimestamp(t1, false)
	inside := t3.Sub(t2)
	// Some reflectors put their times into each other's place, or do not copy ours: then
	// only what this host's clock tells is true.
	sane := reply.Sender.Timestamp == t1 && inside >= 0 && inside <= m.At.Round(0).Sub(start)+time.Millisecond
	at := m.At
	if sane {
		at = at.Add(-inside)
	} else {
		r.swapped = true
	}
	if r.record.Received(i, at, m.Kernel) && sane {
		r.record.OneWay(i, t2.Sub(start), m.At.Round(0).Sub(t3))
	}
}

// measurement makes the figures. It is called when nothing is received any more.
func (r *replies) measurement(plan train.Plan, own Estimate, here, stateless bool) *oam.Measurement {
	synchronized := own.Synchronized && r.far.Synchronized
	var wrong time.Duration
	if synchronized && !here {
		wrong = own.Error() + r.far.Error()
	}
	r.record.Clocks(r.any && !r.swapped && (here || synchronized), wrong)
	r.record.Directed(r.directed(stateless))
	return r.record.Measurement(plan.Thresholds)
}

// directed tells how many packets were lost on which way: what the reflector has counted
// are those that reached it. nil when it does not count.
func (r *replies) directed(stateless bool) *oam.DirectedLoss {
	if stateless || !r.any {
		return nil
	}
	sent := 0
	for _, t1 := range r.sent {
		if t1 != 0 {
			sent++
		}
	}
	reached := int(r.highest) + 1 - r.doubled
	if reached > sent || reached < len(r.first) {
		return nil // it counts from elsewhere than 0
	}
	return &oam.DirectedLoss{FarEnd: uint32(sent - reached), NearEnd: uint32(reached - len(r.first))}
}
