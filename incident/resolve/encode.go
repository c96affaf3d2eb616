package resolve

import (
	"cmp"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// provide provides the figures, and the runs that a filter can select.
func (m *Manager) provide(_ *datastore.Snapshot, f *data.Filter) *data.Node {
	b, skeleton := data.Build(m.schema.top), data.Build(m.schema.top)
	numbers := map[string]uint64{}
	m.mu.Lock()
	x := m.figures
	b.Container("state").Uint("running", uint64(len(m.open))).Uint("runs", x.runs).Uint("resolved", x.resolved).
		Uint("taken-back", x.takenBack).Uint("left", x.left).Uint("denied", x.denied)
	for _, s := range m.ended {
		numbers[runName(s.number)] = s.number
	}
	for _, r := range m.open {
		numbers[r.name] = r.number
	}
	m.mu.Unlock()
	for name := range numbers {
		skeleton.Entry("run", name)
	}
	wanted := f.Narrow(data.New(m.schema.root).With(skeleton.Node())).Get(m.schema.top)
	for e := range wanted.EntriesOf(m.schema.run) {
		n := numbers[e.Key()]
		var fault error
		err := m.store.Read(tableRuns, rowKey(n), rowKey(n+1), func(_, v []byte) bool {
			var r Run
			if r, fault = parseRun(v); fault == nil {
				encodeRun(b, &r)
			}
			return true
		})
		if err = cmp.Or(err, fault); err != nil {
			m.log.Error("a run of a resolution cannot be read", "run-id", e.Key(), "err", err)
		}
	}
	return b.Node()
}

func encodeRun(b *data.Builder, r *Run) {
	e := b.Entry("run", r.Name()).Leaf("incident-id", r.Incident).Text("user", printable(r.User)).Time("begin", r.Begin).Time("end", r.End).
		Leaf("phase", string(r.Phase)).Text("outcome", string(r.Outcome)).Text("detail", printable(r.Detail))
	encodePlan(e, &r.Plan)
	e.Time("deadline", r.Deadline)
	for i, s := range r.Steps {
		e.Entry("step", strconv.Itoa(i+1)).Time("time", s.Time).Leaf("text", printable(s.Text))
	}
	e.Text("output", printable(r.Output))
	encodeAlternatives(e, r.Alternatives)
}

// encodePlan writes the grouping outline.
func encodePlan(b *data.Builder, p *Plan) {
	b.Leaf("procedure", p.Procedure).Text("device", p.Device).Text("edit", p.Edit)
	if p.Command != nil {
		encodeLine(b, "command", p.Command)
	}
	if p.RollBack != nil {
		encodeLine(b, "roll-back-command", p.RollBack)
	}
	b.Uint("clear-within", uint64(p.Within/time.Second))
}

// encodeLine writes a program and its arguments. As the values of a leaf-list of state they
// may stand there twice.
func encodeLine(b *data.Builder, leaf string, c *Command) {
	for _, a := range c.line() {
		b.Leaf(leaf, a)
	}
}

func encodeAlternatives(b *data.Builder, list []Alternative) {
	for i, a := range list {
		e := b.Entry("alternative", strconv.Itoa(i+1)).Leaf("from", a.From).Leaf("to", a.To)
		for _, n := range a.Nodes {
			e.Leaf("node", n)
		}
		for _, l := range a.Links {
			e.Leaf("link", l)
		}
		e.Bool("shares-risk", a.SharesRisk)
		for _, s := range a.Services {
			e.Leaf("service-instance", s)
		}
	}
}
