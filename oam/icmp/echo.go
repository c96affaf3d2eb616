package icmp

import (
	"context"
	"net/netip"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/train"
)

// echo is a test of icmp-echo.
type echo struct {
	mux           *Mux
	target        string
	dscp          uint8
	payload       int
	doNotFragment bool
	plan          train.Plan
}

// Engine makes tests of icmp-echo; it is an oam.Engine.
func (m *Mux) Engine(p oam.Params) (oam.Test, error) {
	payload := p.Int("packet-size")
	return &echo{
		mux:           m,
		target:        p.String("target"),
		dscp:          uint8(p.Uint("dscp")),
		payload:       payload,
		doNotFragment: p.Bool("do-not-fragment"),
		plan:          train.ReadPlan(p, octets(payload, true)), // the larger header, until the address is known
	}, nil
}

// octets is the size of the packet with such a payload.
func octets(payload int, six bool) int {
	if six {
		return 40 + headerSize + payload
	}
	return 20 + headerSize + payload
}

// Demand is what a run takes.
func (e *echo) Demand() oam.Demand { return e.plan.Demand(e.target) }

// Check finds the target's address and opens the socket once.
func (e *echo) Check(ctx context.Context, env *oam.Env) error {
	target, err := socket.Lookup(ctx, env.Vantage, e.target)
	if err != nil {
		return err
	}
	if err := env.Permit(target); err != nil {
		return err
	}
	p := e.place(env, target)
	s, err := e.mux.open(p)
	if err != nil {
		return err
	}
	e.mux.close(p, s)
	return nil
}

// Run sends the train.
func (e *echo) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	target, err := socket.Lookup(ctx, env.Vantage, e.target)
	if err != nil {
		return nil, err
	}
	if err := env.Permit(target); err != nil {
		return nil, err
	}
	p := e.place(env, target)
	s, err := e.mux.open(p)
	if err != nil {
		return nil, err
	}
	defer e.mux.close(p, s)
	plan := e.plan
	plan.Octets = octets(e.payload, p.six)
	record := train.NewRecord(plan)
	l := &listener{target: target, size: e.payload, record: record}
	token := s.listen(l)
	defer s.forget(token)
	err = plan.Pace(ctx, env, record, func(i int) (time.Time, error) { return s.send(token, i, l) })
	if err != nil {
		return nil, err
	}
	return record.Measurement(plan.Thresholds), nil
}

func (e *echo) place(env *oam.Env, target netip.Addr) place {
	v := env.Vantage
	v.Name = ""
	return place{vantage: v, six: target.Is6(), dscp: e.dscp, doNotFragment: e.doNotFragment}
}
