package oam

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"slices"
	"time"

	"incidentd/datastore"
	"incidentd/schedule"
)

// run is a run that waits for its place or is under way.
type run struct {
	*definition // as it was when the run began
	record      Run
	patience    time.Duration // how long it may wait for a place
	end         time.Time     // of its window; zero: none
	ticket      *ticket       // of a test; nil while a sequence has none
	service     *service
	ctx         context.Context
	cancel      context.CancelCauseFunc
	durable     <-chan struct{} // closed when the record of its begin is on disk

	packets, octets int // sent, under the mutex of the manager
}

// halted is the cause for which a run is ended before its time.
type halted struct {
	reason Reason
	detail string
}

func (h *halted) Error() string { return string(h.reason) }

// abandonTime is how long an engine may take to end once its context is done, beyond the two
// seconds that it is asked for.
const abandonTime = 10 * time.Second

// begin makes a run, and begins it as soon as there is a place. It returns the run's id.
func (m *Manager) begin(it *item, s *schedule.Span, trigger Trigger, incident string) string {
	m.serial++
	now := time.Now()
	r := &run{definition: it.definition, service: m.service, patience: it.plan.Grace(),
		record: Run{ID: newID(now, m.serial), Trigger: trigger, Outcome: StillOngoing, Hash: it.hash, IncidentID: incident}}
	if s != nil {
		r.record.Occurrence = s.Start
		it.Last, it.Begun = later(it.Last, s.Start), later(it.Begun, s.Start)
		if trigger == BySchedule {
			r.end = s.End
		}
	}
	r.ctx, r.cancel = context.WithCancelCause(m.ctx)
	it.run = r
	if it.kind == TestSequence {
		m.start(it, r)
		return r.record.ID
	}
	r.ticket = r.wish(it.members[0])
	r.ticket.granted = func() { m.start(it, r) }
	r.ticket.refused = func(f *Fault) { m.failAtOnce(it, r, f) }
	m.request(r.ticket, r.patience)
	return r.record.ID
}

// wish is the ticket of a member of the run.
func (r *run) wish(p part) *ticket {
	return &ticket{priority: r.priority, demand: p.demand, needs: r.needs,
		displace: func() { r.cancel(&halted{Priority, "a run of higher priority took its place"}) }}
}

// request asks for a place, with m.mu held.
func (m *Manager) request(t *ticket, patience time.Duration) {
	m.admission.request(t, patience, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.admission.expired(t)
	})
}

// failAtOnce ends a run that found no place: it is under way for no time, because the
// machine has no edge from ready to error.
func (m *Manager) failAtOnce(it *item, r *run, f *Fault) {
	r.record.Start = time.Now()
	if !m.move(it, Ongoing, "", "") {
		return
	}
	it.Runs++
	r.ticket = nil
	m.over(it, r, r.settle(nil, f), nil)
}

// start begins a run that has its place.
func (m *Manager) start(it *item, r *run) {
	if !m.move(it, Ongoing, "", "") {
		return
	}
	it.Runs++
	m.figures.runs++
	r.record.Start = time.Now()
	begun := openRun{it.kind, it.name, r.record}
	r.durable = m.outbox.later(func() func(*datastore.Tx) {
		row := pack(begun)
		return func(tx *datastore.Tx) { tx.Put(tableOpen, []byte(begun.Run.ID), row) }
	})
	m.active.Go(func() { m.carryOut(it, r) })
}

