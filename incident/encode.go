package incident

import (
	"slices"
	"time"

	"incidentd/incident/alarm"
	"incidentd/incident/correlate"
	"incidentd/incident/event"
	"incidentd/netconf/nacm"
	"incidentd/yang"
	"incidentd/yang/data"
)

// schema are the schema nodes that incidents are made of.
type schema struct {
	root         *yang.Node
	incidents    *yang.Node
	list         *yang.Node
	notice       *yang.Node
	reportOutput *yang.Node
	management   *yang.Node
	correlation  *yang.Node
	explained    *yang.Node // the output of explain-incident
}

func newSchema(s *yang.Schema) *schema {
	incidents := top(s, "ietf-incident", "incidents")
	out := &schema{root: s.Root, incidents: incidents, list: incidents.ChildNamed("incident"),
		notice: s.Notification("ietf-incident", "incident-notification"), management: top(s, management, "incident-management"), correlation: top(s, "incidentd-correlation", "correlation")}
	out.reportOutput = output(s.RPC("incidentd-events", "report-events"))
	out.explained = output(s.RPC(management, "explain-incident"))
	return out
}

// management is the module of the operator's side.
const management = "incidentd-management"

// output is the schema node of an rpc's output.
func output(rpc *yang.Node) *yang.Node {
	return rpc.Children[slices.IndexFunc(rpc.Children, func(n *yang.Node) bool { return n.Kind == yang.Output })]
}

// incident finds an incident in the state tree, nil without one.
func (s *schema) incident(state *data.Node, id string) *data.Node {
	return state.Get(s.incidents).Entry(s.list, id)
}

// mayRead reports whether an incident of the state tree may be read.
func (s *schema) mayRead(access *nacm.Access, state, inc *data.Node) bool {
	list := &data.Loc{Parent: &data.Loc{Node: state}, Node: state.Get(s.incidents)}
	return inc != nil && access.MayRead(list.Down(inc))
}

func (s *schema) withIncident(state, inc *data.Node) *data.Node {
	incidents := state.Get(s.incidents)
	if incidents == nil {
		incidents = data.New(s.incidents)
	}
	return state.With(incidents.With(inc.Packed()))
}

func (s *schema) withoutIncidents(state *data.Node, ids []string) *data.Node {
	incidents := state.Get(s.incidents)
	if incidents == nil {
		return state
	}
	for _, id := range ids {
		incidents = incidents.Without(s.list, id)
	}
	if incidents.Empty() {
		return state.Without(s.incidents, "")
	}
	return state.With(incidents)
}

// eventTypes are the values of ietf-incident's event type for the kinds of events.
var eventTypes = map[event.Kind]string{
	event.Alarm: "alarm", event.KPI: "KPI", event.Symptom: "unknown", event.Trace: "unknown",
	event.Notification: "inform", event.Log: "inform",
}

const types = "ietf-incident-types:"

