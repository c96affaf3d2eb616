package schedule

import "time"

// Role is what a period means beside a recurrence.
type Role uint8

// The roles. Auto is Occurrence when the period is no longer than the first step of the
// recurrence, and Validity otherwise and when the recurrence says itself how long its
// members last. None is that of a period without an end.
const (
	Auto       Role = iota
	Occurrence      // how long each member lasts
	Validity        // where the recurrence begins and ends
	None
)

var roles = [...]string{"auto", "occurrence", "validity", "none"}

func (r Role) String() string { return roles[r] }

// ParseRole returns the role of a name, Auto for "" and for one that is none.
func ParseRole(name string) Role {
	for r := Auto; r <= None; r++ {
		if name == r.String() {
			return r
		}
	}
	return Auto
}

// Definition is a schedule as it is configured.
type Definition struct {
	// Recurrence has Start, and NotBefore at the start of the period; its NotAfter is
	// not looked at.
	Recurrence
	// PeriodEnd is the end of the period, or Period its length; without both it has none.
	PeriodEnd time.Time
	Period    Duration
	// Lasts is how long a member lasts, where the recurrence says so itself.
	Lasts Duration
	// Role is what the period is to mean.
	Role Role
}

// Plan is a schedule that can be asked when it is due.
type Plan struct {
	rule   *Rule
	role   Role
	lasts  Duration  // zero: members have no end of their own
	closes time.Time // when the period ends that clips the members; zero: never
}

// Span is a member with its end.
type Span struct {
	Start time.Time
	// End is when it ends at the latest, zero when it has no end.
	End   time.Time
	Index int64
}

// Plan makes a schedule ready. Errors say what is wrong with it.
func (d Definition) Plan() (*Plan, error) {
	recurrence := d.Recurrence
	recurrence.NotAfter = time.Time{}
	rule, err := recurrence.Rule()
	if err != nil {
		return nil, err
	}
	p := &Plan{rule: rule, role: None, lasts: d.Lasts}
	start := d.NotBefore
	if start.IsZero() {
		start = d.Start
	}
	period, end := d.Period, d.PeriodEnd
	switch {
	case !end.IsZero():
		period = between(start, end)
	case !period.Zero():
		end = rule.zone.after(start, period)
	default:
		return p, nil
	}
	if p.role = d.Role; p.role == Auto || p.role == None {
		p.role = rule.roleOf(period, d.Lasts)
	}
	if p.role == Occurrence {
		if d.Lasts.Zero() || rule.zone.after(d.Start, period).Before(rule.zone.after(d.Start, d.Lasts)) {
			p.lasts = period
		}
		return p, nil
	}
	recurrence.NotAfter, p.closes = end, end
	p.rule, err = recurrence.Rule()
	return p, err
}

// roleOf is what a period means when nobody says it.
func (r *Rule) roleOf(period, lasts Duration) Role {
	second := r.second()
	if !lasts.Zero() || second == 0 {
		return Validity
	}
	first := time.Unix(r.start, r.nanos)
	if r.zone.after(first, period).After(time.Unix(second, r.nanos)) {
		return Validity
	}
	return Occurrence
}

// after is the time that a duration after another is over.
func (z *Zone) after(t time.Time, d Duration) time.Time {
	unix := t.Unix()
	if d.Days != 0 {
		unix = z.instant(z.local(unix) + d.Days*secondsPerDay)
	}
	return time.Unix(min(unix+d.Seconds, latest-1), int64(t.Nanosecond())).UTC()
}

// Role is what the period means, as understood.
func (p *Plan) Role() Role { return p.role }

// Zone is where members keep the time on the wall.
func (p *Plan) Zone() *Zone { return p.rule.zone }

// Next returns the first member after a time; false when there is none.
func (p *Plan) Next(after time.Time) (Span, bool) {
	m, ok := p.rule.Next(after)
	return p.span(m), ok
}

// Last returns the last member that is not after a time; false when there is none.
func (p *Plan) Last(upTo time.Time) (Span, bool) {
	m, ok := p.rule.Last(upTo)
	return p.span(m), ok
}

// Active returns the last member that has begun and not ended at a time. One without an
// end lasts.
func (p *Plan) Active(at time.Time) (Span, bool) {
	s, ok := p.Last(at)
	return s, ok && (s.End.IsZero() || s.End.After(at))
}

// Count is the number of members after a time up to another, which is included.
func (p *Plan) Count(after, upTo time.Time) int64 { return p.rule.Count(after, upTo) }

func (p *Plan) span(m Member) Span {
	s := Span{Start: m.Time, End: p.closes, Index: m.Index}
	if m.Time.IsZero() || p.lasts.Zero() {
		return s
	}
	if end := p.rule.zone.after(m.Time, p.lasts); s.End.IsZero() || end.Before(s.End) {
		s.End = end
	}
	return s
}

// maxGrace bounds Grace.
const maxGrace = 10 * time.Second

// Grace is how late a member may be begun: half a step, ten seconds at most.
func (p *Plan) Grace() time.Duration {
	step := p.rule.Step()
	if step == 0 {
		return maxGrace
	}
	return min(maxGrace, step/2)
}

// Spread is the delay of a name among those that share a schedule: below the longest,
// always the same, and even.
func Spread(name string, longest time.Duration) time.Duration {
	if longest <= 0 {
		return 0
	}
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	// Its upper bits are the better ones.
	return time.Duration((h >> 11) % uint64(longest))
}
