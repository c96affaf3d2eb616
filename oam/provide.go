package oam

import (
	"cmp"
	"slices"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/yang/data"
)

// previews is how many occurrences the state of a test tells.
const previews = 5

// provide provides the state of tests, and the figures of all.
func (m *Manager) provide() {
	for _, k := range []Kind{UnitaryTest, TestSequence} {
		list := m.schema.lists[k]
		m.store.ProvideSelected(m.schema.containers[k], func(snap *datastore.Snapshot, f *data.Filter) *data.Node { return m.stateOf(snap, f, k) },
			list.ChildNamed(k.statusLeaf()), list.ChildNamed("run-state"), list.ChildNamed("result"))
	}
	state := m.schema.service.ChildNamed("state")
	m.store.Provide(m.schema.service, func(*datastore.Snapshot) *data.Node { return m.serviceState() }, state, m.schema.service.ChildNamed("birth-certificate"))
}

// stateOf is the state of the tests of a kind that a filter can select.
func (m *Manager) stateOf(snap *datastore.Snapshot, f *data.Filter, k Kind) *data.Node {
	configured := snap.Running.Get(m.schema.containers[k])
	if configured == nil {
		return nil
	}
	wanted := f.Narrow(data.New(m.schema.root).With(configured)).Get(m.schema.containers[k])
	if wanted == nil {
		return nil
	}
	b := data.Build(m.schema.containers[k])
	err := m.db.View(func(r *kv.Reader) error {
		for e := range wanted.EntriesOf(m.schema.lists[k]) {
			name := e.Leaf("name")
			history, ok := m.encodeItem(b, id{k, name})
			if !ok {
				continue
			}
			results, err := resultsOf(r, id{k, name}, history)
			if err != nil {
				return err
			}
			entry := b.Entry(k.list(), name)
			for i := range results {
				encodeResult(entry.Entry("result", results[i].ID), &results[i])
			}
		}
		return nil
	})
	if err != nil {
		m.log.Error("results of tests cannot be read", "err", err)
	}
	return b.Node()
}

// encodeItem writes the state of an item, and returns how many results it has.
func (m *Manager) encodeItem(b *data.Builder, i id) (history int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it := m.items[i]
	if it == nil {
		return 0, false
	}
	var next []time.Time
	if it.state != Stopped {
		for _, s := range spans(it.plan, m.frontier(it), previews) {
			next = append(next, s.Start.Add(it.spread))
		}
	}
	it.conflicts = m.ahead(it, time.Now())
	encodeState(b.Entry(i.kind.list(), i.name), it, next)
	return int(it.historySize), true
}

// ahead are the conflicts of an item that are still to come: of one that has passed, the
// next time is looked for.
func (m *Manager) ahead(it *item, now time.Time) (list []conflict) {
	for _, l := range it.conflicts {
		if l.at.Before(now) {
			rival, ok := m.items[l.rival]
			if !ok {
				continue
			}
			if l.at, ok = meet(it.definition, rival.definition, now, maxOccurrences); !ok {
				continue
			}
		}
		list = append(list, l)
	}
	return list
}

// resultsOf are the results of a test, the latest last.
func resultsOf(r *kv.Reader, i id, history int) (list []Run, err error) {
	for _, v := range r.Scan(tableRuns, key(i.kind, i.name), afterKey(i.kind, i.name)) {
		var run Run
		if err := unpack(v, &run); err != nil {
			return nil, err
		}
		list = append(list, run)
	}
	slices.SortFunc(list, func(a, b Run) int { return cmp.Compare(a.ID, b.ID) })
	return list[max(0, len(list)-history):], nil
}

// sortedRuns are runs in the order of their times.
func sortedRuns(open map[string]openRun) (list []openRun) {
	for _, o := range open {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b openRun) int { return cmp.Compare(a.Run.ID, b.Run.ID) })
	return list
}

// serviceState is oam-service with its figures.
func (m *Manager) serviceState() *data.Node {
	certificates, err := m.certificates()
	if err != nil {
		m.log.Error("certificates cannot be read", "err", err)
	}
	scheduled := m.timer.Len()
	m.mu.Lock()
	defer m.mu.Unlock()
	b := data.Build(m.schema.service)
	b.Container("state").Uint("running", uint64(len(m.admission.running))).Uint("waiting", uint64(len(m.admission.waiting))).
		Uint("scheduled", uint64(scheduled)).Uint("runs", m.figures.runs).Uint("refused", m.admission.refused).
		Uint("missed", m.figures.missed).Uint("overlapped", m.figures.overlapped).
		Uint("max-lateness", nanoseconds(m.figures.lateness)).Uint("packets", m.figures.packets).
		Uint("untold-crossings", uint64(m.crossings.untold.Load()))
	encodeCertificates(b, certificates)
	return b.Node()
}
