package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"incidentd/netconf/client"
	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

type commitCommand struct {
	Confirm   string        `arg:"" optional:"" help:"confirm makes a commit final that waits for it." enum:",confirm" default:""`
	Confirmed time.Duration `help:"Undo the commit by itself unless it is confirmed within this time." placeholder:"5m"`
	Persist   string        `help:"The token of a commit that outlives its session; made up where it is needed." placeholder:"TOKEN"`
	PersistID string        `help:"The token of the commit to confirm or to extend; the last one's is remembered." placeholder:"TOKEN"`
	Comment   string        `short:"m" help:"Why, for the history." placeholder:"TEXT"`
}

// Help is shown by `incctl commit --help`.
func (*commitCommand) Help() string {
	return `Makes the candidate running. With --confirmed the server goes back by itself unless it is told in time that all is well.

  incctl commit -m "new peer in Oslo"
  incctl commit --confirmed 5m      # then, when one can still log in:
  incctl commit confirm
  incctl cancel-commit              # or go back at once`
}

// Run commits.
func (c *commitCommand) Run(ctx context.Context, a *app) error {
	if c.Confirmed < 0 || c.Confirmed > 0 && c.Confirm != "" {
		return errors.New("either commit --confirmed TIME, or later commit confirm")
	}
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	how := client.Commit{Confirmed: c.Confirmed > 0, Timeout: c.Confirmed, Persist: c.Persist, PersistID: c.PersistID}
	if how.Confirmed {
		if err := s.wants(capabilityConfirmed, "--confirmed"); err != nil {
			return err
		}
		if how.Persist == "" && how.PersistID == "" && !s.shared {
			// The session ends with this command, and the commit with it.
			how.Persist = "incctl-" + strings.ToLower(rand.Text()[:10])
		}
	} else if how.PersistID == "" {
		how.PersistID = a.pending(s)
	}
	if c.Confirm != "" {
		if err := a.waits(ctx, s); err != nil {
			return err
		}
	}
	options, err := a.comment(ctx, s, "commit", c.Comment)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	err = s.c.Commit(limited, how, options...)
	var unknown *rpcerr.Error
	if c.PersistID == "" && how.PersistID != "" && c.Confirm == "" &&
		errors.As(err, &unknown) && unknown.Tag == rpcerr.TagInvalidValue && unknown.Path.Expr == "" {
		// The one that is remembered is over, by itself or by somebody else.
		how.PersistID = ""
		err = s.c.Commit(limited, how, options...)
	}
	if err != nil {
		return err
	}
	if how.Confirmed {
		return c.confirmLater(a, s, how)
	}
	a.forget(s)
	a.committed(0)
	text := "Committed: running is what the candidate was."
	if c.Confirm != "" {
		text = "Confirmed: the commit stays."
	}
	return a.done(text)
}

// waits is an error when no commit waits for its confirmation: to confirm would commit
// whatever the candidate holds.
func (a *app) waits(ctx context.Context, s *session) error {
	schema, err := a.schema(ctx, s)
	if err != nil || schema.Module("incidentd-history") == nil {
		return err // the server does not tell
	}
	left, err := s.confirmedCommit(ctx)
	if err == nil && left == 0 {
		err = errors.New("no commit waits for its confirmation")
	}
	return err
}

// comment is the parameter comment of an operation, where the server has a place for it.
func (a *app) comment(ctx context.Context, s *session, operation, text string) ([]client.Option, error) {
	if text == "" {
		return nil, nil
	}
	schema, err := a.schema(ctx, s)
	if err != nil {
		return nil, err
	}
	leaf := commentOf(schema.RPC("ietf-netconf", operation))
	if leaf == nil {
		return nil, errors.New("the server keeps no comments: leave out --comment")
	}
	return []client.Option{element(leaf, text)}, nil
}

// commentOf is the parameter comment of an rpc, or nil.
func commentOf(rpc *yang.Node) *yang.Node {
	if rpc == nil {
		return nil
	}
	for _, c := range rpc.Children {
		if c.Kind == yang.Input {
			return c.ChildNamed("comment")
		}
	}
	return nil
}

// element is a leaf as a parameter.
func element(leaf *yang.Node, text string) client.Option {
	return client.Element("<" + leaf.Name + ` xmlns="` + leaf.Module.Namespace + `">` + xmltext.Escape(text) + "</" + leaf.Name + ">")
}

