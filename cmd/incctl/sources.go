package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

const nsSources = "urn:incidentd:yang:sources"

// sourceHealth is how a source gets on.
type sourceHealth struct {
	Name        string            `json:"name"`
	Kind        string            `json:"kind"`
	State       string            `json:"state"`
	Since       string            `json:"since,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	Listening   []string          `json:"listening,omitempty"`
	NextAttempt string            `json:"next-attempt,omitempty"`
	LastError   string            `json:"last-error,omitempty"`
	ErrorTime   string            `json:"last-error-time,omitempty"`
	LastEvent   string            `json:"last-event,omitempty"`
	Counting    string            `json:"counting-since,omitempty"`
	Counters    map[string]string `json:"counters"`
}

// sourceCounters are those of a source, in the order in which they are shown, and what
// they count.
var sourceCounters = []struct{ name, what string }{
	{"received", "messages that came"},
	{"octets", "bytes of them"},
	{"mapped", "for which a rule says the event, or that are one"},
	{"unmapped", "that no rule fits"},
	{"ignored", "that a rule says to ignore"},
	{"malformed", "that are not well formed, or too long"},
	{"refused", "that were not let in"},
	{"dropped", "that were lost"},
	{"delayed", "that had to wait"},
	{"events", "events that are stored"},
	{"duplicates", "events that were known"},
	{"queue-length", "messages that wait now"},
	{"backlog", "messages that wait where it reads them"},
	{"connections", "connections now"},
	{"failures", "failures of the source"},
}

// sources reads the health of all sources, or of one.
func (s *session) sources(ctx context.Context, name string) ([]sourceHealth, error) {
	top := etree.NewElement("sources")
	top.CreateAttr("xmlns", nsSources)
	entry := top.CreateElement("source")
	if key := entry.CreateElement("name"); name != "" {
		key.SetText(name)
	}
	entry.CreateElement("health")
	data, err := s.get(ctx, top)
	if err != nil {
		return nil, err
	}
	list := []sourceHealth{}
	for _, e := range data.FindElements("./sources/source") {
		for _, h := range children(e, nsSources, "health") {
			text := func(leafName string) string { return leaf(h, nsSources, leafName) }
			out := sourceHealth{leaf(e, nsSources, "name"), text("kind"), text("state"), text("since"), text("reason"), leafList(h, nsSources, "listening"),
				text("next-attempt"), text("last-error"), text("last-error-time"), text("last-event"), text("counting-since"), map[string]string{}}
			for _, c := range sourceCounters {
				if v := text(c.name); v != "" {
					out.Counters[c.name] = v
				}
			}
			list = append(list, out)
		}
	}
	return list, nil
}

type sourcesCommand struct {
	Name string `arg:"" optional:"" help:"The source to show with all its counters; without it all are listed." complete:"source"`
}

// Help is shown by `incctl sources --help`.
func (*sourcesCommand) Help() string {
	return `Lists the sources of events and how they get on, or shows one with everything that is known of it.
Sources are configuration:

  incctl set /sources/source=routers/syslog/port 5514 && incctl commit
  incctl sources routers`
}

// Run lists or shows.
func (c *sourcesCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		list, err := s.sources(ctx, c.Name)
		switch {
		case err != nil:
			return err
		case c.Name != "" && len(list) == 0:
			return fmt.Errorf("there is no source %s; incctl sources lists them", clean(c.Name))
		case a.json && c.Name != "":
			return a.writeJSON(list[0])
		case a.json:
			return a.writeJSON(list)
		case c.Name != "":
			return a.screen().source(&list[0])
		case len(list) == 0:
			_, err := fmt.Fprintln(a.stdout, "There are no sources. incctl sources --help shows how to make one.")
			return err
		}
		return a.screen().sources(list)
	})
}

// stateStyle is the colour of a source's state.
func stateStyle(state string) style {
	switch state {
	case "up":
		return green
	case "down":
		return red
	case "degraded":
		return yellow
	}
	return dim
}

func (s screen) sources(list []sourceHealth) error {
	var rows [][]cell
	for _, h := range list {
		why := h.Reason
		if why == "" {
			why = strings.Join(h.Listening, ", ")
		}
		rows = append(rows, []cell{{clean(h.Name), bold}, {clean(h.Kind), plain}, {h.State, stateStyle(h.State)}, {s.when(h.Since), plain}, {s.when(h.LastEvent), plain},
			{h.Counters["received"], plain}, {h.Counters["events"], plain}, {h.Counters["unmapped"], plain}, {h.Counters["dropped"], lossStyle(h.Counters["dropped"])}, {clean(why), dim}})
	}
	return s.table("", []column{{title: "SOURCE"}, {title: "KIND"}, {title: "STATE"}, {title: "SINCE"}, {title: "LAST EVENT"},
		{title: "RECEIVED"}, {title: "EVENTS"}, {title: "UNMAPPED"}, {title: "DROPPED"}, {title: "WHERE OR WHY", give: true, least: 12}}, rows)
}

func lossStyle(n string) style {
	if n == "0" {
		return plain
	}
	return red
}

func (s screen) source(h *sourceHealth) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s, %s\n\n", s.paint(clean(h.Name), bold), clean(h.Kind), s.paint(h.State, stateStyle(h.State)))
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-16s%s\n", name, clean(value))
		}
	}
	at := func(name, stamp string) {
		if stamp != "" {
			fact(name, s.whenLong(stamp))
		}
	}
	fact("Listening", strings.Join(h.Listening, ", "))
	at("Since", h.Since)
	fact("Reason", h.Reason)
	at("Next attempt", h.NextAttempt)
	at("Last event", h.LastEvent)
	fact("Last error", h.LastError)
	at("", h.ErrorTime)
	at("Counting since", h.Counting)
	b.WriteByte('\n')
	for _, c := range sourceCounters {
		if v, told := h.Counters[c.name]; told {
			fmt.Fprintf(&b, "  %12s %-13s %s\n", v, c.name, s.paint(c.what, dim))
		}
	}
	_, err := fmt.Fprint(s.w, b.String())
	return err
}
