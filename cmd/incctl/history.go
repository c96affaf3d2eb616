package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/show"
	"incidentd/netconf/client"
)

const nsHistory = "urn:incidentd:yang:history"

// changeSet is one commit of the history.
type changeSet struct {
	Number  uint64 `json:"number"`
	Time    string `json:"time"`
	User    string `json:"user,omitempty"`
	Session string `json:"session-id,omitempty"`
	Source  string `json:"source,omitempty"`
	Comment string `json:"comment,omitempty"`
}

type historyCommand struct {
	Number string `arg:"" optional:"" help:"A commit, to see what it has changed; without one, all are listed."`
	Limit  int    `short:"n" help:"How many to list, the newest first." default:"20"`
}

// Help is shown by `incctl history --help`.
func (*historyCommand) Help() string {
	return `Lists the changes of running, the newest first, or shows what one of them was.

  incctl history
  incctl history 12
  incctl diff 10 12          # what came between two of them`
}

// Run lists.
func (c *historyCommand) Run(ctx context.Context, a *app) error {
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if c.Number != "" {
		n, err := strconv.ParseUint(c.Number, 10, 64)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is no number of a commit; incctl history lists them", c.Number)
		}
		return a.compare(ctx, s, strconv.FormatUint(n-1, 10), c.Number)
	}
	filter := etree.NewElement("history")
	filter.CreateAttr("xmlns", nsHistory)
	data, err := s.get(ctx, filter)
	if err != nil {
		return err
	}
	top := data.SelectElement("history")
	if top == nil {
		return errors.New("the server keeps no history, or lets this user not read it (incidentd-history)")
	}
	list := changeSets(top)
	if c.Limit > 0 && len(list) > c.Limit {
		list = list[:c.Limit]
	}
	if a.json {
		return a.writeJSON(list)
	}
	out := a.screen()
	var rows [][]cell
	for _, h := range list {
		user := clean(h.User)
		if user == "" {
			user = "(server)"
		}
		rows = append(rows, []cell{{strconv.FormatUint(h.Number, 10), bold}, {out.when(h.Time), plain}, {user, plain}, {clean(h.Source), plain}, {clean(h.Comment), plain}})
	}
	if err := out.table("", []column{{title: "COMMIT"}, {title: "TIME"}, {title: "USER"}, {title: "BY"}, {title: "COMMENT", give: true, least: 12}}, rows); err != nil {
		return err
	}
	if waits := top.SelectElement("confirmed-commit"); waits != nil {
		fmt.Fprintf(a.stdout, "\nA commit of %s waits: without confirmation, running is as after commit %s again at %s.\n",
			clean(leaf(waits, nsHistory, "user")), clean(leaf(waits, nsHistory, "returns-to")), out.when(leaf(waits, nsHistory, "deadline")))
	}
	return nil
}

// changeSets are the commits, the newest first.
func changeSets(top *etree.Element) []changeSet {
	list := []changeSet{}
	for _, e := range children(top, nsHistory, "commit") {
		text := func(name string) string { return leaf(e, nsHistory, name) }
		n, err := strconv.ParseUint(text("number"), 10, 64)
		if err != nil {
			continue // no commit that could be named
		}
		list = append(list, changeSet{n, text("time"), text("user"), text("session-id"), text("source"), text("comment")})
	}
	slices.SortFunc(list, func(x, y changeSet) int {
		if x.Number > y.Number {
			return -1
		}
		return 1
	})
	return list
}

// compare shows what came between two configurations of now or of the past.
func (a *app) compare(ctx context.Context, s *session, from, to string) error {
	op := etree.NewElement("compare")
	op.CreateAttr("xmlns", nsHistory)
	op.CreateElement("from").SetText(from)
	op.CreateElement("to").SetText(to)
	reply, err := s.call(ctx, op)
	if err != nil {
		return err
	}
	type edit struct {
		Operation string `json:"operation"`
		Target    string `json:"target"`
		Before    string `json:"before,omitempty"`
		After     string `json:"after,omitempty"`
	}
	edits := []edit{}
	out := a.screen()
	for _, e := range children(reply, nsHistory, "edit") {
		x := edit{Operation: leaf(e, nsHistory, "operation"), Target: leaf(e, nsHistory, "target")}
		var before, after []*etree.Element
		for _, c := range children(e, nsHistory, "before") {
			before = append(before, c.ChildElements()...)
		}
		for _, c := range children(e, nsHistory, "after") {
			after = append(after, c.ChildElements()...)
		}
		if a.json {
			for _, b := range before {
				x.Before += string(marshal(b))
			}
			for _, b := range after {
				x.After += string(marshal(b))
			}
			edits = append(edits, x)
			continue
		}
		fmt.Fprintln(a.stdout, out.paint("  "+clean(x.Target), dim))
		for _, b := range before {
			fmt.Fprint(a.stdout, show.Element(b, "- ", show.Removed, out.paintData))
		}
		for _, b := range after {
			fmt.Fprint(a.stdout, show.Element(b, "+ ", show.Added, out.paintData))
		}
		if x.Operation == "move" {
			fmt.Fprintln(a.stdout, out.paint("~ has another place among the others", yellow))
		}
		edits = append(edits, x)
	}
	if a.json {
		return a.writeJSON(edits)
	}
	if len(edits) == 0 {
		fmt.Fprintf(a.stdout, "%s is as %s.\n", clean(to), clean(from))
	}
	return nil
}

type rollbackCommand struct {
	Number  uint64 `arg:"" help:"The commit to go back to: the configuration that it left."`
	To      string `help:"What to change: running at once, or the candidate, to look at it and commit." enum:"running,candidate" default:"running" placeholder:"NAME"`
	Comment string `short:"m" help:"Why, for the history." placeholder:"TEXT"`
}

// Help is shown by `incctl rollback --help`.
func (*rollbackCommand) Help() string {
	return `Goes back to what a commit left. It is a commit of its own, so it can be undone as well.

  incctl rollback 11
  incctl rollback 11 --to candidate && incctl diff && incctl commit`
}

// Run goes back.
func (c *rollbackCommand) Run(ctx context.Context, a *app) error {
	if c.Number == 0 {
		return errors.New("commit 0 is what was before the first: nothing, not even a user who could log in; incctl history lists the others")
	}
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	op := etree.NewElement("rollback")
	op.CreateAttr("xmlns", nsHistory)
	op.CreateElement("to").SetText(strconv.FormatUint(c.Number, 10))
	op.CreateElement("target").SetText(c.To)
	if c.Comment != "" {
		op.CreateElement("comment").SetText(c.Comment)
	}
	if _, err := s.call(ctx, op); err != nil {
		return err
	}
	a.changed(c.To)
	return a.done(fmt.Sprintf("Rolled back: %s is what commit %d left.", c.To, c.Number), "target", c.To, "to", strconv.FormatUint(c.Number, 10))
}

// confirmedCommit is how long the commit that waits has left, 0 without one.
func (s *session) confirmedCommit(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	r, err := s.c.Get(ctx, client.Subtree(`<history xmlns="`+nsHistory+`"><confirmed-commit/></history>`))
	if err != nil {
		return 0, err
	}
	data, err := r.Data()
	if err != nil {
		return 0, err
	}
	e := data.FindElement("./history/confirmed-commit/deadline")
	if e == nil {
		return 0, nil
	}
	return max(0, time.Until(parseTime(strings.TrimSpace(e.Text())))), nil
}
