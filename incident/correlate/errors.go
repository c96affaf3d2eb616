package correlate

import (
	"errors"
	"fmt"
)

// ErrSnapshot says that bytes are no snapshot of this version of the engine.
var ErrSnapshot = errors.New("not a snapshot of the correlator, or of another version")

var (
	// ErrUnknown says that an incident or an event is none that the engine holds.
	ErrUnknown = errors.New("unknown")
	// ErrCommand says that a command makes no sense.
	ErrCommand = errors.New("bad command")
)

// EventError names the event of a command that is no part of an alarm which lasts, or of
// the incident that the command is about. It wraps [ErrUnknown].
type EventError struct {
	ID string
	// Inside tells that the event was looked for in the incident alone.
	Inside bool
}

// Error implements error.
func (e *EventError) Error() string {
	if e.Inside {
		return fmt.Sprintf("unknown: no alarm of the incident has the event %q", e.ID)
	}
	return fmt.Sprintf("unknown: no alarm that may be moved has the event %q", e.ID)
}

// Unwrap returns [ErrUnknown].
func (e *EventError) Unwrap() error { return ErrUnknown }
