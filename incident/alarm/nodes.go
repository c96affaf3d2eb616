package alarm

import (
	"incidentd/yang"
	"incidentd/yang/data"
)

// nodes are the schema nodes that this package reads and writes. Those of features
// that are off, and of modules that are not implemented, are nil.
type nodes struct {
	top       *yang.Node // /al:alarms
	list      *yang.Node // the container alarm-list
	shelf     *yang.Node // the container shelved-alarms
	inventory *yang.Node
	summary   *yang.Node
	holds     *yang.Node
	listed    entryNodes // of list
	shelved   entryNodes // of shelf

	alarmNotification *yang.Node
	inventoryChanged  *yang.Node
	operatorAction    *yang.Node
}

// entryNodes are those of an alarm, in the list or on a shelf.
type entryNodes struct {
	entry                                          *yang.Node
	isCleared, lastRaised, lastChanged             *yang.Node
	severity, text, created, shelfName             *yang.Node
	status, statusTime, statusSeverity, statusText *yang.Node
	operator                                       *yang.Node
}

func newNodes(s *yang.Schema) *nodes {
	top := s.Root.Child(s.Module("ietf-alarms"), "alarms")
	n := &nodes{top: top, list: top.ChildNamed("alarm-list"), shelf: top.ChildNamed("shelved-alarms"),
		inventory: top.ChildNamed("alarm-inventory"), summary: top.ChildNamed("summary"), holds: top.ChildNamed("holds"),
		alarmNotification: s.Notification("ietf-alarms", "alarm-notification"),
		inventoryChanged:  s.Notification("ietf-alarms", "alarm-inventory-changed"),
	}
	n.listed = newEntryNodes(n.list.ChildNamed("alarm"))
	n.shelved = newEntryNodes(n.shelf.ChildNamed("shelved-alarm"))
	n.operatorAction = n.listed.entry.NotificationIn(top.Module, "operator-action")
	return n
}

func newEntryNodes(e *yang.Node) entryNodes {
	status := e.ChildNamed("status-change")
	return entryNodes{entry: e,
		isCleared: e.ChildNamed("is-cleared"), lastRaised: e.ChildNamed("last-raised"), lastChanged: e.ChildNamed("last-changed"),
		severity: e.ChildNamed("perceived-severity"), text: e.ChildNamed("alarm-text"),
		created: e.ChildNamed("time-created"), shelfName: e.ChildNamed("shelf-name"),
		status: status, statusTime: status.ChildNamed("time"), statusSeverity: status.ChildNamed("perceived-severity"), statusText: status.ChildNamed("alarm-text"),
		operator: e.ChildNamed("operator-state-change")}
}

// of are the nodes of a place.
func (n *nodes) of(shelved bool) *entryNodes {
	if shelved {
		return &n.shelved
	}
	return &n.listed
}

// first is the latest entry of a list that stands newest first, nil without any.
func first(n *data.Node, list *yang.Node) *data.Node {
	for e := range n.EntriesOf(list) {
		return e
	}
	return nil
}

// value is that of a child leaf, "" without one.
func value(n *data.Node, leaf *yang.Node) string {
	if c := n.Get(leaf); c != nil {
		return c.Value()
	}
	return ""
}
