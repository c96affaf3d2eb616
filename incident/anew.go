package incident

import (
	"encoding/binary"
	"errors"
	"slices"

	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/yang/data"
)

// errNoSnapshot says that a store has events and no snapshot: one of an older version.
var errNoSnapshot = errors.New("there is no snapshot of the correlator")

// hasPast reports whether the store is of a server that has had events or incidents.
func (m *Manager) hasPast(tx *datastore.Tx) bool {
	for range tx.Scan(tableEvents, nil, nil) {
		return true
	}
	return tx.State().Get(m.schema.incidents) != nil
}

// anew judges all events of the log as if they were new, after an upgrade from a version
// that left no snapshot which this one reads. Who was told of the incidents so far is not
// told of them again: those that are over stay as they are. The ones that last are raised
// under new numbers, as what this version makes of the same events may be other incidents;
// the old ones are cleared, merged into what has most of their events, and an
// acknowledgement goes over.
func (m *Manager) anew(tx *datastore.Tx, why error) error {
	m.log.Warn("the correlator judges the events of the log anew", "why", why)
	c := CorrelatorFromData(m.judging, m.c.Correlator)
	c.NextNo = m.highest(tx) + 1
	m.engine = correlate.New(c)
	m.engine.SetTopology(m.index)
	for k := range tx.Scan(tableParts, nil, nil) {
		tx.Delete(tableParts, slices.Clone(k))
	}
	m.next, m.snapped = 1, 0
	again, err := m.replayLog(tx)
	if err != nil {
		return err
	}
	clk := storedClock(tx)
	if !clk.stream.IsZero() {
		again = append(again, m.engine.Advance(clk.stream)...)
	}
	m.clock.Store(clk)
	m.committed = 0
	if len(again) > 0 {
		m.committed = again[len(again)-1].Serial
	}
	old := m.openIncidents(tx)
	fresh := m.engine.Open()
	heirs := m.heirs(old, fresh)
	var raised []correlate.Decision
	for _, inc := range fresh {
		inc.Status = correlate.Raised
		raised = append(raised, correlate.Decision{Serial: m.committed, At: later(clk.stream, inc.RaiseTime), Op: correlate.Raised, Incident: inc})
	}
	if err := m.decide(tx, raised); err != nil {
		return err
	}
	for k, inc := range old {
		m.supersede(tx, inc, heirs[k])
	}
	if c.NextNo > 1 {
		last := c.NextNo - 1
		for _, d := range again {
			last = max(last, d.Incident.No)
		}
		tx.Put(tableCorrelator, rowNumber, place(last))
	}
	tx.Put(tableCorrelator, rowSerial, place(m.committed))
	return m.snapshot(tx)
}

// highest is the highest serial number that an incident was given.
func (m *Manager) highest(tx *datastore.Tx) (no uint64) {
	if v := tx.Get(tableCorrelator, rowNumber); len(v) == 8 {
		no = binary.BigEndian.Uint64(v)
	}
	for inc := range tx.State().Get(m.schema.incidents).EntriesOf(m.schema.list) {
		no = max(no, serialOf(inc.Leaf("csn")))
	}
	for k := range tx.Scan(tableHistory, nil, nil) {
		no = max(no, binary.BigEndian.Uint64(k))
	}
	return no
}

// openIncidents are the entries of the incidents that are not cleared.
func (m *Manager) openIncidents(tx *datastore.Tx) (out []*data.Node) {
	for inc := range tx.State().Get(m.schema.incidents).EntriesOf(m.schema.list) {
		if inc.Leaf("status") != correlate.Cleared.String() {
			out = append(out, inc)
		}
	}
	return out
}

// heirs are, for each old incident, the id of the new one that has most of its events, ""
// for none.
func (m *Manager) heirs(old []*data.Node, fresh []*correlate.Incident) []string {
	in := map[string]uint64{}
	for _, inc := range fresh {
		for _, e := range inc.Events() {
			in[e.ID] = inc.No
		}
	}
	out := make([]string, len(old))
	for k, inc := range old {
		shared := map[uint64]int{}
		best := uint64(0)
		for e := range inc.Child("events").Entries("event") {
			no, ok := in[e.Leaf("event-id")]
			if !ok {
				continue
			}
			if shared[no]++; best == 0 || shared[no] > shared[best] || shared[no] == shared[best] && no < best {
				best = no
			}
		}
		if best != 0 {
			out[k] = ID(best)
		}
	}
	return out
}

// supersede clears an incident that was judged anew.
func (m *Manager) supersede(tx *datastore.Tx, inc *data.Node, heir string) {
	now := tx.Now()
	leaf := func(name, value string) *data.Node { return data.NewLeaf(m.schema.list.ChildNamed(name), value) }
	at := data.FormatTime(now)
	fresh := inc.With(leaf("status", correlate.Cleared.String()), leaf("clear-time", at), leaf("last-updated", at))
	st := step{at: now, action: "judged-anew"}
	if heir != "" {
		fresh = fresh.With(leaf("merged-into", heir))
		st.detail = "it goes on as " + heir
		m.inherit(tx, inc, heir)
	}
	fresh = m.schema.withStep(fresh, st)
	tx.SetState(m.schema.withIncident(tx.State(), fresh))
	tx.Notify(Stream, m.schema.notification(fresh, now))
	m.cleared = append(m.cleared, clearedIncident{inc.Leaf("incident-id"), now})
	m.remember(tx, fresh, m.schema.explainEntry(fresh))
}

// inherit passes an acknowledgement on.
func (m *Manager) inherit(tx *datastore.Tx, from *data.Node, heir string) {
	to := m.schema.incident(tx.State(), heir)
	if to == nil {
		return
	}
	for _, name := range []string{"ack-status", "ack-time", "ack-user"} {
		if v := from.Leaf(name); v != "" && from.Leaf("ack-status") == "acknowledged" {
			to = to.With(data.NewLeaf(m.schema.list.ChildNamed(name), v))
		}
	}
	to = m.schema.withStep(to, step{at: tx.Now(), action: "judged-anew", detail: "it was " + from.Leaf("incident-id")})
	tx.SetState(m.schema.withIncident(tx.State(), to))
}
