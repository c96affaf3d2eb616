package bfd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
)

// liveness is a test of bfd-liveness.
type liveness struct {
	node     *Node
	target   string
	dscp     uint8
	multihop bool
	hold     time.Duration
	keyRef   string
	keyID    uint8
	parameters

	maxDownCount uint32
	maxTimeToUp  *time.Duration
}

// Engine makes tests of bfd-liveness; it is an oam.Engine.
func (n *Node) Engine(p oam.Params) (oam.Test, error) {
	l := &liveness{
		node:     n,
		target:   p.String("target"),
		dscp:     uint8(p.Uint("dscp")),
		multihop: p.Bool("multihop"),
		hold:     p.Duration("hold", time.Second),
		keyRef:   p.String("authentication-key-ref"),
		keyID:    uint8(p.Uint("authentication-key-id")),
		parameters: parameters{
			desiredMinTx:  p.Duration("desired-min-tx-interval", time.Microsecond),
			requiredMinRx: p.Duration("required-min-rx-interval", time.Microsecond),
			detectMult:    uint8(p.Uint("local-multiplier")),
		},
	}
	if l.requiredMinRx == 0 {
		l.requiredMinRx = l.desiredMinTx
	}
	t := p.In("thresholds")
	l.maxDownCount = uint32(t.Uint("max-down-count"))
	if t.Has("max-time-to-up") {
		d := t.Duration("max-time-to-up", time.Nanosecond)
		l.maxTimeToUp = &d
	}
	return l, nil
}

// octets is the size of the IP packets.
func (l *liveness) octets(six bool) int {
	n := 20 + 8 + headerSize
	if six {
		n += 20
	}
	if l.keyRef != "" {
		n += sectionSize
	}
	return n
}

// Demand is what a run takes: periodic packets, whose intervals chance shortens by a
// quarter at most, and those between them.
func (l *liveness) Demand() oam.Demand {
	rate := (1/.75 + extraPackets) / l.desiredMinTx.Seconds()
	hops := "one hop"
	if l.multihop {
		hops = "several hops"
	}
	return oam.Demand{
		Target:     l.target,
		PacketRate: rate,
		BitRate:    rate * float64(8*l.octets(true)),
		Duration:   l.hold + farewell,
		Exclusive:  []string{fmt.Sprintf("BFD session with %s over %s", l.target, hops)},
	}
}

// Check finds the address and the key, and opens the sockets once.
func (l *liveness) Check(ctx context.Context, env *oam.Env) error {
	e, err := l.open(ctx, env)
	if err != nil {
		return err
	}
	e.close()
	return nil
}

// end is what a run has open.
type end struct {
	node           *Node
	port           *port // receives
	mailbox        *mailbox
	conn           *socket.Conn // sends
	to             netip.AddrPort
	octets         int             // of each packet
	authentication *authentication // nil for none
}

func (l *liveness) open(ctx context.Context, env *oam.Env) (_ *end, err error) {
	e := &end{node: l.node}
	key, err := l.node.keys.Key(l.keyRef)
	if err != nil {
		return nil, err
	}
	if key != nil {
		if e.authentication, err = newAuthentication(l.keyID, key, random()); err != nil {
			return nil, oam.Faultf(oam.NotPermitted, "key %s: %w", l.keyRef, err)
		}
	}
	target, err := socket.Lookup(ctx, env.Vantage, l.target)
	if err != nil {
		return nil, err
	}
	if err := env.Permit(target); err != nil {
		return nil, err
	}
	at := place{vantage: env.Vantage, six: target.Is6(), multihop: l.multihop}
	at.vantage.Name = ""
	e.to, e.octets = netip.AddrPortFrom(target, at.number()), l.octets(at.six)
	if e.port, err = l.node.open(at); err != nil {
		return nil, err
	}
	if e.mailbox, err = e.port.join(target.WithZone("")); err != nil {
		l.node.close(e.port)
		return nil, err
	}
	if e.conn, err = sender(at, l.dscp); err != nil {
		e.port.leave(e.mailbox)
		l.node.close(e.port)
		return nil, err
	}
	return e, nil
}

func (e *end) close() {
	e.conn.Close()
	e.port.leave(e.mailbox)
	e.node.close(e.port)
}

// sender opens what packets of a session leave by: with a port of those for that, which
// tells sessions apart, and the hop limit that the far end asks for [RFC 5881 sections 4
// and 5].
func sender(at place, dscp uint8) (*socket.Conn, error) {
	const first, last = 49152, 65535
	for tries := 0; ; tries++ {
		from := uint16(first + rand.IntN(last-first+1))
		c, err := socket.Open(at.vantage, socket.UDP, at.six, socket.Options{Port: from, DSCP: dscp, HopLimit: 255})
		if tries < 100 && errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		return c, err
	}
}

// Run keeps the session for as long as it is to be kept.
func (l *liveness) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	e, err := l.open(ctx, env)
	if err != nil {
		return nil, err
	}
	defer e.close()
	p := l.parameters
	p.authentication = e.authentication
	began := time.Now()
	r := &run{env: env, end: e, session: newSession(p, e.mailbox.local, began), kernel: true}
	kept, cancel := context.WithTimeout(ctx, l.hold)
	defer cancel()
	if err := r.keep(kept); err != nil {
		return nil, err
	}
	ended := time.Now()
	m := r.measurement(ended)
	l.judge(m, r.session, ended.Sub(began))
	return m, r.leave()
}

// judge compares what was found with the thresholds. A run that was cut short before the
// session could come up tells nothing, and one whose host was late for so long that the far
// end had to take that for a failure tells nothing of the path.
func (l *liveness) judge(m *oam.Measurement, s *session, took time.Duration) {
	m.Verdict = oam.Pass
	crossed := func(format string, args ...any) {
		m.Verdict = oam.Fail
		m.Crossed = append(m.Crossed, fmt.Sprintf(format, args...))
	}
	f := m.BFD
	switch {
	case f.TimeToUp == 0 && took < min(l.hold, 4*slow):
		m.Verdict = oam.Inconclusive
	case f.TimeToUp == 0 && m.Packets.Received == 0:
		crossed("max-down-count: the session never came up: the far end is silent")
	case f.TimeToUp == 0:
		crossed("max-down-count: the session never came up: the far end is in state %s, its diagnostic is %d", s.remoteState, f.RemoteDiagnostic)
	case f.DownCount > l.maxDownCount && m.Quality.MaxSendLateness >= time.Duration(l.detectMult-1)*f.TransmitInterval:
		m.Verdict = oam.Inconclusive
	case f.DownCount > l.maxDownCount:
		crossed("max-down-count: %d > %d", f.DownCount, l.maxDownCount)
	}
	if l.maxTimeToUp != nil && f.TimeToUp > *l.maxTimeToUp {
		crossed("max-time-to-up: %s > %s", f.TimeToUp, *l.maxTimeToUp)
	}
}
