package correlate

import (
	"slices"
	"time"

	"incidentd/incident/event"
)

// alarmKey is what makes two events speak of one alarm [RFC 8632 section 3.4.2].
type alarmKey struct {
	obj       *object
	typeID    string
	qualifier string
}

type alarmState uint8

const (
	loose    alarmState = iota // in no incident and not in the pool
	pooled                     // waits to be solved
	waiting                    // waits for its cause
	attached                   // a member of an incident
)

// alarm is the state that the events of one key make.
type alarm struct {
	serial    uint64
	listed    uint64 // when it was entered with its hypotheses; 0 if it is not
	version   uint32 // rises when its timers become void
	obj       *object
	typeID    string
	qualifier string
	class     Class
	severity  event.Severity
	state     alarmState
	active    bool
	lasting   bool  // a clear is to be expected
	soft      bool  // attached as a symptom by impact, not by evidence
	cascade   bool  // attached as congestion beside an outage
	t         int64 // corrected time of the latest raise
	arrival   int64 // its arrival
	off       int64 // when it cleared, stream time
	raises    int32
	omitted   int32
	refs      []EventRef // raises, in order
	inc       *incident
	rule      string
	cands     []cand
	region    uint64 // the solve that looked at it last
	covered   bool
}

// mostRefs bounds the events kept of one alarm; a flapping one is counted beyond.
const mostRefs = 256

// nodeState is what the engine keeps of a node by name.
type nodeState struct {
	clock  clock
	alarms []*alarm
	ring   []contextEvent // of the last ten minutes, at most mostContext
}

// contextEvent is an event that supports and never raises.
type contextEvent struct {
	class Class
	t     int64
	ref   EventRef
}

const (
	mostContext = 16
	contextAge  = 10 * minute
	// tombAge is how long a clear waits for a raise that was overtaken.
	tombAge = 5 * minute
)

// The range of times that the engine reckons with; others are moved to its ends.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC)
)

func nanos(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return 0
	case t.After(latest):
		return latest.UnixNano()
	}
	return t.UnixNano()
}

func timeOf(n int64) time.Time { return time.Unix(0, n).UTC() }

func ref(ev *event.Event) EventRef {
	return EventRef{ID: ev.ID, Kind: ev.Kind, Node: ev.Node, Resource: ev.Resource, AlarmTypeID: ev.AlarmTypeID, Qualifier: ev.AlarmTypeQualifier,
		Severity: ev.Severity, Time: ev.Time, Arrival: ev.Arrival, Text: ev.Text, Value: ev.Value, Threshold: ev.Threshold, TraceID: ev.TraceID}
}

// classOf returns the class of an event: by its type's name, by the inventory's words
// on the type, by its text, in this order.
func (e *Engine) classOf(ev *event.Event) Class {
	c, ok := e.typeClass[ev.AlarmTypeID]
	if !ok {
		if c = meaning(ev.AlarmTypeID); c == Other {
			if t := e.types[ev.AlarmTypeID]; t != nil {
				c = meaning(t.Description)
			}
		}
		e.typeClass[ev.AlarmTypeID] = c
	}
	if c == Other && ev.Text != "" {
		c = meaning(ev.Text)
	}
	return kindClass(c, ev)
}

// weightOf returns the severity that decisions go by: one that the reporter left open
// counts as major where the class is known.
func weightOf(s event.Severity, c Class) event.Severity {
	if s > event.Indeterminate {
		return s
	}
	if c == Other {
		return event.Minor
	}
	return event.Major
}

func (e *Engine) nodeOf(name string) *nodeState {
	n, ok := e.nodes[name]
	if !ok {
		n = &nodeState{}
		e.nodes[name] = n
	}
	return n
}

