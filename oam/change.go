package oam

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"incidentd/datastore"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// change is what a transaction makes of the tests.
type change struct {
	service *service // nil: as it was
	define  []*definition
	remove  []id
	at      time.Time
	// conflicts are those of what is defined, with their rivals'.
	conflicts map[id][]conflict
}

// Prepare implements datastore.Participant: it reads the tests that change, refuses what
// has no meaning, and finds conflicts.
func (m *Manager) Prepare(tx *datastore.Tx) error {
	c, err := m.changeOf(tx.Base().Running, tx.Running(), tx.Now())
	if err != nil {
		return err
	}
	forget := func(i id) {
		for k := range tx.Scan(tableRuns, key(i.kind, i.name), afterKey(i.kind, i.name)) {
			tx.Delete(tableRuns, slices.Clone(k))
		}
	}
	for _, i := range c.remove { // its certificates stay
		tx.Delete(tableProgress, key(i.kind, i.name))
		forget(i)
	}
	for _, d := range c.define {
		i := d.id
		if !m.knows(i) { // nor is what ended after the removal of one that had the name before
			forget(i)
		}
		p := m.progressOf(i)
		p.Since, p.Order, p.State = c.at, d.order, ""
		tx.Put(tableProgress, key(i.kind, i.name), pack(p))
	}
	m.prepared = append(m.prepared, c)
	return nil
}

// Commit implements datastore.Participant.
func (m *Manager) Commit(*datastore.Snapshot) {
	c := m.prepared[0]
	m.prepared = m.prepared[1:]
	m.apply(c)
}

// Abort implements datastore.Participant.
func (m *Manager) Abort() { m.prepared = m.prepared[:len(m.prepared)-1] }

func (m *Manager) knows(i id) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.items[i] != nil
}

func (m *Manager) progressOf(i id) progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	if it := m.items[i]; it != nil {
		return it.progress
	}
	return progress{}
}

