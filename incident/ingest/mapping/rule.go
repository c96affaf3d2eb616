package mapping

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"incidentd/incident/event"
)

// rule is a rule that is ready to be used.
type rule struct {
	table, name string
	match       match
	event       *outline // nil: the message is no event
	hits        atomic.Uint64
}

// match is what a message must be.
type match struct {
	kinds, sources, apps, ids, oids []string // apps in lower case
	text                            *regexp.Regexp
	literals                        []string // of which one must be in the text
	fields                          []fieldMatch
}

// fieldMatch is what a value must be; a nil pattern takes any.
type fieldMatch struct {
	name    string
	pattern *regexp.Regexp
}

// fits reports whether a message fits, and what the named groups of the patterns found.
func (m *match) fits(v *values) bool {
	msg := v.msg
	v.captures = v.captures[:0]
	switch {
	case len(m.kinds) > 0 && !slices.Contains(m.kinds, msg.Kind),
		len(m.sources) > 0 && !slices.Contains(m.sources, msg.Source),
		len(m.oids) > 0 && !slices.Contains(m.oids, msg.OID),
		len(m.ids) > 0 && !slices.Contains(m.ids, msg.MsgID),
		len(m.apps) > 0 && !slices.Contains(m.apps, strings.ToLower(msg.App)):
		return false
	}
	if m.text != nil && !v.capture(m.text, msg.Text) {
		return false
	}
	for _, f := range m.fields {
		s, ok := msg.value(f.name)
		if !ok || f.pattern != nil && !v.capture(f.pattern, s) {
			return false
		}
	}
	return true
}

// capture reports whether a pattern fits a text, and keeps what its named groups found.
func (v *values) capture(re *regexp.Regexp, s string) bool {
	if re.NumSubexp() == 0 {
		return re.MatchString(s)
	}
	at := re.FindStringSubmatchIndex(s)
	if at == nil {
		return false
	}
	for i, name := range re.SubexpNames() {
		if name != "" && at[2*i] >= 0 {
			v.captures = append(v.captures, Field{name, s[at[2*i]:at[2*i+1]]})
		}
	}
	return true
}

// outline is the event of a rule.
type outline struct {
	node, resource, typeID, qualifier, time, text, value, threshold template
	kind                                                            event.Kind
	severity                                                        event.Severity // 0: not said
	severityBy                                                      string
	severities                                                      map[string]event.Severity // by the value in lower case
	clearBy                                                         string
	clear                                                           *regexp.Regexp
}

// event makes the event of a message that fits.
func (o *outline) event(v *values) event.Event {
	msg := v.msg
	e := event.Event{ID: msg.ID, Time: msg.Time, Arrival: msg.Arrival, Kind: o.kind, AlarmTypeID: o.typeID.fill(v),
		AlarmTypeQualifier: o.qualifier.fill(v), Severity: o.severe(v), Text: msg.Text, Value: o.value.fill(v), Threshold: o.threshold.fill(v)}
	system := msg.system()
	if o.node != nil {
		system = o.node.fill(v)
	}
	e.Node = v.names.node(system)
	e.Resource = v.names.resource(e.Node, o.resource.fill(v))
	if o.text != nil {
		e.Text = o.text.fill(v)
	}
	if o.time != nil {
		if at, ok := parseTime(o.time.fill(v)); ok {
			e.Time = at
		}
	}
	return e
}

// severe is the severity of the event.
func (o *outline) severe(v *values) event.Severity {
	if v.msg.Severity == event.Cleared {
		return event.Cleared
	}
	if o.clear != nil {
		if s, ok := v.get(o.clearBy); ok && o.clear.MatchString(s) {
			return event.Cleared
		}
	}
	if o.severities != nil {
		if s, ok := v.get(o.severityBy); ok {
			if severity, ok := o.severities[strings.ToLower(s)]; ok {
				return severity
			}
		}
	}
	if o.severity != 0 {
		return o.severity
	}
	return v.msg.Severity
}

// parseTime reads a time as an event may have it.
func parseTime(s string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, true
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil || seconds < 0 || seconds > 1e11 {
		return time.Time{}, false
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9)).UTC(), true
}
