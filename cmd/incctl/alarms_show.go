package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

type alarmsShowCommand struct{ alarmArgs }

// Help is shown by `incctl alarms show --help`.
func (*alarmsShowCommand) Help() string {
	return `Shows the alarms of a resource, in the list or on a shelf, with all that is known of them: the changes of their state, and what operators did.

  incctl alarms show P1/eth1 link-down`
}

// Run shows.
func (c *alarmsShowCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		data, list, err := c.find(ctx, s, false)
		if err != nil {
			var onShelf error
			if data, list, onShelf = c.find(ctx, s, true); onShelf != nil {
				return err
			}
		}
		if a.json {
			return a.printAlarmsJSON(ctx, s, data)
		}
		out := a.screen()
		for i := range list {
			if i > 0 {
				fmt.Fprintln(a.stdout)
			}
			out.alarm(&list[i])
		}
		return nil
	})
}

// alarm writes all that is known of an alarm.
func (s screen) alarm(n *alarmEntry) {
	text := func(name string) string { return clean(leaf(n.e, nsAlarms, name)) }
	severity, look := n.severity, severityStyle(n.severity)
	if n.cleared {
		severity, look = "cleared", dim
	}
	fmt.Fprintf(s.w, "%s  %s  %s\n", s.paint(clean(severity), look), s.paint(clean(n.resource), bold), clean(n.typeName()))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(s.w, "  %-12s %s\n", name, value)
		}
	}
	line("text", text("alarm-text"))
	line("type", clean(n.kind))
	line("qualifier", clean(n.qualifier))
	line("shelf", clean(n.shelf))
	if created := text("time-created"); created != "" {
		line("created", s.whenLong(created))
	}
	line("last raised", s.whenLong(text("last-raised")))
	line("last changed", s.whenLong(text("last-changed")))
	for i, c := range children(n.e, nsAlarms, "status-change") {
		title := ""
		if i == 0 {
			title = "history"
		}
		change := leaf(c, nsAlarms, "perceived-severity")
		fmt.Fprintf(s.w, "  %-12s %s  %s  %s\n", title, s.when(leaf(c, nsAlarms, "time")), s.paint(fmt.Sprintf("%-13s", clean(change)), severityStyle(change)), clean(leaf(c, nsAlarms, "alarm-text")))
	}
	for i, c := range children(n.e, nsAlarms, "operator-state-change") {
		title := ""
		if i == 0 {
			title = "operators"
		}
		parts := []string{s.when(leaf(c, nsAlarms, "time")), clean(leaf(c, nsAlarms, "operator")), clean(leaf(c, nsAlarms, "state")), clean(leaf(c, nsAlarms, "text"))}
		fmt.Fprintf(s.w, "  %-12s %s\n", title, strings.TrimSpace(strings.Join(parts, "  ")))
	}
}

// alarmsPart reads a container of /al:alarms.
func (s *session) alarmsPart(ctx context.Context, names ...string) (data *etree.Element, parts map[string]*etree.Element, err error) {
	top := etree.NewElement("alarms")
	top.CreateAttr("xmlns", nsAlarms)
	for _, name := range names {
		top.CreateElement(name)
	}
	if data, err = s.get(ctx, top); err != nil {
		return nil, nil, err
	}
	parts = map[string]*etree.Element{}
	for _, t := range children(data, nsAlarms, "alarms") {
		for _, name := range names {
			for _, e := range children(t, nsAlarms, name) {
				parts[name] = e
			}
		}
	}
	return data, parts, nil
}

type alarmsSummaryCommand struct{}

// Help is shown by `incctl alarms summary --help`.
func (*alarmsSummaryCommand) Help() string {
	return "Counts the alarms of the list by severity, and how many of them are closed. Those on shelves are not among them."
}

// Run counts.
func (*alarmsSummaryCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		data, parts, err := s.alarmsPart(ctx, "summary")
		if err != nil {
			return err
		}
		if a.json {
			return a.printAlarmsJSON(ctx, s, data)
		}
		entries := children(parts["summary"], nsAlarms, "alarm-summary")
		slices.SortFunc(entries, func(x, y *etree.Element) int {
			return slices.Index(alarmSeverities, leaf(y, nsAlarms, "severity")) - slices.Index(alarmSeverities, leaf(x, nsAlarms, "severity"))
		})
		columns := []column{{title: "SEVERITY"}, {title: "TOTAL"}, {title: "ACTIVE"}, {title: "CLOSED"}, {title: "CLEARED"}, {title: "CLOSED"}}
		var rows [][]cell
		for _, e := range entries {
			number := func(name string) cell {
				v := leaf(e, nsAlarms, name)
				if v == "0" {
					return cell{v, dim}
				}
				return cell{clean(v), plain}
			}
			severity := leaf(e, nsAlarms, "severity")
			rows = append(rows, []cell{{clean(severity), severityStyle(severity)}, number("total"), number("not-cleared"), number("not-cleared-closed"), number("cleared"), number("cleared-closed")})
		}
		if err := a.screen().table("", columns, rows); err != nil {
			return err
		}
		if len(children(parts["summary"], nsAlarms, "shelves-active")) > 0 {
			fmt.Fprintln(a.stdout, "\nSome alarms are on shelves; incctl alarms shelf shows them.")
		}
		return nil
	})
}

