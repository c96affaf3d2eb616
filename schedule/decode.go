package schedule

import (
	"strconv"
	"time"

	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// FromData reads a schedule from a node that uses groupings of ietf-schedule: period-of-time
// and, beside it or alone, recurrence, recurrence-utc or recurrence-with-time-zone. The
// place of the node is for the paths of errors, which are invalid-value, one for each value
// that has the right form and no meaning.
func FromData(at *data.Loc, role Role) (*Plan, error) {
	d := decoder{at: at}
	def := d.definition()
	def.Role = role
	if err := d.errs.Err(); err != nil {
		return nil, err
	}
	plan, err := def.Plan()
	if err != nil {
		return nil, rpcerr.InvalidValue("%s", err).At(at.Path())
	}
	return plan, nil
}

// decoder reads values of a node, and keeps what is wrong with them.
type decoder struct {
	at   *data.Loc
	errs rpcerr.Errors
}

// leaf finds the first of some leafs that is there, in the node or in recurrence-first.
func (d *decoder) leaf(names ...string) *data.Loc {
	first := d.at.Node.Child("recurrence-first")
	for _, name := range names {
		if n := d.at.Node.Child(name); n != nil {
			return d.at.Down(n)
		}
		if n := first.Child(name); n != nil {
			return d.at.Down(first).Down(n)
		}
	}
	return nil
}

func (d *decoder) refuse(at *data.Loc, format string, args ...any) {
	d.errs = append(d.errs, rpcerr.InvalidValue(format, args...).At(at.Path()))
}

// time reads a date-and-time; zero without one.
func (d *decoder) time(at *data.Loc) time.Time {
	if at == nil {
		return time.Time{}
	}
	t, err := ParseTime(at.Node.Value())
	if err != nil {
		d.refuse(at, "%s", err)
	}
	return t
}

// utc reads a date-and-time that has to be in UTC.
func (d *decoder) utc(at *data.Loc) time.Time {
	if at != nil && !isUTC(at.Node.Value()) {
		d.refuse(at, "%s has to be in UTC, as 2024-07-08T09:00:00Z is", at.Node.Name())
		return time.Time{}
	}
	return d.time(at)
}

// duration reads a length that has to be positive; zero without one.
func (d *decoder) duration(at *data.Loc) Duration {
	if at == nil {
		return Duration{}
	}
	if v, err := strconv.ParseInt(at.Node.Value(), 10, 64); err == nil { // that of recurrence-utc, in seconds
		if v == 0 {
			d.refuse(at, "a duration of 0 seconds is none")
		}
		return Duration{Seconds: v}
	}
	v, err := ParseDuration(at.Node.Value())
	if err != nil {
		d.refuse(at, "%s", err)
	} else if !v.positive() {
		d.refuse(at, "the duration %s is not positive", at.Node.Value())
	}
	return v
}

// number reads a number that must not be 0; 0 without one.
func (d *decoder) number(name string) uint32 {
	at := d.leaf(name)
	if at == nil {
		return 0
	}
	v, _ := strconv.ParseUint(at.Node.Value(), 10, 32) // the schema has checked it
	if v == 0 {
		d.refuse(at, "%s must not be 0", name)
	}
	return uint32(v)
}

func (d *decoder) definition() Definition {
	periodStart, periodEnd := d.leaf("period-start"), d.leaf("period-end")
	utcStart, localStart := d.leaf("utc-start-time"), d.leaf("date-time-start")
	def := Definition{
		Recurrence: Recurrence{
			Interval:  d.number("interval"),
			Count:     d.number("count"),
			NotBefore: d.time(periodStart),
		},
		PeriodEnd: d.time(periodEnd),
		Period:    d.duration(d.period()),
		Lasts:     d.duration(d.lasts()),
	}
	if at := d.leaf("frequency"); at != nil {
		f, err := ParseFrequency(at.Node.Value())
		if err != nil {
			d.refuse(at, "%s", err)
		}
		def.Frequency = f
	}
	switch {
	case utcStart != nil:
		def.Start = d.utc(utcStart)
	case localStart != nil:
		def.Start = d.time(localStart)
	default:
		def.Start = def.NotBefore
	}
	if at := d.leaf("utc-until"); at != nil {
		def.Until = d.utc(at)
	} else {
		def.Until = d.time(d.leaf("until"))
	}
	def.Zone = d.zone(utcStart != nil, def.Start)
	if len(d.errs) > 0 {
		return def
	}
	if periodEnd != nil && !def.PeriodEnd.After(def.NotBefore) {
		d.refuse(periodEnd, "the end %s is not after the start %s", periodEnd.Node.Value(), periodStart.Node.Value())
	}
	return def
}

// period is the leaf of the period's length: the one of the node itself, or, where a node
// has both lengths flat beside each other, the first.
func (d *decoder) period() *data.Loc {
	if n := d.at.Node.Child("duration"); n != nil {
		return d.at.Down(n)
	}
	return nil
}

// lasts is the leaf of the length of members.
func (d *decoder) lasts() *data.Loc {
	if first := d.at.Node.Child("recurrence-first"); first != nil {
		if n := first.Child("duration"); n != nil {
			return d.at.Down(first).Down(n)
		}
	}
	if n := d.at.Node.Child("recurrence-duration"); n != nil {
		return d.at.Down(n)
	}
	return nil
}

// zone is where members keep the time on the wall.
func (d *decoder) zone(utc bool, start time.Time) *Zone {
	at := d.leaf("time-zone-identifier")
	if at != nil {
		z, err := LoadZone(at.Node.Value())
		if err != nil {
			d.refuse(at, "%s", err)
			return UTC
		}
		if !utc {
			return z
		}
	}
	if utc {
		return UTC
	}
	_, offset := start.Zone()
	return Fixed(offset)
}
