package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as ietf-schedule has it. Days and weeks are nominal: a day
// lasts until the same time on the wall; the rest is exact [RFC 5545 section 3.3.6].
type Duration struct {
	Days    int64
	Seconds int64
}

// longest is more than any time that can be written is away from any other.
const longest = int64(10000 * 366)

// ParseDuration reads a duration such as PT01:00:00, P1DT12:00:00 or P2W. What is longer
// than ten thousand years is cut to that.
func ParseDuration(s string) (Duration, error) {
	sign, rest := int64(1), s
	switch {
	case strings.HasPrefix(s, "-"):
		sign, rest = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		rest = s[1:]
	}
	bad := fmt.Errorf("%q is no duration; one hour is PT01:00:00, a day P1DT00:00:00, a week P1W", s)
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok {
		return Duration{}, bad
	}
	if weeks, ok := strings.CutSuffix(rest, "W"); ok {
		n, ok := whole(weeks)
		if !ok || rest != s[1:] {
			return Duration{}, bad
		}
		return Duration{Days: min(7*n, longest)}, nil
	}
	var d Duration
	if days, clock, ok := strings.Cut(rest, "D"); ok {
		if d.Days, ok = whole(days); !ok {
			return Duration{}, bad
		}
		rest = clock
	}
	f := fields{s: rest}
	f.literal('T')
	hours, minutes, seconds := f.number(2), f.after(':'), f.after(':')
	if f.failed || f.s != "" || hours > 23 || minutes > 59 || seconds > 59 {
		return Duration{}, bad
	}
	d.Seconds = int64(3600*hours + 60*minutes + seconds)
	return Duration{sign * d.Days, sign * d.Seconds}, nil
}

// whole reads a number of any length; large ones are cut.
func whole(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > longest {
		n = longest
	}
	return n, true
}

// Zero reports whether it has no length.
func (d Duration) Zero() bool { return d == Duration{} }

// positive reports whether it is longer than nothing.
func (d Duration) positive() bool { return d.Days >= 0 && d.Seconds >= 0 && !d.Zero() }

// between is the exact length from a time to a later one; parts of a second count as one.
func between(from, to time.Time) Duration {
	seconds := to.Unix() - from.Unix()
	if to.Nanosecond() > from.Nanosecond() {
		seconds++
	}
	return Duration{Seconds: seconds}
}
