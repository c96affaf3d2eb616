package correlate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"incidentd/incident/topology"
)

// Lacking says what an event lacked to be in an incident.
type Lacking string

// What may be lacking.
const (
	LackingNothing Lacking = "nothing" // it is in it
	LackingRule    Lacking = "rule"    // no rule lets what it says speak for the root
	LackingPath    Lacking = "path"    // no way through the topology leads to the root
	LackingPlace   Lacking = "place"   // the topology does not know where it was
	LackingTime    Lacking = "time"    // it was too far away in time
	LackingWeight  Lacking = "weight"  // another cause explains it better
	LackingLast    Lacking = "last"    // it is over, or only context
)

// WhyNot tells why an event is not in an incident.
type WhyNot struct {
	// Lacking is what it lacked first.
	Lacking Lacking
	// Rule is the id of the nearest rule; "impact" for what rests on something; empty if
	// there is none.
	Rule string
	// Path is the way from the event's place to the root; empty if there is none.
	Path []string
	// Lag is how long after the first event of the incident it happened.
	Lag time.Duration
	// Incident is the number of the incident that it is in; 0 if it is in none.
	Incident uint64
	// Sentence says it all.
	Sentence string
}

// WhyNot tells why the event of an id is not in the open incident of a number. It
// changes nothing. An error wraps [ErrUnknown].
func (e *Engine) WhyNot(id string, no uint64) (WhyNot, error) {
	i, err := e.numbered(no)
	if err != nil {
		return WhyNot{}, err
	}
	a := e.alarmOf(id)
	if a == nil {
		return e.whyNotOther(id, i)
	}
	w := WhyNot{Lag: time.Duration(a.t-i.t0) / 1e6 * 1e6, Path: e.x.path(a.obj, i.root)}
	if a.inc != nil {
		w.Incident = a.inc.no
	}
	what := fmt.Sprintf("%s%s", a.typ.id, at(a.obj.node, a.obj.name))
	root := causeTexts[i.root.cause].name + at(i.root.node, i.root.name)
	c := a.speaksFor(i.root, e)
	if c != nil {
		w.Rule = c.rule.ID
	}
	switch {
	case a.inc == i:
		w.Lacking = LackingNothing
		w.Sentence = fmt.Sprintf("%s is in inc-%d, by %s.", what, no, a.rule)
	case a.obj.nodeID == topology.None:
		w.Lacking = LackingPlace
		w.Sentence = fmt.Sprintf("The topology does not have %s, so nothing leads from it to the root, %s.", a.obj.node, root)
	case c != nil && !within(a.t, i.t0, e.p.near):
		w.Lacking = LackingTime
		w.Sentence = fmt.Sprintf("By %s %s would speak for %s, but it happened %s after the first event, more than %s.", w.Rule, what, root, w.Lag, time.Duration(e.p.near))
	case c != nil:
		w.Lacking = LackingWeight
		w.Sentence = fmt.Sprintf("By %s %s would speak for %s, but %s.", w.Rule, what, root, e.preferred(a))
	case softSet.has(a.class):
		e.whyNotResting(&w, a, i, what, root)
	default:
		e.whyNotRuled(&w, a, i, what, root)
	}
	return w, nil
}

// alarmOf returns the alarm that an event has raised; nil if there is none any more.
func (e *Engine) alarmOf(id string) *alarm {
	for _, n := range e.nodes {
		for _, a := range n.alarms {
			if slices.ContainsFunc(a.seen, func(s sighting) bool { return s.id == id }) {
				return a
			}
		}
	}
	return nil
}

// speaksFor returns what an alarm says of a cause; nil if it says nothing.
func (a *alarm) speaksFor(h *hypothesis, e *Engine) *cand {
	cands := a.cands
	if cands == nil && (a.inc == nil || a.inc.trace == "") {
		cands = e.candidates(a.obj, a.class, a.text(), a.typ.qualifier)
	}
	for j := range cands {
		if cands[j].h == h {
			return &cands[j]
		}
	}
	return nil
}

// preferred says what an alarm was given to instead.
func (e *Engine) preferred(a *alarm) string {
	switch {
	case a.inc != nil && a.inc.no != 0:
		return fmt.Sprintf("inc-%d, %s%s, explains it by %s", a.inc.no, causeTexts[a.inc.root.cause].name, at(a.inc.root.node, a.inc.root.name), a.rule)
	case a.inc != nil:
		return fmt.Sprintf("%s%s, which is not raised, explains it by %s", causeTexts[a.inc.root.cause].name, at(a.inc.root.node, a.inc.root.name), a.rule)
	case a.state == pooled:
		return "it waits to be judged"
	case a.state == waiting:
		return "it waits for what it rests on to fail"
	}
	return "nothing needs it: it is of little weight, or what explained it is over"
}

