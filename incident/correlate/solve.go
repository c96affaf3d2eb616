package correlate

import (
	"cmp"
	"slices"
)

// pick is a cause that the cover has chosen, with what it explains.
type pick struct {
	h       *hypothesis
	score   int32
	members []*alarm
	rivals  []rival
	inc     *incident
	claims  []*incident // those that lose most of their members to it
}

// rival is another cause that could have been chosen.
type rival struct {
	h     *hypothesis
	score int32
}

const (
	mostRegion = 5000
	mostRivals = 3
	// exactRegion is the size up to which every cause is weighed again as soon as
	// another has taken some of what it explains; in larger regions it waits until it
	// would be chosen.
	exactRegion = 500
)

// solve finds the causes of a pooled alarm and of all that may hang together with it:
// pooled alarms, and the members of young incidents.
func (e *Engine) solve(seed *alarm) {
	if seed.state != pooled && (seed.state != attached || !e.young(seed.inc)) {
		return
	}
	region, incs := e.region(seed)
	picks := e.cover(region)
	e.assign(picks, incs)
	e.apply(picks, incs)
}

// region collects alarms that share possible causes, near each other in time.
func (e *Engine) region(seed *alarm) ([]*alarm, []*incident) {
	e.solves++
	var incs []*incident
	clear(e.queue)
	queue := e.queue[:0]
	add := func(a *alarm) {
		if a.region != e.solves && len(queue) < mostRegion {
			a.region, a.covered = e.solves, false
			queue = append(queue, a)
		}
	}
	visit := func(a *alarm) {
		add(a)
		if a.state != attached || a.inc.region == e.solves {
			return
		}
		a.inc.region = e.solves
		incs = append(incs, a.inc)
		for _, m := range a.inc.members {
			if m.movable() {
				add(m)
			}
		}
	}
	visit(seed)
	for at := 0; at < len(queue) && len(queue) < mostRegion; at++ {
		a := queue[at]
		for j := range a.cands {
			if h := a.cands[j].h; h.unseen(e.solves, a.t, e.p.near) {
				for _, b := range h.live {
					if b.region == e.solves || !within(a.t, b.t, e.p.near) {
						continue
					}
					if b.state == pooled || b.state == attached && e.young(b.inc) && b.movable() {
						visit(b)
					}
				}
			}
		}
	}
	e.queue = queue
	slices.SortFunc(queue, func(a, b *alarm) int { return cmpSerial(a.serial, b.serial) })
	slices.SortFunc(incs, func(a, b *incident) int { return cmpSerial(a.id, b.id) })
	return queue, incs
}

// unseen reports whether a solve has still to look for alarms about time t, and notes
// that it does. What was looked at is all that is near enough to from, to, or a time
// between.
func (h *hypothesis) unseen(solve uint64, t, near int64) bool {
	switch {
	case h.solve != solve:
		h.solve, h.index = solve, -1
	case t >= h.from && t <= h.to:
		return false
	case max(h.to, t)-min(h.from, t) <= 2*near:
		h.from, h.to = min(h.from, t), max(h.to, t)
		return true
	}
	h.from, h.to = t, t
	return true
}

// movable reports whether a member takes part when its incident is solved again.
func (a *alarm) movable() bool { return a.cands != nil && !a.cascade && !a.pinned }

// needs reports whether an alarm must be covered. A symptom that was explained by
// impact is evidence, but needs no cause of its own.
func (a *alarm) needs() bool { return !a.soft || a.state == pooled }

// choice is a hypothesis while the cover is made.
type choice struct {
	h       *hypothesis
	members []*alarm
	score   int32
	dirty   bool
	place   int32 // in the heap; -1 if it explains nothing that needs a cause
}

// cover explains the region by few causes: again and again the best hypothesis takes
// what it explains, until nothing is left that needs a cause.
func (e *Engine) cover(region []*alarm) []pick {
	c := e.choices(region)
	exact := len(region) <= exactRegion
	for k := range c.all {
		c.weigh(k)
	}
	for k := len(c.heap)/2 - 1; k >= 0; k-- {
		c.down(k)
	}
	var picks []pick
	for left := countNeeds(region); left > 0 && len(c.heap) > 0; {
		best := int(c.heap[0])
		if c.all[best].dirty {
			c.again(best)
			continue
		}
		p := pick{h: c.all[best].h, score: c.all[best].score, members: c.all[best].members}
		p.rivals = c.rivals(&p)
		c.all[best].members = nil
		c.leave(best)
		for _, a := range p.members {
			a.covered = true
			if a.needs() {
				left--
			}
			for j := range a.cands {
				c.all[a.cands[j].h.index].dirty = true
			}
		}
		if exact {
			for _, a := range p.members {
				for j := range a.cands {
					if k := int(a.cands[j].h.index); c.all[k].dirty {
						c.again(k)
					}
				}
			}
		}
		picks = append(picks, p)
	}
	return picks
}

