package alarm

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"incidentd/incident/event"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xpath"
)

// rules are the configuration of /al:alarms, compiled. They never change.
type rules struct {
	of *data.Node // what they were made of; nil for the defaults

	history   int // status changes that an alarm keeps
	notify    notifyMode
	level     event.Severity // of severityLevel
	retention time.Duration  // 0: for ever

	shelves  *table
	shelf    []string // the names of shelves
	profiles *table
	assigned [][]event.Severity // the levels of profiles; nil for none
	mapping  *table             // of X.733
	mapped   []x733
}

type notifyMode uint8

const (
	allStateChanges notifyMode = iota
	raiseAndClear
	severityLevel
)

// defaultHistory is the default of max-alarm-status-changes.
const defaultHistory = 32

// newRules compiles a configuration that is valid, nil for none. What cannot be used of it
// is left out, and told with its place.
func newRules(schema *yang.Schema, alarms *data.Node) (*rules, rpcerr.Errors) {
	r := &rules{of: alarms, history: defaultHistory, shelves: newTable(schema), profiles: newTable(schema), mapping: newTable(schema)}
	p := parser{schema: schema}
	root := (&data.Loc{Node: data.New(schema.Root)}).Down(alarms)
	control := alarms.Child("control")
	switch v := control.Leaf("max-alarm-status-changes"); v {
	case "":
	case "infinite":
		r.history = math.MaxInt
	default:
		n, _ := strconv.Atoi(v)
		r.history = max(1, n) // the list is never empty
	}
	switch control.Leaf("notify-status-changes") {
	case "raise-and-clear":
		r.notify = raiseAndClear
	case "severity-level":
		r.notify = severityLevel
		r.level, _ = event.ParseSeverity(control.Leaf("notify-severity-level"))
	}
	if hours, err := strconv.Atoi(control.Leaf("retention")); err == nil {
		r.retention = time.Duration(hours) * time.Hour
	}
	if control != nil {
		at := root.Down(control)
		if shelving := control.Child("alarm-shelving"); shelving != nil {
			at := at.Down(shelving)
			for n := range shelving.Entries("shelf") {
				r.shelves.add(p.resources(at.Down(n)), p.types(at.Down(n)))
				r.shelf = append(r.shelf, n.Leaf("name"))
			}
		}
		for n := range control.Entries("x733-mapping") {
			r.mapping.add(nil, p.one(at.Down(n)))
			r.mapped = append(r.mapped, x733Of(n))
		}
	}
	for n := range alarms.Entries("alarm-profile") {
		r.profiles.add(p.resources(root.Down(n)), p.one(root.Down(n)))
		var levels []event.Severity
		for _, v := range n.Child("alarm-severity-assignment-profile").Values("severity-level") {
			s, _ := event.ParseSeverity(v)
			levels = append(levels, s)
		}
		if !slices.IsSorted(levels) {
			leaf := n.Child("alarm-severity-assignment-profile")
			p.fail(root.Down(n).Down(leaf), "the severity levels of a profile rise, as RFC 8632 has it: %v do not", levels)
		}
		r.assigned = append(r.assigned, levels)
	}
	return r, p.errs
}

// parser compiles criteria and keeps what is wrong with them.
type parser struct {
	schema *yang.Schema
	errs   rpcerr.Errors
}

func (p *parser) fail(at *data.Loc, format string, args ...any) {
	p.errs = append(p.errs, rpcerr.InvalidValue(format, args...).At(at.Path()).WithInfo("", "bad-element", at.Node.Name()))
}

// resources are the resource-matches of an entry: a leaf-list or a key.
func (p *parser) resources(at *data.Loc) (out []resourceMatch) {
	for n := range at.Node.Children() {
		if n.Name() != "resource" {
			continue
		}
		m, err := parseResourceMatch(p.schema, n)
		if err != nil {
			p.fail(at.Down(n), "%q selects no resources: %v", n.Value(), err)
			m = resourceMatch{re: never}
		}
		out = append(out, m)
	}
	return out
}

// never matches nothing: it stands for what cannot be used.
var never, _ = yang.CompilePattern(`[^\s\S]`)

// types are the entries alarm-type of a shelf.
func (p *parser) types(at *data.Loc) (out []typeMatch) {
	for n := range at.Node.Entries("alarm-type") {
		out = append(out, p.one(at.Down(n))...)
	}
	return out
}

func (p *parser) one(at *data.Loc) []typeMatch {
	m, err := parseTypeMatch(p.schema, at.Node)
	if err != nil {
		if leaf := at.Node.Child("alarm-type-qualifier-match"); leaf != nil {
			at = at.Down(leaf)
		}
		p.fail(at, "%q is no regular expression for qualifiers: %v", at.Node.Value(), err)
		m.qualifier = never
	}
	return []typeMatch{m}
}

// shelfOf is the name of the first shelf that an alarm belongs on.
func (r *rules) shelfOf(k Key, nodes func(*xpath.Expr, string) bool) (name string, ok bool) {
	if i := r.shelves.find(k, nodes); i >= 0 {
		return r.shelf[i], true
	}
	return "", false
}

// assign is the severity that the profiles give an alarm which was reported with one.
// known are the severities that its type is known to have, that one among them, in rising
// order: the first of them becomes the first of the profile, and so on [RFC 8632 section
// 4.6].
func (r *rules) assign(k Key, reported event.Severity, known []event.Severity, nodes func(*xpath.Expr, string) bool) event.Severity {
	i := r.profiles.find(k, nodes)
	if i < 0 || len(r.assigned[i]) == 0 {
		return reported
	}
	levels := r.assigned[i]
	at := max(0, slices.Index(known, reported))
	if len(known) > len(levels) {
		at = at * len(levels) / len(known)
	}
	return levels[at]
}

// notifies reports whether a change of an alarm is notified: of one that had the severity
// before, event.Cleared for none, and has the other now.
func (r *rules) notifies(before, now event.Severity) bool {
	switch r.notify {
	case raiseAndClear:
		return (before == event.Cleared) != (now == event.Cleared)
	case severityLevel:
		return now == event.Cleared || now >= r.level || before >= r.level
	}
	return true
}

// rulesOf are the rules of a configuration.
func (a *Alarms) rulesOf(running *data.Node) *rules {
	alarms := running.Get(a.nodes.top)
	if r := a.rules.Load(); r != nil && r.of == alarms {
		return r
	}
	r, errs := newRules(a.schema, alarms)
	for _, err := range errs {
		// A commit refuses them; a store from before may have them.
		a.log.Warn("a part of the configuration of alarms is without effect", "err", fmt.Sprint(err))
	}
	a.rules.Store(r)
	return r
}
