// Command incidentd is the incident management server, and what is needed to set it
// up, to look after its data, and to try it out.
//
// The command line says where things are; everything else is configured over
// NETCONF. The exit status is 0 for success, 1 for a failure and 2 for a command
// line that makes no sense. An error is one line that says what to do next.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
)

// app is what a command works with.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	argument       string // of the command
}

// command is a word of the command line.
type command struct {
	// name may be two words, as "user add".
	name, summary string
	// argument names the one argument of the command; empty when it has none.
	argument string
	// text explains it to somebody who sees it for the first time.
	text string
	// define declares the flags and returns what runs once they are parsed.
	define func(*flag.FlagSet) func(context.Context, *app) error
}

func commands() []command {
	return []command{initCommand, serveCommand, demoCommand, replayCommand, learnCommand, checkCommand, compactCommand, profileCommand, backupCommand, restoreCommand,
		userAddCommand, userRemoveCommand, userListCommand,
		nacmShowCommand, nacmDisableCommand, nacmEnableCommand,
		auditVerifyCommand, auditListCommand, completionCommand, manualCommand(), versionCommand}
}

func main() {
	// A file size limit is an error of the write, not the end of the process.
	signal.Ignore(syscall.SIGXFSZ)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}))
}

// usageError is a command line that makes no sense.
type usageError struct{ command, why string }

func (e *usageError) Error() string { return e.why }

func misuse(command, format string, args ...any) error {
	return &usageError{command, fmt.Sprintf(format, args...)}
}

// run executes a command line and returns the exit status.
func run(ctx context.Context, args []string, a *app) int {
	err := dispatch(ctx, args, a)
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		help := "incidentd help"
		if usage.command != "" {
			help += " " + usage.command
		}
		fmt.Fprintf(a.stderr, "incidentd: %s ('%s' shows how it is used)\n", oneLine(usage.why), help)
		return 2
	default:
		fmt.Fprintf(a.stderr, "incidentd: %s\n", oneLine(err.Error()))
		return 1
	}
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func dispatch(ctx context.Context, args []string, a *app) error {
	if len(args) == 0 {
		return misuse("", "a command is missing: try 'incidentd demo', or 'incidentd init' for a server of your own")
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		if args = args[1:]; len(args) == 0 {
			return overview(a.stdout)
		}
		if c, _ := find(args); c != nil {
			return c.help(a.stdout)
		}
		return begun(a.stdout, args)
	case "-version", "--version":
		args[0] = "version"
	case "complete": // of the scripts of completion
		return complete(a.stdout, strings.Join(args[1:], " "))
	}
	c, rest := find(args)
	switch {
	case c == nil && len(args) > 1 && slices.Contains([]string{"help", "-h", "-help", "--help"}, args[1]):
		return begun(a.stdout, args[:1])
	case c == nil:
		return unknown(args)
	}
	flags := c.flags()
	do := c.define(flags)
	var given []string
	for rest := rest; ; { // flags may stand behind the argument
		switch err := flags.Parse(rest); {
		case errors.Is(err, flag.ErrHelp):
			return c.help(a.stdout)
		case err != nil:
			return misuse(c.name, "%s", c.refused(err))
		}
		if flags.NArg() == 0 {
			break
		}
		given, rest = append(given, flags.Arg(0)), flags.Args()[1:]
	}
	switch {
	case c.argument == "" && len(given) > 0:
		return misuse(c.name, "%s takes no argument %q", c.name, given[0])
	case c.argument != "" && len(given) == 0:
		return misuse(c.name, "%s needs a %s", c.name, c.argument)
	case len(given) > 1:
		return misuse(c.name, "%s takes one %s, %q is too much", c.name, c.argument, given[1])
	case len(given) == 1:
		a.argument = given[0]
	}
	return do(ctx, a)
}

// find is the command of the first words, and what follows them.
func find(args []string) (*command, []string) {
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return &c, args[len(words):]
		}
	}
	return nil, nil
}

