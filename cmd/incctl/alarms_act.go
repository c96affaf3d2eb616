package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// operatorState gives the alarms that are meant an operator state.
func (c *alarmArgs) operatorState(ctx context.Context, a *app, state, text, said string) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		_, list, err := c.find(ctx, s, false)
		if err != nil {
			return err
		}
		for i := range list {
			top := etree.NewElement("alarms")
			top.CreateAttr("xmlns", nsAlarms)
			entry := top.CreateElement("alarm-list").CreateElement("alarm")
			for _, name := range []string{"resource", "alarm-type-id", "alarm-type-qualifier"} {
				for _, k := range children(list[i].e, nsAlarms, name) {
					key := k.Copy()
					inherit(k, key)
					entry.AddChild(key)
				}
			}
			op := entry.CreateElement("set-operator-state")
			op.CreateElement("state").SetText(state)
			if text != "" {
				op.CreateElement("text").SetText(text)
			}
			if _, err := s.c.Action(ctx, marshal(top)); err != nil {
				return fmt.Errorf("%s %s: %w", list[i].resource, list[i].typeName(), err)
			}
			if a.json {
				continue
			}
			fmt.Fprintf(a.stdout, "%s %s  %s\n", said, clean(list[i].resource), clean(list[i].typeName()))
		}
		if a.json {
			return a.done("", "state", state, "alarms", strconv.Itoa(len(list)))
		}
		return nil
	})
}

type alarmsAckCommand struct {
	alarmArgs
	Text string `short:"m" help:"A remark." placeholder:"TEXT"`
}

// Help is shown by `incctl alarms ack --help`.
func (*alarmsAckCommand) Help() string {
	return "Gives alarms the operator state ack: somebody sees to them. Incidents are acknowledged by incctl ack."
}

// Run acknowledges.
func (c *alarmsAckCommand) Run(ctx context.Context, a *app) error {
	return c.operatorState(ctx, a, "ack", c.Text, "Acknowledged")
}

type alarmsCloseCommand struct {
	alarmArgs
	Text string `short:"m" help:"A remark." placeholder:"TEXT"`
}

// Help is shown by `incctl alarms close --help`.
func (*alarmsCloseCommand) Help() string {
	return "Gives alarms the operator state closed: they have been dealt with. incctl alarms purge --state closed removes them."
}

// Run closes.
func (c *alarmsCloseCommand) Run(ctx context.Context, a *app) error {
	return c.operatorState(ctx, a, "closed", c.Text, "Closed")
}

type alarmsReopenCommand struct {
	alarmArgs
	Text string `short:"m" help:"A remark." placeholder:"TEXT"`
}

// Help is shown by `incctl alarms reopen --help`.
func (*alarmsReopenCommand) Help() string {
	return "Gives alarms the operator state none: nobody sees to them."
}

// Run takes the state back.
func (c *alarmsReopenCommand) Run(ctx context.Context, a *app) error {
	return c.operatorState(ctx, a, "none", c.Text, "Reopened")
}

type alarmsShelveCommand struct {
	Name        string   `arg:"" help:"The shelf, which is made, or takes more than before." complete:"shelf"`
	Resource    []string `help:"Resources to put there, as regular expressions of XML Schema: P1/eth1, or P1(/.*)? for all of P1." placeholder:"PATTERN" sep:"none"`
	Type        []string `help:"Alarm types to put there, with those that derive from them: link-down, communications, or reported=WORD for a word of a reporter." placeholder:"TYPE[=QUALIFIER]" sep:"none"`
	Description string   `short:"m" help:"Why." placeholder:"TEXT"`
}

// Help is shown by `incctl alarms shelve --help`.
func (*alarmsShelveCommand) Help() string {
	return `Puts the alarms that fit on a shelf of running, those that come later too, until incctl alarms unshelve. Nobody is notified of shelved alarms.

  incctl alarms shelve cutover --resource 'P1(/.*)?' -m "P1 gets a new line card"
  incctl alarms shelve fans --type reported=FAN.*`
}

// Validate is called by the parser.
func (c *alarmsShelveCommand) Validate() error {
	if len(c.Resource)+len(c.Type) == 0 {
		return errors.New("--resource or --type says what to shelve")
	}
	return nil
}

