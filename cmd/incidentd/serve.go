package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"incidentd/cmd/internal/server"
)

var serveCommand = command{
	name:    "serve",
	summary: "run a server",
	text: `
Serves NETCONF over SSH from a data directory that init has made, until it gets
SIGTERM or SIGINT. It is ready when it logs "listening".`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		listen := f.String("listen", server.DefaultListen, "the `ADDRESS` and port to listen on, such as :830 for every address; "+server.DefaultListen+" if left out")
		level := f.String("log-level", "info", "the least important `LEVEL` to log: debug, info, warn or error; info if left out")
		https := f.Bool("allow-https", false, "let operations name https: URLs, which this server then asks")
		startup := f.Bool("from-startup", false, "begin with the datastore startup, if there is one, instead of running")
		asJSON := f.Bool("log-json", false, "log JSON")
		return func(ctx context.Context, a *app) error {
			if err := required("serve", "data", dir); err != nil {
				return err
			}
			log, err := newLogger(a.stderr, *level, *asJSON)
			if err != nil {
				return misuse("serve", "%v", err)
			}
			limitMemory(log)
			return explain(serve(ctx, server.Config{DataDir: *dir, Listen: *listen, AllowHTTPS: *https, FromStartup: *startup, Log: log}, log), *dir)
		}
	},
}

// memoryShare is how much of the memory of its control group the garbage collector lets the
// server take before it works harder; the rest is for the mapped store.
const memoryShare = .8

// limitMemory has the garbage collector heed the limit of the control group, unless
// GOMEMLIMIT says something else.
func limitMemory(log *slog.Logger) {
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(memlimit.FromCgroup))
	switch {
	case errors.Is(err, memlimit.ErrNoLimit), errors.Is(err, memlimit.ErrNoCgroup), errors.Is(err, memlimit.ErrCgroupsNotSupported):
	case err != nil:
		log.Warn("the memory limit of the control group cannot be read", "err", err)
	case limit > 0 && limit < math.MaxInt64:
		log.Info("the garbage collector heeds the control group's memory limit", "bytes", limit)
	}
}

// serve runs a server until ctx is done.
func serve(ctx context.Context, c server.Config, log *slog.Logger) error {
	s, err := server.New(c)
	if err != nil {
		return err
	}
	if err = s.Start(); err == nil {
		select {
		case err = <-s.Failed():
		case <-ctx.Done():
			log.Info("stopping")
		}
	}
	if err := errors.Join(err, s.Stop(context.Background())); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}
