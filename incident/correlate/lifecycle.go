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
	also      []*hypothesis // causes that are known to come with the root
	fresh     bool          // no root was set by a solve yet
	settled   bool          // its root moves no more
	score     int32
	rivals    []rival
	members   []*alarm
	tally     tally
	context   []EventRef
	lines     []contextEvent // what logs said beside it
	past      []membership   // of alarms that have left it
	congested []topology.LinkRef
	reach     reach
	dark      bool  // a power failure whose nodes are down
	darkAt    int64 // since when
	dirty     bool  // changed since the last snapshot

	t0      int64 // least corrected time of its members
	hot     int64 // latest corrected time of its evidence
	born    int64 // stream time of the first arrival
	touched int64 // stream time of the last change
	raised  int64
	cleared int64
	updated int64 // stream time of the last decision

	timers    [timerKinds - raiseTimer]slot
	resolveAt int64
	raiseAt   int64
	rootClear int64 // since when the root events are clear; 0 if they are not

	markID   string
	periodic bool
	overdue  bool
	trace    string
	told     uint64 // what was told last, as a sum

	linesOmitted int32

	// While a solve runs.
	region     uint64 // the solve that looked at it last
	taken      uint64 // the solve in which a cause has taken it
	kept       uint64 // the solve that it survives
	claim      int    // the cause that takes most of its members
	most, here int    // how many, and how many the cause at hand takes
}

// tally counts the members of an incident by what decisions ask.
type tally struct {
	evidence     int32 // not only symptoms
	roots        int32 // of the root itself, a clear to be expected
	rootsActive  int32
	othersActive int32 // other evidence that is active
	lasting      int32
	lastingClear int32
	plain        int32 // neither symptoms nor KPIs
	faults       int32 // no KPIs
	majorKPIs    int32
	often        int32 // evidence that was raised again and again
	flapping     int32 // of major severity
}

// add enters a member, or with n of -1 takes it out.
func (t *tally) add(a *alarm, n int32) {
	kpi := kpiSet.has(a.class)
	if !kpi {
		t.faults += n
	} else if major(a.severity) {
		t.majorKPIs += n
	}
	if a.lasting {
		t.lasting += n
		if !a.active {
			t.lastingClear += n
		}
	}
	if a.soft {
		return
	}
	t.evidence += n
	if !kpi {
		t.plain += n
	}
	if a.often {
		t.often += n
		if major(a.severity) {
			t.flapping += n
		}
	}
	switch {
	case a.root && a.lasting:
		t.roots += n
		if a.active {
			t.rootsActive += n
		}
	case a.active:
		t.othersActive += n
	}
}

// count enters an alarm with its incident, uncount takes it out; what is counted of an
// alarm changes only between the two.
func (e *Engine) count(a *alarm) {
	if a.inc != nil {
		a.root = a.inc.speaks(a)
		a.inc.tally.add(a, 1)
	}
}

func (e *Engine) uncount(a *alarm) {
	if a.inc != nil {
		a.inc.tally.add(a, -1)
	}
}

// recount counts all members, after the root has moved.
func (i *incident) recount() {
	i.tally = tally{}
	for _, a := range i.members {
		a.root = i.speaks(a)
		i.tally.add(a, 1)
	}
}

// speaks reports whether a member speaks of the root itself.
func (i *incident) speaks(a *alarm) bool {
	if a.soft {
		return false
	}
	if i.root.cause == Surge {
		return a.obj.node == i.root.node && a.class.spread() == Surge
	}
	for j := range a.cands {
		if c := &a.cands[j]; c.root && (c.h == i.root || slices.Contains(i.also, c.h)) {
			return true
		}
	}
	return false
}

func (e *Engine) newIncident(h *hypothesis) *incident {
	e.incidentID++
	i := &incident{id: e.incidentID, root: h, fresh: true, born: e.now, t0: e.now, touched: e.now}
	if h.root == 0 {
		h.root = i.id
	}
	e.incidents[i.id] = i
	e.bear(i)
	e.touch(i)
	return i
}