// Run shelves.
func (c *alarmsShelveCommand) Run(ctx context.Context, a *app) error {
	top, shelf := shelfElement(c.Name)
	for _, r := range c.Resource {
		shelf.CreateElement("resource").SetText(r)
	}
	for _, t := range c.Type {
		name, qualifier, given := strings.Cut(t, "=")
		if !given {
			qualifier = ".*"
		}
		e := shelf.CreateElement("alarm-type")
		setAlarmType(e, name)
		e.CreateElement("alarm-type-qualifier-match").SetText(qualifier)
	}
	if c.Description != "" {
		shelf.CreateElement("description").SetText(c.Description)
	}
	return c.edit(ctx, a, top, "Shelved by "+c.Name+".")
}

// edit changes running and says so.
func (c *alarmsShelveCommand) edit(ctx context.Context, a *app, top *etree.Element, said string) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if err := s.c.EditConfig(ctx, "running", marshal(top), ""); err != nil {
			return err
		}
		a.changed("running")
		return a.done(said+" incctl alarms shelf shows the shelves.", "shelf", c.Name)
	})
}

type alarmsUnshelveCommand struct {
	Name string `arg:"" help:"The shelf." complete:"shelf"`
}

// Help is shown by `incctl alarms unshelve --help`.
func (*alarmsUnshelveCommand) Help() string {
	return "Deletes a shelf from running. Its alarms go to the next shelf that takes them, or are back in the list; who follows the alarms is told where they stand."
}

// Run unshelves.
func (c *alarmsUnshelveCommand) Run(ctx context.Context, a *app) error {
	top, shelf := shelfElement(c.Name)
	shelf.CreateAttr("xmlns:nc", nsBase)
	shelf.CreateAttr("nc:operation", "delete")
	return (&alarmsShelveCommand{Name: c.Name}).edit(ctx, a, top, "The shelf "+c.Name+" is gone.")
}

// shelfElement is a shelf in the configuration.
func shelfElement(name string) (top, shelf *etree.Element) {
	top = etree.NewElement("alarms")
	top.CreateAttr("xmlns", nsAlarms)
	shelf = top.CreateElement("control").CreateElement("alarm-shelving").CreateElement("shelf")
	shelf.CreateElement("name").SetText(name)
	return top, shelf
}

// setAlarmType adds the identity of an alarm type, which without a module is one of
// incidentd-alarm-types.
func setAlarmType(e *etree.Element, name string) {
	space := nsAlarmTypes
	if module, local, ok := strings.Cut(name, ":"); ok {
		for ns, m := range modules {
			if m == module {
				space = ns
			}
		}
		name = local
	}
	leaf := e.CreateElement("alarm-type-id")
	leaf.CreateAttr("xmlns:t", space)
	leaf.SetText("t:" + name)
}

type alarmsPurgeCommand struct {
	Status    string        `help:"active, cleared or any." enum:"active,cleared,any" default:"cleared" placeholder:"STATUS"`
	OlderThan time.Duration `help:"Only those that have not changed for this long, such as 24h." placeholder:"DURATION"`
	Below     string        `help:"Only less severe ones than this." enum:",critical,major,minor,warning,indeterminate" default:"" placeholder:"SEVERITY"`
	Is        string        `help:"Only those of this severity." enum:",critical,major,minor,warning,indeterminate" default:"" placeholder:"SEVERITY"`
	Above     string        `help:"Only more severe ones than this." enum:",critical,major,minor,warning,indeterminate" default:"" placeholder:"SEVERITY"`
	State     string        `help:"Only those with this operator state: none, ack, closed, shelved or un-shelved." enum:",none,ack,closed,shelved,un-shelved" default:"" placeholder:"STATE"`
	By        string        `help:"Only those whose operator state this user has set." placeholder:"NAME"`
	Shelved   bool          `help:"Purge those on shelves."`
}

// Help is shown by `incctl alarms purge --help`.
func (*alarmsPurgeCommand) Help() string {
	return `Removes the alarms that meet all conditions, by default all that are cleared. What an open incident refers to stays. An alarm whose resource reports it again is back.

  incctl alarms purge --older-than 24h --state closed`
}

