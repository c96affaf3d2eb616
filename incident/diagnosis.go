package incident

import (
	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/yang/data"
)

// A diagnosis stands in the entry of its incident, as the container diagnosis of
// incidentd-diagnosis has it. Whatever the correlator decides later, its conclusive findings
// stay in front of the root causes, and its findings among the events.

// Entry is the entry of an incident, nil without one.
func (m *Manager) Entry(state *data.Node, id string) *data.Node { return m.schema.incident(state, id) }

// Observe has f told what becomes of each incident, after that is on disk. f must not wait.
// It is to be called once.
func (m *Manager) Observe(f func(id string, op correlate.Op)) { m.observer.Store(&f) }

// tellObserver tells the observer of a decision once it is on disk.
func (m *Manager) tellObserver(tx *datastore.Tx, id string, op correlate.Op) {
	if f := m.observer.Load(); f != nil {
		tx.OnCommit(func(*datastore.Snapshot) { (*f)(id, op) })
	}
}

// SetDiagnosis stores how far the diagnosis of an incident is. Nothing is announced, as
// nothing is found yet. It reports false for an incident that is no longer there.
func (m *Manager) SetDiagnosis(tx *datastore.Tx, id string, diagnosis *data.Node) bool {
	inc := m.schema.incident(tx.State(), id)
	if inc == nil {
		return false
	}
	for f := range inc.Child("diagnosis").Entries("finding") { // until there are others
		diagnosis = diagnosis.With(f)
	}
	tx.SetState(m.keep(tx, tx.State(), inc.With(diagnosis)))
	return true
}

// Diagnosed stores a diagnosis that is over, and announces what it found as an update of the
// incident. It is to be called within Consult. It reports false for an incident that is no
// longer there; one that is cleared keeps the diagnosis, and nothing is announced.
func (m *Manager) Diagnosed(tx *datastore.Tx, id string, diagnosis *data.Node, user, detail string) bool {
	old := m.schema.incident(tx.State(), id)
	if old == nil {
		return false
	}
	s := m.schema
	inc := old.With(diagnosis)
	at := tx.Now()
	if old.Leaf("status") == "cleared" {
		tx.SetState(m.keep(tx, tx.State(), s.withStep(inc, step{at, "diagnosed", user, shortened(detail)})))
		return true
	}
	m.ensureNodes(tx, found(inc))
	if no, ok := numberOf(id); ok {
		if c, err := m.engine.Content(no); err == nil {
			inc = s.encode(c, inc, m.alarms, tx.State())
		}
	}
	if t := m.clock.Load().now(at); !t.IsZero() {
		at = t
	}
	inc = inc.With(data.NewLeaf(s.list.ChildNamed("status"), correlate.Updated.String()), data.NewLeaf(s.list.ChildNamed("last-updated"), data.FormatTime(at)))
	if change := changed(old, inc); change != "" {
		detail += "; " + change
	}
	inc = s.withStep(inc, step{at, "diagnosed", user, shortened(detail)})
	tx.SetState(m.keep(tx, tx.State(), inc))
	tx.Notify(Stream, s.notification(inc, at))
	return true
}

// found are the nodes that the findings of an incident's diagnosis name.
func found(inc *data.Node) (nodes []string) {
	for f := range inc.Child("diagnosis").Entries("finding") {
		nodes = append(nodes, f.Leaf("node"), f.Leaf("peer-node"))
	}
	return nodes
}

// ofLinks are causes that lie between two nodes: either end may have them.
var ofLinks = map[string]bool{"link-loss": true, "congestion": true, "mtu-reduced": true, "mtu-black-hole": true}

// faultless are findings that are no cause of anything.
var faultless = map[string]bool{"icmp-filtered-at-target": true, "planned-work": true, "inconclusive": true, "healthy": true}

