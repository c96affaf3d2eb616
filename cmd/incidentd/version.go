package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"

	"incidentd/cmd/internal/version"
)

var versionCommand = command{
	name:    "version",
	summary: "tell the version",
	text:    "Prints the version of the program and of the Go that it was built with.",
	define: func(*flag.FlagSet) func(context.Context, *app) error {
		return func(_ context.Context, a *app) error {
			_, err := fmt.Fprintf(a.stdout, "incidentd %s, %s\n", version.Text(), runtime.Version())
			return err
		}
	},
}
