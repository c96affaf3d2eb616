package correlate

import "incidentd/incident/event"

// sighting is a raise of an alarm as it was reported: what the alarm itself does not
// say already.
type sighting struct {
	id, text, resource string
	time, arrival      instant
	kind               event.Kind
	severity           event.Severity
	more               *measured
}

// measured is what few events have.
type measured struct{ value, threshold, trace string }

func see(ev *event.Event) sighting {
	s := sighting{id: ev.ID, text: ev.Text, resource: ev.Resource, time: instantOf(ev.Time), arrival: instantOf(ev.Arrival), kind: ev.Kind, severity: ev.Severity}
	if ev.Value != "" || ev.Threshold != "" || ev.TraceID != "" {
		s.more = &measured{ev.Value, ev.Threshold, ev.TraceID}
	}
	return s
}

// ref returns the sighting as a member of an incident.
func (s *sighting) ref(node string, t *alarmType) EventRef {
	r := EventRef{ID: s.id, Kind: s.kind, Node: node, Resource: s.resource, AlarmTypeID: t.id, Qualifier: t.qualifier, Severity: s.severity,
		Time: s.time.time(), Arrival: s.arrival.time(), Text: s.text}
	if s.more != nil {
		r.Value, r.Threshold, r.TraceID = s.more.value, s.more.threshold, s.more.trace
	}
	return r
}

// trace returns the trace that an alarm came with; empty if it came with none.
func (a *alarm) trace() string {
	if len(a.seen) == 0 || a.seen[0].more == nil {
		return ""
	}
	return a.seen[0].more.trace
}

// mark folds a sighting into a number that tells it from any other.
func (s *sighting) mark() uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h := uint64(offset)
	for k := range len(s.id) {
		h = (h ^ uint64(s.id[k])) * prime
	}
	return (h ^ uint64(s.severity)) * prime
}
