package correlate

import (
	"slices"

	"incidentd/incident/event"
)

// alarmKey is what makes two events speak of one alarm [RFC 8632 section 3.4.2].
type alarmKey struct {
	obj *object
	typ *alarmType
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
	serial uint64
	listed uint64 // when it was entered with its hypotheses; 0 if it is not
	obj    *object
	typ    *alarmType
	inc    *incident
	cands  []cand
	seen   []sighting // raises, in order
	marks  uint64     // the sum of the marks of all sightings but the last
	rule   string
	timer  slot

	t       int64 // corrected time of the latest raise
	arrival int64 // its arrival
	off     int64 // when it cleared, stream time
	raises  int32
	omitted int32

	class     Class
	severity  event.Severity
	state     alarmState
	timerKind timerKind
	active    bool
	lasting   bool // a clear is to be expected
	soft      bool // attached as a symptom by impact, not by evidence
	cascade   bool // attached as congestion beside an outage, or as what passes on
	root      bool // speaks of the root of its incident
	often     bool // it was raised so often that it flaps
	unsure    bool // when it was: its node's clock is hardly known
	live      bool // its hypotheses have it among their live alarms
	pinned    bool // an operator has put it where it is
	covered   bool
	dirty     bool   // changed since the last snapshot
	region    uint64 // the solve that looked at it last
}

// mostRefs bounds the events kept of one alarm; a flapping one is counted beyond.
const mostRefs = 256

// text returns the reporter's latest words.
func (a *alarm) text() string {
	if len(a.seen) == 0 {
		return ""
	}
	return a.seen[len(a.seen)-1].text
}

// nodeState is what the engine keeps of a node by name.
type nodeState struct {
	name   string
	no     uint64 // in the order in which nodes were seen
	clock  clock  // its own
	watch  clock  // of those who watch it
	alarms []*alarm
	ring   []contextEvent // of the last ten minutes, at most mostContext
	lines  []contextEvent // the same, those that nobody has mapped
	dirty  bool           // changed since the last snapshot
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
)

func (e *Engine) nodeOf(name string) *nodeState {
	n, ok := e.nodes[name]
	if !ok {
		n = &nodeState{name: name, no: uint64(len(e.nodes))}
		e.keep(n)
		e.touchNode(n)
	}
	return n
}

// keep enters a node where it is found.
func (e *Engine) keep(n *nodeState) {
	e.nodes[n.name] = n
	if id, ok := e.x.Node(n.name); ok {
		e.nodeStates[id] = n
	}
}

// take handles one event at the present stream time.
func (e *Engine) take(ev *event.Event) {
	o := e.object(ev.Node, ev.Resource)
	typ := e.typeOf(ev.AlarmTypeID, ev.AlarmTypeQualifier)
	c := e.says(o, typ, ev)
	t, unsure := e.now, false
	if !ev.Time.IsZero() {
		by := &o.state.clock
		if managedSet.has(c) {
			by = &o.state.watch
		}
		t = by.correct(nanos(ev.Time), e.now)
		e.touchNode(o.state)
		unsure = by.n < enough && e.now-t > 2*second
	}
	if ev.Shelved {
		e.putAside(o, typ, ev, t)
		return
	}
	if len(e.shelf) > 0 {
		e.takeBack(asideKeyOf(o, typ))
	}
	if contextSet.has(c) && ev.Severity >= event.Major {
		c = Other // whoever calls it major wants more than context
	}
	k := alarmKey{o, typ}
	a := o.alarm(typ)
	switch {
	case ev.Severity == event.Cleared:
		e.clear(k, a, t)
	case ev.TraceID != "":
		e.traced(a, k, c, ev, t)
	case typ.isLine(c, ev):
		s := see(ev)
		e.hear(o, contextEvent{Info, t, s.ref(o.node, typ)})
	case contextSet.has(c):
		s := see(ev)
		e.support(o, contextEvent{c, t, s.ref(o.node, typ)})
	case a != nil && a.active && a.state != loose:
		// Told again: the latest words on severity and value count.
		if s := weightOf(ev.Severity, c); s != a.severity {
			e.uncount(a)
			a.severity = s
			e.count(a)
			e.touchAlarm(a)
			e.changed(a.inc)
		}
	case a != nil && a.inc != nil && e.comesBack(a):
		e.uncount(a)
		e.raise(a, ev, t)
		e.count(a)
		a.inc.hot = max(a.inc.hot, t)
		if !a.soft {
			a.inc.t0 = min(a.inc.t0, t)
		}
		e.changed(a.inc)
		e.rearm(a.inc)
		e.checkClear(a.inc)
	default:
		if a != nil {
			e.forget(a)
		}
		a = e.newAlarm(k, c)
		e.raise(a, ev, t)
		a.unsure = unsure
		e.locate(a)
	}
}

