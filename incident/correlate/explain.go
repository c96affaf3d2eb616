package correlate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"incidentd/incident/topology"
)

// membership is what an alarm was to an incident at some moment. It never changes.
type membership struct {
	node    string
	obj     *object // nil where the reason is written already
	typ     *alarmType
	seen    []sighting
	marks   uint64 // as those of the alarm
	rule    string
	why     *Why // the reason, where it is written
	root    *hypothesis
	edges   []reachedEdge // what the incident reached
	lag     int64
	raises  int32
	omitted int32
	class   Class
	role    Role
	active  bool
	soft    bool
	cascade bool
}

// last is the mark of the latest sighting.
func (m *membership) last() uint64 {
	if len(m.seen) == 0 {
		return 0
	}
	return m.seen[len(m.seen)-1].mark()
}

// freeze returns what an alarm is to its incident now. Of one that leaves, nothing
// tells later whether it spoke of the root.
func (e *Engine) freeze(i *incident, a *alarm) membership {
	return membership{node: a.obj.node, obj: a.obj, typ: a.typ, seen: a.seen, marks: a.marks, rule: a.rule, root: i.root, edges: i.reach.edges,
		lag: a.t - i.t0, raises: a.raises, omitted: a.omitted, class: a.class, active: a.active, soft: a.soft, cascade: a.cascade}
}

// joined tells why an alarm is a member: its rule, the way through the topology, and the
// distance in time.
func (m *membership) joined(x stack) Why {
	if m.why != nil {
		return *m.why
	}
	w := Why{Rule: m.rule, Lag: time.Duration(m.lag) / 1e6 * 1e6, Raises: int(m.raises)}
	switch {
	case !m.soft && !m.cascade:
		w.Path = x.path(m.obj, m.root)
	case m.soft:
		if ed, ok := m.foot(x); ok {
			w.Path = []string{x.edgeName(ed)}
		}
	}
	return w
}

// settle writes the reason, because the topology that it follows from goes.
func (m *membership) settle(x stack) {
	w := m.joined(x)
	m.why = &w
}

// foot returns the edge by which an incident reaches a symptom.
func (m *membership) foot(x stack) (topology.EdgeID, bool) {
	text := ""
	if n := len(m.seen); n > 0 {
		text = m.seen[n-1].text
	}
	edges := x.footing(m.obj, m.class, text).edges
	for _, ed := range edges {
		if slices.ContainsFunc(m.edges, func(r reachedEdge) bool { return r.edge == ed }) {
			return ed, true
		}
	}
	return 0, false
}

// sentence writes a reason.
func (m *membership) sentence(w *Why) string {
	var b strings.Builder
	b.WriteString(w.Rule)
	switch {
	case len(w.Path) > 0 && (m.soft || m.cascade):
		b.WriteString(": rests on ")
		b.WriteString(w.Path[0])
	case m.cascade && !m.soft:
		b.WriteString(": it passes on from node to node")
	case m.cascade:
		b.WriteString(": traffic of the failed links passes here")
	case len(w.Path) > 0:
		b.WriteString(": ")
		b.WriteString(strings.Join(w.Path, " > "))
	}
	b.WriteString(", ")
	b.WriteString(w.Lag.String())
	b.WriteString(" after the first event")
	if w.Raises > 1 {
		b.WriteString(", raised ")
		b.WriteString(strconv.Itoa(w.Raises))
		b.WriteString(" times")
	}
	return b.String()
}

// telling is all that the events and the explanation of an incident are written from.
// What it points to never changes.
type telling struct {
	x       stack
	members []membership // those that have left before those that are there
	left    int          // how many have left
	context []EventRef
	lines   []contextEvent
	t0      int64
	missing []string
	rivals  []rivalPlace
	also    []RootCause // causes that are known to come with the root
	score   int32
	markID  string
	days    int    // earlier days with the same outage; 0 if that is not usual
	planned bool   // a rule of the calendar says so
	over    int64  // since when the root is clear while the incident is held; 0 if it is not
	until   int64  // until when it is held
	why     string // why that long

	done bool
	text
}

// text is what was written.
type text struct {
	events, roots []EventRef
	sources       []Source
	explanation   string
}

// rivalPlace is another cause that fits less well.
type rivalPlace struct {
	place RootCause
	score int32
}

// detail freezes what the rest of an incident's content is written from.
func (e *Engine) detail(i *incident, c *Incident) {
	t := &telling{x: e.x, context: slices.Clone(i.context), lines: slices.Clone(i.lines), t0: i.t0, missing: e.missing(i), score: i.score, markID: i.markID, left: len(i.past)}
	t.members = make([]membership, len(i.past), len(i.past)+len(i.members))
	copy(t.members, i.past)
	role := i.roles()
	for _, a := range i.members {
		m := e.freeze(i, a)
		m.role = role.of(a)
		t.members = append(t.members, m)
	}
	if len(i.rivals) > 0 {
		t.rivals = make([]rivalPlace, 0, len(i.rivals))
	}
	for _, v := range i.rivals {
		t.rivals = append(t.rivals, rivalPlace{e.places(i, v.h)[0], v.score})
	}
	for _, h := range i.also {
		t.also = append(t.also, e.places(i, h)[0])
	}
	if _, days, ok := e.usual(i); ok && i.periodic {
		t.days, t.planned = len(days), len(days) == 0
	}
	t.over, t.until, t.why = e.held(i)
	c.told = t
}

