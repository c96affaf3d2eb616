package alarm

import (
	"incidentd/datastore"
	"incidentd/incident/event"
	"incidentd/yang/data"
)

// ShelfMark tells two states of what takes alarms onto a shelf as they come apart: the shelves of
// the configuration, and the holds with resources. The zero value is that of none.
type ShelfMark struct{ shelving, holds *data.Node }

// ShelfMark is that of a transaction.
func (a *Alarms) ShelfMark(tx *datastore.Tx) (m ShelfMark) {
	m.shelving = Shelving(tx.Running())
	if h := a.holdsOf(tx.State().Get(a.nodes.top)); len(h.names) > 0 {
		m.holds = h.from
	}
	return m
}

// Shelving is the container alarm-shelving of a configuration, nil for none with a shelf.
func Shelving(running *data.Node) *data.Node {
	n := running.Child("alarms").Child("control").Child("alarm-shelving")
	if !n.Has("shelf") {
		return nil
	}
	return n
}

// Takes reports whether a shelf takes the alarm of an event as it comes: one of the configuration,
// or a hold with resources. An alarm that Shelve has put into a hold is another matter: it was
// judged before.
func (e *Edit) Takes(ev *event.Event) bool {
	if ev.Kind != event.Alarm || len(e.rules.shelf) == 0 && len(e.held.names) == 0 {
		return false
	}
	k := e.a.KeyOf(ev)
	if _, ok := e.held.taking(k); ok {
		return true
	}
	_, ok := e.rules.shelfOf(k, e.nodes)
	return ok
}
