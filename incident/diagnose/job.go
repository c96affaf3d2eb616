package diagnose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"incidentd/oam"
)

// job is a diagnosis that was admitted.
type job struct {
	*Plan
	self      bool
	user      string
	requested time.Time
	account   *Account
	rate      *oam.Budget // max-diagnosis-bit-rate

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	begun    time.Time
	ended    time.Time
	state    string
	detail   string
	steps    []Measured
	findings []Finding
}

// The states, as incidentd-diagnosis has them.
const (
	waiting     = "waiting"
	ongoing     = "ongoing"
	finished    = "finished"
	stopped     = "stopped"
	interrupted = "interrupted"
)

// Why a job is stopped before its end.
var (
	errCleared = errors.New("the incident was cleared")
	errPaused  = errors.New("tests were paused")
	errStopped = errors.New("the server ends")
)

// run runs the playbooks of a job, one after the other, until one has found where the fault
// is; tell is called when tests are over.
func (m *Manager) run(j *job, tell func()) {
	j.set(func() { j.state, j.begun = ongoing, time.Now() })
	tell()
	for _, b := range j.books {
		done := conduct(j.ctx, b, func(ctx context.Context, s Step) Measured {
			return m.measure(ctx, j, s)
		}, func(batch []Measured) {
			j.set(func() { j.steps = append(j.steps, batch...) })
			tell()
		})
		if m.tests.Paused() {
			j.cancel(errPaused)
		}
		if len(done) == 0 {
			break
		}
		found := Localise(j.net, b, done)
		j.set(func() { j.findings = merge(j.findings, found) })
		if j.ctx.Err() != nil || slices.ContainsFunc(found, func(f Finding) bool {
			return f.Conclusive && f.At.Node != "" && gravity[f.Cause] < gravity[PlannedWork]
		}) {
			break
		}
	}
	j.set(func() {
		j.state, j.ended = finished, time.Now()
		if err := context.Cause(j.ctx); err != nil {
			j.state, j.detail = stopped, err.Error()
		} else if i := slices.IndexFunc(j.steps, func(s Measured) bool { return s.Run.Reason == oam.BudgetExceeded }); i >= 0 {
			j.state, j.detail = stopped, j.steps[i].Run.Detail
		}
		if j.Planned {
			j.findings = []Finding{{Cause: PlannedWork, Conclusive: true, Detail: "a maintenance window explains the incident; nothing was sent"}}
		}
	})
}

// measure runs a step.
func (m *Manager) measure(ctx context.Context, j *job, s Step) Measured {
	one := Measured{Step: s, Class: m.classOf(&s)}
	if one.Class > j.most {
		one.Run = oam.Run{Start: time.Now(), End: time.Now(), Outcome: oam.Failed, Reason: oam.LimitExceeded,
			Detail: fmt.Sprintf("the test is %s, and the diagnosis may be %s", one.Class, j.most)}
		return one
	}
	one.Run, one.Spent = m.tests.RunErrand(ctx, oam.Errand{Parameters: s.Parameters(m.schema.tests), IncidentID: j.ID,
		Priority: diagnosisPriority, Patience: diagnosisPatience, Guard: m.guardOf(j)})
	if one.Run.Reason == oam.BudgetExceeded {
		m.count(func(f *figures) { f.stoppedTests++ })
		j.cancel(errors.New(one.Run.Detail))
	}
	return one
}

const (
	diagnosisPriority = 5 // above what is scheduled, unless that is configured higher
	diagnosisPatience = 5 * time.Second
)

// set changes what a job has come to.
func (j *job) set(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
}

// merge adds findings to others, the gravest first; what several paths show stands once, and
// that one is healthy tells nothing when another is not.
func merge(list, more []Finding) []Finding {
	for _, f := range more {
		if i := slices.IndexFunc(list, func(g Finding) bool {
			return g.Cause == f.Cause && g.At == f.At && g.Address == f.Address
		}); i < 0 {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b Finding) int {
		if a.Conclusive != b.Conclusive && max(gravity[a.Cause], gravity[b.Cause]) < gravity[PlannedWork] {
			if a.Conclusive {
				return -1
			}
			return 1
		}
		return gravity[a.Cause] - gravity[b.Cause]
	})
	return list
}
