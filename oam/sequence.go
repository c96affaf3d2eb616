package oam

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// sequence runs the members of a sequence in their order, each as often as it says. The
// error is why the rest does not run; a member that was not good is none.
func (m *Manager) sequence(ctx context.Context, r *run) error {
	first := true
	for _, p := range r.members {
		for n := uint32(1); n <= p.executions; n++ {
			if !first {
				if err := pause(ctx, r.gap); err != nil {
					return err
				}
			}
			first = false
			member := m.member(ctx, r, p, n)
			m.mu.Lock()
			r.record.Members = append(r.record.Members, member)
			m.mu.Unlock()
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if r.ends(member) {
				return nil
			}
		}
	}
	return nil
}

// pause waits between two members.
func pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// member runs a member once, when there is a place for it.
func (m *Manager) member(ctx context.Context, r *run, p part, execution uint32) Member {
	out := Member{Name: p.name, Execution: execution, Run: Run{Trigger: BySequence, Start: time.Now(), Outcome: Finished}}
	t, err := m.place(ctx, r, p)
	if err == nil {
		out.Start = time.Now()
		out.Found, err = m.measure(ctx, r, p, fmt.Sprintf("%s.%d", r.record.ID, len(r.record.Members)+1))
		m.mu.Lock()
		m.admission.release(t)
		m.mu.Unlock()
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	out.close(out.Found, err)
	return out
}

// close ends the run of a test that is not the timer's, with what it found or why it found
// nothing.
func (r *Run) close(found *Measurement, err error) {
	r.End, r.Found, r.Outcome = time.Now(), found, Finished
	h, isHalted := errors.AsType[*halted](err)
	switch {
	case isHalted:
		r.Reason, r.Detail = h.reason, h.detail
		if h.reason != WindowEnd && h.reason != MaxRunTime {
			r.Outcome = WasStopped
		}
	case errors.Is(err, context.Canceled):
		r.Outcome = WasStopped
	case err != nil:
		f := faultOf(err)
		r.Outcome, r.Reason, r.Detail = Failed, f.Reason, f.Error()
	}
	if r.Outcome == Finished {
		r.Verdict = NoVerdict
		if found != nil && found.Verdict != "" {
			r.Verdict = found.Verdict
		}
	}
}

// place waits for a place.
func (m *Manager) place(ctx context.Context, r *run, p part) (*ticket, error) {
	if p.fault != nil {
		return nil, p.fault
	}
	answer := make(chan *Fault, 1)
	t := r.wish(p)
	t.granted = func() { answer <- nil }
	t.refused = func(f *Fault) { answer <- f }
	m.mu.Lock()
	m.request(t, r.patience)
	m.mu.Unlock()
	select {
	case f := <-answer:
		if f != nil {
			return nil, f
		}
		return t, nil
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.admission.withdraw(t) {
		if f := <-answer; f == nil { // granted meanwhile
			m.admission.release(t)
		}
	}
	return nil, context.Cause(ctx)
}

// bad reports whether a member was not good.
func (r *run) bad(m Member) bool {
	return m.Outcome == Failed || r.verdictCount && m.Verdict == Fail
}

// ends reports whether the failure policy ends the sequence after a member.
func (r *run) ends(m Member) bool {
	switch r.policy {
	case "stop-on-error":
		return m.Outcome == Failed
	case "stop-on-failure":
		return m.Outcome == Failed || m.Verdict == Fail
	}
	return false
}

// conclude is the state of a sequence whose members have run, and gives it the verdict of
// them.
func (r *run) conclude() State {
	var bad []string
	verdict := NoVerdict
	rank := map[Verdict]int{NoVerdict: 0, Pass: 1, Inconclusive: 2, Fail: 3}
	for _, m := range r.record.Members {
		if r.bad(m) {
			bad = append(bad, m.Name)
		}
		if m.Verdict != "" && rank[m.Verdict] > rank[verdict] {
			verdict = m.Verdict
		}
	}
	r.record.Verdict = verdict
	if len(bad) == 0 {
		return Success
	}
	r.record.Reason, r.record.Detail = MemberFailed, "not good: "+strings.Join(compact(bad), ", ")
	return Failure
}

// compact leaves out what is repeated in a row.
func compact(list []string) (out []string) {
	for i, s := range list {
		if i == 0 || s != list[i-1] {
			out = append(out, s)
		}
	}
	return out
}
