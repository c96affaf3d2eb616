package correlate

import "testing"

func TestClock(t *testing.T) {
	const s = second
	for _, c := range []struct {
		name  string
		skew  int64   // of the node's clock
		delay []int64 // of the deliveries, one a minute
		off   int64   // how far the last time may be from the truth
	}{
		{"right", 0, []int64{s / 5, s / 4, s / 5, s / 3}, s / 2},
		{"fast", 70 * s, []int64{s / 5, s / 4, s / 5, s / 3}, s / 2},
		{"slow", -50 * s, []int64{s / 5, s / 4, s / 5, s / 3, s / 5, s / 5}, s / 2},
		{"first one late", 0, []int64{25 * s}, s / 2},
		{"a late one", 0, []int64{s / 5, s / 5, s / 5, 28 * s}, s / 2},
		{"a fast clock's late one", 70 * s, []int64{s / 5, s / 5, s / 5, s / 5, 28 * s}, s / 2},
	} {
		var k clock
		var got, truth int64
		for j, d := range c.delay {
			truth = int64(j+1) * minute
			got = k.correct(truth+c.skew, truth+d)
		}
		if diff := got - truth; diff > c.off || diff < -c.off {
			t.Errorf("%s: off by %d ms", c.name, diff/1e6)
		}
	}
}

func TestClockSet(t *testing.T) {
	var k clock
	now := int64(0)
	tick := func(skew int64) int64 {
		now += minute
		return k.correct(now-second/5+skew, now) - now
	}
	for range 5 {
		tick(70 * second)
	}
	for j := range 5 { // the clock was put right
		least := -second
		if j < 2 { // at first these may as well have been long on their way
			least = -71 * second
		}
		if d := tick(0); d < least || d > 0 {
			t.Errorf("event %d after the step is off by %d ms", j, d/1e6)
		}
	}
	for j := range 5 { // and wrong again
		if d := tick(3600 * second); d < -second || d > 0 {
			t.Errorf("event %d after the second step is off by %d ms", j, d/1e6)
		}
	}
}
