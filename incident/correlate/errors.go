package correlate

import "errors"

// ErrSnapshot says that bytes are no snapshot of this version of the engine.
var ErrSnapshot = errors.New("not a snapshot of the correlator, or of another version")

var (
	// ErrUnknown says that an incident or an event is none that the engine holds.
	ErrUnknown = errors.New("unknown")
	// ErrCommand says that a command makes no sense.
	ErrCommand = errors.New("bad command")
)
