package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/datapath"
)

type proposalsCommand struct {
	List    listProposalsCommand   `cmd:"" default:"1" help:"List what was learnt and awaits a decision."`
	Approve approveProposalCommand `cmd:"" help:"Make what was learnt configuration."`
	Reject  rejectProposalCommand  `cmd:"" help:"Let what was learnt not be proposed again."`
}

type listProposalsCommand struct{}

// Help is shown by `incctl proposals list --help`.
func (*listProposalsCommand) Help() string {
	return "Lists what the correlator has learnt: objects that fail together, which would be a shared risk; objects that are down at a time of day, which would be a rule of the calendar; and types of alarms of which one follows the other, which would be a co-occurrence. Each with its evidence."
}

// proposal is something learnt.
type proposal struct {
	ID          string      `json:"id"`
	Kind        string      `json:"kind"`
	Explanation string      `json:"explanation"`
	Times       []string    `json:"time,omitempty"`
	Of          json.Number `json:"of,omitempty"`
	Members     []member    `json:"member,omitempty"`
	Start       string      `json:"start,omitempty"`
	Slack       json.Number `json:"slack,omitempty"`
	Lasts       json.Number `json:"lasts,omitempty"`
	Pair        *pair       `json:"co-occurrence,omitempty"`
}

// pair are the alarm types of a co-occurrence. Within is in milliseconds.
type pair struct {
	Cause  string      `json:"cause-type"`
	Effect string      `json:"effect-type"`
	Beside bool        `json:"beside,omitempty"`
	Within json.Number `json:"within"`
}

// member is an object of a proposal.
type member struct {
	ID       string `json:"id"`
	Network  string `json:"network,omitempty"`
	Link     string `json:"link,omitempty"`
	Node     string `json:"node,omitempty"`
	Resource string `json:"resource,omitempty"`
}

// Run lists.
func (*listProposalsCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		list, err := s.proposals(ctx)
		if err != nil {
			return err
		}
		if a.json {
			return a.writeJSON(map[string]any{"incidentd-management:output": map[string]any{"proposal": list}})
		}
		if len(list) == 0 {
			fmt.Fprintln(a.stdout, "Nothing learnt awaits a decision.")
			return nil
		}
		out := a.screen()
		var b strings.Builder
		for _, p := range list {
			fmt.Fprintf(&b, "%s  %s\n", out.paint(clean(p.ID), bold), clean(strings.ReplaceAll(p.Kind, "-", " ")))
			b.WriteString(out.wrap("  ", clean(p.Explanation)))
			for _, m := range p.Members {
				fmt.Fprintf(&b, "  %s\n", clean(strings.TrimSpace(m.Network+m.Node+" "+m.Link+m.Resource)))
			}
			if p.Start != "" {
				fmt.Fprintf(&b, "  at %s UTC, %s minutes to and fro, for %s minutes at most\n", clean(p.Start), p.Slack, p.Lasts)
			}
			if c := p.Pair; c != nil {
				where := "at the same node"
				if c.Beside {
					where = "at the same node or the next"
				}
				within, _ := c.Within.Int64()
				fmt.Fprintf(&b, "  %s after %s, %s, within %s\n", clean(c.Effect), clean(c.Cause), where, time.Duration(within)*time.Millisecond)
			}
			if n := len(p.Times); n > 0 {
				fmt.Fprintf(&b, "  last seen %s\n", out.when(p.Times[n-1]))
			}
		}
		fmt.Fprintf(&b, "\nincctl proposals approve ID makes one configuration, reject ID lets it not come again.\n")
		_, err = fmt.Fprint(a.stdout, b.String())
		return err
	})
}

// proposals asks for them.
func (s *session) proposals(ctx context.Context) (list []proposal, err error) {
	reply, err := s.manage(ctx, "list-proposals", nil)
	if err != nil {
		return nil, err
	}
	list = []proposal{}
	for _, e := range children(reply, nsManagement, "proposal") {
		text := func(name string) string { return leaf(e, nsManagement, name) }
		p := proposal{ID: text("id"), Kind: text("kind"), Explanation: text("explanation"), Times: leafList(e, nsManagement, "time"),
			Of: json.Number(text("of")), Start: text("start"), Slack: json.Number(text("slack")), Lasts: json.Number(text("lasts"))}
		for _, m := range children(e, nsManagement, "member") {
			own := func(name string) string { return leaf(m, nsManagement, name) }
			p.Members = append(p.Members, member{own("id"), own("network"), own("link"), own("node"), own("resource")})
		}
		for _, c := range children(e, nsManagement, "co-occurrence") {
			own := func(name string) string { return leaf(c, nsManagement, name) }
			p.Pair = &pair{own("cause-type"), own("effect-type"), own("beside") == "true", json.Number(own("within"))}
		}
		list = append(list, p)
	}
	return list, nil
}

type approveProposalCommand struct {
	ID      string `arg:"" name:"proposal" help:"The proposal." complete:"proposal"`
	Name    string `help:"The name of the entry; one after its objects if left out." placeholder:"NAME"`
	Comment string `short:"m" help:"A comment on the commit." placeholder:"TEXT"`
}

// Help is shown by `incctl proposals approve --help`.
func (*approveProposalCommand) Help() string {
	return "Makes what was learnt an entry of shared-risk, calendar-rule or co-occurrence in running, where it holds at once. rollback takes it back."
}

