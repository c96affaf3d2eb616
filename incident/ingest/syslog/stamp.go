package syslog

import (
	"strings"
	"time"
)

// stamp reads a time in one of the forms that senders use, and what may stand around it:
// a star before it for a clock that was never set, whose time is left out, a dot for one
// that was, and a year, fractions of a second and a zone after it. rest begins behind it.
//
//	Nov 22 07:00:00   Nov  2 07:00:00.123 UTC   *Mar  1 00:00:12.345
//	Nov 22 2026 07:00:00   2026 Nov 22 07:00:00.123 CET   Nov 22 07:00:00 2026
//	2026-11-22T07:00:00.123+01:00   2026-11-22 07:00:00   2026/11/22 07:00:00
func stamp(s string, arrival time.Time, zone *time.Location) (t time.Time, rest string, ok bool) {
	unset := strings.HasPrefix(s, "*")
	s = strings.TrimLeft(s, "*.")
	if len(s) < 15 {
		return t, s, false
	}
	c := clock{zone: zone}
	switch {
	case digit(s[0]) && (s[4] == '-' || s[4] == '/'):
		s, ok = c.numeric(s)
	default:
		s, ok = c.named(s)
	}
	if !ok {
		return t, s, false
	}
	s = c.fraction(s)
	s = c.where(s)
	if t, ok = c.time(arrival); unset {
		t = time.Time{}
	}
	return t, s, ok
}

// clock is a time in parts. A year of 0 is not told.
type clock struct {
	year, month, day, hour, minute, second, nano int
	zone                                         *time.Location
}

// number reads so many digits.
func number(s string, digits int) (n int, rest string, ok bool) {
	if len(s) < digits {
		return 0, s, false
	}
	for i := range digits {
		if !digit(s[i]) {
			return 0, s, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s[digits:], true
}

// numeric reads a date of digits and the time behind it.
func (c *clock) numeric(s string) (string, bool) {
	sep := s[4]
	ok := false
	if c.year, s, ok = number(s, 4); !ok {
		return s, false
	}
	if c.month, s, ok = number(s[1:], 2); !ok || s == "" || s[0] != sep {
		return s, false
	}
	if c.day, s, ok = number(s[1:], 2); !ok || s == "" || s[0] != 'T' && s[0] != ' ' {
		return s, false
	}
	return c.ofDay(s[1:])
}

// named reads a date whose month has a name, and the time behind it.
func (c *clock) named(s string) (string, bool) {
	s, _ = c.yearHere(s)
	if len(s) < 6 {
		return s, false
	}
	c.month = month(s[:3])
	if c.month == 0 || s[3] != ' ' {
		return s, false
	}
	s = strings.TrimLeft(s[3:], " ")
	ok := false
	if c.day, s, ok = number(s, 2); !ok {
		if c.day, s, ok = number(s, 1); !ok {
			return s, false
		}
	}
	if s == "" || s[0] != ' ' {
		return s, false
	}
	s = s[1:]
	if c.year == 0 {
		s, _ = c.yearHere(s)
	}
	return c.ofDay(s)
}

// yearHere reads a year with the space after it, if there is one.
func (c *clock) yearHere(s string) (string, bool) {
	n, rest, ok := number(s, 4)
	if !ok || rest == "" || rest[0] != ' ' || n < 1970 {
		return s, false
	}
	c.year = n
	return rest[1:], true
}

// ofDay reads HH:MM:SS.
func (c *clock) ofDay(s string) (string, bool) {
	ok := false
	if c.hour, s, ok = number(s, 2); !ok || s == "" || s[0] != ':' {
		return s, false
	}
	if c.minute, s, ok = number(s[1:], 2); !ok || s == "" || s[0] != ':' {
		return s, false
	}
	c.second, s, ok = number(s[1:], 2)
	return s, ok
}

// fraction reads fractions of a second.
func (c *clock) fraction(s string) string {
	if len(s) < 2 || s[0] != '.' && s[0] != ',' || !digit(s[1]) {
		return s
	}
	unit, i := 1e8, 1
	for ; i < len(s) && digit(s[i]); i++ {
		c.nano += int(s[i]-'0') * int(unit)
		unit /= 10
	}
	return s[i:]
}

// where reads a year and a zone that stand behind the time. A name other than that of UTC
// stands for the zone that is configured, as it may mean several.
func (c *clock) where(s string) string {
	if c.year == 0 && strings.HasPrefix(s, " ") {
		if n, rest, ok := number(s[1:], 4); ok && n >= 1970 && (rest == "" || rest[0] == ' ' || rest[0] == ':') {
			c.year, s = n, rest
		}
	}
	switch {
	case s != "" && s[0] == 'Z':
		c.zone = time.UTC
		return s[1:]
	case len(s) >= 5 && (s[0] == '+' || s[0] == '-'):
		return c.offset(s)
	}
	// A word in capitals is a zone only where a colon ends it: otherwise it is a host.
	word := strings.TrimLeft(s, " ")
	i := 0
	for i < len(word) && i < 5 && word[i] >= 'A' && word[i] <= 'Z' {
		i++
	}
	if i >= 3 && strings.HasPrefix(strings.TrimLeft(word[i:], " "), ":") {
		if z := word[:i]; z == "UTC" || z == "GMT" {
			c.zone = time.UTC
		}
		return word[i:]
	}
	return s
}

// offset reads a zone such as +01:00 or +0100.
func (c *clock) offset(s string) string {
	hours, rest, ok := number(s[1:], 2)
	if !ok {
		return s
	}
	minutes, rest, ok := number(strings.TrimPrefix(rest, ":"), 2)
	if !ok || hours > 23 || minutes > 59 {
		return s
	}
	seconds := hours*3600 + minutes*60
	if s[0] == '-' {
		seconds = -seconds
	}
	c.zone = time.FixedZone("", seconds)
	return rest
}

// time is the time; false when there is none of these parts.
func (c *clock) time(arrival time.Time) (time.Time, bool) {
	if c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 || c.hour > 23 || c.minute > 59 || c.second > 60 {
		return time.Time{}, false
	}
	of := func(year int) time.Time {
		// A leap second is the second before.
		return time.Date(year, time.Month(c.month), c.day, c.hour, c.minute, min(c.second, 59), c.nano, c.zone)
	}
	if c.year != 0 {
		return of(c.year), true
	}
	// The latest year in which it is not more than a day ahead of its arrival.
	year := arrival.In(c.zone).Year() + 1
	for of(year).Sub(arrival) > 24*time.Hour {
		year--
	}
	return of(year), true
}

// month is the number of a month's name of three letters, 0 for none.
func month(name string) int {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	for i := 0; i < len(names); i += 3 {
		if strings.EqualFold(names[i:i+3], name) {
			return i/3 + 1
		}
	}
	return 0
}
