package diagnose

import (
	"fmt"
	"strconv"
	"time"

	"incidentd/oam"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// encode writes a job as the container diagnosis of its incident.
func (s *schema) encode(j *job) *data.Node {
	spent := j.account.Spent()
	j.mu.Lock()
	defer j.mu.Unlock()
	b := data.Build(s.diagnosis).Leaf("state", j.state)
	if j.self {
		b.Leaf("trigger", "self")
	} else {
		b.Leaf("trigger", "request").Text("user", printable(j.user))
	}
	b.Time("request-time", j.requested).Time("begin-time", j.begun).Time("end-time", j.ended).
		Uint("packets", uint64(spent.Packets)).Uint("octets", uint64(spent.Octets)).Text("detail", printable(j.detail))
	for i := range j.findings {
		j.findings[i].encode(b.Entry("finding", strconv.Itoa(i+1)))
	}
	for i := range j.steps {
		j.steps[i].encode(b.Entry("step", strconv.Itoa(i+1)))
	}
	return b.Node()
}

// interrupted is a diagnosis that the server ended with.
func (s *schema) interrupted(d *data.Node, at time.Time) *data.Node {
	b := data.Build(s.diagnosis).Leaf("state", interrupted).Time("end-time", at).Leaf("detail", "the server ended while it was under way")
	return d.With(b.Node().Child("state"), b.Node().Child("end-time"), b.Node().Child("detail"))
}

func (f *Finding) encode(b *data.Builder) {
	b.Leaf("cause", string(f.Cause)).Bool("conclusive", f.Conclusive).
		Text("node", f.At.Node).Text("resource", f.At.Resource).Text("peer-node", f.Peer.Node).Text("peer-resource", f.Peer.Resource)
	if f.Address.IsValid() {
		b.Leaf("address", f.Address.String())
	}
	if f.Loss > 0 {
		b.Leaf("loss-ratio", ratio(f.Loss))
	}
	if f.Excluded > 0 {
		b.Leaf("excluded-loss-ratio", ratio(f.Excluded))
	}
	if f.MTU > 0 {
		b.Uint("path-mtu", uint64(f.MTU))
	}
	b.Text("detail", printable(f.Detail))
}

func (m *Measured) encode(b *data.Builder) {
	m.Step.encode(b)
	b.Leaf("intrusiveness", m.Class.String()).Uint("packets", uint64(m.Spent.Packets)).Uint("octets", uint64(m.Spent.Octets)).Text("run-id", m.Run.ID).
		Time("start-time", m.Run.Start).Time("end-time", m.Run.End).Leaf("outcome", string(m.Run.Outcome))
	if m.Run.Reason != "" {
		b.Leaf("reason", "incidentd-oam-tests:"+string(m.Run.Reason))
	}
	b.Text("detail", printable(m.Run.Detail))
	if m.Run.Found != nil {
		oam.EncodeMeasurement(b, m.Run.Found)
	}
}

// encode writes what the grouping test has, but for the class.
func (s *Step) encode(b *data.Builder) {
	b.Leaf("test-type", s.Type).Text("target", s.Target).Text("node", s.Node).Text("vantage-point", s.Vantage).
		Text("purpose", s.Purpose).Text("condition", s.Condition)
}

// encodePlan writes the output of diagnose-plan.
func encodePlan(b *data.Builder, p *Plan, free Cost, obstacle *rpcerr.Error) {
	for i := range p.steps {
		s := &p.steps[i]
		e := b.Entry("step", strconv.Itoa(i+1))
		s.Step.encode(e)
		e.Leaf("intrusiveness", s.class.String()).Uint("packets", uint64(s.cost.Packets)).Uint("octets", uint64(s.cost.Octets)).
			Uint("duration", uint64(s.duration.Milliseconds()))
	}
	b.Uint("packets", uint64(p.cost.Packets)).Uint("octets", uint64(p.cost.Octets)).Uint("duration", uint64(p.duration().Milliseconds())).
		Uint("budget-packets", uint64(free.Packets)).Uint("budget-octets", uint64(free.Octets))
	if obstacle != nil {
		b.Leaf("obstacle", printable(obstacle.Message))
	}
}

// stateNode is diagnosis-service with its figures.
func (m *Manager) stateNode() *data.Node {
	m.settings() // the budget follows the configuration
	free, sent := m.budget.Free(), m.budget.Sent()
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.figures
	b := data.Build(m.schema.service)
	b.Container("state").Uint("ongoing", uint64(m.ongoing)).Uint("waiting", uint64(len(m.queue))).
		Uint("finished", f.finished).Uint("refused", f.refused).Uint("coalesced", f.coalesced).
		Uint("self-begun", f.selfBegun).Uint("self-skipped", f.selfSkipped).Uint("stopped-tests", f.stoppedTests).
		Uint("packets", uint64(sent.Packets)).Uint("octets", uint64(sent.Octets)).
		Uint("budget-packets", uint64(free.Packets)).Uint("budget-octets", uint64(free.Octets))
	return b.Node()
}

// ratio is a part of one in percent, as a canonical decimal64 of five digits.
func ratio(v float64) string {
	s := fmt.Sprintf("%.5f", min(100, max(0, 100*v)))
	for s[len(s)-1] == '0' && s[len(s)-2] != '.' {
		s = s[:len(s)-1]
	}
	return s
}

// printable is a text as XML can hold it: details may quote what came from the network.
func printable(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r < 0x20 || r == 0x7f || r == 0xfffd || r == 0xfffe || r == 0xffff {
			out[i] = '?'
		}
	}
	return string(out)
}