// says returns what an event says, by its words and, where they do not tell, by its place.
func (e *Engine) says(o *object, typ *alarmType, ev *event.Event) Class {
	c := e.classOf(typ, ev)
	if c == Other && ev.Kind != event.Log {
		c = e.x.classAt(o, ev)
	}
	return c
}

func (e *Engine) newAlarm(k alarmKey, c Class) *alarm {
	e.serial++
	a := &alarm{serial: e.serial, obj: k.obj, typ: k.typ, class: c, lasting: true}
	switch {
	case k.typ.listed:
		a.lasting = k.typ.lasting
	case c == Gasp || c == ConfigError || c == Span:
		a.lasting = false
	}
	e.adopt(a)
	return a
}

// adopt puts an alarm into the tables.
func (e *Engine) adopt(a *alarm) {
	e.alarms++
	a.often = a.raises >= e.p.flapRaises
	a.obj.add(a, e.lists.alarms.push(a.obj.alarms, a))
	a.obj.state.alarms = e.lists.alarms.push(a.obj.state.alarms, a)
	e.touchAlarm(a)
}

func (e *Engine) raise(a *alarm, ev *event.Event, t int64) {
	a.t, a.arrival, a.severity = t, e.now, weightOf(ev.Severity, a.class)
	a.active = a.lasting
	a.off = 0
	if !a.lasting {
		a.off = e.now
	}
	if len(e.tombs) > 0 {
		k := alarmKey{a.obj, a.typ}
		if tomb, ok := e.tombs[k]; ok {
			if e.now-tomb.arrival <= e.p.lateness && t < tomb.t {
				a.active, a.off = false, e.now // its clear overtook it
			}
			delete(e.tombs, k)
			e.changes.tombs = true
		}
	}
	a.raises++
	a.often = a.raises >= e.p.flapRaises
	if n := len(a.seen); n < mostRefs {
		if n > 0 {
			a.marks += a.seen[n-1].mark()
		}
		a.seen = append(a.seen, see(ev))
	} else {
		a.omitted++
	}
	e.touchAlarm(a)
}

// tomb remembers a clear that found nothing to clear.
type tomb struct{ t, arrival int64 }

