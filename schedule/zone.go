package schedule

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // for systems without zones
)

// Zone is a time zone. It never changes.
type Zone struct {
	name    string
	loc     *time.Location
	periods []period // from the beginning of time; the last one ends where the table does
}

// period is a time in which a zone has one offset; both ends in seconds since 1970, the
// last excluded.
type period struct {
	start, end int64
	offset     int64
}

// UTC is the zone UTC.
var UTC = &Zone{name: "UTC", loc: time.UTC, periods: []period{{math.MinInt64, math.MaxInt64, 0}}}

// Fixed is a zone with one offset east of UTC, in seconds.
func Fixed(offset int) *Zone {
	if offset == 0 {
		return UTC
	}
	loc := time.FixedZone("", offset)
	return &Zone{loc: loc, periods: []period{{math.MinInt64, math.MaxInt64, int64(offset)}}}
}

// tableEnd is up to when zones have a table; later offsets are looked up.
var tableEnd = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// zones are those that were asked for, by name.
var zones sync.Map

// LoadZone finds a zone of the time zone database by its name, such as Europe/Madrid.
func LoadZone(name string) (*Zone, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*Zone), nil
	}
	unknown := fmt.Errorf("there is no time zone %q; one is Europe/Madrid, or UTC", name)
	// The first two stand for something else in Go. Zones of right/ count leap seconds.
	if name == "" || name == "Local" || strings.HasPrefix(name, "right/") {
		return nil, unknown
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknown
	}
	z := &Zone{name: name, loc: loc}
	for at := int64(math.MinInt64); at < tableEnd; {
		p := z.lookUp(max(at, earliest))
		p.start = at
		at = p.end
		if n := len(z.periods); n > 0 && z.periods[n-1].offset == p.offset {
			z.periods[n-1].end = p.end
			continue
		}
		z.periods = append(z.periods, p)
	}
	known, _ := zones.LoadOrStore(name, z)
	return known.(*Zone), nil
}

// earliest is before all times that can be written, and latest after them.
var (
	earliest = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	latest   = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// String is the name, or the offset where there is none.
func (z *Zone) String() string {
	if z.name != "" {
		return z.name
	}
	return time.Unix(0, 0).In(z.loc).Format("-07:00")
}

// Location is the zone for package time.
func (z *Zone) Location() *time.Location { return z.loc }

// at is the period of an instant.
func (z *Zone) at(unix int64) period {
	ps := z.periods
	if last := ps[len(ps)-1]; unix >= last.end {
		return z.lookUp(unix)
	}
	i := sort.Search(len(ps), func(i int) bool { return unix < ps[i].end })
	return ps[i]
}

// lookUp is at without the table, and from the given second on. The offset holds until the
// end, and may go on to hold.
func (z *Zone) lookUp(unix int64) period {
	t := time.Unix(unix, 0).In(z.loc)
	_, offset := t.Zone()
	p := period{start: unix, end: math.MaxInt64, offset: int64(offset)}
	if _, end := t.ZoneBounds(); !end.IsZero() {
		// Package time ends leap years a day early once the file's transitions are over.
		p.end = max(end.Unix(), unix+3600)
	}
	return p
}

// local is the time on the wall at an instant, in seconds as if it were UTC.
func (z *Zone) local(unix int64) int64 { return unix + z.at(unix).offset }

// instant is when it is a time on the wall: the first time if that comes twice, and by
// the offset before the gap if it never does [RFC 5545 section 3.3.5].
func (z *Zone) instant(wall int64) int64 {
	if len(z.periods) == 1 {
		return wall - z.periods[0].offset
	}
	// No offset is as much as a day.
	for p := z.at(wall - secondsPerDay); ; {
		unix := wall - p.offset
		if unix < p.end {
			return unix
		}
		next := z.at(p.end)
		if wall-next.offset < p.end {
			return unix
		}
		p = next
	}
}

// repeats counts the days of a span that the zone leaves out whole, by having more than a
// day's change of its offset: a daily time of such a day is at the instant of the next
// day's. There are two in the database, in 1844 and 2011, and a few islands in between.
func (z *Zone) repeats(from, to int64) (n int64) {
	for i := 1; i < len(z.periods); i++ {
		p, q := z.periods[i-1], z.periods[i]
		if q.offset-p.offset >= secondsPerDay && from < q.start && q.start <= to {
			n++
		}
	}
	return n
}