func (c *commitCommand) confirmLater(a *app, s *session, how client.Commit) error {
	token := how.Persist
	if token == "" {
		token = how.PersistID
	}
	until := time.Now().Add(c.Confirmed)
	a.committed(c.Confirmed)
	if token != "" {
		if err := a.remember(s, pendingCommit{token, until}); err != nil {
			fmt.Fprintf(a.stderr, "incctl: the token is not kept for commit confirm (%v); give it --persist-id %s\n", err, token)
		}
	}
	text := fmt.Sprintf("Committed until %s, in %s; incctl commit confirm makes it stay, incctl cancel-commit goes back now.",
		until.Local().Format(time.TimeOnly), c.Confirmed)
	if token != "" {
		text += "\nElsewhere: incctl commit confirm --persist-id " + token
	}
	return a.done(text, "until", until.UTC().Format(time.RFC3339), "persist-id", token)
}

// pendingCommit is a confirmed commit of this user that waits for its confirmation.
type pendingCommit struct {
	Token string    `json:"persist-id"`
	Until time.Time `json:"until"`
}

// pendingFile is where that of a server is remembered, "" when nowhere.
func (a *app) pendingFile(s *session) string {
	if a.state == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s.server))
	return filepath.Join(a.state, "pending-"+hex.EncodeToString(sum[:6])+".json")
}

func (a *app) remember(s *session, p pendingCommit) error {
	file := a.pendingFile(s)
	if file == "" {
		return errors.New("there is no directory for it")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

// pending is the token of the last confirmed commit, "" when its time is over.
func (a *app) pending(s *session) string {
	text, err := os.ReadFile(a.pendingFile(s))
	var p pendingCommit
	if err != nil || json.Unmarshal(text, &p) != nil || time.Now().After(p.Until) {
		return "" // none is remembered
	}
	return p.Token
}

func (a *app) forget(s *session) {
	if file := a.pendingFile(s); file != "" {
		_ = os.Remove(file) // which is seldom there
	}
}

type cancelCommitCommand struct {
	PersistID string `help:"The token of the commit; the last one's is remembered." placeholder:"TOKEN"`
}

// Help is shown by `incctl cancel-commit --help`.
func (*cancelCommitCommand) Help() string {
	return "Undoes a commit that waits for its confirmation: running is again what it was before."
}

// Run cancels.
func (c *cancelCommitCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		id := c.PersistID
		if id == "" {
			id = a.pending(s)
		}
		if err := s.c.CancelCommit(ctx, id); err != nil {
			return err
		}
		a.forget(s)
		a.committed(0)
		return a.done("Cancelled: running is what it was before the commit.")
	})
}

// with runs an operation in a session of its own, or the shell's, in bounded time.
func (a *app) with(ctx context.Context, do func(context.Context, *session) error) error {
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, s.slow())
	defer cancel()
	return do(ctx, s)
}

type discardCommand struct{}

// Help is shown by `incctl discard --help`.
func (*discardCommand) Help() string {
	return "Discards all changes of the candidate: it is again what running is."
}

// Run discards.
func (*discardCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if err := s.c.DiscardChanges(ctx); err != nil {
			return err
		}
		a.changed("")
		return a.done("Discarded: the candidate is what running is.")
	})
}

type validateCommand struct {
	Source string `arg:"" optional:"" help:"The datastore, by default candidate." enum:"candidate,running,startup" default:"candidate"`
}

// Help is shown by `incctl validate --help`.
func (*validateCommand) Help() string {
	return "Checks a configuration as a commit would, and shows everything that is wrong with it."
}

// Run validates.
func (c *validateCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if err := s.c.Validate(ctx, client.Location{Datastore: c.Source}); err != nil {
			return err
		}
		return a.done(fmt.Sprintf("%s is valid.", c.Source), "source", c.Source)
	})
}

type copyConfigCommand struct {
	Source string `arg:"" help:"running, candidate, startup, or a URL." complete:"datastore"`
	Target string `arg:"" help:"running, candidate, startup, or a URL." complete:"datastore"`
}

// Help is shown by `incctl copy-config --help`.
func (*copyConfigCommand) Help() string {
	return `Makes one configuration what another is.

  incctl copy-config running startup
  incctl copy-config running file:before-upgrade.xml`
}

// Run copies.
func (c *copyConfigCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if err := s.c.CopyConfig(ctx, location(c.Source), location(c.Target)); err != nil {
			return err
		}
		a.changed(c.Target)
		return a.done(fmt.Sprintf("Copied: %s is what %s is.", c.Target, c.Source), "source", c.Source, "target", c.Target)
	})
}

func location(name string) client.Location {
	if strings.ContainsRune(name, ':') {
		return client.Location{URL: name}
	}
	return client.Location{Datastore: name}
}
