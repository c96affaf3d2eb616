package alarm

import (
	"incidentd/yang/data"
)

// Hold is a shelf that a part of the server puts up for a time, such as a maintenance
// window: nobody configured it. Holds come before the shelves of the configuration.
type Hold struct {
	// Name is the shelf-name of its alarms. It is unique.
	Name string
	// Reason is for people: why the alarms are put aside.
	Reason string
	// Operator is on whose behalf; "" is that of the transaction.
	Operator string
	// Resources are those whose alarms it takes as they come, with all that is below them,
	// as in RFC 8632's names: NODE or NODE/RESOURCE. Without any it has the alarms alone
	// that Shelve puts there.
	Resources []string
}

// holds are the holds that stand, as the state has them. They never change.
type holds struct {
	from  *data.Node // the container that they were made of
	of    map[string]*Hold
	names []string // of those in table
	table *table
}

// holdsOf are the holds of the state.
func (a *Alarms) holdsOf(alarms *data.Node) *holds {
	from := alarms.Get(a.nodes.holds)
	if h := a.held.Load(); h != nil && h.from == from {
		return h
	}
	h := &holds{from: from, of: map[string]*Hold{}, table: newTable(a.schema)}
	for n := range from.Entries("hold") {
		hold := &Hold{Name: n.Leaf("name"), Reason: n.Leaf("reason"), Operator: n.Leaf("operator"), Resources: n.Values("resource")}
		h.of[hold.Name] = hold
		if len(hold.Resources) == 0 {
			continue
		}
		var list []resourceMatch
		for _, r := range hold.Resources {
			list = append(list, resourceMatch{literal: r, self: true, below: true})
		}
		h.table.add(list, nil)
		h.names = append(h.names, hold.Name)
	}
	a.held.Store(h)
	return h
}

// stands reports whether there is a hold of a name.
func (h *holds) stands(name string) bool { return h.of[name] != nil }

// taking is the hold that takes an alarm by its resource.
func (h *holds) taking(k Key) (name string, ok bool) {
	if i := h.table.find(k, nil); i >= 0 {
		return h.names[i], true
	}
	return "", false
}

// Hold puts up a hold, or changes that of the name. Alarms of its resources are put aside
// at once or, where there are very many, soon; it stands until Release, over restarts too.
func (e *Edit) Hold(h Hold) {
	if h.Operator == "" {
		h.Operator = e.operator()
	}
	c := e.holdsNode()
	list := c.Schema().ChildNamed("hold")
	since := data.FormatTime(e.tx.Now())
	if old := c.Entry(list, h.Name); old != nil {
		since = old.Leaf("since")
	}
	b := data.BuildEntry(list, h.Name).Text("reason", printable(h.Reason)).Leaf("operator", printable(h.Operator)).Leaf("since", since)
	for _, r := range h.Resources {
		b.Leaf("resource", r)
	}
	e.newHolds = c.With(b.Node())
	e.reheld()
	if len(h.Resources) > 0 {
		e.resettle()
	}
}

// Shelve puts alarms into a hold that stands, and returns how many of them there are. An
// alarm-notification of the same Edit that tells of one is not sent. It stays there,
// whatever becomes of it, until the hold is released.
func (e *Edit) Shelve(hold string, keys ...Key) (n int) {
	if !e.held.stands(hold) {
		return 0
	}
	for _, k := range keys {
		t := e.alarm(k)
		switch {
		case t.is == nil:
			continue
		case !t.onShelf:
			e.shelve(t, hold)
		case value(t.is, e.at(t).shelfName) != hold:
			e.putOn(t, hold)
		}
		n++
	}
	return n
}

// Release ends a hold: its alarms go where the configuration has them, at once or, where
// there are very many, soon. Config.Returned is told those that are back in the list. It
// reports whether there was such a hold.
func (e *Edit) Release(hold string) bool {
	if !e.held.stands(hold) {
		return false
	}
	c := e.holdsNode()
	e.newHolds = c.Without(c.Schema().ChildNamed("hold"), hold)
	e.reheld()
	e.resettle()
	return true
}

// Holds are those that stand.
func (e *Edit) Holds() map[string]*Hold { return e.held.of }

func (e *Edit) holdsNode() *data.Node {
	if e.newHolds != nil {
		return e.newHolds
	}
	if c := e.base.Get(e.a.nodes.holds); c != nil {
		return c
	}
	return data.New(e.a.nodes.holds)
}

// reheld goes on with the holds as they are now.
func (e *Edit) reheld() {
	base := e.base
	if base == nil {
		base = data.New(e.a.nodes.top)
	}
	e.held = e.a.holdsOf(base.With(e.newHolds))
}
