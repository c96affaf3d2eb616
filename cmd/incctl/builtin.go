package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/netconf/client"
	"incidentd/yang"
	"incidentd/yang/data"
)

// builtinCommand is one that the shell alone has.
type builtinCommand struct {
	name, usage, help string
	// complete is the tag of its argument.
	complete string
	// takes reports whether the arguments are for it; nil takes all.
	takes func(args []string) bool
	run   func(sh *shell, ctx context.Context, args []string) error
}

// builtins returns the shell's commands. It is a function since help lists them.
func builtins() []builtinCommand {
	return []builtinCommand{
		{name: "cd", usage: "cd [PATH]", help: "Go to a path; without one to the top.", complete: "path", run: (*shell).cd},
		{name: "pwd", usage: "pwd", help: "Print where one is.", run: (*shell).pwd},
		{name: "ls", usage: "ls [PATH]", help: "List what is here: values, numbers of entries, what could be set.", complete: "path", run: (*shell).ls},
		{name: "show", usage: "show [PATH]", help: "Show the configuration here, changes included; of an incident's id, the incident.", complete: "config", takes: notIncident, run: (*shell).show},
		{name: "watch", usage: "watch on|off", help: "Tell of incidents while one works.", takes: onOff, run: (*shell).watch},
		{name: "help", usage: "help [COMMAND|PATH]", help: "List the commands, or explain one, or a node.", complete: "path", run: (*shell).help},
		{name: "exit", usage: "exit", help: "Leave; so do quit and Ctrl-D.", run: (*shell).exit},
		{name: "quit", run: (*shell).exit},
	}
}

// builtin finds the command of a line, nil when the shell has none for it.
func builtin(words []string) *builtinCommand {
	if len(words) == 0 {
		return nil
	}
	for _, b := range builtins() {
		if b.name == words[0] && (b.takes == nil || b.takes(words[1:])) {
			return &b
		}
	}
	return nil
}

func builtinNames() (out []datapath.Candidate) {
	for _, b := range builtins() {
		if b.usage != "" {
			out = append(out, datapath.Candidate{Text: b.name, Description: b.help})
		}
	}
	return append(out, datapath.Candidate{Text: "compare", Description: "Show what a commit would change."})
}

var anIncident = regexp.MustCompile(`^(inc-)?\d+$`)

func notIncident(args []string) bool {
	return !slices.ContainsFunc(args, func(s string) bool { return anIncident.MatchString(s) || strings.HasPrefix(s, "-") })
}

func onOff(args []string) bool { return len(args) == 1 && (args[0] == "on" || args[0] == "off") }

// target reads the argument of a command that takes one path or none.
func (sh *shell) target(ctx context.Context, args []string) (*session, datapath.Path, error) {
	s, err := sh.dial(ctx)
	if err != nil {
		return nil, datapath.Path{}, err
	}
	schema, err := sh.app.schema(ctx, s)
	if err != nil {
		return nil, datapath.Path{}, err
	}
	if len(args) > 1 {
		return nil, datapath.Path{}, errors.New("one path is enough")
	}
	text := "."
	if len(args) == 1 {
		text = args[0]
	}
	p, err := sh.app.path(schema, text)
	return s, p, err
}

func (sh *shell) cd(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"/"}
	}
	_, p, err := sh.target(ctx, args)
	if err != nil {
		return err
	}
	if p.Node().HasValue() {
		return fmt.Errorf("%s is a %s: there is nothing in it", p, p.Node().Kind)
	}
	if sh.app.at = p.String(); sh.app.at == "/" {
		sh.app.at = ""
	}
	return nil
}

func (sh *shell) pwd(context.Context, []string) error {
	_, err := fmt.Fprintln(sh.app.stdout, sh.where())
	return err
}

// read reads what is at a path: of the configuration that is being worked on or, for
// state, of all.
func (sh *shell) read(ctx context.Context, s *session, p datapath.Path) (*answer, error) {
	limited, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	f := client.Subtree(p.Filter())
	var r *client.Reply
	var err error
	if len(p.Steps) == 0 || p.Node().Config {
		r, err = s.c.GetConfig(limited, (&editing{}).target(s), f)
	} else {
		r, err = s.c.Get(limited, f)
	}
	if err != nil {
		return nil, err
	}
	elements, err := r.Data()
	if err != nil {
		return nil, err
	}
	return parse(p.Schema, elements)
}

func (sh *shell) show(ctx context.Context, args []string) error {
	s, p, err := sh.target(ctx, args)
	if err != nil {
		return err
	}
	ans, err := sh.read(ctx, s, p)
	if err != nil {
		return err
	}
	return sh.app.print(ans, sh.app.format(formatAuto), []datapath.Path{p})
}

