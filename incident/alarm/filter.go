package alarm

import (
	"strconv"
	"time"

	"incidentd/incident/event"
	"incidentd/yang/data"
)

// filter is what filter-input says [RFC 8632 section 6, grouping filter-input]. The zero
// value lets all alarms pass.
type filter struct {
	cleared, notCleared bool // only these
	olderThan           time.Time
	below, is, above    event.Severity // 0: any
	byState             bool
	state               State  // "" is any
	user                string // "" is any
}

// ages are the units of older-than.
var ages = map[string]time.Duration{
	"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

// filterOf reads the input of a purge at a time.
func filterOf(in *data.Node, now time.Time) filter {
	var f filter
	f.cleared = in.Leaf("alarm-clearance-status") == "cleared"
	f.notCleared = in.Leaf("alarm-clearance-status") == "not-cleared"
	for n := range in.Child("older-than").Children() {
		count, _ := strconv.Atoi(n.Value())
		f.olderThan = now.Add(-time.Duration(count) * ages[n.Name()])
	}
	severity := in.Child("severity")
	f.below, _ = event.ParseSeverity(severity.Leaf("below"))
	f.is, _ = event.ParseSeverity(severity.Leaf("is"))
	f.above, _ = event.ParseSeverity(severity.Leaf("above"))
	if state := in.Child("operator-state-filter"); state != nil {
		f.byState, f.state, f.user = true, State(state.Leaf("state")), state.Leaf("user")
	}
	return f
}

// passes reports whether an alarm meets all conditions.
func (f *filter) passes(alarm *data.Node, n *entryNodes) bool {
	cleared := value(alarm, n.isCleared) == "true"
	if f.cleared && !cleared || f.notCleared && cleared {
		return false
	}
	if !f.olderThan.IsZero() && !parseTime(first(alarm, n.status).Key()).Before(f.olderThan) {
		return false
	}
	s, _ := event.ParseSeverity(value(alarm, n.severity))
	if f.below != 0 && s >= f.below || f.is != 0 && s != f.is || f.above != 0 && s <= f.above {
		return false
	}
	if f.byState {
		if f.state != "" && stateOf(alarm, n) != f.state {
			return false
		}
		if last := first(alarm, n.operator); f.user != "" && (last == nil || last.Leaf("operator") != f.user) {
			return false
		}
	}
	return true
}