// bear notes a new incident, and forgets those that are young no more.
func (e *Engine) bear(i *incident) {
	for len(e.births) > 0 && (e.births[0].settled || e.incidents[e.births[0].id] != e.births[0]) {
		e.births[0] = nil
		e.births = e.births[1:]
	}
	e.births = append(e.births, i)
}

// young reports whether the root of an incident may still move.
func (e *Engine) young(i *incident) bool { return !i.settled && e.now-i.born < e.p.settle }

// settle ends the time in which the root of an incident may move.
func (e *Engine) settle(i *incident) {
	i.settled = true
	e.touch(i)
	for _, a := range i.members {
		e.retire(a)
	}
}

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
	e.disarm(i, clearTimer)
}

// attach makes an alarm a member of an incident, and leaves what it was in before.
func (e *Engine) attach(i *incident, a *alarm, soft bool, rule string) {
	e.unwait(a)
	if a.inc != nil {
		e.detach(a)
	}
	a.state, a.inc, a.soft, a.rule = attached, i, soft, rule
	a.timer = slot{}
	e.touchAlarm(a)
	e.touch(i)
	i.members = e.lists.alarms.push(i.members, a)
	e.count(a)
	switch {
	case i.settled:
		e.retire(a)
	case a.listed != 0 && !a.live:
		e.enter(a)
	}
	if len(i.members) == 1 || a.arrival < i.born {
		i.born = a.arrival
		if !i.settled {
			e.armIncident(i, i.born+e.p.settle, settleTimer)
		}
	}
	if !soft {
		if len(i.members) == 1 || a.t < i.t0 {
			i.t0 = a.t
		}
		i.hot = max(i.hot, a.t)
		if len(a.obj.state.lines) > 0 {
			e.listen(i, a.obj.state)
		}
	}
	e.rearm(i)
	e.changed(i)
	if i.rootClear != 0 {
		e.checkClear(i)
	}
}

func (e *Engine) detach(a *alarm) {
	if i := a.inc; i != nil {
		i.tally.add(a, -1)
		i.members = drop(i.members, a)
		a.inc, a.cascade, a.root, a.pinned = nil, false, false, false
		a.state = loose
		e.touchAlarm(a)
		e.touch(i)
	}
}

func (i *incident) hasEvidence() bool { return i.tally.evidence > 0 }

// rootActive reports whether the root still shows: a root alarm, or where there is
// none any evidence, is active.
func (i *incident) rootActive() bool {
	if i.tally.roots > 0 {
		return i.tally.rootsActive > 0
	}
	return i.tally.othersActive > 0
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
	if i.raiseAt == at {
		return
	}
	i.raiseAt = at
	e.armIncident(i, at, raiseTimer)
}

func (e *Engine) soak(i *incident) int64 {
	switch kpi := i.tally.faults == 0; {
	case kpi && i.tally.majorKPIs > 0:
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
		rootKPI = rootKPI || kpiSet.has(a.class) && a.root && a.severity >= event.Minor && i.root.cause != Unknown
	}
	switch {
	case i.flapping() || active > 0 && (bad > 0 || minors >= e.p.raiseMinors || rootKPI):
		if j := e.foretold(i); j != nil {
			e.promote(j, i)
			return
		}
		if j := e.companion(i); j != nil {
			e.pin(j)
			e.joinCauses(i, j)
			e.judge(j)
			return
		}
		e.raiseIncident(i)
	default:
		e.watch(i)
	}
}

// watch arms the look whether an incident is forgotten.
func (e *Engine) watch(i *incident) {
	if !i.armed(staleTimer) {
		e.armIncident(i, e.now+e.p.stale, staleTimer)
	}
}

// flapping reports whether some evidence has come and gone again and again.
func (i *incident) flapping() bool { return i.tally.flapping > 0 }

