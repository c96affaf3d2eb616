package activation

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"incidentd/oam"
	"incidentd/oam/stamp"
	"incidentd/oam/train"
)

const (
	// frameOverhead are the octets of a frame that its IP packet has not: header and check
	// sequence.
	frameOverhead = 14 + 4
	// answerTime is how long an answer may take.
	answerTime = time.Second
	// smallest are the octets of UDP of the smallest packet of STAMP.
	smallest = 44
	// nearly is the part of its rate that a step has to be offered at, to stand for it.
	nearly = .95
	// maxRate is how many packets per second a step may have: what bounds its memory, and
	// more than one sender can do.
	maxRate = 1_000_000
)

// standard are the steps without others: parts of the committed rate in percent.
var standard = []int{25, 50, 75, 100}

// activation is a test of service-activation.
type activation struct {
	node      *stamp.Node
	session   stamp.SessionConfig
	stateless bool
	frame     int // octets of a frame
	steps     []step
	train.Thresholds
}

// step is one of load.
type step struct {
	percent int
	plan    train.Plan
}

// Engine makes the engine of service-activation, an oam.Engine, whose sessions are those of a
// node.
func Engine(n *stamp.Node) oam.Engine {
	return func(p oam.Params) (oam.Test, error) {
		a := &activation{
			node: n, frame: p.Int("frame-size"), stateless: p.String("reflector-mode") == "stateless",
			session: stamp.SessionConfig{
				Target: p.String("target"), Port: uint16(p.Uint("session-reflector-udp-port")), DSCP: uint8(p.Uint("dscp")), DoNotFragment: true,
			},
			Thresholds: train.ReadThresholds(p.In("thresholds")),
		}
		a.session.Size = a.payload
		if t, err := netip.ParseAddr(a.session.Target); err == nil && a.payload(t.Is6()) < smallest {
			return nil, fmt.Errorf("a frame of %d octets has no room for a packet of STAMP over IPv6: it takes %d", a.frame, a.frame+smallest-a.payload(true))
		}
		percents := standard
		if list := p.Strings("step"); len(list) > 0 {
			percents = nil
			for _, s := range list {
				n, _ := strconv.Atoi(s) // the schema has checked it
				percents = append(percents, n)
			}
		}
		for _, percent := range percents {
			rate := 1000 * p.Float("committed-information-rate") * float64(percent) / 100 / float64(8*a.frame)
			plan := train.Plan{
				Packets: max(1, int(rate*p.Duration("step-duration", time.Second).Seconds())),
				Timeout: answerTime, Octets: a.frame - frameOverhead, Smooth: true, Thresholds: a.Thresholds,
			}
			if rate > maxRate {
				return nil, fmt.Errorf("the step of %d %% is %.0f frames per second, and no more than %d can be sent: take larger frames or a lower rate", percent, rate, maxRate)
			}
			plan.Interval = time.Duration(float64(time.Second) / rate)
			a.steps = append(a.steps, step{percent, plan})
		}
		return a, nil
	}
}

// payload are the octets of UDP of a frame.
func (a *activation) payload(six bool) int {
	if six {
		return a.frame - frameOverhead - 40 - 8
	}
	return a.frame - frameOverhead - 20 - 8
}

// Demand is what a run takes.
func (a *activation) Demand() oam.Demand {
	all := oam.Demand{Target: a.session.Target, Load: true, Exclusive: []string{"the right to load paths"}}
	for _, s := range a.steps {
		d := s.plan.Demand(a.session.Target)
		all.Packets += d.Packets
		all.PacketRate, all.BitRate = max(all.PacketRate, d.PacketRate), max(all.BitRate, d.BitRate)
		all.Duration += d.Duration
	}
	return all
}

// Check finds the address, and opens a session once.
func (a *activation) Check(ctx context.Context, env *oam.Env) error {
	return a.node.Check(ctx, env, a.session)
}

// Run takes the steps. When it is stopped the step under way counts as far as it went.
func (a *activation) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	var (
		all      train.Sum
		steps    []oam.Step
		directed = new(oam.DirectedLoss)
		valid    = true
		wrong    time.Duration
	)
	for _, s := range a.steps {
		l, err := a.load(ctx, env, s)
		if err != nil {
			return nil, err
		}
		if l.sum.Sent == 0 {
			break // stopped before its first packet
		}
		steps = append(steps, l.step(s, a.frame))
		if s.percent <= 100 {
			all.Add(l.sum)
			valid, wrong = valid && l.valid, max(wrong, l.wrong)
			if l.directed == nil {
				directed = nil
			} else if directed != nil {
				directed.FarEnd += l.directed.FarEnd
				directed.NearEnd += l.directed.NearEnd
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	m := all.Measurement(directed, valid && all.Sent > 0, wrong, a.Thresholds)
	m.Steps = steps
	m.Throughput = throughput(steps)
	if m.Verdict == oam.Pass && !a.offered(steps) {
		m.Verdict = oam.Inconclusive
	}
	return m, nil
}

// offered reports whether every step up to the committed rate was there, at its rate or
// nearly.
func (a *activation) offered(steps []oam.Step) bool {
	for i, s := range a.steps {
		if s.percent > 100 {
			continue
		}
		planned := float64(8*a.frame) / s.plan.Interval.Seconds() / 1000
		if i >= len(steps) || float64(steps[i].Offered) < nearly*planned {
			return false
		}
	}
	return true
}

// throughput is the highest rate that was offered without a loss on the way there, 0 without
// any [RFC 1242 section 3.17].
func throughput(steps []oam.Step) (rate uint64) {
	for _, s := range steps {
		if s.Lost == 0 {
			rate = max(rate, s.Offered)
		}
	}
	return rate
}

// load sends the packets of a step, and waits for the answers.
func (a *activation) load(ctx context.Context, env *oam.Env, s step) (*load, error) {
	session, err := a.node.Open(ctx, env, a.session)
	if err != nil {
		return nil, err
	}
	if session.Octets != session.Wanted {
		session.End(stamp.Estimate{})
		session.Close()
		return nil, oam.Faultf(oam.BadTarget, "%s has an address of IPv6 alone, and a frame of %d octets has no room for a packet of STAMP over that", a.session.Target, a.frame)
	}
	l := newLoad(s.plan, samples/len(a.steps))
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.receive(session)
	}()
	err = s.plan.Pace(ctx, env, l.tally, func(i int) (time.Time, error) {
		now := time.Now()
		l.tally.Expect(i, now)
		err := session.Send(uint32(i), now)
		if errors.Is(err, syscall.EMSGSIZE) {
			err = oam.Faultf(oam.BadTarget, "a frame of %d octets does not fit the link: %w", a.frame, err)
		}
		return now, err
	})
	if err == nil && ctx.Err() != nil { // what is under way has its time
		select {
		case <-l.tally.Complete():
		case <-time.After(answerTime):
		}
	}
	session.Close()
	<-done
	l.valid, l.wrong = session.End(l.far)
	if err != nil {
		return nil, err
	}
	l.end(a.stateless)
	return l, nil
}
