package event

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the longest line that a [Scanner] takes, in bytes.
const MaxLine = 1 << 20

// Scanner reads events from JSON Lines. Empty lines are passed over. It is not safe
// for concurrent use.
type Scanner struct {
	s    *bufio.Scanner
	line int
	ev   Event
	err  error
}

// NewScanner returns a scanner that reads from r as far as it needs to.
func NewScanner(r io.Reader) *Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), MaxLine)
	return &Scanner{s: s}
}

// Scan reads the next event and reports whether there was one. It stops at the first
// bad line, which [Scanner.Err] tells.
func (s *Scanner) Scan() bool {
	for s.err == nil && s.s.Scan() {
		s.line++
		b := bytes.TrimSpace(s.s.Bytes())
		if len(b) == 0 {
			continue
		}
		if s.ev, s.err = Parse(b); s.err != nil {
			s.err = fmt.Errorf("line %d: %w", s.line, s.err)
			return false
		}
		return true
	}
	if err := s.s.Err(); err != nil && s.err == nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("%w: more than %d bytes", ErrTooLong, MaxLine)
		}
		s.err = fmt.Errorf("line %d: %w", s.line+1, err)
	}
	return false
}

// Event returns the event that Scan has read. It stays valid.
func (s *Scanner) Event() Event { return s.ev }

// Line returns the number of the line that Scan has read last, counted from 1.
func (s *Scanner) Line() int { return s.line }

// Err returns what ended the reading; nil at the end of input.
func (s *Scanner) Err() error { return s.err }
