package correlate

import (
	"fmt"
	"slices"
	"time"
)

// Action is what an operator may do to incidents.
type Action string

// The actions.
const (
	// Merge makes the incidents Others part of Incident.
	Merge Action = "merge"
	// Split makes an incident of its own of those Events of Incident.
	Split Action = "split"
	// Move makes Events, wherever they are, part of Incident.
	Move Action = "move"
	// Close ends Incident, of which nothing lasts: no clear will come for it.
	Close Action = "close"
)

// Command is what an operator does to incidents: an input like an event, which a replay
// has to repeat at its place among them. What an operator has decided no later evidence
// undoes: the root of the incidents moves no more, and the events stay where they were
// put while they last.
type Command struct {
	// At is the stream time; zero is now.
	At       time.Time `json:"at"`
	Action   Action    `json:"action"`
	Incident uint64    `json:"incident"`
	Others   []uint64  `json:"others,omitempty"`
	Events   []string  `json:"events,omitempty"`
}

// byOperator is the rule of what an operator has put into an incident.
const byOperator = "operator"

// Command carries out what an operator wants, after the timers due before it. An error
// wraps [ErrUnknown] or [ErrCommand]; then nothing but the time has changed.
func (e *Engine) Command(c Command) ([]Decision, error) {
	if !c.At.IsZero() {
		at := nanos(c.At)
		e.run(at)
		e.now = max(e.now, at)
	}
	i, err := e.numbered(c.Incident)
	if err == nil {
		switch c.Action {
		case Merge:
			err = e.merge(i, c.Others)
		case Split:
			err = e.split(i, c.Events)
		case Move:
			err = e.move(i, c.Events)
		case Close:
			err = e.resolve(i)
		default:
			err = fmt.Errorf("%w: there is no action %q", ErrCommand, c.Action)
		}
	}
	return e.flush(), err
}

// resolve ends an incident on an operator's word, if none of its alarms could clear.
func (e *Engine) resolve(i *incident) error {
	if i.tally.lasting > i.tally.lastingClear {
		return fmt.Errorf("%w: alarms of inc-%d last", ErrCommand, i.no)
	}
	e.close(i)
	return nil
}

// numbered returns the raised incident of a number.
func (e *Engine) numbered(no uint64) (*incident, error) {
	for _, i := range e.incidents {
		if i.no == no && no != 0 {
			return i, nil
		}
	}
	return nil, fmt.Errorf("%w: no open incident has the number %d", ErrUnknown, no)
}

func (e *Engine) merge(into *incident, nos []uint64) error {
	var others []*incident
	for _, no := range nos {
		i, err := e.numbered(no)
		switch {
		case err != nil:
			return err
		case i == into || slices.Contains(others, i):
			return fmt.Errorf("%w: inc-%d is named twice", ErrCommand, no)
		}
		others = append(others, i)
	}
	if len(others) == 0 {
		return fmt.Errorf("%w: a merge needs another incident", ErrCommand)
	}
	e.pin(into)
	for _, i := range others {
		for _, a := range i.members {
			a.pinned, a.rule = true, byOperator
		}
		e.joinCauses(i, into)
	}
	e.judge(into)
	e.emitUpdate(into)
	return nil
}

// joinCauses makes an incident part of another whose cause it shares: its own cause
// stays one.
func (e *Engine) joinCauses(i, into *incident) {
	causes := append([]*hypothesis{i.root}, i.also...)
	e.absorb(i, into) // which sets them free
	for _, h := range causes {
		if h.root == 0 && h != into.root {
			h.root = into.id
			into.also = append(into.also, h)
		}
	}
}

func (e *Engine) move(to *incident, events []string) error {
	alarms, err := e.alarmsOf(events, nil)
	if err != nil {
		return err
	}
	var from []*incident
	e.pin(to)
	for _, a := range alarms {
		if a.inc == to {
			a.pinned = true
			e.touchAlarm(a)
			continue
		}
		if a.inc != nil && !slices.Contains(from, a.inc) {
			from = append(from, a.inc)
		}
		e.put(to, a)
	}
	for _, i := range from {
		e.left(i)
	}
	e.judge(to)
	e.emitUpdate(to)
	return nil
}