// carryOut runs a run and closes it.
func (m *Manager) carryOut(it *item, r *run) {
	select {
	case <-r.durable:
	case <-m.ctx.Done():
		return
	}
	ctx, cancel := context.WithDeadlineCause(r.ctx, r.record.Start.Add(r.maxRunTime), &halted{MaxRunTime, "it took longer than max-run-time"})
	defer cancel()
	if !r.end.IsZero() {
		var cut context.CancelFunc
		ctx, cut = context.WithDeadlineCause(ctx, r.end, &halted{WindowEnd, "the time in which it may run was over"})
		defer cut()
	}
	var found *Measurement
	var err error
	if r.kind == UnitaryTest {
		found, err = m.measure(ctx, r, r.members[0], r.record.ID)
	} else {
		err = m.sequence(ctx, r)
	}
	if m.ctx.Err() != nil {
		return // the record stays open, as after a crash
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	to := r.settle(found, err)
	c := m.certify(r, to)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over(it, r, to, c)
}

// measure runs a test once.
func (m *Manager) measure(ctx context.Context, r *run, p part, runID string) (found *Measurement, err error) {
	if p.fault != nil {
		return nil, p.fault
	}
	env := r.service.env(p, m.log)
	env.RunID, env.Budget = runID, NewBudget(p.demand)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// An engine that does not mind is stopped.
	env.Budget.exceeded = func(f *Fault) { cancel(f) }
	if p.guard != nil {
		env.Budget.beside = p.guard.Spend
	}
	env.Log = env.Log.With("run-id", runID)
	type result struct {
		found *Measurement
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var found *Measurement
		err := m.guard(func() (err error) { found, err = p.test.Run(ctx, env); return err })
		done <- result{found, err}
	}()
	defer func() {
		if found != nil {
			found.Samples = thin(found.Samples, r.samples)
		}
		sent, octets := env.Budget.Spent()
		m.mu.Lock()
		m.figures.packets += uint64(sent)
		r.packets += sent
		r.octets += octets
		m.mu.Unlock()
	}()
	select {
	case got := <-done:
		return got.found, env.Budget.verdictOn(got.err)
	case <-ctx.Done():
	}
	late := time.NewTimer(abandonTime)
	defer late.Stop()
	select {
	case got := <-done:
		if errors.Is(got.err, context.Cause(ctx)) || errors.Is(got.err, ctx.Err()) {
			got.err = nil // it was stopped, which the caller knows
		}
		return got.found, env.Budget.verdictOn(got.err)
	case <-late.C:
		return nil, Faultf(EngineFailure, "the engine did not end within %s of being stopped, and was abandoned", abandonTime)
	}
}

// verdictOn is an engine's error, or that it spent too much, whatever it says itself.
func (b *Budget) verdictOn(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	return err
}

// guard turns a panic of an engine into an error.
func (m *Manager) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			m.log.Error("an engine has panicked", "err", p, "stack", string(debug.Stack()))
			err = Faultf(EngineFailure, "the engine has panicked: %v", p)
		}
	}()
	return f()
}

// env is what a member is run with.
func (s *service) env(p part, log *slog.Logger) *Env {
	return &Env{Vantage: s.vantages[p.vantage], Log: log, Permit: func(a netip.Addr) error {
		if f := s.limits.permit(a); f != nil {
			return f
		}
		if p.guard != nil {
			return p.guard.Permit(a)
		}
		return nil
	}}
}

// faultOf is an error as a Fault: of the engine, if it does not say otherwise.
func faultOf(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{EngineFailure, err}
}

// halt ends the run of an item, whether it waits or is under way.
func (m *Manager) halt(it *item, why Reason, detail string) {
	r := it.run
	if r == nil {
		return
	}
	if r.ticket != nil && m.admission.withdraw(r.ticket) { // it never began
		r.cancel(nil)
		it.run = nil
		if r.record.Trigger == ByAction { // somebody knows its id
			now := time.Now()
			r.record.Start, r.record.End, r.record.Outcome, r.record.Reason, r.record.Detail = now, now, Skipped, why, detail
			m.keep(it, r.record, nil)
		}
		return
	}
	r.cancel(&halted{why, detail})
}

// settle writes into the record of a run what became of it, and tells the state that it leads
// to.
func (r *run) settle(found *Measurement, err error) (to State) {
	rec := &r.record
	rec.End, rec.Found = time.Now(), found
	to = Finish
	if r.kind == TestSequence {
		to = r.conclude()
	}
	if h, ok := errors.AsType[*halted](err); ok {
		rec.Reason, rec.Detail = h.reason, h.detail
		switch h.reason {
		case WindowEnd, MaxRunTime:
			rec.Outcome = Finished
		case Priority:
			rec.Outcome, to = Failed, Erroneous
		default:
			rec.Outcome, to = WasStopped, Stopped
		}
	} else if err != nil {
		f := faultOf(err)
		rec.Outcome, rec.Reason, rec.Detail, to = Failed, f.Reason, f.Error(), Erroneous
	} else {
		rec.Outcome = Finished
	}
	if r.kind == UnitaryTest && rec.Outcome == Finished {
		rec.Verdict = NoVerdict
		if found != nil && found.Verdict != "" {
			rec.Verdict = found.Verdict
		}
	}
	if rec.Outcome != Finished {
		rec.Verdict = ""
	}
	return to
}

