package incident

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/incident/topology"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// appCleared is the app-tag for an incident that is cleared, where an open one is wanted.
const appCleared = "incident-cleared"

// mergeIncidents answers merge-incidents of incidentd-management.
func (m *Manager) mergeIncidents(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	into := r.Input.Leaf("incident-id")
	return nil, m.act(ctx, r, func(tx *datastore.Tx) error {
		no, err := m.open(tx, r)
		if err != nil {
			return err
		}
		c := correlate.Command{Action: correlate.Merge, Incident: no}
		seen := map[string]bool{into: true}
		var errs rpcerr.Errors
		for n := range r.Input.Entries("other") {
			path := (&data.Loc{Node: r.Input}).Down(n).Path()
			other, err := m.openAt(tx, r, n)
			switch {
			case seen[n.Value()]:
				errs = append(errs, rpcerr.InvalidValue("%s is named twice", n.Value()).At(path))
			case err != nil:
				errs = append(errs, err)
			}
			seen[n.Value()] = true
			c.Others = append(c.Others, other)
		}
		if err := errs.Err(); err != nil {
			return err
		}
		if _, err := m.command(tx, r, c); err != nil {
			return err
		}
		others := strings.Join(r.Input.Values("other"), ", ")
		for _, id := range r.Input.Values("other") {
			m.note(tx, r, id, "absorbed", "into "+into)
		}
		m.note(tx, r, into, "merged", "with "+others)
		m.remark(tx, r, into)
		return nil
	})
}

