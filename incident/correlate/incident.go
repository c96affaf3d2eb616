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
	Explanation   string

	Sources    []Source
	RootCauses []RootCause // best first, one to four
	RootEvents []EventRef
	Events     []EventRef // in order of arrival
	// EventsOmitted counts events that the incident has beyond those listed.
	EventsOmitted int

	// ServiceInstances are the services hit, sorted, and ServiceStates says of each,
	// in the same order, how.
	ServiceInstances []string
	ServiceStates    []ServiceState

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
	// MergedInto is the number of the incident that absorbed this one; 0 if none did.
	MergedInto uint64
}

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
	Reason           string
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
