package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/cmd/incctl/internal/show"
	"incidentd/netconf/client"
	"incidentd/yang/data"
)

// config reads the configuration of a datastore as a tree.
func (a *app) config(ctx context.Context, s *session, source string, f client.Filter) (*data.Node, error) {
	schema, err := a.schema(ctx, s)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	r, err := s.c.GetConfig(ctx, source, f)
	if err != nil {
		return nil, err
	}
	elements, err := r.Data()
	if err != nil {
		return nil, err
	}
	ans, err := parse(schema, elements)
	if err != nil {
		return nil, err
	}
	return ans.tree, nil
}

type diffCommand struct {
	From string   `arg:"" optional:"" help:"What to compare with: running, candidate, startup or the number of a commit; by default running." default:"running" complete:"datastore"`
	To   string   `arg:"" optional:"" help:"What is compared; by default the candidate, and running when the first is a commit." complete:"datastore"`
	Path []string `short:"p" sep:"none" help:"Compare what is below this alone." placeholder:"PATH" complete:"path"`
}

// Help is shown by `incctl diff --help`.
func (*diffCommand) Help() string {
	return `Shows what has to be removed (-) from a datastore, and added (+) to it, to make another.

  incctl diff                       # what a commit would change
  incctl diff startup running
  incctl diff -p /system
  incctl diff 11                    # what was done since commit 11
  incctl diff 11 12`
}

// Run compares.
func (c *diffCommand) Run(ctx context.Context, a *app) error {
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	_, commit := strconv.ParseUint(c.From, 10, 64)
	if c.To == "" {
		c.To = "candidate"
		if commit == nil {
			c.To = "running"
		}
	}
	if _, other := strconv.ParseUint(c.To, 10, 64); commit == nil || other == nil {
		if len(c.Path) > 0 {
			return errors.New("--path compares datastores; commits are compared as a whole")
		}
		return a.compare(ctx, s, c.From, c.To)
	}
	for _, d := range []string{c.From, c.To} {
		switch d {
		case "running":
		case "candidate":
			err = s.wants(capabilityCandidate, "comparing the candidate")
		case "startup":
			err = s.wants(capabilityStartup, "comparing startup")
		default:
			err = fmt.Errorf("%s is neither running, candidate or startup nor the number of a commit", d)
		}
		if err != nil {
			return err
		}
	}
	schema, err := a.schema(ctx, s)
	if err != nil {
		return err
	}
	args := c.Path
	if len(args) == 0 && a.at != "" {
		args = []string{"."}
	}
	filter := ""
	for _, text := range args {
		var p datapath.Path
		if p, err = a.path(schema, text); err != nil {
			return err
		}
		filter += p.Filter()
	}
	from, err := a.config(ctx, s, c.From, client.Subtree(filter))
	if err != nil {
		return err
	}
	to, err := a.config(ctx, s, c.To, client.Subtree(filter))
	if err != nil {
		return err
	}
	if a.json {
		added, removed, changed := show.Count(from, to)
		return a.writeJSON(map[string]any{
			"from": c.From, "to": c.To, "added": added, "removed": removed, "changed": changed,
			"difference": show.Difference(from, to, show.Bare),
		})
	}
	text := show.Difference(from, to, a.screen().paintData)
	if text == "" {
		text = fmt.Sprintf("%s is as %s.\n", c.To, c.From)
	}
	_, err = fmt.Fprint(a.stdout, text)
	return err
}
