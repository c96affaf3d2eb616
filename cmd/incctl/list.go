package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// priorities, the most urgent first.
var priorities = []string{"critical", "high", "medium", "low"}

type listCommand struct {
	Status   []string `help:"Statuses to list: open (raised and updated), raised, updated, cleared or all." enum:"open,all,raised,updated,cleared" default:"open" placeholder:"STATUS"`
	Priority []string `help:"Priorities to list: critical, high, medium, low." enum:"critical,high,medium,low" placeholder:"PRIORITY"`
	Service  []string `help:"Services of which one must be hurt." placeholder:"NAME"`
	Node     []string `help:"Nodes of which one must be among the sources and root causes; looks into the history." placeholder:"NODE"`
	All      bool     `help:"Incidents of the history too, which have left the list."`
	Since    string   `help:"Only incidents that were open at this time or later, of the history too: a time, or how long ago, such as 36h or 7d." placeholder:"TIME"`
	Until    string   `help:"Only incidents that were raised by this time, of the history too." placeholder:"TIME"`
	Limit    int      `help:"How many of the history at most, the newest." default:"100" placeholder:"N"`
	Relative bool     `short:"r" help:"Show ages instead of times."`
}

// Help is shown by `incctl list --help`.
func (*listCommand) Help() string {
	return `Lists incidents, the newest first. Without --status those that are open.
With --all, --since, --until or --node it is the history, where cleared incidents are too, unless --status says otherwise.

  incctl list --all --since 7d --service VPN-A
  incctl list --node PE1 --since 2026-11-01 --until 2026-11-08`
}

// Run prints the incidents.
func (c *listCommand) Run(ctx context.Context, a *app) error {
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	fetch := c.fetch
	if c.past() {
		fetch = c.fetchPast
	}
	list, err := fetch(ctx, s)
	if err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(incidentsJSON(list))
	}
	if len(list) == 0 {
		if c.narrow() {
			fmt.Fprintln(a.stdout, "No incidents match.")
		} else {
			fmt.Fprintln(a.stdout, "No incidents.")
		}
		return nil
	}
	out := a.screen()
	out.relative = c.Relative
	if err := out.incidents(list); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\n%s\n", summary(list))
	return nil
}

// narrow reports whether the user asked for less than what is open.
func (c *listCommand) narrow() bool {
	return len(c.Priority) > 0 || len(c.Service) > 0 || len(c.Node) > 0 || c.Since+c.Until != "" || !slices.Contains(c.Status, "open") && !slices.Contains(c.Status, "all")
}

// statuses returns the values of the leaf status that are wanted; none means any.
func (c *listCommand) statuses() (list []string) {
	for _, s := range c.Status {
		switch s {
		case "all":
			return nil
		case "open":
			list = append(list, "raised", "updated")
		default:
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// fetch asks for the leafs that the table shows, of the incidents that it shows. The
// server selects by status and priority; services are compared here, since a filter
// that matches one value of a leaf-list leaves out the others.
func (c *listCommand) fetch(ctx context.Context, s *session) ([]incident, error) {
	data, err := s.get(ctx, listFilter(c.statuses(), c.Priority))
	if err != nil {
		return nil, err
	}
	list := decodeIncidents(data)
	list = slices.DeleteFunc(list, func(i incident) bool { return !c.wanted(&i) })
	newestFirst(list)
	return list, nil
}

func (c *listCommand) wanted(i *incident) bool {
	in := func(v string, of []string) bool { return len(of) == 0 || slices.Contains(of, v) }
	return in(i.Status, c.statuses()) && in(i.Priority, c.Priority) &&
		(len(c.Service) == 0 || slices.ContainsFunc(i.ServiceInstances, func(s string) bool { return slices.Contains(c.Service, s) }))
}

// listFilter is a subtree filter [RFC 6241 section 6] with one entry for each pair of
// values; no values match any.
func listFilter(statuses, priorities []string) *etree.Element {
	top := etree.NewElement("incidents")
	top.CreateAttr("xmlns", nsIncident)
	or := func(values []string) []string {
		if len(values) == 0 {
			return []string{""}
		}
		return values
	}
	for _, status := range or(statuses) {
		for _, priority := range or(priorities) {
			e := top.CreateElement("incident")
			e.CreateElement("status").SetText(status)
			e.CreateElement("priority").SetText(priority)
			for _, name := range []string{
				"incident-id", "csn", "name", "type", "domain", "category", "ack-status", "service-instance",
				"raise-time", "clear-time", "last-updated",
			} {
				e.CreateElement(name)
			}
			cause := e.CreateElement("root-causes").CreateElement("root-cause")
			cause.CreateElement("node")
			cause.CreateElement("cause-name")
			res := cause.CreateElement("resource")
			res.CreateElement("name")
			res.CreateElement("cause-name")
			own := e.CreateElement("ticket")
			own.CreateAttr("xmlns", nsAddition)
		}
	}
	return top
}

// incidents writes the table of incidents.
func (s screen) incidents(list []incident) error {
	columns := []column{
		{title: "ID"}, {title: "PRIORITY"}, {title: "STATUS"}, {title: "ACK"}, {title: "RAISED"},
		{title: "NAME", give: true, least: 12}, {title: "ROOT CAUSE", give: true, least: 10}, {title: "SERVICES", give: true, least: 8},
	}
	var rows [][]cell
	for _, i := range list {
		faded := plain
		if !i.open() {
			faded = dim
		}
		ack := "-"
		if i.acknowledged() {
			ack = "yes"
		}
		rows = append(rows, []cell{
			{clean(i.ID), faded}, {clean(i.Priority), ifOpen(&i, priorityStyle(i.Priority))}, {clean(i.Status), statusStyle(i.Status)},
			{ack, faded}, {s.when(i.RaiseTime), faded}, {clean(i.Name), ifOpen(&i, bold)},
			{clean(first(i.rootCauses())), faded}, {clean(strings.Join(i.ServiceInstances, ", ")), faded},
		})
	}
	return s.table("", columns, rows)
}

func ifOpen(i *incident, with style) style {
	if i.open() {
		return with
	}
	return dim
}

// first names the first of a list and how many follow.
func first(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return fmt.Sprintf("%s (+%d)", list[0], len(list)-1)
}

// summary counts the incidents in a sentence.
func summary(list []incident) string {
	count := map[string]int{}
	open, unacknowledged, cleared := 0, 0, 0
	for _, i := range list {
		if !i.open() {
			cleared++
			continue
		}
		open++
		count[i.Priority]++
		if !i.acknowledged() {
			unacknowledged++
		}
	}
	parts := []string{}
	for _, p := range priorities {
		if n := count[p]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, p))
		}
	}
	s := plural(open, "open incident")
	if len(parts) > 0 {
		s += ": " + strings.Join(parts, ", ")
	}
	if open > 0 {
		s += fmt.Sprintf("; %d unacknowledged", unacknowledged)
	}
	if cleared > 0 {
		s += fmt.Sprintf("; %d cleared", cleared)
	}
	return s + "."
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
