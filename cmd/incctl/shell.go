package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/cmd/incctl/internal/lineedit"
	"incidentd/cmd/incctl/internal/show"
	"incidentd/netconf/client"
)

type shellCommand struct{}

// Help is shown by `incctl shell --help`.
func (*shellCommand) Help() string {
	return `Works in one session: every command of incctl without its first word, and some more (help lists them). Paths go on from where cd has led. Tab completes, Ctrl-R searches the history, Ctrl-D leaves.

The prompt tells who, where, and with a * that the candidate has changes. From a pipe or a file the shell runs commands one a line and ends at the first that fails.`
}

// shell is one person's work in a session.
type shell struct {
	app     *app // what commands work with; its dial gives the session
	connect func(context.Context) (*session, error)
	stdin   io.Reader
	// terminal edits lines; without one they come from stdin as they are.
	terminal *lineedit.Editor

	session *session
	leaving bool
	// dirty is true when the candidate has changes that are not committed.
	dirty bool
	// until is when a confirmed commit is undone, zero without one.
	until time.Time
	// stopWatch ends the watcher in the background and waits for it; nil without one.
	stopWatch func()

	mu      sync.Mutex
	current context.CancelFunc // mu; of the command that runs
}

// Run reads commands until the user leaves.
func (c *shellCommand) Run(ctx context.Context, a *app, connect *connection) error {
	sh := &shell{connect: a.dial, stdin: a.stdin}
	in := *a
	in.interactive = true
	in.dial, in.edited, in.waiting = sh.dial, sh.edited, sh.waiting
	sh.app = &in
	// Ctrl-C ends what runs and not the shell.
	ctx = context.WithoutCancel(ctx)
	s, err := sh.dial(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if sh.stopWatch != nil {
			sh.stopWatch()
		}
		sh.session.shared = false
		sh.session.close()
	}()
	stop := sh.signals()
	defer stop()
	sh.look(ctx, s)
	file, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return sh.script(ctx)
	}
	return sh.converse(ctx, connect)
}

// look finds out whether the candidate has changes, and a commit waits, when the shell
// begins. What cannot be found out is taken for not being there.
func (sh *shell) look(ctx context.Context, s *session) {
	schema, err := sh.app.schema(ctx, s)
	if err != nil {
		fmt.Fprintf(sh.app.stderr, "incctl: paths are not known here: %v\n", err)
		return
	}
	if s.c.HasCapability(capabilityCandidate) {
		running, err := sh.app.config(ctx, s, "running", client.Filter{})
		candidate, other := sh.app.config(ctx, s, "candidate", client.Filter{})
		sh.dirty = err == nil && other == nil && show.Difference(running, candidate, show.Bare) != ""
	}
	if schema.Module("incidentd-history") != nil {
		if left, err := s.confirmedCommit(ctx); err == nil && left > 0 {
			sh.until = time.Now().Add(left)
		}
	}
}

// signals makes Ctrl-C end the command that runs, and SIGTERM the program with the
// terminal as it was.
func (sh *shell) signals() (stop func()) {
	got, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(got, os.Interrupt, syscall.SIGTERM)
	state, err := term.GetState(int(os.Stdin.Fd()))
	var waiting sync.WaitGroup
	waiting.Go(func() {
		for {
			select {
			case <-done:
				return
			case s := <-got:
				if s == syscall.SIGTERM {
					if err == nil {
						_ = term.Restore(int(os.Stdin.Fd()), state) // there is nobody left to tell
					}
					os.Exit(128 + int(syscall.SIGTERM))
				}
				sh.mu.Lock()
				if sh.current != nil {
					sh.current()
				}
				sh.mu.Unlock()
			}
		}
	})
	return func() {
		signal.Stop(got)
		close(done)
		waiting.Wait()
	}
}

// dial is the commands' way to the session, which they share. A session that was lost is
// made again.
func (sh *shell) dial(ctx context.Context) (*session, error) {
	if sh.session != nil {
		select {
		case <-sh.session.c.Done():
			fmt.Fprintf(sh.app.stderr, "incctl: %v; connecting again (locks, and a commit that waits for this session, are gone)\n", sh.session.c.Err())
		default:
			return sh.session, nil
		}
	}
	s, err := sh.connect(ctx)
	if err != nil {
		return nil, err
	}
	s.shared = true
	if sh.session != nil && len(sh.session.c.Capabilities()) > 0 && contentOf(sh.session) == contentOf(s) {
		s.schema = sh.session.schema
	}
	sh.session, sh.until = s, time.Time{}
	return s, nil
}

// contentOf is what tells the schemas of two sessions apart: all that their servers offer.
func contentOf(s *session) string { return strings.Join(s.c.Capabilities(), "\n") }

// edited learns of a change of a datastore.
func (sh *shell) edited(datastore string) {
	switch datastore {
	case "":
		sh.dirty = false
	case "candidate":
		sh.dirty = true
	}
}

// waiting learns of a commit.
func (sh *shell) waiting(wait time.Duration) {
	sh.dirty, sh.until = false, time.Time{}
	if wait > 0 {
		sh.until = time.Now().Add(wait)
	}
}