// take handles one event at the present stream time.
func (e *Engine) take(ev *event.Event) {
	o := e.object(ev.Node, ev.Resource)
	ns := e.nodeOf(o.node)
	t := e.now
	if !ev.Time.IsZero() {
		t = ns.clock.correct(nanos(ev.Time), e.now)
	}
	c := e.classOf(ev)
	if contextSet.has(c) && ev.Severity >= event.Major {
		c = Other // whoever calls it major wants more than context
	}
	k := alarmKey{o, ev.AlarmTypeID, ev.AlarmTypeQualifier}
	a := e.alarms[k]
	switch {
	case ev.Severity == event.Cleared:
		e.clear(k, a, t)
	case ev.TraceID != "":
		e.traced(a, k, c, ev, t)
	case contextSet.has(c):
		e.support(o, ns, contextEvent{c, t, ref(ev)})
	case a != nil && a.active && a.state != loose:
		// Told again: the latest words on severity and value count.
		if s := weightOf(ev.Severity, c); s != a.severity {
			a.severity = s
			e.changed(a.inc)
		}
	case a != nil && a.inc != nil && e.comesBack(a):
		e.raise(a, ev, t)
		a.inc.hot = max(a.inc.hot, t)
		e.changed(a.inc)
		e.rearm(a.inc)
		e.checkClear(a.inc)
	default:
		if a != nil {
			e.forget(a)
		}
		a = e.newAlarm(k, c)
		e.raise(a, ev, t)
		e.locate(a)
	}
}

func (e *Engine) newAlarm(k alarmKey, c Class) *alarm {
	e.serial++
	lasting := true
	if t := e.types[k.typeID]; t != nil {
		lasting = t.WillClear
	} else if c == Gasp || c == ConfigError || c == Span {
		lasting = false
	}
	a := &alarm{serial: e.serial, obj: k.obj, typeID: k.typeID, qualifier: k.qualifier, class: c, lasting: lasting}
	e.adopt(a)
	return a
}

// adopt puts an alarm into the tables.
func (e *Engine) adopt(a *alarm) {
	e.alarms[alarmKey{a.obj, a.typeID, a.qualifier}] = a
	e.bySerial[a.serial] = a
	a.obj.alarms = append(a.obj.alarms, a)
	ns := e.nodeOf(a.obj.node)
	ns.alarms = append(ns.alarms, a)
}

func (e *Engine) raise(a *alarm, ev *event.Event, t int64) {
	a.t, a.arrival, a.severity = t, e.now, weightOf(ev.Severity, a.class)
	a.active = a.lasting
	a.off = 0
	if !a.lasting {
		a.off = e.now
	}
	if tomb, ok := e.tombs[alarmKey{a.obj, a.typeID, a.qualifier}]; ok {
		if e.now-tomb.arrival <= tombAge && t <= tomb.t {
			a.active, a.off = false, e.now // its clear overtook it
		}
		delete(e.tombs, alarmKey{a.obj, a.typeID, a.qualifier})
	}
	a.raises++
	if len(a.refs) < mostRefs {
		a.refs = append(a.refs, ref(ev))
	} else {
		a.omitted++
	}
}

// tomb remembers a clear that found nothing to clear.
type tomb struct{ t, arrival int64 }

func (e *Engine) clear(k alarmKey, a *alarm, t int64) {
	if a == nil {
		e.bury(k, t)
		return
	}
	if !a.active {
		return
	}
	if t < a.t-2*minute {
		return // the clear of an earlier raise, come late
	}
	a.active, a.off = false, e.now
	switch {
	case a.inc != nil:
		e.changed(a.inc)
		e.rearm(a.inc)
		e.checkClear(a.inc)
	case a.state == waiting:
		e.forget(a) // nothing needs to be explained any more
	case a.state == loose:
		e.forget(a)
	}
}

// bury keeps a clear for the raise that it has overtaken. The oldest go when there are
// too many.
func (e *Engine) bury(k alarmKey, t int64) {
	const most = 4096
	e.tombs[k] = tomb{t, e.now}
	e.tombOrder = append(e.tombOrder, k)
	for len(e.tombOrder) > 0 {
		old := e.tombOrder[0]
		tb, ok := e.tombs[old]
		if ok && len(e.tombOrder) <= most && e.now-tb.arrival <= tombAge {
			break
		}
		if ok && (len(e.tombOrder) > most || e.now-tb.arrival > tombAge) {
			delete(e.tombs, old)
		}
		e.tombOrder = e.tombOrder[1:]
	}
}

// comesBack reports whether a raise after a clear is the same trouble again. A symptom
// that returns after a pause is judged anew.
func (e *Engine) comesBack(a *alarm) bool {
	quiet := e.now - a.off
	if a.soft || effectSet.has(a.class) {
		return quiet < 12*second
	}
	return quiet < 5*minute
}

