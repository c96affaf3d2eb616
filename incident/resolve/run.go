package resolve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// cure is what a run applies.
type cure interface {
	// prepare finds out whether it can be applied. Nothing of it holds after that.
	prepare(context.Context) error
	// apply applies it. With an error something of it may hold all the same.
	apply(context.Context) error
	// confirm makes it stay.
	confirm(context.Context) error
	// rollBack takes it back, and tells how.
	rollBack(context.Context) (string, error)
	// close ends what it holds open.
	close()
}

// run is a run that is under way.
type run struct {
	number uint64
	name   string
	record Run    // owned by the goroutine of the run
	health health // of the incident, when the run was admitted
	node   string // of its first root cause
	ctx    context.Context
	halt   context.CancelCauseFunc
}

// halted is why a run is to end before its time.
type halted struct{ why string }

func (h *halted) Error() string { return h.why }

func (m *Manager) newRun(record Run) *run {
	r := &run{number: record.Number, name: record.Name(), record: record}
	var cancel context.CancelCauseFunc
	r.ctx, cancel = context.WithCancelCause(m.ctx)
	r.halt = cancel
	return r
}

// cureOf is what a run applies, nil with why there is none.
func (m *Manager) cureOf(r *Run) (cure, error) {
	if r.Plan.Command != nil {
		return &hookCure{dir: m.c.Hooks, command: r.Plan.Command, back: r.Plan.RollBack, output: func(s string) {
			if r.Output != "" {
				r.Output += "\n"
			}
			r.Output += s
		}}, nil
	}
	c, err := m.configured(m.store.Snapshot().Running)
	if err != nil {
		return nil, err
	}
	d := c.devices[r.Plan.Device]
	if d == nil {
		return nil, fmt.Errorf("the device %s is no longer configured", r.Plan.Device)
	}
	return &deviceCure{device: d, plan: &r.Plan, token: r.Token, dial: m.c.Dial}, nil
}

// advance gets a run into its next phase, which is on disk when it returns. An error is that
// of the disk, or of the server's end.
func (m *Manager) advance(r *run, to Phase, format string, args ...any) error {
	was := r.record.Phase
	r.record.Phase = to
	r.record.Steps = append(r.record.Steps, Step{time.Now(), fmt.Sprintf(format, args...)})
	return m.save(&r.record, was, nil)
}

// note is advance into a phase in which no more holds in the network than before: it begins
// even when the disk is full, since what was applied must not wait for that. It reports whether the server goes
// on.
func (m *Manager) note(r *run, to Phase, format string, args ...any) bool {
	err := m.advance(r, to, format, args...)
	if err != nil && m.ctx.Err() == nil {
		m.log.Error("the phase of a resolution cannot be stored", "run-id", r.name, "phase", to, "err", err)
	}
	return m.ctx.Err() == nil
}

// carryOut carries a run out.
func (m *Manager) carryOut(r *run) {
	defer r.halt(nil)
	rec := &r.record
	var s sight
	c, err := m.cureOf(rec)
	if err == nil {
		defer c.close()
		err = m.advance(r, Preparing, "%s", rec.Plan.intent())
	}
	if err == nil {
		err = c.prepare(r.ctx)
	}
	if err == nil {
		if seen, _ := m.look(r, m.store.Snapshot(), &s); seen == isCleared {
			c.close() // gives back what was prepared
			m.finish(r, NotNeeded, "the incident was cleared before the cure was applied")
			return
		}
		// From here on something may hold in the network.
		rec.Deadline = time.Now().Add(rec.Plan.Within)
		err = m.advance(r, Applying, "prepared; it is applied now")
	}
	if err != nil {
		outcome, why := fate(r, err)
		if c != nil {
			c.close()
		}
		m.finish(r, outcome, why)
		return
	}
	if err := c.apply(r.ctx); err != nil {
		outcome, why := fate(r, err)
		m.takeBack(r, c, outcome, why)
		return
	}
	if err := m.advance(r, Watching, "applied; the incident has until %s to clear", data.FormatTime(rec.Deadline)); err != nil {
		m.takeBack(r, c, Failed, err.Error())
		return
	}
	outcome, why := m.watch(r, &s)
	if outcome != Resolved {
		m.takeBack(r, c, outcome, why)
		return
	}
	m.confirm(r, c, why)
}

// fate is the outcome of a run that an error has ended.
func fate(r *run, err error) (Outcome, string) {
	if h := (*halted)(nil); errors.As(context.Cause(r.ctx), &h) {
		return Interrupted, h.why
	}
	return Failed, err.Error()
}

