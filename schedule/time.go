package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseTime reads a date-and-time [RFC 6991 section 3], of which the type checks the form
// alone: the date has to exist, and the time and the offset too. The 60th second is the
// next one. The location of the result is UTC for Z and -00:00, else the offset.
func ParseTime(s string) (time.Time, error) {
	bad := func(what string) (time.Time, error) {
		return time.Time{}, fmt.Errorf("%q is no date and time: %s", s, what)
	}
	f := fields{s: s}
	year, month, day := f.number(4), f.after('-'), f.after('-')
	f.literal('T')
	hour, minute, second := f.number(2), f.after(':'), f.after(':')
	nanos := f.fraction()
	offset, utc := f.offset()
	switch {
	case f.failed || f.s != "":
		return bad("it has not the form 2024-07-08T09:00:00Z or 2024-07-08T09:00:00+02:00")
	case month < 1 || month > 12:
		return bad(fmt.Sprintf("there is no month %02d", month))
	case day < 1 || day > daysIn(int64(year), int64(month-1)):
		return bad(fmt.Sprintf("%04d-%02d has no day %02d", year, month, day))
	case hour > 23:
		return bad(fmt.Sprintf("there is no hour %02d", hour))
	case minute > 59:
		return bad(fmt.Sprintf("there is no minute %02d", minute))
	case second > 60:
		return bad(fmt.Sprintf("there is no second %02d", second))
	case offset == badOffset:
		return bad("its offset from UTC is a day or more, or has more than 59 minutes")
	}
	loc := time.UTC
	if !utc {
		loc = time.FixedZone("", offset)
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanos, loc), nil
}

// isUTC reports whether a date-and-time says that it is in UTC, and not only that it has no
// offset from it [RFC 3339 section 4.3].
func isUTC(s string) bool { return strings.HasSuffix(s, "Z") || strings.HasSuffix(s, "-00:00") }

// fields reads numbers from a text.
type fields struct {
	s      string
	failed bool
}

func (f *fields) literal(c byte) {
	if f.s == "" || f.s[0] != c {
		f.failed = true
		return
	}
	f.s = f.s[1:]
}

// number reads so many digits.
func (f *fields) number(digits int) (n int) {
	if len(f.s) < digits {
		f.failed = true
		return 0
	}
	for _, c := range []byte(f.s[:digits]) {
		if c < '0' || c > '9' {
			f.failed = true
			return 0
		}
		n = 10*n + int(c-'0')
	}
	f.s = f.s[digits:]
	return n
}

func (f *fields) after(c byte) int {
	f.literal(c)
	return f.number(2)
}

// fraction reads the fraction of a second, if there is one, in nanoseconds.
func (f *fields) fraction() int {
	if f.s == "" || f.s[0] != '.' {
		return 0
	}
	rest := strings.TrimLeft(f.s[1:], "0123456789")
	digits := f.s[1 : len(f.s)-len(rest)]
	if digits == "" {
		f.failed = true
		return 0
	}
	f.s = rest
	n, _ := strconv.Atoi((digits + "00000000")[:9])
	return n
}

const badOffset = 1 << 30

// offset reads the offset in seconds, and whether it says UTC.
func (f *fields) offset() (seconds int, utc bool) {
	if f.s == "Z" {
		f.s = ""
		return 0, true
	}
	if f.s == "" || f.s[0] != '+' && f.s[0] != '-' {
		f.failed = true
		return 0, false
	}
	negative := f.s[0] == '-'
	f.s = f.s[1:]
	hours, minutes := f.number(2), f.after(':')
	if hours > 23 || minutes > 59 {
		return badOffset, false
	}
	seconds = 3600*hours + 60*minutes
	if negative {
		return -seconds, seconds == 0
	}
	return seconds, false
}

// daysIn is the number of days of a month, which is counted from 0.
func daysIn(year, month int64) int {
	switch month {
	case 1:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 3, 5, 8, 10:
		return 30
	}
	return 31
}