func (sh *shell) ls(ctx context.Context, args []string) error {
	s, p, err := sh.target(ctx, args)
	if err != nil {
		return err
	}
	ans, err := sh.read(ctx, s, p)
	if err != nil {
		return err
	}
	found := p.Find(ans.tree)
	n, out := p.Node(), sh.app.screen()
	var rows [][]cell
	if n.Multiple() && p.Steps[len(p.Steps)-1].Keys == nil {
		for _, l := range found {
			rows = append(rows, []cell{{clean(strings.TrimPrefix(datapath.Of(p.Schema, l).String(), p.String())), bold}})
		}
		return out.table("", []column{{title: "ENTRY"}}, rows)
	}
	var at *data.Node
	if len(found) > 0 {
		at = found[0].Node
	}
	for _, c := range n.Data {
		name, look := datapath.NameIn(n, c), bold
		value, there := contents(at, c)
		if !there {
			look = dim
		}
		what := c.Kind.String()
		if !c.Config {
			what += ", state"
		}
		if c.IsKey() {
			what = "key"
		}
		rows = append(rows, []cell{{clean(name), look}, {value, plain}, {what, dim}, {clean(datapath.Brief(c)), dim}})
	}
	return out.table("", []column{{title: "NAME"}, {title: "VALUE", give: true, least: 12}, {title: "KIND"}, {title: "WHAT IT IS", give: true, least: 12}}, rows)
}

// contents tells in a word what a child holds.
func contents(at *data.Node, c *yang.Node) (text string, there bool) {
	if at == nil {
		return "", false
	}
	switch {
	case c.Kind == yang.List:
		n := at.Count(c)
		return count(n), n > 0
	case c.Kind == yang.LeafList:
		var values []string
		for v := range at.EntriesOf(c) {
			values = append(values, clean(v.Value()))
		}
		return strings.Join(values, ", "), len(values) > 0
	}
	child := at.Get(c)
	if child == nil {
		return "", false
	}
	if secret(c) {
		return "(set)", true
	}
	return clean(child.Value()), true
}

func (sh *shell) help(ctx context.Context, args []string) error {
	if len(args) > 0 && strings.ContainsRune(args[0], '/') {
		_, p, err := sh.target(ctx, args)
		if err != nil {
			return err
		}
		return sh.app.describe(p)
	}
	if len(args) > 0 {
		for _, b := range builtins() {
			if b.name == args[0] {
				_, err := fmt.Fprintf(sh.app.stdout, "%s\n  %s\n", b.usage, b.help)
				return err
			}
		}
		if status := sh.app.run(ctx, []string{args[0], "--help"}); status != 0 {
			return exitStatus(status)
		}
		return nil
	}
	var rows [][]cell
	for _, b := range builtins() {
		if b.usage != "" {
			rows = append(rows, []cell{{b.usage, bold}, {b.help, plain}})
		}
	}
	rows = append(rows, []cell{{"compare", bold}, {"Show what a commit would change; as diff.", plain}})
	quiet := *sh.app
	quiet.stdout, quiet.stderr = io.Discard, io.Discard
	_, parser := quiet.parser(ctx)
	for _, n := range parser.Model.Children {
		if !n.Hidden && n.Name != "shell" && n.Name != "completion" {
			rows = append(rows, []cell{{n.Name, bold}, {n.Help, plain}})
		}
	}
	if err := sh.app.screen().table("", []column{{title: "COMMAND"}, {title: "WHAT IT DOES", give: true, least: 20}}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintln(sh.app.stdout, "\nhelp COMMAND tells more; help PATH explains a node. --json is for every command.")
	return err
}

func (sh *shell) exit(ctx context.Context, _ []string) error {
	sh.leave(ctx)
	return nil
}

// lines hands each line that is written to somebody.
type lines struct {
	rest string
	take func(line string)
}

func (l *lines) Write(p []byte) (int, error) {
	text := l.rest + string(p)
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			l.rest = text
			return len(p), nil
		}
		l.take(line)
		text = rest
	}
}

// watch starts and stops the watcher in the background, in a session of its own.
func (sh *shell) watch(ctx context.Context, args []string) error {
	if args[0] == "off" {
		if sh.stopWatch != nil {
			sh.stopWatch()
			sh.stopWatch = nil
		}
		return nil
	}
	switch {
	case sh.terminal == nil:
		return errors.New("nobody is there to be told while the shell reads from a file; watch alone shows incidents until it is interrupted")
	case sh.stopWatch != nil:
		return nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	own := *sh.app
	own.dial = sh.connect
	told := &lines{take: sh.terminal.Print}
	own.stdout, own.stderr = told, told
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := (&watchCommand{}).Run(ctx, &own); err != nil {
			sh.terminal.Print(fmt.Sprintf("incctl: watch has ended: %v", err))
		}
	}()
	sh.stopWatch = func() { cancel(); <-ended }
	return nil
}

func count(entries int) string {
	if entries == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", entries)
}
