package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

type lockCommand struct {
	Target  string   `help:"The datastore: running, candidate or startup. The candidate where the server has one." enum:",running,candidate,startup" default:"" placeholder:"NAME"`
	Command []string `arg:"" optional:"" passthrough:"" help:"An incctl command to run while the lock is held."`
}

// Help is shown by `incctl lock --help`.
func (*lockCommand) Help() string {
	return `Locks a datastore against all others. A lock ends with its session: in the shell it stays, from the command line it is held while another command of incctl runs in the same session.

  incctl lock -- edit change.xml
  incctl lock --target running -- shell`
}

// Run locks.
func (c *lockCommand) Run(ctx context.Context, a *app) error {
	if len(c.Command) > 0 && c.Command[0] == "--" {
		c.Command = c.Command[1:]
	}
	if len(c.Command) == 0 && !a.interactive {
		return errors.New("the lock would end with this command: give it a command to hold it for, as in incctl lock -- edit change.xml, or lock in incctl shell")
	}
	return a.withSession(ctx, func(s *session) error {
		target := (&editing{Target: c.Target}).target(s)
		limited, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
		defer cancel()
		if err := s.c.Lock(limited, target); err != nil {
			return err
		}
		if len(c.Command) == 0 {
			return a.done(fmt.Sprintf("Locked %s.", target), "target", target)
		}
		status := a.nested(s).run(ctx, c.Command)
		unlocking, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), s.timeout, s.slow())
		defer cancel()
		err := s.c.Unlock(unlocking, target)
		if status != 0 {
			return exitStatus(status)
		}
		return err
	})
}

// withSession is for commands that bound their time themselves.
func (a *app) withSession(ctx context.Context, do func(*session) error) error {
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return do(s)
}

// exitStatus is the status of a command that has told its error already.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// nested is the app of commands that run within a session.
func (a *app) nested(s *session) *app {
	in := *a
	in.dial = func(context.Context) (*session, error) {
		shared := *s
		shared.shared = true
		return &shared, nil
	}
	return &in
}

type unlockCommand struct {
	Target string `help:"The datastore: running, candidate or startup. The candidate where the server has one." enum:",running,candidate,startup" default:"" placeholder:"NAME"`
}

// Help is shown by `incctl unlock --help`.
func (*unlockCommand) Help() string {
	return "Releases a lock of this session, in the shell. Unlocking the candidate discards its changes."
}

// Run unlocks.
func (c *unlockCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		target := (&editing{Target: c.Target}).target(s)
		if err := s.c.Unlock(ctx, target); err != nil {
			return err
		}
		if strings.HasPrefix(target, "candidate") {
			a.changed("")
		}
		return a.done(fmt.Sprintf("Unlocked %s.", target), "target", target)
	})
}