func (e *Engine) raiseIncident(i *incident) {
	i.no = e.nextNo
	e.nextNo++
	i.raised = e.now
	e.label(i)
	e.raised++
	e.learn(i)
	e.tell(Raised, i, 0)
	if i.mostlyClear() {
		e.watch(i)
	}
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
	for _, h := range i.also {
		h.root = 0
	}
	if i.trace != "" {
		delete(e.traces, i.trace)
	}
	members := i.members
	i.members, i.tally, i.timers = nil, tally{}, [timerKinds - raiseTimer]slot{}
	for _, a := range members {
		a.inc, a.cascade, a.root, a.pinned, a.state = nil, false, false, false, loose
		e.touchAlarm(a)
		if a.active {
			e.unlist(a)
			a.timer = slot{}
			continue
		}
		e.forget(a)
	}
	if i.no != 0 {
		e.raised--
	}
	delete(e.incidents, i.id)
	e.touch(i)
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
	members := i.members
	i.members, i.tally = nil, tally{}
	for _, a := range members {
		cascade := a.cascade
		a.inc, a.cascade = nil, false
		e.attach(into, a, a.soft, a.rule)
		a.cascade = cascade
	}
	into.past = append(into.past, i.past...)
	into.context = append(into.context, i.context...)
	for _, l := range i.lines {
		e.overhear(into, l)
	}
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
	e.touch(i)
	if i.no == 0 {
		return
	}
	if i.mostlyClear() {
		e.watch(i)
	}
	e.updateSoon(i)
}

// updateSoon has an incident that is raised updated when it may be.
func (e *Engine) updateSoon(i *incident) {
	if i.no == 0 || i.armed(emitTimer) {
		return
	}
	e.armIncident(i, max(e.now+e.p.updateDelay, i.updated+e.p.updateEvery), emitTimer)
}

func (e *Engine) emitUpdate(i *incident) {
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
			e.disarm(i, clearTimer)
		}
		return
	}
	if i.rootClear != 0 {
		return
	}
	i.rootClear = e.now
	long, _ := e.hold(i)
	e.armIncident(i, e.now+long, clearTimer)
}

// hold is how long the root must have been clear, and why that long.
func (e *Engine) hold(i *incident) (long int64, why string) {
	switch {
	case i.no != 0 && i.tally.often > 0:
		return e.p.flapHold, "it flaps"
	case e.lately(i):
		return e.p.flapHold, "its cause was there shortly before"
	case i.no != 0 && i.tally.plain > 0 && i.rootClear-i.t0 < e.p.short:
		return e.p.shortHolds * e.p.clearHold, "what is so short may well return"
	case i.tally.plain == 0:
		return e.p.kpiHold, "it is one of metrics"
	case i.trace != "":
		return e.p.split, "it is one of a transaction"
	}
	return e.p.clearHold, ""
}

// held tells since when the root is clear, until when the incident is held, and why that
// long; zero times if it is not over.
func (e *Engine) held(i *incident) (over, until int64, why string) {
	at := i.timers[clearTimer-raiseTimer].at
	if i.rootClear == 0 || i.cleared != 0 || !i.armed(clearTimer) {
		return 0, 0, ""
	}
	long, why := e.hold(i)
	if at > i.rootClear+long {
		why = "other alarms last"
	}
	return i.rootClear, at, why
}

// lately reports whether the root has been down shortly before already.
func (e *Engine) lately(i *incident) bool {
	r := e.histories[i.root.key()]
	return i.no != 0 && r != nil && r.last != i.no && i.t0-r.ended < e.p.reopen
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
			e.armIncident(i, at, clearTimer)
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
		} else {
			e.armIncident(i, i.touched+e.p.stale, staleTimer)
		}
		return
	}
	switch {
	case !i.mostlyClear(): // it is watched again when that changes
	case e.now-i.touched >= e.p.stale:
		e.close(i)
	default:
		e.armIncident(i, i.touched+e.p.stale, staleTimer)
	}
}

// mostlyClear reports whether half of the alarms that could have cleared have done so.
func (i *incident) mostlyClear() bool { return 2*i.tally.lastingClear >= i.tally.lasting }

// close clears a raised incident.
func (e *Engine) close(i *incident) {
	i.cleared = e.now
	e.tell(Cleared, i, 0)
	e.remember(i)
	e.remove(i)
}
