package syslog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Reasons why what comes over a connection is no syslog.
var (
	ErrFrame   = errors.New("syslog: a frame whose length is no number")
	ErrTooLong = errors.New("syslog: a message that is too long")
)

// frames reads the messages of a connection [RFC 6587 section 3.4]: each is by octet
// counting if it begins with a digit, else it ends with its line. NUL ends a line too.
type frames struct {
	r    *bufio.Reader
	most int
	long bool // the last message was cut off
}

// newFrames reads messages of at most so many bytes.
func newFrames(r io.Reader, most int) *frames {
	return &frames{r: bufio.NewReaderSize(r, 32<<10), most: most}
}

// next returns the next message, which is valid until the call after. A message that is
// too long is cut off, see long. After an error nothing more can be read.
func (f *frames) next() ([]byte, error) {
	f.long = false
	for {
		c, err := f.r.ReadByte()
		switch {
		case err != nil:
			return nil, err
		case c == '\n' || c == '\r' || c == 0 || c == ' ':
			continue // between two messages
		case c >= '1' && c <= '9':
			return f.counted(int(c - '0'))
		}
		if err := f.r.UnreadByte(); err != nil {
			return nil, err
		}
		return f.line()
	}
}

// counted reads what follows the first digit of MSG-LEN [RFC 6587 section 3.4.1].
func (f *frames) counted(n int) ([]byte, error) {
	for digits := 1; ; digits++ {
		c, err := f.r.ReadByte()
		if err != nil {
			return nil, unexpected(err)
		}
		if c == ' ' {
			break
		}
		if c < '0' || c > '9' || digits > 8 {
			return nil, ErrFrame
		}
		n = n*10 + int(c-'0')
	}
	b := make([]byte, min(n, f.most))
	if _, err := io.ReadFull(f.r, b); err != nil {
		return nil, unexpected(err)
	}
	if n > f.most {
		f.long = true
		if _, err := f.r.Discard(n - f.most); err != nil {
			return nil, unexpected(err)
		}
	}
	return b, nil
}

// line reads up to the end of the line [RFC 6587 section 3.4.2]. What stands before the
// end of the connection is a line too.
func (f *frames) line() ([]byte, error) {
	var b []byte
	for {
		c, err := f.r.ReadByte()
		if err != nil || c == '\n' || c == 0 {
			if len(b) > 0 && (err == nil || errors.Is(err, io.EOF)) {
				return b, nil
			}
			return nil, err
		}
		if len(b) < f.most {
			b = append(b, c)
		} else {
			f.long = true
		}
	}
}

// unexpected is an error in the middle of a message.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("syslog: in the middle of a message: %w", err)
}
