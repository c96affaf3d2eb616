package main

import (
	"context"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"incidentd/cmd/internal/manual"
	"incidentd/cmd/internal/version"
)

type manualCommand struct{}

// Help is shown by `incctl manual --help`.
func (*manualCommand) Help() string {
	return `Prints the page that packages install.

  incctl manual | man -l -`
}

// Run prints the page.
func (*manualCommand) Run(a *app) error {
	_, parser := a.parser(context.Background())
	p := &manual.Page{
		Name: "incctl", Section: 1, Summary: "the operator's client of incidentd, over NETCONF",
		Synopsis: []string{"[FLAGS] COMMAND [ARGUMENTS]", "shell"},
		Description: `Lists and shows incidents, watches them come and go, acknowledges, diagnoses and resolves them, and reads and changes the configuration of a NETCONF server with a YANG library.

Times are shown on the clock of the reader. With --json every command prints the JSON of RFC 7951.`,
		More: []manual.Section{
			{Title: "EXIT STATUS", Text: "0 for success, 1 for a failure, 2 for a command line that makes no sense."},
			{Title: "EXAMPLES", Text: "  incctl list\n  incctl show inc-7\n  incctl explain inc-7\n  incctl ack inc-7\n  incctl set /system/hostname nms1 && incctl commit"},
			{Title: "SEE ALSO", Text: "incidentd(8), yangc(1), ncload(1)"},
		},
	}

	for _, group := range parser.Model.AllFlags(true) {
		for _, f := range group {
			p.Options = append(p.Options, optionOf(f))
		}
	}
	var add func(n *kong.Node)
	add = func(n *kong.Node) {
		for _, c := range n.Children {
			if c.Hidden {
				continue
			}
			if len(c.Children) > 0 {
				add(c)
				continue
			}
			text := c.Help
			if c.Detail != "" {
				text += "\n\n" + c.Detail
			}
			x := manual.Command{Usage: strings.TrimPrefix(c.Summary(), "incctl "), Text: text}
			for _, v := range c.Positional {
				x.Options = append(x.Options, manual.Option{Usage: v.Summary(), Text: v.Help})
			}
			for _, f := range c.Flags {
				if !f.Hidden {
					x.Options = append(x.Options, optionOf(f))
				}
			}
			p.Commands = append(p.Commands, x)
		}
	}
	add(parser.Model.Node)
	return p.WriteRoff(a.stdout, version.Text(), version.Date(time.Now()))
}

// optionOf is a flag as the page shows it.
func optionOf(f *kong.Flag) manual.Option {
	usage := "--" + f.Name
	if f.Short != 0 {
		usage = "-" + string(f.Short) + ", " + usage
	}
	if !f.IsBool() && !f.IsCounter() {
		usage += " " + f.FormatPlaceHolder()
	}
	text := f.Help
	if f.HasDefault && f.Default != "" && !strings.Contains(f.Help, "default") {
		text += " Default: " + f.Default + "."
	}
	return manual.Option{Usage: usage, Text: text}
}
