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
	claims  []*incident
}

// rival is another cause that could have been chosen.
type rival struct {
	h     *hypothesis
	score int32
}

const (
	mostRegion = 5000
	mostRivals = 3
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
	var queue []*alarm
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
	for at := 0; at < len(queue); at++ {
		a := queue[at]
		for j := range a.cands {
			for _, b := range a.cands[j].h.live {
				if b.region == e.solves || !within(a.t, b.t, e.p.near) {
					continue
				}
				if b.state == pooled || b.state == attached && e.young(b.inc) && b.movable() {
					visit(b)
				}
			}
		}
	}
	slices.SortFunc(queue, func(a, b *alarm) int { return cmpSerial(a.serial, b.serial) })
	slices.SortFunc(incs, func(a, b *incident) int { return cmpSerial(a.id, b.id) })
	return queue, incs
}

// movable reports whether a member takes part when its incident is solved again.
func (a *alarm) movable() bool { return a.cands != nil && !a.cascade }

// needs reports whether an alarm must be covered. A symptom that was explained by
// impact is evidence, but needs no cause of its own.
func (a *alarm) needs() bool { return !a.soft || a.state == pooled }

// choice is a hypothesis while the cover is made.
type choice struct {
	h       *hypothesis
	members []*alarm
	score   int32
	dirty   bool
}

// cover explains the region by few causes: again and again the best hypothesis takes
// what it explains, until nothing is left that needs a cause.
func (e *Engine) cover(region []*alarm) []pick {
	index := map[*hypothesis]int{}
	var all []choice
	for _, a := range region {
		for j := range a.cands {
			h := a.cands[j].h
			k, ok := index[h]
			if !ok {
				k = len(all)
				index[h] = k
				all = append(all, choice{h: h, dirty: true})
			}
			all[k].members = append(all[k].members, a)
		}
	}
	var picks []pick
	for left := countNeeds(region); left > 0; {
		best := -1
		for k := range all {
			c := &all[k]
			if c.dirty {
				c.dirty = false
				c.members = slices.DeleteFunc(c.members, func(a *alarm) bool { return a.covered })
				if !slices.ContainsFunc(c.members, (*alarm).needs) {
					c.members = nil
				} else {
					c.score = e.score(c.h, c.members)
				}
			}
			if len(c.members) > 0 && (best < 0 || better(c, &all[best])) {
				best = k
			}
		}
		if best < 0 {
			break
		}
		p := pick{h: all[best].h, score: all[best].score, members: all[best].members, rivals: e.rivals(all, best)}
		all[best].members = nil
		for _, a := range p.members {
			a.covered = true
			if a.needs() {
				left--
			}
			for j := range a.cands {
				all[index[a.cands[j].h]].dirty = true
			}
		}
		picks = append(picks, p)
	}
	return picks
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

// rivals returns the next best explanations of most of what the best one explains.
func (e *Engine) rivals(all []choice, best int) []rival {
	var out []*choice
	for k := range all {
		c := &all[k]
		if k == best || c.h.cause == Unknown || 2*len(c.members) < len(all[best].members) || !slices.ContainsFunc(c.members, func(a *alarm) bool { return weightFor(a, all[best].h) > 0 }) {
			continue
		}
		at := len(out)
		for at > 0 && better(c, out[at-1]) {
			at--
		}
		if at < mostRivals {
			out = slices.Insert(out, at, c)
			out = out[:min(len(out), mostRivals)]
		}
	}
	rs := make([]rival, len(out))
	for k, c := range out {
		rs[k] = rival{c.h, c.score}
	}
	return rs
}

// assign gives each cause the incident that it continues: the one that has this root,
// else of the young ones that lose most of their members to it the first raised.
func (e *Engine) assign(picks []pick, incs []*incident) {
	taken := map[*incident]bool{}
	for k := range picks {
		if i := e.incidents[picks[k].h.root]; i != nil && !slices.Contains(incs, i) {
			picks[k].inc = i
			taken[i] = true
		}
	}
	for _, i := range incs {
		best, most := -1, 0
		for k := range picks {
			n := 0
			for _, a := range picks[k].members {
				if a.inc == i && a.needs() {
					n++
				}
			}
			if n > most {
				best, most = k, n
			}
		}
		if best >= 0 {
			picks[best].claims = append(picks[best].claims, i)
		}
	}
	for k := range picks {
		p := &picks[k]
		for _, i := range p.claims {
			if !taken[i] && (p.inc == nil || (slices.Contains(incs, p.inc) && elder(i, p.inc))) {
				p.inc = i
			}
		}
		if p.inc == nil {
			p.inc = e.newIncident(p.h)
		}
		taken[p.inc] = true
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
	kept := map[*incident]bool{}
	touched := make([]*incident, 0, len(picks))
	for k := range picks {
		p := &picks[k]
		kept[p.inc] = true
		touched = append(touched, p.inc)
		for _, a := range p.members {
			if a.inc != p.inc {
				e.attach(p.inc, a, false, ruleFor(a, p.h))
			}
			a.soft, a.rule = false, ruleFor(a, p.h)
		}
		if p.inc.fresh || slices.Contains(incs, p.inc) {
			e.setRoot(p.inc, p)
		}
	}
	for k := range picks {
		for _, i := range picks[k].claims {
			if !kept[i] {
				kept[i] = true
				e.absorb(i, picks[k].inc)
			}
		}
	}
	for _, i := range incs {
		if !kept[i] && e.incidents[i.id] != nil {
			// Only symptoms are left; it keeps its root if nobody else has it.
			if i.root.root == 0 {
				i.root.root = i.id
			}
			if !i.hasEvidence() {
				e.dissolve(i)
			}
		}
	}
	for _, i := range touched {
		e.recompute(i)
	}
	for _, i := range touched {
		e.recheck(i)
		e.rearm(i)
		e.changed(i)
	}
}

func ruleFor(a *alarm, h *hypothesis) string {
	for j := range a.cands {
		if a.cands[j].h == h {
			return a.cands[j].rule
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
	a.version++
	e.after(i.resolveAt, solveTimer, a.serial, a.version)
}
