package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/show"
)

const (
	nsAlarms     = "urn:ietf:params:xml:ns:yang:ietf-alarms"
	nsAlarmTypes = "urn:incidentd:yang:alarm-types"
)

// alarmsCommand are the commands about the alarms of RFC 8632.
type alarmsCommand struct {
	List      alarmsListCommand      `cmd:"" help:"List alarms."`
	Show      alarmsShowCommand      `cmd:"" help:"Show an alarm with its history and what operators did."`
	Summary   alarmsSummaryCommand   `cmd:"" help:"Count alarms by severity."`
	Inventory alarmsInventoryCommand `cmd:"" help:"List the alarm types that there are."`
	Shelf     alarmsShelfCommand     `cmd:"" help:"List the shelves, and how many alarms are on each."`
	Ack       alarmsAckCommand       `cmd:"" help:"Tell that somebody sees to an alarm."`
	Close     alarmsCloseCommand     `cmd:"" help:"Tell that an alarm has been dealt with."`
	Reopen    alarmsReopenCommand    `cmd:"" help:"Tell that nobody sees to an alarm any more."`
	Shelve    alarmsShelveCommand    `cmd:"" help:"Put alarms on a shelf, now and as they come."`
	Unshelve  alarmsUnshelveCommand  `cmd:"" help:"Take a shelf away; its alarms are back in the list."`
	Purge     alarmsPurgeCommand     `cmd:"" help:"Remove alarms from the list, or from the shelves."`
	Compress  alarmsCompressCommand  `cmd:"" help:"Forget all but the latest change of alarms."`
}

// alarmEntry is an alarm, in the list or on a shelf.
type alarmEntry struct {
	e                         *etree.Element
	resource, kind, qualifier string // kind is module:identity
	severity, text, changed   string
	cleared                   bool
	state, operator           string // the latest, "" without one
	shelf                     string
}

// typeName is the alarm type for people: the identity without its module, or the word of
// the reporter.
func (n *alarmEntry) typeName() string {
	if name := local(n.kind); name != "reported" {
		if n.qualifier != "" {
			return name + "/" + n.qualifier
		}
		return name
	}
	return n.qualifier
}

// is reports whether the user has meant this alarm type.
func (n *alarmEntry) is(word string) bool {
	return word == "" || word == n.typeName() || word == n.kind || word == local(n.kind) || word == n.qualifier
}

func decodeAlarm(e *etree.Element) alarmEntry {
	text := func(name string) string { return leaf(e, nsAlarms, name) }
	n := alarmEntry{e: e, resource: text("resource"), kind: identityIn(e, nsAlarms, "alarm-type-id"), qualifier: text("alarm-type-qualifier"),
		severity: text("perceived-severity"), text: text("alarm-text"), changed: text("last-changed"), cleared: text("is-cleared") == "true", shelf: text("shelf-name")}
	for _, c := range children(e, nsAlarms, "operator-state-change") {
		n.state, n.operator = leaf(c, nsAlarms, "state"), leaf(c, nsAlarms, "operator")
		break // the latest stands first
	}
	return n
}

// alarmList names the container and the list of alarms, or of those on shelves.
func alarmList(shelved bool) (container, list string) {
	if shelved {
		return "shelved-alarms", "shelved-alarm"
	}
	return "alarm-list", "alarm"
}

// alarms reads the alarms that a filter's entry selects; it may be nil for all. data is what
// the server has sent, without those that wanted does not want.
func (s *session) alarms(ctx context.Context, shelved bool, entry []*etree.Element, wanted func(*alarmEntry) bool) (data *etree.Element, list []alarmEntry, err error) {
	container, name := alarmList(shelved)
	top := etree.NewElement("alarms")
	top.CreateAttr("xmlns", nsAlarms)
	filter := top.CreateElement(container).CreateElement(name)
	for _, e := range entry {
		filter.AddChild(e)
	}
	if data, err = s.get(ctx, top); err != nil {
		return nil, nil, err
	}
	for _, top := range children(data, nsAlarms, "alarms") {
		for _, c := range children(top, nsAlarms, container) {
			for _, e := range children(c, nsAlarms, name) {
				n := decodeAlarm(e)
				if wanted(&n) {
					list = append(list, n)
				} else {
					c.RemoveChild(e)
				}
			}
		}
	}
	return data, list, nil
}

// printAlarmsJSON prints what the server has sent in the JSON of RFC 7951.
func (a *app) printAlarmsJSON(ctx context.Context, s *session, data *etree.Element) error {
	schema, err := a.schema(ctx, s)
	if err != nil {
		return err
	}
	ans, err := parse(schema, data)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(a.stdout, show.JSON(ans.tree, true))
	return err
}

type alarmsListCommand struct {
	Severity []string `help:"Severities to list: critical, major, minor, warning, indeterminate." enum:"critical,major,minor,warning,indeterminate" placeholder:"SEVERITY"`
	Status   string   `help:"active, cleared or any." enum:"active,cleared,any" default:"active" placeholder:"STATUS"`
	State    []string `help:"Operator states to list: none, ack, closed, shelved, un-shelved." enum:"none,ack,closed,shelved,un-shelved" placeholder:"STATE"`
	Resource string   `help:"A resource, with all that is below it: P1 or P1/eth1." placeholder:"NAME" complete:"alarm"`
	Type     string   `help:"An alarm type, such as link-down." placeholder:"TYPE"`
	Shelved  bool     `help:"List those on shelves."`
	Relative bool     `short:"r" help:"Show ages instead of times."`
}