// forget takes an alarm out of everything. The incident it was in keeps its events.
func (e *Engine) forget(a *alarm) {
	if a.inc != nil {
		a.inc.past = append(a.inc.past, e.finished(a)...)
		a.inc.omitted += int(a.omitted)
		i := a.inc
		e.detach(a)
		e.changed(i)
		switch {
		case i.no != 0:
			e.checkClear(i)
		case len(i.members) == 0:
			e.remove(i)
		}
	}
	e.unlist(a)
	e.unwait(a)
	a.state = loose
	a.version++
	k := alarmKey{a.obj, a.typeID, a.qualifier}
	if e.alarms[k] == a {
		delete(e.alarms, k)
	}
	delete(e.bySerial, a.serial)
	a.obj.alarms = drop(a.obj.alarms, a)
	ns := e.nodeOf(a.obj.node)
	ns.alarms = drop(ns.alarms, a)
}

// finished returns the events of an alarm as they stay in an incident that it leaves.
func (e *Engine) finished(a *alarm) []EventRef {
	out := slices.Clone(a.refs)
	for j := range out {
		out[j].Cleared = !a.active || j < len(out)-1
		out[j].Reason = e.reason(a, a.inc)
	}
	return out
}

func drop(s []*alarm, a *alarm) []*alarm {
	if i := slices.Index(s, a); i >= 0 {
		return slices.Delete(s, i, i+1)
	}
	return s
}

// list enters an alarm with the hypotheses that may have caused it.
func (e *Engine) list(a *alarm) {
	if a.listed != 0 {
		return
	}
	text := ""
	if len(a.refs) > 0 {
		text = a.refs[len(a.refs)-1].Text
	}
	a.cands = e.candidates(a.obj, a.class, text)
	e.enter(a)
}

// enter puts an alarm behind those that its hypotheses have.
func (e *Engine) enter(a *alarm) {
	e.listings++
	a.listed = e.listings
	for _, c := range a.cands {
		c.h.live = append(c.h.live, a)
	}
}

func (e *Engine) unlist(a *alarm) {
	for _, c := range a.cands {
		c.h.live = drop(c.h.live, a)
	}
	a.cands, a.listed = nil, 0
}

// locate finds a new alarm its place.
func (e *Engine) locate(a *alarm) {
	if softSet.has(a.class) {
		if !effectSet.has(a.class) {
			e.list(a)
		}
		if i := e.impact(a); i != nil {
			e.join(i, a)
			return
		}
		e.wait(a)
		return
	}
	e.list(a)
	if congestionSet.has(a.class) && a.severity > event.Warning {
		if i := e.rerouted(a); i != nil {
			a.cascade = true
			e.attach(i, a, true, "traffic-moved")
			e.congest(i, a)
			return
		}
	}
	e.evidence(a)
}

// evidence lets an alarm join the open incident whose root explains it best; if there
// is none, it goes to the pool.
func (e *Engine) evidence(a *alarm) {
	e.list(a)
	var best *cand
	var into *incident
	for j := range a.cands {
		c := &a.cands[j]
		if c.h.root == 0 || best != nil && c.weight <= best.weight {
			continue
		}
		if i := e.incidents[c.h.root]; i != nil && e.explains(i, c, a) {
			best, into = c, i
		}
	}
	if best != nil {
		e.attach(into, a, false, best.rule)
		if e.young(into) {
			e.resolveSoon(into, a)
		}
		e.reachIfNeeded(into, a)
		return
	}
	if a.severity <= event.Warning {
		return // never raises, and supports nothing
	}
	e.pool(a)
}

func (e *Engine) pool(a *alarm) {
	a.state = pooled
	a.version++
	e.after(e.now+e.p.debounce, solveTimer, a.serial, a.version)
}

// explains reports whether an alarm may join an open incident without a solve.
func (e *Engine) explains(i *incident, c *cand, a *alarm) bool {
	lag := a.t - i.t0
	if lag < -30*second || !e.young(i) && lag > e.p.near && !i.rootActive() {
		return false
	}
	switch i.root.cause {
	case PowerFailure:
		// A site on its batteries harms nobody yet.
		if !powerSet.has(a.class) && !i.dark {
			return false
		}
	case Unknown:
		return a.obj.node == i.root.node
	}
	if c.root {
		return true
	}
	// What speaks of a root of its own must be weighed first.
	for j := range a.cands {
		if a.cands[j].root && a.cands[j].h.cause != Unknown && a.cands[j].h.cause != PortFailure {
			return false
		}
	}
	return a.class != Module
}
