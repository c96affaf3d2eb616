// Package diagnosetest has a network in memory for tests of diagnoses: engines that measure
// what it makes of packets, without sending any, as quickly as the clock of the test goes.
//
// From the near end a path leads by P1 (10.0.1.2) and P2 (10.0.2.2) to everything else. The
// link from P1 to P2 loses a tenth of the packets to P2 and to 10.255.0.4. Packets to
// 10.255.0.5 vanish behind P2. 10.255.0.6 is well. The engine that sends to 10.255.0.7 sends
// more than it says, and does not mind when it is told.
package diagnosetest

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"incidentd/oam"
)

// The addresses that matter.
const (
	P1     = "10.0.1.2"
	P2     = "10.0.2.2"
	Lossy  = "10.255.0.4"
	Silent = "10.255.0.5"
	Well   = "10.255.0.6"
	Greedy = "10.255.0.7"
)

// Engines are those of the network, by the type of test. sent is told each packet that the
// budget has let pass; nil: nobody is.
func Engines(sent func(octets int)) map[string]oam.Engine {
	if sent == nil {
		sent = func(int) {}
	}
	engine := func(kind string) oam.Engine {
		return func(p oam.Params) (oam.Test, error) { return test{kind, p, sent}, nil }
	}
	out := map[string]oam.Engine{}
	for _, kind := range []string{"icmp-echo", "path-discovery", "path-mtu", "tcp-connect"} {
		out[kind] = engine(kind)
	}
	return out
}

// test is a test of the network.
type test struct {
	kind string
	oam.Params
	sent func(int)
}

func (t test) target() string { return t.String("target") }

// Demand is what the engines that send packets demand.
func (t test) Demand() oam.Demand {
	d := oam.Demand{Target: t.target(), PacketRate: 100, BitRate: 100 * 8 * 80}
	switch t.kind {
	case "path-discovery":
		d.Packets = t.Int("max-hops") * (t.Int("probes-per-hop") + 1)
		d.Duration = 5 * time.Second
	case "path-mtu":
		d.Packets, d.BitRate, d.Duration = 40, 20*8*1500, 20*time.Second
		d.PacketRate = 20
	default:
		interval := t.Duration("interval", time.Microsecond)
		d.Packets = t.Int("number-of-packets")
		d.PacketRate = float64(time.Second) / float64(interval)
		d.BitRate = d.PacketRate * 8 * float64(t.octets())
		d.Duration = time.Duration(d.Packets)*interval + t.Duration("session-timeout", time.Millisecond)
	}
	return d
}

func (t test) octets() int {
	if t.kind == "icmp-echo" {
		return t.Int("packet-size") + 28
	}
	return 60
}

// Check finds nothing wrong.
func (t test) Check(context.Context, *oam.Env) error { return nil }

// Run measures.
func (t test) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	a, err := netip.ParseAddr(t.target())
	if err != nil {
		return nil, oam.Faultf(oam.BadTarget, "%s is no address", t.target())
	}
	if err := env.Permit(a); err != nil {
		return nil, err
	}
	switch t.kind {
	case "path-discovery":
		return t.path(ctx, env)
	case "path-mtu":
		m := &oam.Measurement{Packets: &oam.Packets{Sent: 2, Received: 2}, MTU: &oam.MTU{Size: 1500}}
		return m, t.send(ctx, env, 2, 100*time.Millisecond, 1500, func(int) {})
	}
	return t.train(ctx, env)
}

// send sends packets, each after an interval.
func (t test) send(ctx context.Context, env *oam.Env, packets int, interval time.Duration, octets int, each func(int)) error {
	for i := range packets {
		if err := env.Budget.Spend(octets); err != nil {
			if t.target() == Greedy {
				continue // it does not mind
			}
			return err
		}
		t.sent(octets)
		each(i)
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (t test) train(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	m := &oam.Measurement{Packets: &oam.Packets{}, Errors: &oam.Errors{}}
	packets := t.Int("number-of-packets")
	if t.target() == Greedy {
		packets *= 10
	}
	err := t.send(ctx, env, packets, t.Duration("interval", time.Microsecond), t.octets(), func(i int) {
		m.Packets.Sent++
		lost := t.target() == Silent || slices.Contains([]string{P2, Lossy}, t.target()) && i%10 == 3
		if lost {
			m.Errors.Lost++
		} else {
			m.Packets.Received++
		}
	})
	if m.Packets.Sent > 0 {
		m.Errors.LossRatio = 100 * float64(m.Errors.Lost) / float64(m.Packets.Sent)
	}
	if m.Packets.Received > 0 {
		m.TwoWay = &oam.Delay{Min: 1e6, Average: 1e6, Max: 2e6, Percentile50: 1e6, Percentile95: 15e5, Percentile99: 2e6}
	}
	return m, err
}

func (t test) path(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	p := &oam.Path{}
	for i, a := range []string{P1, P2, t.target()} {
		h := oam.Hop{Index: uint32(i + 1)}
		if a != Silent {
			h.Addresses, h.Received = []netip.Addr{netip.MustParseAddr(a)}, 2
		}
		p.Hops = append(p.Hops, h)
	}
	if t.target() == Silent {
		p.EndReason = "silent-drop-after " + P2
	} else {
		p.Complete, p.HopCount = true, 3
	}
	return &oam.Measurement{Path: p}, t.send(ctx, env, 6, 10*time.Millisecond, 40, func(int) {})
}
