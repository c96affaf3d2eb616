// Package plot draws delay and loss over time: as SVG for a page, and with characters for a
// terminal. It knows nothing of tests, so that the server and its clients can share it.
package plot

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Chart is delay over time, with what was lost.
type Chart struct {
	// Points are in the order of X.
	Points []Point
	// Bound is a delay that was agreed on, 0 without one. It is drawn where it is near
	// enough to the delays.
	Bound time.Duration
	// Moments says that X is a time of day, in seconds since 1970, and not one that has gone by.
	Moments bool
	// Zone is that of moments; nil: UTC.
	Zone *time.Location
}

// Point is one packet, some in a row, or a run.
type Point struct {
	X               float64 // seconds
	Low, Mean, High time.Duration
	// Answered is false when there are no delays.
	Answered bool
	Loss     float64 // the part that was lost, from 0 to 1
}

// Empty reports whether there is nothing to draw: no point, or nothing that was measured.
func (c *Chart) Empty() bool {
	for _, p := range c.Points {
		if p.Answered || p.Loss > 0 {
			return false
		}
	}
	return true
}

// axis is a range of values, with the marks on it.
type axis struct {
	low, high float64
	ticks     []float64
}

// at is where a value stands, from 0 to 1.
func (a axis) at(v float64) float64 { return (v - a.low) / (a.high - a.low) }

// span makes an axis of a range with marks at round values: no more than that many, unless
// there would be less than two.
func span(low, high float64, marks int) axis {
	if least := max(math.Abs(low), math.Abs(high)) * 1e-9; !(high-low > least) { // nothing that digits tell apart
		high = low + max(1, least)
	}
	step := (high - low) / float64(max(1, marks-1))
	unit := math.Pow(10, math.Floor(math.Log10(step)))
	for _, round := range []float64{1, 2, 5, 10} {
		if round*unit >= step*(1-1e-9) {
			step = round * unit
			break
		}
	}
	a := axis{low: low, high: high}
	first := math.Ceil(low/step - 1e-9)
	for i := first; i*step <= high+step*1e-9; i++ {
		a.ticks = append(a.ticks, i*step)
	}
	if len(a.ticks) < 2 { // one mark tells no scale
		return span(low, high, marks+1)
	}
	return a
}

// delays is the axis of delays, in the unit that suits them. It begins at 0, unless the delays
// are so close together that nothing of them would be seen.
func (c *Chart) delays(marks int) (a axis, unit delayUnit) {
	low, high := math.Inf(1), 0.0
	for _, p := range c.Points {
		if p.Answered {
			low, high = min(low, float64(p.Low)), max(high, float64(p.High))
		}
	}
	if high == 0 {
		low, high = 0, float64(time.Millisecond)
	}
	if b := float64(c.Bound); b > 0 && b <= 2*high {
		low, high = min(low, b), max(high, b)
	}
	unit = unitOf(time.Duration(high))
	if low < high*0.6 {
		low = 0
	} else {
		margin := max((high-low)*0.15, high*0.05)
		low, high = max(0, low-margin), high+margin
	}
	if low == 0 {
		high *= 1.05
	}
	return span(low/unit.size, high/unit.size, marks), unit
}

// times is the axis of X, and how its marks are written.
func (c *Chart) times(marks int) (a axis, name string, label func(float64) string) {
	low, high := c.Points[0].X, c.Points[len(c.Points)-1].X
	if c.Moments {
		return c.moments(low, high, marks)
	}
	if high <= low {
		high = low + 1
	}
	a = span(low, high, marks)
	return a, "s", number(a)
}

// steps are what marks of moments are apart.
var steps = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour}

func (c *Chart) moments(low, high float64, marks int) (a axis, name string, label func(float64) string) {
	if high-low < 1 {
		high = low + 60
	}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if (high-low)/s.Seconds() <= float64(max(1, marks-1)) {
			step = s
			break
		}
	}
	for (high-low)/step.Seconds() > float64(max(1, marks-1)) {
		step *= 2
	}
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	_, offset := time.Unix(int64(low), 0).In(zone).Zone()
	a = axis{low: low, high: high}
	local := low + float64(offset)
	for at := math.Ceil(local/step.Seconds()) * step.Seconds(); at <= high+float64(offset); at += step.Seconds() {
		a.ticks = append(a.ticks, at-float64(offset))
	}
	layout := "15:04"
	switch {
	case step >= 24*time.Hour:
		layout = "Jan 2"
	case step < time.Minute:
		layout = "15:04:05"
	case high-low > 24*3600:
		layout = "Jan 2 15:04"
	}
	label = func(v float64) string { return time.Unix(int64(math.Round(v)), 0).In(zone).Format(layout) }
	return a, time.Unix(int64(low), 0).In(zone).Format("MST"), label
}

// delayUnit is a unit of delays.
type delayUnit struct {
	name string
	size float64 // nanoseconds
}

func unitOf(most time.Duration) delayUnit {
	switch {
	case most >= time.Second:
		return delayUnit{"s", 1e9}
	case most >= time.Millisecond:
		return delayUnit{"ms", 1e6}
	}
	return delayUnit{"µs", 1e3}
}

// number writes the marks of an axis, with as many digits as tell them apart.
func number(a axis) func(float64) string {
	digits := 0
	if len(a.ticks) > 1 {
		digits = max(0, int(-math.Floor(math.Log10(a.ticks[1]-a.ticks[0])+1e-9)))
	}
	return func(v float64) string {
		s := strconv.FormatFloat(v, 'f', digits, 64)
		if strings.Trim(s, "-0.") == "" {
			return strings.TrimPrefix(s, "-")
		}
		return s
	}
}
