package schedule

import (
	"errors"
	"math"
	"time"
)

// Recurrence is a set of instants, its members. Start is required.
type Recurrence struct {
	// Start is the first member.
	Start time.Time
	// Zone is where members keep the time on the wall; nil: UTC.
	Zone *Zone
	// Frequency and Interval are the step; Interval 0: 1. Without a Frequency Start is the
	// only member.
	Frequency Frequency
	Interval  uint32
	// Count is how many members there are, Start among them; 0: not bounded.
	Count uint32
	// Until is the last instant that may be a member; zero: not bounded.
	Until time.Time
	// NotBefore and NotAfter clip what is left, the latter excluded; zero: they do not.
	NotBefore, NotAfter time.Time
}

// Rule is a Recurrence made ready to be asked.
type Rule struct {
	zone  *Zone
	start int64 // seconds since 1970
	nanos int64 // a part of a second that all members have
	wall  int64 // the start on the wall
	freq  Frequency
	day   int8  // of the month, of the start
	step  int64 // in seconds, days or months
	month int64 // of the start, since year 0
	clock int64 // seconds since midnight, of the start
	last  int64 // index of the last candidate
	from  int64 // members are not before it,
	to    int64 // nor after it; seconds since 1970, to which nanos are added
}

// Member is a member of a recurrence. Index grows from member to member, by more than one
// where dates do not exist; the first has 0. It identifies the member, whatever
// the clock does.
type Member struct {
	Time  time.Time
	Index int64
}

// Rule makes a recurrence ready. It refuses one without a start, or whose
// period ends before it begins.
func (r Recurrence) Rule() (*Rule, error) {
	zone := r.Zone
	if zone == nil {
		zone = UTC
	}
	interval := int64(max(1, r.Interval))
	out := &Rule{zone: zone, start: r.Start.Unix(), nanos: int64(r.Start.Nanosecond()), freq: r.Frequency,
		last: math.MaxInt64, from: earliest, to: latest - 1}
	if r.Start.IsZero() || out.start >= latest {
		return nil, errors.New("the schedule has no start")
	}
	if !r.NotBefore.IsZero() && !r.NotAfter.IsZero() && !r.NotAfter.After(r.NotBefore) {
		return nil, errors.New("the end of the period is not after its start")
	}
	out.wall = zone.local(out.start)
	switch {
	case r.Frequency == Once:
		out.last = 0
	case r.Frequency.seconds() > 0:
		out.step = interval * r.Frequency.seconds()
	case r.Frequency.days() > 0:
		out.step = interval * r.Frequency.days()
	default:
		out.step = interval * r.Frequency.months()
		year, month, day := civil(out.wall)
		out.month, out.day, out.clock = 12*year+month, int8(day), out.wall-midnight(year, month, day)
	}
	if r.Count > 0 {
		out.bound(int64(r.Count))
	}
	if !r.Until.IsZero() {
		out.to = min(out.to, out.upTo(r.Until))
	}
	if !r.NotBefore.IsZero() {
		out.from = out.before(r.NotBefore) + 1
	}
	if !r.NotAfter.IsZero() {
		out.to = min(out.to, out.before(r.NotAfter))
	}
	return out, nil
}

// upTo is the last second whose member would not be after a time.
func (r *Rule) upTo(t time.Time) int64 {
	if int64(t.Nanosecond()) < r.nanos {
		return t.Unix() - 1
	}
	return t.Unix()
}

// before is the last second whose member would be before a time.
func (r *Rule) before(t time.Time) int64 {
	if int64(t.Nanosecond()) <= r.nanos {
		return t.Unix() - 1
	}
	return t.Unix()
}

// bound finds the last candidate of so many members.
func (r *Rule) bound(count int64) {
	switch {
	case r.freq.months() > 0 && r.day > 28:
		for j, n := int64(0), int64(0); ; j++ {
			unix, ok := r.candidate(j)
			if unix >= latest {
				return
			}
			if ok {
				if n++; n == count {
					r.last = j
					return
				}
			}
		}
	case r.repeats():
		r.last = count - 1
		for {
			unix, _ := r.candidate(r.last)
			last := count - 1 + r.zone.repeats(r.start, unix)
			if last == r.last {
				return
			}
			r.last = last
		}
	default:
		r.last = min(r.last, count-1)
	}
}

// repeats reports whether two candidates may be at one instant.
func (r *Rule) repeats() bool { return r.freq == Daily && r.step == 1 }

