package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"incidentd/cmd/internal/server"
)

var profileCommand = command{
	name:    "profile",
	summary: "see where a running server spends time and memory",
	text: `
Has the server that runs on a data directory write a profile of itself: cpu and trace
are taken for a while, heap, allocs, goroutine and threadcreate at once. 'go tool
pprof FILE' shows it, 'go tool trace FILE' a trace.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		kinds, timed := server.ProfileKinds()
		kind := f.String("kind", "cpu", "the `KIND`: "+strings.Join(kinds, ", ")+"; cpu if left out")
		d := f.Duration("for", 10*time.Second, "the `TIME` that cpu and trace are taken for; 10s if left out")
		out := f.String("out", "", "the `FILE` to write; - for standard output")
		force := f.Bool("force", false, "replace a file that is there")
		return func(_ context.Context, a *app) error {
			if err := required("profile", "data", dir, "out", out); err != nil {
				return err
			}
			if !slices.Contains(kinds, *kind) {
				return misuse("profile", "--kind %q is none of %s", *kind, strings.Join(kinds, ", "))
			}
			if *d <= 0 || *d > server.MaxProfileTime {
				return misuse("profile", "--for %s is not between 0 and %s", *d, server.MaxProfileTime)
			}
			if timed(*kind) {
				fmt.Fprintf(a.stderr, "incidentd: taking a profile for %s\n", *d)
			}
			err := a.output(*out, *force, func(w io.Writer) error { return server.Profile(*dir, *kind, *d, w) })
			if errors.Is(err, server.ErrNotRunning) {
				return fmt.Errorf("no server runs on %s: start one with 'incidentd serve --data %[1]s'", *dir)
			}
			return explain(err, *dir)
		}
	},
}