// Validate is called by the parser.
func (c *alarmsPurgeCommand) Validate() error {
	if c.Below != "" && c.Is != "" || c.Below != "" && c.Above != "" || c.Is != "" && c.Above != "" {
		return errors.New("only one of --below, --is and --above")
	}
	_, _, err := ageOf(c.OlderThan)
	return err
}

// ageOf is a duration as older-than has it: a number of 16 bits in a unit.
func ageOf(d time.Duration) (unit string, n int64, err error) {
	for _, u := range []struct {
		unit string
		of   time.Duration
	}{{"weeks", 7 * 24 * time.Hour}, {"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}, {"seconds", time.Second}} {
		if n := int64(d / u.of); d%u.of == 0 && n <= 65535 {
			return u.unit, n, nil
		}
	}
	return "", 0, fmt.Errorf("%v cannot be told in whole weeks, days, hours, minutes or seconds up to 65535", d)
}

// Run purges.
func (c *alarmsPurgeCommand) Run(ctx context.Context, a *app) error {
	op := etree.NewElement("purge-alarms")
	if c.Shelved {
		op.Tag = "purge-shelved-alarms"
	}
	op.CreateElement("alarm-clearance-status").SetText(map[string]string{"active": "not-cleared", "cleared": "cleared", "any": "any"}[c.Status])
	if c.OlderThan > 0 {
		unit, n, err := ageOf(c.OlderThan)
		if err != nil {
			return err
		}
		op.CreateElement("older-than").CreateElement(unit).SetText(strconv.FormatInt(n, 10))
	}
	for name, v := range map[string]string{"below": c.Below, "is": c.Is, "above": c.Above} {
		if v != "" {
			op.CreateElement("severity").CreateElement(name).SetText(v)
		}
	}
	if c.State != "" || c.By != "" {
		f := op.CreateElement("operator-state-filter")
		if c.State != "" {
			f.CreateElement("state").SetText(c.State)
		}
		if c.By != "" {
			f.CreateElement("user").SetText(c.By)
		}
	}
	return a.onAlarms(ctx, c.Shelved, op, "purged-alarms", "Purged")
}

type alarmsCompressCommand struct {
	Resource  string `help:"Only alarms of these resources, as a regular expression of XML Schema; with --shelved of this resource." placeholder:"PATTERN"`
	Type      string `help:"Only alarms of this type." placeholder:"TYPE"`
	Qualifier string `help:"Only alarms with this qualifier." placeholder:"QUALIFIER"`
	Shelved   bool   `help:"Compress those on shelves."`
}

// Help is shown by `incctl alarms compress --help`.
func (*alarmsCompressCommand) Help() string {
	return "Drops all but the latest change of alarms: of all, or of those that meet the conditions."
}

// Run compresses.
func (c *alarmsCompressCommand) Run(ctx context.Context, a *app) error {
	op := etree.NewElement("compress-alarms")
	if c.Shelved {
		op.Tag = "compress-shelved-alarms"
	}
	if c.Resource != "" {
		op.CreateElement("resource").SetText(c.Resource)
	}
	if c.Type != "" {
		setAlarmType(op, c.Type)
	}
	if c.Qualifier != "" {
		op.CreateElement("alarm-type-qualifier").SetText(c.Qualifier)
	}
	return a.onAlarms(ctx, c.Shelved, op, "compressed-alarms", "Compressed")
}

// onAlarms invokes an action of one of the two lists, and tells how many alarms it changed.
func (a *app) onAlarms(ctx context.Context, shelved bool, op *etree.Element, output, said string) error {
	container, _ := alarmList(shelved)
	top := etree.NewElement("alarms")
	top.CreateAttr("xmlns", nsAlarms)
	top.CreateElement(container).AddChild(op)
	return a.with(ctx, func(ctx context.Context, s *session) error {
		r, err := s.c.Action(ctx, marshal(top))
		if err != nil {
			return err
		}
		doc, err := r.Doc()
		if err != nil {
			return err
		}
		n := leaf(doc.Root(), nsAlarms, output)
		count, _ := strconv.Atoi(n)
		return a.done(fmt.Sprintf("%s %s.", said, plural(count, "alarm")), output, n)
	})
}
