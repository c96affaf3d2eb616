package mapping

import (
	"strings"

	"incidentd/incident/event"
)

// Outcome is what became of a message.
type Outcome uint8

// The outcomes.
const (
	Unmapped Outcome = iota // no rule fits
	Mapped
	Ignored // a rule says that it is no event
)

// Mapper turns messages into events. It never changes, so any number of goroutines may
// use it.
type Mapper struct{}

// New makes a mapper.
func New() *Mapper { return &Mapper{} }

// UnmappedType is the alarm-type-id of the events of messages that no rule fits and that
// do not say themselves what they are.
const UnmappedType = "unmapped"

// Bounds of the leafs of an event, in bytes.
const (
	mostName = 255
	mostText = 4096
)

// Map makes the event of a message. Its ID is that of the message. With the outcome
// Ignored there is none.
func (m *Mapper) Map(msg *Message) (event.Event, Outcome) {
	if msg.Event != nil {
		return tidy(*msg.Event), Mapped
	}
	host := msg.Host
	if host == "" && msg.Peer.IsValid() {
		host = msg.Peer.String()
	}
	e := event.Event{ID: msg.ID, Time: msg.Time, Arrival: msg.Arrival, Kind: msg.Observed, Node: host,
		AlarmTypeID: UnmappedType, Severity: msg.Severity, Text: msg.Text}
	e.AlarmTypeQualifier = strings.Trim(msg.App+"/"+msg.MsgID, "/")
	return tidy(e), Unmapped
}

// tidy makes an event one that can be stored.
func tidy(e event.Event) event.Event {
	e.ID, e.Node, e.Resource = clean(e.ID, mostName), clean(e.Node, mostName), clean(e.Resource, mostName)
	e.AlarmTypeID, e.AlarmTypeQualifier = clean(e.AlarmTypeID, mostName), clean(e.AlarmTypeQualifier, mostName)
	e.Text, e.Value, e.Threshold = clean(e.Text, mostText), clean(e.Value, mostName), clean(e.Threshold, mostName)
	if e.Node == "" {
		e.Node = "unknown"
	}
	if e.AlarmTypeID == "" {
		e.AlarmTypeID = UnmappedType
	}
	if e.Severity == 0 {
		e.Severity = event.Indeterminate
	}
	return e
}
