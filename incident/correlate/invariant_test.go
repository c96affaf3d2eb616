package correlate

import (
	"fmt"
	"slices"
)

// check verifies what must hold between two calls: an alarm is in one incident at most
// and its state says so; a hypothesis lists exactly the alarms that list it; a root
// belongs to an open incident; numbers are given once and rise.
func (e *Engine) check() error {
	for _, a := range e.inOrder() {
		s := a.serial
		switch {
		case a.obj.alarm(a.typ) != a:
			return fmt.Errorf("alarm %d is not found by its key", s)
		case (a.state == attached) != (a.inc != nil):
			return fmt.Errorf("alarm %d in state %d has incident %v", s, a.state, a.inc)
		case a.inc != nil && (e.incidents[a.inc.id] != a.inc || !slices.Contains(a.inc.members, a)):
			return fmt.Errorf("alarm %d is in an incident that does not have it", s)
		case (a.listed != 0) != (len(a.cands) > 0):
			return fmt.Errorf("alarm %d listed %d with %d candidates", s, a.listed, len(a.cands))
		case a.state == pooled && a.listed == 0:
			return fmt.Errorf("alarm %d is pooled and not listed", s)
		}
		for _, c := range a.cands {
			if e.find(c.h.cause, c.h.node, c.h.name) != c.h || a.live != slices.Contains(c.h.live, a) {
				return fmt.Errorf("alarm %d is not live at %v", s, c.h.cause)
			}
		}
	}
	for _, h := range e.hyps.all() {
		k := h.key()
		if h.root != 0 && (e.incidents[h.root] == nil || e.incidents[h.root].root != h && !slices.Contains(e.incidents[h.root].also, h)) {
			return fmt.Errorf("%v is the root of incident %d, which does not know", k, h.root)
		}
		for _, a := range h.live {
			if a.obj.alarm(a.typ) != a {
				return fmt.Errorf("%v lists an alarm that is gone", k)
			}
		}
	}
	seen := map[uint64]bool{}
	for _, i := range e.incidents {
		if i.no != 0 && (seen[i.no] || i.no >= e.nextNo) {
			return fmt.Errorf("number %d is given twice, or too high", i.no)
		}
		seen[i.no] = true
		if len(i.members) == 0 && i.no == 0 {
			return fmt.Errorf("incident %d is empty", i.id)
		}
		was := i.tally
		if i.recount(); i.tally != was {
			return fmt.Errorf("incident %d counts %+v, and has %+v", i.id, was, i.tally)
		}
		for _, a := range i.members {
			if i.settled == a.live && a.listed != 0 {
				return fmt.Errorf("incident %d is settled %v, its member is live %v", i.id, i.settled, a.live)
			}
			if a.inc != i {
				return fmt.Errorf("incident %d has a member that is elsewhere", i.id)
			}
			if !a.soft && !a.cascade && a.t < i.t0 {
				return fmt.Errorf("incident %d begins after its member", i.id)
			}
		}
		for _, r := range i.reach.edges {
			if !slices.Contains(e.edgeInc[r.edge], reaching{i, r.down}) {
				return fmt.Errorf("incident %d is not registered at an edge it reaches", i.id)
			}
		}
	}
	for ed, is := range e.edgeInc {
		for _, r := range is {
			i := r.i
			if e.incidents[i.id] != i || !slices.ContainsFunc(i.reach.edges, func(r reachedEdge) bool { return int(r.edge) == ed }) {
				return fmt.Errorf("edge %d has an incident that does not reach it", ed)
			}
		}
	}
	for _, as := range e.waitEdge {
		for _, a := range as {
			if a.state != waiting {
				return fmt.Errorf("alarm %d waits in state %d", a.serial, a.state)
			}
		}
	}
	return nil
}