// candidate is where the member of an index would be. It is none where the date does not
// exist; beyond all years it is at latest.
func (r *Rule) candidate(j int64) (unix int64, ok bool) {
	switch {
	case j == 0:
		return r.start, true
	case j > (latest-earliest)/max(1, r.step): // and so with any unit
		return latest, false
	case r.freq.seconds() > 0:
		return r.start + j*r.step, true
	case r.freq.days() > 0:
		if j*r.step > longest {
			return latest, false
		}
		return r.zone.instant(r.wall + j*r.step*secondsPerDay), true
	}
	month := r.month + j*r.step
	if month >= 12*10000 {
		return latest, false
	}
	if int(r.day) > daysIn(month/12, month%12) {
		return 0, false
	}
	return r.zone.instant(midnight(month/12, month%12, int64(r.day)) + r.clock), true
}

// near is an index whose candidate is not after a second, and close to it; those from
// start on only.
func (r *Rule) near(unix int64) int64 {
	switch {
	case r.freq == Once:
		return 0
	case r.freq.seconds() > 0:
		return (unix - r.start) / r.step
	case r.freq.days() > 0:
		return max(0, floorDiv(r.zone.local(unix)-r.wall, r.step*secondsPerDay)-1)
	}
	year, month, _ := civil(r.zone.local(unix))
	return max(0, floorDiv(12*year+month-r.month, r.step)-1)
}

// next finds the first member after a second.
func (r *Rule) next(after int64) (unix, index int64, ok bool) {
	after = max(after, r.from-1)
	j := int64(0)
	if after >= r.start {
		j = r.near(after)
	}
	for ; j <= r.last; j++ {
		unix, ok := r.candidate(j)
		if ok && unix > after {
			return unix, j, unix <= r.to
		}
		if unix >= latest {
			break
		}
	}
	return 0, 0, false
}

// previous finds the last member that is not after a second.
func (r *Rule) previous(upTo int64) (unix, index int64, ok bool) {
	upTo = min(upTo, r.to)
	if upTo < r.start {
		return 0, 0, false
	}
	found := false
	for j := r.near(upTo); j <= r.last; j++ {
		at, there := r.candidate(j)
		if there && at > upTo || at >= latest {
			break
		}
		if there && (!found || at > unix) {
			unix, index, found = at, j, true
		}
	}
	for j := min(r.last, r.near(upTo)); j >= 0 && !found; j-- { // beyond the last, or among dates that do not exist
		unix, found = r.candidate(j)
		index = j
	}
	if before, _ := r.candidate(max(0, index-1)); r.repeats() && before == unix {
		index = max(0, index-1)
	}
	return unix, index, found && unix >= r.from
}

func (r *Rule) member(unix, index int64, ok bool) (Member, bool) {
	if !ok {
		return Member{}, false
	}
	return Member{time.Unix(unix, r.nanos).UTC(), index}, true
}

// Next returns the first member after a time, in UTC; false when there is none.
func (r *Rule) Next(after time.Time) (Member, bool) { return r.member(r.next(r.upTo(after))) }

// Last returns the last member that is not after a time, in UTC; false when there is none.
func (r *Rule) Last(upTo time.Time) (Member, bool) { return r.member(r.previous(r.upTo(upTo))) }

// Count is the number of members after a time up to another, which is included.
func (r *Rule) Count(after, upTo time.Time) int64 {
	first, i, ok := r.next(r.upTo(after))
	if !ok {
		return 0
	}
	last, j, ok := r.previous(r.upTo(upTo))
	if !ok || last < first {
		return 0
	}
	switch {
	case r.repeats():
		// The instant of a day that was left out is that of the next one, within a day of
		// the change; the one that is told there has the lower index.
		return j - i + 1 - r.zone.repeats(first-secondsPerDay, last-secondsPerDay)
	case r.freq.months() > 0 && r.day > 28:
		n := int64(0)
		for ; i <= j; i++ {
			if _, ok := r.candidate(i); ok {
				n++
			}
		}
		return n
	}
	return j - i + 1
}

// Step is the time from the first member to the second, had the recurrence no end; 0
// without a second.
func (r *Rule) Step() time.Duration {
	second := r.second()
	if second == 0 {
		return 0
	}
	if d := second - r.start; d < int64(math.MaxInt64/time.Second) {
		return time.Duration(d) * time.Second
	}
	return math.MaxInt64
}

// second is the instant of the second member, had the recurrence no end; 0 without one.
func (r *Rule) second() int64 {
	if r.freq == Once {
		return 0
	}
	for j := int64(1); ; j++ {
		unix, ok := r.candidate(j)
		if ok && unix > r.start {
			return unix
		}
		if unix >= latest {
			return 0
		}
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// civil is the date of a time on the wall, its month counted from 0.
func civil(wall int64) (year, month, day int64) {
	y, m, d := time.Unix(wall, 0).UTC().Date()
	return int64(y), int64(m) - 1, int64(d)
}

// midnight is the beginning of a date on the wall.
func midnight(year, month, day int64) int64 {
	return time.Date(int(year), time.Month(month+1), int(day), 0, 0, 0, 0, time.UTC).Unix()
}