// confirm makes the cure stay, which it tries as long as the device waits for it.
func (m *Manager) confirm(r *run, c cure, why string) {
	if !m.note(r, Confirming, "%s", why) {
		return
	}
	until := r.record.Deadline.Add(afterTime - 2*retryEvery)
	for {
		err := c.confirm(m.ctx)
		switch {
		case err == nil:
			m.finish(r, Resolved, why)
			return
		case m.ctx.Err() != nil:
			return
		case !final(err) && time.Now().Before(until):
			m.log.Warn("a cure cannot be confirmed yet", "run-id", r.record.Name(), "err", err)
			if !m.sleep(retryEvery) {
				return
			}
		default:
			m.takeBack(r, c, Failed, "the incident is cleared, but the cure cannot be made to stay: "+err.Error())
			return
		}
	}
}

// takeBack takes the cure back, and ends the run.
func (m *Manager) takeBack(r *run, c cure, outcome Outcome, why string) {
	if !m.note(r, RollingBack, "%s; it is taken back", why) {
		return
	}
	how, err := m.undo(r, c)
	switch {
	case m.ctx.Err() != nil:
		return
	case err == nil:
		r.record.Steps = append(r.record.Steps, Step{time.Now(), how})
	case r.record.Plan.Command == nil:
		// The device does it by itself.
		why += fmt.Sprintf("; the commit could not be cancelled (%v), and the device takes it back by itself at %s at the latest", err, data.FormatTime(r.record.Deadline.Add(afterTime)))
	default:
		outcome, why = Left, why+"; "+err.Error()
	}
	m.finish(r, outcome, why)
}

// undo takes a cure back; a device that cannot be reached is tried for a while.
func (m *Manager) undo(r *run, c cure) (how string, err error) {
	until := time.Now().Add(afterTime / 2)
	for {
		how, err = c.rollBack(m.ctx)
		if err == nil || r.record.Plan.Command != nil || final(err) || time.Now().After(until) || !m.sleep(retryEvery) {
			return how, err
		}
	}
}

// sleep waits, and reports whether the server goes on.
func (m *Manager) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-m.ctx.Done():
		return false
	}
}

// recover closes a run that the server ended with.
func (m *Manager) recover(r *run) {
	defer r.halt(nil)
	const why = "the server ended while the run was under way"
	if !r.record.touched() {
		m.finish(r, Interrupted, why+"; nothing of it was applied")
		return
	}
	c, err := m.cureOf(&r.record)
	if err != nil {
		m.finish(r, Left, why+", and "+err.Error()+": what it had configured there was to be confirmed, and is taken back by itself")
		return
	}
	defer c.close()
	m.takeBack(r, c, Interrupted, why)
}

// finish ends a run. What the incident was told of it is in the same transaction.
func (m *Manager) finish(r *run, outcome Outcome, why string) {
	rec := &r.record
	was := rec.Phase
	rec.Phase, rec.Outcome, rec.Detail, rec.End = Ended, outcome, why, time.Now()
	if outcome != Resolved && outcome != NotNeeded {
		rec.Alternatives = m.alternativesFor(rec.Incident)
	}
	for {
		err := m.save(rec, was, func(tx *datastore.Tx) {
			m.incidents.Note(tx, rec.Incident, "cure-ended", "", rec.Plan.Procedure+": "+string(outcome)+": "+why)
			c, err := m.configured(tx.Running())
			if err == nil {
				m.trim(tx, c.history-1)
			}
			tx.OnCommit(func(*datastore.Snapshot) { m.retire(rec) })
		})
		if err == nil || m.ctx.Err() != nil {
			return
		}
		m.log.Error("the end of a resolution cannot be stored yet", "run-id", rec.Name(), "err", err)
		if !m.sleep(retryEvery) {
			return
		}
	}
}

// retire moves a run to those that have ended.
func (m *Manager) retire(rec *Run) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, rec.Incident)
	m.ended = append(m.ended, summary{rec.Number, rec.Incident, rec.Plan.Procedure, rec.Outcome})
	switch rec.Outcome {
	case Resolved:
		m.figures.resolved++
	case Left:
		m.figures.left++
	case NotCleared, Worse, Interrupted, Failed:
		m.figures.takenBack++
	}
	m.log.Info("a resolution has ended", "run-id", rec.Name(), "incident-id", rec.Incident, "procedure", rec.Plan.Procedure, "outcome", rec.Outcome, "detail", rec.Detail)
}

// intent is what a plan is about to do, for people.
func (p *Plan) intent() string {
	if p.Command != nil {
		return "the program " + p.Command.Program + " is to be run"
	}
	return "the configuration of the device " + p.Device + " is to be changed"
}