// changeOf is what the way from a configuration to another makes of the tests.
func (m *Manager) changeOf(old, new *data.Node, at time.Time) (*change, error) {
	c := &change{at: at}
	if old.Get(m.schema.service) != new.Get(m.schema.service) {
		c.service = serviceOf(m.schema.serviceOf(new))
	}
	define, remove := m.schema.changed(old, new)
	c.remove = remove
	d := decoder{m.engines, m.schema.containerOf(new, UnitaryTest)}
	var errs rpcerr.Errors
	for _, i := range slices.SortedFunc(maps.Keys(define), compareIDs) {
		at := define[i]
		def, err := d.definition(i, at, orderOf(m.progressOf(i).Order, at.Node))
		if err != nil {
			list, known := rpcerr.List(err)
			if !known {
				return nil, err
			}
			errs = append(errs, list...)
			continue
		}
		c.define = append(c.define, def)
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	if len(c.define) > 0 {
		c.conflicts = conflictsOf(c.define, m.others(c), at)
	}
	reject := m.rejects(c)
	for _, d := range c.define {
		if list := c.conflicts[d.id]; reject && len(list) > 0 {
			l := list[0]
			errs = append(errs, rpcerr.New(rpcerr.Application, rpcerr.TagResourceDenied,
				"the %s %q would run at %s together with the %s %q, and both need %s for themselves; conflict-policy rejects that",
				kindWords[d.kind], d.name, data.FormatTime(l.at), kindWords[l.rival.kind], l.rival.name, l.resource).
				WithAppTag("schedule-conflict").At(define[d.id].Path()))
		}
	}
	return c, errs.Err()
}

var kindWords = [...]string{UnitaryTest: "test", TestSequence: "sequence"}

// others are the definitions that a change leaves alone.
func (m *Manager) others(c *change) (list []*definition) {
	gone := map[id]bool{}
	for _, d := range c.define {
		gone[d.id] = true
	}
	for _, i := range c.remove {
		gone[i] = true
	}
	if !slices.ContainsFunc(c.define, func(d *definition) bool { return len(d.needs) > 0 }) {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, it := range m.items {
		if !gone[i] && len(it.needs) > 0 {
			list = append(list, it.definition)
		}
	}
	return list
}

func (m *Manager) rejects(c *change) bool {
	if c.service != nil {
		return c.service.limits.reject
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.service.limits.reject
}

// orderOf is the order in which members were made: those that were there, then the new
// ones by name.
func orderOf(before []string, entry *data.Node) (order []string) {
	for _, name := range before {
		if entry.EntryNamed("test-ref", name) != nil {
			order = append(order, name)
		}
	}
	for e := range entry.Entries("test-ref") {
		if name := e.Leaf("name"); !slices.Contains(before, name) {
			order = append(order, name)
		}
	}
	return order
}

// apply makes a change that is on disk hold.
func (m *Manager) apply(c *change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range c.remove {
		m.forget(i)
	}
	m.setConflicts(c)
	if c.service != nil {
		m.serve(c.service)
	}
	for _, d := range c.define {
		m.define(d, c)
	}
}

// setConflicts tells the rivals of what has changed, and those that were.
func (m *Manager) setConflicts(c *change) {
	changed := map[id]bool{}
	for _, d := range c.define {
		changed[d.id] = true
	}
	for _, i := range c.remove {
		changed[i] = true
	}
	for _, it := range m.items {
		if len(it.conflicts) > 0 {
			it.conflicts = slices.DeleteFunc(slices.Clone(it.conflicts), func(l conflict) bool { return changed[l.rival] })
		}
	}
	for i, list := range c.conflicts {
		if it := m.items[i]; it != nil {
			it.conflicts = append(it.conflicts, list...)
		}
	}
}

// forget removes a test. A run of it is stopped; the commit does not wait for that.
func (m *Manager) forget(i id) {
	it := m.items[i]
	if it == nil {
		return
	}
	it.removed = true
	it.round++
	m.timer.Stop(&it.alarm)
	m.halt(it, ConfigurationRemoved, "the "+kindWords[i.kind]+" was removed from the configuration")
	delete(m.items, i)
	m.unsupervised(i, nil)
}

// define makes a test what its definition is now. A run that is under way goes on as it
// began, unless the test is to stop.
func (m *Manager) define(d *definition, c *change) {
	it := m.items[d.id]
	if it == nil {
		it = m.add(d, progress{Since: c.at})
		it.conflicts = c.conflicts[d.id]
		m.restart(it)
		return
	}
	it.definition = d
	m.unsupervised(d.id, d.supervision)
	it.Since, it.progress.Order = c.at, d.order
	it.conflicts = c.conflicts[d.id]
	it.queued, it.paused, it.retry = nil, nil, 0
	switch {
	case it.state == Ongoing && d.stop:
		m.halt(it, ClientStop, "the status in the configuration is stop")
	case it.state == Ongoing:
		m.arm(it)
	default:
		m.halt(it, ClientStop, "the "+kindWords[d.kind]+" was changed before it began") // one that waits
		m.restart(it)
	}
}

// serve makes other limits and vantage points hold.
func (m *Manager) serve(s *service) {
	old := m.service
	m.service = s
	m.admission.limits = &s.limits
	if s.limits.paused {
		for r := range m.errands {
			r.cancel(&halted{Paused, "tests are paused in the limits"})
		}
	}
	moved := !maps.Equal(old.vantages, s.vantages)
	for _, i := range slices.SortedFunc(maps.Keys(m.items), compareIDs) {
		it := m.items[i]
		if it.run != nil {
			if s.limits.paused {
				m.halt(it, Paused, "tests are paused in the limits")
			}
			continue
		}
		limited := it.reason == TargetDenied || it.reason == LimitExceeded
		if moved || it.state == Erroneous && limited || it.state == Ready && it.faultUnder(&s.limits) != nil {
			m.restart(it)
		}
	}
	m.admission.again()
	if old.limits.paused && !s.limits.paused {
		m.catchUp()
	}
}

// catchUp begins, of each test that wants it, the last occurrence of the time in which tests
// were paused.
func (m *Manager) catchUp() {
	for _, i := range slices.SortedFunc(maps.Keys(m.items), compareIDs) {
		it := m.items[i]
		if it.paused != nil && it.state == Ready && it.run == nil {
			m.begin(it, it.paused, ByCatchUp, "")
		}
		it.paused = nil
	}
}

func compareIDs(a, b id) int {
	if a.kind != b.kind {
		return int(a.kind) - int(b.kind)
	}
	switch {
	case a.name < b.name:
		return -1
	case a.name > b.name:
		return 1
	}
	return 0
}

func (i id) String() string { return fmt.Sprintf("%s %s", i.kind, i.name) }
