package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const nsDiagnosis = "urn:incidentd:yang:diagnosis"

type diagnoseCommand struct {
	ID   string `arg:"" name:"id" help:"The incident, such as inc-12; the number alone will do." complete:"incident"`
	Plan bool   `help:"Show the tests and what they would cost, and send nothing."`
	Wait bool   `help:"Show the tests as they end, then what was found."`
}

// Help is shown by `incctl diagnose --help`.
func (*diagnoseCommand) Help() string {
	return "Has the cause of an incident searched for by tests of the network. The server answers as soon as it has taken the task up; " +
		"what is found becomes part of the incident. An incident that is being diagnosed already is not diagnosed twice: --wait joins in."
}

// pollDiagnosis is how often --wait asks how far a diagnosis is.
const pollDiagnosis = 500 * time.Millisecond

// Run diagnoses, or shows the plan.
func (c *diagnoseCommand) Run(ctx context.Context, a *app) error {
	id := fullID(c.ID)
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if c.Plan {
			return c.plan(ctx, a, s, id)
		}
		op := etree.NewElement("incident-diagnose")
		op.CreateAttr("xmlns", nsIncident)
		op.CreateElement("incident-id").SetText(id)
		if _, err := s.call(ctx, op); err != nil {
			return s.about(ctx, []string{id}, err)
		}
		if c.Wait {
			return c.wait(ctx, a, s, id)
		}
		return a.done("Diagnosing "+id+"; incctl show "+id+" tells what is found.", "incident-diagnose", id)
	})
}

// diagnosisStep is a test of a plan or of a diagnosis.
type diagnosisStep struct {
	Number        string `json:"number"`
	Type          string `json:"test-type"`
	Target        string `json:"target,omitempty"`
	Node          string `json:"node,omitempty"`
	Vantage       string `json:"vantage-point,omitempty"`
	Purpose       string `json:"purpose,omitempty"`
	Condition     string `json:"condition,omitempty"`
	Intrusiveness string `json:"intrusiveness,omitempty"`
	Packets       string `json:"packets,omitempty"`
	Octets        string `json:"octets,omitempty"`
	Duration      string `json:"duration,omitempty"`
	Outcome       string `json:"outcome,omitempty"`
	Reason        string `json:"reason,omitempty"`
	Detail        string `json:"detail,omitempty"`
	Sent          string `json:"tx-packet-count,omitempty"`
	Lost          string `json:"packet-loss-count,omitempty"`
	End           string `json:"path-end-reason,omitempty"`
	Hops          string `json:"hop-cnt,omitempty"`
	MTU           string `json:"path-mtu,omitempty"`
}

// finding is what a diagnosis has found.
type finding struct {
	Cause      string `json:"cause"`
	Conclusive *bool  `json:"conclusive"`
	Node       string `json:"node,omitempty"`
	Resource   string `json:"resource,omitempty"`
	PeerNode   string `json:"peer-node,omitempty"`
	Peer       string `json:"peer-resource,omitempty"`
	Address    string `json:"address,omitempty"`
	Loss       string `json:"loss-ratio,omitempty"`
	Excluded   string `json:"excluded-loss-ratio,omitempty"`
	MTU        string `json:"path-mtu,omitempty"`
	Detail     string `json:"detail,omitempty"`
}

// diagnosis is that of an incident.
type diagnosis struct {
	State    string          `json:"state"`
	Trigger  string          `json:"trigger,omitempty"`
	User     string          `json:"user,omitempty"`
	Begin    string          `json:"begin-time,omitempty"`
	End      string          `json:"end-time,omitempty"`
	Packets  string          `json:"packets,omitempty"`
	Octets   string          `json:"octets,omitempty"`
	Detail   string          `json:"detail,omitempty"`
	Findings []finding       `json:"finding,omitempty"`
	Steps    []diagnosisStep `json:"step,omitempty"`
}

func decodeDiagnosisStep(e *etree.Element) diagnosisStep {
	text := func(name string) string { return leaf(e, nsDiagnosis, name) }
	s := diagnosisStep{
		Number: text("number"), Type: text("test-type"), Target: text("target"), Node: text("node"), Vantage: text("vantage-point"),
		Purpose: text("purpose"), Condition: text("condition"), Intrusiveness: text("intrusiveness"), Packets: text("packets"), Octets: text("octets"),
		Duration: text("duration"), Outcome: text("outcome"), Reason: local(text("reason")), Detail: text("detail"),
		End: text("path-end-reason"), Hops: text("hop-cnt"), MTU: text("path-mtu"),
	}
	for _, c := range children(e, nsDiagnosis, "session-packet-statistics") {
		s.Sent = leaf(c, nsDiagnosis, "tx-packet-count")
	}
	for _, c := range children(e, nsDiagnosis, "session-error-statistics") {
		s.Lost = leaf(c, nsDiagnosis, "packet-loss-count")
	}
	return s
}

func decodeDiagnosis(e *etree.Element) diagnosis {
	text := func(name string) string { return leaf(e, nsDiagnosis, name) }
	d := diagnosis{State: text("state"), Trigger: text("trigger"), User: text("user"), Begin: text("begin-time"), End: text("end-time"),
		Packets: text("packets"), Octets: text("octets"), Detail: text("detail")}
	for _, f := range children(e, nsDiagnosis, "finding") {
		text := func(name string) string { return leaf(f, nsDiagnosis, name) }
		d.Findings = append(d.Findings, finding{text("cause"), boolean(text("conclusive")), text("node"), text("resource"), text("peer-node"), text("peer-resource"),
			text("address"), text("loss-ratio"), text("excluded-loss-ratio"), text("path-mtu"), text("detail")})
	}
	for _, s := range children(e, nsDiagnosis, "step") {
		d.Steps = append(d.Steps, decodeDiagnosisStep(s))
	}
	return d
}

