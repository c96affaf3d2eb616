package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/cmd/incctl/internal/remote"
	"incidentd/yang"
)

// schema is the server's, fetched once in a session.
func (a *app) schema(ctx context.Context, s *session) (*yang.Schema, error) {
	if s.schema != nil {
		return s.schema, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	schema, err := remote.Cache{Dir: a.cache}.Schema(ctx, s.c, s.server)
	if err != nil {
		return nil, err
	}
	s.schema = schema
	return schema, nil
}

// cacheDir is where schemas are kept, "" when the user has no cache.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "" // they are fetched each time then
	}
	return filepath.Join(dir, "incctl", "schemas")
}

// stateDir is where the history of the shell and the like are kept, "" when the user has
// no place for it.
func stateDir() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "" // nothing is remembered then
	}
	return filepath.Join(dir, "incctl")
}

// path reads a path from where the user stands.
func (a *app) path(schema *yang.Schema, text string) (datapath.Path, error) {
	from := datapath.Top(schema)
	if a.at != "" {
		var err error
		if from, err = datapath.Parse(from, a.at); err != nil {
			return datapath.Path{}, err
		}
	}
	return datapath.Parse(from, text)
}

// withPath calls do with a session and the place that a path names.
func (a *app) withPath(ctx context.Context, text string, do func(*session, datapath.Path) error) error {
	return a.withSession(ctx, func(s *session) error {
		schema, err := a.schema(ctx, s)
		if err != nil {
			return err
		}
		p, err := a.path(schema, text)
		if err != nil {
			return err
		}
		return do(s, p)
	})
}

type schemaCommand struct {
	What   string `arg:"" optional:"" help:"A module, or the path of a node; without one, all modules are listed." complete:"module"`
	Source bool   `help:"Print the module's YANG instead of its tree diagram."`
}

// Help is shown by `incctl schema --help`.
func (*schemaCommand) Help() string {
	return `Shows the modules of the server, the tree diagram of one (RFC 8340), or what is known of a node.

  incctl schema
  incctl schema ietf-system
  incctl schema ietf-system --source > ietf-system.yang
  incctl schema /system/authentication/user`
}

// Run prints the schema.
func (c *schemaCommand) Run(ctx context.Context, a *app) error {
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	schema, err := a.schema(ctx, s)
	if err != nil {
		return err
	}
	if c.What == "" {
		return a.modules(schema)
	}
	m := schema.Module(c.What)
	if m == nil {
		p, err := a.path(schema, c.What)
		if err != nil {
			if !strings.ContainsRune(c.What, '/') {
				return fmt.Errorf("%s is neither a module of the server nor a node; incctl schema lists the modules (%w)", c.What, err)
			}
			return err
		}
		return a.describe(p)
	}
	if c.Source {
		_, err := a.stdout.Write(m.Source)
		return err
	}
	return m.WriteTree(a.stdout)
}

func (a *app) modules(schema *yang.Schema) error {
	list := slices.Clone(schema.Modules)
	slices.SortFunc(list, func(x, y *yang.Module) int { return cmp.Compare(x.Name, y.Name) })
	if a.json {
		type entry struct {
			Name        string   `json:"name"`
			Revision    string   `json:"revision,omitempty"`
			Namespace   string   `json:"namespace"`
			Implemented bool     `json:"implemented"`
			Features    []string `json:"features,omitempty"`
		}
		out := make([]entry, len(list))
		for i, m := range list {
			out[i] = entry{m.Name, m.Revision, m.Namespace, m.Implemented, nil}
			if m.Implemented {
				out[i].Features = m.Features
			}
		}
		return a.writeJSON(out)
	}
	var rows [][]cell
	for _, m := range list {
		use, features := "yes", m.Features
		if !m.Implemented {
			use, features = "imported", nil
		}
		rows = append(rows, []cell{{clean(m.Name), bold}, {m.Revision, plain}, {use, plain}, {clean(strings.Join(features, ", ")), dim}})
	}
	return a.screen().table("", []column{{title: "MODULE"}, {title: "REVISION"}, {title: "IMPLEMENTED"}, {title: "FEATURES", give: true, least: 10}}, rows)
}

// describe tells what the schema says of a node.
func (a *app) describe(p datapath.Path) error {
	n, out := p.Node(), a.screen()
	if len(p.Steps) == 0 {
		return errors.New("the top is no node; incctl schema lists the modules")
	}
	var lines strings.Builder
	facts := map[string]string{"path": p.String()}
	fact := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&lines, "  %-12s %s\n", name, clean(text))
			facts[strings.ReplaceAll(strings.ToLower(name), " ", "-")] = text
		}
	}
	what := n.Kind.String()
	if !n.Config {
		what += ", state"
	}
	if n.Mandatory {
		what += ", mandatory"
	}
	if n.Presence {
		what += ", with presence"
	}
	fact("Kind", what)
	fact("Module", n.Module.Name)
	names := func(list []*yang.Node) string {
		out := make([]string, len(list))
		for i, k := range list {
			out[i] = datapath.NameIn(n, k)
		}
		return strings.Join(out, ", ")
	}
	fact("Keys", names(n.Keys))
	if n.HasValue() {
		fact("Type", typeText(n.Type))
		fact("Units", n.Units)
		fact("Default", strings.Join(n.Defaults, ", "))
		var values []string
		for _, v := range datapath.Values(p.Schema, n, "") {
			values = append(values, v.Text)
		}
		if len(values) > 12 {
			values = append(values[:12], "…")
		}
		fact("Values", strings.Join(values, ", "))
	}
	for _, m := range n.Musts {
		fact("Must", m.Text)
	}
	for _, w := range n.Whens {
		fact("When", w.Text)
	}
	fact("Access", denyText(n.Deny))
	if n.Status != "" && n.Status != "current" {
		fact("Status", n.Status)
	}
	fact("Below it", names(n.Data))
	fact("Operations", names(n.Operations))
	if a.json {
		if n.Description != "" {
			facts["description"] = n.Description
		}
		return a.writeJSON(facts)
	}
	fmt.Fprintf(a.stdout, "%s\n%s", out.paint(clean(p.String()), bold), &lines)
	if n.Description != "" {
		fmt.Fprintf(a.stdout, "\n%s", out.wrap("  ", strings.Join(strings.Fields(n.Description), " ")))
	}
	return nil
}

// typeText is a type's name with what restricts it.
func typeText(t *yang.Type) string {
	text := t.Name
	if t.Base.String() != t.Name {
		text += " (" + t.Base.String() + ")"
	}
	for _, r := range t.Ranges {
		text += ", range " + r.Text
	}
	for _, r := range t.Lengths {
		text += ", length " + r.Text
	}
	if t.Path != nil {
		text += ", one of " + t.Path.Text
	}
	return text
}

func denyText(deny string) string {
	switch deny {
	case "":
		return ""
	case "write":
		return "changes need a rule that permits them"
	}
	return "reading and changes need a rule that permits them"
}
