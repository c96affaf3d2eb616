package cfm

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"incidentd/oam"
)

// linktrace is a test of cfm-linktrace.
type linktrace struct {
	endpoints
	ttl         uint8
	timeout     time.Duration
	maxHopCount *uint8
}

// Linktrace makes tests of cfm-linktrace; it is an oam.Engine.
func Linktrace(p oam.Params) (oam.Test, error) {
	e, err := readEndpoints(p)
	if err != nil {
		return nil, err
	}
	l := &linktrace{endpoints: e, ttl: uint8(p.Uint("ttl")), timeout: p.Duration("timeout", time.Millisecond)}
	if t := p.In("thresholds"); t.Has("max-hop-count") {
		n := uint8(t.Uint("max-hop-count"))
		l.maxHopCount = &n
	}
	return l, nil
}

// message is the only one that a run sends.
func (l *linktrace) message(x *end, transaction uint32) []byte {
	f := l.frame(x, LTM, transaction)
	f.Destination, f.Flags, f.TTL = class2(l.level), UseFDBOnly, l.ttl
	f.Original, f.Target, f.Egress = x.local, l.target, egressOf(x.local)
	return f.Append(nil)
}

// Demand is what a run takes.
func (l *linktrace) Demand() oam.Demand {
	size := len(l.message(&end{}, 0))
	return oam.Demand{Target: l.where(), Packets: 1, PacketRate: 1, BitRate: float64(8 * size), Duration: l.timeout}
}

// Check opens the socket once.
func (l *linktrace) Check(_ context.Context, env *oam.Env) error {
	return l.check(env, len(l.message(&end{}, 0)))
}

// Run sends the message and waits for the replies. All have come when the target's is there
// and no distance before it is missing; a target that is missing is waited for.
func (l *linktrace) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	x, err := l.open(env)
	if err != nil {
		return nil, err
	}
	t := &trace{ttl: l.ttl, complete: make(chan struct{})}
	transaction := rand.Uint32()
	var wait sync.WaitGroup
	wait.Go(func() {
		l.receive(x, func(r Frame, at time.Time, kernel bool) {
			if r.OpCode == LTR && r.Transaction == transaction {
				t.take(r, at, kernel)
			}
		})
	})
	defer wait.Wait()
	defer x.link.Close()
	message := l.message(x, transaction)
	if err := env.Budget.Spend(len(message)); err != nil {
		return nil, err
	}
	t.begin(time.Now())
	if _, err := x.link.Send(message, x.index); err != nil {
		return nil, oam.Faultf(oam.BadTarget, "the message cannot be sent by %s: %w", l.name, err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(l.timeout):
	case <-t.complete:
	}
	m := t.measurement()
	l.judge(m, ctx.Err() != nil)
	return m, nil
}

// judge compares the path with the threshold. A run that was stopped had no time for the
// target.
func (l *linktrace) judge(m *oam.Measurement, stopped bool) {
	if l.maxHopCount == nil {
		m.Verdict = oam.NoVerdict
		return
	}
	m.Verdict = oam.Pass
	switch {
	case !m.Path.Complete && stopped:
		m.Verdict = oam.Inconclusive
	case !m.Path.Complete:
		m.Verdict = oam.Fail
		m.Crossed = append(m.Crossed, "max-hop-count: the target was not reached: "+m.Path.EndReason)
	case m.Path.HopCount > *l.maxHopCount:
		m.Verdict = oam.Fail
		m.Crossed = append(m.Crossed, fmt.Sprintf("max-hop-count: %d > %d", m.Path.HopCount, *l.maxHopCount))
	}
}

// relayHit is the relay action of the target itself.
const relayHit = 1

// maxReplies bounds what a run remembers of whoever replies.
const maxReplies = 1024

// trace is what came back.
type trace struct {
	ttl      uint8
	complete chan struct{} // closed by take when nothing more is to come

	mu      sync.Mutex
	began   time.Time
	replies []reply
	bad     uint32
	user    bool // a time is not the kernel's
	closed  bool
}

