package correlate

import (
	"slices"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// Engine is the correlator. See the package's text.
type Engine struct {
	p     params
	know  *Knowledge
	marks []Mark
	// inventory are the alarm types that are known beforehand.
	inventory map[string]*AlarmType
	// byClass are the rules by the class of the alarm.
	byClass [classes][]Rule
	// rhythmic are the causes whose rhythms need no approval, calendar the rules that
	// have it; risks the shared risks.
	rhythmic     []Cause
	calendar     []CalendarRule
	risks        []SharedRisk
	applyLearned bool
	// follows and leads are the co-occurrences by their effects and by their causes.
	follows, leads map[string][]CoOccurrence

	// The present epoch.
	x           stack
	objects     map[objKey]*object
	portObjects []*object // by port
	nodeObjects []*object // by node, those without a resource
	nodeStates  []*nodeState
	sites       [][]topology.NodeID // by site, the nodes that its power failure takes
	alone       [1]topology.NodeID
	customers   [][]topology.ServiceID
	hyps        hypotheses
	marked      map[hypKey][]int
	spread      spread
	cast        choices
	walker      walker
	spots       []RootCause // the places of one cause
	queue       []*alarm    // the region that is solved
	lists       struct {
		alarms    arena[*alarm]
		incidents arena[*incident]
		reaching  arena[reaching]
	}

	// Time.
	now      int64
	timers   timerQueue
	timerSeq uint64

	// What was seen.
	serial     uint64 // of alarms
	listings   uint64
	types      map[typeKey]*alarmType
	texts      map[string]Class
	nodes      map[string]*nodeState
	alarms     int // how many there are
	tombs      map[alarmKey]tomb
	tombOrder  []alarmKey
	shelf      map[asideKey]*aside
	traces     map[string]uint64 // trace-id to incident
	histories  map[hypKey]*history
	companions map[companionKey]*companions

	// Incidents that are open.
	incidentID uint64
	nextNo     uint64
	incidents  map[uint64]*incident
	births     []*incident   // those that were young lately, by birth
	raised     int           // how many of them are
	edgeInc    [][]reaching  // by edge, those that reach it
	nodeInc    [][]*incident // by node
	fringe     [][]*incident // by node
	outages    int           // how many entries fringe has
	waitEdge   [][]*alarm    // by edge, those that wait for a cause there
	waitNode   [][]*alarm    // by node
	solves     uint64
	scores     uint64

	decisions uint64
	out       []Decision
	changes   changes
}

// New returns an engine without topology, at stream time zero.
func New(c Config) *Engine {
	e := &Engine{nextNo: max(c.NextNo, 1)}
	e.configure(c)
	e.empty()
	e.x = stack{topology.Build(nil, nil)}
	e.epoch()
	return e
}

// Configure changes the configuration, but for NextNo. What is open stays as it is; what
// may have caused its alarms is found anew, by which young incidents may change. It
// takes time in proportion to what is open.
func (e *Engine) Configure(c Config) {
	e.configure(c)
	for _, t := range e.types { // those without a qualifier first: the others take after them
		if t.qualifier == "" {
			e.judgeType(t)
		}
	}
	for _, t := range e.types {
		if t.qualifier != "" {
			e.judgeType(t)
		}
	}
	e.epoch()
	e.changes.all = true
}

func (e *Engine) configure(c Config) {
	e.p, e.know, e.marks = c.params(), c.Knowledge, slices.Clone(c.Marks)
	if e.know == nil {
		e.know = DefaultKnowledge()
	}
	e.rhythmic, e.calendar, e.risks, e.applyLearned = c.Rhythmic, c.Calendar, c.SharedRisks, c.ApplyLearned
	e.indexCoOccurrences(c.CoOccurrences)
	if e.rhythmic == nil {
		e.rhythmic = []Cause{AccessOutage}
	}
	e.byClass = [classes][]Rule{}
	for _, r := range e.know.Rules {
		e.byClass[r.Class] = append(e.byClass[r.Class], r)
	}
	e.inventory = make(map[string]*AlarmType, len(c.AlarmTypes))
	for i := range c.AlarmTypes {
		t := c.AlarmTypes[i]
		e.inventory[t.ID] = &t
	}
}

// blank returns an engine that is configured as this one, in the same topology, and has
// seen nothing.
func (e *Engine) blank() *Engine {
	f := &Engine{p: e.p, know: e.know, marks: e.marks, inventory: e.inventory, byClass: e.byClass, rhythmic: e.rhythmic, calendar: e.calendar,
		risks: e.risks, applyLearned: e.applyLearned, follows: e.follows, leads: e.leads, x: e.x}
	f.empty()
	f.epoch()
	return f
}

// empty forgets everything that was seen.
func (e *Engine) empty() {
	e.types, e.texts = map[typeKey]*alarmType{}, map[string]Class{}
	e.nodes = map[string]*nodeState{}
	e.alarms = 0
	e.tombs, e.tombOrder = map[alarmKey]tomb{}, nil
	e.shelf = map[asideKey]*aside{}
	e.traces = map[string]uint64{}
	e.histories, e.companions = map[hypKey]*history{}, map[companionKey]*companions{}
	e.incidents, e.births = map[uint64]*incident{}, nil
	e.timers, e.out = timerQueue{}, nil
}

// SetTopology begins a new epoch. Open incidents stay with their members and roots;
// what a root brings down, and what may have caused an alarm, is found anew. What had no
// evidence but symptoms may be part of another then, which the next call tells. The engine
// keeps the index. It takes time in proportion to what is open.
func (e *Engine) SetTopology(x *topology.Index) {
	for _, i := range e.incidents {
		for k := range i.past {
			i.past[k].settle(e.x)
		}
	}
	e.x = stack{x}
	e.epoch()
	e.changes.all = true
}

// SetMarks replaces the marks. Incidents that are open and that marks explain now, or did
// before, are labelled by the next Advance or Step.
func (e *Engine) SetMarks(marks []Mark) {
	e.marks = slices.Clone(marks)
	e.markHyps()
	for _, i := range e.byBirth() {
		if i.markID != "" || e.markOf(i.root, i.t0) >= 0 {
			e.armIncident(i, e.now, markTimer)
		}
	}
}

// epoch resolves everything in the present topology.
func (e *Engine) epoch() {
	e.portObjects, e.customers = make([]*object, e.x.Ports()), make([][]topology.ServiceID, e.x.Ports())
	nodes, edges := e.x.Nodes(), e.x.Edges()
	e.nodeObjects, e.nodeStates, e.sites = make([]*object, nodes), make([]*nodeState, nodes), make([][]topology.NodeID, e.x.Sites())
	e.outages = 0
	e.edgeInc, e.nodeInc, e.fringe = make([][]reaching, edges), make([][]*incident, nodes), make([][]*incident, nodes)
	e.waitEdge, e.waitNode = make([][]*alarm, edges), make([][]*alarm, nodes)
	for s := range topology.ServiceID(e.x.Stats().Services) {
		for _, p := range e.x.ServiceAccess(s) {
			e.customers[p] = append(e.customers[p], s)
		}
	}
	e.markHyps()

	alarms, open := e.inOrder(), e.byBirth()
	owned := make([]bool, len(open))
	for k, i := range open {
		owned[k] = i.root.root == i.id
	}
	e.objects, e.hyps = map[objKey]*object{}, hypotheses{named: map[hypKey]*hypothesis{}}
	e.alarms = 0
	for _, n := range e.nodes {
		n.alarms = nil
		e.keep(n)
	}
	for _, a := range alarms {
		a.obj = e.replaced(a.obj)
		a.live = false
		e.adopt(a)
	}
	for k, i := range open {
		h := e.hypothesis(i.root.cause, i.root.node, i.root.name)
		if owned[k] {
			h.root = i.id
		}
		i.root = h
		for j, h := range i.also {
			i.also[j] = e.hypothesis(h.cause, h.node, h.name)
			i.also[j].root = i.id
		}
		for j := range i.rivals {
			r := i.rivals[j].h
			i.rivals[j].h = e.hypothesis(r.cause, r.node, r.name)
		}
		i.reach = reach{}
	}
	tombs := make(map[alarmKey]tomb, len(e.tombs))
	for k, old := range e.tombOrder {
		t, ok := e.tombs[old]
		e.tombOrder[k].obj = e.replaced(old.obj)
		if ok {
			tombs[e.tombOrder[k]] = t
		}
	}
	e.tombs = tombs
	e.listAgain(alarms)
	for _, i := range open {
		i.recount()
	}
	for _, i := range open {
		e.recompute(i)
	}
	for _, a := range alarms {
		if a.state == waiting {
			e.waitOn(a)
		}
	}
}

// replaced returns the object of this epoch for one of another.
func (e *Engine) replaced(o *object) *object {
	k := objKey{o.node, o.name}
	if e.objects[k] == nil {
		e.objects[k] = e.newObject(o.node, o.name)
	}
	return e.objects[k]
}

// inOrder returns the alarms by serial: the order of a map must not show.
func (e *Engine) inOrder() []*alarm {
	alarms := make([]*alarm, 0, e.alarms)
	for _, n := range e.nodes {
		alarms = append(alarms, n.alarms...)
	}
	slices.SortFunc(alarms, func(a, b *alarm) int { return cmpSerial(a.serial, b.serial) })
	return alarms
}

// byBirth returns the open incidents in the order in which they were made.
func (e *Engine) byBirth() []*incident {
	open := make([]*incident, 0, len(e.incidents))
	for _, i := range e.incidents {
		open = append(open, i)
	}
	slices.SortFunc(open, func(a, b *incident) int { return cmpSerial(a.id, b.id) })
	return open
}

// listAgain enters the alarms that were listed with their hypotheses, in the order in
// which they were.
func (e *Engine) listAgain(alarms []*alarm) {
	alarms = slices.Clone(alarms)
	slices.SortFunc(alarms, func(a, b *alarm) int { return cmpSerial(a.listed, b.listed) })
	for _, a := range alarms {
		if a.listed == 0 {
			continue
		}
		if trace := a.trace(); trace != "" { // wherever it is by now
			a.cands = []cand{{e.hypothesis(Transaction, "", trace), sameTrace, true}}
		} else {
			a.cands = e.candidates(a.obj, a.class, a.text(), a.typ.qualifier)
		}
		if a.inc == nil || !a.inc.settled {
			e.revive(a)
		}
	}
}

func cmpSerial(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Feed takes one event. Timers due at or before its arrival run first, each at its own
// time; then the stream time is the arrival, or what it was if that is later. An event
// without arrival arrives now. Feed keeps nothing of ev but its strings. The decisions
// returned are in order.
func (e *Engine) Feed(ev *event.Event) []Decision {
	if !ev.Arrival.IsZero() {
		at := nanos(ev.Arrival)
		e.run(at)
		e.now = max(e.now, at)
	}
	e.take(ev)
	return e.flush()
}

// Advance moves the stream time to now, if that is later, and runs the timers due.
func (e *Engine) Advance(now time.Time) []Decision {
	at := nanos(now)
	e.run(at)
	e.now = max(e.now, at)
	return e.flush()
}

// Step is Advance in parts: it runs timers that are due until they have brought some
// decisions, or have been many, and reports whether these were all. Only then the stream
// time is now. Feed may follow, which runs the rest, or another Step.
func (e *Engine) Step(now time.Time, some int) (decisions []Decision, done bool) {
	const many = 256
	at := nanos(now)
	for fired := 0; len(e.out) < some && fired < many; fired++ {
		if !e.fireNext(at) {
			e.now = max(e.now, at)
			return e.flush(), true
		}
	}
	return e.flush(), false
}

// Next returns when the next timer is due; false if none is armed.
func (e *Engine) Next() (time.Time, bool) {
	at, ok := e.timers.next()
	if !ok {
		return time.Time{}, false
	}
	return timeOf(at), true
}

// Now returns the stream time; the zero time before the first event or tick.
func (e *Engine) Now() time.Time {
	if e.now == 0 {
		return time.Time{}
	}
	return timeOf(e.now)
}

// Open returns the present content of the incidents that are raised and not cleared,
// by number. Unlike the decisions it includes what no update has told yet.
func (e *Engine) Open() []*Incident {
	var out []*Incident
	for _, i := range e.incidents {
		if i.no != 0 {
			out = append(out, e.content(i))
		}
	}
	slices.SortFunc(out, func(a, b *Incident) int { return cmpSerial(a.No, b.No) })
	return out
}

// Figures counts what the engine holds.
type Figures struct {
	Alarms, Open, Raised, Timers, Waiting int
}

// Figures returns the counts.
func (e *Engine) Figures() Figures {
	f := Figures{Alarms: e.alarms, Open: len(e.incidents), Raised: e.raised, Timers: e.timers.n}
	for _, w := range e.waitEdge {
		f.Waiting += len(w)
	}
	return f
}

func (e *Engine) flush() []Decision {
	out := e.out
	e.out = nil
	return out
}

// tell makes a decision of what an incident is now. An update that would tell nothing
// new is none.
func (e *Engine) tell(op Op, i *incident, mergedInto uint64) {
	before := i.updated
	i.updated = e.now
	e.touch(i)
	c, sum := e.outline(i)
	if op == Updated && sum == i.told {
		i.updated = before
		return
	}
	e.detail(i, c)
	c.Status, c.MergedInto = op, mergedInto
	i.told = sum
	e.decisions++
	e.out = append(e.out, Decision{Serial: e.decisions, At: timeOf(e.now), Op: op, Incident: c})
}
