package schedule

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// naive is the meaning of a recurrence, written down plainly: every candidate in turn,
// each time on the wall found by trying the offsets around it.
func naive(r Recurrence, from, to time.Time, limit int) (members []time.Time) {
	loc := r.Zone.Location()
	interval := int(max(1, r.Interval))
	wall := r.Start.In(loc)
	counted := uint32(0)
	var previous time.Time
	for j := 0; ; j++ {
		t := r.Start
		switch {
		case j == 0:
		case r.Frequency.seconds() > 0:
			t = r.Start.Add(time.Duration(j*interval) * time.Duration(r.Frequency.seconds()) * time.Second)
		default:
			y, m, d := wall.Date()
			w := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), time.UTC)
			switch r.Frequency {
			case Daily:
				w = w.AddDate(0, 0, j*interval)
			case Weekly:
				w = w.AddDate(0, 0, 7*j*interval)
			case Monthly:
				w = time.Date(y, m+time.Month(j*interval), 1, w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), time.UTC)
			case Yearly:
				w = time.Date(y+j*interval, m, 1, w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), time.UTC)
			}
			if r.Frequency == Monthly || r.Frequency == Yearly {
				month := w.Month()
				if w = w.AddDate(0, 0, d-1); w.Month() != month {
					if w.After(to.AddDate(10, 0, 0)) {
						return members
					}
					continue // no such date
				}
			}
			t = naiveInstant(w, loc)
		}
		if t.Equal(previous) {
			continue
		}
		previous = t
		if counted++; r.Count > 0 && counted > r.Count || !r.Until.IsZero() && t.After(r.Until) ||
			!r.NotAfter.IsZero() && !t.Before(r.NotAfter) || t.After(to) || len(members) == limit {
			return members
		}
		if t.After(from) && (r.NotBefore.IsZero() || !t.Before(r.NotBefore)) {
			members = append(members, t.UTC())
		}
	}
}

// naiveInstant is the first instant at which it is that time on the wall, or the one by
// the offset before the gap.
func naiveInstant(wall time.Time, loc *time.Location) time.Time {
	var before *time.Time
	for h := -30; h <= 30; h++ {
		_, offset := wall.Add(time.Duration(h) * time.Hour).In(loc).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		y, m, d := t.In(loc).Date()
		if l := t.In(loc); y == wall.Year() && m == wall.Month() && d == wall.Day() &&
			l.Hour() == wall.Hour() && l.Minute() == wall.Minute() && l.Second() == wall.Second() {
			return t
		}
		if before == nil {
			before = &t
		}
	}
	return *before
}

