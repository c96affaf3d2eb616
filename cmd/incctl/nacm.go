package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/yang"
)

const nsAccess = "urn:incidentd:yang:access"

type nacmCommand struct {
	Explain explainAccessCommand `cmd:"" help:"Say whether a user may do something, and which rule decides."`
}

type explainAccessCommand struct {
	User      string   `arg:"" help:"The user who is asked about."`
	Operation string   `arg:"" enum:"create,read,update,delete,exec,notify" help:"create, read, update or delete a node, exec an rpc, or notify: receive a notification."`
	What      string   `arg:"" help:"The path of a node; for exec and notify MODULE:NAME." complete:"path"`
	Group     []string `sep:"none" help:"A group that the user would bring along, as from a certificate; may be repeated." placeholder:"NAME"`
}

// Help is shown by `incctl nacm explain --help`.
func (*explainAccessCommand) Help() string {
	return `Says whether access control lets a user do something, and why: by which rule, or by which default.
Entries of a list that the path gives no keys for are those that no rule names.

  incctl nacm explain noc update /networks/network=ip
  incctl nacm explain noc exec ietf-netconf:commit

Everybody may ask about himself; asking about others takes the right to read /ietf-netconf-acm:nacm.`
}

// accessExplained is what the server says.
type accessExplained struct {
	Decision    string    `json:"decision"`
	Groups      []string  `json:"group"`
	Reason      string    `json:"reason"`
	Rule        *ruleName `json:"rule,omitempty"`
	Node        string    `json:"node,omitempty"`
	Explanation string    `json:"explanation"`
}

type ruleName struct {
	List   string   `json:"rule-list"`
	Name   string   `json:"name"`
	Groups []string `json:"group"`
}

// Run asks the server.
func (c *explainAccessCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		op := etree.NewElement("explain-access")
		op.CreateAttr("xmlns", nsAccess)
		op.CreateElement("user").SetText(c.User)
		for _, g := range c.Group {
			op.CreateElement("group").SetText(g)
		}
		op.CreateElement("operation").SetText(c.Operation)
		if module, name, ok := strings.Cut(c.What, ":"); ok && !strings.Contains(c.What, "/") && module != "" && name != "" {
			op.CreateElement("name").SetText(c.What)
		} else {
			schema, err := a.schema(ctx, s)
			if err != nil {
				return err
			}
			p, err := a.path(schema, c.What)
			if err != nil {
				return err
			}
			addPath(op.CreateElement("path"), p)
		}
		reply, err := s.call(ctx, op)
		if err != nil {
			return err
		}
		e := accessExplained{leaf(reply, nsAccess, "decision"), append([]string{}, leafList(reply, nsAccess, "group")...), leaf(reply, nsAccess, "reason"), nil,
			leaf(reply, nsAccess, "node"), leaf(reply, nsAccess, "explanation")}
		for _, r := range children(reply, nsAccess, "rule") {
			e.Rule = &ruleName{leaf(r, nsAccess, "rule-list"), leaf(r, nsAccess, "name"), leafList(r, nsAccess, "group")}
		}
		if a.json {
			return a.writeJSON(e)
		}
		return a.explainAccess(c.User, &e)
	})
}

// addPath puts a path into an element, with the declarations of its prefixes, which are
// the names of modules.
func addPath(e *etree.Element, p datapath.Path) {
	var pattern yang.PathPattern
	declared := map[*yang.Module]bool{}
	for _, step := range p.Steps {
		n := step.Node
		if !declared[n.Module] {
			declared[n.Module] = true
			e.CreateAttr("xmlns:"+n.Module.Name, n.Module.Namespace)
		}
		s := yang.PathStep{Node: n}
		for i, value := range step.Keys {
			key := n
			if n.Kind == yang.List {
				key = n.Keys[i]
			}
			s.Tests = append(s.Tests, yang.KeyTest{Key: key, Value: value})
		}
		pattern = append(pattern, s)
	}
	e.SetText(pattern.String())
}

func (a *app) explainAccess(user string, e *accessExplained) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", clean(e.Explanation))
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", name, clean(value))
		}
	}
	fact("Decision", e.Decision)
	if e.Rule != nil {
		fact("Rule", fmt.Sprintf("%s of the rule-list %s", e.Rule.Name, e.Rule.List))
	}
	fact("Node", e.Node)
	groups := strings.Join(e.Groups, ", ")
	if groups == "" {
		groups = "none"
	}
	fact("Groups", fmt.Sprintf("%s (of %s)", groups, user))
	_, err := fmt.Fprint(a.stdout, b.String())
	return err
}
