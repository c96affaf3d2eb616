package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"incidentd/oam/plot"
)

type oamReportCommand struct {
	oamNamed
	RunID  string `name:"run" help:"The run that is drawn; by default the last." placeholder:"RUN"`
	Last   int    `short:"n" help:"How many of the last runs make the course of delay." default:"32" placeholder:"N"`
	Height int    `help:"How many lines a plot has." default:"8" placeholder:"LINES"`
	ASCII  bool   `name:"ascii" help:"Draw with ASCII, also where the terminal can do more."`
}

// Help is shown by `incctl oam report --help`.
func (*oamReportCommand) Help() string {
	return `Draws delay and loss: over the last runs, and within one of them. Dots are the mean, bars the range
of the packets; what was lost stands below. The plots are as wide as the terminal, or 80 columns; they
are of Braille, or of ASCII where the locale is not UTF-8.`
}

// Validate is called by the parser.
func (c *oamReportCommand) Validate() error {
	if c.Height < 3 || c.Height > 100 {
		return fmt.Errorf("--height must be from 3 to 100")
	}
	return nil
}

// Run draws.
func (c *oamReportCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		t, err := s.oamTest(ctx, c.Name, c.Sequence)
		if err != nil {
			return err
		}
		t.Results = t.Results[max(0, len(t.Results)-max(1, c.Last)):]
		run, err := t.run(c.RunID)
		switch {
		case err != nil:
			return err
		case a.json:
			return a.writeJSON(t)
		case run == nil:
			_, err := fmt.Fprintf(a.stdout, "%s has not run yet; incctl oam run %[1]s does that now.\n", clean(t.Name))
			return err
		}
		_, err = fmt.Fprint(a.stdout, a.screen().oamReport(t, run, c.Height, c.ink()))
		return err
	})
}

// run finds a run, or the last one that is over; nil when there is none yet.
func (t *oamTest) run(id string) (*oamResult, error) {
	for i := len(t.Results) - 1; i >= 0; i-- {
		if r := &t.Results[i]; r.RunID == id || id == "" && r.End != "" {
			return r, nil
		}
	}
	if id != "" {
		return nil, fmt.Errorf("there is no run %s among the last %d of %s; incctl oam show %[3]s lists them", clean(id), len(t.Results), clean(t.Name))
	}
	return nil, nil
}

// ink is what the terminal can draw with.
func (c *oamReportCommand) ink() plot.Ink {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(os.Getenv(name)); v != "" { // the first that is set decides
			if !c.ASCII && (strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")) {
				return plot.Braille
			}
			break
		}
	}
	return plot.ASCII
}

// oamReport is the report of a run, with the course of those before.
func (s screen) oamReport(t *oamTest, run *oamResult, height int, ink plot.Ink) string {
	width := s.width
	if width == 0 {
		width = 80
	}
	var b strings.Builder
	part := func(title string, chart *plot.Chart) {
		if !chart.Empty() {
			fmt.Fprintf(&b, "\n%s\n%s", s.paint(title, bold), chart.Text(width, height, ink))
		}
	}
	verdict := run.Verdict
	if verdict == "" {
		verdict = run.Outcome
	}
	fmt.Fprintf(&b, "%s  %s, run %s: %s\n", s.paint(clean(t.Name), bold), clean(strings.TrimSpace(t.Type+" "+t.Target)), run.RunID, s.paint(verdict, oamStyle(verdict)))
	b.WriteString(oamFigures(run))
	if course := t.course(); len(course.Points) > 1 {
		part(fmt.Sprintf("Delay of the last %d runs", len(course.Points)), course)
	}
	if len(run.Samples) > 1 {
		part("Delay within the run", run.chart())
	}
	for i := range run.Members {
		m := &run.Members[i]
		fmt.Fprintf(&b, "\n%s  %s\n%s", s.paint(clean(m.Name), bold), s.paint(m.Verdict, oamStyle(m.Verdict)), oamFigures(m))
		if len(m.Samples) > 1 {
			b.WriteString(m.chart().Text(width, height, ink))
		}
	}
	return b.String()
}

// oamFigures is a line of what a run has found, empty when that is nothing.
func oamFigures(r *oamResult) string {
	var list []string
	add := func(format, value string) {
		if value != "" {
			list = append(list, fmt.Sprintf(format, clean(value)))
		}
	}
	add("%s sent", r.Sent)
	add("%s%% lost", r.Loss)
	add("mean %s", delayText(r.Delay))
	add("95%% within %s", delayText(r.P95))
	add("most %s", delayText(r.Most))
	add("jitter %s", delayText(r.Jitter))
	add("MTU %s", r.MTU)
	add("%s hops", r.Hops)
	for _, c := range r.Responses {
		add("%s", c.Count+" × "+c.Code)
	}
	for _, c := range r.Crossed {
		add("%s", c)
	}
	add("%s", r.Detail)
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, ", ") + "\n"
}

// delayText is a delay that the server tells in nanoseconds.
func delayText(ns string) string {
	if ns == "" {
		return ""
	}
	return nanoseconds(ns).Round(time.Microsecond).String()
}

func nanoseconds(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64) // the server's schema has checked it
	return time.Duration(n)
}

// course is the delay of run after run.
func (t *oamTest) course() *plot.Chart {
	c := &plot.Chart{Moments: true, Zone: time.Local}
	for _, r := range t.Results {
		begin := parseTime(r.Start)
		if begin.IsZero() || r.Delay == "" && r.Loss == "" {
			continue
		}
		loss, _ := strconv.ParseFloat(r.Loss, 64) // as is a number
		c.Points = append(c.Points, plot.Point{X: float64(begin.UnixNano()) / 1e9, Low: nanoseconds(r.Least), Mean: nanoseconds(r.Delay),
			High: nanoseconds(r.Most), Answered: r.Delay != "", Loss: loss / 100})
	}
	return c
}

// chart is the delay within a run.
func (r *oamResult) chart() *plot.Chart {
	c := &plot.Chart{}
	for _, s := range r.Samples {
		p := plot.Point{X: nanoseconds(s.Offset).Seconds(), Low: nanoseconds(s.Least), Mean: nanoseconds(s.Delay), High: nanoseconds(s.Most), Answered: s.Delay != ""}
		if sent := nanoseconds(s.Sent); sent > 0 {
			p.Loss = float64(nanoseconds(s.Lost)) / float64(sent)
		}
		c.Points = append(c.Points, p)
	}
	return c
}