// choices are the hypotheses of a cover, with a heap of those to choose from, the best
// first.
type choices struct {
	e       *Engine
	all     []choice
	heap    []int32
	members []*alarm // of all choices
	near    []*choice
}

// choices lists what may explain a region, each with the alarms that it would explain. It
// holds until the next call.
func (e *Engine) choices(region []*alarm) *choices {
	c := &e.cast
	c.e, c.all, c.heap = e, c.all[:0], c.heap[:0]
	n := 0
	for _, a := range region {
		for j := range a.cands {
			h := a.cands[j].h
			if h.solve != e.solves || h.index < 0 {
				h.solve, h.index = e.solves, int32(len(c.all))
				c.all = append(c.all, choice{h: h, place: -1})
			}
			c.all[h.index].score++ // how many, for now
			n++
		}
	}
	clear(c.members)
	c.members = slices.Grow(c.members[:0], n)[:n]
	members := c.members
	for k := range c.all {
		m := int(c.all[k].score)
		c.all[k].members, members = members[:0:m], members[m:]
	}
	for _, a := range region {
		for j := range a.cands {
			k := &c.all[a.cands[j].h.index]
			k.members = append(k.members, a)
		}
	}
	return c
}

// weigh scores a choice for the first time.
func (c *choices) weigh(k int) {
	x := &c.all[k]
	x.score = 0
	if slices.ContainsFunc(x.members, (*alarm).needs) {
		x.score = c.e.score(x.h, x.members)
		x.place = int32(len(c.heap))
		c.heap = append(c.heap, int32(k))
	}
}

// again scores a choice of which others have taken some.
func (c *choices) again(k int) {
	x := &c.all[k]
	x.dirty = false
	if x.place < 0 {
		return
	}
	x.members = slices.DeleteFunc(x.members, func(a *alarm) bool { return a.covered })
	if !slices.ContainsFunc(x.members, (*alarm).needs) {
		c.leave(k)
		return
	}
	x.score = c.e.score(x.h, x.members)
	c.down(int(x.place))
	c.up(int(x.place))
}

// leave takes a choice out of the heap.
func (c *choices) leave(k int) {
	at, last := int(c.all[k].place), len(c.heap)-1
	c.swap(at, last)
	c.heap = c.heap[:last]
	c.all[k].place = -1
	if at < last {
		c.down(at)
		c.up(at)
	}
}

func (c *choices) swap(a, b int) {
	c.heap[a], c.heap[b] = c.heap[b], c.heap[a]
	c.all[c.heap[a]].place, c.all[c.heap[b]].place = int32(a), int32(b)
}

func (c *choices) better(a, b int) bool { return better(&c.all[c.heap[a]], &c.all[c.heap[b]]) }

func (c *choices) up(k int) {
	for k > 0 && c.better(k, (k-1)/2) {
		c.swap(k, (k-1)/2)
		k = (k - 1) / 2
	}
}

func (c *choices) down(k int) {
	for {
		child := 2*k + 1
		if child >= len(c.heap) {
			return
		}
		if child+1 < len(c.heap) && c.better(child+1, child) {
			child++
		}
		if !c.better(child, k) {
			return
		}
		c.swap(k, child)
		k = child
	}
}

func countNeeds(region []*alarm) (n int) {
	for _, a := range region {
		if a.needs() {
			n++
		}
	}
	return n
}

// better orders choices: by score, then by how much they explain, then by name.
func better(a, b *choice) bool {
	if a.score != b.score {
		return a.score > b.score
	}
	if len(a.members) != len(b.members) {
		return len(a.members) > len(b.members)
	}
	return cmp.Or(cmp.Compare(a.h.cause, b.h.cause), cmp.Compare(a.h.node, b.h.node), cmp.Compare(a.h.name, b.h.name)) < 0
}

