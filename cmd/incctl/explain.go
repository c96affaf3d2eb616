package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"incidentd/yang/rpcerr"
)

const nsManagement = "urn:incidentd:yang:management"

type explainCommand struct {
	ID string `arg:"" name:"id" help:"The incident, such as inc-12, of now or of the past; the number alone will do." complete:"incident"`
}

// Help is shown by `incctl explain --help`.
func (*explainCommand) Help() string {
	return `Tells why an incident is one incident and what its root cause rests on: a tree leads from the root cause through the topology to what follows from it, with the rule by which each event is there and how long after the first it came. Then what was expected and did not come, what fits less well, and the services.`
}

// explanation is the output of explain-incident. Encoded by encoding/json it is the JSON of
// RFC 7951.
type explanation struct {
	ID          string          `json:"incident-id"`
	Name        string          `json:"name"`
	Status      string          `json:"status"`
	Priority    string          `json:"priority"`
	Explanation string          `json:"explanation,omitempty"`
	Weight      json.Number     `json:"weight,omitempty"`
	RootCauses  []possible      `json:"root-cause,omitempty"`
	Events      []joined        `json:"event,omitempty"`
	Omitted     json.Number     `json:"events-omitted,omitempty"`
	Missing     []string        `json:"missing-evidence,omitempty"`
	Rivals      []possible      `json:"rival,omitempty"`
	Impact      []serviceImpact `json:"service-impact,omitempty"`
	Labels      []string        `json:"label,omitempty"`
	Learned     []string        `json:"learned-fact,omitempty"`
}

// possible is a possible cause.
type possible struct {
	Rank      json.Number `json:"rank,omitempty"`
	Node      string      `json:"node,omitempty"`
	Resource  string      `json:"resource,omitempty"`
	CauseName string      `json:"cause-name,omitempty"`
	Detail    string      `json:"detail,omitempty"`
	Weight    json.Number `json:"weight,omitempty"`
}

// joined is an event of an incident, and the way by which it speaks for the root.
type joined struct {
	ID       string      `json:"event-id"`
	Role     string      `json:"role,omitempty"`
	Node     string      `json:"node,omitempty"`
	Resource string      `json:"resource,omitempty"`
	Type     string      `json:"alarm-type-id,omitempty"`
	Severity string      `json:"severity,omitempty"`
	Cleared  *bool       `json:"cleared,omitempty"`
	Time     string      `json:"time,omitempty"`
	Text     string      `json:"text,omitempty"`
	Rule     string      `json:"rule,omitempty"`
	Path     []string    `json:"path,omitempty"`
	Lag      string      `json:"lag,omitempty"`
	Raises   json.Number `json:"raises,omitempty"`
	Reason   string      `json:"reason,omitempty"`
}

type serviceImpact struct {
	Service string `json:"service-instance"`
	State   string `json:"state"`
}

// Run prints the explanation.
func (c *explainCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		id := fullID(c.ID)
		reply, err := s.manage(ctx, "explain-incident", parameters{{"incident-id", id}})
		if missing(err) {
			return s.unknown(ctx, []string{id})
		}
		if err != nil {
			return err
		}
		x := decodeExplanation(reply)
		if a.json {
			return a.writeJSON(map[string]any{"incidentd-management:output": x})
		}
		return a.screen().explanation(&x)
	})
}

// parameters are leafs of an operation, in order.
type parameters [][2]string

// manage calls an operation of incidentd-management.
func (s *session) manage(ctx context.Context, name string, leafs parameters, more ...*etree.Element) (*etree.Element, error) {
	op := etree.NewElement(name)
	op.CreateAttr("xmlns", nsManagement)
	for _, p := range leafs {
		if p[1] != "" {
			op.CreateElement(p[0]).SetText(p[1])
		}
	}
	for _, e := range more {
		op.AddChild(e)
	}
	return s.call(ctx, op)
}

// missing reports whether an error says that something named is not there.
func missing(err error) bool {
	list, _ := rpcerr.List(err)
	return len(list) > 0 && list[0].AppTag == rpcerr.AppInstanceRequired
}

