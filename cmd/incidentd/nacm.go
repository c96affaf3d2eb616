package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"

	"incidentd/cmd/internal/server"
)

var nacmDisableCommand = command{
	name:    "nacm disable",
	summary: "let every user do everything, to repair the rules of access",
	text: `
Switches access control off, for when its rules have locked everybody out: then every
user may do everything until 'incidentd nacm enable'. Whoever owns the data directory may
do it, whatever the rules say; the change stands in the history with the source local.
The server may run meanwhile.`,
	define: defineNACM("nacm disable", func(dir string) (server.Access, error) { return server.SetAccess(dir, false) }),
}

var nacmEnableCommand = command{
	name:    "nacm enable",
	summary: "control access by the rules again",
	text: `
Switches access control on, by the rules in ietf-netconf-acm. The server may run
meanwhile.`,
	define: defineNACM("nacm enable", func(dir string) (server.Access, error) { return server.SetAccess(dir, true) }),
}

var nacmShowCommand = command{
	name:    "nacm show",
	summary: "show the rules of access",
	text: `
Shows whether access is controlled, the groups and the rules in the order in which they
are tried. The server may run meanwhile. Which of them decides about something, tells
'incctl nacm explain'.`,
	define: defineNACM("nacm show", server.ShowAccess),
}

func defineNACM(name string, do func(dir string) (server.Access, error)) func(*flag.FlagSet) func(context.Context, *app) error {
	return func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		asJSON := f.Bool("json", false, "print JSON")
		return func(_ context.Context, a *app) error {
			if err := required(name, "data", dir); err != nil {
				return err
			}
			access, err := do(*dir)
			if err != nil {
				return explain(err, *dir)
			}
			if *asJSON {
				return json.NewEncoder(a.stdout).Encode(access)
			}
			return a.showAccess(access)
		}
	}
}

func (a *app) showAccess(access server.Access) error {
	var b strings.Builder
	if access.Enabled {
		fmt.Fprintf(&b, "Access is controlled. Without a rule: read %s, write %s, exec %s.\n", access.ReadDefault, access.WriteDefault, access.ExecDefault)
	} else {
		b.WriteString("Access is not controlled: every user may do everything.\n")
	}
	for _, g := range access.Groups {
		users := strings.Join(g.Users, ", ")
		if users == "" {
			users = "nobody"
		}
		fmt.Fprintf(&b, "group %s: %s\n", g.Name, users)
	}
	for _, l := range access.RuleLists {
		fmt.Fprintf(&b, "rule-list %s, for %s\n", l.Name, strings.Join(l.Groups, ", "))
		for _, r := range l.Rules {
			fmt.Fprintf(&b, "  %s\n", r)
		}
	}
	_, err := fmt.Fprint(a.stdout, b.String())
	return err
}
