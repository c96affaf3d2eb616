package diagnose

import (
	"net/netip"
	"strings"
	"time"

	"incidentd/oam"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Plan is what a diagnosis of an incident would do.
type Plan struct {
	Subject
	net   *Network
	books []*Book
	steps []plannedStep
	cost  Cost
	most  Intrusiveness
}

// plannedStep is a step with what it may take.
type plannedStep struct {
	Step
	class    Intrusiveness
	cost     Cost
	duration time.Duration
}

// The app-tags of refusals.
const (
	appNoTarget = "no-target"
	appPaused   = "tests-paused"
	appBudget   = "budget-spent"
	appWaiting  = "too-many-diagnoses"
	appDenied   = "target-denied"
)

// plan makes the plan of an incident. An error says why it cannot be diagnosed.
func (m *Manager) plan(inc *data.Node, n *Network, c *settings, self bool) (*Plan, *rpcerr.Error) {
	p := &Plan{Subject: subjectOf(inc), net: n, most: c.most}
	if self {
		p.most = Harmless
	}
	if m.tests.Paused() {
		return nil, rpcerr.New(rpcerr.Application, rpcerr.TagResourceDenied, "tests are paused: /oam-service/limits/paused is true").WithAppTag(appPaused)
	}
	if p.Planned {
		return p, nil
	}
	bits := m.tests.MostBits()
	var denied error
	for _, t := range TargetsOf(n, c.vantages, c.tests, p.Subject) {
		if err := m.mayTest(t, c); err != nil {
			denied = err
			continue
		}
		b := &Book{Target: t, Degraded: p.Degraded, MostBits: bits}
		if t.Whole {
			b.Facing = facingOf(n, t)
		}
		b.Tests = nil
		for _, test := range t.Tests {
			one := Book{Target: Target{Tests: []Configured{test}}}
			if m.classOf(&one.services()[0]) <= p.most {
				b.Tests = append(b.Tests, test)
			}
		}
		p.books = append(p.books, b)
		for _, s := range b.Plan() {
			if k := m.cost(&s, bits); k != nil {
				p.steps = append(p.steps, *k)
				p.cost = p.cost.plus(k.cost)
			}
		}
	}
	switch {
	case len(p.books) > 0:
		return p, nil
	case denied != nil:
		return nil, rpcerr.New(rpcerr.Application, rpcerr.TagResourceDenied, "%s cannot be tested: %s", p.ID, denied).WithAppTag(appDenied)
	}
	about := nodes(append(append([]Place{}, p.Causes...), p.Sources...))
	return nil, rpcerr.New(rpcerr.Application, rpcerr.TagDataMissing,
		"there is nothing to test for %s: no address of %s is known; configure address in the inventory of the nodes and at their termination points, or a test that supervises what the incident hits",
		p.ID, strings.Join(about, ", ")).WithAppTag(appNoTarget)
}

// mayTest reports whether the limits permit tests of a target.
func (m *Manager) mayTest(t Target, c *settings) error {
	if t.Whole {
		return nil // each address is asked for
	}
	return c.permit(t.Address)
}

// cost is what a step may take; nil for what cannot be estimated now, and costs nothing then
// because it does not run.
func (m *Manager) cost(s *Step, mostBits float64) *plannedStep {
	known := *s
	if known.Target == "" { // of the hops, whose addresses are as long as any
		known.Target = netip.IPv4Unspecified().String()
	}
	d, err := m.tests.Estimate(known.Parameters(m.schema.tests))
	if err != nil && d.Packets == 0 {
		return nil
	}
	k := &plannedStep{Step: *s, class: intrusivenessOf(s, d, mostBits), duration: d.Duration}
	k.cost = Cost{Packets: d.Packets}
	if d.PacketRate > 0 {
		k.cost.Octets = int(float64(d.Packets) * d.BitRate / d.PacketRate / 8)
	}
	if s.most != (Cost{}) {
		k.cost = s.most
	}
	return k
}

// duration is how long a plan takes at most.
func (p *Plan) duration() (d time.Duration) {
	for _, s := range p.steps {
		d += s.duration
	}
	return d
}

// guardOf is what holds the tests of a job back.
func (m *Manager) guardOf(j *job) oam.Guard {
	return oam.Guard{
		Permit: func(a netip.Addr) error { return m.settings().permit(a) },
		Spend: func(octets int) error {
			if err := j.rate.Spend(octets); err != nil {
				return oam.Faultf(oam.BudgetExceeded, "the diagnosis sends more than max-diagnosis-bit-rate permits")
			}
			return j.account.Spend(octets)
		},
	}
}

// classOf is the class of a step now: what it may do depends on what was found.
func (m *Manager) classOf(s *Step) Intrusiveness {
	if k := m.cost(s, m.tests.MostBits()); k != nil {
		return k.class
	}
	return Harmless // it does not run
}
