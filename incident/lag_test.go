package incident

import (
	"testing"
	"time"
)

// The classes of lags are in order, without gaps, and an eighth wide at most.
func TestLagClasses(t *testing.T) {
	last := 0
	for us := range 3_000_000 {
		d := time.Duration(us) * time.Microsecond
		k := class(d)
		if k != last && k != last+1 {
			t.Fatalf("class(%v) = %d after %d", d, k, last)
		}
		if end := upTo(k); d >= end || end > d+d/8+time.Microsecond {
			t.Fatalf("%v is in the class up to %v", d, end)
		}
		last = k
	}
	if k := class(1 << 62); k != 8*40-1 {
		t.Errorf("class of years = %d", k)
	}
}

func TestLagFigures(t *testing.T) {
	var l lag
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for k := range 1000 {
		l.add([]time.Time{now.Add(-time.Duration(k) * 100 * time.Microsecond)}, now)
	}
	f := l.figures()
	if f.Decisions != 1000 || f.Late != 499 || f.Longest != 99900*time.Microsecond {
		t.Errorf("figures = %+v", f)
	}
	if f.Median < 49*time.Millisecond || f.Median > 57*time.Millisecond || f.P99 < 98*time.Millisecond || f.P99 > 99900*time.Microsecond {
		t.Errorf("figures = %+v", f)
	}
	l.add([]time.Time{now}, now.Add(3*time.Minute))
	l.add([]time.Time{now.Add(5 * time.Minute)}, now.Add(5*time.Minute))
	if f := l.figures(); f.Median != time.Microsecond || f.Longest != 3*time.Minute {
		t.Errorf("figures of the last minutes = %+v", f)
	}
}
