package train

import (
	"time"

	"incidentd/oam"
)

// samples are the parts of a train, of as many packets each; one that was not sent is
// missing in its part.
type samples struct {
	size  int
	list  []oam.Sample
	begin time.Time // of the first packet
	part  int       // of the last one, by its number
	sum   time.Duration
}

// sent adds packet i, whose fate is told next.
func (s *samples) sent(i int, at time.Time) {
	if len(s.list) == 0 {
		s.begin = at
	}
	if len(s.list) == 0 || i/s.size != s.part {
		s.part, s.sum = i/s.size, 0
		s.list = append(s.list, oam.Sample{Offset: max(0, at.Sub(s.begin))})
	}
	s.last().Sent++
}

func (s *samples) last() *oam.Sample { return &s.list[len(s.list)-1] }

// received says that the packet was answered.
func (s *samples) received(delay time.Duration) {
	p := s.last()
	if p.Received == 0 {
		p.Min, p.Max = delay, delay
	}
	p.Min, p.Max = min(p.Min, delay), max(p.Max, delay)
	p.Received++
	s.sum += delay
	p.Average = s.sum / time.Duration(p.Received)
}

// lost says that the packet was lost.
func (s *samples) lost() { s.last().Lost++ }
