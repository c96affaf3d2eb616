package train

import (
	"math"
	"slices"
	"time"

	"incidentd/oam"
)

// series are the delays of packets, in the order in which they were sent.
type series struct {
	delays   []time.Duration
	last     int // the number of the last one
	previous time.Duration
	jitter   []time.Duration // between packets in a row
	smoothed float64
}

// add adds the delay of packet i. Two packets with a lost one between are not in a row.
func (s *series) add(i int, d time.Duration) {
	if len(s.delays) > 0 && s.last == i-1 {
		j := (d - s.previous).Abs()
		s.jitter = append(s.jitter, j)
		s.smoothed += (float64(j) - s.smoothed) / 16 // RFC 3550 section 6.4.1
	}
	s.delays = append(s.delays, d)
	s.last, s.previous = i, d
}

// delay makes the figures; nil of no packet.
func (s *series) delay() *oam.Delay {
	if len(s.delays) == 0 {
		return nil
	}
	least, mean, most := spread(s.delays)
	d := &oam.Delay{Min: least, Average: mean, Max: most}
	squares := 0.0
	for _, v := range s.delays {
		squares += float64(v-mean) * float64(v-mean)
	}
	d.StandardDeviation = time.Duration(math.Sqrt(squares / float64(len(s.delays))))
	sorted := slices.Sorted(slices.Values(s.delays))
	d.Percentile50, d.Percentile95, d.Percentile99 = rank(sorted, 50), rank(sorted, 95), rank(sorted, 99)
	if len(s.jitter) > 0 {
		least, mean, most := spread(s.jitter)
		d.Jitter = &oam.Jitter{Min: least, Average: mean, Max: most, Smoothed: time.Duration(s.smoothed)}
	}
	return d
}

// rank is the least value that so many percent of the sorted ones do not exceed.
func rank(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}

// spread is the least, the mean and the largest value.
func spread(list []time.Duration) (least, mean, most time.Duration) {
	sum := 0.0
	for _, v := range list {
		sum += float64(v)
	}
	return slices.Min(list), time.Duration(sum / float64(len(list))), slices.Max(list)
}

// Figures are those of delays in the order of their packets, none of which was lost; nil
// of none.
func Figures(delays []time.Duration) *oam.Delay {
	var s series
	for i, d := range delays {
		s.add(i, d)
	}
	return s.delay()
}
