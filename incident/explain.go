package incident

import (
	"context"
	"strconv"
	"strings"

	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/netconf"
	"incidentd/netconf/nacm"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// explainIncident answers explain-incident of incidentd-management: of an open incident
// from the correlator, of a cleared one as the history has it.
func (m *Manager) explainIncident(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	id := r.Input.Leaf("incident-id")
	inc := m.schema.incident(m.store.Snapshot().State, id)
	if inc != nil && inc.Leaf("status") != "cleared" {
		out, err := m.explainOpen(ctx, r, id)
		if out != nil || err != nil {
			return reply(out), err
		}
		// It was cleared meanwhile.
	}
	p, ok, err := m.inHistory(id)
	if err != nil {
		return nil, err
	}
	inc = nil
	if ok {
		if inc, err = m.remembered(&p); err != nil {
			return nil, err
		}
	}
	if !m.mayRead(r.Access, inc) {
		return nil, noIncident(r.Input, r.Input.Child("incident-id"))
	}
	out, err := m.parse(append(append([]byte("<output>"), p.explanation...), "</output>"...), m.schema.explained)
	if err != nil {
		return nil, err
	}
	return reply(m.readable(r.Access, inc, out)), nil
}

// readable is an explanation without the events of the incident that may not be read.
func (m *Manager) readable(access *nacm.Access, inc, out *data.Node) *data.Node {
	root := data.New(m.schema.root).With(data.New(m.schema.incidents).With(inc))
	events := inc.Child("events")
	if events == nil {
		return out
	}
	at := (&data.Loc{Parent: &data.Loc{Node: root}, Node: root.Get(m.schema.incidents)}).Down(inc).Down(events)
	list := m.schema.explained.ChildNamed("event")
	for e := range events.Entries("event") {
		if !access.MayRead(at.Down(e)) {
			out = out.Without(list, data.Key(e.Leaf("event-id")))
		}
	}
	return out
}

// explainOpen is the explanation of an open incident; nil if it is none.
func (m *Manager) explainOpen(ctx context.Context, r *netconf.Request, id string) (out *data.Node, err error) {
	err = m.consult(ctx, func(tx *datastore.Tx) error {
		if !m.schema.mayRead(r.Access, tx.State(), m.schema.incident(tx.State(), id)) {
			return noIncident(r.Input, r.Input.Child("incident-id"))
		}
		no, _ := numberOf(id)
		if inc, err := m.engine.Content(no); err == nil {
			out = m.readable(r.Access, m.schema.incident(tx.State(), id), m.schema.explain(inc))
		}
		return nil
	})
	return out, err
}

func reply(out *data.Node) *netconf.Reply { return &netconf.Reply{Output: out} }

// mayRead reports whether an incident may be read, which the state tree need not have any
// more.
func (m *Manager) mayRead(access *nacm.Access, inc *data.Node) bool {
	if inc == nil {
		return false
	}
	return m.schema.mayRead(access, data.New(m.schema.root).With(data.New(m.schema.incidents).With(inc)), inc)
}

// noIncident is the error for an incident that is not there, or not for the user, and that a
// node of the input names: in the words of its leafref, so that who may not read it does
// not learn that it is there.
func noIncident(input, n *data.Node) *rpcerr.Error {
	path := (&data.Loc{Node: input}).Down(n).Path()
	if t := n.Schema().Type; t.Path != nil {
		return rpcerr.InstanceRequired("%q refers to nothing: no instance of %s has that value", n.Value(), t.Path.Text).At(path)
	}
	return rpcerr.InstanceRequired("there is no incident %q", n.Value()).At(path)
}

// at is the path of a leaf of an rpc's input.
func at(input *data.Node, leaf string) rpcerr.Path {
	return (&data.Loc{Node: input}).Down(input.Child(leaf)).Path()
}

// consult runs f in the writer of the store with the correlator as it is now. What f
// refuses is the caller's error, and no failure of the transaction: the correlator has
// seen nothing that is not stored.
func (m *Manager) consult(ctx context.Context, f func(*datastore.Tx) error) error {
	var refused error
	m.indexes.follow(m.store)
	err := m.store.Update(ctx, func(tx *datastore.Tx) error {
		if err := m.ready(tx); err != nil {
			return err
		}
		refused = f(tx)
		return nil
	})
	if err != nil {
		return err
	}
	return refused
}

// explain writes why an incident is one as the output of explain-incident.
func (s *schema) explain(inc *correlate.Incident) *data.Node {
	b := data.Build(s.explained)
	b.Leaf("incident-id", ID(inc.No)).Leaf("name", inc.Name).Leaf("status", inc.Status.String()).Leaf("priority", inc.Priority).
		Text("explanation", inc.Explanation())
	why := inc.Reasoning()
	b.Leaf("weight", strconv.Itoa(int(why.Weight)))
	for k, c := range inc.RootCauses {
		cause(b.Entry("root-cause", strconv.Itoa(k+1)), c)
	}
	for _, v := range inc.Events() {
		e := b.Entry("event", v.ID).Leaf("role", v.Role.String()).Leaf("node", v.Node).Text("resource", v.Resource).
			Leaf("alarm-type-id", v.AlarmTypeID).Leaf("severity", v.Severity.String()).Bool("cleared", v.Cleared).Time("time", v.Time).Text("text", v.Text)
		joining(e, v.Why.Rule, v.Why.Path, v.Why.Lag.Milliseconds())
		if v.Role != correlate.Context {
			e.Uint("raises", uint64(max(v.Why.Raises, 0)))
		}
		e.Text("reason", v.Reason)
	}
	if inc.EventsOmitted > 0 {
		b.Uint("events-omitted", uint64(inc.EventsOmitted))
	}
	for _, v := range why.Missing {
		b.Leaf("missing-evidence", v)
	}
	for k, v := range why.Rivals {
		cause(b.Entry("rival", strconv.Itoa(k+1)), v.Cause).Leaf("weight", strconv.Itoa(int(v.Weight)))
	}
	impact(b, inc)
	for _, v := range inc.Labels {
		b.Leaf("label", v)
	}
	for _, v := range why.Learned {
		b.Leaf("learned-fact", v)
	}
	return b.Node()
}

// joining writes the way by which an event speaks for a root, as the grouping joining has
// it.
func joining(b *data.Builder, rule string, path []string, lag int64) {
	b.Text("rule", rule)
	for _, p := range path {
		b.Leaf("path", p)
	}
	if rule != "" {
		b.Leaf("lag", strconv.FormatInt(lag, 10))
	}
}

// explainEntry explains an incident of which only its entry is known: one that a server
// without a history has cleared.
func (s *schema) explainEntry(inc *data.Node) *data.Node {
	b := data.Build(s.explained)
	for _, leaf := range []string{"incident-id", "name", "status", "priority", "explanation"} {
		b.Text(leaf, inc.Leaf(leaf))
	}
	rank := 0
	for c := range inc.Child("root-causes").Entries("root-cause") {
		rank++
		x := correlate.RootCause{Node: c.Leaf("node"), CauseName: c.Leaf("cause-name"), Detail: c.Leaf("detail")}
		for res := range c.Entries("resource") {
			x.Resource, x.CauseName, x.Detail = res.Leaf("name"), res.Leaf("cause-name"), res.Leaf("detail")
			break
		}
		cause(b.Entry("root-cause", strconv.Itoa(rank)), x)
	}
	for e := range inc.Child("events").Entries("event") {
		d := e.Child("detail")
		x := b.Entry("event", e.Leaf("event-id"))
		for _, leaf := range []string{"role", "node", "resource", "alarm-type-id", "severity", "cleared", "time", "text", "reason"} {
			x.Text(leaf, d.Leaf(leaf))
		}
		if rule, _, ok := strings.Cut(d.Leaf("reason"), ":"); ok {
			x.Leaf("rule", rule)
		}
	}
	for v := range inc.Entries("service-impact") {
		b.Entry("service-impact", v.Leaf("service-instance")).Leaf("state", v.Leaf("state"))
	}
	for _, v := range inc.Values("label") {
		b.Leaf("label", v)
	}
	return b.Node()
}

// whyNot answers why-not of incidentd-management.
func (m *Manager) whyNot(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	b := r.Output()
	err := m.consult(ctx, func(tx *datastore.Tx) error {
		no, err := m.open(tx, r)
		if err != nil {
			return err
		}
		w, err := m.engine.WhyNot(r.Input.Leaf("event-id"), no)
		if err != nil {
			return m.refusal(r, err)
		}
		b.Leaf("lacking", string(w.Lacking))
		joining(b, w.Rule, w.Path, w.Lag.Milliseconds())
		switch {
		case w.Incident == 0:
			b.Leaf("explanation", w.Sentence)
		case m.schema.mayRead(r.Access, tx.State(), m.schema.incident(tx.State(), ID(w.Incident))):
			b.Leaf("incident-id", ID(w.Incident)).Leaf("explanation", w.Sentence)
		default:
			b.Leaf("explanation", "It is in another incident.")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reply(b.Node()), nil
}
