package oam

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"incidentd/netconf/netconftest"
)

var update = flag.Bool("update", false, "rewrite the dialogues with what is received")

// stage is an engine for tests: what it does is told by the last octet of the target.
//
//	.1  all answers come, after ten milliseconds each
//	.2  none comes: the verdict is fail
//	.3  the engine fails
//	.4  there is no way there, which Check tells
//	.5  it sends twice what it has asked for
//	.6  it panics
//	.7  it does not notice that it was stopped
//	.8  it loses every other run
type stage struct {
	target   string
	packets  int
	interval time.Duration
	timeout  time.Duration
	needs    []string
	runs     *int
}

func stageEngine(needs ...string) Engine {
	return func(p Params) (Test, error) {
		s := &stage{target: p.String("target"), packets: p.Int("number-of-packets"), interval: p.Duration("interval", time.Microsecond),
			timeout: p.Duration("session-timeout", time.Millisecond), needs: needs, runs: new(int)}
		if s.target == "0.0.0.0" {
			return nil, errors.New("0.0.0.0 is no target")
		}
		return s, nil
	}
}

func (s *stage) Demand() Demand {
	rate := float64(time.Second) / float64(s.interval)
	return Demand{Target: s.target, Packets: s.packets, PacketRate: rate, BitRate: 8 * 84 * rate,
		Duration: time.Duration(s.packets)*s.interval + s.timeout, Exclusive: s.needs}
}

func (s *stage) role() byte { return s.target[len(s.target)-1] }

func (s *stage) Check(context.Context, *Env) error {
	if s.role() == '4' {
		return Faultf(BadTarget, "there is no route to %s", s.target)
	}
	return nil
}

func (s *stage) Run(ctx context.Context, env *Env) (*Measurement, error) {
	*s.runs++
	switch s.role() {
	case '3':
		return nil, errors.New("no socket")
	case '4':
		return nil, Faultf(BadTarget, "there is no route to %s", s.target)
	case '6':
		panic("a bug")
	case '7':
		time.Sleep(20 * time.Second)
	}
	m := &Measurement{Packets: &Packets{}, Errors: &Errors{}, Verdict: Pass}
	times := 1
	if s.role() == '5' {
		times = 2
	}
	for range s.packets * times {
		if err := env.Budget.Spend(84); err != nil {
			return nil, err
		}
		m.Packets.Sent++
		select {
		case <-time.After(s.interval):
		case <-ctx.Done():
			m.Verdict = Inconclusive
			return m, nil
		}
		if s.role() == '2' || s.role() == '8' && *s.runs%2 == 0 {
			m.Errors.Lost++
			continue
		}
		m.Packets.Received++
	}
	m.Errors.LossRatio = 100 * float64(m.Errors.Lost) / float64(m.Packets.Sent)
	if m.Errors.Lost > 0 {
		m.Verdict, m.Crossed = Fail, []string{fmt.Sprintf("max-loss-ratio: %g > 0", m.Errors.LossRatio)}
	}
	if m.Packets.Received > 0 {
		m.TwoWay = &Delay{Min: 10e6, Average: 10e6, Max: 10e6, Percentile50: 10e6, Percentile95: 10e6, Percentile99: 10e6}
	}
	return m, nil
}

// setup adds a manager whose engines are stages.
func setup(b *netconftest.Bench) { managed(b) }

// managed is setup for who needs the manager.
func managed(b *netconftest.Bench) *Manager {
	m, err := New(Config{Store: b.Store, DB: b.DB, Strict: true, Certifier: notary{},
		Engines: map[string]Engine{"icmp-echo": stageEngine(), "udp-echo": stageEngine("udp port 7")}})
	if err != nil {
		panic(err)
	}
	if err := m.Register(b.Server); err != nil {
		panic(err)
	}
	if err := m.Start(); err != nil {
		panic(err)
	}
	b.OnEnd(m.Stop)
	return m
}

// notary is a certifier whose documents can be read in a dialogue.
type notary struct{}

func (notary) Certify(e *Evidence) (document, signature []byte, err error) {
	names := ""
	for _, p := range e.Parameters {
		names += " " + p.Name
	}
	return fmt.Appendf(nil, "%s %s:%s", e.Sequence, e.State, names), []byte("SIGNED"), nil
}

func (notary) Page(document, _ []byte) ([]byte, error) {
	return fmt.Appendf(nil, "<p>%s", document), nil
}

func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Setup: setup, Audit: true})
}

func TestAccess(t *testing.T) {
	netconftest.Play(t, "testdata/access/*.txt", *update, netconftest.Config{Setup: setup, NACM: true})
}