// splitIncident answers split-incident of incidentd-management.
func (m *Manager) splitIncident(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	from, out := r.Input.Leaf("incident-id"), r.Output()
	err := m.act(ctx, r, func(tx *datastore.Tx) error {
		no, err := m.open(tx, r)
		if err != nil {
			return err
		}
		decisions, err := m.command(tx, r, correlate.Command{Action: correlate.Split, Incident: no, Events: r.Input.Values("event-id")})
		if err != nil {
			return err
		}
		// The last that it raised: timers that were due before may have raised others.
		k := len(decisions) - 1
		for k >= 0 && decisions[k].Op != correlate.Raised {
			k--
		}
		if k < 0 {
			return fmt.Errorf("a split of %s raised no incident", from)
		}
		id := ID(decisions[k].Incident.No)
		events := strings.Join(r.Input.Values("event-id"), ", ")
		m.note(tx, r, from, "split", "into "+id+": "+events)
		m.note(tx, r, id, "split", "from "+from+": "+events)
		m.remark(tx, r, id)
		out.Leaf("incident-id", id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reply(out.Node()), nil
}

// moveEvents answers move-events of incidentd-management.
func (m *Manager) moveEvents(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	to := r.Input.Leaf("incident-id")
	return nil, m.act(ctx, r, func(tx *datastore.Tx) error {
		no, err := m.open(tx, r)
		if err != nil {
			return err
		}
		events := r.Input.Values("event-id")
		from := m.engine.Holders(events)
		if _, err := m.command(tx, r, correlate.Command{Action: correlate.Move, Incident: no, Events: events}); err != nil {
			return err
		}
		list := strings.Join(events, ", ")
		for _, other := range from {
			if other != no {
				m.note(tx, r, ID(other), "moved", "to "+to+": "+list)
			}
		}
		m.note(tx, r, to, "moved", "here: "+list)
		m.remark(tx, r, to)
		return nil
	})
}

// commentIncident answers comment-incident of incidentd-management. Cleared incidents take
// comments too.
func (m *Manager) commentIncident(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	id := r.Input.Leaf("incident-id")
	return nil, m.act(ctx, r, func(tx *datastore.Tx) error {
		inc := m.schema.incident(tx.State(), id)
		if !m.schema.mayRead(r.Access, tx.State(), inc) {
			return noIncident(r.Input, r.Input.Child("incident-id"))
		}
		if inc.Count(m.schema.list.ChildNamed("comment")) >= mostComments {
			return rpcerr.TooBig("%s has %d comments, more are not kept", id, mostComments).At(at(r.Input, "text"))
		}
		inc = m.schema.withComment(inc, tx.Now(), r.Session.User(), r.Input.Leaf("text"))
		tx.SetState(m.keep(tx, tx.State(), inc))
		return nil
	})
}

// Consult runs f in a transaction in which all events that are on disk are judged. What f
// refuses with an error it must not have begun.
func (m *Manager) Consult(ctx context.Context, f func(*datastore.Tx) error) error {
	return m.consult(ctx, func(tx *datastore.Tx) error {
		if err := m.judge(tx, nil); err != nil {
			return err
		}
		return f(tx)
	})
}

// Act is Consult for a request that changes incidents: the request signs the transaction,
// and the audit learns what it has changed.
func (m *Manager) Act(ctx context.Context, r *netconf.Request, f func(*datastore.Tx) error) error {
	return m.act(ctx, r, func(tx *datastore.Tx) error {
		if err := m.judge(tx, nil); err != nil {
			return err
		}
		return f(tx)
	})
}

// Lasts reports whether an alarm of an open incident lasts, so that its clear is to be
// expected. It is for functions of Consult and Act.
func (m *Manager) Lasts(inc *data.Node) bool { return m.engine.Lasts(serialOf(inc.Leaf("csn"))) }

// Close clears an open incident of which nothing lasts, for a user. It is for functions of Act.
func (m *Manager) Close(tx *datastore.Tx, r *netconf.Request, inc *data.Node) error {
	if _, err := m.command(tx, r, correlate.Command{Action: correlate.Close, Incident: serialOf(inc.Leaf("csn"))}); err != nil {
		return err
	}
	m.note(tx, r, inc.Key(), "resolved", "")
	return nil
}

// Topology is the index of the network by which incidents are judged. It is for functions
// of Consult and Act.
func (m *Manager) Topology() *topology.Index { return m.index }

// act is consult for what changes incidents: the request signs the transaction, and the
// audit learns what it has changed.
func (m *Manager) act(ctx context.Context, r *netconf.Request, f func(*datastore.Tx) error) error {
	return m.consult(ctx, func(tx *datastore.Tx) error {
		before := tx.State()
		r.Sign(tx, author(r))
		err := f(tx)
		if err == nil {
			r.Changed(datastore.Operational, before, tx.State())
		}
		return err
	})
}

// author is who makes a request.
func author(r *netconf.Request) datastore.Author {
	by := r.Author()
	by.Comment = r.Input.Leaf("comment")
	return by
}

// command has the correlator carry out what an operator wants, and stores what follows.
// The state of the correlator after it is stored too, as no event of the log leads there.
func (m *Manager) command(tx *datastore.Tx, r *netconf.Request, c correlate.Command) ([]correlate.Decision, error) {
	if err := m.judge(tx, nil); err != nil {
		return nil, err
	}
	if now := m.clock.Load().now(tx.Now()); !now.IsZero() {
		c.At = now
	}
	decisions, refused := m.engine.Command(c)
	if err := m.decide(tx, decisions); err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, m.refusal(r, refused)
	}
	return decisions, m.snapshot(tx)
}

// refusal is what the correlator has against a request, as the client is told.
func (m *Manager) refusal(r *netconf.Request, err error) error {
	var event *correlate.EventError
	switch {
	case errors.As(err, &event):
		why := rpcerr.InstanceRequired("no alarm that lasts has the event %q", event.ID)
		if event.Inside {
			why = rpcerr.InstanceRequired("no alarm of %s has the event %q", r.Input.Leaf("incident-id"), event.ID)
		}
		if n := r.Input.Child("event-id"); n != nil {
			return why.At((&data.Loc{Node: r.Input}).Down(n).Path())
		}
		for n := range r.Input.Entries("event-id") {
			if n.Value() == event.ID {
				return why.At((&data.Loc{Node: r.Input}).Down(n).Path())
			}
		}
		return why
	case errors.Is(err, correlate.ErrCommand), errors.Is(err, correlate.ErrUnknown):
		_, why, _ := strings.Cut(err.Error(), ": ")
		if r.Input.Child("incident-id") != nil {
			return rpcerr.InvalidValue("%s", why).At(at(r.Input, "incident-id"))
		}
		return rpcerr.InvalidValue("%s", why)
	}
	return err
}

// open is the number of the open incident that the leaf incident-id of the input names.
func (m *Manager) open(tx *datastore.Tx, r *netconf.Request) (uint64, error) {
	no, err := m.openAt(tx, r, r.Input.Child("incident-id"))
	if err != nil {
		return 0, err
	}
	return no, nil
}

// openAt is the number of an open incident that a node of the input names.
func (m *Manager) openAt(tx *datastore.Tx, r *netconf.Request, n *data.Node) (uint64, *rpcerr.Error) {
	inc, err := m.Opened(tx, r, n)
	return serialOf(inc.Leaf("csn")), err
}

// Opened is the entry of an open incident that a node of the input names and the user may
// read. The error is at the node.
func (m *Manager) Opened(tx *datastore.Tx, r *netconf.Request, n *data.Node) (*data.Node, *rpcerr.Error) {
	inc := m.schema.incident(tx.State(), n.Value())
	switch {
	case !m.schema.mayRead(r.Access, tx.State(), inc):
		return nil, noIncident(r.Input, n)
	case inc.Leaf("status") == "cleared":
		return nil, rpcerr.InvalidValue("%s was cleared at %s: what is over stays as it is", n.Value(), inc.Leaf("clear-time")).
			WithAppTag(appCleared).At((&data.Loc{Node: r.Input}).Down(n).Path())
	}
	return inc, nil
}

// note adds a step of the user to the history of an incident.
func (m *Manager) note(tx *datastore.Tx, r *netconf.Request, id, action, detail string) {
	m.Note(tx, id, action, r.Session.User(), detail)
}

// Note adds a step to the history of an incident, if it is still there: an action of
// incidentd-incident, and who did it, "" for the server.
func (m *Manager) Note(tx *datastore.Tx, id, action, user, detail string) {
	if inc := m.schema.incident(tx.State(), id); inc != nil {
		inc = m.schema.withStep(inc, step{at: tx.Now(), action: action, user: user, detail: shortened(detail)})
		tx.SetState(m.keep(tx, tx.State(), inc))
	}
}

// shortened bounds a text that lists what a user has named.
func shortened(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// remark adds the comment of a request to an incident.
func (m *Manager) remark(tx *datastore.Tx, r *netconf.Request, id string) {
	inc := m.schema.incident(tx.State(), id)
	if text := r.Input.Leaf("comment"); text != "" && inc != nil && inc.Count(m.schema.list.ChildNamed("comment")) < mostComments {
		tx.SetState(m.keep(tx, tx.State(), m.schema.withComment(inc, tx.Now(), r.Session.User(), text)))
	}
}
