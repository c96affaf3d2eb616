package train

import (
	"fmt"
	"time"

	"incidentd/oam"
)

// fewest are the answers without which there is no verdict on delays.
const fewest = 5

// Thresholds are bounds of a measurement: the grouping loss-delay-thresholds. nil is no
// bound.
type Thresholds struct {
	MaxLossRatio     *float64 // percent
	MaxAverageDelay  *time.Duration
	MaxPercentile95  *time.Duration
	MaxAverageJitter *time.Duration
	MaxOneWayDelay   *time.Duration
}

// ReadThresholds reads the container thresholds.
func ReadThresholds(p oam.Params) Thresholds {
	var t Thresholds
	if p.Has("max-loss-ratio") {
		v := p.Float("max-loss-ratio")
		t.MaxLossRatio = &v
	}
	for _, f := range []struct {
		name string
		to   **time.Duration
	}{
		{"max-average-delay", &t.MaxAverageDelay},
		{"max-percentile-95-delay", &t.MaxPercentile95},
		{"max-average-jitter", &t.MaxAverageJitter},
		{"max-one-way-delay", &t.MaxOneWayDelay},
	} {
		if p.Has(f.name) {
			v := p.Duration(f.name, time.Nanosecond)
			*f.to = &v
		}
	}
	return t
}

// Judge sets the verdict of a measurement and what it has crossed. A bound that the noise
// of this host could decide, or that too few answers stand for, has no verdict; a bound
// that is crossed has one, whatever the others say.
func (t Thresholds) Judge(m *oam.Measurement) {
	var noise time.Duration
	if m.Quality != nil {
		noise = m.Quality.MaxSendLateness
	}
	answers := 0
	if m.Packets != nil {
		answers = int(m.Packets.Received)
	}
	bounds, open := 0, 0
	crossed := func(format string, args ...any) { m.Crossed = append(m.Crossed, fmt.Sprintf(format, args...)) }
	delay := func(name string, bound *time.Duration, has bool, value time.Duration, noise time.Duration) {
		if bound == nil {
			return
		}
		bounds++
		switch {
		case !has || answers < fewest:
			open++
		case value > *bound+noise:
			crossed("%s: %s > %s", name, value, *bound)
		case value > *bound-noise:
			open++
		}
	}
	if t.MaxLossRatio != nil {
		bounds++
		switch {
		case m.Errors == nil || m.Packets == nil || m.Packets.Sent < fewest:
			open++
		case m.Errors.LossRatio > *t.MaxLossRatio:
			crossed("max-loss-ratio: %.5g > %.5g", m.Errors.LossRatio, *t.MaxLossRatio)
		}
	}
	var two oam.Delay
	if m.TwoWay != nil {
		two = *m.TwoWay
	}
	var jitter time.Duration
	if two.Jitter != nil {
		jitter = two.Jitter.Average
	}
	// Lateness of sending moves no delay of a single packet by more than itself, and the
	// mean of many by far less: the share of the packets that it may have hit.
	delay("max-average-delay", t.MaxAverageDelay, m.TwoWay != nil, two.Average, noise/time.Duration(max(1, answers)))
	delay("max-percentile-95-delay", t.MaxPercentile95, m.TwoWay != nil, two.Percentile95, 0)
	delay("max-average-jitter", t.MaxAverageJitter, two.Jitter != nil, jitter, noise/time.Duration(max(1, answers)))
	for _, way := range []*oam.Delay{m.FarEnd, m.NearEnd} {
		var value, wrong time.Duration
		if way != nil {
			value, wrong = way.Average, m.Quality.ClockError
		}
		delay("max-one-way-delay", t.MaxOneWayDelay, way != nil, value, wrong)
	}
	switch {
	case bounds == 0:
		m.Verdict = oam.NoVerdict
	case len(m.Crossed) > 0:
		m.Verdict = oam.Fail
	case open > 0:
		m.Verdict = oam.Inconclusive
	default:
		m.Verdict = oam.Pass
	}
}