func (e *Engine) clear(k alarmKey, a *alarm, t int64) {
	if a == nil {
		e.bury(k, t)
		return
	}
	if !a.active {
		if a.lasting && t > a.t {
			e.bury(k, t) // it may have overtaken a raise
		}
		return
	}
	if t < a.t-2*minute {
		return // the clear of an earlier raise, come late
	}
	e.uncount(a)
	a.active, a.off = false, e.now
	e.count(a)
	e.touchAlarm(a)
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
	e.changes.tombs = true
	e.tombs[k] = tomb{t, e.now}
	e.tombOrder = append(e.tombOrder, k)
	for len(e.tombOrder) > 0 {
		old := e.tombOrder[0]
		tb, ok := e.tombs[old]
		if ok && len(e.tombOrder) <= most && e.now-tb.arrival <= e.p.lateness {
			break
		}
		if ok && (len(e.tombOrder) > most || e.now-tb.arrival > e.p.lateness) {
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
		return quiet < e.p.rejoinSymptom
	}
	return quiet < e.p.rejoin
}

// forget takes an alarm out of everything. The incident it was in keeps its events.
func (e *Engine) forget(a *alarm) {
	if i := a.inc; i != nil {
		i.past = append(i.past, e.freeze(i, a))
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
	a.timer = slot{}
	e.touchAlarm(a)
	e.alarms--
	a.obj.drop(a)
	a.obj.state.alarms = drop(a.obj.state.alarms, a)
}

// drop takes an alarm out of a list, which keeps its order. The first goes at no cost.
func drop(s []*alarm, a *alarm) []*alarm {
	switch i := slices.Index(s, a); {
	case i == 0:
		s[0] = nil
		return s[1:]
	case i > 0:
		return slices.Delete(s, i, i+1)
	}
	return s
}

// list enters an alarm with the hypotheses that may have caused it.
func (e *Engine) list(a *alarm) {
	if a.listed != 0 {
		return
	}
	a.cands = e.candidates(a.obj, a.class, a.text(), a.typ.qualifier)
	e.enter(a)
}

// enter puts an alarm behind those that its hypotheses have.
func (e *Engine) enter(a *alarm) {
	e.listings++
	a.listed = e.listings
	e.touchAlarm(a)
	e.revive(a)
}

// revive makes an alarm take part in solves, retire ends that: the root of its incident
// moves no more.
func (e *Engine) revive(a *alarm) {
	a.live = true
	for _, c := range a.cands {
		c.h.live = e.lists.alarms.push(c.h.live, a)
	}
}

func (e *Engine) retire(a *alarm) {
	if !a.live {
		return
	}
	a.live = false
	for _, c := range a.cands {
		c.h.live = drop(c.h.live, a)
	}
}

func (e *Engine) unlist(a *alarm) {
	e.retire(a)
	a.cands, a.listed = nil, 0
	e.touchAlarm(a)
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
	if a.class == Other && a.severity > event.Warning && !e.explained(a) {
		if e.led(a) {
			return
		}
		if i := e.impact(a); i != nil {
			e.join(i, a)
			return
		}
		if e.catch(a) {
			return
		}
	}
	if congestionSet.has(a.class) && a.severity > event.Warning {
		if i := e.rerouted(a); i != nil {
			a.cascade = true
			e.attach(i, a, true, "traffic-moved")
			e.congest(i, a)
			return
		}
	}
	if spreadSet.has(a.class) && a.severity > event.Warning && !e.explained(a) && e.catch(a) {
		return
	}
	e.evidence(a)
}

// explained reports whether an open incident has a possible cause of an alarm for its root.
func (e *Engine) explained(a *alarm) bool {
	return slices.ContainsFunc(a.cands, func(c cand) bool { return c.h.root != 0 })
}

// evidence lets an alarm join the open incident whose root explains it best; if there
// is none, it goes to the pool.
func (e *Engine) evidence(a *alarm) {
	e.list(a)
	var best *cand
	var into *incident
	for j := range a.cands {
		c := &a.cands[j]
		if c.h.root == 0 || best != nil && c.rule.Weight <= best.rule.Weight {
			continue
		}
		if i := e.incidents[c.h.root]; i != nil && e.explains(i, c, a) {
			best, into = c, i
		}
	}
	if best != nil {
		e.attach(into, a, false, best.rule.ID)
		if e.young(into) {
			e.resolveSoon(into, a)
		}
		e.reachIfNeeded(into, a)
		e.reunite(into)
		e.lead(into, a)
		return
	}
	if a.severity <= event.Warning {
		return // never raises, and supports nothing
	}
	e.pool(a)
}

func (e *Engine) pool(a *alarm) {
	a.state = pooled
	if !a.live {
		e.enter(a) // it comes out of an incident that had settled
	}
	e.arm(a, e.now+e.p.debounce, solveTimer)
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
