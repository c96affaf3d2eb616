package oam

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// MaxSamples is how many samples a measurement may have, and MaxRunSamples those of all
// members of a sequence together.
const (
	MaxSamples    = 1000
	MaxRunSamples = 6000
)

// Sample is a part of a measurement: what became of one packet, or of some in a row.
type Sample struct {
	Offset   time.Duration // of the first of them, from the first of all
	Sent     uint32
	Lost     uint32
	Received uint32
	// Delays there and back; zero when nothing was received.
	Min, Average, Max time.Duration
}

// thin merges samples in a row until there are no more than most.
func thin(list []Sample, most int) []Sample {
	if most == 0 || len(list) <= most {
		return list[:min(most, len(list))]
	}
	size := (len(list) + most - 1) / most
	out := make([]Sample, 0, most)
	for group := range slices.Chunk(list, size) {
		s := group[0]
		for _, t := range group[1:] {
			s = s.and(t)
		}
		out = append(out, s)
	}
	return out
}

// and is a sample together with the one after it.
func (s Sample) and(t Sample) Sample {
	switch {
	case s.Received == 0:
		s.Min, s.Average, s.Max = t.Min, t.Average, t.Max
	case t.Received > 0:
		n, m := float64(s.Received), float64(t.Received)
		s.Average = time.Duration((n*float64(s.Average) + m*float64(t.Average)) / (n + m))
		s.Min, s.Max = min(s.Min, t.Min), max(s.Max, t.Max)
	}
	s.Sent, s.Lost, s.Received = s.Sent+t.Sent, s.Lost+t.Lost, s.Received+t.Received
	return s
}

// MarshalJSON writes a sample as short as records of hundreds need it: microseconds, three
// counts and, where something was received, one delay or three in nanoseconds.
func (s Sample) MarshalJSON() ([]byte, error) {
	row := []int64{s.Offset.Microseconds(), int64(s.Sent), int64(s.Lost), int64(s.Received)}
	switch {
	case s.Received == 0:
	case s.Min == s.Max:
		row = append(row, int64(s.Average))
	default:
		row = append(row, int64(s.Min), int64(s.Average), int64(s.Max))
	}
	return json.Marshal(row)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Sample) UnmarshalJSON(b []byte) error {
	var row []int64
	if err := json.Unmarshal(b, &row); err != nil {
		return err
	}
	if len(row) < 4 || len(row) == 6 || len(row) > 7 {
		return fmt.Errorf("a sample has 4, 5 or 7 numbers, not %d", len(row))
	}
	*s = Sample{Offset: time.Duration(row[0]) * time.Microsecond, Sent: uint32(row[1]), Lost: uint32(row[2]), Received: uint32(row[3])}
	if delays := row[4:]; len(delays) > 0 {
		s.Min, s.Average, s.Max = time.Duration(delays[0]), time.Duration(delays[len(delays)/2]), time.Duration(delays[len(delays)-1])
	}
	return nil
}
