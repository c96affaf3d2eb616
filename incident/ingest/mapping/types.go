package mapping

import (
	"slices"
	"strings"

	"incidentd/incident/event"
	"incidentd/yang/data"
)

// Type is an alarm type that a mapping knows beforehand.
type Type struct {
	ID, Qualifier string
	// Clears is true when a rule says that an alarm of it is over.
	Clears bool
	// Description is that of the rules which make it.
	Description string
}

// Types are the alarm types that a configuration, nil for none, and the tables that come with the
// server map messages to, in the order of their rules. Of those whose id or qualifier follows from
// the message nothing is known before it comes.
func Types(config *data.Node, builtin []*data.Node) (types []Type) {
	at := map[[2]string]int{}
	clears := map[string]bool{}
	for _, t := range tables(config, builtin) {
		if t.Leaf("enabled") == "false" {
			continue
		}
		for r := range t.Entries("rule") {
			e := r.Child("event")
			if kind := e.Leaf("kind"); e == nil || kind != "" && kind != event.Alarm.String() {
				continue
			}
			id, known := literal(e.Leaf("alarm-type-id"))
			if known && (e.Child("clear-when") != nil || e.Leaf("severity") == event.Cleared.String() || canClear(e)) {
				clears[id] = true
			}
			qualifier, fixed := literal(e.Leaf("alarm-type-qualifier"))
			if !known || !fixed {
				continue
			}
			k, again := at[[2]string{id, qualifier}]
			if !again {
				k = len(types)
				at[[2]string{id, qualifier}] = k
				types = append(types, Type{ID: id, Qualifier: qualifier})
			}
			if d := r.Leaf("description"); d != "" && !strings.Contains(types[k].Description, d) {
				types[k].Description = strings.TrimSpace(types[k].Description + " " + d)
			}
		}
	}
	for k := range types {
		types[k].Clears = clears[types[k].ID]
	}
	return types
}

// canClear reports whether some value of a message clears.
func canClear(e *data.Node) bool {
	of := e.Child("severity-of")
	return slices.ContainsFunc(slices.Collect(of.Entries("severity")), func(s *data.Node) bool { return s.Leaf("severity") == event.Cleared.String() })
}

// literal is the text of a template without values; false if it has some.
func literal(text string) (string, bool) {
	t, err := parseTemplate(text)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for _, p := range t {
		if p.refs != nil {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}
