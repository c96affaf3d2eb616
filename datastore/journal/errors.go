package journal

import (
	"errors"
	"fmt"

	"incidentd/datastore/kv"
)

var (
	// ErrAged says that what a cursor wants next is deleted; it comes as an
	// *AgedError.
	ErrAged = errors.New("the records are no longer kept")

	// ErrStream says that a draft names a stream that there is not.
	ErrStream = errors.New("no such stream")
)

// AgedError is ErrAged with the sequence numbers.
type AgedError struct {
	Wanted uint64 // what the cursor would have read
	First  uint64 // the oldest that is kept, or the next to come
}

// Error implements error.
func (e *AgedError) Error() string {
	return fmt.Sprintf("record %d: %v: they begin at %d", e.Wanted, ErrAged, e.First)
}

// Is makes errors.Is find ErrAged.
func (e *AgedError) Is(target error) bool { return target == ErrAged }

// damaged is kv.ErrDamaged with its reason.
func damaged(format string, args ...any) error {
	return fmt.Errorf("journal: %w: %s", kv.ErrDamaged, fmt.Sprintf(format, args...))
}
