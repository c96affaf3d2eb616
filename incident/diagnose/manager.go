package diagnose

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"incidentd/datastore"
	"incidentd/incident"
	"incidentd/incident/correlate"
	"incidentd/oam"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Config of a Manager. All but Log is required.
type Config struct {
	Store     *datastore.Store
	Incidents *incident.Manager
	Tests     *oam.Manager
	// Log gets what nobody is answered; nil: nothing is logged.
	Log *slog.Logger
}

// Manager diagnoses the incidents of a store.
type Manager struct {
	store     *datastore.Store
	incidents *incident.Manager
	tests     *oam.Manager
	log       *slog.Logger
	schema    *schema
	budget    *Budget

	ctx    context.Context // of all diagnoses
	cancel context.CancelCauseFunc
	active sync.WaitGroup

	// Owned by the writer of the store.
	networks *data.Node // that net was made of
	net      *Network

	mu         sync.Mutex
	running    *data.Node // that current was read from
	current    *settings
	jobs       map[string]*job // admitted and not over, by incident-id
	queue      []*job          // of them, those that wait
	ongoing    int
	candidates map[string]*time.Timer // of self-diagnosis, by incident-id
	figures    figures
	closed     bool
}

// figures are the counters of diagnosis-service/state.
type figures struct {
	finished, refused, coalesced uint64
	selfBegun, selfSkipped       uint64
	stoppedTests                 uint64
}

// storeAgain is how long is waited after a transaction that failed.
const storeAgain = time.Second

// New makes a Manager. Nothing is diagnosed before Start.
func New(c Config) (*Manager, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s, err := newSchema(c.Store.Schema())
	if err != nil {
		return nil, err
	}
	m := &Manager{store: c.Store, incidents: c.Incidents, tests: c.Tests, log: c.Log, schema: s,
		jobs: map[string]*job{}, candidates: map[string]*time.Timer{}}
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
	m.budget = NewBudget(s.settingsOf(c.Store.Snapshot().Running).Limits)
	c.Store.Provide(s.service, func(*datastore.Snapshot) *data.Node { return m.stateNode() }, s.state)
	return m, nil
}