// script runs the lines of a file or pipe.
func (sh *shell) script(ctx context.Context) error {
	lines := bufio.NewReader(sh.stdin)
	sh.app.stdin = lines // for questions, which the next line answers
	for number := 1; !sh.leaving; number++ {
		line, err := lines.ReadString('\n')
		if err != nil && line == "" {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if status := sh.execute(ctx, line); status != 0 {
			fmt.Fprintf(sh.app.stderr, "incctl: stopped at line %d\n", number)
			return exitStatus(status)
		}
	}
	return nil
}

// converse reads lines from a person.
func (sh *shell) converse(ctx context.Context, connect *connection) error {
	history := ""
	if sh.app.state != "" {
		history = filepath.Join(sh.app.state, "history")
	}
	c := newCompleter(sh.app)
	c.builtins = builtinNames()
	editor, err := lineedit.New(lineedit.Config{
		Prompt:      func() string { return sh.prompt(connect) },
		HistoryFile: history,
		Secret:      sh.secret,
		Complete: func(line string) (string, []lineedit.Candidate) {
			ctx, cancel := context.WithTimeout(ctx, completeTime)
			defer cancel()
			c.app.at = sh.app.at
			return sh.complete(ctx, c, line)
		},
	})
	if err != nil {
		return err
	}
	sh.terminal = editor
	for !sh.leaving {
		line, err := editor.Read()
		switch {
		case errors.Is(err, lineedit.ErrInterrupt):
			continue
		case errors.Is(err, io.EOF):
			sh.leave(ctx)
			continue
		case err != nil:
			return err
		}
		sh.execute(ctx, line)
	}
	return nil
}

// complete completes a line of the shell.
func (sh *shell) complete(ctx context.Context, c *completer, line string) (string, []lineedit.Candidate) {
	words, last := lastWord(line)
	var found []datapath.Candidate
	if b := builtin(words); b != nil {
		if b.complete != "" && len(words) == 1 {
			found = c.server(ctx, position{}, b.complete, last)
		}
	} else {
		found = c.complete(ctx, words, last)
	}
	out := make([]lineedit.Candidate, len(found))
	for i, k := range found {
		out[i] = lineedit.Candidate{Text: k.Text, Description: clean(k.Description), Open: k.Open}
	}
	return last, out
}

// prompt tells who works where, and what is not finished.
func (sh *shell) prompt(connect *connection) string {
	out := sh.app.screen()
	text := out.paint(clean(connect.User+"@"+connect.Server), bold) + " " + out.paint(clean(sh.where()), blue)
	if sh.dirty {
		text += out.paint("*", yellow)
	}
	if left := time.Until(sh.until); left > 0 {
		text += out.paint(" (to be confirmed within "+left.Round(time.Second).String()+")", alert)
	}
	return text + "> "
}

func (sh *shell) where() string {
	if sh.app.at == "" {
		return "/"
	}
	return sh.app.at
}

// secret reports whether a line holds what the history should not.
func (sh *shell) secret(line string) bool {
	words, _, _ := splitWords(line) // what can be read of it
	if strings.Contains(line, "$0$") {
		return true
	}
	for i, w := range words {
		if strings.HasPrefix(w, "--persist") {
			return true
		}
		if i < 1 || i+1 >= len(words) || words[0] != "set" {
			continue
		}
		if schema := sh.session.schema; schema != nil {
			if p, err := sh.app.path(schema, w); err == nil && secret(p.Node()) {
				return true
			}
		}
	}
	return false
}

// execute runs a line and returns its exit status.
func (sh *shell) execute(ctx context.Context, line string) int {
	words, _, err := splitWords(line)
	if err != nil {
		fmt.Fprintf(sh.app.stderr, "incctl: %v\n", err)
		return 2
	}
	if len(words) > 0 && words[0] == "incctl" {
		words = words[1:]
	}
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return 0
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sh.mu.Lock()
	sh.current = cancel
	sh.mu.Unlock()
	defer func() {
		sh.mu.Lock()
		defer sh.mu.Unlock()
		sh.current = nil
	}()
	if b := builtin(words); b != nil {
		if err := b.run(sh, ctx, words[1:]); err != nil {
			fmt.Fprintf(sh.app.stderr, "incctl: %s\n", strings.ReplaceAll(sh.app.advise(ctx, err), "\n", "\nincctl: "))
			return 1
		}
		return 0
	}
	switch words[0] {
	case "shell":
		fmt.Fprintln(sh.app.stderr, "incctl: this is the shell already")
		return 2
	case "compare":
		words[0] = "diff"
	case "watch":
		// Its notifications would fill the session: it has one of its own.
		own := *sh.app
		own.dial = sh.connect
		return own.run(ctx, words)
	}
	return sh.app.run(ctx, words)
}

// leave ends the shell, unless the user changes his mind about what is not committed.
func (sh *shell) leave(ctx context.Context) {
	if !sh.dirty || sh.terminal == nil {
		sh.leaving = true
		return
	}
	fmt.Fprint(sh.app.stderr, "\nThe candidate has changes that are not committed. [c]ommit, [d]iscard, [k]eep them there, or [s]tay? ")
	for {
		text, err := sh.app.answer(sh.stdin)
		switch strings.ToLower(text) {
		case "c", "commit":
			sh.leaving = sh.execute(ctx, "commit") == 0
			return
		case "d", "discard":
			sh.leaving = sh.execute(ctx, "discard") == 0
			return
		case "k", "keep":
			sh.leaving = true
			return
		case "s", "stay":
			return
		}
		if err != nil {
			sh.leaving = true // nobody is there any more
			return
		}
		fmt.Fprint(sh.app.stderr, "c, d, k or s? ")
	}
}