// plan shows what a diagnosis would do.
func (c *diagnoseCommand) plan(ctx context.Context, a *app, s *session, id string) error {
	op := etree.NewElement("diagnose-plan")
	op.CreateAttr("xmlns", nsDiagnosis)
	op.CreateElement("incident-id").SetText(id)
	reply, err := s.call(ctx, op)
	if err != nil {
		return s.about(ctx, []string{id}, err)
	}
	text := func(name string) string { return leaf(reply, nsDiagnosis, name) }
	var steps []diagnosisStep
	for _, e := range children(reply, nsDiagnosis, "step") {
		steps = append(steps, decodeDiagnosisStep(e))
	}
	obstacles := leafList(reply, nsDiagnosis, "obstacle")
	if a.json {
		out := map[string]any{"step": steps, "obstacle": obstacles}
		for _, name := range []string{"packets", "octets", "duration", "budget-packets", "budget-octets"} {
			out[name] = json.Number(text(name))
		}
		return a.writeJSON(map[string]any{"incidentd-diagnosis:diagnose-plan": out})
	}
	for _, st := range steps {
		fmt.Fprintf(a.stdout, "%2s. %s: %s\n", clean(st.Number), st.what("each hop of the path"), clean(st.Purpose))
		line := fmt.Sprintf("%s, at most %s packets, %s octets", clean(st.Intrusiveness), clean(st.Packets), clean(st.Octets))
		if st.Condition != "" {
			line += "; if " + clean(st.Condition)
		}
		fmt.Fprintf(a.stdout, "    %s\n", line)
	}
	if len(steps) > 0 {
		fmt.Fprintf(a.stdout, "All of it: at most %s packets, %s octets, %s. The budget has %s packets, %s octets.\n", clean(text("packets")), clean(text("octets")),
			milliseconds(text("duration")), clean(text("budget-packets")), clean(text("budget-octets")))
	}
	for _, o := range obstacles {
		fmt.Fprintf(a.stdout, "It would be refused now: %s\n", clean(o))
	}
	return nil
}

// milliseconds is a length of time for people.
func milliseconds(text string) string {
	d, err := time.ParseDuration(text + "ms")
	if err != nil {
		return clean(text)
	}
	return d.Round(100 * time.Millisecond).String()
}

// what is a test and where it goes.
func (s *diagnosisStep) what(hops string) string {
	to := clean(s.Target)
	if to == "" {
		to = hops
	}
	if s.Node != "" {
		to = clean(s.Node) + " (" + to + ")"
	}
	out := clean(s.Type) + " to " + to
	if s.Vantage != "" {
		out += " from " + clean(s.Vantage)
	}
	return out
}

// found is what a test has measured, in a few words.
func (s *diagnosisStep) found() string {
	switch {
	case s.Outcome != "finished":
		return clean(strings.TrimSpace(s.Outcome + " " + s.Detail))
	case s.End != "":
		return clean(s.End)
	case s.Hops != "":
		return clean(s.Hops) + " hops"
	case s.MTU != "":
		return clean(s.MTU) + " octets pass"
	case s.Sent != "" && s.Lost != "":
		return clean(s.Lost) + " of " + clean(s.Sent) + " lost"
	}
	return "done"
}

// wait shows how a diagnosis goes on until it is over.
func (c *diagnoseCommand) wait(ctx context.Context, a *app, s *session, id string) error {
	filter := idFilter(id)
	filter.ChildElements()[0].CreateElement("diagnosis").CreateAttr("xmlns", nsDiagnosis)
	shown := 0
	for {
		data, err := s.get(ctx, filter)
		if err != nil {
			return err
		}
		at := data.FindElement("./incidents/incident/diagnosis")
		if at == nil {
			return fmt.Errorf("%s is gone", id)
		}
		d := decodeDiagnosis(at)
		for ; shown < len(d.Steps) && !a.json; shown++ {
			fmt.Fprintf(a.stdout, "%s: %s\n", d.Steps[shown].what(""), d.Steps[shown].found())
		}
		if d.State != "waiting" && d.State != "ongoing" {
			return d.show(a, id)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollDiagnosis):
		}
	}
}

// show writes what was found.
func (d *diagnosis) show(a *app, id string) error {
	if a.json {
		return a.writeJSON(map[string]any{"incidentd-diagnosis:diagnosis": d, "incident-id": id})
	}
	took := ""
	if begin, end := parseTime(d.Begin), parseTime(d.End); !begin.IsZero() && !end.IsZero() {
		took = fmt.Sprintf(" in %.1f s", end.Sub(begin).Seconds())
	}
	fmt.Fprintf(a.stdout, "Diagnosis of %s: %s%s, %s packets, %s octets.\n", id, clean(d.State), took, clean(d.Packets), clean(d.Octets))
	if d.Detail != "" {
		fmt.Fprintf(a.stdout, "%s\n", clean(d.Detail))
	}
	out := a.screen()
	for _, f := range d.Findings {
		line := out.paint(clean(f.Cause), bold)
		if f.Node != "" {
			line += " at " + clean(strings.TrimSpace(f.Node+" "+f.Resource))
		}
		if f.PeerNode != "" {
			line += " towards " + clean(strings.TrimSpace(f.PeerNode+" "+f.Peer))
		}
		if f.Conclusive != nil && !*f.Conclusive {
			line += " (not conclusive)"
		}
		fmt.Fprintf(a.stdout, "%s\n    %s\n", line, clean(f.Detail))
	}
	return nil
}
