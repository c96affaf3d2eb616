package path

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
)

const (
	// wave is how many hops are tried at once while the length of the path is not known.
	wave = 6
	// pause is between two probes, so that routers' limits of ICMP errors are not met.
	pause = 10 * time.Millisecond
	// refill is how long a router takes that limits its errors to one a second.
	refill = 1100 * time.Millisecond
)

// Discovery makes tests of path-discovery; it is an oam.Engine.
func Discovery(p oam.Params) (oam.Test, error) {
	d := &discovery{
		target:   p.String("target"),
		protocol: p.String("protocol"),
		port:     uint16(p.Uint("destination-port")),
		dscp:     uint8(p.Uint("dscp")),
		maxHops:  p.Int("max-hops"),
		probes:   p.Int("probes-per-hop"),
		timeout:  p.Duration("hop-timeout", time.Millisecond),
	}
	t := p.In("thresholds")
	if t.Has("max-hop-count") {
		n := t.Int("max-hop-count")
		d.maxHopCount = &n
	}
	for _, s := range t.Strings("expected-hop") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("expected-hop %s: %w", s, err)
		}
		d.expected = append(d.expected, a.WithZone(""))
	}
	return d, nil
}

// discovery is a test of path-discovery.
type discovery struct {
	target      string
	protocol    string // udp, icmp, tcp
	port        uint16
	dscp        uint8
	maxHops     int
	probes      int // of each hop
	timeout     time.Duration
	maxHopCount *int
	expected    []netip.Addr
}

// largest is what a probe has at most.
const largest = 80

// Demand is what a run takes: all hops in waves, then each probe that is left over, and
// those of routers that quote too little once more.
func (d *discovery) Demand() oam.Demand {
	rate := float64(time.Second) / float64(pause)
	all := d.maxHops * d.probes
	waves := (d.maxHops + wave - 1) / wave
	return oam.Demand{
		Target:     d.target,
		Packets:    all + d.maxHops,
		PacketRate: rate,
		BitRate:    rate * 8 * largest,
		Duration:   time.Duration(all+d.maxHops)*pause + time.Duration(waves+1)*d.timeout + wave*(refill+d.timeout),
	}
}

// Check finds the address and opens the socket once.
func (d *discovery) Check(ctx context.Context, env *oam.Env) error {
	target, err := d.address(ctx, env)
	if err != nil {
		return err
	}
	p, err := d.prober(env, target, func(answer) {})
	if err != nil {
		return err
	}
	p.close()
	return nil
}

func (d *discovery) address(ctx context.Context, env *oam.Env) (netip.Addr, error) {
	return targetOf(func() (netip.Addr, error) { return socket.Lookup(ctx, env.Vantage, d.target) }, env)
}

func (d *discovery) prober(env *oam.Env, target netip.Addr, got func(answer)) (prober, error) {
	to := netip.AddrPortFrom(target, d.port)
	if d.protocol == "tcp" {
		ctx, cancel := context.WithCancel(context.Background())
		return &connections{vantage: env.Vantage, target: to, dscp: d.dscp, timeout: d.timeout, got: got, ctx: ctx, cancel: cancel}, nil
	}
	return newDatagrams(env.Vantage, to, d.protocol == "icmp", 12, socket.Options{DSCP: d.dscp}, got)
}

// Run finds the path.
func (d *discovery) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	target, err := d.address(ctx, env)
	if err != nil {
		return nil, err
	}
	t := newTrace(target, d.maxHops)
	p, err := d.prober(env, target, t.take)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := t.discover(ctx, env, p, d.probes, d.timeout); err != nil {
		return nil, err
	}
	m := t.measurement()
	d.judge(m)
	return m, nil
}

