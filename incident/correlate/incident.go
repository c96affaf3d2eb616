package correlate

import (
	"time"

	"incidentd/incident/event"
)

// Op says what became of an incident.
type Op uint8

// The operations, which are also the values of the status leaf.
const (
	Raised Op = iota + 1
	Updated
	Cleared
)

// String returns the enum name of the status leaf of ietf-incident.
func (o Op) String() string {
	switch o {
	case Raised:
		return "raised"
	case Updated:
		return "updated"
	case Cleared:
		return "cleared"
	}
	return ""
}

// Decision is one thing that the engine has decided.
type Decision struct {
	// Serial counts the decisions of the engine from 1.
	Serial uint64
	// At is the stream time.
	At time.Time
	Op Op
	// Incident is the whole content at that moment. It is never changed again.
	Incident *Incident
}

// Incident is the content of an incident, in the words of ietf-incident.
type Incident struct {
	// No is the serial number: rising, never given twice, fixed for an incident.
	No   uint64
	Name string
	// Type is "fault" or "potential-risk".
	Type string
	// Domain, Category are identities of ietf-incident-types, Priority a value of its
	// incident-priority, all without prefix.
	Domain   string
	Category string
	Priority string
	Status   Op

	Detail        string
	ResolveAdvice string

	RootCauses []RootCause // best first, one to four
	// EventsOmitted counts events that the incident has beyond those listed.
	EventsOmitted int

	// ServiceInstances are the services hit, sorted, and ServiceStates says of each,
	// in the same order, how.
	ServiceInstances []string
	ServiceStates    []ServiceState

	// AtRisk are services that have lost their protection and are not hit yet, sorted.
	AtRisk []string

	// RaiseTime, ClearTime and LastUpdated are stream time, OccurTime the corrected
	// time of the first event. ClearTime is zero while the incident lasts.
	RaiseTime   time.Time
	OccurTime   time.Time
	ClearTime   time.Time
	LastUpdated time.Time

	// Ticket is false where a mark or a rhythm explains the incident; Labels tells
	// which: "maintenance", "periodic".
	Ticket bool
	Labels []string
	// Mark is the ID of the mark that explains the incident; "" for none.
	Mark string
	// RecurrenceOf is the number of the last incident of the same root, where that ended
	// not long before; 0 if there is none. Recurrences is how many there were before.
	RecurrenceOf uint64
	Recurrences  int
	// MergedInto is the number of the incident that absorbed this one; 0 if none did.
	MergedInto uint64

	told *telling
}

// Events returns the events of the incident in order of arrival, each with the reason
// why it is there. It and the methods below write what they return when the first of them
// is called, always the same; that call must be over before another goroutine makes one.
func (c *Incident) Events() []EventRef { return c.told.written(c).events }

// RootEvents returns the events that speak of the root.
func (c *Incident) RootEvents() []EventRef { return c.told.written(c).roots }

// Sources returns the nodes and resources that the events name, sorted.
func (c *Incident) Sources() []Source { return c.told.written(c).sources }

// Explanation tells in a few sentences why the events are one incident and why its
// root is what it is.
func (c *Incident) Explanation() string { return c.told.written(c).explanation }

// Source is a node with its resources that take part in an incident.
type Source struct {
	Node      string
	Resources []string
}

// RootCause is one possible root.
type RootCause struct {
	Node, Resource string
	CauseName      string
	Detail         string
}

// Role is the part that an event plays in an incident.
type Role uint8

// The roles.
const (
	Symptom Role = iota // explained by the root
	Root                // speaks of the root itself
	Context             // supports the explanation only
)

// String returns the role in a word.
func (r Role) String() string { return [...]string{"symptom", "root", "context"}[r] }

// EventRef is an event as a member of an incident.
type EventRef struct {
	ID               string
	Kind             event.Kind
	Node, Resource   string
	AlarmTypeID      string
	Qualifier        string
	Severity         event.Severity
	Time, Arrival    time.Time
	Text             string
	Value, Threshold string
	TraceID          string
	Cleared          bool
	Role             Role
	// Reason is Why in a sentence.
	Reason string
	Why    Why
}

// Why tells why an event is in an incident.
type Why struct {
	// Rule is the id of the rule that speaks for it, or "impact", "traffic-moved",
	// "same-trace", "merged", "operator", "beside" for a line of a log that says nothing,
	// or "co-occurrence: " and the name of one.
	Rule string
	// Path are the edges from the event's place down to the root, the nearest first,
	// or the one edge of the root's reach that it rests on.
	Path []string
	// Lag is how long after the first event of the incident it happened.
	Lag time.Duration
	// Raises counts how often its alarm was raised.
	Raises int
}

// ServiceState says how a service is hit.
type ServiceState uint8

// The states, the worse is the greater.
const (
	Degraded ServiceState = iota + 1
	Outage
)

// String returns the state in a word.
func (s ServiceState) String() string {
	switch s {
	case Degraded:
		return "degraded"
	case Outage:
		return "outage"
	}
	return ""
}
