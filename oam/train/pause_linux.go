package train

import (
	"syscall"
	"time"
)

// pause sleeps for a short time, some 50 microseconds longer at most on an idle machine. The
// runtime's timers know milliseconds.
func pause(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&t, nil)
}
