package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

const nsMapping = "urn:incidentd:yang:mapping"

type mappingCommand struct {
	Test testMappingCommand `cmd:"" help:"Show which rule decides about a message, and the event that it is."`
}

type testMappingCommand struct {
	Line []string          `arg:"" optional:"" help:"A line of syslog, as it is sent or as it stands in a file; - reads lines from standard input."`
	From string            `help:"The address that the line came from." placeholder:"ADDRESS"`
	Kind string            `help:"The kind of source, for a message that is given by its values." placeholder:"KIND"`
	Set  map[string]string `help:"A value of the message: host, app-name, message-id, oid, text, source, or any other name; may be repeated." placeholder:"NAME=VALUE" mapsep:"none"`
}

// Help is shown by `incctl mapping test --help`.
func (*testMappingCommand) Help() string {
	return `Asks the server what it would make of a message, without anything coming of it.

  incctl mapping test '<29>Nov 22 07:00:00 P1 bgpd[1]: %ADJCHANGE: neighbor 10.0.0.2(PE2) in vrf default Down'
  tail -f /var/log/routers.log | incctl mapping test -
  incctl mapping test --kind alertmanager --set message-id=NodeBondingDegraded --set master=bond0 --set host=PE1`
}

// Validate is called by the parser.
func (c *testMappingCommand) Validate() error {
	if (len(c.Line) == 0) == (len(c.Set) == 0) {
		return errors.New("either a line, or values by --set")
	}
	return nil
}

// mapped is what becomes of a message.
type mapped struct {
	Outcome  string            `json:"outcome"`
	Table    string            `json:"table,omitempty"`
	Rule     string            `json:"rule,omitempty"`
	Message  map[string]string `json:"message"`
	Captures map[string]string `json:"capture,omitempty"`
	Event    map[string]string `json:"event,omitempty"`

	message, captures, event [][2]string // in order
}

// Run asks the server about one message, or each line of standard input.
func (c *testMappingCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if len(c.Line) != 1 || c.Line[0] != "-" {
			return c.ask(ctx, a, s, strings.Join(c.Line, " "))
		}
		in := bufio.NewScanner(a.stdin)
		for in.Scan() {
			if strings.TrimSpace(in.Text()) == "" {
				continue
			}
			if err := c.ask(ctx, a, s, in.Text()); err != nil {
				return err
			}
		}
		return in.Err()
	})
}

func (c *testMappingCommand) ask(ctx context.Context, a *app, s *session, line string) error {
	reply, err := s.call(ctx, c.request(line))
	if err != nil {
		return err
	}
	m := mapped{Outcome: leaf(reply, nsMapping, "outcome"), Table: leaf(reply, nsMapping, "table"), Rule: leaf(reply, nsMapping, "rule")}
	for _, e := range children(reply, nsMapping, "message") {
		m.message = pairs(e)
	}
	for _, e := range children(reply, nsMapping, "capture") {
		m.captures = append(m.captures, [2]string{leaf(e, nsMapping, "name"), leaf(e, nsMapping, "value")})
	}
	for _, e := range children(reply, nsMapping, "event") {
		m.event = pairs(e)
	}
	m.Message, m.Captures, m.Event = object(m.message), object(m.captures), object(m.event)
	if a.json {
		return a.writeJSON(m)
	}
	return a.screen().mapped(&m)
}

// request is the operation test-mapping.
func (c *testMappingCommand) request(line string) *etree.Element {
	op := etree.NewElement("test-mapping")
	op.CreateAttr("xmlns", nsMapping)
	if len(c.Set) == 0 {
		op.CreateElement("line").SetText(line)
		if c.From != "" {
			op.CreateElement("from").SetText(c.From)
		}
		return op
	}
	fields := op.CreateElement("fields")
	leafOf := func(name, value string) {
		if value != "" {
			fields.CreateElement(name).SetText(value)
		}
	}
	leafOf("source-kind", c.Kind)
	leafOf("sender", c.From)
	for name, value := range c.Set {
		switch name {
		case "source", "host", "app-name", "message-id", "oid", "text":
			leafOf(name, value)
		default:
			f := fields.CreateElement("field")
			f.CreateElement("name").SetText(name)
			f.CreateElement("value").SetText(value)
		}
	}
	return op
}

// pairs are the leafs of an element, and its list field, in order.
func pairs(e *etree.Element) (list [][2]string) {
	for _, c := range e.ChildElements() {
		if c.Tag == "field" {
			list = append(list, [2]string{leaf(c, nsMapping, "name"), leaf(c, nsMapping, "value")})
		} else if c.Text() != "" {
			list = append(list, [2]string{c.Tag, c.Text()})
		}
	}
	return list
}

func object(list [][2]string) map[string]string {
	if len(list) == 0 {
		return nil
	}
	o := map[string]string{}
	for _, p := range list {
		o[p[0]] = p[1]
	}
	return o
}

func (s screen) mapped(m *mapped) error {
	var b strings.Builder
	switch m.Outcome {
	case "unmapped":
		fmt.Fprintf(&b, "%s: no rule fits\n", s.paint(m.Outcome, yellow))
	case "ignored":
		fmt.Fprintf(&b, "%s by rule %s of table %s\n", s.paint(m.Outcome, dim), clean(m.Rule), clean(m.Table))
	default:
		by := "as it says itself"
		if m.Rule != "" {
			by = fmt.Sprintf("by rule %s of table %s", clean(m.Rule), clean(m.Table))
		}
		fmt.Fprintf(&b, "%s %s\n", s.paint(m.Outcome, green), by)
	}
	part := func(title string, list [][2]string) {
		if len(list) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", s.paint(title, bold))
		for _, p := range list {
			fmt.Fprintf(&b, "  %-21s%s\n", clean(p[0]), clean(p[1]))
		}
	}
	part("Message", m.message)
	part("Found by its patterns", m.captures)
	part("Event", m.event)
	_, err := fmt.Fprint(s.w, b.String())
	return err
}
