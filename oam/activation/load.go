package activation

import (
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/stamp"
	"incidentd/oam/train"
)

// samples are those of a run.
const samples = oam.MaxSamples

// load is what became of a step.
type load struct {
	tally *train.Tally

	// Of the goroutine that receives, until it has ended.
	packets     int
	seen        []uint64       // a bit for each packet to which a reply came
	counted     []uint64       // a bit for each number of the reflector
	answered    int            // packets to which a reply came
	doubled     int            // packets that the reflector got twice
	highest     uint32         // of the reflector
	strange     bool           // it counts from elsewhere than 0
	insane      bool           // its timestamps cannot be
	far         stamp.Estimate // of its clock
	first, last time.Time      // when packets reached it, or else when replies came

	// By Session.End and end.
	valid    bool
	wrong    time.Duration
	sum      *train.Sum
	directed *oam.DirectedLoss // nil: not known
}

func newLoad(plan train.Plan, samples int) *load {
	words := (plan.Packets + 63) / 64
	// The reflector counts duplicates too; many of them are strange.
	return &load{tally: train.NewTally(plan, samples), packets: plan.Packets, seen: make([]uint64, words), counted: make([]uint64, 2*words)}
}

// receive records replies until the session is closed.
func (l *load) receive(s *stamp.Session) {
	for {
		reply, m, ok, err := s.Receive()
		if err != nil {
			return
		}
		if !ok {
			l.tally.Bad()
			continue
		}
		l.take(reply, m)
	}
}

func (l *load) take(reply stamp.Reply, m socket.Message) {
	i, number := int(reply.Sender.Sequence), reply.Sequence
	t1, expected := l.tally.Expected(i)
	if !expected {
		l.tally.Received(i, m.At, m.Kernel) // which counts what cannot be
		return
	}
	l.far = reply.Estimate
	again := l.seen[i/64]>>(i%64)&1 == 1
	if !again {
		l.seen[i/64] |= 1 << (i % 64)
		l.answered++
	}
	switch {
	case int(number/64) >= len(l.counted):
		l.strange = true
	case l.counted[number/64]>>(number%64)&1 == 0:
		l.counted[number/64] |= 1 << (number % 64)
		l.highest = max(l.highest, number)
		if again {
			l.doubled++
		}
	}
	d := reply.Delays(t1, m)
	l.insane = l.insane || !d.Sane
	counts := l.tally.Received(i, d.Answered, m.Kernel)
	got := m.At
	if d.Sane {
		got = t1.Add(d.Far) // by the reflector's clock, which is the same for all of them
		if counts {
			l.tally.OneWay(i, d.Far, d.Near)
		}
	}
	if l.first.IsZero() || got.Before(l.first) {
		l.first = got
	}
	if got.After(l.last) {
		l.last = got
	}
}

// end makes the figures, when nothing is received any more.
func (l *load) end(stateless bool) {
	l.sum = l.tally.Sum()
	l.valid = l.valid && l.answered > 0 && !l.insane
	reached := int(l.highest) + 1 - l.doubled
	if !stateless && !l.strange && l.answered > 0 && reached <= l.sum.Sent && reached >= l.answered {
		far := l.sum.Sent - reached
		l.directed = &oam.DirectedLoss{FarEnd: uint32(far), NearEnd: uint32(l.sum.Lost - far)}
	}
}

// step are the figures of the step. Without a direction, loss is that of both ways.
func (l *load) step(s step, frame int) oam.Step {
	sent, lost := l.sum.Sent, l.sum.Lost
	if l.directed != nil {
		lost = int(l.directed.FarEnd)
	}
	st := oam.Step{
		Percent: uint8(s.percent), Sent: uint32(sent), Lost: uint32(lost), LossRatio: 100 * float64(lost) / float64(sent),
		Offered:  rate(sent, frame, l.sum.Spent()),
		Achieved: rate(sent-lost, frame, l.last.Sub(l.first)),
	}
	if d := l.sum.Delay(); d != nil {
		st.AverageDelay, st.Percentile95 = d.Average, d.Percentile95
		if d.Jitter != nil {
			st.AverageJitter = d.Jitter.Average
		}
	}
	return st
}

// rate is that of frames of which the first and the last are a time apart, in kilobits per
// second; 0 of fewer than two.
func rate(frames, octets int, apart time.Duration) uint64 {
	if frames < 2 || apart <= 0 {
		return 0
	}
	return uint64(float64(frames-1)*float64(8*octets)/apart.Seconds()/1000 + .5)
}
