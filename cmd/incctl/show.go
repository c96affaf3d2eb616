package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

type showCommand struct {
	ID string `arg:"" name:"id" help:"The incident, such as inc-12; the number alone will do." complete:"incident"`
}

// Help is shown by `incctl show --help`.
func (*showCommand) Help() string {
	return "Shows one incident with its causes, its explanation and the timeline of its events."
}

// Run prints the incident.
func (c *showCommand) Run(ctx context.Context, a *app) error {
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	id := fullID(c.ID)
	data, err := s.get(ctx, idFilter(id))
	if err != nil {
		return err
	}
	list := decodeIncidents(data)
	if len(list) == 0 {
		return s.unknown(ctx, []string{id})
	}
	if a.json {
		return a.writeJSON(incidentsJSON(list[:1]))
	}
	return a.screen().incident(&list[0])
}

// fullID completes an id that is given as a number.
func fullID(id string) string {
	if id != "" && strings.Trim(id, "0123456789") == "" {
		return "inc-" + id
	}
	return id
}

// idFilter selects whole incidents; given leafs, only these and the id of each.
func idFilter(id string, leafs ...string) *etree.Element {
	top := etree.NewElement("incidents")
	top.CreateAttr("xmlns", nsIncident)
	e := top.CreateElement("incident")
	e.CreateElement("incident-id").SetText(id)
	for _, name := range leafs {
		e.CreateElement(name)
	}
	return top
}

// incident writes everything that is known of an incident.
func (s screen) incident(i *incident) error {
	var b strings.Builder
	state := []string{s.paint(clean(i.Priority), ifOpen(i, priorityStyle(i.Priority))), clean(i.Type), s.paint(clean(i.Status), statusStyle(i.Status))}
	if i.open() || i.acknowledged() {
		state = append(state, clean(i.AckStatus))
	}
	fmt.Fprintf(&b, "%s  %s\n%s\n\n", s.paint(clean(i.ID), bold), s.paint(clean(i.Name), bold), strings.Join(state, ", "))
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-13s %s\n", name, clean(value))
		}
	}
	field("Domain", local(i.Domain))
	field("Category", local(i.Category))
	services := strings.Join(i.ServiceInstances, ", ")
	if services == "" {
		services = "none hurt"
	}
	field("Services", services)
	var risky []string
	for _, v := range i.Impact {
		if v.State == "at-risk" {
			risky = append(risky, v.Service)
		}
	}
	field("At risk", strings.Join(risky, ", "))
	field("Occurred", s.whenLong(i.OccurTime))
	field("Raised", s.whenLong(i.RaiseTime))
	if i.LastUpdated != i.RaiseTime {
		field("Updated", s.whenLong(i.LastUpdated))
	}
	field("Cleared", s.whenLong(i.ClearTime))
	if i.AckTime != "" {
		by := ""
		if i.AckUser != "" {
			by = " by " + i.AckUser
		}
		field("Acknowledged", s.whenLong(i.AckTime)+by)
	}
	field("Labels", strings.Join(i.Labels, ", "))
	if i.Ticket != nil && !*i.Ticket {
		field("Ticket", "not needed")
	}
	field("Merged into", i.MergedInto)
	if i.RecurrenceOf != "" {
		field("Recurs", fmt.Sprintf("last %s, %s before", i.RecurrenceOf, plural(int(number(i.Recurrences)), "time")))
	}
	if i.Sources != nil {
		var nodes []string
		for _, n := range i.Sources.Source {
			nodes = append(nodes, n.Node)
		}
		field("Reported by", strings.Join(nodes, ", "))
	}
	s.section(&b, "Detail", i.Detail)
	s.causes(&b, i)
	s.section(&b, "Explanation", i.Explanation)
	s.section(&b, "Advice", i.ResolveAdvice)
	s.record(&b, i)
	if _, err := fmt.Fprint(s.w, b.String()); err != nil {
		return err
	}
	return s.timeline(i)
}

// record writes what was done to an incident, and said about it.
func (s screen) record(b *strings.Builder, i *incident) {
	if len(i.History) > 0 {
		fmt.Fprintf(b, "\n%s\n", s.paint("History", bold))
	}
	for _, h := range i.History {
		line := s.when(h.Time) + "  " + clean(h.Action)
		if h.User != "" {
			line += " by " + clean(h.User)
		}
		if h.Detail != "" {
			line += ": " + clean(h.Detail)
		}
		b.WriteString(s.wrap("  ", line))
	}
	if len(i.Comments) > 0 {
		fmt.Fprintf(b, "\n%s\n", s.paint("Comments", bold))
	}
	for _, c := range i.Comments {
		b.WriteString(s.wrap("  ", s.when(c.Time)+"  "+clean(c.User)+": "+clean(c.Text)))
	}
}

