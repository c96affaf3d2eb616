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
	types map[string]*AlarmType
	// byClass are the rules by the class of the alarm.
	byClass [classes][]Rule

	// The present epoch.
	x           *topology.Index
	portObjects map[topology.PortID]*object
	customers   map[topology.PortID][]topology.ServiceID
	marked      map[hypKey][]int

	// Time.
	now      int64
	timers   timerHeap
	timerSeq uint64

	// What was seen.
	serial    uint64 // of alarms
	listings  uint64
	objects   map[objKey]*object
	canonical map[objKey]*object
	typeClass map[string]Class
	nodes     map[string]*nodeState
	alarms    map[alarmKey]*alarm
	bySerial  map[uint64]*alarm
	tombs     map[alarmKey]tomb
	tombOrder []alarmKey
	hyps      map[hypKey]*hypothesis
	traces    map[string]uint64 // trace-id to incident
	rhythms   map[hypKey]*rhythm

	// Incidents that are open, by id and in order of birth.
	incidentID uint64
	nextNo     uint64
	incidents  map[uint64]*incident
	open       []*incident
	edgeInc    map[topology.EdgeID][]*incident
	nodeInc    map[topology.NodeID][]*incident
	fringe     map[topology.NodeID][]*incident
	waitEdge   map[topology.EdgeID][]*alarm
	waitNode   map[topology.NodeID][]*alarm
	solves     uint64

	decisions uint64
	out       []Decision
}

// New returns an engine without topology, at stream time zero.
func New(c Config) *Engine {
	e := &Engine{p: c.params(), know: c.Knowledge, marks: slices.Clone(c.Marks), nextNo: max(c.NextNo, 1)}
	if e.know == nil {
		e.know = DefaultKnowledge()
	}
	for _, r := range e.know.Rules {
		e.byClass[r.Class] = append(e.byClass[r.Class], r)
	}
	e.types = make(map[string]*AlarmType, len(c.AlarmTypes))
	for i := range c.AlarmTypes {
		t := c.AlarmTypes[i]
		e.types[t.ID] = &t
	}
	e.empty()
	e.x = topology.Build(nil, nil)
	e.epoch()
	return e
}

// empty forgets everything that was seen.
func (e *Engine) empty() {
	e.objects, e.canonical = map[objKey]*object{}, map[objKey]*object{}
	e.typeClass = map[string]Class{}
	e.nodes = map[string]*nodeState{}
	e.alarms, e.bySerial = map[alarmKey]*alarm{}, map[uint64]*alarm{}
	e.tombs, e.tombOrder = map[alarmKey]tomb{}, nil
	e.hyps = map[hypKey]*hypothesis{}
	e.traces, e.rhythms = map[string]uint64{}, map[hypKey]*rhythm{}
	e.incidents, e.open = map[uint64]*incident{}, nil
	e.timers, e.out = nil, nil
}

// SetTopology begins a new epoch. Open incidents stay with their members and roots;
// what a root brings down, and what may have caused an alarm, is found anew. The engine
// keeps the index. It takes time in proportion to what is open.
func (e *Engine) SetTopology(x *topology.Index) {
	e.x = x
	e.epoch()
}

// SetMarks replaces the marks. Incidents that are open are labelled when they change.
func (e *Engine) SetMarks(marks []Mark) {
	e.marks = slices.Clone(marks)
	e.markHyps()
}

// epoch resolves everything in the present topology.
func (e *Engine) epoch() {
	e.portObjects = map[topology.PortID]*object{}
	e.edgeInc, e.nodeInc, e.fringe = map[topology.EdgeID][]*incident{}, map[topology.NodeID][]*incident{}, map[topology.NodeID][]*incident{}
	e.waitEdge, e.waitNode = map[topology.EdgeID][]*alarm{}, map[topology.NodeID][]*alarm{}
	e.customers = map[topology.PortID][]topology.ServiceID{}
	for s := range topology.ServiceID(e.x.Stats().Services) {
		for _, p := range e.x.ServiceAccess(s) {
			e.customers[p] = append(e.customers[p], s)
		}
	}
	e.markHyps()

	alarms := e.inOrder()
	owned := make([]bool, len(e.open))
	for k, i := range e.open {
		owned[k] = i.root.root == i.id
	}
	e.objects, e.canonical, e.hyps = map[objKey]*object{}, map[objKey]*object{}, map[hypKey]*hypothesis{}
	for _, a := range alarms {
		if e.canonical[objKey{a.obj.node, a.obj.name}] == nil {
			e.canonical[objKey{a.obj.node, a.obj.name}] = a.obj
			e.place(a.obj)
		}
	}
	for k, i := range e.open {
		h := e.hypothesis(i.root.cause, i.root.node, i.root.name)
		if owned[k] {
			h.root = i.id
		}
		i.root = h
		for j := range i.rivals {
			r := i.rivals[j].h
			i.rivals[j].h = e.hypothesis(r.cause, r.node, r.name)
		}
		i.reach = reach{}
	}
	e.listAgain(alarms)
	for _, i := range e.open {
		e.recompute(i)
	}
	for _, a := range alarms {
		if a.state == waiting {
			e.waitOn(a)
		}
	}
}

// inOrder returns the alarms by serial: the order of a map must not show.
func (e *Engine) inOrder() []*alarm {
	alarms := make([]*alarm, 0, len(e.bySerial))
	for _, a := range e.bySerial {
		alarms = append(alarms, a)
	}
	slices.SortFunc(alarms, func(a, b *alarm) int { return cmpSerial(a.serial, b.serial) })
	return alarms
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
		text := ""
		if len(a.refs) > 0 {
			text = a.refs[len(a.refs)-1].Text
		}
		if a.inc != nil && a.inc.trace != "" {
			a.cands = []cand{{a.inc.root, 0, true, "same-trace"}}
		} else {
			a.cands = e.candidates(a.obj, a.class, text)
		}
		for _, c := range a.cands {
			c.h.live = append(c.h.live, a)
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

// Next returns when the next timer is due; false if none is armed.
func (e *Engine) Next() (time.Time, bool) {
	if len(e.timers) == 0 {
		return time.Time{}, false
	}
	return timeOf(e.timers[0].at), true
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
	for _, i := range e.open {
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
	f := Figures{Alarms: len(e.bySerial), Open: len(e.open), Timers: len(e.timers)}
	for _, i := range e.open {
		if i.no != 0 {
			f.Raised++
		}
	}
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
	c := e.content(i)
	c.Status, c.MergedInto = op, mergedInto
	sum := c.sum()
	if op == Updated && sum == i.told {
		i.updated = before
		return
	}
	i.told = sum
	e.decisions++
	e.out = append(e.out, Decision{Serial: e.decisions, At: timeOf(e.now), Op: op, Incident: c})
}