func decodeExplanation(e *etree.Element) explanation {
	text := func(name string) string { return leaf(e, nsManagement, name) }
	x := explanation{ID: text("incident-id"), Name: text("name"), Status: text("status"), Priority: text("priority"), Explanation: text("explanation"),
		Weight: json.Number(text("weight")), RootCauses: decodePossible(e, "root-cause"), Omitted: json.Number(text("events-omitted")),
		Missing: leafList(e, nsManagement, "missing-evidence"), Rivals: decodePossible(e, "rival"), Impact: decodeImpact(e, nsManagement),
		Labels: leafList(e, nsManagement, "label"), Learned: leafList(e, nsManagement, "learned-fact")}
	for _, v := range children(e, nsManagement, "event") {
		own := func(name string) string { return leaf(v, nsManagement, name) }
		x.Events = append(x.Events, joined{ID: own("event-id"), Role: own("role"), Node: own("node"), Resource: own("resource"), Type: own("alarm-type-id"),
			Severity: own("severity"), Cleared: boolean(own("cleared")), Time: own("time"), Text: own("text"), Rule: own("rule"),
			Path: leafList(v, nsManagement, "path"), Lag: own("lag"), Raises: json.Number(own("raises")), Reason: own("reason")})
	}
	return x
}

func decodePossible(e *etree.Element, list string) (out []possible) {
	for _, v := range children(e, nsManagement, list) {
		own := func(name string) string { return leaf(v, nsManagement, name) }
		out = append(out, possible{json.Number(own("rank")), own("node"), own("resource"), own("cause-name"), own("detail"), json.Number(own("weight"))})
	}
	return out
}

func decodeImpact(e *etree.Element, space string) (out []serviceImpact) {
	for _, v := range children(e, space, "service-impact") {
		out = append(out, serviceImpact{leaf(v, space, "service-instance"), leaf(v, space, "state")})
	}
	return out
}

// explanation writes why an incident is one.
func (s screen) explanation(x *explanation) error {
	var b strings.Builder
	with := priorityStyle(x.Priority)
	if x.Status == "cleared" {
		with = dim
	}
	fmt.Fprintf(&b, "%s  %s\n%s, %s\n\n", s.paint(clean(x.ID), bold), s.paint(clean(x.Name), bold), s.paint(clean(x.Priority), with), s.paint(clean(x.Status), statusStyle(x.Status)))
	s.evidence(&b, x)
	if n, _ := x.Omitted.Int64(); n > 0 {
		fmt.Fprintf(&b, "and %s\n", plural(int(n), "more event"))
	}
	list := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", s.paint(title, bold))
		for _, l := range lines {
			b.WriteString(s.wrap("  ", clean(l)))
		}
	}
	list("Expected, but not seen", x.Missing)
	var lines []string
	for _, r := range x.Rivals {
		lines = append(lines, place(r.Node, r.Resource, r.CauseName)+"  (weight "+nats(r.Weight)+")")
	}
	list("Fits less well", lines)
	lines = nil
	for _, v := range x.Impact {
		lines = append(lines, v.Service+"  "+v.State)
	}
	list("Services", lines)
	list("Labels", x.Labels)
	list("Learned", x.Learned)
	_, err := fmt.Fprint(s.w, b.String())
	return err
}

// evidence draws the tree from the root cause to what follows from it: along the ways by
// which the events lead to it, backwards.
func (s screen) evidence(b *strings.Builder, x *explanation) {
	root := &branch{}
	if len(x.RootCauses) > 0 {
		r := x.RootCauses[0]
		root.text = s.paint(clean(place(r.Node, r.Resource, r.CauseName)), bold)
		if x.Weight != "" {
			root.text += s.paint("  (weight "+nats(x.Weight)+")", dim)
		}
	} else {
		root.text = s.paint("no root cause", bold)
	}
	for _, v := range x.Events {
		at := root
		if v.Role != "root" {
			for k := len(v.Path) - 1; k >= 0; k-- {
				at = at.to(clean(v.Path[k]))
			}
		}
		at.leaves = append(at.leaves, s.leaf(&v))
	}
	root.draw(b, "", "")
}

