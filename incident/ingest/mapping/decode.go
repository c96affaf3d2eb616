package mapping

import (
	"regexp"
	"slices"
	"strings"

	"incidentd/incident/event"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// decoder reads the container mapping, and gathers what is wrong with it.
type decoder struct{ errs rpcerr.Errors }

// fault keeps an error about a leaf of a place.
func (d *decoder) fault(at *data.Loc, leaf string, err error) {
	d.errs = append(d.errs, rpcerr.InvalidValue("%v", err).At(at.Down(at.Node.Child(leaf)).Path()))
}

// table reads the rules of a table, none if it is not enabled.
func (d *decoder) table(at *data.Loc) (rules []*rule) {
	if at.Node.Leaf("enabled") == "false" {
		return nil
	}
	for r := range at.Node.Entries("rule") {
		loc := at.Down(r)
		out := &rule{table: at.Node.Leaf("name"), name: r.Leaf("name")}
		if m := r.Child("match"); m != nil {
			out.match = d.match(loc.Down(m))
		}
		if e := r.Child("event"); e != nil {
			out.event = d.outline(loc.Down(e))
		}
		rules = append(rules, out)
	}
	return rules
}

func (d *decoder) match(at *data.Loc) match {
	n := at.Node
	m := match{kinds: n.Values("source-kind"), sources: n.Values("source"), ids: n.Values("message-id"), oids: n.Values("oid"), text: d.pattern(at, "text")}
	for _, app := range n.Values("app-name") {
		m.apps = append(m.apps, strings.ToLower(app))
	}
	if m.text != nil {
		m.literals = literals(n.Leaf("text"))
	}
	for f := range n.Entries("field") {
		m.fields = append(m.fields, fieldMatch{f.Leaf("name"), d.pattern(at.Down(f), "pattern")})
	}
	return m
}

// pattern reads a leaf that holds a pattern; nil when it is absent or wrong.
func (d *decoder) pattern(at *data.Loc, leaf string) *regexp.Regexp {
	text := at.Node.Leaf(leaf)
	if text == "" {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		d.fault(at, leaf, err)
		return nil
	}
	return re
}

func (d *decoder) outline(at *data.Loc) *outline {
	n := at.Node
	o := &outline{}
	for _, t := range []struct {
		leaf string
		to   *template
	}{
		{"node", &o.node}, {"resource", &o.resource}, {"alarm-type-id", &o.typeID}, {"alarm-type-qualifier", &o.qualifier},
		{"time", &o.time}, {"text", &o.text}, {"value", &o.value}, {"threshold", &o.threshold},
	} {
		parsed, err := parseTemplate(n.Leaf(t.leaf))
		if err != nil {
			d.fault(at, t.leaf, err)
		}
		*t.to = parsed
	}
	o.kind, _ = event.ParseKind(n.Leaf("kind")) // the enumeration has the same names
	o.severity, _ = event.ParseSeverity(n.Leaf("severity"))
	if by := n.Child("severity-of"); by != nil {
		o.severityBy, o.severities = by.Leaf("name"), map[string]event.Severity{}
		for s := range by.Entries("severity") {
			o.severities[strings.ToLower(s.Leaf("value"))], _ = event.ParseSeverity(s.Leaf("severity"))
		}
	}
	if c := n.Child("clear-when"); c != nil {
		o.clearBy, o.clear = c.Leaf("name"), d.pattern(at.Down(c), "pattern")
	}
	return o
}

// decodeNames reads the aliases.
func decodeNames(n *data.Node) *names {
	out := &names{short: n.Leaf("short-names") != "false", aliases: map[string]string{}, aliased: map[string]bool{}, resources: map[[2]string]string{}}
	for a := range n.Entries("alias") {
		out.aliases[strings.ToLower(a.Leaf("name"))] = a.Leaf("node")
		out.aliased[a.Leaf("node")] = true
	}
	for a := range n.Entries("resource-alias") {
		out.resources[[2]string{a.Leaf("node"), a.Leaf("name")}] = a.Leaf("resource")
	}
	return out
}

// tables are those that a configuration uses, in their order.
func tables(config *data.Node, builtin []*data.Node) []*data.Node {
	return append(slices.Collect(config.Entries("table")), Used(config, builtin)...)
}

// Used are the tables that come with the server which a configuration uses: those that have
// no other of their name there.
func Used(config *data.Node, builtin []*data.Node) (used []*data.Node) {
	if config.Leaf("builtin") == "false" {
		return nil
	}
	for _, t := range builtin {
		if config.EntryNamed("table", t.Leaf("name")) == nil {
			used = append(used, t)
		}
	}
	return used
}