// judge compares the path with the thresholds.
func (d *discovery) judge(m *oam.Measurement) {
	if d.maxHopCount == nil && len(d.expected) == 0 {
		m.Verdict = oam.NoVerdict
		return
	}
	m.Verdict = oam.Pass
	cross := func(format string, args ...any) {
		m.Verdict = oam.Fail
		m.Crossed = append(m.Crossed, fmt.Sprintf(format, args...))
	}
	if d.maxHopCount != nil {
		switch {
		case !m.Path.Complete:
			cross("max-hop-count: the target was not reached: %s", m.Path.EndReason)
		case int(m.Path.HopCount) > *d.maxHopCount:
			cross("max-hop-count: %d > %d", m.Path.HopCount, *d.maxHopCount)
		}
	}
	for i, want := range d.expected {
		if i >= len(m.Path.Hops) {
			cross("expected-hop: hop %d has to be %s, and the path ends before", i+1, want)
			break
		}
		got := m.Path.Hops[i].Addresses
		if len(got) > 0 && !slices.ContainsFunc(got, func(a netip.Addr) bool { return a.WithZone("") == want }) {
			cross("expected-hop: hop %d is %s, and has to be %s", i+1, got[0], want)
		}
	}
	if n := len(d.expected); n > 0 && m.Path.Complete && len(m.Path.Hops) > n {
		cross("expected-hop: the path has %d hops, and has to have %d", len(m.Path.Hops), n)
	}
}

// trace is what is known of a path.
type trace struct {
	target netip.Addr

	mu     sync.Mutex
	hops   []hop // by hop limit, from 1
	probes []probe
	alone  int           // the only probe out, by number; -1: there are several
	untold bool          // an answer did not tell its probe
	news   chan struct{} // has an element when an answer came
	end    int           // the hop limit at which the path ends, 0: not known
	user   bool
}

// probe is one that was sent.
type probe struct {
	limit    int
	at       time.Time
	answered bool
}

// hop is what came back from a hop limit.
type hop struct {
	sent, received int
	addresses      []netip.Addr
	least          time.Duration
	icmp           *oam.ICMP
	what           meaning
}

func newTrace(target netip.Addr, maxHops int) *trace {
	return &trace{target: target, hops: make([]hop, maxHops+1), alone: -1, news: make(chan struct{}, 1)}
}

// take records an answer.
func (t *trace) take(a answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !a.known {
		if t.alone < 0 {
			t.untold = true
			return
		}
		a.number = uint32(t.alone)
	}
	if int(a.number) >= len(t.probes) {
		return
	}
	p := &t.probes[a.number]
	if p.answered || p.at.IsZero() {
		return
	}
	p.answered = true
	h := &t.hops[p.limit]
	h.received++
	h.icmp, h.what = a.icmp, a.what
	if !a.kernel {
		t.user = true
	}
	if d := max(a.at.Sub(p.at), 1); h.least == 0 || d < h.least {
		h.least = d
	}
	if !slices.Contains(h.addresses, a.from) {
		h.addresses = append(h.addresses, a.from)
	}
	if a.what != expired && (t.end == 0 || p.limit < t.end) {
		t.end = p.limit
	}
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// discover sends the probes: in waves until the path ends, then the others.
func (t *trace) discover(ctx context.Context, env *oam.Env, p prober, probes int, timeout time.Duration) error {
	for first := 1; first < len(t.hops) && t.last() == 0 && ctx.Err() == nil; first += wave {
		last := min(first+wave, len(t.hops))
		for limit := first; limit < last; limit++ {
			if err := t.send(ctx, env, p, limit); err != nil {
				return err
			}
		}
		t.settle(ctx, timeout, first, last-1)
	}
	// A router that refuses everything answers some probes of a wave alone, because it limits
	// its errors, and not the first ones: where it stands is asked for slowly.
	if t.refused() {
		if err := t.alonePass(ctx, env, p, t.last()-1, timeout, refill); err != nil {
			return err
		}
	}
	last := t.last()
	if last == 0 {
		last = len(t.hops) - 1
		// Nobody answers beyond the last hop that did: no need to ask there again.
		for last > 1 && !t.heard(last) {
			last--
		}
		last = min(last+1, len(t.hops)-1)
	}
	for range probes - 1 {
		for limit := 1; limit <= last; limit++ {
			if err := t.send(ctx, env, p, limit); err != nil {
				return err
			}
		}
	}
	t.settle(ctx, timeout, 1, last)
	if t.untold {
		return t.alonePass(ctx, env, p, last, timeout, 0)
	}
	return nil
}

// refused reports whether a router has said that it goes no further.
func (t *trace) refused() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end != 0 && t.hops[t.end].what != arrived
}

