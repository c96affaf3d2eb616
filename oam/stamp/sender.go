package stamp

import (
	"context"
	"strconv"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/train"
)

// sender is a test of stamp.
type sender struct {
	node      *Node
	session   SessionConfig
	stateless bool
	plan      train.Plan
}

// Engine makes tests of stamp; it is an oam.Engine.
func (n *Node) Engine(p oam.Params) (oam.Test, error) {
	size := p.Int("packet-size")
	s := &sender{
		node: n,
		session: SessionConfig{
			Target: p.String("target"),
			Port:   uint16(p.Uint("session-reflector-udp-port")),
			From:   uint16(p.Uint("session-sender-udp-port")),
			SSID:   uint16(p.Uint("stamp-session-id")),
			DSCP:   uint8(p.Uint("dscp")),
			Key:    p.String("authentication-key-ref"),
			Size:   func(bool) int { return size },
		},
		stateless: p.String("reflector-mode") == "stateless",
	}
	if s.session.Key != "" {
		size = max(size, authenticatedSize)
	}
	s.plan = train.ReadPlan(p, octets(size, true)) // the larger header, until the address is known
	return s, nil
}

// Demand is what a run takes.
func (s *sender) Demand() oam.Demand {
	d := s.plan.Demand(s.session.Target)
	if s.session.From != 0 {
		d.Exclusive = []string{"udp port " + strconv.Itoa(int(s.session.From))}
	}
	return d
}

// Check finds the address and the key, and opens the session once.
func (s *sender) Check(ctx context.Context, env *oam.Env) error {
	return s.node.Check(ctx, env, s.session)
}

// Check opens a session and closes it again.
func (n *Node) Check(ctx context.Context, env *oam.Env, c SessionConfig) error {
	s, err := n.Open(ctx, env, c)
	if err != nil {
		return err
	}
	s.End(Estimate{})
	return s.Close()
}

// Run sends the train and reads the replies.
func (s *sender) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	session, err := s.node.Open(ctx, env, s.session)
	if err != nil {
		return nil, err
	}
	plan := s.plan
	plan.Octets = session.Octets
	r := newReplies(plan)
	var wait sync.WaitGroup
	wait.Go(func() { r.receive(session) })
	err = plan.Pace(ctx, env, r.record, func(i int) (time.Time, error) {
		now := time.Now()
		r.expect(i, now)
		err := session.Send(uint32(i), now)
		if err != nil {
			r.expect(i, time.Time{})
		}
		return now, err
	})
	session.Close()
	wait.Wait()
	valid, wrong := session.End(r.far)
	if err != nil {
		return nil, err
	}
	return r.measurement(plan, valid, wrong, s.stateless), nil
}

// replies are those of a train.
type replies struct {
	record *train.Record

	mu   sync.Mutex
	sent []time.Time // when each packet was sent, as it tells; zero: not sent

	// Of the goroutine that receives, until it has ended.
	first   map[uint32]uint32 // the number of the reflector in the first reply to a packet
	seen    map[uint32]bool   // the numbers of the reflector
	doubled int               // packets that the reflector got twice
	highest uint32            // of the reflector
	any     bool
	insane  bool     // its timestamps cannot be
	far     Estimate // of the reflector's clock
}

func newReplies(plan train.Plan) *replies {
	return &replies{
		record: train.NewRecord(plan), sent: make([]time.Time, plan.Packets),
		first: make(map[uint32]uint32, plan.Packets), seen: make(map[uint32]bool, plan.Packets),
	}
}

// expect tells that packet i is about to be sent, or, with a time of zero, that it could not
// be.
func (r *replies) expect(i int, at time.Time) {
	r.mu.Lock()
	r.sent[i] = at
	r.mu.Unlock()
}

// receive records replies until the session is closed.
func (r *replies) receive(s *Session) {
	for {
		reply, m, ok, err := s.Receive()
		if err != nil {
			return
		}
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
	if t1.IsZero() {
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

	d := reply.Delays(t1, m)
	r.insane = r.insane || !d.Sane
	if r.record.Received(i, d.Answered, m.Kernel) && d.Sane {
		r.record.OneWay(i, d.Far, d.Near)
	}
}

// measurement makes the figures. It is called when nothing is received any more, with what
// Session.End tells.
func (r *replies) measurement(plan train.Plan, valid bool, wrong time.Duration, stateless bool) *oam.Measurement {
	r.record.Clocks(valid && r.any && !r.insane, wrong)
	if !stateless {
		r.record.Directed(r.directed())
	}
	return r.record.Measurement(plan.Thresholds)
}

// directed tells how many packets were lost on which way: what the reflector has counted
// are those that reached it. nil when it does not count from 0.
func (r *replies) directed() *oam.DirectedLoss {
	if !r.any {
		return nil
	}
	sent := 0
	for _, t1 := range r.sent {
		if !t1.IsZero() {
			sent++
		}
	}
	reached := int(r.highest) + 1 - r.doubled
	if reached > sent || reached < len(r.first) {
		return nil
	}
	return &oam.DirectedLoss{FarEnd: uint32(sent - reached), NearEnd: uint32(reached - len(r.first))}
}
