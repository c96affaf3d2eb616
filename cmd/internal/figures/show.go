package main

import (
	"fmt"
	"strings"
	"time"

	"incidentd/cmd/internal/load"
)

// show writes a figure for people.
func show(v float64, unit string) string {
	for _, t := range []struct {
		word  string
		nanos float64
	}{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}} {
		// ns/op, p50-us, us-server, s-first, cpu-ns/event, but not events/s.
		words := strings.FieldsFunc(strings.Split(unit, "/")[0], func(r rune) bool { return r == '-' })
		for _, word := range words {
			if word == t.word {
				return duration(v * t.nanos)
			}
		}
	}
	what, per, _ := strings.Cut(unit, "/")
	switch {
	case unit == "MB/s":
		return load.Number(v) + " MB/s"
	case per == "s" || strings.HasSuffix(per, "-s"):
		return load.Number(v) + " a second"
	case what == "B" || what == "bytes" || strings.HasSuffix(what, "-bytes"):
		return size(v)
	case what == "MiB" || strings.HasSuffix(what, "-MiB"):
		return load.Number(v) + " MiB"
	case what == "MB" || strings.HasPrefix(what, "MB-"):
		return load.Number(v) + " MB"
	}
	return load.Number(v) + " " + unit
}

func size(v float64) string {
	if v < 10000 {
		return load.Number(v) + " B"
	}
	return load.Number(v/1000) + " kB"
}

func duration(nanos float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}} {
		if nanos >= u.size {
			return digits(nanos/u.size) + " " + u.name
		}
	}
	return digits(nanos) + " ns"
}

// digits writes two or three of them.
func digits(v float64) string {
	switch {
	case v >= 10:
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// when tells where and when it was measured.
func when(now time.Time) string {
	return fmt.Sprintf("Measured on %s on %s.", now.Format(time.DateOnly), load.Machine())
}
