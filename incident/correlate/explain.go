package correlate

import (
	"fmt"
	"strconv"
	"strings"

	"incidentd/incident/topology"
)

// reason tells why an alarm is a member: its rule, the way through the topology, and
// the distance in time.
func (e *Engine) reason(a *alarm, i *incident) string {
	if i == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(a.rule)
	if a.soft || a.cascade {
		if ed, ok := e.footEdge(i, a); ok {
			b.WriteString(": rests on ")
			b.WriteString(e.edgeName(ed))
		} else if a.cascade {
			b.WriteString(": traffic of the failed links passes here")
		}
	} else if p := e.path(a, i.root); p != "" {
		b.WriteString(": ")
		b.WriteString(p)
	}
	b.WriteString(", ")
	b.WriteString(seconds(a.t - i.t0))
	b.WriteString(" after the first event")
	if a.raises > 1 {
		b.WriteString(", raised ")
		b.WriteString(strconv.Itoa(int(a.raises)))
		b.WriteString(" times")
	}
	return b.String()
}

// footEdge returns the edge by which an incident reaches a symptom.
func (e *Engine) footEdge(i *incident, a *alarm) (topology.EdgeID, bool) {
	for _, ed := range e.footingOf(a).edges {
		for _, j := range e.edgeInc[ed] {
			if j == i {
				return ed, true
			}
		}
	}
	return 0, false
}

func (e *Engine) edgeName(ed topology.EdgeID) string {
	d := e.x.Edge(ed)
	return d.Kind.String() + " " + d.Link
}

// path returns the edges from an alarm's port down to the root, the nearest first.
func (e *Engine) path(a *alarm, h *hypothesis) string {
	if a.obj.port == topology.None {
		return ""
	}
	for _, ed := range e.x.PortEdges(a.obj.port) {
		if p := e.descend(ed, h, 0); p != nil {
			return strings.Join(p, " > ")
		}
	}
	return ""
}

func (e *Engine) descend(ed topology.EdgeID, h *hypothesis, depth int) []string {
	d := e.x.Edge(ed)
	switch {
	case depth > 8 || d.Kind == topology.ServiceEdge:
		return nil
	case ed == h.edge, h.port != topology.None && (d.PortA == h.port || d.PortB == h.port),
		h.edge == topology.None && h.port == topology.None && h.n != topology.None && (d.A == h.n || d.B == h.n):
		return []string{e.edgeName(ed)}
	}
	for _, u := range e.x.Under(ed) {
		if p := e.descend(u, h, depth+1); p != nil {
			return append([]string{e.edgeName(ed)}, p...)
		}
	}
	return nil
}

// explain renders the reasons of an incident: the root with its evidence, what was
// missing, what rests on it, the rivals and the labels.
func (e *Engine) explain(i *incident, c *Incident) string {
	var b strings.Builder
	r := c.RootCauses[0]
	fmt.Fprintf(&b, "%s%s", r.CauseName, at(r.Node, r.Resource))
	if r.Detail != "" {
		fmt.Fprintf(&b, " (%s)", r.Detail)
	}
	evidence, symptoms := 0, 0
	for _, a := range i.members {
		if a.soft || a.cascade {
			symptoms++
		} else {
			evidence++
		}
	}
	fmt.Fprintf(&b, ". Weight %s from %d alarms of the cause, %d symptoms by impact", nats(i.score), evidence, symptoms)
	if n := len(c.ServiceInstances); n > 0 {
		fmt.Fprintf(&b, ", %d services hit", n)
	}
	b.WriteString(".\n")
	const shown = 12
	left := 0
	for k := range c.Events {
		v := &c.Events[k]
		if v.Role != Root && k >= shown {
			left++
			continue
		}
		if v.Role == Root && k >= 4*shown {
			left++
			continue
		}
		fmt.Fprintf(&b, "%s %s %s%s: %s\n", v.Role, v.ID, v.AlarmTypeID, at(v.Node, v.Resource), v.Reason)
	}
	if left > 0 {
		fmt.Fprintf(&b, "and %d more events, see their reasons\n", left)
	}
	for _, m := range e.missing(i) {
		fmt.Fprintf(&b, "expected and missing: %s\n", m)
	}
	for _, v := range i.rivals {
		p := e.places(i, v.h)[0]
		fmt.Fprintf(&b, "rival: %s%s, weight %s\n", p.CauseName, at(p.Node, p.Resource), nats(v.score))
	}
	if i.markID != "" {
		fmt.Fprintf(&b, "maintenance: mark %s names the root\n", i.markID)
	}
	if _, days, ok := e.usual(i); ok && i.periodic {
		fmt.Fprintf(&b, "periodic: down at this time on %d earlier days\n", len(days))
	}
	return b.String()
}

// nats writes a weight with one digit.
func nats(w int32) string {
	sign := ""
	if w < 0 {
		sign, w = "-", -w
	}
	return fmt.Sprintf("%s%d.%d", sign, w/1000, w%1000/100)
}

// missing names evidence that the root should have and has not.
func (e *Engine) missing(i *incident) (out []string) {
	h := i.root
	switch h.cause {
	case EdgeFailure:
		if h.edge == topology.None {
			return nil
		}
		d := e.x.Edge(h.edge)
		want := downSet
		if d.Kind == topology.SectionEdge {
			want = set(LossOfSignal)
		}
		if !e.vocal(d.A, d.PortA, want, i.t0) {
			out = append(out, "an alarm of "+e.x.NodeName(d.A))
		}
		if !e.vocal(d.B, d.PortB, want, i.t0) {
			out = append(out, "an alarm of "+e.x.NodeName(d.B))
		}
	case CardFailure, PortFailure:
		want, what := Card, "the alarm of the card itself"
		if h.cause == PortFailure {
			want, what = Module, "an alarm of the module"
		}
		for _, a := range i.members {
			if a.class == want {
				return nil
			}
		}
		out = append(out, what)
	}
	return out
}