// diagnosed is an incident's entry with what its diagnosis has found: the conclusive causes
// in front of the others, each finding as an event, and the first in the explanation.
func (s *schema) diagnosed(inc *data.Node) *data.Node {
	d := inc.Child("diagnosis")
	if !d.Has("finding") {
		return inc
	}
	causes := data.Build(s.list.ChildNamed("root-causes"))
	measured := ""
	for f := range d.Entries("finding") {
		name := f.Leaf("cause")
		inc = s.withFinding(inc, d, f)
		if f.Leaf("conclusive") != "true" || faultless[name] || f.Leaf("node") == "" {
			continue
		}
		if measured == "" {
			measured = f.Leaf("detail")
		}
		measuredCause(causes, f.Leaf("node"), f.Leaf("resource"), f)
		if ofLinks[name] && f.Leaf("peer-node") != "" {
			measuredCause(causes, f.Leaf("peer-node"), f.Leaf("peer-resource"), f)
		}
	}
	if measured == "" {
		return inc
	}
	for c := range inc.Child("root-causes").Entries("root-cause") {
		alsoCause(causes, c)
	}
	why := inc.Leaf("explanation")
	if why != "" {
		why += "\n"
	}
	return inc.With(causes.Node(), data.NewLeaf(s.list.ChildNamed("explanation"), why+"Measured: "+measured+"."))
}

// measuredCause adds a finding to root causes. Of one place the gravest finding stands.
func measuredCause(b *data.Builder, node, resource string, f *data.Node) {
	e := b.Entry("root-cause", node)
	if resource != "" {
		e = e.Entry("resource", resource)
	}
	if !e.Node().Has("cause-name") {
		e.Leaf("cause-name", f.Leaf("cause")).Text("detail", f.Leaf("detail"))
	}
}

// alsoCause adds a cause of the correlator to those that were measured.
func alsoCause(b *data.Builder, c *data.Node) {
	e := b.Entry("root-cause", c.Leaf("node"))
	add := func(e *data.Builder, from *data.Node) {
		if !e.Node().Has("cause-name") {
			e.Text("cause-name", from.Leaf("cause-name")).Text("detail", from.Leaf("detail"))
		}
	}
	for r := range c.Entries("resource") {
		add(e.Entry("resource", r.Leaf("name")), r)
	}
	if c.Leaf("cause-name") != "" {
		add(e, c)
	}
}

// withFinding is an incident's entry with a finding of its diagnosis d among the events.
func (s *schema) withFinding(inc, d, f *data.Node) *data.Node {
	name := f.Leaf("cause")
	if name == "healthy" {
		return inc
	}
	conclusive := f.Leaf("conclusive") == "true" && !faultless[name]
	severity, role := "warning", correlate.Context
	if conclusive {
		severity, role = "major", correlate.Root
	}
	id := "diagnosis-" + f.Leaf("number")
	list := s.list.ChildNamed("events").ChildNamed("event")
	b := data.BuildEntry(list, "unknown", id)
	if v := f.Leaf("loss-ratio"); v != "" {
		b.Container("symptom").Leaf("value", "loss "+v+" %")
	} else if v := f.Leaf("path-mtu"); v != "" {
		b.Container("symptom").Leaf("value", "path MTU "+v)
	}
	at := d.Leaf("end-time")
	b.Container("detail").Leaf("kind", "symptom").Text("node", f.Leaf("node")).Text("resource", f.Leaf("resource")).
		Leaf("alarm-type-id", name).Leaf("severity", severity).Bool("cleared", false).Text("time", at).Text("arrival", at).
		Text("text", f.Leaf("detail")).Leaf("role", role.String()).Leaf("reason", "measured: the diagnosis of the incident found it")
	events := inc.Child("events")
	if events == nil {
		events = data.New(list.Parent)
	}
	inc = inc.With(events.With(b.Node()))
	if !conclusive {
		return inc
	}
	roots := inc.Child("root-events")
	if roots == nil {
		roots = data.New(s.list.ChildNamed("root-events"))
	}
	return inc.With(roots.With(data.NewEntry(roots.Schema().ChildNamed("root-event"), "unknown", id)))
}
