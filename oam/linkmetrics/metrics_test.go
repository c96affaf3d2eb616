package linkmetrics

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/oam"
)

const (
	us = time.Microsecond
	ms = time.Millisecond
)

func TestOf(t *testing.T) {
	two := &oam.Delay{Min: 8 * ms, Average: 10 * ms, Max: 30 * ms, Jitter: &oam.Jitter{Average: 400 * us}}
	far := &oam.Delay{Min: 2 * ms, Average: 3*ms + 600*time.Nanosecond, Max: 20 * ms}
	near := &oam.Delay{Min: 5 * ms, Average: 7 * ms, Max: 9 * ms}
	packets := &oam.Packets{Sent: 1000, Received: 900}
	tests := []struct {
		name  string
		found *oam.Measurement
		back  bool
		want  metrics
		ok    bool
	}{
		{"nothing", nil, false, metrics{}, false},
		{"a path", &oam.Measurement{Path: &oam.Path{}}, false, metrics{}, false},
		{"half of two ways", &oam.Measurement{TwoWay: two, Quality: &oam.Quality{}}, false,
			metrics{delays: true, delay: 5000, min: 4000, max: 15000, varied: true, variation: 200, half: true}, true},
		{"clocks that disagree", &oam.Measurement{TwoWay: two, FarEnd: far, Quality: &oam.Quality{}}, false,
			metrics{delays: true, delay: 5000, min: 4000, max: 15000, varied: true, variation: 200, half: true}, true},
		{"there", &oam.Measurement{TwoWay: two, FarEnd: far, NearEnd: near, Quality: &oam.Quality{OneWayValid: true}}, false,
			metrics{delays: true, delay: 3001, min: 2000, max: 20000}, true},
		{"back", &oam.Measurement{TwoWay: two, FarEnd: far, NearEnd: near, Quality: &oam.Quality{OneWayValid: true}}, true,
			metrics{delays: true, delay: 7000, min: 5000, max: 9000}, true},
		{"loss of both ways", &oam.Measurement{Packets: packets, Errors: &oam.Errors{LossRatio: 19}}, false,
			metrics{counted: true, loss: 3333333, both: true}, true}, // 1 - sqrt(.81) = 10 %
		{"loss there", &oam.Measurement{Packets: packets, Errors: &oam.Errors{LossRatio: 10, Directed: &oam.DirectedLoss{FarEnd: 20, NearEnd: 80}}}, false,
			metrics{counted: true, loss: 666667}, true},
		{"loss back, of what came there", &oam.Measurement{Packets: packets, Errors: &oam.Errors{LossRatio: 10, Directed: &oam.DirectedLoss{FarEnd: 200, NearEnd: 80}}}, true,
			metrics{counted: true, loss: 3333333}, true},
		{"all lost", &oam.Measurement{Packets: packets, Errors: &oam.Errors{LossRatio: 100}}, false, metrics{counted: true, loss: maxLoss, both: true}, true},
		{"nothing came there", &oam.Measurement{Packets: packets, Errors: &oam.Errors{LossRatio: 100, Directed: &oam.DirectedLoss{FarEnd: 1000}}}, true, metrics{counted: true}, true},
		{"a link to the moon and on", &oam.Measurement{TwoWay: &oam.Delay{Min: time.Minute, Average: time.Hour, Max: time.Hour}}, false,
			metrics{delays: true, delay: maxDelay, min: maxDelay, max: maxDelay, half: true}, true},
	}
	for _, tt := range tests {
		got, ok := of(tt.found, tt.back, false)
		if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(metrics{})); d != "" || ok != tt.ok {
			t.Errorf("%s: ok %t, %s", tt.name, ok, d)
		}
	}
	if got, _ := of(&oam.Measurement{TwoWay: two}, false, true); !got.anomalous {
		t.Error("the A bit is lost")
	}
}

func TestDiffer(t *testing.T) {
	is := metrics{delays: true, delay: 1000, min: 900, max: 5000, varied: true, variation: 50, counted: true, loss: 1000}
	tests := []struct {
		name   string
		change func(*metrics)
		want   bool
	}{
		{"nothing", func(*metrics) {}, false},
		{"9 %", func(m *metrics) { m.delay = 1090 }, false},
		{"10 % more", func(m *metrics) { m.delay = 1100 }, true},
		{"10 % less", func(m *metrics) { m.delay = 900 }, true},
		{"the least", func(m *metrics) { m.min = 1000 }, true},
		{"the longest and the variation", func(m *metrics) { m.max, m.variation = 50000, 500 }, false},
		{"loss", func(m *metrics) { m.loss = 1100 }, true},
		{"a little loss", func(m *metrics) { m.loss = 1099 }, false},
		{"the A bit", func(m *metrics) { m.anomalous = true }, true},
		{"the clocks", func(m *metrics) { m.half = true }, true},
		{"no delay", func(m *metrics) { *m = metrics{counted: true, loss: 1000} }, true},
	}
	for _, tt := range tests {
		to := is
		tt.change(&to)
		if got := is.differ(to, 10); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
	quick, quicker := metrics{delays: true, delay: 20, min: 20}, metrics{delays: true, delay: 11, min: 11}
	if quick.differ(quicker, 10) {
		t.Error("9 microseconds are a change")
	}
	if !(metrics{counted: true}).differ(metrics{counted: true, loss: 1}, 10) {
		t.Error("the first loss is none")
	}
}

func TestPercentage(t *testing.T) {
	for steps, want := range map[uint32]string{0: "0.0", 1: "0.000003", 333333: "0.999999", 1000000: "3.0", 5000000: "15.0", maxLoss: "50.331642"} {
		if got := percentage(steps); got != want {
			t.Errorf("percentage(%d) = %s, want %s", steps, got, want)
		}
	}
}
