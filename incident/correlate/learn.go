package correlate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"incidentd/incident/topology"
)

// SharedRisk names objects that fail together though the topology does not say why: two
// fibres in one duct. Incidents of its members that begin together are one.
type SharedRisk struct {
	Name    string
	Members []MarkObject
}

// together is how far apart the members of a shared risk may fail, learnt how near they
// must have been to be learnt.
const (
	together = 10 * second
	learnt   = 4 * second
	// mostTogether bounds the incidents of one moment that are looked at: what fails
	// with many others fails by something larger.
	mostTogether = 8
	// long is how much earlier than another an incident must have been born to have no
	// event at the same time.
	long = minute
)

// companions are two roots that were raised together.
type companions struct {
	a, b  *history
	times []int64 // the last of them
	n     int32
	no    uint64 // in the order in which they began
	dirty bool   // changed since the last snapshot
}

type companionKey struct{ a, b uint64 } // numbers of histories, the smaller first

// usual reports whether the two fail together as a rule.
func (c *companions) usual(p *params) bool {
	return c.n >= p.riskTimes && 100*c.n >= p.riskShare*min(c.a.raised, c.b.raised)
}

// learn counts an incident that is raised, with those that were raised together with it.
func (e *Engine) learn(i *incident) {
	if !i.root.remembers() {
		return
	}
	own := e.historyOf(i.root)
	own.raised++
	if i.root.cause == Unknown {
		return
	}
	var with []*incident
	e.recent(func(j *incident) bool {
		if j.born < i.born-long {
			return false
		}
		if j != i && j.no != 0 && within(i.t0, j.t0, learnt) && j.root.remembers() && j.root.cause != Unknown {
			with = append(with, j)
		}
		return len(with) <= mostTogether
	})
	if len(with) > mostTogether {
		return
	}
	for _, j := range with {
		a, b := own, e.historyOf(j.root)
		if a.no > b.no {
			a, b = b, a
		}
		k := companionKey{a.no, b.no}
		c := e.companions[k]
		if c == nil {
			c = &companions{a: a, b: b, no: uint64(len(e.companions))}
			e.companions[k] = c
		}
		c.n++
		if c.times = append(c.times, i.t0); len(c.times) > mostRemembered {
			c.times = slices.Delete(c.times, 0, 1)
		}
		e.touchCompanions(c)
	}
}

// recent calls f with the youngest incidents, the last first, until it returns false.
func (e *Engine) recent(f func(*incident) bool) {
	const most = 64
	n := 0
	for k := len(e.births) - 1; k >= 0 && n < most; k-- {
		i := e.births[k]
		if i.settled || e.incidents[i.id] != i {
			continue
		}
		if n++; !f(i) {
			return
		}
	}
}

// companion returns the open incident that shares its cause with one that is about to be
// raised, by an approved risk or, where nobody needs to be asked, by what was learnt.
func (e *Engine) companion(i *incident) (found *incident) {
	duct := e.broken(i)
	if len(e.risks) == 0 && !e.applyLearned && duct == nil {
		return nil
	}
	e.recent(func(j *incident) bool {
		if j.born < i.born-long {
			return false
		}
		if j != i && within(i.t0, j.t0, together) && j.trace == "" && (duct != nil && e.oneDuct(i, j, duct) || e.risky(i.root, j.root) || e.applyLearned && e.known(i.root, j.root)) {
			found = j
		}
		return found == nil
	})
	return found
}

// broken returns the alarm that first tells of a broken section; nil if the root is none.
func (e *Engine) broken(i *incident) (first *alarm) {
	if i.root.cause != EdgeFailure || i.root.edge == topology.None || e.x.Kind(i.root.edge) != topology.SectionEdge {
		return nil
	}
	for _, a := range i.members {
		if a.root && a.class == LossOfSignal && (first == nil || a.t < first.t) {
			first = a
		}
	}
	return first
}

// reunite joins two incidents that are told already when it shows that their sections broke
// at one blow. The elder stays.
func (e *Engine) reunite(i *incident) {
	if i.no == 0 || e.incidents[i.id] != i || e.broken(i) == nil {
		return
	}
	j := e.companion(i)
	if j == nil || j.no == 0 {
		return
	}
	if elder(i, j) {
		i, j = j, i
	}
	e.pin(j)
	e.joinCauses(i, j)
	e.judge(j)
}

// At one blow: how far apart two sections may break that one cause has broken, for those
// that meet in a site and for others of a network.
const (
	oneBlow    = 1500 * second / 1000
	oneBlowFar = 700 * second / 1000
)

// oneDuct reports whether two sections have broken at one blow, as what lies in one duct
// does, though no link says that it does. Planned work on one of them has not broken the
// other.
func (e *Engine) oneDuct(i, j *incident, a *alarm) bool {
	b := e.broken(j)
	if b == nil || (e.markOf(i.root, i.t0) >= 0) != (e.markOf(j.root, j.t0) >= 0) {
		return false
	}
	p, q := e.x.Edge(i.root.edge), e.x.Edge(j.root.edge)
	if p.Network != q.Network {
		return false
	}
	for _, n := range [2]topology.NodeID{p.A, p.B} {
		if n == q.A || n == q.B { // which has one clock
			a, b = i.lossAt(n), j.lossAt(n)
			return a != nil && b != nil && within(a.t, b.t, oneBlow)
		}
	}
	for k, n := range [4]topology.NodeID{p.A, p.B, q.A, q.B} {
		if of := [2]*incident{i, j}[k/2]; of.lossAt(n) == nil {
			return false
		}
	}
	return within(a.t, b.t, oneBlowFar)
}

