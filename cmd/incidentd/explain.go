package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"incidentd/cmd/internal/server"
	"incidentd/datastore/kv"
	"incidentd/yang/rpcerr"
)

// explain adds to an error what to do next. dir is the data directory that the
// command works with.
func explain(err error, dir string) error {
	if err == nil {
		return nil
	}
	var invalid rpcerr.Errors
	var one *rpcerr.Error
	next := ""
	switch {
	case errors.Is(err, server.ErrNotInitialised):
		next = fmt.Sprintf("run 'incidentd init --data %s' first", dir)
	case errors.Is(err, server.ErrInitialised):
		next = fmt.Sprintf("run 'incidentd serve --data %s', or choose another directory", dir)
	case errors.Is(err, server.ErrNotEmpty):
		next = "choose a new or an empty directory"
	case errors.Is(err, server.ErrInUse), errors.Is(err, kv.ErrInUse):
		next = "an incidentd that runs there has to be stopped first; another server needs another --data"
	case errors.Is(err, server.ErrMode):
		// The error itself says what to do.
	case errors.Is(err, kv.ErrNewer):
		next = "use the incidentd that wrote it, or a later one"
	case errors.Is(err, server.ErrBackup):
		next = "nothing was changed; take another backup"
	case errors.Is(err, kv.ErrDamaged):
		next = fmt.Sprintf("restore a backup with 'incidentd restore --data %s --in FILE --force'", dir)
	case errors.Is(err, kv.ErrFull), errors.Is(err, syscall.ENOSPC):
		next = "make room on the disk and try again"
	case errors.As(err, &invalid), errors.As(err, &one):
		next = "the incidentd that wrote it can still read it"
	case errors.Is(err, syscall.EADDRINUSE):
		next = "another program listens there; stop it, or choose another address with --listen"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		next = "this host does not have that address; choose one of its own with --listen"
	case errors.Is(err, fs.ErrPermission):
		next = "run it as the user that owns the directory; ports below 1024 need privileges"
	}
	if next == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, next)
}

// few is an error with the first of many faults of a file.
func few(err error) error {
	const most = 3
	var many rpcerr.Errors
	if !errors.As(err, &many) || len(many) <= most {
		return err
	}
	return fmt.Errorf("%w; and %d more", many[:most], len(many)-most)
}
