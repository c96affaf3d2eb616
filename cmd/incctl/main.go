// Command incctl is the operator's client of incidentd: it lists and shows incidents,
// watches them come and go, acknowledges them and reports events, all over NETCONF.
//
// Times are shown on the clock of the reader. With --json every command prints the JSON
// of RFC 7951, watch one object a line. The exit status is 0 for success, 1 for a
// failure and 2 for a command line that makes no sense.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	connection
	JSON bool `name:"json" help:"Print JSON (RFC 7951)."`

	List    listCommand    `cmd:"" help:"List incidents."`
	Show    showCommand    `cmd:"" help:"Show one incident with everything that is known of it."`
	Watch   watchCommand   `cmd:"" help:"Show incidents as they come, change and go."`
	Ack     ackCommand     `cmd:"" help:"Acknowledge incidents."`
	Report  reportCommand  `cmd:"" help:"Report events from JSON Lines."`
	Version versionCommand `cmd:"" help:"Print the version of incctl."`
}

// app is what a command works with.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	json           bool
	// dial opens a session; the command closes it.
	dial func(ctx context.Context) (*session, error)
	// width overrides that of the terminal, in tests.
	width int
}

func (a *app) screen() screen {
	s := newScreen(a.stdout)
	if a.width > 0 {
		s.width = a.width
	}
	return s
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}))
}

// exit carries an exit status out of the parser, which ends the program after --help.
type exit int

// run executes a command line and returns the exit status.
func run(ctx context.Context, args []string, a *app) (status int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			status = int(r)
		default:
			panic(r)
		}
	}()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("incctl"), kong.Description("The operator's client of incidentd, over NETCONF."),
		kong.Writers(a.stdout, a.stderr), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(a),
	)
	if err != nil {
		panic(err) // the command line's definition is wrong
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(a.stderr, "incctl: %v\nincctl --help shows the commands.\n", err)
		return 2
	}
	a.json = c.JSON
	if a.dial == nil {
		a.dial = func(ctx context.Context) (*session, error) { return c.dial(ctx, a) }
	}
	if err := k.Run(); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintf(a.stderr, "incctl: %s\n", strings.ReplaceAll(err.Error(), "\n", "\nincctl: "))
		return 1
	}
	return 0
}

type versionCommand struct{}

// Run prints the version that the Go toolchain has recorded.
func (*versionCommand) Run(a *app) error {
	version, revision := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	if a.json {
		return a.writeJSON(map[string]string{"version": version, "revision": revision})
	}
	if revision != "" {
		version += " (" + revision + ")"
	}
	_, err := fmt.Fprintln(a.stdout, "incctl", version)
	return err
}