// over ends a run that is settled, with m.mu held: its record, its certificate if it has one,
// the notification of it, the state, and what comes next.
func (m *Manager) over(it *item, r *run, to State, c *certificate) {
	rec := &r.record
	switch rec.Outcome {
	case Finished:
		it.Verdict = rec.Verdict
	case Failed:
		it.Failures++
	}
	m.supervise(it, rec, to)
	if m.finished != nil && it.kind == UnitaryTest && !it.removed {
		m.finished(it.name, rec, it.Raised)
	}
	if !it.removed {
		m.move(it, to, rec.Reason, rec.Detail)
	}
	it.run = nil
	durable := m.keep(it, *rec, c)
	r.cancel(nil)
	// The place is free when the record is on disk, so that nothing piles up.
	m.active.Go(func() {
		select {
		case <-durable:
		case <-m.ctx.Done():
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if r.ticket != nil {
			m.admission.release(r.ticket)
		}
	})
	if !it.removed {
		m.afterwards(it)
	}
}

// afterwards goes on from a state in which a run has ended.
func (m *Manager) afterwards(it *item) {
	if it.state == Stopped {
		if it.stop {
			it.attended = true
			m.timer.Stop(&it.alarm)
			return
		}
		m.move(it, it.kind.stopped(), it.reason, it.detail)
	}
	if q := it.queued; q != nil && !q.End.IsZero() && !time.Now().Before(q.End) { // its window is over
		it.queued = nil
		it.Overlaps++
		m.figures.overlapped++
	}
	more := it.queued != nil || m.hasNext(it)
	if it.stop {
		m.restart(it)
		return
	}
	if !more {
		if it.state == Erroneous && it.kind == UnitaryTest {
			m.move(it, Finish, it.reason, it.detail)
		}
		it.progress.State = it.kind.Name(it.state)
		m.saveProgress(it)
		return
	}
	it.round++
	// What the world has to say is asked again when it runs.
	if f := it.faultUnder(&m.service.limits); f == nil {
		m.move(it, Planned, "", "")
		m.move(it, Configured, "", "")
		m.move(it, Ready, "", "")
		m.arm(it)
		m.beginQueued(it)
		return
	}
	m.restart(it)
}

// keep stores the record of a run that is over, its certificate if it has one, the progress
// of its test, and the notification of it, in one transaction. The channel is closed when that is on disk.
func (m *Manager) keep(it *item, rec Run, c *certificate) <-chan struct{} {
	replaced := m.items[it.id] != nil && m.items[it.id] != it
	slot := it.Kept
	it.Kept++
	oldest := it.Kept - min(it.Kept, max(1, it.historySize))
	it.progress.State = ""
	k, now, removed, limits := it.id, it.progress.copy(), it.removed, m.service.certificates
	return m.outbox.later(func() func(*datastore.Tx) {
		n, row, state := m.schema.completed(k, &rec), pack(rec), pack(now)
		return func(tx *datastore.Tx) {
			tx.Delete(tableOpen, []byte(rec.ID))
			if !replaced {
				tx.Put(tableRuns, slotKey(k.kind, k.name, slot), row)
				for old := range tx.Scan(tableRuns, key(k.kind, k.name), slotKey(k.kind, k.name, oldest)) {
					tx.Delete(tableRuns, slices.Clone(old))
				}
			}
			if c != nil {
				c.put(tx, limits.total, limits.each)
			}
			if !removed {
				tx.Put(tableProgress, key(k.kind, k.name), state)
			}
			tx.Notify(Stream, n)
		}
	})
}

// saveProgress stores the progress alone.
func (m *Manager) saveProgress(it *item) {
	state, k := pack(it.progress), it.id
	m.outbox.add(func(tx *datastore.Tx) { tx.Put(tableProgress, key(k.kind, k.name), state) })
}