// leaf is an event in a line.
func (s screen) leaf(v *joined) string {
	with := severityStyle(v.Severity)
	over := ""
	if v.Cleared != nil && *v.Cleared {
		with, over = dim, ", over"
	}
	how := v.Role
	if v.Rule != "" {
		how += " by " + v.Rule
	}
	if n, _ := v.Raises.Int64(); n > 1 {
		over += fmt.Sprintf(", %d times", n)
	}
	what := clean(v.Type)
	if v.Rule == "beside" && v.Text != "" { // a line of a log, whose type tells nothing
		what = strconv.Quote(clean(v.Text))
	}
	return s.paint(what, with) + " at " + clean(strings.TrimSpace(v.Node+" "+v.Resource)) + s.paint("  "+after(v.Lag)+"  "+clean(how)+over+"  ["+clean(v.ID)+"]", dim)
}

// after writes how long after the first event another came, of milliseconds.
func after(lag string) string {
	ms, err := strconv.ParseInt(lag, 10, 64)
	if err != nil {
		return ""
	}
	d := (time.Duration(ms) * time.Millisecond).String()
	if ms >= 0 {
		d = "+" + d
	}
	return d
}

// nats writes a weight of thousandths.
func nats(w json.Number) string {
	n, err := w.Int64()
	if err != nil {
		return string(w)
	}
	return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64)
}

type whyNotCommand struct {
	Event string `arg:"" help:"The id of the event."`
	ID    string `arg:"" name:"id" help:"The open incident that it is not in." complete:"incident"`
}

// Help is shown by `incctl why-not --help`.
func (*whyNotCommand) Help() string {
	return "Tells what an event lacks to be in an incident, and which incident it is in."
}

// notJoined is the output of why-not.
type notJoined struct {
	Lacking     string   `json:"lacking"`
	Rule        string   `json:"rule,omitempty"`
	Path        []string `json:"path,omitempty"`
	Lag         string   `json:"lag,omitempty"`
	Incident    string   `json:"incident-id,omitempty"`
	Explanation string   `json:"explanation"`
}

// Run prints why.
func (c *whyNotCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		reply, err := s.manage(ctx, "why-not", parameters{{"event-id", c.Event}, {"incident-id", fullID(c.ID)}})
		if err != nil {
			return s.about(ctx, []string{fullID(c.ID)}, err)
		}
		text := func(name string) string { return leaf(reply, nsManagement, name) }
		w := notJoined{text("lacking"), text("rule"), leafList(reply, nsManagement, "path"), text("lag"), text("incident-id"), text("explanation")}
		if a.json {
			return a.writeJSON(map[string]any{"incidentd-management:output": w})
		}
		out := a.screen()
		var b strings.Builder
		b.WriteString(out.wrap("", clean(w.Explanation)))
		if len(w.Path) > 0 {
			fmt.Fprintf(&b, "%s %s\n", out.paint("The way to the root cause:", bold), clean(strings.Join(w.Path, " > ")))
		}
		if w.Lag != "" {
			fmt.Fprintf(&b, "%s %s\n", out.paint("After the first event:", bold), after(w.Lag))
		}
		if w.Incident != "" && w.Incident != fullID(c.ID) {
			fmt.Fprintf(&b, "It is in %s; incctl explain %s tells why.\n", out.paint(clean(w.Incident), bold), clean(w.Incident))
		}
		_, err = fmt.Fprint(a.stdout, b.String())
		return err
	})
}

// about turns an error about incidents that are not there into one that names those that
// look like them.
func (s *session) about(ctx context.Context, ids []string, err error) error {
	list, known := rpcerr.List(err)
	if !known {
		return err
	}
	var unknown []string
	for _, e := range list {
		if e.AppTag != rpcerr.AppInstanceRequired || strings.Contains(e.Path.Expr, "event-id") {
			return err
		}
		unknown = append(unknown, cmp.Or(idIn(e, ids), ids[0]))
	}
	return s.unknown(ctx, unknown)
}
