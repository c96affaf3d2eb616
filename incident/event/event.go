package event

import "time"

// Event is one observation: an alarm raised, changed or cleared, a threshold
// crossed, a symptom, a notification, a log entry or a traced error. It is a plain
// value; nothing in it is shared.
type Event struct {
	// ID is unique for its reporter. A repeated id is the same event.
	ID string
	// Time is when it happened by the clock of the node; zero where the reporter
	// gave none, which means the time of arrival.
	Time time.Time
	// Arrival is when the collector took it: the clock that correlation runs by.
	Arrival time.Time
	Kind    Kind
	// Node is the node-id of RFC 8345.
	Node string
	// Resource is the part of the node: a tp-id, a component such as "slot/3", or an
	// instance-identifier; empty for the node itself.
	Resource           string
	AlarmTypeID        string
	AlarmTypeQualifier string
	Severity           Severity
	// Text is for people.
	Text string
	// Value and Threshold are those of a kpi, as the reporter wrote them.
	Value     string
	Threshold string
	// TraceID is the W3C trace-id of the transaction that met the error, if any.
	TraceID string
	// Shelved is true for an event of an alarm that was on a shelf when it came [RFC 8632
	// section 3.6]. No source says so but the server itself, in its log.
	Shelved bool
}

// Kind says what was observed.
type Kind uint8

// The kinds of incidentd-events, of which [Alarm] is the default and the zero value.
const (
	Alarm        Kind = iota // an alarm in the sense of RFC 8632
	KPI                      // a metric that crossed a threshold, or came back
	Symptom                  // a symptom of a service or subservice [RFC 9417]
	Notification             // any other notification of a device
	Log                      // a log entry
	Trace                    // an error reported by distributed tracing
)

var kindNames = [...]string{"alarm", "kpi", "symptom", "notification", "log", "trace"}

// String returns the enum name of the YANG module.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// ParseKind returns the kind of an enum name; false if there is none.
func ParseKind(s string) (Kind, bool) {
	for i, n := range kindNames {
		if n == s {
			return Kind(i), true
		}
	}
	return 0, false
}

// Severity is the perceived severity with the value that clears [RFC 8632 section
// 4.1, severity-with-clear]. Severities are ordered: a greater one is worse. The
// numbers are those of the YANG enumeration, so the zero value is no severity.
type Severity uint8

// The severities, in rising order.
const (
	Cleared       Severity = 1
	Indeterminate Severity = 2
	Warning       Severity = 3
	Minor         Severity = 4
	Major         Severity = 5
	Critical      Severity = 6
)

var severityNames = [...]string{"", "cleared", "indeterminate", "warning", "minor", "major", "critical"}

// String returns the enum name of the YANG module; "" for the zero value.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return "unknown"
}

// ParseSeverity returns the severity of an enum name; false if there is none.
func ParseSeverity(s string) (Severity, bool) {
	for i, n := range severityNames {
		if n == s && i > 0 {
			return Severity(i), true
		}
	}
	return 0, false
}