// unknown is the error for words that are no command, or only the begin of some.
func unknown(args []string) error {
	var longer []string
	for _, c := range commands() {
		if strings.HasPrefix(c.name, args[0]+" ") {
			longer = append(longer, c.name)
		}
	}
	if len(longer) > 0 {
		return misuse(args[0], "%q is none of the commands %s", strings.Join(args[:min(2, len(args))], " "), strings.Join(longer, ", "))
	}
	return misuse("", "there is no command %q", args[0])
}

// begun helps with words that may be the begin of some commands.
func begun(w io.Writer, args []string) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, c := range commands() {
		if len(args) == 1 && strings.HasPrefix(c.name, args[0]+" ") {
			fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.argument), c.summary)
		}
	}
	t.Flush()
	if b.Len() == 0 {
		return unknown(args)
	}
	_, err := fmt.Fprintf(w, "Usage: incidentd %s COMMAND [OPTIONS]\n\n%s\n'incidentd help %s COMMAND' tells more.\n", args[0], &b, args[0])
	return err
}

// refused says in the words of this program what the package flag has said.
func (c *command) refused(err error) string {
	why := err.Error()
	if name, ok := strings.CutPrefix(why, "flag provided but not defined: -"); ok {
		var names []string
		flags := c.flags()
		c.define(flags)
		flags.VisitAll(func(f *flag.Flag) { names = append(names, "--"+f.Name) })
		return fmt.Sprintf("%s has no option --%s; it has %s", c.name, name, strings.Join(names, ", "))
	}
	if name, ok := strings.CutPrefix(why, "flag needs an argument: -"); ok {
		return "--" + name + " needs a value"
	}
	if value, rest, ok := strings.Cut(strings.TrimPrefix(why, "invalid value "), " for flag -"); ok {
		name, _, _ := strings.Cut(rest, ":")
		return "--" + name + " cannot be " + value
	}
	return why
}

func (c *command) flags() *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

// overview lists the commands.
func overview(w io.Writer) error {
	var b strings.Builder
	b.WriteString("incidentd joins the alarms of a network into incidents and serves them over NETCONF.\n\nUsage: incidentd COMMAND [OPTIONS]\n\n")
	t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(t, "  %s\t%s\n", c.name, c.summary)
	}
	t.Flush()
	b.WriteString("\n'incidentd help COMMAND' tells more. To see it at work: incidentd demo\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// help explains a command and its flags.
func (c *command) help(w io.Writer) error {
	flags := c.flags()
	c.define(flags)
	var b strings.Builder
	usage := c.name
	if c.argument != "" {
		usage += " " + c.argument
	}
	fmt.Fprintf(&b, "Usage: incidentd %s [OPTIONS]\n\n%s\n", usage, strings.TrimSpace(c.text))
	t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	first := true
	flags.VisitAll(func(f *flag.Flag) {
		if first {
			b.WriteString("\nOptions:\n")
			first = false
		}
		value, text := flag.UnquoteUsage(f)
		fmt.Fprintf(t, "  --%s %s\t%s\n", f.Name, value, text)
	})
	t.Flush()
	_, err := io.WriteString(w, b.String())
	return err
}

// dataFlag declares --data, which required then asks for.
func dataFlag(f *flag.FlagSet) *string {
	return f.String("data", "", "the data directory, a `DIR` of the server's own")
}

// required is a usage error for flags that were left empty.
func required(command string, flags ...any) error {
	for i := 0; i < len(flags); i += 2 {
		if *flags[i+1].(*string) == "" {
			return misuse(command, "--%s is missing", flags[i])
		}
	}
	return nil
}

// newLogger makes a logger of a level by name.
func newLogger(w io.Writer, level string, asJSON bool) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %q is none of debug, info, warn, error", level)
	}
	o := &slog.HandlerOptions{Level: l}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}
