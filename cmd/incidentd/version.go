package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

var versionCommand = command{
	name:    "version",
	summary: "tell the version",
	text:    "Prints the version that the Go toolchain has recorded.",
	define: func(*flag.FlagSet) func(context.Context, *app) error {
		return func(_ context.Context, a *app) error {
			_, err := fmt.Fprintf(a.stdout, "incidentd %s, %s\n", version(), runtime.Version())
			return err
		}
	},
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " (" + s.Value + ")"
		}
	}
	return v
}
