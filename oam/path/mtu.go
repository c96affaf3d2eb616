package path

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
)

// MTU makes tests of path-mtu; it is an oam.Engine.
func MTU(p oam.Params) (oam.Test, error) {
	m := &mtu{
		target:     p.String("target"),
		dscp:       uint8(p.Uint("dscp")),
		max:        p.Int("max-size"),
		allowBlack: p.In("thresholds").Bool("allow-black-hole"),
	}
	if t := p.In("thresholds"); t.Has("min-path-mtu") {
		m.min = t.Int("min-path-mtu")
	}
	return m, nil
}

// mtu is a test of path-mtu: echo requests that must not be fragmented. Errors about ports
// that nobody listens at are limited by hosts; echo replies are not.
type mtu struct {
	target     string
	dscp       uint8
	max        int
	min        int // the threshold; 0: none
	allowBlack bool
}

const (
	// tries is how often a size is sent before it counts as too large.
	tries = 2
	// patience is how long an answer may take.
	patience = time.Second
	// least4 and least6 are what every path carries [RFC 791, RFC 8200].
	least4, least6 = 68, 1280
	// sizes is how many sizes are tried at most: halves, and what routers tell.
	sizes = 20
)

// Demand is what a run takes.
func (m *mtu) Demand() oam.Demand {
	return oam.Demand{
		Target: m.target, Packets: tries * sizes, PacketRate: 20, BitRate: 20 * 8 * float64(m.max),
		Duration: tries * sizes * patience / 2,
	}
}

// Check finds the address and opens the socket once.
func (m *mtu) Check(ctx context.Context, env *oam.Env) error {
	target, err := m.address(ctx, env)
	if err != nil {
		return err
	}
	d, err := m.open(env, target, func(answer) {})
	if err != nil {
		return err
	}
	d.close()
	return nil
}

func (m *mtu) address(ctx context.Context, env *oam.Env) (netip.Addr, error) {
	return targetOf(func() (netip.Addr, error) { return socket.Lookup(ctx, env.Vantage, m.target) }, env)
}

func (m *mtu) open(env *oam.Env, target netip.Addr, got func(answer)) (*datagrams, error) {
	return newDatagrams(env.Vantage, netip.AddrPortFrom(target, 0), true, 0, socket.Options{DSCP: m.dscp, DoNotFragment: true}, got)
}

// Run finds the largest size that arrives: the one tried first, the one that a router
// tells, or by halves where none tells.
func (m *mtu) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	target, err := m.address(ctx, env)
	if err != nil {
		return nil, err
	}
	s := &search{answers: make(chan answer, 64)}
	d, err := m.open(env, target, s.take)
	if err != nil {
		return nil, err
	}
	defer d.close()
	s.datagrams, s.env = d, env
	low, high := least4, m.max
	if target.Is6() {
		low = least6
	}
	result := &oam.Measurement{Quality: &oam.Quality{Timestamping: oam.KernelTimestamps}}
	finish := func(size int, black bool) (*oam.Measurement, error) {
		result.Packets = &oam.Packets{Sent: uint32(s.sent), Received: uint32(s.received)}
		if size > 0 {
			result.MTU = &oam.MTU{Size: uint16(size), BlackHole: black}
		}
		m.judge(result)
		return result, nil
	}
	fits, err := s.fits(ctx, low)
	if err != nil {
		return nil, err
	}
	if !fits {
		return finish(0, false) // the target does not answer, whatever the size
	}
	silent := false // nobody told of the smallest size that does not fit
	for try := high; low < high && ctx.Err() == nil; try = low + (high-low+1)/2 {
		fits, err := s.fits(ctx, try)
		if err != nil {
			return nil, err
		}
		if fits {
			low = try
			continue
		}
		high, silent = try-1, !s.told
		// What a router tells is tried next; it may be wrong.
		if s.hint >= low && s.hint <= high {
			high = s.hint
			if fits, err = s.fits(ctx, high); err != nil {
				return nil, err
			}
			if fits {
				low = high
			} else {
				high, silent = high-1, !s.told
			}
		}
	}
	return finish(low, silent && low < m.max)
}

// judge compares the size with the thresholds.
func (m *mtu) judge(r *oam.Measurement) {
	switch {
	case m.min == 0 && m.allowBlack:
		r.Verdict = oam.NoVerdict
	case r.MTU == nil:
		r.Verdict = oam.Inconclusive
	default:
		r.Verdict = oam.Pass
		if int(r.MTU.Size) < m.min {
			r.Verdict = oam.Fail
			r.Crossed = append(r.Crossed, fmt.Sprintf("min-path-mtu: %d < %d", r.MTU.Size, m.min))
		}
		if r.MTU.BlackHole && !m.allowBlack {
			r.Verdict = oam.Fail
			r.Crossed = append(r.Crossed, fmt.Sprintf("allow-black-hole: packets larger than %d vanish", r.MTU.Size))
		}
	}
}

// search tries sizes.
type search struct {
	*datagrams
	env            *oam.Env
	answers        chan answer
	number         uint32
	sent, received int

	// Of the last size: whether somebody told that it does not fit, and what would (0: not
	// told).
	told bool
	hint int
}

// take hands on an answer; one that nobody waits for is dropped.
func (s *search) take(a answer) {
	select {
	case s.answers <- a:
	default:
	}
}

// fits reports whether a packet of a size arrives.
func (s *search) fits(ctx context.Context, size int) (bool, error) {
	header := 28
	if s.six {
		header = 48
	}
	s.datagrams.size = max(size-header, 4)
	s.told, s.hint = false, 0
	for range tries {
		if ctx.Err() != nil {
			return false, nil
		}
		if err := s.env.Budget.Spend(size); err != nil {
			return false, err
		}
		s.number++
		if _, err := s.datagrams.send(s.number, 0); err != nil {
			if errors.Is(err, syscall.EMSGSIZE) {
				s.told = true // by the own link
				return false, nil
			}
			continue
		}
		s.sent++
		if fits := s.wait(ctx); fits || s.told {
			return fits, nil
		}
	}
	return false, nil
}

// wait waits for the answer to the last packet, and reports whether it arrived.
func (s *search) wait(ctx context.Context) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return false
		case a := <-s.answers:
			switch {
			case a.known && a.number != s.number: // of an earlier one
			case a.icmp == nil:
				s.received++
				return true
			case a.what == tooBig:
				s.told, s.hint = true, a.mtu
				return false
			}
		}
	}
}
