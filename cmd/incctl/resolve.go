package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"

	"incidentd/yang/rpcerr"
)

const nsResolution = "urn:incidentd:yang:resolution"

type resolveCommand struct {
	IDs    []string `arg:"" name:"id" help:"The incidents, such as inc-12; the numbers alone will do." complete:"incident"`
	DryRun bool     `short:"n" help:"Tell what would be done, ask devices whether it is possible, and do nothing." xor:"how"`
	Wait   bool     `short:"w" help:"Tell what is done until it has ended; the status is 1 unless all are resolved." xor:"how"`
}

// Help is shown by `incctl resolve --help`.
func (*resolveCommand) Help() string {
	return `Has incidents resolved: all of them or, when one cannot be, none. The server carries out the first procedure of its configuration that fits, and watches whether the incident clears; if not, it takes back what was done. An incident for which no clear is to be expected is cleared. For others the server says what it would advise, and which way leads around.

  incctl resolve 12 --dry-run
  incctl resolve 12 --wait`
}

// Run resolves.
func (c *resolveCommand) Run(ctx context.Context, a *app) error {
	ids := fullIDs(c.IDs)
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if c.DryRun {
			return c.dryRun(ctx, a, s, ids)
		}
		op := etree.NewElement("incident-resolve")
		op.CreateAttr("xmlns", nsIncident)
		for _, id := range ids {
			op.CreateElement("incident-id").SetText(id)
		}
		if _, err := s.call(ctx, op); err != nil {
			return resolving(s.about(ctx, ids, err))
		}
		runs, err := s.resolutions(ctx, ids)
		switch {
		case err != nil:
			return err
		case c.Wait:
			return s.follow(ctx, a, ids)
		case len(runs) > 0:
			return a.done(fmt.Sprintf("Resolving %s; see what becomes of it with --wait.", strings.Join(ids, ", ")), "incident-resolve", strings.Join(ids, " "))
		}
		return a.done("Resolved "+strings.Join(ids, ", ")+".", "incident-resolve", strings.Join(ids, " "))
	})
}

// resolving adds what to do when the server cannot resolve an incident.
func resolving(err error) error {
	list, _ := rpcerr.List(err)
	if slices.ContainsFunc(list, func(e *rpcerr.Error) bool { return e.AppTag == "probable-cause-unresolved" }) {
		return fmt.Errorf("%w\nnothing was resolved; it is cleared by itself when its root cause is", err)
	}
	return err
}

// resolution is what is done for an incident, or would be.
type resolution struct {
	Incident     string        `json:"incident-id"`
	Way          string        `json:"way,omitempty"`
	Run          string        `json:"run-id,omitempty"`
	Phase        string        `json:"phase,omitempty"`
	Outcome      string        `json:"outcome,omitempty"`
	Detail       string        `json:"detail,omitempty"`
	Procedure    string        `json:"procedure,omitempty"`
	Device       string        `json:"device,omitempty"`
	Edit         string        `json:"edit,omitempty"`
	Command      []string      `json:"command,omitempty"`
	RollBack     []string      `json:"roll-back-command,omitempty"`
	ClearWithin  string        `json:"clear-within,omitempty"`
	DeviceAnswer *string       `json:"device-answer,omitempty"`
	Advice       string        `json:"advice,omitempty"`
	Unfit        []unfit       `json:"unfit,omitempty"`
	Alternatives []alternative `json:"alternative,omitempty"`

	steps []string
}

type unfit struct {
	Procedure string `json:"procedure"`
	Why       string `json:"why"`
}

type alternative struct {
	Nodes      []string `json:"node"`
	Links      []string `json:"link"`
	SharesRisk bool     `json:"shares-risk"`
	Services   []string `json:"service-instance,omitempty"`
}

func decodeResolution(e *etree.Element) resolution {
	text := func(name string) string { return leaf(e, nsResolution, name) }
	r := resolution{Incident: text("incident-id"), Way: text("way"), Run: text("id") + text("run-id"), Phase: text("phase"), Outcome: text("outcome"), Detail: text("detail"),
		Procedure: text("procedure"), Device: text("device"), Edit: text("edit"), Command: leafList(e, nsResolution, "command"),
		RollBack: leafList(e, nsResolution, "roll-back-command"), ClearWithin: text("clear-within"), Advice: text("advice")}
	for range children(e, nsResolution, "device-answer") {
		answer := text("device-answer")
		r.DeviceAnswer = &answer
	}
	for _, u := range children(e, nsResolution, "unfit") {
		r.Unfit = append(r.Unfit, unfit{leaf(u, nsResolution, "procedure"), leaf(u, nsResolution, "why")})
	}
	for _, x := range children(e, nsResolution, "alternative") {
		r.Alternatives = append(r.Alternatives, alternative{leafList(x, nsResolution, "node"), leafList(x, nsResolution, "link"),
			leaf(x, nsResolution, "shares-risk") == "true", leafList(x, nsResolution, "service-instance")})
	}
	for _, x := range children(e, nsResolution, "step") {
		r.steps = append(r.steps, leaf(x, nsResolution, "text"))
	}
	return r
}

