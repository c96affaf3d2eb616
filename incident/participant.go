package incident

import (
	"time"

	"incidentd/datastore"
	"incidentd/incident/alarm"
)

// gather is how long a change of what the correlator judges by waits for more, unless an
// event or a timer comes before: a network is often configured in many steps.
const gather = 100 * time.Millisecond

// Prepare implements datastore.Participant. When running changes what the correlator
// judges by, its state so far is stored with the change: a crash before the change takes
// hold must not have the events before it judged by what came after.
func (m *Manager) Prepare(tx *datastore.Tx) error {
	if err := m.checkWindows(tx); err != nil {
		return err
	}
	was, is := tx.Base().Running, tx.Running()
	if was.Child("correlation") == is.Child("correlation") && was.Child("networks") == is.Child("networks") && was.Child("maintenance") == is.Child("maintenance") &&
		alarm.Shelving(was) == alarm.Shelving(is) {
		return nil
	}
	tx.OnAbort(func() { m.stale = true })
	if m.stale {
		if err := m.restore(tx, was); err != nil {
			return err
		}
		m.stale = false
	}
	tx.OnCommit(func(*datastore.Snapshot) {
		select {
		case m.reformed <- struct{}{}:
		default:
		}
	})
	return m.snapshot(tx)
}

// Commit implements datastore.Participant.
func (m *Manager) Commit(*datastore.Snapshot) {}

// Abort implements datastore.Participant.
func (m *Manager) Abort() {}
