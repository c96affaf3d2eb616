package lineedit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// keepLines is how many lines of the history are kept.
const keepLines = 2000

// history is the lines of this run and of those before. It implements the library's
// interface.
type history struct {
	file   string
	secret func(line string) bool
	lines  []string
}

// openHistory reads the file, which need not exist, and shortens it when it is long.
func openHistory(file string, secret func(string) bool) (*history, error) {
	h := &history{file: file, secret: secret}
	if file == "" {
		return h, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("history: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			h.lines = append(h.lines, line)
		}
	}
	if len(h.lines) > 2*keepLines {
		h.lines = h.lines[len(h.lines)-keepLines:]
		if err := os.WriteFile(file, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
	}
	return h, nil
}

// Write keeps a line, unless it is a secret or the one before once more.
func (h *history) Write(line string) (int, error) {
	line = strings.Join(strings.FieldsFunc(line, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	switch {
	case strings.TrimSpace(line) == "",
		len(h.lines) > 0 && h.lines[len(h.lines)-1] == line,
		h.secret != nil && h.secret(line):
		return len(h.lines), nil
	}
	h.lines = append(h.lines, line)
	if h.file == "" {
		return len(h.lines), nil
	}
	f, err := os.OpenFile(h.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return len(h.lines), err
	}
	_, err = f.WriteString(line + "\n")
	return len(h.lines), errors.Join(err, f.Close())
}

// GetLine returns a line, the oldest being 0.
func (h *history) GetLine(i int) (string, error) {
	if i < 0 || i >= len(h.lines) {
		return "", fmt.Errorf("the history has no line %d", i)
	}
	return h.lines[i], nil
}

// Len is the number of lines.
func (h *history) Len() int { return len(h.lines) }

// Dump returns all lines.
func (h *history) Dump() any { return h.lines }
