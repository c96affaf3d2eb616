package alarm

import (
	"slices"
	"time"

	"incidentd/incident/event"
	"incidentd/yang/data"
)

// Alarm is the state of an alarm.
type Alarm struct {
	Key
	// Severity is the last one that it had while it was active.
	Severity event.Severity
	Cleared  bool
	Text     string
	Raised   time.Time // when it began last
	Changed  time.Time // when its status last changed
}

// shelfFor is the shelf that an alarm belongs on. One that was put into a hold stays there
// as long as the hold stands.
func (e *Edit) shelfFor(t *touched) (name string, ok bool) {
	if t.is != nil && t.onShelf {
		if name = value(t.is, e.a.nodes.shelved.shelfName); e.held.stands(name) {
			return name, true
		}
	}
	if name, ok = e.held.taking(t.key); ok {
		return name, true
	}
	return e.rules.shelfOf(t.key, e.nodes)
}

// settle puts an alarm where it belongs, and reports whether it changed.
func (e *Edit) settle(t *touched) bool {
	if t.is == nil {
		return false
	}
	shelf, on := e.shelfFor(t)
	switch {
	case on && !t.onShelf:
		e.shelve(t, shelf)
	case on && value(t.is, e.at(t).shelfName) != shelf:
		e.putOn(t, shelf)
	case !on && t.onShelf:
		e.unshelve(t)
	default:
		return e.trim(t, e.rules.history)
	}
	e.trim(t, e.rules.history)
	return true
}

// shelve moves an alarm of the list to a shelf.
func (e *Edit) shelve(t *touched, shelf string) {
	created := value(t.is, e.at(t).created)
	t.is, t.onShelf = data.Rebind(t.is, e.a.nodes.shelved.entry), true
	t.is = t.is.With(data.NewLeaf(e.at(t).created, created))
	e.putOn(t, shelf)
}

// putOn tells an alarm that is on a shelf which one it is, and in its operator state.
func (e *Edit) putOn(t *touched, shelf string) {
	t.is = t.is.With(e.leaf(e.at(t).shelfName, shelf))
	operator, why := e.operator(), ""
	if h := e.held.of[shelf]; h != nil {
		operator, why = h.Operator, h.Reason
	}
	text := "on the shelf " + shelf
	if why != "" {
		text += ": " + why
	}
	e.operate(t, Shelved, operator, text)
}

// unshelve moves an alarm from its shelf to the list. Its return is told as what somebody
// did to it, and then its state, as if it had been raised now: what it did on the shelf
// nobody was told.
func (e *Edit) unshelve(t *touched) {
	n := &e.a.nodes.shelved
	shelf, created := value(t.is, n.shelfName), value(t.is, n.created)
	t.is, t.onShelf = data.Rebind(t.is, e.a.nodes.listed.entry), false
	if created == "" {
		created = value(t.is, e.at(t).lastRaised)
	}
	t.is = t.is.With(data.NewLeaf(e.at(t).created, created))
	e.operate(t, UnShelved, e.operator(), "off the shelf "+shelf)
	e.notify(t, e.operatorAction(t))
	if now := e.severity(t); now == event.Cleared || e.rules.notifies(event.Cleared, now) {
		e.notify(t, e.alarmNotification(t))
	}
	if e.back == nil {
		e.back = map[string][]Alarm{}
	}
	e.back[shelf] = append(e.back[shelf], e.tellAlarm(t))
}

// tellAlarm is an alarm as Go has it.
func (e *Edit) tellAlarm(t *touched) Alarm {
	n := e.at(t)
	out := Alarm{Key: t.key, Cleared: e.isCleared(t), Text: value(t.is, n.text),
		Raised: parseTime(value(t.is, n.lastRaised)), Changed: e.lastChange(t)}
	out.Severity, _ = event.ParseSeverity(value(t.is, n.severity))
	return out
}

// What a step of settling may cost: alarms that are looked at, and that are moved.
const (
	mostLooked  = 5000
	mostSettled = 1000
)

// place is how far settling has got: the list of alarms comes first, then the shelves.
type place struct {
	onShelf bool
	key     string
}

// row is the place as it is stored.
func (p place) row() []byte {
	if p.onShelf {
		return []byte("s" + p.key)
	}
	return []byte("l" + p.key)
}

func parsePlace(row []byte) place {
	return place{onShelf: row[0] == 's', key: string(row[1:])}
}

// tableAlarms has a row that says how far settling has got, while it has not come to its end, and
// those of clears that came early.
const tableAlarms = "alarms"

var settling = []byte("settling")

// resettle begins to put all alarms where they belong, because the shelves are others now.
// What one step cannot do is done by transactions of their own.
func (e *Edit) resettle() {
	for _, t := range slices.Clone(e.order) {
		e.settle(t)
	}
	e.settleFrom(place{})
}

// settleFrom does one step of settling.
func (e *Edit) settleFrom(p place) {
	looked, moved := 0, 0
	for {
		c, n := e.base.Get(e.a.nodes.list), &e.a.nodes.listed
		if p.onShelf {
			c, n = e.base.Get(e.a.nodes.shelf), &e.a.nodes.shelved
		}
		for entry := range c.EntriesFrom(n.entry, p.key) {
			if looked == mostLooked || moved == mostSettled {
				p.key = entry.Key()
				e.tx.Put(tableAlarms, settling, p.row())
				e.tx.OnCommit(e.a.poke)
				return
			}
			looked++
			k := keyOf(entry)
			t := e.touched[k]
			fresh := t == nil
			if fresh {
				t = &touched{key: k, was: entry, is: entry, wasOnShelf: p.onShelf, onShelf: p.onShelf}
			}
			if e.settle(t) {
				moved++
				if fresh {
					e.touched[k], e.order = t, append(e.order, t)
				}
			}
		}
		if p.onShelf {
			e.tx.Delete(tableAlarms, settling)
			return
		}
		p = place{onShelf: true}
	}
}