type reply struct {
	Frame
	distance uint8
	delay    time.Duration
}

func (t *trace) begin(at time.Time) {
	t.mu.Lock()
	t.began = at
	t.mu.Unlock()
}

// take records a reply.
func (t *trace) take(r Frame, at time.Time, kernel bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.TTL >= t.ttl || len(t.replies) == maxReplies {
		t.bad++
		return
	}
	t.replies = append(t.replies, reply{r, t.ttl - r.TTL, max(at.Sub(t.began), 1)})
	t.user = t.user || !kernel
	if !t.closed && t.whole() {
		t.closed = true
		close(t.complete)
	}
}

// whole reports whether the target has replied and every point before it. The lock is held.
func (t *trace) whole() bool {
	var seen [256]bool
	end := 0
	for _, r := range t.replies {
		seen[r.distance] = true
		if r.Relay == relayHit {
			end = int(r.distance)
		}
	}
	return end > 0 && !slices.Contains(seen[1:end], false)
}

// measurement makes the path of the replies: the nearest first.
func (t *trace) measurement() *oam.Measurement {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := &oam.Measurement{
		Packets: &oam.Packets{Sent: 1, Received: uint32(len(t.replies)), Bad: t.bad},
		Path:    &oam.Path{},
		Quality: &oam.Quality{Timestamping: oam.KernelTimestamps},
	}
	if t.user {
		m.Quality.Timestamping = oam.UserTimestamps
	}
	slices.SortStableFunc(t.replies, func(a, b reply) int { return cmp.Compare(a.distance, b.distance) })
	path := m.Path
	for i := range t.replies {
		r := &t.replies[i]
		if len(path.Hops) == 0 || path.Hops[len(path.Hops)-1].Index != uint32(r.distance) {
			path.Hops = append(path.Hops, oam.Hop{Index: uint32(r.distance), MinDelay: r.delay, Bridge: bridgeOf(&r.Frame)})
		}
		h := &path.Hops[len(path.Hops)-1]
		h.Received++
		h.MinDelay = min(h.MinDelay, r.delay)
		if a := net.HardwareAddr(r.Source[:]); !slices.ContainsFunc(h.MAC, func(b net.HardwareAddr) bool { return slices.Equal(a, b) }) {
			h.MAC = append(h.MAC, a)
		}
		if r.Relay == relayHit && !path.Complete {
			path.Complete, path.HopCount = true, r.distance
		}
	}
	if !path.Complete {
		path.EndReason = t.silence()
	}
	return m
}

// silence is why nobody with the target's address has replied. The lock is held.
func (t *trace) silence() string {
	if len(t.replies) == 0 {
		return "first-hop-silent"
	}
	last := t.replies[len(t.replies)-1]
	if last.Flags&FwdYes == 0 {
		return "not-forwarded at " + last.Source.String()
	}
	return "silent-drop-after " + last.Source.String()
}

// Names as those of ieee802-dot1q-cfm.
var (
	relayActions   = map[uint8]string{relayHit: "rly-hit", 2: "rly-fdb", 3: "rly-mpdb"}
	ingressActions = map[uint8]string{1: "ing-ok", 2: "ing-down", 3: "ing-blocked", 4: "ing-vid"}
	egressActions  = map[uint8]string{1: "egr-ok", 2: "egr-down", 3: "egr-blocked", 4: "egr-vid"}
)

// bridgeOf is what a reply tells of its bridge.
func bridgeOf(r *Frame) *oam.Bridge {
	b := &oam.Bridge{Relay: relayActions[r.Relay], Forwarded: r.Flags&FwdYes != 0, TerminalMEP: r.Flags&TerminalMEP != 0}
	if p := r.Ingress; p != nil {
		b.Ingress, b.IngressMAC = ingressActions[p.Action], slices.Clone(net.HardwareAddr(p.MAC[:]))
	}
	if p := r.Leaves; p != nil {
		b.Egress, b.EgressMAC = egressActions[p.Action], slices.Clone(net.HardwareAddr(p.MAC[:]))
	}
	return b
}