type alarmsInventoryCommand struct {
	Type string `arg:"" optional:"" help:"An alarm type; without it all are listed."`
}

// Help is shown by `incctl alarms inventory --help`.
func (*alarmsInventoryCommand) Help() string {
	return "Lists the alarm types that may be raised: those of the server's modules, of its configuration, and those that were reported."
}

// Run lists.
func (c *alarmsInventoryCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		data, parts, err := s.alarmsPart(ctx, "alarm-inventory")
		if err != nil {
			return err
		}
		var rows [][]cell
		for _, e := range children(parts["alarm-inventory"], nsAlarms, "alarm-type") {
			n := alarmEntry{kind: identityIn(e, nsAlarms, "alarm-type-id"), qualifier: leaf(e, nsAlarms, "alarm-type-qualifier")}
			if !n.is(c.Type) {
				parts["alarm-inventory"].RemoveChild(e)
				continue
			}
			clears := "yes"
			if leaf(e, nsAlarms, "will-clear") == "false" {
				clears = "no"
			}
			levels := leafList(e, nsAlarms, "severity-level")
			slices.SortFunc(levels, func(x, y string) int { return slices.Index(alarmSeverities, x) - slices.Index(alarmSeverities, y) })
			rows = append(rows, []cell{{clean(n.typeName()), bold}, {clears, plain}, {clean(strings.Join(levels, ", ")), plain}, {clean(leaf(e, nsAlarms, "description")), plain}})
		}
		if a.json {
			return a.printAlarmsJSON(ctx, s, data)
		}
		if len(rows) == 0 {
			return fmt.Errorf("there is no alarm type %s; incctl alarms inventory lists them", cmp.Or(c.Type, "at all"))
		}
		return a.screen().table("", []column{{title: "TYPE", give: true, least: 12}, {title: "CLEARS"}, {title: "SEVERITIES"}, {title: "DESCRIPTION", give: true, least: 20}}, rows)
	})
}

type alarmsShelfCommand struct{}

// Help is shown by `incctl alarms shelf --help`.
func (*alarmsShelfCommand) Help() string {
	return "Lists the shelves in their order, what they take, and how many alarms are on each; and the holds of the server itself, such as maintenance windows. incctl alarms list --shelved lists the alarms."
}

// Run lists.
func (*alarmsShelfCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		data, parts, err := s.alarmsPart(ctx, "control", "shelved-alarms")
		if err != nil {
			return err
		}
		if a.json {
			return a.printAlarmsJSON(ctx, s, data)
		}
		on := map[string]int{}
		for _, e := range children(parts["shelved-alarms"], nsAlarms, "shelved-alarm") {
			on[leaf(e, nsAlarms, "shelf-name")]++
		}
		var rows [][]cell
		for _, c := range children(parts["control"], nsAlarms, "alarm-shelving") {
			for _, e := range children(c, nsAlarms, "shelf") {
				name := leaf(e, nsAlarms, "name")
				var types []string
				for _, t := range children(e, nsAlarms, "alarm-type") {
					types = append(types, strings.TrimSuffix(local(identityIn(t, nsAlarms, "alarm-type-id"))+"="+leaf(t, nsAlarms, "alarm-type-qualifier-match"), "="))
				}
				rows = append(rows, []cell{{clean(name), bold}, {fmt.Sprint(on[name]), plain}, {clean(strings.Join(leafList(e, nsAlarms, "resource"), ", ")), plain},
					{clean(strings.Join(types, ", ")), plain}, {clean(leaf(e, nsAlarms, "description")), plain}})
				delete(on, name)
			}
		}
		var holds []string
		for name := range on {
			holds = append(holds, name)
		}
		slices.Sort(holds)
		for _, name := range holds {
			rows = append(rows, []cell{{clean(name), bold}, {fmt.Sprint(on[name]), plain}, {"", plain}, {"", plain}, {"held by the server", dim}})
		}
		if len(rows) == 0 {
			_, err := fmt.Fprintln(a.stdout, "There are no shelves. incctl alarms shelve --help shows how to make one.")
			return err
		}
		return a.screen().table("", []column{{title: "SHELF", give: true, least: 8}, {title: "ALARMS"}, {title: "RESOURCES", give: true, least: 10}, {title: "TYPES", give: true, least: 10}, {title: "DESCRIPTION", give: true, least: 12}}, rows)
	})
}
