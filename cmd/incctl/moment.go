package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment reads a time, or a duration away from now in the direction of the sign. A time
// without a zone is of the clock of the reader, and a duration may count days.
func moment(text string, now time.Time, sign time.Duration) (time.Time, error) {
	away := text
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil {
			away = strconv.FormatFloat(n*24, 'f', -1, 64) + "h"
		}
	}
	if d, err := time.ParseDuration(away); err == nil {
		return now.Add(sign * d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a time, such as 2026-11-22T06:00:00Z, nor a duration, such as 2h or 10m", text)
}
