package resolve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"incidentd/datastore"
	"incidentd/incident"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Config of New. Store and Incidents are required.
type Config struct {
	Store     *datastore.Store
	Incidents *incident.Manager
	// Hooks is the directory of the programs that may be run.
	Hooks string
	// Dial connects to devices; nil: over TCP.
	Dial Dialer
	// Log gets what nobody is answered; nil: nothing is logged.
	Log *slog.Logger
}

// Manager resolves the incidents of a store.
type Manager struct {
	c         Config
	store     *datastore.Store
	incidents *incident.Manager
	schema    schema
	log       *slog.Logger

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	config  *config
	from    *data.Node      // that config was read from
	open    map[string]*run // by incident
	ended   []summary       // the latest last
	next    uint64          // number of the next run
	figures figures
}

// summary is what is remembered of a run that has ended.
type summary struct {
	number    uint64
	incident  string
	procedure string
	outcome   Outcome
}

// figures are counted since the manager was made.
type figures struct{ runs, resolved, takenBack, left, denied uint64 }

// schema are the nodes of the schema that the package works with.
type schema struct{ root, top, state, run, incidents, progress *yang.Node }

// New makes the manager of a store's resolutions. Runs that the server ended with are closed
// after Start.
func New(c Config) (*Manager, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		c.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}
	}
	s := c.Store.Schema()
	top := s.Root.Child(s.Module("incidentd-resolution"), "resolution")
	m := &Manager{c: c, store: c.Store, incidents: c.Incidents, log: c.Log, open: map[string]*run{}, next: 1,
		schema: schema{s.Root, top, top.ChildNamed("state"), top.ChildNamed("run"), s.Root.Child(s.Module("ietf-incident"), "incidents"), s.Notification("incidentd-resolution", "resolution-progress")}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	if _, err := m.configured(c.Store.Snapshot().Running); err != nil {
		return nil, fmt.Errorf("resolution: %w", err)
	}
	var fault error
	err := m.store.Read(tableRuns, nil, nil, func(_, v []byte) bool {
		var r Run
		if r, fault = parseRun(v); fault != nil {
			return false
		}
		m.next = r.Number + 1
		if r.Phase == Ended {
			m.ended = append(m.ended, summary{r.Number, r.Incident, r.Plan.Procedure, r.Outcome})
		} else {
			m.open[r.Incident] = m.newRun(r)
		}
		return true
	})
	if err := errors.Join(err, fault); err != nil {
		return nil, fmt.Errorf("runs of resolution: %w", err)
	}
	m.store.ProvideSelected(m.schema.top, m.provide, m.schema.state, m.schema.run)
	m.store.Join(m)
	return m, nil
}

// Start closes the runs that the server ended with, in the background.
func (m *Manager) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.open {
		m.running.Go(func() { m.recover(r) })
	}
}

// Stop ends what is under way as a crash would: it is taken back after the next start.
func (m *Manager) Stop() {
	m.cancel()
	m.running.Wait()
}

// Register gives the operations their handlers.
func (m *Manager) Register(s *netconf.Server) error {
	return errors.Join(
		s.Handle("ietf-incident", "incident-resolve", m.resolve),
		s.Handle("incidentd-resolution", "preview-resolution", m.preview),
		s.Handle("incidentd-resolution", "stop-resolution", m.stop),
	)
}

// configured is what is configured in a tree. The last one is remembered.
func (m *Manager) configured(running *data.Node) (*config, error) {
	n := running.Get(m.schema.top)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.config != nil && m.from == n {
		return m.config, nil
	}
	c, err := configOf(running)
	if err == nil {
		m.config, m.from = c, n
	}
	return c, err
}

// Prepare implements datastore.Participant: a configuration that has no meaning is refused.
func (m *Manager) Prepare(tx *datastore.Tx) error {
	if tx.Base().Running.Get(m.schema.top) == tx.Running().Get(m.schema.top) {
		return nil
	}
	c, err := configOf(tx.Running())
	if err != nil {
		return err
	}
	if !c.enabled {
		tx.OnCommit(func(*datastore.Snapshot) {
			m.stopAll(&halted{"procedures are not to be carried out any more: /resolution/enabled is false"})
		})
	}
	return nil
}

// Commit implements datastore.Participant.
func (m *Manager) Commit(*datastore.Snapshot) {}

// Abort implements datastore.Participant.
func (m *Manager) Abort() {}

// stopAll has all runs taken back.
func (m *Manager) stopAll(why *halted) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.open {
		r.halt(why)
	}
}

// tried are the procedures that were carried out for an incident and have not helped.
func (m *Manager) tried(incident string) (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.ended {
		if s.incident == incident && s.outcome.helpless() && !slices.Contains(names, s.procedure) {
			names = append(names, s.procedure)
		}
	}
	return names
}

// save stores a run as it is, and tells of its phase if that is another.
func (m *Manager) save(r *Run, phase Phase, more func(*datastore.Tx)) error {
	return m.store.Update(m.ctx, func(tx *datastore.Tx) error {
		m.put(tx, r, phase)
		if more != nil {
			more(tx)
		}
		return nil
	})
}

// put is save in a transaction.
func (m *Manager) put(tx *datastore.Tx, r *Run, phase Phase) {
	tx.Put(tableRuns, rowKey(r.Number), r.row())
	if r.Phase == phase {
		return
	}
	b := data.Build(m.schema.progress).Leaf("run-id", r.Name()).Leaf("incident-id", r.Incident).Leaf("procedure", r.Plan.Procedure).Leaf("phase", string(r.Phase))
	tx.Notify(incident.Stream, b.Text("outcome", string(r.Outcome)).Text("detail", r.Detail).Node())
}

// trim deletes the oldest of the runs that have ended, beyond those that are kept.
func (m *Manager) trim(tx *datastore.Tx, keep int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	over := max(0, len(m.ended)-keep)
	for _, s := range m.ended[:over] {
		tx.Delete(tableRuns, rowKey(s.number))
	}
	if over > 0 {
		tx.OnCommit(func(*datastore.Snapshot) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.ended = slices.Clone(m.ended[over:])
		})
	}
}

// retryEvery is how long to wait before what has failed for now is tried again.
const retryEvery = 5 * time.Second
