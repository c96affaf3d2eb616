package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"incidentd/cmd/internal/manual"
	"incidentd/cmd/internal/version"
)

func manualCommand() command {
	return command{
		name:    "manual",
		summary: "print the manual page, for man",
		text: `
Prints the page that packages install.

  incidentd manual | man -l -`,
		define: func(*flag.FlagSet) func(context.Context, *app) error {
			return func(_ context.Context, a *app) error {
				return page().WriteRoff(a.stdout, version.Text(), version.Date(time.Now()))
			}
		},
	}
}

// page is what the commands say of themselves.
func page() *manual.Page {
	p := &manual.Page{
		Name: "incidentd", Section: 8, Summary: "an incident management server for networks, over NETCONF",
		Synopsis: []string{"COMMAND [OPTIONS]", "help [COMMAND]"},
		Description: `Alarms, metrics, symptoms and logs go in; incidentd joins them over the topology of the network into few incidents, each with its root cause and the services that it hurts. Operators and controllers receive, query, acknowledge, diagnose and resolve them over NETCONF.

The command line says where things are; everything else is configuration, which incctl(1) and every other NETCONF client reads and changes.`,
		More: []manual.Section{
			{Title: "EXIT STATUS", Text: "0 for success, 1 for a failure, 2 for a command line that makes no sense."},
			{Title: "SIGNALS", Text: "serve ends within five seconds of SIGTERM or SIGINT, with every subscriber told. Whatever ends it, nothing that was acknowledged is lost."},
			{Title: "EXAMPLES", Text: "  incidentd demo\n  incidentd init --data /var/lib/incidentd --authorized-key ~/.ssh/id_ed25519.pub\n  incidentd serve --data /var/lib/incidentd --listen :830"},
			{Title: "SEE ALSO", Text: "incctl(1), yangc(1), ncload(1)"},
		},
	}
	for _, c := range commands() {
		flags := c.flags()
		c.define(flags)
		usage := c.name
		if c.argument != "" {
			usage += " " + c.argument
		}
		x := manual.Command{Usage: usage, Text: c.text}
		flags.VisitAll(func(f *flag.Flag) {
			value, text := flag.UnquoteUsage(f)
			x.Options = append(x.Options, manual.Option{Usage: strings.TrimSpace("--" + f.Name + " " + value), Text: text})
		})
		if len(x.Options) > 0 {
			x.Usage += " [OPTIONS]"
		}
		p.Commands = append(p.Commands, x)
	}
	return p
}

var completionCommand = command{
	name:     "completion",
	summary:  "print the completion script of a shell",
	argument: "SHELL",
	text: `
Prints a script that makes a shell complete commands and options.

  source <(incidentd completion bash)       # in ~/.bashrc
  source <(incidentd completion zsh)        # in ~/.zshrc
  incidentd completion fish | source        # in ~/.config/fish/config.fish`,
	define: func(*flag.FlagSet) func(context.Context, *app) error {
		return func(_ context.Context, a *app) error {
			if !slices.Contains(manual.Shells, a.argument) {
				return misuse("completion", "%q is none of %s", a.argument, strings.Join(manual.Shells, ", "))
			}
			_, err := io.WriteString(a.stdout, manual.Completion(a.argument, "incidentd"))
			return err
		}
	},
}

// complete prints what a command line, up to the cursor, can go on with, as
// manual.Completion asks for it.
func complete(w io.Writer, line string) error {
	words := strings.Fields(line)
	last := ""
	if len(words) > 0 && !strings.HasSuffix(line, " ") {
		last, words = words[len(words)-1], words[:len(words)-1]
	}
	if len(words) == 0 {
		return nil
	}
	words = words[1:] // the program
	var err error
	offer := func(word, description string) {
		if strings.HasPrefix(word, last) && err == nil {
			_, err = fmt.Fprintf(w, "%s \t%s\n", word, description)
		}
	}
	c, rest := find(words)
	if c == nil {
		offered := map[string]bool{}
		for _, c := range commands() {
			name := strings.Fields(c.name)
			if len(name) <= len(words) || !slices.Equal(name[:len(words)], words) || offered[name[len(words)]] {
				continue
			}
			offered[name[len(words)]] = true
			text := c.summary
			if len(name) > len(words)+1 {
				text = ""
			}
			offer(name[len(words)], text)
		}
		return err
	}
	flags := c.flags()
	c.define(flags)
	if n := len(rest); n > 0 {
		if f := flags.Lookup(strings.TrimLeft(rest[n-1], "-")); f != nil && strings.HasPrefix(rest[n-1], "-") && !isBool(f) {
			return nil // a value, of which the shell knows the files
		}
	}
	if !strings.HasPrefix(last, "-") && last != "" {
		return nil
	}
	flags.VisitAll(func(f *flag.Flag) {
		if given := "--" + f.Name; !slices.Contains(rest, given) {
			_, text := flag.UnquoteUsage(f)
			offer(given, text)
		}
	})
	return err
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}
