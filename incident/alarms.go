package incident

import (
	"slices"

	"incidentd/datastore"
	"incidentd/incident/alarm"
	"incidentd/yang/data"
)

// Alarms are the alarms that events report.
func (m *Manager) Alarms() *alarm.Alarms { return m.alarms }

// references knows which incidents refer to an alarm. It is owned by the writer of the
// store, and follows the incidents of the state when somebody asks: what an incident's change
// costs it is the size of the incident, and nothing where alarms are never purged or shelved.
type references struct {
	schema *schema
	seen   *data.Node // the container of the incidents that it knows
	of     map[alarm.Key][]string
}

// follow takes over what has changed since.
func (r *references) follow(state *data.Node) {
	now := state.Get(r.schema.incidents)
	data.DiffEntries(r.seen, now, r.schema.list, func(old, new *data.Node) bool {
		for _, k := range alarmsOf(old) {
			ids := slices.DeleteFunc(r.of[k], func(id string) bool { return id == old.Key() })
			if len(ids) == 0 {
				delete(r.of, k)
			} else {
				r.of[k] = ids
			}
		}
		for _, k := range alarmsOf(new) {
			r.of[k] = append(r.of[k], new.Key())
		}
		return true
	})
	r.seen = now
}

// alarmsOf are the alarms that an incident refers to, each of them once.
func alarmsOf(inc *data.Node) (out []alarm.Key) {
	seen := map[alarm.Key]bool{}
	for e := range inc.Child("events").Entries("event") {
		if k, ok := alarmOf(e); ok && !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// alarmOf is the alarm that an event of an incident refers to.
func alarmOf(e *data.Node) (alarm.Key, bool) {
	a := e.Child("alarm")
	if a == nil {
		return alarm.Key{}, false
	}
	return alarm.Key{Resource: a.Leaf("resource"), TypeID: a.Leaf("alarm-type-id"), Qualifier: a.Leaf("alarm-type-qualifier")}, true
}

// refersTo reports whether an open incident refers to an alarm.
func (m *Manager) refersTo(tx *datastore.Tx, k alarm.Key) bool {
	m.references.follow(tx.State())
	return slices.ContainsFunc(m.references.of[k], func(id string) bool {
		return m.schema.incident(tx.State(), id).Leaf("status") != "cleared"
	})
}

// unrefer lets incidents no longer refer to alarms that have left the list. Their events
// keep all else.
func (m *Manager) unrefer(tx *datastore.Tx, gone []alarm.Key) error {
	m.references.follow(tx.State())
	left := map[string]map[alarm.Key]bool{}
	var ids []string
	for _, k := range gone {
		for _, id := range m.references.of[k] {
			if left[id] == nil {
				left[id] = map[alarm.Key]bool{}
				ids = append(ids, id)
			}
			left[id][k] = true
		}
	}
	state := tx.State()
	for _, id := range ids {
		inc := m.schema.incident(state, id)
		events := inc.Child("events")
		var changed []*data.Node
		for e := range events.Entries("event") {
			if k, ok := alarmOf(e); ok && left[id][k] {
				changed = append(changed, e.Without(e.Child("alarm").Schema(), ""))
			}
		}
		state = m.schema.withIncident(state, inc.With(events.With(changed...)))
	}
	tx.SetState(state)
	return nil
}

// acknowledgeAlarms gives the alarms of incidents the operator state ack.
func (m *Manager) acknowledgeAlarms(tx *datastore.Tx, user string, incidents ...*data.Node) error {
	e := m.alarms.Begin(tx)
	for _, inc := range incidents {
		for _, k := range alarmsOf(inc) {
			e.SetOperatorState(k, alarm.Ack, user, "the incident "+inc.Key()+" was acknowledged")
		}
	}
	return e.Done()
}
