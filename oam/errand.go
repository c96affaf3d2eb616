package oam

import (
	"context"
	"net/netip"
	"time"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// Errand is a test that is run once and that nobody configured.
type Errand struct {
	// Parameters are the container of the case of its type, as it would stand in a
	// unitary test.
	Parameters *data.Node
	// IncidentID is that of the incident for whose sake it is run.
	IncidentID string
	// Priority is as that of a configured test.
	Priority int
	// Patience is how long it may wait for a place.
	Patience time.Duration
	// Guard holds it back, besides the limits and its own budget.
	Guard Guard
}

// Guard is what whoever sends an errand has to say to what it does.
type Guard struct {
	// Permit is asked for each address before it gets the first packet.
	Permit func(netip.Addr) error
	// Spend is asked before each packet. An error ends the run, and must not come from the
	// methods of a Manager.
	Spend func(octets int) error
}

// Spent is what a run has sent.
type Spent struct{ Packets, Octets int }

// Estimate is what an errand with such parameters would take. The error is a *Fault where it
// could not be run now, or one of the meaning of a value.
func (m *Manager) Estimate(parameters *data.Node) (Demand, error) {
	var p part
	if err := (&decoder{engines: m.engines}).read(&p, parameters); err != nil {
		return Demand{}, err
	}
	p.executions = 1
	d := &definition{members: []part{p}}
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.obstacle(d); f != nil {
		return p.demand, f
	}
	return p.demand, nil
}

// obstacle is why no errand of a definition can be run now, nil if it can.
func (m *Manager) obstacle(d *definition) *Fault {
	switch {
	case m.closed || m.ctx == nil:
		return Faultf(ServerRestart, "the server ends")
	case m.service.limits.paused:
		return Faultf(Paused, "tests are paused: /oam-service/limits/paused is true")
	case d.members[0].demand.Load:
		return Faultf(LimitExceeded, "a test that loads the path is run only where it is configured")
	}
	return d.faultUnder(&m.service.limits)
}

// MostBits is the rate that one diagnosis may send, in bits per second.
func (m *Manager) MostBits() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.service.limits.diagnosisRate
}

// Paused reports whether all tests are paused.
func (m *Manager) Paused() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.service.limits.paused
}

// RunErrand runs an errand, and returns when it is over. What went wrong stands in the run;
// when ctx is done its outcome is that it was stopped.
func (m *Manager) RunErrand(ctx context.Context, e Errand) (Run, Spent) {
	r, p, f := m.receive(ctx, e)
	if f != nil {
		r.record.Start = time.Now()
		r.record.close(nil, f)
		return r.record, Spent{}
	}
	defer m.forgetErrand(r)
	found, err := m.carryErrand(r, p)
	if err == nil && r.ctx.Err() != nil {
		err = context.Cause(r.ctx)
	}
	r.record.close(found, err)
	if r.durable != nil {
		m.keepErrand(r.record)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return r.record, Spent{r.packets, r.octets}
}

// receive makes the run of an errand, or tells why it cannot be run.
func (m *Manager) receive(ctx context.Context, e Errand) (*run, part, *Fault) {
	p := part{executions: 1, guard: &e.Guard}
	err := (&decoder{engines: m.engines}).read(&p, e.Parameters)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serial++
	d := &definition{members: []part{p}, priority: e.Priority, needs: (&definition{members: []part{p}}).exclusive(nil)}
	r := &run{definition: d, service: m.service, patience: e.Patience,
		record: Run{ID: newID(time.Now(), m.serial), Trigger: ByDiagnosis, Outcome: StillOngoing, IncidentID: e.IncidentID}}
	if err != nil {
		return r, p, Faultf(BadTarget, "%w", err)
	}
	if f := m.obstacle(d); f != nil {
		return r, p, f
	}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	m.errands[r] = true
	m.figures.runs++
	return r, p, nil
}

// carryErrand waits for a place and measures.
func (m *Manager) carryErrand(r *run, p part) (*Measurement, error) {
	stop := context.AfterFunc(m.ctx, func() { r.cancel(&halted{ServerRestart, "the server ends"}) })
	defer stop()
	r.record.Start = time.Now()
	t, err := m.place(r.ctx, r, p)
	if err != nil {
		return nil, err
	}
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.admission.release(t)
	}()
	r.record.Start = time.Now()
	open := pack(r.record)
	r.durable = m.outbox.add(func(tx *datastore.Tx) { tx.Put(tableErrands, []byte(r.record.ID), open) })
	select {
	case <-r.durable:
	case <-r.ctx.Done():
		return nil, context.Cause(r.ctx)
	}
	return m.measure(r.ctx, r, p, r.record.ID)
}

func (m *Manager) forgetErrand(r *run) {
	r.cancel(nil)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.errands, r)
}

// keepErrand announces that an errand is over; its record is not kept here.
func (m *Manager) keepErrand(rec Run) {
	n := m.schema.errandCompleted(&rec)
	m.outbox.add(func(tx *datastore.Tx) {
		tx.Delete(tableErrands, []byte(rec.ID))
		tx.Notify(Stream, n)
	})
}
