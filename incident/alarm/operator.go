package alarm

import (
	"strings"

	"incidentd/yang/data"
)

// State is an operator state [RFC 8632 section 4.1.2, typedef operator-state].
type State string

// The operator states. Operators set the first three; the others are those of shelving.
const (
	None      State = "none"
	Ack       State = "ack"
	Closed    State = "closed"
	Shelved   State = "shelved"
	UnShelved State = "un-shelved"
)

// mostOperatorChanges is how many changes of its operator state an alarm keeps. RFC 8632
// bounds only those of its status, but nobody is to fill the disk by setting a state again
// and again.
const mostOperatorChanges = 256

// SetOperatorState sets the operator state of an alarm of the list and tells of it by an
// operator-action [RFC 8632 section 4.5]. It reports whether the alarm is in the list:
// one on a shelf has the state of its shelf.
func (e *Edit) SetOperatorState(k Key, s State, operator, text string) bool {
	t := e.alarm(k)
	if t.is == nil || t.onShelf {
		return false
	}
	e.operate(t, s, operator, text)
	e.notify(t, e.operatorAction(t))
	return true
}

// operate adds a change of the operator state of an alarm.
func (e *Edit) operate(t *touched, s State, operator, text string) {
	n := e.at(t)
	stamp := after(first(t.is, n.operator), e.tx.Now())
	change := data.BuildEntry(n.operator, stamp).Leaf("operator", printable(operator)).Leaf("state", string(s)).Text("text", printable(text)).Node()
	t.is = t.is.With(change, e.leaf(n.lastChanged, stamp))
	if t.is.Count(n.operator) <= mostOperatorChanges {
		return
	}
	var kept []*data.Node
	for c := range t.is.EntriesOf(n.operator) {
		if kept = append(kept, c); len(kept) == mostOperatorChanges {
			break
		}
	}
	t.is = t.is.WithOnly(n.operator, kept...)
}

// operatorAction tells the latest change of an alarm's operator state.
func (e *Edit) operatorAction(t *touched) *data.Node {
	n := data.Rebind(first(t.is, e.at(t).operator), e.a.nodes.operatorAction)
	root := &data.Loc{Node: data.New(e.a.schema.Root)}
	return data.Nested(root.Down(data.New(e.a.nodes.top)).Down(data.New(e.a.nodes.list)).Down(t.is), n)
}

// stateOf is the operator state of an alarm.
func stateOf(alarm *data.Node, n *entryNodes) State {
	if c := first(alarm, n.operator); c != nil {
		return State(c.Leaf("state"))
	}
	return None
}

// operator is on whose behalf the transaction acts.
func (e *Edit) operator() string {
	if by := e.tx.Author().User; by != "" {
		return by
	}
	return "incidentd"
}

// printable is a text as a leaf can hold it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
