package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

const nsCorrelation = "urn:incidentd:yang:correlation"

type dryRunCommand struct {
	File  string `arg:"" optional:"" help:"A <correlation> of incidentd-correlation in XML to try; - reads standard input. The candidate's if left out."`
	Hours int    `help:"How many hours of events to replay." default:"24" placeholder:"N"`
}

// Help is shown by `incctl dry-run --help`.
func (*dryRunCommand) Help() string {
	return `Replays the events of the past by the correlation of running and by another, and shows which incidents would have been others. Nothing is changed.

  incctl set /correlation/timing/clear-hold 60000 && incctl dry-run --hours 48
  incctl dry-run proposed.xml --timeout 10m

A long replay takes its time; --timeout says how long to wait.`
}

// trial is the output of dry-run.
type trial struct {
	From           string       `json:"from,omitempty"`
	Until          string       `json:"until,omitempty"`
	Events         string       `json:"events,omitempty"`
	Incidents      json.Number  `json:"incidents,omitempty"`
	IncidentsAfter json.Number  `json:"incidents-after,omitempty"`
	Differences    []difference `json:"difference,omitempty"`
	Omitted        json.Number  `json:"differences-omitted,omitempty"`
}

// difference is an incident that would be another.
type difference struct {
	Number json.Number `json:"number"`
	What   []string    `json:"what,omitempty"`
	Before *outlined   `json:"before,omitempty"`
	After  *outlined   `json:"after,omitempty"`
}

// outlined is an incident in short.
type outlined struct {
	Name      string      `json:"name,omitempty"`
	Priority  string      `json:"priority,omitempty"`
	Ticket    *bool       `json:"ticket,omitempty"`
	RaiseTime string      `json:"raise-time,omitempty"`
	RootCause *possible   `json:"root-cause,omitempty"`
	Events    json.Number `json:"events,omitempty"`
	EventIDs  []string    `json:"event-id,omitempty"`
	Services  []string    `json:"service-instance,omitempty"`
}

// Run tries.
func (c *dryRunCommand) Run(ctx context.Context, a *app) error {
	if c.Hours < 1 || c.Hours > 8760 {
		return fmt.Errorf("--hours must be from 1 to 8760, not %d", c.Hours)
	}
	var given []*etree.Element
	if c.File != "" {
		e, err := a.correlation(c.File)
		if err != nil {
			return err
		}
		given = append(given, e)
	}
	return a.with(ctx, func(ctx context.Context, s *session) error {
		reply, err := s.manage(ctx, "dry-run", parameters{{"hours", fmt.Sprint(c.Hours)}}, given...)
		if err != nil {
			return err
		}
		t := decodeTrial(reply)
		if a.json {
			return a.writeJSON(map[string]any{"incidentd-management:output": t})
		}
		return a.screen().trial(&t)
	})
}

// correlation reads a <correlation>, alone or in a <config>, as the parameter of dry-run:
// the same elements in the namespace of the operation.
func (a *app) correlation(file string) (*etree.Element, error) {
	name, text, err := a.read(file)
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	e := doc.Root()
	if e != nil && e.Tag != "correlation" {
		e = e.FindElement("correlation")
	}
	if e == nil || e.NamespaceURI() != nsCorrelation {
		return nil, fmt.Errorf("%s: there is no <correlation> of the namespace %s", name, nsCorrelation)
	}
	var adopt func(*etree.Element)
	adopt = func(e *etree.Element) {
		e.Space, e.Attr = "", nil
		for _, c := range e.ChildElements() {
			adopt(c)
		}
	}
	e = e.Copy()
	adopt(e)
	return e, nil
}

func decodeTrial(e *etree.Element) trial {
	text := func(name string) string { return leaf(e, nsManagement, name) }
	t := trial{From: text("from"), Until: text("until"), Events: text("events"), Incidents: json.Number(text("incidents")),
		IncidentsAfter: json.Number(text("incidents-after")), Omitted: json.Number(text("differences-omitted"))}
	for _, d := range children(e, nsManagement, "difference") {
		t.Differences = append(t.Differences, difference{json.Number(leaf(d, nsManagement, "number")), leafList(d, nsManagement, "what"),
			decodeOutlined(d, "before"), decodeOutlined(d, "after")})
	}
	return t
}

func decodeOutlined(d *etree.Element, name string) *outlined {
	for _, e := range children(d, nsManagement, name) {
		text := func(name string) string { return leaf(e, nsManagement, name) }
		o := &outlined{Name: text("name"), Priority: text("priority"), Ticket: boolean(text("ticket")), RaiseTime: text("raise-time"), Events: json.Number(text("events")),
			EventIDs: leafList(e, nsManagement, "event-id"), Services: leafList(e, nsManagement, "service-instance")}
		if list := decodePossible(e, "root-cause"); len(list) > 0 {
			o.RootCause = &list[0]
		}
		return o
	}
	return nil
}

// trial writes what would be different.
func (s screen) trial(t *trial) error {
	var b strings.Builder
	for _, d := range t.Differences {
		switch {
		case d.After == nil:
			fmt.Fprintf(&b, "%s %s\n", s.paint("- gone:", red), s.outlined(d.Before))
		case d.Before == nil:
			fmt.Fprintf(&b, "%s %s\n", s.paint("+ new:", green), s.outlined(d.After))
		default:
			fmt.Fprintf(&b, "%s other %s\n", s.paint("~ changed:", yellow), clean(strings.Join(d.What, ", ")))
			fmt.Fprintf(&b, "    - %s\n    + %s\n", s.outlined(d.Before), s.outlined(d.After))
		}
	}
	if n := number(t.Omitted); n > 0 {
		fmt.Fprintf(&b, "and %s\n", plural(int(n), "more difference"))
	}
	if t.Events == "0" || t.Events == "" {
		b.WriteString("There are no events of that time.\n")
	} else {
		if len(t.Differences) == 0 {
			b.WriteString("No incident would be another.\n")
		}
		fmt.Fprintf(&b, "\n%s events from %s to %s: %s, %s by the other correlation.\n", t.Events, s.when(t.From), s.when(t.Until),
			plural(int(number(t.Incidents)), "incident"), string(t.IncidentsAfter))
	}
	_, err := fmt.Fprint(s.w, b.String())
	return err
}

// outlined writes an incident in a line.
func (s screen) outlined(o *outlined) string {
	parts := []string{s.paint(clean(o.Priority), priorityStyle(o.Priority)), clean(o.Name)}
	if r := o.RootCause; r != nil {
		parts = append(parts, clean(place(r.Node, r.Resource, r.CauseName)))
	}
	parts = append(parts, plural(int(number(o.Events)), "event"))
	if o.Ticket != nil && !*o.Ticket {
		parts = append(parts, "no ticket")
	}
	if n := len(o.EventIDs); n > 0 {
		parts = append(parts, s.paint("of its own: "+clean(strings.Join(o.EventIDs, ", ")), dim))
	}
	return strings.Join(parts, "  ")
}
