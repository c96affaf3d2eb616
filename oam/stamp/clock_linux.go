package stamp

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock is what the system says of its clock: whether something synchronises it, and how
// far it may be wrong then.
func clock() Estimate {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return Estimate{Multiplier: 1}
	}
	const unsynchronized = 0x40 // STA_UNSYNC
	return NewEstimate(t.Status&unsynchronized == 0, time.Duration(t.Maxerror)*time.Microsecond)
}
