// Command incctl is the operator's client of incidentd: it lists and shows incidents,
// watches them come and go, acknowledges them and reports events, and it reads and
// changes the configuration of any server with a YANG library, all over NETCONF.
//
// Times are shown on the clock of the reader. With --json every command prints the JSON
// of RFC 7951, watch one object a line. The exit status is 0 for success, 1 for a
// failure and 2 for a command line that makes no sense.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/cmd/internal/version"
)

// cli is the command line.
type cli struct {
	connection
	JSON bool `name:"json" help:"Print JSON (RFC 7951)."`

	List   listCommand   `cmd:"" group:"Incidents" help:"List incidents."`
	Show   showCommand   `cmd:"" group:"Incidents" help:"Show one incident with everything that is known of it."`
	Watch  watchCommand  `cmd:"" group:"Incidents" help:"Show incidents as they come, change and go."`
	Ack    ackCommand    `cmd:"" group:"Incidents" help:"Acknowledge incidents."`
	Report reportCommand `cmd:"" group:"Incidents" help:"Report events from JSON Lines."`

	Explain     explainCommand     `cmd:"" group:"Judgement" help:"Tell why an incident is one, as a tree from its root cause."`
	WhyNot      whyNotCommand      `cmd:"" group:"Judgement" help:"Tell why an event is not in an incident."`
	Comment     commentCommand     `cmd:"" group:"Judgement" help:"Comment on an incident."`
	Diagnose    diagnoseCommand    `cmd:"" group:"Judgement" help:"Have the cause of an incident searched for by tests."`
	Resolve     resolveCommand     `cmd:"" group:"Judgement" help:"Have incidents resolved."`
	Merge       mergeCommand       `cmd:"" group:"Judgement" help:"Make incidents part of another."`
	Split       splitCommand       `cmd:"" group:"Judgement" help:"Make some events of an incident one of their own."`
	Move        moveCommand        `cmd:"" group:"Judgement" help:"Put events into another incident."`
	Proposals   proposalsCommand   `cmd:"" group:"Judgement" help:"List, approve and reject what was learnt."`
	Preview     previewCommand     `cmd:"" group:"Judgement" help:"Tell what would go down with an object."`
	Maintenance maintenanceCommand `cmd:"" group:"Judgement" help:"Plan work on the network, whose failures open no ticket."`
	DryRun      dryRunCommand      `cmd:"" group:"Judgement" help:"Try another correlation on the events of the past."`

	Alarms alarmsCommand `cmd:"" group:"Alarms" help:"List, acknowledge, shelve and purge alarms (RFC 8632)."`

	Sources sourcesCommand `cmd:"" group:"Sources" help:"List the sources of events, or show how one gets on."`
	Mapping mappingCommand `cmd:"" group:"Sources" help:"Show what becomes of a message."`

	OAM oamCommand `cmd:"" name:"oam" group:"Tests" help:"List, show, run and stop OAM tests, and tell when they are due."`

	Subscribe        subscribeCommand        `cmd:"" group:"Notifications" help:"Show notifications of a stream, or a datastore and its changes, as they come."`
	Streams          streamsCommand          `cmd:"" group:"Notifications" help:"List the streams of notifications."`
	Subscriptions    subscriptionsCommand    `cmd:"" group:"Notifications" help:"List the subscriptions and how their receivers get on."`
	KillSubscription killSubscriptionCommand `cmd:"" group:"Notifications" help:"End the subscription of somebody else."`

	Get          getCommand          `cmd:"" group:"Configuration" help:"Read configuration and state."`
	GetConfig    getConfigCommand    `cmd:"" group:"Configuration" help:"Read the configuration of a datastore."`
	Edit         editCommand         `cmd:"" group:"Configuration" help:"Change a configuration by a file or in an editor."`
	Set          setCommand          `cmd:"" group:"Configuration" help:"Set a leaf or make an entry."`
	Delete       deleteCommand       `cmd:"" group:"Configuration" help:"Delete a node."`
	Diff         diffCommand         `cmd:"" group:"Configuration" help:"Compare configurations, of now or of the past."`
	Validate     validateCommand     `cmd:"" group:"Configuration" help:"Check a configuration."`
	Commit       commitCommand       `cmd:"" group:"Configuration" help:"Make the candidate running."`
	CancelCommit cancelCommitCommand `cmd:"" group:"Configuration" help:"Undo a commit that waits for its confirmation."`
	Discard      discardCommand      `cmd:"" group:"Configuration" help:"Discard the changes of the candidate."`
	CopyConfig   copyConfigCommand   `cmd:"" group:"Configuration" help:"Make one configuration what another is."`
	History      historyCommand      `cmd:"" group:"Configuration" help:"List the changes of running, or show one."`
	Rollback     rollbackCommand     `cmd:"" group:"Configuration" help:"Go back to what a commit left."`
	Lock         lockCommand         `cmd:"" group:"Configuration" help:"Lock a datastore while a command runs, or in the shell."`
	Unlock       unlockCommand       `cmd:"" group:"Configuration" help:"Release a lock, in the shell."`

	Shell        shellCommand        `cmd:"" group:"Server" help:"Work in one session, with completion and history."`
	Schema       schemaCommand       `cmd:"" group:"Server" help:"Show the server's modules, their trees, or what a node is."`
	Sessions     sessionsCommand     `cmd:"" group:"Server" help:"List who is connected, and their locks."`
	KillSession  killSessionCommand  `cmd:"" group:"Server" help:"End the session of somebody else."`
	Capabilities capabilitiesCommand `cmd:"" group:"Server" help:"List what the server offers."`
	Nacm         nacmCommand         `cmd:"" group:"Server" help:"Explain access control."`
	RPC          rpcCommand          `cmd:"" name:"rpc" group:"Server" help:"Send any operation."`

	Completion completionCommand `cmd:"" help:"Print the completion script of a shell."`
	Complete   completeCommand   `cmd:"" hidden:"" help:"Print what a command line can go on with."`
	Manual     manualCommand     `cmd:"" help:"Print the manual page of incctl, for man."`
	Version    versionCommand    `cmd:"" help:"Print the version of incctl."`
}

