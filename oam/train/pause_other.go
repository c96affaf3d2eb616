//go:build !linux

package train

import "time"

// pause sleeps for a short time, as exactly as the runtime's timers can.
func pause(d time.Duration) { time.Sleep(d) }
