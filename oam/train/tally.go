package train

import (
	"sync"
	"time"

	"incidentd/oam"
)

// Tally is a Record of a train that is too long to remember each packet of it: it takes two
// bits for each, and room for those under way. It may be used concurrently.
type Tally struct {
	timeout time.Duration
	packets int
	size    int // packets of a sample

	mu       sync.Mutex
	flying   []flight // packet i stands at i modulo their number
	left     set      // the packets that were sent
	answered set
	highest  int // the highest number that was answered; -1: none
	samples  []tallySample
	figures
	complete chan struct{}
	closed   bool
}

// flight is a packet under way.
type flight struct {
	number int
	sent   time.Time // zero: none
}

// set are numbers of packets.
type set []uint64

func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

// tallySample is a sample with the sum of its delays.
type tallySample struct {
	oam.Sample
	sum time.Duration
}

// figures are counts and delays of a train, or of several one after the other.
type figures struct {
	sent, unsent, received int
	bad, duplicates        int
	reordered              int
	lateness               time.Duration
	user                   bool      // an answer had no time of the kernel
	began, ended           time.Time // of sending
	two, far, near         distribution
}

// NewTally makes the tally of a train, with so many samples at most.
func NewTally(p Plan, samples int) *Tally {
	words := (p.Packets + 63) / 64
	return &Tally{
		timeout: p.Timeout, packets: p.Packets, size: (p.Packets + samples - 1) / samples,
		flying: make([]flight, min(p.Packets, int((p.Timeout+catchUp)/p.Interval)+1)),
		left:   make(set, words), answered: make(set, words),
		complete: make(chan struct{}), highest: -1,
	}
}

// Expect tells that packet i is about to be sent; Sent or Unsent follows.
func (t *Tally) Expect(i int, at time.Time) {
	t.mu.Lock()
	t.flying[i%len(t.flying)] = flight{i, at}
	t.mu.Unlock()
}

// Expected is when packet i was sent. It reports false when it was not, or so long ago that
// no answer counts.
func (t *Tally) Expected(i int) (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.expectedLocked(i)
}

func (t *Tally) expectedLocked(i int) (time.Time, bool) {
	if i < 0 || i >= t.packets {
		return time.Time{}, false
	}
	f := t.flying[i%len(t.flying)]
	return f.sent, f.number == i && !f.sent.IsZero()
}

// Sent records that packet i left, and how late that was.
func (t *Tally) Sent(i int, at time.Time, late time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left.add(i)
	t.sent++
	t.lateness = max(t.lateness, late)
	if t.began.IsZero() {
		t.began = at
	}
	t.ended = at
	t.sampleLocked(i, at).Sent++
	t.endLocked()
}

// Unsent records that packet i could not be sent.
func (t *Tally) Unsent(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flying[i%len(t.flying)] = flight{}
	t.unsent++
	t.endLocked()
}

// Bad records an answer that is none.
func (t *Tally) Bad() {
	t.mu.Lock()
	t.bad++
	t.mu.Unlock()
}

// Received records the answer to packet i, as Record.Received does.
func (t *Tally) Received(i int, at time.Time, kernel bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	sent, expected := t.expectedLocked(i)
	switch {
	case i < 0 || i >= t.packets:
		t.bad++
		return false
	case t.answered.has(i):
		t.duplicates++
		return false
	case !expected || at.Sub(sent) > t.timeout:
		return false
	}
	t.answered.add(i)
	if i < t.highest {
		t.reordered++
	}
	t.highest = max(t.highest, i)
	t.received++
	t.user = t.user || !kernel
	delay := max(0, at.Sub(sent))
	t.two.add(i, delay)
	s := t.sampleLocked(i, sent)
	if s.Received == 0 {
		s.Min = delay
	}
	s.Min, s.Max = min(s.Min, delay), max(s.Max, delay)
	s.Received++
	s.sum += delay
	t.endLocked()
	return true
}

// sampleLocked is the sample of packet i, which was sent at a time.
func (t *Tally) sampleLocked(i int, at time.Time) *tallySample {
	for len(t.samples) <= i/t.size {
		s := tallySample{}
		if !t.began.IsZero() {
			s.Offset = max(0, at.Sub(t.began))
		}
		t.samples = append(t.samples, s)
	}
	return &t.samples[i/t.size]
}