// lossAt returns the alarm by which a node says that the section of the root is broken; nil
// if it does not.
func (i *incident) lossAt(n topology.NodeID) *alarm {
	at := slices.IndexFunc(i.members, func(a *alarm) bool { return a.root && a.class == LossOfSignal && a.obj.nodeID == n })
	if at < 0 {
		return nil
	}
	return i.members[at]
}

// risky reports whether two causes are members of an approved risk.
func (e *Engine) risky(a, b *hypothesis) bool {
	for k := range e.risks {
		r := &e.risks[k]
		has := func(h *hypothesis) bool {
			return slices.ContainsFunc(r.Members, func(o MarkObject) bool { return o.of(h) })
		}
		if has(a) && has(b) {
			return true
		}
	}
	return false
}

// known reports whether two causes were learnt to fail together.
func (e *Engine) known(a, b *hypothesis) bool {
	x, y := e.pastOf(a), e.pastOf(b)
	if x == nil || y == nil {
		return false
	}
	c := e.companions[companionKey{min(x.no, y.no), max(x.no, y.no)}]
	return c != nil && c.usual(&e.p)
}

// Proposal is something learnt that waits for an operator's approval: then it belongs
// into the configuration.
type Proposal struct {
	// Risk or Calendar is what would be configured; the other is nil.
	Risk     *SharedRisk
	Calendar *CalendarRule
	// Times are when it was seen, the last first to last.
	Times []time.Time
	// Of is how often there was occasion to see it.
	Of int
	// Sentence tells the evidence.
	Sentence string
}

// Proposals returns what was learnt and is not configured, in a fixed order.
func (e *Engine) Proposals() (out []Proposal) {
	pairs := make([]*companions, 0, len(e.companions))
	for _, c := range e.companions {
		pairs = append(pairs, c)
	}
	slices.SortFunc(pairs, func(a, b *companions) int { return cmp.Compare(a.no, b.no) })
	for _, c := range pairs {
		a, b := e.hypothesis(c.a.key.cause, c.a.key.node, c.a.key.name), e.hypothesis(c.b.key.cause, c.b.key.node, c.b.key.name)
		if !c.usual(&e.p) || e.risky(a, b) {
			continue
		}
		of := int(min(c.a.raised, c.b.raised))
		p := Proposal{Risk: &SharedRisk{Name: a.name + " and " + b.name, Members: []MarkObject{a.place(), b.place()}}, Of: of}
		for _, t := range c.times {
			p.Times = append(p.Times, timeOf(t))
		}
		p.Sentence = fmt.Sprintf("%s%s and %s%s failed within %s of each other in %d of %d failures of the rarer.", causeTexts[a.cause].name, at(a.node, a.name),
			causeTexts[b.cause].name, at(b.node, b.name), time.Duration(learnt), c.n, of)
		out = append(out, p)
	}
	rhythms := make([]*history, 0, len(e.histories))
	for _, r := range e.histories {
		rhythms = append(rhythms, r)
	}
	slices.SortFunc(rhythms, func(a, b *history) int { return cmp.Compare(a.no, b.no) })
	for _, r := range rhythms {
		if p, ok := e.rhythm(r); ok {
			out = append(out, p)
		}
	}
	return out
}

// rhythm returns the calendar rule that a history suggests; false if it has none or a
// rule says it already.
func (e *Engine) rhythm(r *history) (p Proposal, ok bool) {
	if len(r.starts) < e.p.periodDays {
		return p, false
	}
	last := r.starts[len(r.starts)-1]
	lasts, days := r.at(last+day, e.p.periodSlack)
	if len(days) < max(e.p.periodDays, 2) {
		return p, false
	}
	h := e.hypothesis(r.key.cause, r.key.node, r.key.name)
	rule := &CalendarRule{Name: h.name, Object: h.place(), Start: time.Duration(last % day / minute * minute), Slack: time.Duration(e.p.periodSlack),
		Lasts: (time.Duration(lasts) + 30*time.Minute).Round(time.Minute)}
	for k := range e.calendar {
		if c := &e.calendar[k]; c.Object.of(h) && c.covers(last) {
			return p, false
		}
	}
	p = Proposal{Calendar: rule, Of: len(r.starts)}
	for _, s := range r.starts {
		p.Times = append(p.Times, timeOf(s))
	}
	p.Sentence = fmt.Sprintf("%s%s began about %s UTC on %d of the last %d times and lasted up to %s.", causeTexts[h.cause].name, at(h.node, h.name),
		timeOf(last).Format("15:04"), len(days), len(r.starts), time.Duration(lasts).Round(time.Minute))
	return p, true
}
