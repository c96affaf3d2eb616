package correlate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"incidentd/incident/event"
)

// A line is what some log says in words that nobody has mapped: its type tells nothing, the
// inventory does not know it, and no clear will come for it. So it is no evidence. It
// raises nothing, holds nothing open and moves no root; it is shown beside what fails at
// its node at the time.

// besideRule is the rule of lines.
const besideRule = "beside"

const (
	// nodeLines and incidentLines bound the lines that are kept of a node and shown with
	// an incident.
	nodeLines     = 8
	incidentLines = 8
	// listening bounds the alarms of a node that a line looks for an incident.
	listening = 64
)

// isLine reports whether an event of class c is a line: of a log, or a notification of
// which nobody has said how severe it is.
func (t *alarmType) isLine(c Class, ev *event.Event) bool {
	if t.listed || t.class != Other || ev.Severity == event.Cleared {
		return false
	}
	return ev.Kind == event.Log || ev.Kind == event.Notification && c == Other && ev.Severity <= event.Indeterminate
}

// hear keeps a line, and shows it with the incidents at its node.
func (e *Engine) hear(o *object, l contextEvent) {
	n := o.state
	e.touchNode(n)
	n.lines = slices.DeleteFunc(n.lines, func(x contextEvent) bool { return l.t-x.t > contextAge })
	n.lines, _ = keepLine(n.lines, l, nodeLines, l.t)
	var last *incident
	for k := len(n.alarms) - 1; k >= max(0, len(n.alarms)-listening); k-- {
		if a := n.alarms[k]; a.inc != nil && a.inc != last && !a.soft {
			last = a.inc
			e.overhear(last, l)
		}
	}
}

// overhear shows a line with an incident that it is near to in time. It is no sign of life:
// an incident that is idle but for lines is idle.
func (e *Engine) overhear(i *incident, l contextEvent) {
	if l.t < i.t0-e.p.near || l.t > max(i.t0, i.hot)+e.p.near || slices.ContainsFunc(i.lines, func(x contextEvent) bool { return x.ref.ID == l.ref.ID }) {
		return
	}
	var left bool
	if i.lines, left = keepLine(i.lines, l, incidentLines, i.t0); left {
		i.linesOmitted++
	}
	e.touch(i)
	e.updateSoon(i)
}

// listen shows the lines of a node with an incident that gets evidence there.
func (e *Engine) listen(i *incident, n *nodeState) {
	for _, l := range n.lines {
		e.overhear(i, l)
	}
}

// keepLine adds a line to some. Where there are too many, the least severe goes, of these the
// one that is farthest from t, and it returns true.
func keepLine(lines []contextEvent, l contextEvent, most int, t int64) ([]contextEvent, bool) {
	lines = append(lines, l)
	if len(lines) <= most {
		return lines, false
	}
	gone := 0
	for k := range lines {
		a, b := &lines[k], &lines[gone]
		if a.ref.Severity < b.ref.Severity || a.ref.Severity == b.ref.Severity && !within(a.t, t, max(b.t-t, t-b.t)) {
			gone = k
		}
	}
	return slices.Delete(lines, gone, gone+1), true
}

// besideRef is a line as an event of an incident that began at t0.
func besideRef(l *contextEvent, t0 int64) EventRef {
	r := l.ref
	r.Role = Context
	r.Why = Why{Rule: besideRule, Lag: time.Duration(l.t-t0) / 1e6 * 1e6}
	r.Reason = fmt.Sprintf("%s: nobody has mapped what the log says, so it decides nothing; %s", besideRule, afterFirst(r.Why.Lag))
	return r
}

// afterFirst says how far from the first event something was.
func afterFirst(lag time.Duration) string {
	if lag < 0 {
		return (-lag).String() + " before the first event"
	}
	return lag.String() + " after the first event"
}

// quoted repeats some of the lines among events, the most severe first.
func quoted(events []EventRef) string {
	const most, words = 4, 120
	var lines []*EventRef
	for k := range events {
		if events[k].Why.Rule == besideRule {
			lines = append(lines, &events[k])
		}
	}
	slices.SortStableFunc(lines, func(a, b *EventRef) int { return int(b.Severity) - int(a.Severity) })
	var b strings.Builder
	for k, r := range lines {
		if k == most {
			fmt.Fprintf(&b, "; %s", counted(len(lines)-k, "more line"))
			break
		}
		if k > 0 {
			b.WriteString("; ")
		}
		text := r.Text
		if len(text) > words {
			text = strings.ToValidUTF8(text[:words], "") + "…"
		}
		fmt.Fprintf(&b, "%s %q", strings.TrimPrefix(at(r.Node, r.Resource), " at "), text)
	}
	return b.String()
}

// whyNotLine is about a line that is not shown with an incident.
func (e *Engine) whyNotLine(l *contextEvent, i *incident) WhyNot {
	w := WhyNot{Lacking: LackingLast, Rule: besideRule, Lag: time.Duration(l.t-i.t0) / 1e6 * 1e6}
	what := fmt.Sprintf("%s%s is a line of a log that nobody has mapped, so it is no evidence", l.ref.AlarmTypeID, at(l.ref.Node, l.ref.Resource))
	here := slices.ContainsFunc(i.members, func(a *alarm) bool { return !a.soft && a.obj.node == l.ref.Node })
	switch {
	case !here:
		w.Sentence = fmt.Sprintf("%s; and it is not shown beside inc-%d because that has no evidence at %s.", what, i.no, l.ref.Node)
	case l.t < i.t0-e.p.near || l.t > max(i.t0, i.hot)+e.p.near:
		w.Lacking = LackingTime
		w.Sentence = fmt.Sprintf("%s; and it is not shown beside inc-%d because it was there %s, more than %s away from its evidence.", what, i.no, afterFirst(w.Lag), time.Duration(e.p.near))
	default:
		w.Sentence = fmt.Sprintf("%s; beside inc-%d there were lines enough.", what, i.no)
	}
	return w
}
