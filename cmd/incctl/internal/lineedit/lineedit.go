// Package lineedit reads lines from a person at a terminal: with editing, a history that
// outlives the program, search in it (Ctrl-R), completion, and messages that come while
// one types.
//
// It wraps github.com/reeflective/readline, which is used here and nowhere else. Of the
// libraries for it that are kept up, golang.org/x/term has neither search nor a list of
// candidates and peterh/liner cannot print while a line is edited; chzyer/readline is not
// kept up. This one does all of it, reads the user's ~/.inputrc (so vi keys are there),
// needs nothing but golang.org/x/sys, and has the licence Apache-2.0, as incidentd.
//
// # Concurrency
//
// Read belongs to one goroutine; Print may be called from any.
package lineedit

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/reeflective/readline"
	"github.com/reeflective/readline/inputrc"
)

// ErrInterrupt is what Read returns after Ctrl-C.
var ErrInterrupt = errors.New("interrupted")

// Candidate is a word that may stand in the place of the one that is typed.
type Candidate struct {
	Text, Description string
	// Open is true when more may follow without a blank.
	Open bool
}

// Config of an Editor.
type Config struct {
	// Prompt is asked for each line.
	Prompt func() string
	// Complete returns candidates for the last word of a line, and that word.
	Complete func(line string) (word string, candidates []Candidate)
	// HistoryFile keeps the lines, readable for the user alone; "" keeps none.
	HistoryFile string
	// Secret says of a line that it is not to be kept.
	Secret func(line string) bool
}

// Editor reads lines from standard input, which is a terminal.
type Editor struct {
	shell *readline.Shell

	mu      sync.Mutex // held while a message is written
	reading bool       // mu
}

// New returns an editor. The error is one of the history's file.
func New(cfg Config) (*Editor, error) {
	h, err := openHistory(cfg.HistoryFile, cfg.Secret)
	if err != nil {
		return nil, err
	}
	sh := readline.NewShell(inputrc.WithApp("incctl"))
	if err := configure(sh.Config); err != nil {
		return nil, err
	}
	if sh.Config.GetBool(cursorProbe) {
		mute, typed := silent()
		if err := sh.Config.Set(cursorProbe, !mute); err != nil {
			return nil, err
		}
		sh.Keys.Feed(false, []rune(string(typed))...)
	}
	sh.Prompt.Primary(cfg.Prompt)
	sh.History.Add("incctl", h)
	if cfg.Complete != nil {
		sh.Completer = func(line []rune, cursor int) readline.Completions {
			word, found := cfg.Complete(string(line[:cursor]))
			list := make([]readline.Completion, len(found))
			var open strings.Builder
			for i, c := range found {
				list[i] = readline.Completion{Value: c.Text, Description: c.Description}
				if c.Open && c.Text != "" {
					open.WriteString(c.Text[len(c.Text)-1:])
				}
			}
			if len(list) == 1 && !found[0].Open {
				// The word is complete: what is typed next is another.
				list[0].Value += " "
				open.WriteByte(' ')
			}
			out := readline.CompleteRaw(list).NoSort()
			if open.Len() > 0 {
				out = out.NoSpace([]rune(open.String())...)
			}
			out.PREFIX = word
			return out
		}
	}
	return &Editor{shell: sh}, nil
}

// cursorProbe is the setting by which the library asks the terminal for the position of
// the cursor, to make room at the bottom of the screen. It waits for the answer.
const cursorProbe = "cursor-position-probe"

// configure makes Tab insert what all candidates have in common and list them; more Tabs
// choose. Otherwise what the user's inputrc says holds.
func configure(c *inputrc.Config) error {
	if os.Getenv("TERM") == "dumb" {
		// It would not answer where its cursor is, and the editor wait.
		if err := c.Set(cursorProbe, false); err != nil {
			return err
		}
	}
	if err := c.Set("menu-complete-display-prefix", true); err != nil {
		return err
	}
	for keymap, binds := range c.Binds {
		if b := binds["\t"]; b.Action == "complete" {
			if err := c.Bind(keymap, "\t", "menu-complete", false); err != nil {
				return err
			}
		}
	}
	return nil
}

// Read reads a line. It returns ErrInterrupt after Ctrl-C, and io.EOF after Ctrl-D or
// when the terminal has gone.
func (e *Editor) Read() (string, error) {
	e.setReading(true)
	defer e.setReading(false)
	line, err := e.shell.Readline()
	switch {
	case errors.Is(err, readline.ErrInterrupt):
		return "", ErrInterrupt
	case err != nil && !errors.Is(err, io.EOF):
		return "", err
	}
	return line, err
}

func (e *Editor) setReading(reading bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reading = reading
}

// Print writes lines above the one that is being edited.
func (e *Editor) Print(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	text = strings.TrimRight(text, "\n")
	if !e.reading {
		_, _ = os.Stdout.WriteString(text + "\n") // as any output of the shell
		return
	}
	_, _ = e.shell.PrintTransientf("%s", strings.ReplaceAll(text, "\n", "\r\n")+"\r")
}