// Start tells of the diagnoses that the server ended with, and begins to diagnose.
func (m *Manager) Start() error {
	err := m.incidents.Consult(m.ctx, func(tx *datastore.Tx) error {
		var left []*data.Node
		for e := range tx.State().Child("incidents").Entries("incident") {
			if s := e.Child("diagnosis").Leaf("state"); s == waiting || s == ongoing {
				left = append(left, e)
			}
		}
		for _, e := range left {
			d := m.schema.interrupted(e.Child("diagnosis"), tx.Now())
			m.incidents.Diagnosed(tx, e.Leaf("incident-id"), d, "", "interrupted: the server ended while it was under way")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("diagnose: %w", err)
	}
	m.incidents.Observe(m.observed)
	return nil
}

// Stop ends all diagnoses. Those under way are interrupted, which is told when the server is
// back.
func (m *Manager) Stop() {
	m.mu.Lock()
	m.closed = true
	for id, t := range m.candidates {
		t.Stop()
		delete(m.candidates, id)
	}
	m.mu.Unlock()
	m.cancel(errStopped)
	m.active.Wait()
}

// settings are those of running now.
func (m *Manager) settings() *settings {
	running := m.store.Snapshot().Running
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running != running {
		m.running, m.current = running, m.schema.settingsOf(running)
		m.budget.Set(m.current.Limits)
	}
	return m.current
}

// network is what the topology tells now; within a transaction of the incidents.
func (m *Manager) network(tx *datastore.Tx) *Network {
	if networks := tx.Running().Child("networks"); m.net == nil || networks != m.networks {
		m.networks, m.net = networks, NewNetwork(m.incidents.Topology(), networks)
	}
	return m.net
}

func (m *Manager) count(f func(*figures)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.figures)
}

// under reports whether an incident is being diagnosed, or waits for it.
func (m *Manager) under(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.jobs[id] != nil
}

// admit sets aside what a plan may cost. The job is begun by enqueue, or given back by drop.
func (m *Manager) admit(p *Plan, now time.Time) (*job, *rpcerr.Error) {
	c := m.settings()
	m.mu.Lock()
	full := len(m.queue) >= c.wait && m.ongoing >= c.concurrent
	m.mu.Unlock()
	if full {
		return nil, rpcerr.New(rpcerr.Application, rpcerr.TagResourceDenied,
			"%d diagnoses wait for their turn already, as many as max-waiting of /diagnosis-service/limits permits", c.wait).WithAppTag(appWaiting)
	}
	a, short := m.budget.Reserve(p.cost)
	if short != nil {
		return nil, rpcerr.New(rpcerr.Application, rpcerr.TagResourceDenied, "%s", short).WithAppTag(appBudget)
	}
	j := &job{Plan: p, requested: now, account: a, rate: oam.NewBudget(oam.Demand{BitRate: m.tests.MostBits()}), state: waiting}
	j.ctx, j.cancel = context.WithCancelCause(m.ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.jobs[p.ID] = j
	return j, nil
}

// drop gives back a job that was admitted and not begun.
func (m *Manager) drop(j *job) {
	j.account.Close()
	j.cancel(nil)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.jobs, j.ID)
}

// enqueue begins a job whose admission is on disk, as soon as there is a place.
func (m *Manager) enqueue(j *job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = append(m.queue, j)
	m.next()
}

// next begins what waits, with m.mu held.
func (m *Manager) next() {
	for len(m.queue) > 0 && m.ongoing < m.current.concurrent && !m.closed {
		j := m.queue[0]
		m.queue = m.queue[1:]
		m.ongoing++
		m.active.Go(func() { m.carryOut(j) })
	}
}

// carryOut runs a job and stores what it has found.
func (m *Manager) carryOut(j *job) {
	defer func() {
		m.drop(j)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.ongoing--
		m.figures.finished++
		m.next()
	}()
	m.run(j, func() { m.tell(j) })
	if m.ctx.Err() != nil {
		return // it is told as interrupted when the server is back
	}
	m.log.Info("incident diagnosed", "incident-id", j.ID, "state", j.state, "finding", j.summary())
	for m.ctx.Err() == nil {
		err := m.incidents.Consult(m.ctx, func(tx *datastore.Tx) error {
			m.incidents.Diagnosed(tx, j.ID, m.schema.encode(j), j.user, j.summary())
			return nil
		})
		if err == nil || m.ctx.Err() != nil {
			return
		}
		m.log.Error("the diagnosis of an incident cannot be stored yet", "incident-id", j.ID, "err", err)
		select {
		case <-m.ctx.Done():
		case <-time.After(storeAgain):
		}
	}
}

// tell stores how far a job is. What cannot be stored now is told with the next step.
func (m *Manager) tell(j *job) {
	err := m.incidents.Consult(m.ctx, func(tx *datastore.Tx) error {
		m.incidents.SetDiagnosis(tx, j.ID, m.schema.encode(j))
		return nil
	})
	if err != nil && m.ctx.Err() == nil {
		m.log.Warn("how far the diagnosis of an incident is cannot be stored", "incident-id", j.ID, "err", err)
	}
}

// summary is what a job has come to, in a line.
func (j *job) summary() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []string
	for _, f := range j.findings {
		s := string(f.Cause)
		if f.At.Node != "" {
			s += " at " + f.At.String()
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		list = []string{j.state}
	}
	if j.detail != "" {
		list = append(list, j.detail)
	}
	return strings.Join(list, ", ")
}

// observed is told what becomes of incidents. It does not wait.
func (m *Manager) observed(id string, op correlate.Op) {
	c := m.settings()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
	case op == correlate.Cleared:
		if t := m.candidates[id]; t != nil {
			t.Stop()
			delete(m.candidates, id)
		}
		if j := m.jobs[id]; j != nil {
			j.cancel(errCleared)
		}
	case op == correlate.Raised && c.self && len(m.candidates) >= c.wait:
		m.figures.selfSkipped++
	case op == correlate.Raised && c.self:
		m.candidates[id] = time.AfterFunc(c.delay, func() { m.diagnoseItself(id) })
	}
}

// diagnoseItself begins a diagnosis that nobody asked for.
func (m *Manager) diagnoseItself(id string) {
	m.mu.Lock()
	if _, still := m.candidates[id]; !still || m.closed {
		m.mu.Unlock()
		return
	}
	delete(m.candidates, id)
	m.active.Add(1)
	m.mu.Unlock()
	defer m.active.Done()
	c := m.settings()
	err := m.incidents.Consult(m.ctx, func(tx *datastore.Tx) error {
		inc := m.incidents.Entry(tx.State(), id)
		if inc == nil || inc.Leaf("status") == "cleared" || !c.self || !c.worth(inc) || m.under(id) {
			return nil
		}
		p, refused := m.plan(inc, m.network(tx), c, true)
		var j *job
		if refused == nil {
			j, refused = m.admit(p, tx.Now())
		}
		if refused != nil {
			m.count(func(f *figures) { f.selfSkipped++ })
			m.log.Info("an incident is not diagnosed", "incident-id", id, "err", refused)
			return nil
		}
		j.self = true
		m.begin(tx, j)
		m.count(func(f *figures) { f.selfBegun++ })
		return nil
	})
	if err != nil && m.ctx.Err() == nil {
		m.log.Warn("an incident is not diagnosed", "incident-id", id, "err", err)
	}
}

// worth reports whether an incident is one to diagnose without being asked.
func (c *settings) worth(inc *data.Node) bool {
	for i, p := range priorities {
		if p == inc.Leaf("priority") {
			return i <= c.least
		}
	}
	return false
}

// begin stores the admission of a job, and begins it when that is on disk.
func (m *Manager) begin(tx *datastore.Tx, j *job) {
	tx.OnAbort(func() { m.drop(j) })
	m.incidents.SetDiagnosis(tx, j.ID, m.schema.encode(j))
	tx.OnCommit(func(*datastore.Snapshot) { m.enqueue(j) })
}
