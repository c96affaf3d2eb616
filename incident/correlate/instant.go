package correlate

import "time"

// The range of times that the engine reckons with; others are moved to its ends.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC)
)

func nanos(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return 0
	case t.After(latest):
		return latest.UnixNano()
	}
	return t.UnixNano()
}

func timeOf(n int64) time.Time { return time.Unix(0, n).UTC() }

// instant is any time as reported, in two thirds of the space of a time.Time. The zero
// instant is the zero time.
type instant struct {
	sec  int64 // of the Gregorian calendar, 0 is its beginning
	nsec int32
}

// calendar is where time.Time's own seconds begin, in those of Unix.
var calendar = time.Time{}.Unix()

func instantOf(t time.Time) instant { return instant{t.Unix() - calendar, int32(t.Nanosecond())} }

func (i instant) time() time.Time {
	if i == (instant{}) {
		return time.Time{}
	}
	return time.Unix(i.sec+calendar, int64(i.nsec)).UTC()
}
