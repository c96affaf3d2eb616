package correlate

import (
	"fmt"
	"slices"
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

// explain tells in a few sentences why the events are one incident and why this is
// its root: the root with its evidence, what follows from it, what it hurts, what was
// expected and missing, the rivals and the labels. The reason of each event stands
// with the event.
func (e *Engine) explain(i *incident, c *Incident) string {
	var b strings.Builder
	r := c.RootCauses[0]
	fmt.Fprintf(&b, "%s%s", r.CauseName, at(r.Node, r.Resource))
	if r.Detail != "" {
		fmt.Fprintf(&b, " (%s)", r.Detail)
	}
	if len(c.Events) == 0 {
		b.WriteString(" turned out to have another cause: its events went over to the incident that it was merged into.")
		return b.String()
	}
	evidence, symptoms := 0, 0
	for _, a := range i.members {
		if a.soft || a.cascade {
			symptoms++
		} else {
			evidence++
		}
	}
	fmt.Fprintf(&b, " explains best what was reported: %s directly", counted(evidence, "alarm"))
	if symptoms > 0 {
		fmt.Fprintf(&b, ", %s through what rests on it", counted(symptoms, "more"))
	}
	fmt.Fprintf(&b, " (weight %s).\n", nats(i.score))
	for _, part := range []struct {
		role Role
		text string
	}{{Root, "Reported of the cause itself"}, {Symptom, "Follows from it"}, {Context, "Seen beside it"}} {
		if list := grouped(c.Events, part.role); list != "" {
			fmt.Fprintf(&b, "%s: %s.\n", part.text, list)
		}
	}
	if n := len(c.ServiceInstances); n > 0 {
		b.WriteString("It hurts ")
		for k, s := range c.ServiceInstances {
			if k == namedServices && n > k+1 {
				fmt.Fprintf(&b, " and %d more services", n-k)
				break
			}
			if k > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s (%s)", s, c.ServiceStates[k])
		}
		b.WriteString(".\n")
	}
	if missing := e.missing(i); len(missing) > 0 {
		fmt.Fprintf(&b, "Expected, but not seen: %s.\n", strings.Join(missing, ", "))
	}
	for k, v := range i.rivals {
		p := e.places(i, v.h)[0]
		if k == 0 {
			b.WriteString("Fits less well: ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s%s (weight %s)", p.CauseName, at(p.Node, p.Resource), nats(v.score))
	}
	if len(i.rivals) > 0 {
		b.WriteString(".\n")
	}
	if i.markID != "" {
		fmt.Fprintf(&b, "Maintenance: the mark %s names the root.\n", i.markID)
	}
	if _, days, ok := e.usual(i); ok && i.periodic {
		fmt.Fprintf(&b, "Periodic: it was down at this time on %d earlier days.\n", len(days))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// What an explanation names at most.
const (
	namedServices = 8
	namedTypes    = 8
	namedPlaces   = 4
)

// grouped lists the events of a role by type with their places, in the order in which
// the types came.
func grouped(events []EventRef, role Role) string {
	var types []string
	places := map[string][]string{}
	for k := range events {
		v := &events[k]
		if v.Role != role {
			continue
		}
		p := strings.TrimPrefix(at(v.Node, v.Resource), " at ")
		known, ok := places[v.AlarmTypeID]
		if !ok {
			types = append(types, v.AlarmTypeID)
		}
		if !slices.Contains(known, p) {
			places[v.AlarmTypeID] = append(known, p)
		}
	}
	var b strings.Builder
	for k, t := range types {
		if k == namedTypes {
			fmt.Fprintf(&b, "; %s", counted(len(types)-k, "more type"))
			break
		}
		if k > 0 {
			b.WriteString("; ")
		}
		p := places[t]
		b.WriteString(t + " at " + strings.Join(p[:min(len(p), namedPlaces)], ", "))
		if n := len(p) - namedPlaces; n > 0 {
			fmt.Fprintf(&b, " and %s", counted(n, "more place"))
		}
	}
	return b.String()
}

// counted writes a number of things; "more" has no plural.
func counted(n int, of string) string {
	if n != 1 && of != "more" {
		of += "s"
	}
	return strconv.Itoa(n) + " " + of
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