// OneWay records the delays of packet i there and back.
func (t *Tally) OneWay(i int, far, near time.Duration) {
	t.mu.Lock()
	t.far.add(i, far)
	t.near.add(i, near)
	t.mu.Unlock()
}

// Complete is closed when every packet of the plan is answered.
func (t *Tally) Complete() <-chan struct{} { return t.complete }

func (t *Tally) endLocked() {
	if !t.closed && t.received+t.unsent == t.packets && t.sent+t.unsent == t.packets {
		t.closed = true
		close(t.complete)
	}
}

// Sum makes the figures of a train that has ended: what is not answered is lost.
func (t *Tally) Sum() *Sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &Sum{figures: t.figures}
	burst := 0
	for i := range t.packets {
		switch {
		case !t.left.has(i):
		case t.answered.has(i):
			burst = 0
		default:
			s.Lost++
			burst++
			s.burst = max(s.burst, burst)
		}
	}
	s.Sent = t.sent
	for _, p := range t.samples {
		if p.Sent == 0 {
			continue
		}
		p.Lost = p.Sent - min(p.Sent, p.Received)
		if p.Received > 0 {
			p.Average = p.sum / time.Duration(p.Received)
		}
		s.samples = append(s.samples, p.Sample)
	}
	return s
}

// Sum are the figures of trains one after the other. Its zero value has none.
type Sum struct {
	Sent, Lost int
	figures
	burst   int // the most losses in a row
	samples []oam.Sample
}

// Add adds the figures of a later train.
func (s *Sum) Add(o *Sum) {
	if s.began.IsZero() {
		s.began = o.began
	}
	s.ended = o.ended
	s.Sent, s.Lost, s.burst = s.Sent+o.Sent, s.Lost+o.Lost, max(s.burst, o.burst)
	s.unsent, s.received, s.bad = s.unsent+o.unsent, s.received+o.received, s.bad+o.bad
	s.duplicates, s.reordered = s.duplicates+o.duplicates, s.reordered+o.reordered
	s.lateness, s.user = max(s.lateness, o.lateness), s.user || o.user
	s.two.join(&o.two)
	s.far.join(&o.far)
	s.near.join(&o.near)
	for _, p := range o.samples {
		p.Offset += o.began.Sub(s.began)
		s.samples = append(s.samples, p)
	}
}

// Spent is how long packets were sent, from the first to the last.
func (s *Sum) Spent() time.Duration { return s.ended.Sub(s.began) }

// Delay are the delays there and back; nil when nothing was answered.
func (s *Sum) Delay() *oam.Delay { return s.two.delay() }

// Measurement makes the figures, and judges them. Delays in one direction are there when
// they are valid; both clocks together may be so wrong.
func (s *Sum) Measurement(directed *oam.DirectedLoss, valid bool, wrong time.Duration, t Thresholds) *oam.Measurement {
	m := &oam.Measurement{
		Packets: &oam.Packets{Sent: uint32(s.Sent), Received: uint32(s.received), Bad: uint32(s.bad), Unsent: uint32(s.unsent)},
		Errors: &oam.Errors{
			Lost: uint32(s.Lost), LossBurst: uint32(s.burst), Reordered: uint32(s.reordered), Duplicates: uint32(s.duplicates), Directed: directed,
		},
		TwoWay:  s.Delay(),
		Quality: &oam.Quality{MaxSendLateness: s.lateness, OneWayValid: valid, ClockError: wrong, Timestamping: timestamping(s.user)},
		Samples: s.samples,
	}
	if s.Sent > 0 {
		m.Errors.LossRatio = 100 * float64(s.Lost) / float64(s.Sent)
	}
	if valid {
		m.FarEnd, m.NearEnd = s.far.delay(), s.near.delay()
	}
	t.Judge(m)
	return m
}

// timestamping is who told when answers came, if some were told by this process.
func timestamping(user bool) oam.Timestamping {
	if user {
		return oam.UserTimestamps
	}
	return oam.KernelTimestamps
}
