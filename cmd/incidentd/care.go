package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"incidentd/cmd/internal/server"
)

var checkCommand = command{
	name:    "check",
	summary: "look for damage in a data directory",
	text: `
Reads all of a data directory: modes, host key, each row of the store, the
configuration and the state. It changes nothing. The server must be stopped.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		return func(_ context.Context, a *app) error {
			if err := required("check", "data", dir); err != nil {
				return err
			}
			found, err := server.Check(*dir)
			if err != nil {
				return explain(few(err), *dir)
			}
			return a.report(*dir+" is in order.", found)
		}
	},
}

var compactCommand = command{
	name:    "compact",
	summary: "give back what the store no longer uses",
	text: `
Writes the store anew without the room that deleted rows have left, which a store
keeps for later otherwise. A crash leaves the old store or the new one. It needs room
for both. The server must be stopped.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		return func(_ context.Context, a *app) error {
			if err := required("compact", "data", dir); err != nil {
				return err
			}
			before, after, err := server.Compact(*dir)
			if err != nil {
				return explain(few(err), *dir)
			}
			_, err = fmt.Fprintf(a.stdout, "%s: the store had %d bytes and has %d.\n", *dir, before, after)
			return err
		}
	},
}

var backupCommand = command{
	name:    "backup",
	summary: "write a data directory into one file",
	text: `
Writes the host key, the store and the files of keys into a tar file of mode 0600, which
restore reads. It holds secrets. A server that runs on the directory writes it itself, as of its
last transaction, and goes on meanwhile.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		out := f.String("out", "", "the `FILE` to write; - for standard output")
		force := f.Bool("force", false, "replace a file that is there")
		return func(_ context.Context, a *app) error {
			if err := required("backup", "data", dir, "out", out); err != nil {
				return err
			}
			if f, ok := a.stdout.(*os.File); ok && *out == "-" && term.IsTerminal(int(f.Fd())) {
				return errors.New("a backup is nothing for a terminal; name a file, or redirect standard output")
			}
			err := a.output(*out, *force, func(w io.Writer) error { return server.Backup(*dir, w) })
			if err != nil {
				return explain(few(err), *dir)
			}
			if *out != "-" {
				_, err = fmt.Fprintf(a.stdout, "%s is a backup of %s.\n", *out, *dir)
			}
			return err
		}
	},
}

var restoreCommand = command{
	name:    "restore",
	summary: "read a backup into a data directory",
	text: `
Puts a backup into a new data directory or, with --force, in place of what a
directory holds. The backup is checked whole before anything is replaced.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		in := f.String("in", "", "the `FILE` that backup has written; - for standard input")
		force := f.Bool("force", false, "replace the host key and the store that are there")
		return func(_ context.Context, a *app) error {
			if err := required("restore", "data", dir, "in", in); err != nil {
				return err
			}
			return a.restore(*dir, *in, *force)
		}
	},
}

func (a *app) restore(dir, in string, force bool) error {
	from := a.stdin
	if in != "-" {
		f, err := os.Open(in)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	found, err := server.Restore(dir, from, force)
	if errors.Is(err, server.ErrInitialised) {
		return fmt.Errorf("%w; restore replaces what it holds only with --force", err)
	}
	if err != nil {
		return explain(few(err), dir)
	}
	return a.report(fmt.Sprintf("%s is restored.\nnext: incidentd serve --data %s", dir, dir), found)
}

// report prints what a check has found.
func (a *app) report(head string, f *server.Findings) error {
	_, err := fmt.Fprintf(a.stdout, "%s\nhost key: %s\nstore: %d bytes, %s\nconfiguration: %s, %s\nstate: %s, %s\n",
		head, ssh.FingerprintSHA256(f.HostKey), f.Bytes, count(int(f.Last+1-f.First), "notification"),
		count(len(f.Users), "user"), count(f.Networks, "network"), count(f.Incidents, "incident"), count(f.Alarms, "alarm"))
	return err
}

// count is a number of things.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