// Help is shown by `incctl alarms list --help`.
func (*alarmsListCommand) Help() string {
	return `Lists the alarms that are active, the worst first.

  incctl alarms list --resource P1
  incctl alarms list --status any --state none --severity critical --severity major
  incctl alarms list --shelved`
}

// Run lists.
func (c *alarmsListCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		data, list, err := s.alarms(ctx, c.Shelved, c.filter(a.json), c.wanted)
		if err != nil {
			return err
		}
		if a.json {
			return a.printAlarmsJSON(ctx, s, data)
		}
		if len(list) == 0 {
			_, err := fmt.Fprintln(a.stdout, "No alarms.")
			return err
		}
		slices.SortStableFunc(list, func(x, y alarmEntry) int { return alarmRank(&y) - alarmRank(&x) })
		out := a.screen()
		out.relative = c.Relative
		return out.alarms(list, c.Shelved)
	})
}

// filter is what the server selects: what it can compare, and the leafs that are shown.
func (c *alarmsListCommand) filter(all bool) (entry []*etree.Element) {
	add := func(name, text string) {
		e := etree.NewElement(name)
		e.SetText(text)
		entry = append(entry, e)
	}
	if c.Status != "any" {
		add("is-cleared", strconv.FormatBool(c.Status == "cleared"))
	}
	if len(c.Severity) == 1 {
		add("perceived-severity", c.Severity[0])
	}
	if !all {
		for _, name := range []string{"resource", "alarm-type-id", "alarm-type-qualifier", "is-cleared", "last-changed", "perceived-severity", "alarm-text", "operator-state-change"} {
			add(name, "")
		}
		if c.Shelved {
			add("shelf-name", "")
		}
	}
	return entry
}

func (c *alarmsListCommand) wanted(n *alarmEntry) bool {
	in := func(v string, of []string) bool { return len(of) == 0 || slices.Contains(of, v) }
	state := n.state
	if state == "" {
		state = "none"
	}
	return in(n.severity, c.Severity) && in(state, c.State) && n.is(c.Type) &&
		(c.Status == "any" || (c.Status == "cleared") == n.cleared) &&
		(c.Resource == "" || n.resource == c.Resource || strings.HasPrefix(n.resource, c.Resource+"/"))
}

// alarmSeverities are the severities in rising order.
var alarmSeverities = []string{"indeterminate", "warning", "minor", "major", "critical"}

// alarmRank orders alarms: those that are active come first, by severity.
func alarmRank(n *alarmEntry) int {
	rank := slices.Index(alarmSeverities, n.severity)
	if !n.cleared {
		rank += len(alarmSeverities)
	}
	return rank
}

// alarms writes the table of alarms.
func (s screen) alarms(list []alarmEntry, shelved bool) error {
	columns := []column{{title: "SEVERITY"}, {title: "RESOURCE", give: true, least: 10}, {title: "TYPE", give: true, least: 10}, {title: "STATE"}, {title: "CHANGED"}}
	if shelved {
		columns = append(columns, column{title: "SHELF", give: true, least: 8})
	}
	columns = append(columns, column{title: "TEXT", give: true, least: 12})
	var rows [][]cell
	for i := range list {
		n := &list[i]
		severity, look := n.severity, severityStyle(n.severity)
		if n.cleared {
			severity, look = "cleared", dim
		}
		state := n.state
		if n.operator != "" && !shelved {
			state += " " + n.operator
		}
		row := []cell{{clean(severity), look}, {clean(n.resource), plain}, {clean(n.typeName()), plain}, {clean(state), dim}, {s.when(n.changed), plain}}
		if shelved {
			row = append(row, cell{clean(n.shelf), plain})
		}
		rows = append(rows, append(row, cell{clean(n.text), plain}))
	}
	return s.table("", columns, rows)
}

// alarmArgs name an alarm, or all of a resource.
type alarmArgs struct {
	Resource  string `arg:"" help:"The resource, as incctl alarms list shows it: P1/eth1." complete:"alarm"`
	Type      string `arg:"" optional:"" help:"The alarm type, such as link-down; without it all alarms of the resource are meant."`
	Qualifier string `arg:"" optional:"" help:"The qualifier of the alarm type."`
}

// find reads the alarms that are meant, in the list or on shelves. It is an error if there
// are none.
func (c *alarmArgs) find(ctx context.Context, s *session, shelved bool) (data *etree.Element, list []alarmEntry, err error) {
	resource := etree.NewElement("resource")
	resource.SetText(c.Resource)
	data, list, err = s.alarms(ctx, shelved, []*etree.Element{resource}, func(n *alarmEntry) bool {
		return n.is(c.Type) && (c.Qualifier == "" || c.Qualifier == n.qualifier)
	})
	if err == nil && len(list) == 0 {
		where := "in the list of alarms"
		if shelved {
			where = "on a shelf"
		}
		err = fmt.Errorf("no alarm %s is %s", strings.TrimSpace(c.Resource+" "+c.Type+" "+c.Qualifier), where)
	}
	return data, list, err
}
