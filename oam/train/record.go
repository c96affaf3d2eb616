package train

import (
	"sync"
	"time"

	"incidentd/oam"
)

// Record is what became of the packets of a train. It may be used concurrently.
type Record struct {
	timeout time.Duration

	mu       sync.Mutex
	probes   []probe
	complete chan struct{} // closed by whoever records the last answer of all
	closed   bool

	sent, unsent, received int
	lost                   int // by what the far end said
	bad, duplicates        int
	reordered              int
	highest                int // the highest number that was answered; -1: none
	lateness               time.Duration
	user                   bool // an answer had no time of the kernel
	directed               *oam.DirectedLoss
	oneWay                 bool
	clockError             time.Duration
}

// probe is one packet of a train.
type probe struct {
	sent      time.Time // zero: not sent
	delay     time.Duration
	answered  bool
	lost      bool
	far, near time.Duration
	directed  bool
}

// NewRecord makes the record of a train.
func NewRecord(p Plan) *Record {
	return &Record{timeout: p.Timeout, probes: make([]probe, p.Packets), complete: make(chan struct{}), highest: -1}
}

// Sent records that packet i left at a time, and how late that was.
func (r *Record) Sent(i int, at time.Time, late time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent++
	r.lateness = max(r.lateness, late)
	p := &r.probes[i]
	if p.answered && !p.sent.IsZero() { // the answer was quicker than whoever sent it
		p.delay = max(0, p.sent.Sub(at))
	}
	p.sent = at
	r.ended()
}

// Unsent records that packet i could not be sent.
func (r *Record) Unsent(int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unsent++
	r.ended()
}

// Lost records that packet i will have no answer that counts: the far end refused it. It is
// a loss at once.
func (r *Record) Lost(i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i < 0 || i >= len(r.probes) {
		r.bad++
		return
	}
	if p := &r.probes[i]; !p.answered && !p.lost {
		p.lost = true
		r.lost++
		r.ended()
	}
}

// Bad records an answer that is none.
func (r *Record) Bad() {
	r.mu.Lock()
	r.bad++
	r.mu.Unlock()
}

// Received records the answer to packet i, and whether the time is that of the kernel. An
// answer after the timeout is a loss. It reports whether the answer counts: the first one
// within its time does.
func (r *Record) Received(i int, at time.Time, kernel bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i < 0 || i >= len(r.probes) {
		r.bad++
		return false
	}
	p := &r.probes[i]
	if p.answered {
		r.duplicates++
		return false
	}
	if p.lost || !p.sent.IsZero() && at.Sub(p.sent) > r.timeout {
		return false
	}
	// Reordered is what comes after one that was sent later [RFC 4737 section 3.2].
	if i < r.highest {
		r.reordered++
	}
	r.highest = max(r.highest, i)
	p.answered = true
	r.received++
	if !kernel {
		r.user = true
	}
	if p.sent.IsZero() {
		p.sent = at // Sent is about to be called, and makes a delay of it
	} else {
		p.delay = max(0, at.Sub(p.sent))
	}
	r.ended()
	return true
}

// Took records the answer to packet i whose delay something better than this host's clock
// tells, such as TCP.
func (r *Record) Took(i int, delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.probes[i]
	if !p.answered && !p.lost {
		p.answered, p.delay = true, delay
		r.received++
		r.highest = max(r.highest, i)
		r.ended()
	}
}

// OneWay records the delays of packet i there and back, which are right as far as both
// clocks are.
func (r *Record) OneWay(i int, far, near time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.probes[i]
	p.far, p.near, p.directed = far, near, true
}

// Directed records how many packets were lost on the way there, by what the far end
// counted; nil when that is not known. The others were lost on the way back.
func (r *Record) Directed(d *oam.DirectedLoss) {
	r.mu.Lock()
	r.directed = d
	r.mu.Unlock()
}

// Clocks records that delays in one direction are valid, and how far both clocks together
// may be wrong.
func (r *Record) Clocks(valid bool, wrong time.Duration) {
	r.mu.Lock()
	r.oneWay, r.clockError = valid, wrong
	r.mu.Unlock()
}

// Complete is closed when every packet of the plan is answered or lost.
func (r *Record) Complete() <-chan struct{} { return r.complete }

// ended closes complete when there is nothing more to come. The lock is held.
func (r *Record) ended() {
	if !r.closed && r.received+r.lost+r.unsent == len(r.probes) && r.sent+r.unsent == len(r.probes) {
		r.closed = true
		close(r.complete)
	}
}

// Measurement makes the figures of what was recorded so far, and judges them.
func (r *Record) Measurement(t Thresholds) *oam.Measurement {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &oam.Measurement{
		Packets: &oam.Packets{Sent: uint32(r.sent), Received: uint32(r.received), Bad: uint32(r.bad), Unsent: uint32(r.unsent)},
		Errors: &oam.Errors{
			Reordered: uint32(r.reordered), Duplicates: uint32(r.duplicates),
			Directed: r.directed,
		},
		Quality: &oam.Quality{MaxSendLateness: r.lateness, OneWayValid: r.oneWay, ClockError: r.clockError, Timestamping: timestamping(r.user)},
	}
	var two, far, near series
	now := time.Now()
	judged, burst := 0, 0
	parts := samples{size: (len(r.probes) + oam.MaxSamples - 1) / oam.MaxSamples}
	for i := range r.probes {
		p := &r.probes[i]
		if p.answered || p.lost || !p.sent.IsZero() {
			parts.sent(i, p.sent)
		}
		switch {
		case p.answered:
			judged++
			burst = 0
			two.add(i, p.delay)
			parts.received(p.delay)
			if r.oneWay && p.directed {
				far.add(i, p.far)
				near.add(i, p.near)
			}
		case p.lost, !p.sent.IsZero() && now.Sub(p.sent) >= r.timeout:
			// An answer that may still come when the run is ended early is no loss.
			judged++
			burst++
			parts.lost()
			m.Errors.Lost++
			m.Errors.LossBurst = max(m.Errors.LossBurst, uint32(burst))
		}
	}
	if judged > 0 {
		m.Errors.LossRatio = 100 * float64(m.Errors.Lost) / float64(judged)
	}
	m.TwoWay, m.FarEnd, m.NearEnd, m.Samples = two.delay(), far.delay(), near.delay(), parts.list
	t.Judge(m)
	return m
}