// dryRun tells what would be done.
func (c *resolveCommand) dryRun(ctx context.Context, a *app, s *session, ids []string) error {
	var all []resolution
	for _, id := range ids {
		op := etree.NewElement("preview-resolution")
		op.CreateAttr("xmlns", nsResolution)
		op.CreateElement("incident-id").SetText(id)
		op.CreateElement("ask-device").SetText("true")
		reply, err := s.call(ctx, op)
		if err != nil {
			return s.about(ctx, []string{id}, err)
		}
		r := decodeResolution(reply)
		r.Incident = id
		all = append(all, r)
	}
	if a.json {
		return a.writeJSON(map[string]any{"incidentd-resolution:output": all})
	}
	for _, r := range all {
		r.write(a.stdout)
	}
	return nil
}

// write tells what would be done, for people.
func (r *resolution) write(w io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintln(w, clean(fmt.Sprintf(format, args...))) }
	switch r.Way {
	case "clear":
		line("%s: nothing of it lasts; it would be cleared.", r.Incident)
	case "under-way":
		line("%s: the procedure %s is under way, as %s.", r.Incident, r.Procedure, r.Run)
	case "procedure":
		line("%s: the procedure %s would be carried out.", r.Incident, r.Procedure)
	default:
		line("%s: there is no cure.", r.Incident)
	}
	if r.Device != "" {
		line("  On the device %s, by a confirmed commit:", r.Device)
		for _, l := range strings.Split(strings.TrimSpace(r.Edit), "\n") {
			line("    %s", l)
		}
	}
	if len(r.Command) > 0 {
		line("  Runs %s", quoted(r.Command))
		if len(r.RollBack) > 0 {
			line("  Taken back by %s", quoted(r.RollBack))
		} else {
			line("  Nothing takes it back.")
		}
	}
	if r.ClearWithin != "" {
		line("  The incident has %s s to clear.", r.ClearWithin)
	}
	switch {
	case r.DeviceAnswer == nil:
	case *r.DeviceAnswer == "":
		line("  The device has nothing against it.")
	default:
		line("  It would fail: %s", *r.DeviceAnswer)
	}
	for _, u := range r.Unfit {
		line("  Not by the procedure %s: %s", u.Procedure, u.Why)
	}
	if r.Way == "none" && r.Advice != "" {
		line("  %s", r.Advice)
	}
	for _, x := range r.Alternatives {
		text := "  A way around: " + strings.Join(x.Nodes, " ")
		if len(x.Services) > 0 {
			text += " for " + strings.Join(x.Services, ", ")
		}
		if x.SharesRisk {
			text += ", which shares a risk with what has failed"
		}
		line("%s", text)
	}
}

// quoted is a command line, with quotes where there are blanks.
func quoted(words []string) string {
	out := slices.Clone(words)
	for i, w := range out {
		if w == "" || strings.ContainsAny(w, " \t\"'") {
			out[i] = fmt.Sprintf("%q", w)
		}
	}
	return strings.Join(out, " ")
}

// resolutions are the latest runs for incidents, those that are there.
func (s *session) resolutions(ctx context.Context, ids []string) (map[string]resolution, error) {
	filter := etree.NewElement("resolution")
	filter.CreateAttr("xmlns", nsResolution)
	for _, id := range ids {
		filter.CreateElement("run").CreateElement("incident-id").SetText(id)
	}
	data, err := s.get(ctx, filter)
	if err != nil {
		return nil, err
	}
	runs := map[string]resolution{}
	for _, top := range children(data, nsResolution, "resolution") {
		for _, e := range children(top, nsResolution, "run") {
			r := decodeResolution(e)
			if old, ok := runs[r.Incident]; !ok || len(r.Run) > len(old.Run) || len(r.Run) == len(old.Run) && r.Run > old.Run {
				runs[r.Incident] = r
			}
		}
	}
	return runs, nil
}

// pollEvery is how often runs that are waited for are looked at.
const pollEvery = 500 * time.Millisecond

// errNotResolved is that of runs that have ended otherwise.
var errNotResolved = errors.New("not all are resolved")

// follow tells what is done for incidents until it has ended.
func (s *session) follow(ctx context.Context, a *app, ids []string) error {
	told := map[string]int{}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		runs, err := s.resolutions(ctx, ids)
		if err != nil {
			return err
		}
		ended, resolved := 0, 0
		for _, id := range ids {
			r, ok := runs[id]
			if !ok || r.Phase == "ended" {
				ended++
			}
			if !ok || r.Outcome == "resolved" || r.Outcome == "not-needed" {
				resolved++
			}
			if !ok && told[id] == 0 && !a.json {
				fmt.Fprintf(a.stdout, "%s  cleared\n", id)
				told[id]++
			}
			for ; told[id] < len(r.steps) && !a.json; told[id]++ {
				fmt.Fprintf(a.stdout, "%s  %s\n", id, clean(r.steps[told[id]]))
			}
			if r.Phase == "ended" && told[id] == len(r.steps) && !a.json {
				told[id]++
				fmt.Fprintf(a.stdout, "%s  %s: %s\n", id, r.Outcome, clean(r.Detail))
			}
		}
		if ended == len(ids) {
			if a.json {
				list := []resolution{}
				for _, id := range ids {
					if r, ok := runs[id]; ok {
						list = append(list, r)
					}
				}
				if err := a.writeJSON(map[string]any{"incidentd-resolution:run": list}); err != nil {
					return err
				}
			}
			if resolved < len(ids) {
				return errNotResolved
			}
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
