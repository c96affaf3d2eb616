package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

type mergeCommand struct {
	ID      string   `arg:"" name:"id" help:"The incident that stays." complete:"incident"`
	Others  []string `arg:"" name:"other" help:"Those that become part of it." complete:"incident"`
	Comment string   `short:"m" help:"Why; a comment on the incident that stays." placeholder:"TEXT"`
}

// Help is shown by `incctl merge --help`.
func (*mergeCommand) Help() string {
	return "Makes incidents part of another that stays. The others are cleared. Later evidence does not undo it; split does."
}

// Run merges.
func (c *mergeCommand) Run(ctx context.Context, a *app) error {
	id, others := fullID(c.ID), fullIDs(c.Others)
	return a.with(ctx, func(ctx context.Context, s *session) error {
		_, err := s.manage(ctx, "merge-incidents", parameters{{"incident-id", id}}, append(elements("other", others), elements("comment", some(c.Comment))...)...)
		if err != nil {
			return s.about(ctx, append([]string{id}, others...), err)
		}
		return a.done(fmt.Sprintf("Merged %s into %s.", strings.Join(others, ", "), id), "merge-incidents", id)
	})
}

type splitCommand struct {
	ID      string   `arg:"" name:"id" help:"The incident that the events leave." complete:"incident"`
	Events  []string `arg:"" name:"event" help:"The ids of the events; explain shows them."`
	Comment string   `short:"m" help:"Why; a comment on the new incident." placeholder:"TEXT"`
}

// Help is shown by `incctl split --help`.
func (*splitCommand) Help() string {
	return "Makes some events of an incident an incident of their own. With an event goes all that was reported of its alarm. Later evidence does not undo it."
}

// Run splits.
func (c *splitCommand) Run(ctx context.Context, a *app) error {
	id := fullID(c.ID)
	return a.with(ctx, func(ctx context.Context, s *session) error {
		reply, err := s.manage(ctx, "split-incident", parameters{{"incident-id", id}}, append(elements("event-id", c.Events), elements("comment", some(c.Comment))...)...)
		if err != nil {
			return s.about(ctx, []string{id}, err)
		}
		fresh := clean(leaf(reply, nsManagement, "incident-id"))
		return a.done(fmt.Sprintf("%s of %s %s %s now.", plural(len(c.Events), "event"), id, are(len(c.Events)), fresh), "split-incident", fresh)
	})
}

type moveCommand struct {
	ID      string   `arg:"" name:"id" help:"The incident that the events come into." complete:"incident"`
	Events  []string `arg:"" name:"event" help:"The ids of the events, wherever they are."`
	Comment string   `short:"m" help:"Why; a comment on the incident." placeholder:"TEXT"`
}

// Help is shown by `incctl move --help`.
func (*moveCommand) Help() string {
	return "Puts events into an incident, wherever they are now. An incident of which nothing is left is cleared. Later evidence does not undo it."
}

// Run moves.
func (c *moveCommand) Run(ctx context.Context, a *app) error {
	id := fullID(c.ID)
	return a.with(ctx, func(ctx context.Context, s *session) error {
		more := append(elements("event-id", c.Events), elements("incident-id", []string{id})...)
		_, err := s.manage(ctx, "move-events", nil, append(more, elements("comment", some(c.Comment))...)...)
		if err != nil {
			return s.about(ctx, []string{id}, err)
		}
		return a.done(fmt.Sprintf("%s %s in %s now.", plural(len(c.Events), "event"), are(len(c.Events)), id), "move-events", id)
	})
}

type commentCommand struct {
	ID   string   `arg:"" name:"id" help:"The incident." complete:"incident"`
	Text []string `arg:"" help:"The comment."`
}

// Help is shown by `incctl comment --help`.
func (*commentCommand) Help() string {
	return "Adds a comment to an incident; show shows it with its author."
}

// Run comments.
func (c *commentCommand) Run(ctx context.Context, a *app) error {
	id := fullID(c.ID)
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if _, err := s.manage(ctx, "comment-incident", parameters{{"incident-id", id}, {"text", strings.Join(c.Text, " ")}}); err != nil {
			return s.about(ctx, []string{id}, err)
		}
		return a.done("Commented on "+id+".", "comment-incident", id)
	})
}

// fullIDs completes ids, each once.
func fullIDs(ids []string) (out []string) {
	for _, id := range ids {
		if id = fullID(id); !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// elements are entries of a leaf-list.
func elements(name string, values []string) (out []*etree.Element) {
	for _, v := range values {
		e := etree.NewElement(name)
		e.SetText(v)
		out = append(out, e)
	}
	return out
}

// some is a list of a text, empty without one.
func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// are is the verb for a number of things.
func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
