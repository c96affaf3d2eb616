// Command ncload puts a NETCONF server under load and measures what it does: any server
// that speaks NETCONF over SSH and knows the nodes of RFC 8345, so that one can be compared
// with another. It prints a table, or JSON.
//
// The exit status is 0 when every workload could be measured or the server lacks what it
// needs, 1 when one has failed, and 2 for a command line that makes no sense.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/load"
	"incidentd/cmd/internal/manual"
	"incidentd/cmd/internal/version"
	"incidentd/netconf/client"
)

const help = `ncload measures a NETCONF server over SSH.

  ncload [flags] WORKLOAD...
  ncload --server 192.0.2.1:830 --user admin connect get-one edit-one
  ncload --server 127.0.0.1:1830 --pid $(pidof incidentd) --json all

It works in a network of its own, "` + load.NetworkID + `" of ietf-network (RFC 8345), which it deletes
before and afterwards; it changes nothing else. Each workload warms up and then runs several times;
the medians count. With --pid it tells the CPU time and the memory of the server, which say more than
the clock where others use the machine. Give --pid twice where an SSH server stands in front.

Workloads:
`

// options are what the command line says.
type options struct {
	server               load.Server
	settings             load.Settings
	key, passwordFile    string
	hostKey              string
	insecure, json, keep bool
	quiet                bool
	workloads            []load.Workload
}

// misuse is a command line that makes no sense.
type misuse struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	debug.SetGCPercent(400)      // the server is to be measured, on the same cores perhaps
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == "manual" {
		var text strings.Builder
		usage(&text)
		if err := manual.OfHelp("ncload", "puts a NETCONF server under load and measures it", text.String()).WriteRoff(stdout, version.Text(), version.Date(time.Now())); err != nil {
			fmt.Fprintf(stderr, "ncload: %v\n", err)
			return 1
		}
		return 0
	}
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		usage(stdout)
		return 0
	}
	var results []load.Result
	if err == nil {
		results, err = measure(ctx, o, stderr)
	}
	if len(results) > 0 {
		if failed := write(stdout, o, results); err == nil {
			err = failed
		}
	}
	var wrong misuse
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "ncload: %v ('ncload --help' shows how it is used)\n", err)
		return 2
	case err != nil:
		fmt.Fprintf(stderr, "ncload: %v\n", err)
		return 1
	}
	for _, r := range results {
		if r.Failed != "" {
			return 1
		}
	}
	return 0
}

func flags(o *options) *flag.FlagSet {
	f := flag.NewFlagSet("ncload", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.server.Address, "server", "127.0.0.1:830", "the `HOST:PORT` of the server")
	f.StringVar(&o.server.SSH.User, "user", "admin", "the `NAME` to log in with")
	f.StringVar(&o.key, "key", "", "the `FILE` of a private key without a passphrase; ~/.ssh/id_ed25519 by default")
	f.StringVar(&o.passwordFile, "password-file", "", "a `FILE` whose first line is the password; NCLOAD_PASSWORD does as well")
	f.StringVar(&o.hostKey, "host-key", "", "the `FINGERPRINT` of the server's key, SHA256:…; needed where a password is sent")
	f.BoolVar(&o.insecure, "insecure", false, "send the password to whoever answers")
	f.BoolVar(&o.server.Base10, "base10", false, "speak base:1.0 alone")
	f.DurationVar(&o.server.Timeout, "timeout", time.Minute, "how long a login or a reply may `TAKE`")
	f.IntVar(&o.settings.Nodes, "nodes", 10000, "`N` nodes in the network")
	f.IntVar(&o.settings.Sessions, "sessions", 0, "`N` sessions at once; the usual number of each workload by default")
	f.IntVar(&o.settings.Batch, "batch", 0, "`N` nodes in each edit of load; all by default")
	f.IntVar(&o.settings.Subscribers, "subscribers", 8, "`N` subscribers of notify")
	f.DurationVar(&o.settings.Duration, "duration", 3*time.Second, "how long a run `TAKES`; one operation is done at least")
	f.DurationVar(&o.settings.Warmup, "warmup", time.Second, "how long the workload runs before, for what `TIME`; 0 for none")
	f.IntVar(&o.settings.Runs, "runs", 3, "`N` runs of each workload")
	f.Func("pid", "the `PID` of a process of the server; may be given several times; its children count too", func(text string) error {
		pid, err := strconv.Atoi(text)
		o.settings.Processes = append(o.settings.Processes, pid)
		return err
	})
	f.BoolVar(&o.json, "json", false, "print JSON, with every run")
	f.BoolVar(&o.keep, "keep", false, "leave the network as it is in the end")
	f.BoolVar(&o.quiet, "quiet", false, "say nothing of how far it is")
	return f
}

