package alarm

import (
	"time"

	"incidentd/incident/event"
	"incidentd/yang"
	"incidentd/yang/data"
)

// stale is how much older than the last change a clear may be: one that is older is of a
// raise before, and came late.
const stale = 2 * time.Minute

// Report applies events of the kind alarm, in the order of their arrival. An event that
// says what is known already changes nothing, and neither does one that clears an alarm
// nobody raised.
func (e *Edit) Report(events []*event.Event) {
	for _, ev := range events {
		if ev.Kind == event.Alarm {
			e.report(ev)
		}
	}
}

func (e *Edit) report(ev *event.Event) {
	k := e.a.KeyOf(ev)
	t := e.alarm(k)
	at, told := e.happened(ev)
	if ev.Severity == event.Cleared {
		switch {
		case t.is == nil || e.isCleared(t) && at.After(e.lastChange(t)):
			e.keepEarly(k, at, told)
			return
		case e.isCleared(t) || at.Before(e.lastChange(t).Add(-stale)):
			return
		}
		text := ev.Text
		if text == "" {
			text = value(t.is, e.at(t).text)
		}
		before := e.severity(t)
		e.change(t, at, event.Cleared, text)
		e.announce(t, before, event.Cleared)
		return
	}
	known := e.see(k, ev.Severity)
	severity := e.rules.assign(k, ev.Severity, known, e.nodes)
	if t.is == nil {
		e.create(t, at, severity, ev.Text)
		e.announce(t, event.Cleared, severity)
		e.clearEarly(t, at, told)
		return
	}
	text := ev.Text
	if text == "" {
		text = value(t.is, e.at(t).text)
	}
	before := e.severity(t)
	if before == severity && value(t.is, e.at(t).text) == text {
		return
	}
	e.change(t, at, severity, text)
	e.announce(t, before, severity)
	if before == event.Cleared {
		e.clearEarly(t, at, told)
	}
}

// happened is when the state of an alarm changed, and when that was told: nothing happens after.
func (e *Edit) happened(ev *event.Event) (at, told time.Time) {
	told = ev.Arrival
	if told.IsZero() || told.After(e.tx.Now()) {
		told = e.tx.Now()
	}
	if ev.Time.IsZero() || ev.Time.After(told) {
		return told, told
	}
	return ev.Time, told
}

// severity is what an alarm has now, event.Cleared for one that is over.
func (e *Edit) severity(t *touched) event.Severity {
	if e.isCleared(t) {
		return event.Cleared
	}
	s, _ := event.ParseSeverity(value(t.is, e.at(t).severity))
	return s
}

// lastChange is the time of the last change of an alarm's status.
func (e *Edit) lastChange(t *touched) time.Time {
	return parseTime(first(t.is, e.at(t).status).Key())
}

// parseTime reads a time that data.FormatTime has written.
func parseTime(text string) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, text)
	return at
}

// after is a time that is later than the key of an entry, nil for none: two changes never
// have the same.
func after(last *data.Node, at time.Time) string {
	if last != nil {
		if t := parseTime(last.Key()); !at.After(t) {
			at = t.Add(time.Microsecond)
		}
	}
	return data.FormatTime(at)
}

// create makes a new alarm, in the list or on the shelf that it belongs on.
func (e *Edit) create(t *touched, at time.Time, severity event.Severity, text string) {
	shelf, onShelf := e.shelfFor(t)
	t.onShelf = onShelf
	n, stamp := e.at(t), data.FormatTime(at)
	b := data.BuildEntry(n.entry, t.key.Resource, t.key.TypeID, t.key.Qualifier).Grow(8)
	for i, v := range []string{t.key.TypeID, t.key.Qualifier} {
		b.Add(e.leaf(n.entry.Keys[i+1], v))
	}
	b.Add(e.leaf(n.created, data.FormatTime(e.tx.Now())), e.leaf(n.isCleared, "false"), e.leaf(n.lastRaised, stamp), e.leaf(n.lastChanged, stamp),
		e.leaf(n.severity, severity.String()), e.leaf(n.text, text), e.statusChange(n, stamp, severity.String(), text))
	t.is = b.Node()
	if onShelf {
		e.putOn(t, shelf)
	}
}

// change gives an alarm another state: the severity is event.Cleared when it is over.
func (e *Edit) change(t *touched, at time.Time, severity event.Severity, text string) {
	n := e.at(t)
	stamp := after(first(t.is, n.status), at)
	parts := []*data.Node{e.statusChange(n, stamp, severity.String(), text), e.leaf(n.lastChanged, stamp), e.leaf(n.text, text)}
	if cleared := e.isCleared(t); severity == event.Cleared {
		parts = append(parts, e.leaf(n.isCleared, "true"))
	} else {
		parts = append(parts, e.leaf(n.severity, severity.String()))
		if cleared {
			parts = append(parts, e.leaf(n.isCleared, "false"), e.leaf(n.lastRaised, stamp))
		}
	}
	t.is = t.is.With(parts...)
	e.trim(t, e.rules.history)
}

// trim drops the oldest changes of an alarm's status beyond a number, and reports whether
// there were any.
func (e *Edit) trim(t *touched, keep int) bool {
	n := e.at(t)
	excess := t.is.Count(n.status) - keep
	if excess <= 0 {
		return false
	}
	var kept []*data.Node
	for s := range t.is.EntriesOf(n.status) {
		if kept = append(kept, s); len(kept) == keep {
			break
		}
	}
	t.is = t.is.WithOnly(n.status, kept...)
	return true
}

// announce notifies a change of an alarm as far as the configuration wants it.
func (e *Edit) announce(t *touched, before, now event.Severity) {
	if !e.rules.notifies(before, now) {
		return
	}
	e.notify(t, e.alarmNotification(t))
}

// alarmNotification tells the latest state of an alarm.
func (e *Edit) alarmNotification(t *touched) *data.Node {
	s := first(t.is, e.at(t).status)
	return data.Build(e.a.nodes.alarmNotification).Leaf("resource", t.key.Resource).Leaf("alarm-type-id", t.key.TypeID).
		Leaf("alarm-type-qualifier", t.key.Qualifier).Leaf("time", s.Key()).
		Leaf("perceived-severity", s.Leaf("perceived-severity")).Leaf("alarm-text", s.Leaf("alarm-text")).Node()
}

// statusChange is an entry of an alarm's history.
func (e *Edit) statusChange(n *entryNodes, stamp, severity, text string) *data.Node {
	return data.BuildEntry(n.status, stamp).Add(e.leaf(n.statusSeverity, severity), e.leaf(n.statusText, text)).Node()
}

// leaf is a leaf that alarms may share.
func (e *Edit) leaf(schema *yang.Node, value string) *data.Node {
	return e.a.leafs.leaf(schema, value)
}