// number reads a number of a reply, 0 for none.
func number(n json.Number) int64 {
	v, _ := n.Int64()
	return v
}

func (s screen) section(b *strings.Builder, title, text string) {
	if strings.TrimSpace(text) != "" {
		fmt.Fprintf(b, "\n%s\n%s", s.paint(title, bold), s.wrap("  ", text))
	}
}

func (s screen) causes(b *strings.Builder, i *incident) {
	if i.RootCauses == nil || len(i.RootCauses.RootCause) == 0 {
		return
	}
	title := "Root cause"
	if len(i.RootCauses.RootCause) > 1 {
		title = "Root causes"
	}
	fmt.Fprintf(b, "\n%s\n", s.paint(title, bold))
	for _, c := range i.RootCauses.RootCause {
		if len(c.Resource) == 0 {
			fmt.Fprintf(b, "  %s\n", clean(place(c.Node, "", c.CauseName)))
		}
		for _, r := range c.Resource {
			fmt.Fprintf(b, "  %s\n", clean(place(c.Node, r.Name, cmp.Or(r.CauseName, c.CauseName))))
			if r.Detail != "" && r.Detail != c.Detail {
				b.WriteString(s.wrap("    ", r.Detail))
			}
		}
		if c.Detail != "" {
			b.WriteString(s.wrap("    ", c.Detail))
		}
	}
}

// timeline writes the events in the order in which they happened.
func (s screen) timeline(i *incident) error {
	if i.Events == nil || len(i.Events.Event) == 0 {
		return nil
	}
	events := slices.Clone(i.Events.Event)
	at := func(e eventEntry) time.Time {
		if e.Detail == nil {
			return time.Time{}
		}
		return cmp.Or(parseTime(e.Detail.Time), parseTime(e.Detail.Arrival))
	}
	slices.SortStableFunc(events, func(x, y eventEntry) int { return at(x).Compare(at(y)) })
	roots := i.roots()
	layout := "15:04:05.000"
	if first, last := at(events[0]), at(events[len(events)-1]); first.Local().Format(time.DateOnly) != last.Local().Format(time.DateOnly) {
		layout = "2006-01-02 " + layout
	}
	columns := []column{
		{title: "TIME"}, {title: "ROLE"}, {title: "SEVERITY"}, {title: "NODE"}, {title: "RESOURCE", give: true, least: 8},
		{title: "WHAT", give: true, least: 20}, {title: "WHY IT IS HERE", give: true, least: 14},
	}
	var rows [][]cell
	for _, e := range events {
		rows = append(rows, s.event(e, at(e), layout, roots[eventRef{e.Type, e.ID}]))
	}
	if _, err := fmt.Fprintf(s.w, "\n%s\n", s.paint("Events ("+fmt.Sprint(len(events))+")", bold)); err != nil {
		return err
	}
	return s.table("  ", columns, rows)
}

func (s screen) event(e eventEntry, at time.Time, layout string, root bool) []cell {
	d := e.Detail
	if d == nil {
		d = &eventDetail{}
		if e.Alarm != nil {
			d.Resource, d.Type = e.Alarm.Resource, e.Alarm.Type
		}
	}
	stamp := ""
	if !at.IsZero() {
		stamp = at.Local().Format(layout)
	}
	role := d.Role
	if root {
		role = "root"
	}
	roleStyle := plain
	if role == "root" {
		roleStyle = bold
	}
	severity := d.Severity
	over := d.Cleared != nil && *d.Cleared
	with := severityStyle(severity)
	if over {
		with = dim
		if severity != "cleared" {
			severity += ", over"
		}
	}
	what := cmp.Or(d.Text, d.Type, e.ID)
	if m := cmp.Or(e.KPI, e.Symptom); m != nil && d.Text == "" {
		what += " " + m.Value
		if m.Threshold != "" {
			what += " (threshold " + m.Threshold + ")"
		}
	}
	return []cell{
		{stamp, plain}, {clean(role), roleStyle}, {clean(severity), with}, {clean(d.Node), plain}, {clean(d.Resource), plain},
		{clean(what), plain}, {clean(d.Reason), dim},
	}
}