func usage(w io.Writer) {
	fmt.Fprint(w, help)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range load.Workloads() {
		fmt.Fprintf(t, "  %s\t%s\n", l.Name, l.Summary)
	}
	fmt.Fprintf(t, "  all\tall of them\n")
	fmt.Fprint(t, "\nFlags:\n")
	flags(&options{}).VisitAll(func(f *flag.Flag) {
		name, text := flag.UnquoteUsage(f)
		fmt.Fprintf(t, "  --%s %s\t%s\n", f.Name, name, text)
	})
	t.Flush()
}

func parse(args []string) (*options, error) {
	o := &options{}
	f := flags(o)
	var names []string
	for { // flags may stand behind the workloads
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, misuse{err}
		}
		if f.NArg() == 0 {
			break
		}
		names, args = append(names, f.Arg(0)), f.Args()[1:]
	}
	if len(names) == 0 {
		return nil, misuse{errors.New("a workload is missing, such as connect, or all")}
	}
	for _, name := range names {
		if name == "all" {
			o.workloads = append(o.workloads, load.Workloads()...)
			continue
		}
		w, ok := load.Find(name)
		if !ok {
			return nil, misuse{fmt.Errorf("there is no workload %q", name)}
		}
		o.workloads = append(o.workloads, w)
	}
	for name, n := range map[string]int{"nodes": o.settings.Nodes, "runs": o.settings.Runs, "subscribers": o.settings.Subscribers} {
		if n < 1 {
			return nil, misuse{fmt.Errorf("--%s has to be 1 or more", name)}
		}
	}
	if o.settings.Nodes > load.MaxNodes {
		return nil, misuse{fmt.Errorf("--nodes has to be %d or less", load.MaxNodes)}
	}
	if o.settings.Sessions < 0 || o.settings.Batch < 0 {
		return nil, misuse{errors.New("--sessions and --batch cannot be negative")}
	}
	if o.settings.Warmup == 0 {
		o.settings.Warmup = -1
	}
	if _, _, err := net.SplitHostPort(o.server.Address); err != nil {
		return nil, misuse{fmt.Errorf("--server: %w", err)}
	}
	return o, o.credentials()
}

// credentials finds out how to log in.
func (o *options) credentials() error {
	o.server.SSH.ClientVersion = "SSH-2.0-ncload"
	o.server.SSH.HostKeyCallback = ssh.InsecureIgnoreHostKey() // a key gives nothing away
	if o.hostKey != "" {
		o.server.SSH.HostKeyCallback = client.Pinned(o.hostKey)
	}
	file := o.key
	if home, err := os.UserHomeDir(); file == "" && err == nil {
		file = filepath.Join(home, ".ssh", "id_ed25519")
	}
	switch text, err := os.ReadFile(file); {
	case err == nil:
		signer, err := client.ParseSigner(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		o.server.SSH.Auth = append(o.server.SSH.Auth, ssh.PublicKeys(signer))
	case o.key != "":
		return err
	}
	password := os.Getenv("NCLOAD_PASSWORD")
	if o.passwordFile != "" {
		text, err := os.ReadFile(o.passwordFile)
		if err != nil {
			return err
		}
		password, _, _ = strings.Cut(string(text), "\n")
	}
	if password != "" {
		if o.hostKey == "" && !o.insecure {
			return misuse{errors.New("a password is sent to the server: give its --host-key, or --insecure")}
		}
		o.server.SSH.Auth = append(o.server.SSH.Auth, ssh.Password(password))
	}
	if len(o.server.SSH.Auth) == 0 {
		return misuse{errors.New("there is neither a --key nor a password to log in with")}
	}
	return nil
}

// measure runs the workloads. What was measured before an error is returned with it.
func measure(ctx context.Context, o *options, stderr io.Writer) ([]load.Result, error) {
	b := load.NewBench(&o.server)
	var results []load.Result
	for _, w := range o.workloads {
		s := o.settings
		if !o.quiet {
			s.Progress = func(what string) { fmt.Fprintf(stderr, "%s  %s: %s\n", time.Now().Format("15:04:05"), w.Name, what) }
		}
		r, err := b.Run(ctx, w, s)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	if o.keep {
		return results, nil
	}
	if err := b.Cleanup(ctx); err != nil {
		return results, fmt.Errorf("the network %s is left on the server: %w", load.NetworkID, err)
	}
	return results, nil
}

func write(w io.Writer, o *options, results []load.Result) error {
	if !o.json {
		return load.WriteTable(w, results)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(results)
}