// Run approves.
func (c *approveProposalCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		reply, err := s.manage(ctx, "approve-proposal", parameters{{"id", c.ID}, {"name", c.Name}, {"comment", c.Comment}})
		if err != nil {
			return s.proposed(ctx, c.ID, err)
		}
		a.changed("running")
		name := leaf(reply, nsManagement, "name")
		return a.done(fmt.Sprintf("Approved %s: it is %q in running now.", clean(c.ID), clean(name)), "approve-proposal", c.ID, "name", name)
	})
}

type rejectProposalCommand struct {
	ID      string `arg:"" name:"proposal" help:"The proposal." complete:"proposal"`
	Comment string `short:"m" help:"Why." placeholder:"TEXT"`
}

// Help is shown by `incctl proposals reject --help`.
func (*rejectProposalCommand) Help() string {
	return "Makes what was learnt an entry of rejected-proposal in running: it is not proposed again until that is deleted."
}

// Run rejects.
func (c *rejectProposalCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if _, err := s.manage(ctx, "reject-proposal", parameters{{"id", c.ID}, {"comment", c.Comment}}); err != nil {
			return s.proposed(ctx, c.ID, err)
		}
		a.changed("running")
		return a.done("Rejected "+clean(c.ID)+".", "reject-proposal", c.ID)
	})
}

// proposed is the error for a proposal that is not there; it names those there are.
func (s *session) proposed(ctx context.Context, id string, err error) error {
	if !missing(err) {
		return err
	}
	list, failed := s.proposals(ctx)
	if failed != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("there is no proposal %s; there are none at all", clean(id))
	}
	var ids []string
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	return fmt.Errorf("there is no proposal %s; there are %s", clean(id), strings.Join(ids, ", "))
}

type previewCommand struct {
	Node     string `arg:"" optional:"" help:"The node." complete:"node"`
	Resource string `arg:"" optional:"" help:"A port or a line card of it."`
	Link     string `help:"A link in place of a node." placeholder:"LINK"`
	Network  string `help:"The network of the link." placeholder:"NETWORK"`
}

// Help is shown by `incctl preview --help`.
func (*previewCommand) Help() string {
	return `Tells what would go down with an object: what a maintenance window on it would touch. What has failed already counts.

  incctl preview PE1 eth1
  incctl preview --network ip --link a-b`
}

// preview is the output of preview-failure.
type preview struct {
	Links  []link          `json:"link,omitempty"`
	Nodes  []string        `json:"node,omitempty"`
	Impact []serviceImpact `json:"service-impact,omitempty"`
}

type link struct {
	Network string `json:"network"`
	Link    string `json:"link"`
}

// Run shows what would go down.
func (c *previewCommand) Run(ctx context.Context, a *app) error {
	switch {
	case (c.Node == "") == (c.Link == ""):
		return fmt.Errorf("either a node or --link is needed; incctl preview --help shows how it is used")
	case (c.Link == "") != (c.Network == ""):
		return fmt.Errorf("--link and --network belong together")
	}
	return a.with(ctx, func(ctx context.Context, s *session) error {
		p, err := s.previewOf(ctx, worksite{c.Network, c.Link, c.Node, c.Resource})
		switch {
		case err != nil:
			return err
		case a.json:
			return a.writeJSON(map[string]any{"incidentd-management:output": p})
		}
		return a.screen().preview(p)
	})
}

// previewOf asks what would go down with an object.
func (s *session) previewOf(ctx context.Context, at worksite) (*preview, error) {
	reply, err := s.manage(ctx, "preview-failure", parameters{{"network", at.Network}, {"link", at.Link}, {"node", at.Node}, {"resource", at.Resource}})
	if err != nil {
		return nil, err
	}
	p := &preview{Nodes: leafList(reply, nsManagement, "node"), Impact: decodeImpact(reply, nsManagement)}
	for _, l := range children(reply, nsManagement, "link") {
		p.Links = append(p.Links, link{leaf(l, nsManagement, "network"), leaf(l, nsManagement, "link")})
	}
	return p, nil
}

func (s screen) preview(p *preview) error {
	var b strings.Builder
	if len(p.Links)+len(p.Nodes)+len(p.Impact) == 0 {
		b.WriteString("Nothing would go down with it.\n")
	}
	list := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "%s\n  %s\n", s.paint(title, bold), strings.Join(lines, "\n  "))
		}
	}
	var links, nodes, services []string
	for _, l := range p.Links {
		links = append(links, clean(l.Network+" "+l.Link))
	}
	for _, n := range p.Nodes {
		nodes = append(nodes, clean(n))
	}
	for _, v := range p.Impact {
		services = append(services, clean(v.Service)+"  "+clean(v.State))
	}
	list("Services", services)
	list("Nodes down or cut off", nodes)
	list("Links and tunnels down", links)
	_, err := fmt.Fprint(s.w, b.String())
	return err
}

// nodes are those of the networks, each once.
func (s *session) nodes(ctx context.Context) (out []datapath.Candidate) {
	filter := etree.NewElement("networks")
	filter.CreateAttr("xmlns", nsNetwork)
	network := filter.CreateElement("network")
	network.CreateElement("network-id")
	network.CreateElement("node").CreateElement("node-id")
	reply, err := s.get(ctx, filter)
	if err != nil {
		return nil
	}
	seen := map[string]bool{}
	for _, top := range children(reply, nsNetwork, "networks") {
		for _, n := range children(top, nsNetwork, "network") {
			for _, e := range children(n, nsNetwork, "node") {
				if id := leaf(e, nsNetwork, "node-id"); !seen[id] {
					seen[id] = true
					out = append(out, datapath.Candidate{Text: id, Description: leaf(n, nsNetwork, "network-id")})
				}
			}
		}
	}
	return out
}

const nsNetwork = "urn:ietf:params:xml:ns:yang:ietf-network"
