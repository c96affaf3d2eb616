package linkmetrics

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"incidentd/oam"
	"incidentd/yang/data"
)

// maxDelay is the largest delay of 24 bits, in microseconds; maxLoss the largest loss, in
// steps of 0.000003 percent, as 0xffffff is reserved [RFC 7471 section 4.4].
const (
	maxDelay = 1<<24 - 1
	maxLoss  = 1<<24 - 2
	lossStep = 0.000003 // percent
)

// noise is what a delay may differ by without having changed, in microseconds.
const noise = 10

// metrics are those of a link. They can be compared.
type metrics struct {
	delays          bool // whether there are any
	delay, min, max uint32
	varied          bool
	variation       uint32
	counted         bool // whether there is a loss
	loss            uint32
	anomalous       bool
	half            bool // the delays are half of those there and back
	both            bool // the loss is that of both ways
}

// of makes metrics of what a run found on one of its ways. ok is false when that tells
// nothing about the way.
func of(m *oam.Measurement, back, anomalous bool) (out metrics, ok bool) {
	if m == nil {
		return out, false
	}
	out.anomalous = anomalous
	way := m.FarEnd
	if back {
		way = m.NearEnd
	}
	divisor := time.Duration(1)
	if way == nil || m.Quality == nil || !m.Quality.OneWayValid {
		way, divisor, out.half = m.TwoWay, 2, m.TwoWay != nil
	}
	if way != nil {
		micro := func(d time.Duration) uint32 {
			return uint32(min(maxDelay, max(0, d/divisor).Round(time.Microsecond)/time.Microsecond))
		}
		out.delays, out.delay, out.min, out.max = true, micro(way.Average), micro(way.Min), micro(way.Max)
		if way.Jitter != nil {
			out.varied, out.variation = true, micro(way.Jitter.Average)
		}
	}
	if m.Errors != nil && m.Packets != nil && m.Packets.Sent > 0 {
		out.counted = true
		out.loss, out.both = lossOf(m, back)
	}
	return out, out.delays || out.counted
}

// lossOf is the loss of a way in steps, and whether it is derived from that of both.
func lossOf(m *oam.Measurement, back bool) (steps uint32, both bool) {
	part := 1 - math.Sqrt(1-min(1, max(0, m.Errors.LossRatio/100))) // of two ways that lose the same
	both = true
	if d := m.Errors.Directed; d != nil {
		both = false
		sent, lost := m.Packets.Sent, d.FarEnd
		if back {
			sent, lost = m.Packets.Sent-min(d.FarEnd, m.Packets.Sent), d.NearEnd
		}
		part = 0
		if sent > 0 {
			part = min(1, float64(lost)/float64(sent))
		}
	}
	return uint32(min(maxLoss, math.Round(100*part/lossStep))), both
}

// differ reports whether metrics have to become others: by so many percent of what they
// are, or because something has come or gone.
func (m metrics) differ(to metrics, percent float64) bool {
	if m.delays != to.delays || m.counted != to.counted || m.anomalous != to.anomalous || m.half != to.half || m.both != to.both {
		return true
	}
	far := func(a, b uint32, least float64) bool {
		by := math.Abs(float64(b) - float64(a))
		return by >= least && by >= float64(a)*percent/100
	}
	return far(m.delay, to.delay, noise) || far(m.min, to.min, noise) || far(m.loss, to.loss, 1)
}

// encode writes metrics into the container link-metrics.
func (m metrics) encode(b *data.Builder) {
	if m.delays {
		b.Uint("unidirectional-link-delay", uint64(m.delay)).Uint("min-unidirectional-link-delay", uint64(m.min)).Uint("max-unidirectional-link-delay", uint64(m.max))
	}
	if m.varied {
		b.Uint("unidirectional-delay-variation", uint64(m.variation))
	}
	if m.counted {
		b.Leaf("unidirectional-link-loss", percentage(m.loss))
	}
	b.Bool("anomalous", m.anomalous)
	if m.delays {
		b.Bool("half-of-two-way", m.half)
	}
	if m.counted {
		b.Bool("loss-of-both-ways", m.both)
	}
}

// percentage is a number of steps as a canonical decimal64 of six digits.
func percentage(steps uint32) string {
	micro := uint64(steps) * 3 // millionths of a percent
	text := fmt.Sprintf("%d.%06d", micro/1e6, micro%1e6)
	for text[len(text)-1] == '0' && text[len(text)-2] != '.' {
		text = text[:len(text)-1]
	}
	return text
}

// decode reads the container link-metrics, and since when it holds.
func decode(n *data.Node) (m metrics, since time.Time) {
	number := func(name string) uint32 {
		v, _ := strconv.ParseUint(n.Leaf(name), 10, 32) // as it was encoded
		return uint32(v)
	}
	m.delays, m.delay = n.Has("unidirectional-link-delay"), number("unidirectional-link-delay")
	m.min, m.max = number("min-unidirectional-link-delay"), number("max-unidirectional-link-delay")
	m.varied, m.variation = n.Has("unidirectional-delay-variation"), number("unidirectional-delay-variation")
	if m.counted = n.Has("unidirectional-link-loss"); m.counted {
		v, _ := strconv.ParseFloat(n.Leaf("unidirectional-link-loss"), 64) // as it was encoded
		m.loss = uint32(math.Round(v / lossStep))
	}
	m.anomalous, m.half, m.both = n.Leaf("anomalous") == "true", n.Leaf("half-of-two-way") == "true", n.Leaf("loss-of-both-ways") == "true"
	since, _ = time.Parse(time.RFC3339Nano, n.Leaf("updated")) // as it was encoded
	return m, since
}
