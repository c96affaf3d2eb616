package correlate

import (
	"slices"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// incident is the state of an open incident.
type incident struct {
	id, no    uint64
	root      *hypothesis
	fresh     bool // no root was set by a solve yet
	score     int32
	rivals    []rival
	members   []*alarm
	context   []EventRef
	past      []EventRef
	omitted   int
	congested []topology.LinkRef
	reach     reach
	dark      bool   // a power failure whose nodes are down
	darkAt    int64  // since when
	region    uint64 // the solve that looked at it last

	t0      int64 // least corrected time of its members
	hot     int64 // latest corrected time of its evidence
	born    int64 // stream time of the first arrival
	touched int64 // stream time of the last change
	raised  int64
	cleared int64
	updated int64 // stream time of the last decision

	resolveAt    int64
	raiseVersion uint32
	emitVersion  uint32
	clearVersion uint32
	raiseAt      int64
	emitAt       int64
	rootClear    int64 // since when the root events are clear; 0 if they are not

	markID   string
	periodic bool
	overdue  bool
	trace    string
	told     uint64 // what was told last, as a sum
}

func (e *Engine) newIncident(h *hypothesis) *incident {
	e.incidentID++
	i := &incident{id: e.incidentID, root: h, fresh: true, born: e.now, t0: e.now, touched: e.now}
	if h.root == 0 {
		h.root = i.id
	}
	e.incidents[i.id] = i
	e.open = append(e.open, i)
	return i
}

// young reports whether the root of an incident may still move.
func (e *Engine) young(i *incident) bool { return e.now-i.born < e.p.settle && i.trace == "" }

// setRoot gives an incident the root that a solve has found.
func (e *Engine) setRoot(i *incident, p *pick) {
	i.fresh = false
	if i.root != p.h {
		i.context = nil
	}
	if p.h.cause == IGPFailure {
		if c := e.committed(p.h.node, i.t0); c != nil {
			i.addContext(c.ref)
		}
	}
	i.root, i.score, i.rivals = p.h, p.score, p.rivals
	p.h.root = i.id
	i.rootClear = 0
	i.clearVersion++
}

// attach makes an alarm a member of an incident, and leaves what it was in before.
func (e *Engine) attach(i *incident, a *alarm, soft bool, rule string) {
	e.unwait(a)
	if a.inc != nil {
		e.detach(a)
	}
	a.state, a.inc, a.soft, a.rule = attached, i, soft, rule
	a.version++
	i.members = append(i.members, a)
	if len(i.members) == 1 || a.arrival < i.born {
		i.born = a.arrival
	}
	if !soft {
		if len(i.members) == 1 || a.t < i.t0 {
			i.t0 = a.t
		}
		i.hot = max(i.hot, a.t)
	}
	if a.class == ServiceLost || a.class == ServiceDegraded {
		e.changed(i)
	}
	e.rearm(i)
	e.changed(i)
	if i.rootClear != 0 {
		e.checkClear(i)
	}
}

func (e *Engine) detach(a *alarm) {
	if i := a.inc; i != nil {
		i.members = drop(i.members, a)
		a.inc, a.cascade = nil, false
		a.state = loose
	}
}

func (i *incident) hasEvidence() bool {
	return slices.ContainsFunc(i.members, func(a *alarm) bool { return !a.soft })
}

// isRoot reports whether a member speaks of the root itself.
func (i *incident) isRoot(a *alarm) bool {
	if a.soft {
		return false
	}
	for j := range a.cands {
		if a.cands[j].h == i.root {
			return a.cands[j].root
		}
	}
	return false
}

// rootActive reports whether the root still shows: a root alarm, or where there is
// none any evidence, is active.
func (i *incident) rootActive() bool {
	roots, active := false, false
	for _, a := range i.members {
		switch {
		case a.soft:
		case i.isRoot(a) && a.lasting:
			roots = true
			if a.active {
				return true
			}
		default:
			active = active || a.active
		}
	}
	return !roots && active
}

// --- raising

// rearm sets the time at which an incident may be raised.
func (e *Engine) rearm(i *incident) {
	if i.no != 0 || len(i.members) == 0 {
		return
	}
	at := i.born + e.soak(i)
	if at < e.now {
		at = e.now
	}
	if i.raiseAt == at && i.raiseVersion != 0 {
		return
	}
	i.raiseAt = at
	i.raiseVersion++
	e.after(at, raiseTimer, i.id, i.raiseVersion)
}

func (e *Engine) soak(i *incident) int64 {
	kpi, majorKPI := true, false
	for _, a := range i.members {
		if !kpiSet.has(a.class) {
			kpi = false
			break
		}
		majorKPI = majorKPI || major(a.severity)
	}
	switch {
	case kpi && majorKPI:
		return e.p.soakKPIMajor
	case kpi:
		return e.p.soakKPI
	case len(i.members) > 1:
		return e.p.soakPair
	}
	return e.p.soakSingle
}

// considerRaise raises an incident that has soaked, if what is active now is worth it.
func (e *Engine) considerRaise(i *incident) {
	if i.no != 0 {
		return
	}
	bad, minors, active, rootKPI := 0, 0, 0, false
	for _, a := range i.members {
		live := a.active || !a.lasting && e.now-a.arrival < 10*minute
		if !live {
			continue
		}
		active++
		switch {
		case major(a.severity):
			bad++
		case a.severity == event.Minor:
			minors++
		}
		rootKPI = rootKPI || kpiSet.has(a.class) && i.isRoot(a) && a.severity >= event.Minor && i.root.cause != Unknown
	}
	switch {
	case i.flapping() || active > 0 && (bad > 0 || minors >= 2 || rootKPI):
		e.raiseIncident(i)
	default:
		e.after(e.now+e.p.stale, staleTimer, i.id, 0)
	}
}

// flapping reports whether some evidence has come and gone again and again.
func (i *incident) flapping() bool {
	return slices.ContainsFunc(i.members, func(a *alarm) bool { return a.raises >= 3 && !a.soft && major(a.severity) })
}

func (e *Engine) raiseIncident(i *incident) {
	i.no = e.nextNo
	e.nextNo++
	i.raised = e.now
	e.label(i)
	e.tell(Raised, i, 0)
	e.after(e.now+e.p.stale, staleTimer, i.id, 0)
	e.checkClear(i)
}

// dissolve ends an incident that has lost its evidence to others.
func (e *Engine) dissolve(i *incident) {
	left := slices.Clone(i.members)
	for _, a := range left {
		e.detach(a)
	}
	if i.no != 0 {
		e.close(i)
	} else {
		e.remove(i)
	}
	for _, a := range left {
		if a.active {
			e.locate(a)
		} else {
			e.forget(a)
		}
	}
}

// remove takes an incident out. What is still active in it is loose from then on.
func (e *Engine) remove(i *incident) {
	e.unregister(i)
	i.reach = reach{}
	if i.root.root == i.id {
		i.root.root = 0
	}
	if i.trace != "" {
		delete(e.traces, i.trace)
	}
	for _, a := range slices.Clone(i.members) {
		e.detach(a)
		if a.active {
			e.unlist(a)
			a.version++
			continue
		}
		e.forget(a)
	}
	delete(e.incidents, i.id)
	if j := slices.Index(e.open, i); j >= 0 {
		e.open = slices.Delete(e.open, j, j+1)
	}
}

// absorb moves what an incident has into another and ends it. Its last content still
// shows what it had.
func (e *Engine) absorb(i, into *incident) {
	if i.no != 0 {
		if into.no == 0 {
			e.raiseIncident(into)
		}
		i.cleared, i.updated = e.now, e.now
		e.tell(Cleared, i, into.no)
	}
	for _, a := range slices.Clone(i.members) {
		soft, rule, cascade := a.soft, a.rule, a.cascade
		e.attach(into, a, soft, rule)
		a.cascade = cascade
	}
	into.past = append(into.past, i.past...)
	into.context = append(into.context, i.context...)
	into.omitted += i.omitted
	for _, l := range i.congested {
		if !slices.Contains(into.congested, l) {
			into.congested = append(into.congested, l)
		}
	}
	e.remove(i)
}

// --- updating

// changed notes that the content of an incident has changed. An update follows, not
// before the gathering pause and not before its time.
func (e *Engine) changed(i *incident) {
	if i == nil {
		return
	}
	i.touched = e.now
	if i.no == 0 || i.emitAt != 0 {
		return
	}
	i.emitAt = max(e.now+e.p.updateDelay, i.updated+e.p.updateEvery)
	i.emitVersion++
	e.after(i.emitAt, emitTimer, i.id, i.emitVersion)
}

func (e *Engine) emitUpdate(i *incident) {
	i.emitAt = 0
	if i.no == 0 {
		return
	}
	e.label(i)
	e.tell(Updated, i, 0)
}

// --- clearing

// checkClear arms the hold time when the root has become clear, and disarms it when it
// is back.
func (e *Engine) checkClear(i *incident) {
	if i.rootActive() {
		if i.rootClear != 0 {
			i.rootClear = 0
			i.clearVersion++
		}
		return
	}
	if i.rootClear != 0 {
		return
	}
	i.rootClear = e.now
	i.clearVersion++
	e.after(e.now+e.hold(i), clearTimer, i.id, i.clearVersion)
}

// hold is how long the root must have been clear.
func (e *Engine) hold(i *incident) int64 {
	kpi := true
	for _, a := range i.members {
		if a.raises >= 3 && !a.soft && i.no != 0 {
			return e.p.flapHold
		}
		kpi = kpi && (kpiSet.has(a.class) || a.soft)
	}
	if kpi {
		return e.p.kpiHold
	}
	if i.trace != "" {
		return e.p.split
	}
	return e.p.clearHold
}

// considerClear clears an incident whose root has been clear long enough, unless other
// evidence lasts; that is judged anew when it has lasted too long.
func (e *Engine) considerClear(i *incident) {
	if i.rootClear == 0 || i.rootActive() {
		return
	}
	var left []*alarm
	evidence := 0
	for _, a := range i.members {
		if a.soft || a.cascade {
			continue
		}
		evidence++
		if a.active {
			left = append(left, a)
		}
	}
	if len(left) > 0 {
		if at := i.rootClear + e.p.split; e.now < at {
			e.after(at, clearTimer, i.id, i.clearVersion)
			return
		}
	}
	if 5*(evidence-len(left)) >= 3*evidence {
		left = nil // most is over: what remains has lost its clear
	}
	for _, a := range left {
		e.detach(a)
	}
	if i.no == 0 {
		e.remove(i)
	} else {
		e.close(i)
	}
	for _, a := range left {
		e.list(a)
		e.pool(a)
	}
}

// considerStale closes an incident whose clears were lost.
func (e *Engine) considerStale(i *incident) {
	if i.no == 0 {
		if e.now-i.touched >= e.p.stale {
			e.remove(i)
		}
		return
	}
	if i.mostlyClear() && e.now-i.touched >= e.p.stale {
		e.close(i)
		return
	}
	e.after(e.now+e.p.stale, staleTimer, i.id, 0)
}

// mostlyClear reports whether half of the alarms that could have cleared have done so.
func (i *incident) mostlyClear() bool {
	clear, lasting := 0, 0
	for _, a := range i.members {
		if a.lasting {
			lasting++
			if !a.active {
				clear++
			}
		}
	}
	return 2*clear >= lasting
}

// close clears a raised incident.
func (e *Engine) close(i *incident) {
	i.cleared = e.now
	e.remember(i)
	e.tell(Cleared, i, 0)
	e.remove(i)
}