// alonePass asks the hops that seem silent once more, one after the other, until the path
// ends.
func (t *trace) alonePass(ctx context.Context, env *oam.Env, p prober, last int, timeout, rest time.Duration) error {
	for limit := 1; limit <= last && ctx.Err() == nil; limit++ {
		if end := t.last(); end != 0 && limit >= end {
			break
		}
		if t.heard(limit) {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
		t.mu.Lock()
		t.alone = len(t.probes)
		t.mu.Unlock()
		if err := t.send(ctx, env, p, limit); err != nil {
			return err
		}
		t.settle(ctx, timeout, limit, limit)
	}
	return nil
}

// send sends a probe, after the pause.
func (t *trace) send(ctx context.Context, env *oam.Env, p prober, limit int) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(pause):
	}
	if err := env.Budget.Spend(p.octets()); err != nil {
		return err
	}
	t.mu.Lock()
	number := len(t.probes)
	t.probes = append(t.probes, probe{limit: limit, at: time.Now()})
	t.hops[limit].sent++
	t.mu.Unlock()
	at, err := p.send(uint32(number), limit)
	if isFault(err) {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.probes[number].answered = true // it was not sent
		t.hops[limit].sent--
		return nil
	}
	if !t.probes[number].answered {
		t.probes[number].at = at
	}
	return nil
}

// settle waits until the probes of a range of hops are answered, or their time is over, or
// the path is known to end and nothing is out before its end.
func (t *trace) settle(ctx context.Context, timeout time.Duration, first, last int) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		if t.settled(first, last) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-t.news:
		}
	}
}

func (t *trace) settled(first, last int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end != 0 {
		last = min(last, t.end)
	}
	for limit := first; limit <= last; limit++ {
		if t.hops[limit].received < t.hops[limit].sent {
			return false
		}
	}
	return true
}

// last is the hop limit at which the path ends, 0 when that is not known.
func (t *trace) last() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end
}

// heard reports whether anything came back from a hop limit.
func (t *trace) heard(limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hops[limit].received > 0
}

// measurement makes the path of what is known.
func (t *trace) measurement() *oam.Measurement {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := &oam.Measurement{Path: &oam.Path{}, Packets: &oam.Packets{}, Quality: &oam.Quality{Timestamping: oam.KernelTimestamps}}
	if t.user {
		m.Quality.Timestamping = oam.UserTimestamps
	}
	for _, h := range t.hops {
		m.Packets.Sent += uint32(h.sent)
		m.Packets.Received += uint32(h.received)
	}
	last := t.end
	if last == 0 {
		for limit, h := range t.hops {
			if h.received > 0 {
				last = limit
			}
		}
	}
	path := m.Path
	for limit := 1; limit <= last; limit++ {
		h := &t.hops[limit]
		path.Hops = append(path.Hops, oam.Hop{
			Index: uint32(limit), Addresses: h.addresses, Received: uint32(h.received), MinDelay: h.least, ICMP: h.icmp,
		})
	}
	if t.end != 0 {
		h := &t.hops[t.end]
		at := h.addresses[len(h.addresses)-1]
		if path.Complete = h.what == arrived && slices.Contains(h.addresses, t.target); path.Complete {
			path.HopCount = uint8(t.end)
		} else {
			path.EndReason = reason(h.what, at)
		}
		return m
	}
	path.EndReason = t.silence(last)
	return m
}

// silence is why a path has no end: it goes round, or everything after a hop is silent.
func (t *trace) silence(last int) string {
	seen := map[netip.Addr]int{}
	for limit := 1; limit <= last; limit++ {
		for _, a := range t.hops[limit].addresses {
			seen[a]++
			if seen[a] >= 3 {
				return "routing-loop at " + a.String()
			}
		}
	}
	if last == 0 {
		return "first-hop-silent"
	}
	h := &t.hops[last]
	return "silent-drop-after " + h.addresses[len(h.addresses)-1].String()
}