// rivals returns the next best explanations of most of what a cause explains.
func (c *choices) rivals(p *pick) []rival {
	out := c.near[:0]
	for _, a := range p.members {
		for j := range a.cands {
			x := &c.all[a.cands[j].h.index]
			if x.h == p.h || x.place < 0 || x.h.cause == Unknown || 2*len(x.members) < len(p.members) || slices.Contains(out, x) {
				continue
			}
			at := len(out)
			for at > 0 && better(x, out[at-1]) {
				at--
			}
			if at < mostRivals {
				out = slices.Insert(out, at, x)
				out = out[:min(len(out), mostRivals)]
			}
		}
	}
	c.near = out
	if len(out) == 0 {
		return nil
	}
	rs := make([]rival, len(out))
	for k, x := range out {
		rs[k] = rival{x.h, x.score}
	}
	return rs
}

// assign gives each cause the incident that it continues: the one that has this root,
// else of the young ones that lose most of their members to it the first raised.
func (e *Engine) assign(picks []pick, incs []*incident) {
	for k := range picks {
		if i := e.incidents[picks[k].h.root]; i != nil && i.region != e.solves {
			picks[k].inc = i
			i.taken = e.solves
		}
	}
	for _, i := range incs {
		i.claim, i.most = -1, 0
	}
	for k := range picks {
		for _, a := range picks[k].members {
			if a.inc != nil && a.inc.region == e.solves && a.needs() {
				a.inc.here++
			}
		}
		for _, a := range picks[k].members {
			if i := a.inc; i != nil && i.region == e.solves {
				if i.here > i.most {
					i.claim, i.most = k, i.here
				}
				i.here = 0
			}
		}
	}
	for _, i := range incs {
		if i.claim >= 0 {
			picks[i.claim].claims = append(picks[i.claim].claims, i)
		}
	}
	for k := range picks {
		p := &picks[k]
		for _, i := range p.claims {
			if i.taken != e.solves && (p.inc == nil || p.inc.region == e.solves && elder(i, p.inc)) {
				p.inc = i
			}
		}
		if p.inc == nil {
			p.inc = e.newIncident(p.h)
		}
		p.inc.taken = e.solves
	}
}

// elder reports whether an incident survives a merge with another.
func elder(a, b *incident) bool {
	if (a.no != 0) != (b.no != 0) {
		return a.no != 0
	}
	if a.no != 0 {
		return a.no < b.no
	}
	return a.id < b.id
}

// apply moves the alarms, sets the roots, and judges anew the symptoms whose incident
// has changed.
func (e *Engine) apply(picks []pick, incs []*incident) {
	for _, i := range incs {
		i.resolveAt = 0
		if i.root.root == i.id {
			i.root.root = 0
		}
	}
	for k := range picks {
		p := &picks[k]
		p.inc.kept = e.solves
		for _, a := range p.members {
			rule := ruleFor(a, p.h)
			if a.inc != p.inc {
				e.attach(p.inc, a, false, rule)
				continue
			}
			e.uncount(a)
			if a.soft { // it was a symptom, and is evidence now
				p.inc.t0, p.inc.hot = min(p.inc.t0, a.t), max(p.inc.hot, a.t)
			}
			a.soft, a.rule = false, rule
			e.count(a)
			e.touchAlarm(a)
		}
		if p.inc.fresh || p.inc.region == e.solves {
			e.setRoot(p.inc, p)
			p.inc.recount()
		}
	}
	for k := range picks {
		for _, i := range picks[k].claims {
			if i.kept != e.solves {
				i.kept = e.solves
				e.absorb(i, picks[k].inc)
			}
		}
	}
	for _, i := range incs {
		if i.kept != e.solves && e.incidents[i.id] != nil {
			// Only symptoms are left; it keeps its root if nobody else has it.
			if i.root.root == 0 {
				i.root.root = i.id
			}
			if !i.hasEvidence() {
				e.dissolve(i)
			}
		}
	}
	for k := range picks {
		if i := picks[k].inc; e.incidents[i.id] == i { // what another explains may have gone
			e.recompute(i)
		}
	}
	for k := range picks {
		i := picks[k].inc
		if e.incidents[i.id] != i {
			continue
		}
		e.recheck(i)
		e.rearm(i)
		e.changed(i)
	}
	for k := range picks {
		e.meet(picks[k].inc)
		e.reunite(picks[k].inc)
		e.lead(picks[k].inc, picks[k].members...)
	}
}

func ruleFor(a *alarm, h *hypothesis) string {
	for j := range a.cands {
		if a.cands[j].h == h {
			return a.cands[j].rule.ID
		}
	}
	return "merged"
}

// resolveSoon has an incident solved again when more evidence had time to come.
func (e *Engine) resolveSoon(i *incident, a *alarm) {
	if i.resolveAt > e.now {
		return
	}
	i.resolveAt = e.now + e.p.debounce
	e.touch(i)
	e.arm(a, i.resolveAt, solveTimer)
}