// encode writes an incident as an entry of /inc:incidents. What operators did to
// it stands in old, its entry so far, nil for none.
func (s *schema) encode(inc *correlate.Incident, old *data.Node, alarms *alarm.Alarms, state *data.Node) *data.Node {
	b := data.BuildEntry(s.list, ID(inc.No)).Grow(32)
	b.Uint("csn", inc.No).Leaf("name", inc.Name).Leaf("type", inc.Type).Leaf("domain", types+inc.Domain).
		Leaf("priority", inc.Priority).Leaf("status", inc.Status.String()).Leaf("category", types+inc.Category).
		Text("detail", inc.Detail).Text("resolve-advice", inc.ResolveAdvice).
		Time("raise-time", inc.RaiseTime).Time("occur-time", inc.OccurTime).Time("clear-time", inc.ClearTime).
		Time("last-updated", inc.LastUpdated).
		Text("explanation", inc.Explanation()).Bool("ticket", inc.Ticket)
	for _, v := range inc.ServiceInstances {
		b.Leaf("service-instance", v)
	}
	for _, l := range inc.Labels {
		b.Leaf("label", l)
	}
	if inc.MergedInto != 0 {
		b.Leaf("merged-into", ID(inc.MergedInto))
	}
	impact(b, inc)
	if inc.RecurrenceOf != 0 {
		b.Leaf("recurrence-of", ID(inc.RecurrenceOf)).Uint("recurrences", uint64(inc.Recurrences))
	}
	b.Leaf("ack-status", "unacknowledged")
	if old != nil && old.Leaf("ack-status") == "acknowledged" {
		b.Leaf("ack-status", "acknowledged").Text("ack-time", old.Leaf("ack-time")).Text("ack-user", old.Leaf("ack-user"))
	}
	sources := b.Container("sources")
	for _, src := range inc.Sources() {
		e := sources.Entry("source", src.Node)
		for _, r := range src.Resources {
			if r != "" {
				e.Entry("resource", r)
			}
		}
	}
	if len(inc.RootCauses) > 0 {
		causes := b.Container("root-causes")
		for _, c := range inc.RootCauses {
			e := causes.Entry("root-cause", c.Node)
			if c.Resource != "" {
				e = e.Entry("resource", c.Resource)
			}
			e.Text("cause-name", c.CauseName).Text("detail", c.Detail)
		}
	}
	if list := inc.RootEvents(); len(list) > 0 {
		roots := b.Container("root-events")
		for _, r := range list {
			roots.Entry("root-event", eventTypes[r.Kind], r.ID)
		}
	}
	if list := inc.Events(); len(list) > 0 {
		events := b.Container("events")
		for i := range list {
			encodeEvent(events, &list[i], alarms, state)
		}
	}
	if old != nil {
		return s.recorded(b.Node(), old)
	}
	return b.Node()
}

// impact writes how services are hit, as the list service-impact.
func impact(b *data.Builder, inc *correlate.Incident) {
	for k, service := range inc.ServiceInstances {
		b.Entry("service-impact", service).Leaf("state", inc.ServiceStates[k].String())
	}
	for _, service := range inc.AtRisk {
		b.Entry("service-impact", service).Leaf("state", "at-risk")
	}
}

func encodeEvent(events *data.Builder, r *correlate.EventRef, alarms *alarm.Alarms, state *data.Node) {
	e := events.Entry("event", eventTypes[r.Kind], r.ID)
	switch r.Kind {
	case event.Alarm:
		k := alarms.KeyFor(r.Node, r.Resource, r.AlarmTypeID, r.Qualifier)
		if alarms.Listed(state, k) {
			e.Container("alarm").Leaf("resource", k.Resource).Leaf("alarm-type-id", k.TypeID).Leaf("alarm-type-qualifier", k.Qualifier)
		}
	case event.KPI:
		if r.Value != "" || r.Threshold != "" {
			e.Container("kpi").Text("value", r.Value).Text("threshold", r.Threshold)
		}
	case event.Symptom, event.Trace:
		if r.Value != "" || r.Threshold != "" {
			e.Container("symptom").Text("value", r.Value).Text("threshold", r.Threshold)
		}
	}
	e.Container("detail").Grow(14).Leaf("kind", r.Kind.String()).Leaf("node", r.Node).Text("resource", r.Resource).
		Leaf("alarm-type-id", r.AlarmTypeID).Text("alarm-type-qualifier", r.Qualifier).
		Leaf("severity", r.Severity.String()).Bool("cleared", r.Cleared).Time("time", r.Time).Time("arrival", r.Arrival).
		Text("text", r.Text).Text("trace-id", r.TraceID).Leaf("role", r.Role.String()).Text("reason", r.Reason)
}

// notification is the incident-notification of an incident's entry: its full
// content at that time.
func (s *schema) notification(inc *data.Node, at time.Time) *data.Node {
	n := data.RebindToWrite(inc, s.notice)
	return n.With(data.NewLeaf(s.notice.ChildNamed("time"), data.FormatTime(at)))
}

// acknowledged is the entry of an incident that a user acknowledges.
func (s *schema) acknowledged(inc *data.Node, at time.Time, user string) *data.Node {
	return inc.With(
		data.NewLeaf(s.list.ChildNamed("ack-status"), "acknowledged"),
		data.NewLeaf(s.list.ChildNamed("ack-time"), data.FormatTime(at)),
		data.NewLeaf(s.list.ChildNamed("ack-user"), sanitize(user)))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
