package correlate

import (
	"slices"
	"strings"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// markHyps finds the hypotheses that the marks are about.
func (e *Engine) markHyps() {
	e.marked = map[hypKey][]int{}
	for k := range e.marks {
		o := &e.marks[k].Object
		if o.Node != "" {
			e.marked[hypKey{NodeFailure, o.Node, o.Resource}] = append(e.marked[hypKey{NodeFailure, o.Node, o.Resource}], k)
			continue
		}
		ed, ok := e.x.Link(o.Network, o.Link)
		if !ok {
			continue
		}
		d := e.x.Edge(ed)
		keys := []hypKey{{EdgeFailure, d.Network, d.Link}}
		for _, p := range [2]topology.PortID{d.PortA, d.PortB} {
			if p != topology.None {
				keys = append(keys, hypKey{PortFailure, e.x.NodeName(e.x.PortNode(p)), e.x.PortName(p)})
			}
		}
		for _, key := range keys {
			e.marked[key] = append(e.marked[key], k)
		}
	}
}

// markOf returns the mark whose object is the hypothesis' place, or holds it, at time
// t; -1 if there is none.
func (e *Engine) markOf(h *hypothesis, t int64) int {
	if len(e.marked) == 0 {
		return -1
	}
	var keys []hypKey
	switch h.cause {
	case EdgeFailure, OpticalDrift, Degradation, AccessOutage, SessionReset:
		keys = []hypKey{{EdgeFailure, h.node, h.name}}
	case PowerFailure:
		return -1
	default:
		keys = []hypKey{{PortFailure, h.node, h.name}, {NodeFailure, h.node, h.name}, {NodeFailure, h.node, ""}}
	}
	for _, key := range keys {
		for _, k := range e.marked[key] {
			if m := &e.marks[k]; t >= nanos(m.Start)-e.p.markSlack && t <= nanos(m.End)+e.p.markSlack {
				return k
			}
		}
	}
	return -1
}

// label decides whether a mark or a rhythm explains an incident now.
func (e *Engine) label(i *incident) {
	marked := ""
	if i.markID != "" && i.mostlyClear() {
		marked = i.markID // it came to its end in time, a lost clear does not matter
	}
	if k := e.markOf(i.root, i.t0); k >= 0 {
		m := &e.marks[k]
		if end := nanos(m.End) + e.p.markSlack; e.now <= end {
			marked = m.ID
			if !i.armed(markTimer) {
				e.armIncident(i, end+1, markTimer)
			}
		}
	}
	i.markID = marked
	if i.overdue {
		i.periodic = false
		return
	}
	lasts, _, ok := e.usual(i)
	if ok && !i.periodic {
		e.armIncident(i, i.t0+lasts+30*minute, rhythmTimer)
	}
	i.periodic = ok
}

// overdue takes a label back when what it promised has not happened, and labels what other
// marks explain.
func (e *Engine) overdue(i *incident) {
	if i.no == 0 {
		return
	}
	marked, periodic := i.markID, i.periodic
	if lasts, _, ok := e.usual(i); ok && e.now >= i.t0+lasts+30*minute && !i.mostlyClear() {
		i.overdue = true
	}
	e.label(i)
	if i.markID != marked || i.periodic != periodic {
		e.changed(i)
	}
}

// support keeps a context event, and lets an incident that it explains have it.
func (e *Engine) support(o *object, c contextEvent) {
	ns := o.state
	e.touchNode(ns)
	ns.ring = slices.DeleteFunc(ns.ring, func(x contextEvent) bool { return c.t-x.t > contextAge })
	if len(ns.ring) >= mostContext {
		ns.ring = slices.Delete(ns.ring, 0, 1)
	}
	ns.ring = append(ns.ring, c)
	switch c.class {
	case SlowTask:
		e.joinContext(e.find(Overload, o.node, ""), c)
	case Commit:
		h := e.find(IGPFailure, o.node, "")
		if h == nil || !aboutRouting(c.ref.Text) {
			return
		}
		e.joinContext(h, c)
		for _, a := range h.live {
			if a.state == attached && e.young(a.inc) && within(a.t, c.t, e.p.near) && h.root == 0 {
				e.resolveSoon(a.inc, a)
				return
			}
		}
	}
}

func (e *Engine) joinContext(h *hypothesis, c contextEvent) {
	if h == nil || h.root == 0 {
		return
	}
	if i := e.incidents[h.root]; i != nil && within(c.t, i.t0, e.p.near) {
		i.addContext(c.ref)
		e.changed(i)
	}
}

func (i *incident) addContext(r EventRef) {
	if !slices.ContainsFunc(i.context, func(x EventRef) bool { return x.ID == r.ID }) {
		r.Role = Context
		i.context = append(i.context, r)
	}
}

// committed returns the configuration change of a node that may have upset its routing
// at t: from two minutes before to a quarter of a minute after.
func (e *Engine) committed(node string, t int64) *contextEvent {
	ns := e.nodes[node]
	if ns == nil {
		return nil
	}
	for k := len(ns.ring) - 1; k >= 0; k-- {
		c := &ns.ring[k]
		if c.class == Commit && c.t >= t-2*minute && c.t <= t+15*second && aboutRouting(c.ref.Text) {
			return c
		}
	}
	return nil
}

// aboutRouting reports whether a change that names its section names one of routing.
func aboutRouting(text string) bool {
	s := normal(text)
	for _, w := range [...]string{" isis ", " is is ", " ospf ", " igp ", " routing ", " eigrp "} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return !strings.Contains(s, " section ")
}

// traced lets an event of a traced transaction join the incident of its trace.
func (e *Engine) traced(a *alarm, k alarmKey, c Class, ev *event.Event, t int64) {
	if a != nil {
		if a.inc != nil && a.inc.trace == ev.TraceID {
			return // told again
		}
		e.forget(a)
	}
	a = e.newAlarm(k, c)
	a.lasting = false
	e.raise(a, ev, t)
	i := e.incidents[e.traces[ev.TraceID]]
	if i == nil {
		i = e.newIncident(e.hypothesis(Transaction, "", ev.TraceID))
		i.trace, i.settled = ev.TraceID, true
		e.traces[ev.TraceID] = i.id
	}
	a.cands = []cand{{i.root, sameTrace, true}}
	e.enter(a)
	e.attach(i, a, false, sameTrace.ID)
	e.reachIfNeeded(i, a)
}
