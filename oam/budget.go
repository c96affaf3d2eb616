package oam

import (
	"sync"
	"time"
)

// Budget is what a run may send. An engine asks it before each packet; one that takes
// more than the Demand by which the run was admitted is refused, and the run ends with
// BudgetExceeded. So the sum of what was admitted is never exceeded, whatever an engine
// does. It may be used concurrently.
type Budget struct {
	packets int    // left; negative: not bounded
	rate    bucket // packets
	bits    bucket
	// beside is asked for each packet too; exceeded is told the first refusal. Both may be
	// nil.
	beside   func(octets int) error
	exceeded func(*Fault)

	mu     sync.Mutex
	sent   int
	octets int
	err    error
}

// bucket is a token bucket; a rate of 0 does not bound.
type bucket struct {
	rate, burst float64
	level       float64
	at          time.Time
}

// take takes n tokens if they are there.
func (b *bucket) take(now time.Time, n float64) bool {
	if b.rate <= 0 {
		return true
	}
	if b.at.IsZero() {
		b.level = b.burst
	} else {
		b.level = min(b.burst, b.level+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.level < n {
		return false
	}
	b.level -= n
	return true
}

// leeway is how much of its rates a run may be ahead: who was held up catches up.
const leeway = time.Second

// minimalBurst is how many packets any run may send at once, and maximalPacket how large
// one may be.
const (
	minimalBurst  = 16
	maximalPacket = 40 + 65535 // of IPv6
)

// NewBudget makes the budget of a run of a demand.
func NewBudget(d Demand) *Budget {
	b := &Budget{packets: -1}
	if d.Packets > 0 {
		b.packets = d.Packets
	}
	b.rate = bucket{rate: d.PacketRate, burst: max(minimalBurst, d.PacketRate*leeway.Seconds())}
	b.bits = bucket{rate: d.BitRate, burst: max(8*maximalPacket, d.BitRate*leeway.Seconds())}
	return b
}

// Spend asks for a packet of so many octets, its IP header included. It does not wait.
// When it fails the engine has to end its run and to return the error.
func (b *Budget) Spend(octets int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	now := time.Now()
	switch {
	case b.packets == 0:
		b.err = Faultf(BudgetExceeded, "after %d packets the run wants to send more than the %d that it asked for", b.sent, b.sent)
	case !b.rate.take(now, 1):
		b.err = Faultf(BudgetExceeded, "the run sends more than the %g packets per second that it asked for", b.rate.rate)
	case !b.bits.take(now, float64(8*octets)):
		b.err = Faultf(BudgetExceeded, "the run sends more than the %g bits per second that it asked for", b.bits.rate)
	}
	if b.err == nil && b.beside != nil {
		b.err = b.beside(octets)
	}
	if b.err != nil {
		if b.exceeded != nil {
			b.exceeded(faultOf(b.err))
		}
		return b.err
	}
	if b.packets > 0 {
		b.packets--
	}
	b.sent++
	b.octets += octets
	return nil
}

// Spent is what was sent so far.
func (b *Budget) Spent() (packets, octets int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent, b.octets
}