// app is what a command works with.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	json           bool
	// interactive is true in the shell.
	interactive bool
	// user is who logs in.
	user string
	// state is the folder for what is to be remembered; "" keeps nothing.
	state string
	// edited and waiting, unless nil, learn of changes of a datastore, and of commits
	// that wait for so long to be confirmed.
	edited  func(datastore string)
	waiting func(time.Duration)
	// at is the path where the user stands, in the shell; "" is the top.
	at string
	// cache is the folder of schemas; "" keeps none.
	cache string
	// dial opens a session; the command closes it.
	dial func(ctx context.Context) (*session, error)
	// width overrides that of the terminal, in tests.
	width int
}

// changed tells that a datastore was edited; "" that the candidate is running again.
func (a *app) changed(datastore string) {
	if a.edited != nil {
		a.edited(datastore)
	}
}

// committed tells that the candidate became running, until it is confirmed in time if
// that is not 0.
func (a *app) committed(wait time.Duration) {
	if a.waiting != nil {
		a.waiting(wait)
	}
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
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, cache: cacheDir(), state: stateDir()}
	os.Exit(run(ctx, os.Args[1:], a))
}

// exit carries an exit status out of the parser, which ends the program after --help.
type exit int

// run executes a command line and returns the exit status.
func run(ctx context.Context, args []string, a *app) int { return a.run(ctx, args) }

func (a *app) run(ctx context.Context, args []string) (status int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			status = int(r)
		default:
			panic(r)
		}
	}()
	c, parser := a.parser(ctx)
	k, err := parser.Parse(args)
	if err != nil {
		why, next := a.usage(args, err)
		fmt.Fprintf(a.stderr, "incctl: %s\n%s\n", why, next)
		return 2
	}
	in := *a
	in.json = a.json || c.JSON
	in.user = cmp.Or(in.user, c.User)
	if in.dial == nil {
		in.dial = func(ctx context.Context) (*session, error) { return c.dial(ctx, &in) }
	}
	err = k.Run(&in, &c.connection)
	var told exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		return int(told)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		err = errors.New("interrupted")
	}
	fmt.Fprintf(a.stderr, "incctl: %s\n", strings.ReplaceAll(in.advise(ctx, err), "\n", "\nincctl: "))
	return 1
}

// parser is that of the command line, and where it puts what it has read.
func (a *app) parser(ctx context.Context) (*cli, *kong.Kong) {
	c := &cli{}
	parser, err := kong.New(c,
		kong.Name("incctl"), kong.Description("The operator's client of incidentd, over NETCONF."),
		kong.Writers(a.stdout, a.stderr), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		panic(err) // the command line's definition is wrong
	}
	return c, parser
}

// usage says what is wrong with a command line that makes no sense, and where to look.
func (a *app) usage(args []string, err error) (why, next string) {
	why, next = err.Error(), "incctl --help shows the commands."
	if a.interactive {
		next = "help lists the commands."
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return why, next
	}
	_, parser := a.parser(context.Background())
	var names []string
	for _, n := range parser.Model.Children {
		if names = append(names, n.Name); n.Name != args[0] {
			continue
		}
		if a.interactive {
			return why, "help " + n.Name + " shows how it is used."
		}
		return why, "incctl " + n.Name + " --help shows how it is used."
	}
	why = fmt.Sprintf("there is no command %.40q", args[0])
	if near := datapath.Closest(args[0], names); near != "" {
		why += "; did you mean " + near + "?"
	}
	return why, next
}

type versionCommand struct{}

// Run prints the version of the program.
func (*versionCommand) Run(a *app) error {
	if a.json {
		return a.writeJSON(map[string]string{"version": version.Text()})
	}
	_, err := fmt.Fprintln(a.stdout, "incctl", version.Text())
	return err
}
