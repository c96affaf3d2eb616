// Command peers measures incidentd beside Debian's netconfd, in one run and with the same
// workloads, and writes what comes out into BENCHMARKS.md between the markers peers. Beside
// both stands what was measured of Netopeer2 2.7.0 on another machine.
//
// It starts the servers on free ports with directories of their own, which it removes, and
// stops them by their process ids. netconfd needs OpenSSH's server in front of it, with its
// usual configuration but for the port, the keys and who may log in.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/load"
)

func main() {
	into := flag.String("into", "BENCHMARKS.md", "the `FILE` whose part between the markers is written anew; empty for none")
	out := flag.String("json", "", "a `FILE` for all that was measured")
	bin := flag.String("bin", "bin/incidentd", "the incidentd that is measured")
	only := flag.String("only", "", "measure only the row with these `WORDS` at its beginning")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	debug.SetGCPercent(400) // the servers are to be measured, on the same cores
	if err := compare(ctx, *bin, *into, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, bin, into, out, only string) error {
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	key, signer, err := makeKey(filepath.Join(dir, "key"))
	if err != nil {
		return err
	}
	ours := &incidentd{bin: bin, dir: filepath.Join(dir, "incidentd"), key: key, signer: signer}
	theirs, missing := findNetconfd(filepath.Join(dir, "netconfd"), key, signer)
	if missing != "" {
		fmt.Fprintf(os.Stderr, "peers: no comparison with netconfd: %s (apt: netconfd, openssh-server)\n", missing)
	}
	table := rows()
	failed := measureAll(ctx, table, ours, theirs, only)
	if out != "" {
		text, err := json.MarshalIndent(jsonRows(table), "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(out, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	text := report(table, load.Machine(), time.Now())
	fmt.Print(text)
	if failed != nil || into == "" || only != "" || theirs == nil {
		return failed // a part of the table would take the place of the whole
	}
	return replaceBetween(into, text)
}

// measureAll measures the rows, until something goes wrong that is none of a server's.
func measureAll(ctx context.Context, table []row, ours, theirs peer, only string) (err error) {
	for i := range table {
		row := &table[i]
		if !strings.HasPrefix(row.what, only) {
			continue
		}
		if row.ours, err = row.measure(ctx, ours, row.what); err != nil {
			return err
		}
		if theirs == nil || row.oursAlone {
			continue
		}
		if row.theirs, err = row.measure(ctx, theirs, row.what); err != nil {
			return err
		}
	}
	return nil
}

// makeKey makes the key that logs in, and returns the file of its public half.
func makeKey(file string) (string, ssh.Signer, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", nil, err
	}
	p, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(file+".pub", ssh.MarshalAuthorizedKey(p), 0o600); err != nil {
		return "", nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	return file + ".pub", signer, err
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

// variant is how a server is started.
type variant int

const (
	running   variant = iota // running can be written
	candidate                // changes go through the candidate
)

// peer is a server that can be started and stopped.
type peer interface {
	name() string
	// start begins with an empty store, again with what is in it.
	start(ctx context.Context, v variant, again bool) error
	server() *load.Server
	processes() load.Processes
	// pid is the process that keeps the configuration.
	pid() int
	stop()
}
