package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// oamStyle is the colour of a state, an outcome or a verdict.
func oamStyle(word string) style {
	switch word {
	case "pass", "success", "ongoing":
		return green
	case "error", "fail", "failure":
		return red
	case "stop", "stopped", "inconclusive":
		return yellow
	}
	return plain
}

func (s screen) oamTests(list []oamTest) error {
	var rows [][]cell
	for _, t := range list {
		why := t.Detail
		if len(t.Conflicts) > 0 {
			why = strings.TrimPrefix(fmt.Sprintf("%s; meets %s", why, t.Conflicts[0].Name), "; ")
		}
		rows = append(rows, []cell{{clean(t.Name), bold}, {clean(strings.TrimSpace(t.Type + " " + t.Target)), plain}, {t.Status, oamStyle(t.Status)},
			{s.when(t.Last), plain}, {t.Verdict, oamStyle(t.Verdict)}, {s.when(t.Next), plain}, {t.Runs, plain}, {t.Failures, lossStyle(t.Failures)}, {t.Missed, lossStyle(t.Missed)}, {clean(why), dim}})
	}
	return s.table("", []column{{title: "NAME"}, {title: "WHAT", give: true, least: 12}, {title: "STATE"}, {title: "LAST"}, {title: "VERDICT"}, {title: "NEXT"},
		{title: "RUNS"}, {title: "ERRORS"}, {title: "MISSED"}, {title: "WHY", give: true, least: 8}}, rows)
}

func (s screen) oamTest(t *oamTest) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s, %s\n\n", s.paint(clean(t.Name), bold), clean(strings.TrimSpace(t.Type+" "+t.Target)), s.paint(t.Status, oamStyle(t.Status)))
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-14s%s\n", name, clean(value))
		}
	}
	at := func(name, stamp string) {
		if stamp != "" {
			fact(name, s.whenLong(stamp))
		}
	}
	fact("Why", t.Detail)
	at("Since", t.Changed)
	at("Last due", t.Last)
	for i, p := range t.Preview {
		at([]string{"Next due", "", "", "", ""}[min(i, 4)], p)
	}
	fact("The period", map[string]string{"occurrence": "is how long each run may take", "validity": "bounds the schedule"}[t.Role])
	fact("Runs", fmt.Sprintf("%s, %s of them in error; %s missed, %s left out because one ran", t.Runs, t.Failures, t.Missed, t.Overlaps))
	for _, c := range t.Conflicts {
		fact("Meets", fmt.Sprintf("%s %s at %s: both need %s", c.Kind, c.Name, s.whenLong(c.At), c.Resource))
	}
	if _, err := fmt.Fprint(s.w, b.String()); err != nil || len(t.Results) == 0 {
		return err
	}
	fmt.Fprintln(s.w)
	return s.oamResults(t.Results)
}

// oamResults is a table of runs, those of sequences with their members.
func (s screen) oamResults(list []oamResult) error {
	var rows [][]cell
	for _, r := range list {
		rows = append(rows, s.oamResult(r.RunID, &r))
		for i := range r.Members {
			rows = append(rows, s.oamResult("  "+clean(r.Members[i].Name), &r.Members[i]))
		}
	}
	return s.table("  ", []column{{title: "RUN"}, {title: "BEGAN"}, {title: "BY"}, {title: "OUTCOME"}, {title: "VERDICT"},
		{title: "SENT"}, {title: "LOSS"}, {title: "DELAY"}, {title: "WHY", give: true, least: 12}}, rows)
}

func (s screen) oamResult(name string, r *oamResult) []cell {
	loss := r.Loss
	if loss != "" {
		loss += "%"
	}
	delay := ""
	if ns, err := strconv.ParseInt(r.Delay, 10, 64); err == nil {
		delay = time.Duration(ns).Round(time.Microsecond).String()
	}
	why := append(append([]string(nil), r.Crossed...), r.Detail)
	for _, c := range r.Responses {
		why = append(why, c.Count+" × "+c.Code)
	}
	if r.MTU != "" {
		why = append(why, "MTU "+r.MTU)
	}
	if r.Hops != "" {
		why = append(why, r.Hops+" hops")
	}
	return []cell{{name, plain}, {s.when(r.Start), plain}, {r.Trigger, plain}, {r.Outcome, oamStyle(r.Outcome)}, {r.Verdict, oamStyle(r.Verdict)},
		{r.Sent, plain}, {loss, plain}, {delay, plain}, {clean(strings.Trim(strings.Join(why, ", "), ", ")), dim}}
}

func (s screen) oamPreview(p *oamPreview) error {
	var b strings.Builder
	if len(p.Occurrences) == 0 {
		b.WriteString("It is never due from then on.\n")
	}
	for _, o := range p.Occurrences {
		b.WriteString(s.whenLong(o.Start))
		if o.End != "" {
			fmt.Fprintf(&b, "  %s", s.paint("until "+s.whenLong(o.End), dim))
		}
		b.WriteByte('\n')
	}
	for _, c := range p.Conflicts {
		fmt.Fprintf(&b, "%s %s %s at %s: both need %s.\n", s.paint("It meets", yellow), c.Kind, clean(c.Name), s.whenLong(c.At), clean(c.Resource))
	}
	_, err := fmt.Fprint(s.w, b.String())
	return err
}
