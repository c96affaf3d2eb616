package incident

import (
	"context"
	"strconv"
	"strings"

	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/netconf/nacm"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// ID is the incident-id of a serial number.
func ID(no uint64) string { return "inc-" + strconv.FormatUint(no, 10) }

// trimID is an incident-id without what stands before its number.
func trimID(id string) string { return strings.TrimPrefix(id, "inc-") }

// decide stores what the correlator decided: each incident as it is now, and the
// notification of each step. One that is cleared goes into the history at once.
func (m *Manager) decide(tx *datastore.Tx, decisions []correlate.Decision) error {
	if len(decisions) == 0 {
		return nil
	}
	committed, cleared := m.committed, m.cleared
	tx.OnAbort(func() { m.committed, m.cleared = committed, cleared })
	for _, d := range decisions {
		m.committed = d.Serial
		inc := d.Incident
		old := m.schema.incident(tx.State(), ID(inc.No))
		m.ensureNodes(tx, append(nodesOf(inc), found(old)...))
		fresh := m.schema.encode(inc, old, m.alarms, tx.State())
		if st, ok := stepOf(d.Op, d.At, old, fresh); ok {
			fresh = m.schema.withStep(fresh, st)
		}
		tx.SetState(m.schema.withIncident(tx.State(), fresh))
		tx.Notify(Stream, m.schema.notification(fresh, d.At))
		m.tellObserver(tx, ID(inc.No), d.Op)
		if inc.Mark != "" {
			if err := m.explained(tx, inc.Mark, fresh); err != nil {
				return err
			}
		}
		if d.Op == correlate.Raised {
			tx.Put(tableCorrelator, rowNumber, place(inc.No))
		}
		if d.Op == correlate.Cleared {
			m.cleared = append(m.cleared, clearedIncident{ID(inc.No), inc.ClearTime})
			m.remember(tx, fresh, m.schema.explain(inc))
		}
		m.log.Info("incident "+d.Op.String(), "incident-id", ID(inc.No), "name", inc.Name, "priority", inc.Priority)
	}
	tx.Put(tableCorrelator, rowSerial, place(m.committed))
	m.setClock(tx, later(m.clock.Load().now(tx.Now()), decisions[len(decisions)-1].At), m.clock.Load().recording)
	return nil
}

func nodesOf(inc *correlate.Incident) []string {
	var out []string
	for _, s := range inc.Sources() {
		out = append(out, s.Node)
	}
	for _, r := range inc.RootCauses {
		out = append(out, r.Node)
	}
	return out
}

// Acknowledge is the rpc incident-acknowledge. Either all incidents of the input
// are acknowledged or, with an error for each that cannot be, none. One that the user
// may not read is for him as if it were not there: an error must not tell that it is
// [RFC 8341 section 3.2.5].
func (m *Manager) Acknowledge(ctx context.Context, user string, access *nacm.Access, input *data.Node) error {
	return m.store.Update(ctx, func(tx *datastore.Tx) error { return m.acknowledge(tx, user, access, input) })
}

func (m *Manager) acknowledge(tx *datastore.Tx, user string, access *nacm.Access, input *data.Node) error {
	var errs rpcerr.Errors
	var acknowledged []*data.Node
	state := tx.State()
	seen := map[string]bool{}
	for n := range input.Entries("incident-id") {
		id := n.Value()
		if seen[id] {
			continue
		}
		seen[id] = true
		at := (&data.Loc{Node: input}).Down(n)
		inc := m.schema.incident(state, id)
		switch {
		case !m.schema.mayRead(access, state, inc):
			errs = append(errs, noIncident(input, n))
			continue
		case inc.Leaf("ack-status") == "acknowledged":
			by := ""
			if u := inc.Leaf("ack-user"); u != "" {
				by = " by " + u
			}
			errs = append(errs, rpcerr.OperationFailed("the incident %s was acknowledged already, at %s%s", id, inc.Leaf("ack-time"), by).
				WithAppTag(rpcerr.AppRepeatedAcknowledge).At(at.Path()))
			continue
		}
		inc = m.schema.withStep(m.schema.acknowledged(inc, tx.Now(), user), step{at: tx.Now(), action: "acknowledged", user: user})
		state = m.keep(tx, state, inc)
		acknowledged = append(acknowledged, inc)
	}
	tx.SetState(state)
	if err := errs.Err(); err != nil || !m.schema.settingsOf(tx.Running()).acknowledgeAlarms {
		return err
	}
	return m.acknowledgeAlarms(tx, user, acknowledged...)
}

// keep is the state with an incident as it is now, which the history learns too if it has
// the incident.
func (m *Manager) keep(tx *datastore.Tx, state, inc *data.Node) *data.Node {
	if inc.Leaf("status") == "cleared" {
		m.remember(tx, inc, nil)
	}
	return m.schema.withIncident(state, inc)
}

// sanitize is the name of a user as a leaf can hold it.
func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
