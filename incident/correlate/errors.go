package correlate

import "errors"

// ErrSnapshot says that bytes are no snapshot of this version of the engine.
var ErrSnapshot = errors.New("not a snapshot of the correlator, or of another version")