// A thousand random schedules have the members that are found by trying one after the
// other. SCHEDULE_SEED repeats a run.
func TestRandomRules(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("SCHEDULE_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("SCHEDULE_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	names := []string{"UTC", "America/New_York", "Europe/Madrid", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
		"Asia/Kathmandu", "America/Sao_Paulo", "Asia/Tehran", "Pacific/Kwajalein", "Antarctica/Troll", "America/St_Johns", "Asia/Gaza"}
	for i := range 1000 {
		zone, err := LoadZone(names[random.IntN(len(names))])
		if err != nil {
			t.Fatal(err)
		}
		// Between 1975 and 2030; an hour that often is in a gap or fold.
		start := time.Date(1975+random.IntN(55), time.Month(1+random.IntN(12)), 1+random.IntN(31), random.IntN(4), 15*random.IntN(4), 0, 0, zone.Location())
		r := Recurrence{Start: start, Zone: zone, Frequency: Secondly + Frequency(random.IntN(7)), Interval: uint32(random.IntN(5))}
		span := time.Duration(max(1, r.Interval)) * 24 * time.Hour
		switch r.Frequency {
		case Secondly:
			span /= 86400
		case Minutely:
			span /= 1440
		case Hourly:
			span /= 24
		case Weekly:
			span *= 7
		case Monthly:
			span *= 31
		case Yearly:
			span *= 366
		}
		if random.IntN(2) == 0 {
			r.Count = 1 + uint32(random.IntN(60))
		}
		if random.IntN(3) == 0 {
			r.Until = start.Add(time.Duration(random.IntN(60)) * span)
		}
		if random.IntN(3) == 0 {
			r.NotBefore = start.Add(time.Duration(random.IntN(20))*span + time.Duration(random.IntN(2))*time.Second)
			if random.IntN(2) == 0 {
				r.NotAfter = r.NotBefore.Add(time.Duration(1+random.IntN(30)) * span)
			}
		}
		from := start.Add(time.Duration(random.IntN(50)-3) * span)
		rule, err := r.Rule()
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		want := naive(r, from, start.Add(80*span), 30)
		at := from
		for n, w := range want {
			m, ok := rule.Next(at)
			if !ok || !m.Time.Equal(w) {
				t.Fatalf("schedule %d, %+v in %s: member %d after %s is %s, %t, want %s", i, r, zone, n, from, m.Time, ok, w)
			}
			if last, ok := rule.Last(w); !ok || last != m {
				t.Fatalf("schedule %d, %+v in %s: the last member up to %s is %+v, %t, want %+v", i, r, zone, w, last, ok, m)
			}
			if got := rule.Count(from, w); got != int64(n)+1 {
				t.Fatalf("schedule %d, %+v in %s: %d members from %s up to %s, want %d", i, r, zone, got, from, w, n+1)
			}
			at = w
		}
		if m, ok := rule.Next(at); len(want) < 30 && ok && !m.Time.After(start.Add(80*span)) {
			t.Fatalf("schedule %d, %+v in %s: there is a member at %s after the last at %s", i, r, zone, m.Time, at)
		}
	}
}

// Members are counted once where a zone has left out a day, whether the count ends before,
// at or after the instant that two of them share.
func TestCountWhereADayIsLeftOut(t *testing.T) {
	for _, tt := range []struct{ zone, start, shared string }{
		{"Pacific/Apia", "2011-12-27T09:00:00-10:00", "2011-12-30T19:00:00Z"},
		{"Pacific/Apia", "2011-12-27T00:00:00-10:00", "2011-12-30T10:00:00Z"},
		{"Pacific/Kwajalein", "1993-08-18T00:00:00-12:00", "1993-08-21T12:00:00Z"},
	} {
		zone, err := LoadZone(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		start, _ := ParseTime(tt.start)
		shared, _ := ParseTime(tt.shared)
		rule, err := Recurrence{Start: start, Zone: zone, Frequency: Daily}.Rule()
		if err != nil {
			t.Fatal(err)
		}
		for days := -3; days <= 3; days++ {
			upTo := shared.AddDate(0, 0, days)
			if got, want := rule.Count(start.Add(-1), upTo), int64(4+days); got != want {
				t.Errorf("%s, %s: %d members up to %s, want %d", tt.zone, tt.start, got, upTo, want)
			}
			if got, want := rule.Count(shared.Add(-1), upTo), int64(max(0, 1+days)); got != want {
				t.Errorf("%s, %s: %d members from %s up to %s, want %d", tt.zone, tt.start, got, shared, upTo, want)
			}
		}
	}
}

// No values make it loop, and members only ascend.
func FuzzRule(f *testing.F) {
	f.Add(int64(1709251200), uint8(5), uint32(1), uint32(0), int64(0), int64(1709251200), int64(0), "Europe/Madrid")
	f.Add(int64(-62135596801), uint8(7), uint32(4294967295), uint32(4294967295), int64(253402300799), int64(0), int64(1), "Pacific/Apia")
	f.Add(int64(951782400), uint8(6), uint32(12), uint32(50), int64(0), int64(0), int64(0), "UTC")
	f.Fuzz(func(t *testing.T, start int64, frequency uint8, interval, count uint32, until, notBefore, after int64, name string) {
		zone, err := LoadZone(name)
		if err != nil {
			return
		}
		r := Recurrence{Start: time.Unix(start, 0), Zone: zone, Frequency: Frequency(frequency % 8), Interval: interval, Count: count}
		if until != 0 {
			r.Until = time.Unix(until, 0)
		}
		if notBefore != 0 {
			r.NotBefore = time.Unix(notBefore, 0)
		}
		rule, err := r.Rule()
		if err != nil {
			return
		}
		at := time.Unix(after, 0)
		for range 5 {
			m, ok := rule.Next(at)
			if !ok {
				return
			}
			if !m.Time.After(at) {
				t.Fatalf("the member after %s is %s", at, m.Time)
			}
			if last, ok := rule.Last(m.Time); !ok || last != m {
				t.Fatalf("Next finds %+v, Last %+v, %t", m, last, ok)
			}
			at = m.Time
		}
	})
}

func FuzzParseTime(f *testing.F) {
	f.Add("2024-07-08T09:00:00+02:00")
	f.Add("2016-12-31T23:59:60.5Z")
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseTime(s)
		if err != nil {
			return
		}
		again, err := ParseTime(at.UTC().Format(time.RFC3339Nano))
		if y := at.UTC().Year(); y >= 0 && y <= 9999 && (err != nil || !again.Equal(at)) {
			t.Fatalf("%q is %s, which is read as %s, %v", s, at, again, err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	f.Add("P1DT12:00:00")
	f.Add("-P1W")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err == nil && (d.Seconds <= -secondsPerDay || d.Seconds >= secondsPerDay || d.Days < -longest || d.Days > longest) {
			t.Fatalf("%q is %+v", s, d)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	madrid, err := LoadZone("Europe/Madrid")
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2010, 1, 31, 2, 30, 0, 0, madrid.Location())
	for f := Secondly; f <= Yearly; f++ {
		b.Run(f.String(), func(b *testing.B) {
			rule, err := Recurrence{Start: start, Zone: madrid, Frequency: f}.Rule()
			if err != nil {
				b.Fatal(err)
			}
			at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
			for b.Loop() {
				if _, ok := rule.Next(at); !ok {
					b.Fatal("no member")
				}
			}
		})
	}
}