// whyNotResting is about what rests on something that the incident does not bring down,
// or not at that time.
func (e *Engine) whyNotResting(w *WhyNot, a *alarm, i *incident, what, root string) {
	w.Rule = "impact"
	f := e.footingOf(a)
	for _, ed := range f.edges {
		for _, r := range e.edgeInc[ed] {
			if r.i == i {
				w.Path = []string{e.x.edgeName(ed)}
				w.Lacking = LackingWeight
				if _, ok := i.distance(a, r.down); !ok {
					w.Lacking = LackingTime
					w.Sentence = fmt.Sprintf("%s rests on %s, which %s takes, but it happened %s after the first event, more than %s.",
						what, w.Path[0], root, w.Lag, time.Duration(patience(a.class, r.down)))
					return
				}
				w.Sentence = fmt.Sprintf("%s rests on %s, which %s takes, but %s.", what, w.Path[0], root, e.preferred(a))
				return
			}
		}
	}
	w.Lacking = LackingPath
	var on []string
	for _, ed := range f.edges[:min(len(f.edges), namedPlaces)] {
		on = append(on, e.x.edgeName(ed))
	}
	for _, n := range f.nodes[:min(len(f.nodes), namedPlaces)] {
		on = append(on, "node "+e.x.NodeName(n))
	}
	if len(on) == 0 {
		w.Sentence = fmt.Sprintf("The topology does not say what %s rests on.", what)
		return
	}
	w.Sentence = fmt.Sprintf("%s rests on %s, none of which %s takes.", what, strings.Join(on, ", "), root)
}

// whyNotRuled is about what no rule connects with the root.
func (e *Engine) whyNotRuled(w *WhyNot, a *alarm, i *incident, what, root string) {
	for k := range e.byClass[a.class] {
		r := &e.byClass[a.class][k]
		if r.Cause != i.root.cause || r.Cause == Unknown {
			continue
		}
		w.Rule, w.Lacking = r.ID, LackingPath
		walk := walker{e: e, o: a.obj, class: a.class, ports: e.x.portsMeant(a.obj, a.class, a.text()), rule: r}
		walk.walk()
		var to []string
		for _, c := range walk.out[:min(len(walk.out), namedPlaces)] {
			to = append(to, strings.TrimPrefix(at(c.h.node, c.h.name), " at "))
		}
		if len(to) == 0 {
			w.Sentence = fmt.Sprintf("By %s %s could speak for a %s, but from there the topology leads to none.", r.ID, what, strings.ToLower(causeTexts[r.Cause].name))
			continue
		}
		w.Sentence = fmt.Sprintf("By %s %s leads to %s, not to %s.", r.ID, what, strings.Join(to, ", "), root)
		return
	}
	if w.Rule == "" {
		w.Lacking = LackingRule
		w.Sentence = fmt.Sprintf("%s says %s, and no rule has that speak for a cause such as %s.", what, a.class, root)
	}
}

// whyNotOther is about events that are no alarm, or none any more.
func (e *Engine) whyNotOther(id string, i *incident) (WhyNot, error) {
	w := WhyNot{Lacking: LackingLast}
	for _, c := range i.context {
		if c.ID == id {
			return WhyNot{Lacking: LackingNothing, Incident: i.no, Sentence: fmt.Sprintf("%s%s is in inc-%d, as context.", c.AlarmTypeID, at(c.Node, c.Resource), i.no)}, nil
		}
	}
	for k := range i.lines {
		if l := &i.lines[k]; l.ref.ID == id {
			r := besideRef(l, i.t0)
			return WhyNot{Lacking: LackingNothing, Rule: besideRule, Lag: r.Why.Lag, Incident: i.no,
				Sentence: fmt.Sprintf("%s%s is shown with inc-%d, %s.", l.ref.AlarmTypeID, at(l.ref.Node, l.ref.Resource), i.no, r.Reason)}, nil
		}
	}
	for _, j := range e.byBirth() {
		for k := range j.past {
			for _, s := range j.past[k].seen {
				if s.id != id {
					continue
				}
				w.Incident = j.no
				if j == i {
					w.Lacking = LackingNothing
				}
				w.Sentence = fmt.Sprintf("It is over; it was in inc-%d, by %s.", j.no, j.past[k].rule)
				return w, nil
			}
		}
	}
	for _, n := range e.nodes {
		for k := range n.ring {
			if r := &n.ring[k].ref; r.ID == id {
				w.Sentence = fmt.Sprintf("%s%s is context, which supports an explanation and needs none.", r.AlarmTypeID, at(r.Node, r.Resource))
				return w, nil
			}
		}
		for k := range n.lines {
			if n.lines[k].ref.ID == id {
				return e.whyNotLine(&n.lines[k], i), nil
			}
		}
	}
	return w, &EventError{ID: id}
}