func (e *Engine) split(from *incident, events []string) error {
	alarms, err := e.alarmsOf(events, from)
	if err != nil {
		return err
	}
	if len(alarms) == len(from.members) {
		return fmt.Errorf("%w: nothing would be left of inc-%d", ErrCommand, from.no)
	}
	i := e.newIncident(e.own(alarms))
	e.pin(i)
	e.pin(from)
	for _, a := range alarms {
		e.put(i, a)
	}
	i.fresh = false
	e.left(from)
	e.judge(i)
	e.raiseIncident(i)
	return nil
}

// own returns the cause that explains alarms best and is the root of no other incident.
func (e *Engine) own(alarms []*alarm) *hypothesis {
	e.solves++
	for _, a := range alarms {
		e.list(a)
		a.covered = false
	}
	c := e.choices(alarms)
	best := -1
	for k := range c.all {
		x := &c.all[k]
		if x.h.root != 0 || x.h.cause == Transaction {
			continue
		}
		x.score = e.score(x.h, x.members)
		if best < 0 || better(x, &c.all[best]) {
			best = k
		}
	}
	if best >= 0 {
		return c.all[best].h
	}
	return e.hypothesis(Unknown, alarms[0].obj.node, alarms[0].obj.name)
}

// put makes an alarm a member for good.
func (e *Engine) put(i *incident, a *alarm) {
	e.list(a)
	e.attach(i, a, false, byOperator)
	a.pinned = true
	e.touchAlarm(a)
}

// pin ends the time in which the root of an incident may move.
func (e *Engine) pin(i *incident) {
	if !i.settled {
		e.settle(i)
	}
}

// left looks after an incident that an operator has taken events from.
func (e *Engine) left(i *incident) {
	if len(i.members) == 0 {
		if i.no != 0 {
			e.close(i)
		} else {
			e.remove(i)
		}
		return
	}
	i.also = slices.DeleteFunc(i.also, func(h *hypothesis) bool {
		if slices.ContainsFunc(i.members, func(a *alarm) bool { return a.speaksFor(h, e) != nil }) {
			return false
		}
		h.root = 0
		return true
	})
	e.judge(i)
	e.emitUpdate(i)
}

// judge finds anew what follows from the members of an incident.
func (e *Engine) judge(i *incident) {
	i.recount()
	e.recompute(i)
	e.rearm(i)
	e.changed(i)
	e.checkClear(i)
}

// alarmsOf returns the alarms whose events are named, all of an incident if one is given.
func (e *Engine) alarmsOf(events []string, in *incident) (out []*alarm, err error) {
	if len(events) == 0 {
		return nil, fmt.Errorf("%w: no events are named", ErrCommand)
	}
	wanted := make(map[string]bool, len(events))
	for _, id := range events {
		wanted[id] = true
	}
	from := e.inOrder()
	if in != nil {
		from = in.members
	}
	for _, a := range from {
		found := false
		for k := range a.seen {
			if wanted[a.seen[k].id] {
				delete(wanted, a.seen[k].id)
				found = true
			}
		}
		if found {
			out = append(out, a)
		}
	}
	for _, id := range events {
		if wanted[id] {
			return nil, &EventError{id, in != nil}
		}
	}
	return out, nil
}

// Lasts reports whether an alarm of the open incident of a number lasts, so that its
// clear is to be expected.
func (e *Engine) Lasts(no uint64) bool {
	i, err := e.numbered(no)
	return err == nil && i.tally.lasting > i.tally.lastingClear
}

// Holders returns the numbers of the raised incidents that events are in, sorted. Events
// that are in none, or unknown, are passed over.
func (e *Engine) Holders(events []string) (nos []uint64) {
	wanted := make(map[string]bool, len(events))
	for _, id := range events {
		wanted[id] = true
	}
	for _, n := range e.nodes {
		for _, a := range n.alarms {
			if a.inc != nil && a.inc.no != 0 && slices.ContainsFunc(a.seen, func(s sighting) bool { return wanted[s.id] }) {
				nos = append(nos, a.inc.no)
			}
		}
	}
	slices.Sort(nos)
	return slices.Compact(nos)
}
