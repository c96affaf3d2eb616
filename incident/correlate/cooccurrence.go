package correlate

import (
	"slices"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// CoOccurrence says that alarms of one type follow those of another, as was learnt and
// approved. An alarm of which nothing else is known joins the incident that has the alarm
// which it follows, as a symptom: it raises nothing, holds nothing open and moves no root.
type CoOccurrence struct {
	Name string
	// Cause and Effect are alarm-type-ids, whatever the qualifier.
	Cause, Effect string
	// Beside is true where the effect may be at a node beside that of the cause too.
	Beside bool
	// Within is how long after the cause the effect may come.
	Within time.Duration
}

const (
	// byCoOccurrence begins the rule of what a co-occurrence has put into an incident; its
	// name follows.
	byCoOccurrence = "co-occurrence: "
	// disorder is how much before its cause an effect may seem to come.
	disorder = 2 * second
	// followed bounds the alarms of a node that are looked at.
	followed = 256
)

// index files the co-occurrences under both types.
func (e *Engine) indexCoOccurrences(list []CoOccurrence) {
	e.follows, e.leads = nil, nil
	if len(list) == 0 {
		return
	}
	e.follows, e.leads = map[string][]CoOccurrence{}, map[string][]CoOccurrence{}
	for _, c := range list {
		e.follows[c.Effect] = append(e.follows[c.Effect], c)
		e.leads[c.Cause] = append(e.leads[c.Cause], c)
	}
}

// led lets an alarm that nothing else is known of join the incident of the nearest alarm that
// it follows.
func (e *Engine) led(a *alarm) bool {
	var best *alarm
	var rule string
	for _, c := range e.follows[a.typ.id] {
		e.nearby(a, c.Beside, func(b *alarm) {
			if b.typ.id == c.Cause && b.inc != nil && c.fits(b, a) && (best == nil || b.t > best.t || b.t == best.t && b.serial < best.serial) {
				best, rule = b, byCoOccurrence+c.Name
			}
		})
	}
	if best == nil {
		return false
	}
	e.attach(best.inc, a, true, rule)
	return true
}

// lead has those that follow some of an incident's alarms join it: they came before their
// cause was judged, and were taken for a trouble of their own.
func (e *Engine) lead(i *incident, of ...*alarm) {
	if len(e.leads) == 0 || e.incidents[i.id] != i {
		return
	}
	for _, b := range of {
		for _, c := range e.leads[b.typ.id] {
			var followers []*alarm
			e.nearby(b, c.Beside, func(a *alarm) {
				if a.typ.id == c.Effect && a.class == Other && a.inc != i && (a.state == pooled || a.puzzles()) && c.fits(b, a) {
					followers = append(followers, a)
				}
			})
			for _, a := range followers {
				was := a.inc
				e.attach(i, a, true, byCoOccurrence+c.Name)
				if was != nil && !was.hasEvidence() {
					e.dissolve(was)
				}
			}
		}
	}
}

// fits reports whether the time between a cause and an effect is right.
func (c *CoOccurrence) fits(cause, effect *alarm) bool {
	lag := effect.t - cause.t
	return cause != effect && lag >= -disorder && lag <= int64(c.Within)
}

// nearby visits the latest alarms at the node of one, and with beside those at the nodes that a
// link joins to it.
func (e *Engine) nearby(a *alarm, beside bool, visit func(*alarm)) {
	at := func(n *nodeState) {
		if n == nil {
			return
		}
		for _, b := range n.alarms[max(0, len(n.alarms)-followed):] {
			visit(b)
		}
	}
	at(a.obj.state)
	if !beside || a.obj.nodeID == topology.None {
		return
	}
	seen := []topology.NodeID{a.obj.nodeID}
	for _, ed := range e.x.NodeEdges(a.obj.nodeID) {
		if e.x.Kind(ed) > topology.AccessEdge {
			continue
		}
		if far, _ := e.x.Far(ed, a.obj.nodeID); !slices.Contains(seen, far) {
			seen = append(seen, far)
			at(e.nodeStates[far])
		}
	}
}

// Puzzles reports whether nothing is known of what an event says: not by its type, its words or
// its place. It is for events that the engine has seen, and changes nothing.
func (e *Engine) Puzzles(ev *event.Event) bool {
	if ev.Severity <= event.Warning || e.nodes[ev.Node] == nil {
		return false
	}
	t := e.typeOf(ev.AlarmTypeID, ev.AlarmTypeQualifier)
	c := e.says(e.object(ev.Node, ev.Resource), t, ev)
	return c == Other && !t.isLine(c, ev)
}