// written returns what a telling says, which is written at the first call.
func (t *telling) written(c *Incident) *text {
	if t == nil {
		return &text{}
	}
	if !t.done {
		t.done = true
		t.list()
		if len(t.sources) == 0 {
			// One that was absorbed has given its events away; ietf-incident wants a
			// source all the same.
			t.sources = sources([]EventRef{{Node: c.RootCauses[0].Node, Resource: c.RootCauses[0].Resource}})
		}
		t.explanation = t.explain(c)
	}
	return &t.text
}

// list writes the events with their roles and reasons.
func (t *telling) list() {
	all := make([]EventRef, 0, len(t.members)+len(t.context)+len(t.lines))
	for k := range t.members {
		if k == t.left {
			all = append(all, t.context...)
		}
		m := &t.members[k]
		w := m.joined(t.x)
		reason := m.sentence(&w)
		for j := range m.seen {
			r := m.seen[j].ref(m.node, m.typ)
			r.Cleared = !m.active || j < len(m.seen)-1
			r.Role, r.Reason, r.Why = m.role, reason, w
			all = append(all, r)
		}
	}
	if t.left == len(t.members) {
		all = append(all, t.context...)
	}
	for k := range t.lines {
		all = append(all, besideRef(&t.lines[k], t.t0))
	}
	all = byArrival(all)
	t.events = all[:min(len(all), mostEvents)]
	for k := range t.events {
		if t.events[k].Role == Root {
			t.roots = append(t.roots, t.events[k])
		}
	}
	t.sources = sources(t.events)
}

// explain tells in a few sentences why the events are one incident and why this is
// its root: the root with its evidence, what follows from it, what it hurts, what was
// expected and missing, the rivals and the labels. The reason of each event stands
// with the event.
func (t *telling) explain(c *Incident) string {
	var b strings.Builder
	r := c.RootCauses[0]
	fmt.Fprintf(&b, "%s%s", r.CauseName, at(r.Node, r.Resource))
	if r.Detail != "" {
		fmt.Fprintf(&b, " (%s)", r.Detail)
	}
	if len(t.events) == 0 {
		b.WriteString(" turned out to have another cause: its events went over to the incident that it was merged into.")
		return b.String()
	}
	evidence, symptoms := 0, 0
	for k := range t.members[t.left:] {
		if m := &t.members[t.left+k]; m.soft {
			symptoms++
		} else {
			evidence++
		}
	}
	if evidence+symptoms == 0 {
		b.WriteString(" explained best what was reported, of which nothing is here any more")
	} else {
		fmt.Fprintf(&b, " explains best what was reported: %s directly", counted(evidence, "alarm"))
	}
	if symptoms > 0 {
		fmt.Fprintf(&b, ", %s through what rests on it", counted(symptoms, "more"))
	}
	fmt.Fprintf(&b, " (weight %s).\n", nats(t.score))
	for _, part := range []struct {
		role Role
		text string
	}{{Root, "Reported of the cause itself"}, {Symptom, "Follows from it"}, {Context, "Seen beside it"}} {
		if list := grouped(t.events, part.role); list != "" {
			fmt.Fprintf(&b, "%s: %s.\n", part.text, list)
		}
	}
	if lines := quoted(t.events); lines != "" {
		fmt.Fprintf(&b, "Said in logs beside it: %s.\n", lines)
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
	if n := len(c.AtRisk); n > 0 {
		fmt.Fprintf(&b, "It leaves without protection: %s", strings.Join(c.AtRisk[:min(n, namedServices)], ", "))
		if n > namedServices {
			fmt.Fprintf(&b, " and %d more services", n-namedServices)
		}
		b.WriteString(".\n")
	}
	if len(t.missing) > 0 {
		fmt.Fprintf(&b, "Expected, but not seen: %s.\n", strings.Join(t.missing, ", "))
	}
	for k, v := range t.rivals {
		if k == 0 {
			b.WriteString("Fits less well: ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s%s (weight %s)", v.place.CauseName, at(v.place.Node, v.place.Resource), nats(v.score))
	}
	if len(t.rivals) > 0 {
		b.WriteString(".\n")
	}
	if t.markID != "" {
		fmt.Fprintf(&b, "Maintenance: the mark %s names the root.\n", t.markID)
	}
	if c.RecurrenceOf != 0 {
		fmt.Fprintf(&b, "It was there before: inc-%d was the last of %s.\n", c.RecurrenceOf, counted(c.Recurrences, "earlier one"))
	}
	if t.planned {
		b.WriteString("Periodic: a rule of the calendar says so.\n")
	}
	if t.days > 0 {
		fmt.Fprintf(&b, "Periodic: it was down at this time on %d earlier days.\n", t.days)
	}
	if t.over != 0 {
		fmt.Fprintf(&b, "Its root is clear since %s; unless that returns, it is cleared at %s", timeOf(t.over).Format(time.RFC3339), timeOf(t.until).Format(time.RFC3339))
		if t.why != "" {
			fmt.Fprintf(&b, ", because %s", t.why)
		}
		b.WriteString(".\n")
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
		if v.Role != role || v.Why.Rule == besideRule {
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
