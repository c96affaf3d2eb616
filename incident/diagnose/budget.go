package diagnose

import (
	"fmt"
	"sync"
	"time"

	"incidentd/oam"
)

// Cost is what tests take of the network.
type Cost struct{ Packets, Octets int }

func (c Cost) plus(d Cost) Cost { return Cost{c.Packets + d.Packets, c.Octets + d.Octets} }

// bucket is a token bucket.
type bucket struct {
	rate, burst float64 // tokens per second, and the most
	level       float64
}

// fill lets time pass.
func (b *bucket) fill(passed time.Duration) {
	b.level = min(b.burst, b.level+b.rate*passed.Seconds())
}

// set changes rate and burst; what is there stays, as far as it fits.
func (b *bucket) set(rate, burst float64) {
	b.rate, b.burst = rate, burst
	b.level = min(b.level, burst)
}

// Budget is what all diagnoses together may send. It may be used concurrently.
//
// A packet takes its tokens when it is sent, so that in no span of time more is sent than the
// burst and what has grown. What is set aside for a diagnosis stays in the bucket for it: it
// is never more than there is, so what was set aside can always be sent.
type Budget struct {
	mu              sync.Mutex
	at              time.Time
	packets, octets bucket
	aside           Cost
	sent            Cost
}

// Limits are the rates and bursts of a Budget.
type Limits struct {
	PacketRate, PacketBurst float64
	OctetRate, OctetBurst   float64
}

// NewBudget makes a budget that is full.
func NewBudget(l Limits) *Budget {
	return &Budget{at: time.Now(), packets: bucket{l.PacketRate, l.PacketBurst, l.PacketBurst}, octets: bucket{l.OctetRate, l.OctetBurst, l.OctetBurst}}
}

// Set changes the limits.
func (b *Budget) Set(l Limits) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill()
	b.packets.set(l.PacketRate, l.PacketBurst)
	b.octets.set(l.OctetRate, l.OctetBurst)
}

func (b *Budget) fill() {
	now := time.Now()
	passed := max(0, now.Sub(b.at))
	b.at = now
	b.packets.fill(passed)
	b.octets.fill(passed)
}

// Free is what could be set aside now.
func (b *Budget) Free() Cost {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill()
	return b.free()
}

func (b *Budget) free() Cost {
	return Cost{max(0, int(b.packets.level)-b.aside.Packets), max(0, int(b.octets.level)-b.aside.Octets)}
}

// Sent is what was sent so far.
func (b *Budget) Sent() Cost {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent
}

// Shortage is why a cost cannot be set aside.
type Shortage struct {
	Free, Need Cost
	// Wait is how long it takes until it can, if nobody else wants anything; 0: never.
	Wait time.Duration
}

func (s *Shortage) Error() string {
	text := fmt.Sprintf("the budget of diagnoses has %d packets and %d octets left, and up to %d and %d are needed", s.Free.Packets, s.Free.Octets, s.Need.Packets, s.Need.Octets)
	if s.Wait > 0 {
		return fmt.Sprintf("%s: try again in %s", text, s.Wait.Round(time.Second))
	}
	return text + ": it can never have that much, see /diagnosis-service/limits"
}

// Reserve sets a cost aside. The Account must be closed in the end.
func (b *Budget) Reserve(c Cost) (*Account, *Shortage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill()
	free := b.free()
	if free.Packets < c.Packets || free.Octets < c.Octets {
		s := &Shortage{Free: free, Need: c}
		if float64(c.Packets) <= b.packets.burst && float64(c.Octets) <= b.octets.burst {
			s.Wait = max(until(c.Packets-free.Packets, b.packets.rate), until(c.Octets-free.Octets, b.octets.rate), time.Second)
		}
		return nil, s
	}
	b.aside = b.aside.plus(c)
	return &Account{budget: b, left: c}, nil
}

func until(missing int, rate float64) time.Duration {
	return time.Duration(max(0, float64(missing)/rate) * float64(time.Second))
}

// Account is what was set aside for a diagnosis. It may be used concurrently.
type Account struct {
	budget *Budget
	left   Cost // under the mutex of budget
	spent  Cost
}

// Spend takes a packet out of the account and the budget. When it fails, nothing may be sent.
func (a *Account) Spend(octets int) error {
	b := a.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill()
	switch {
	case a.left.Packets < 1 || a.left.Octets < octets:
		return oam.Faultf(oam.BudgetExceeded, "the diagnosis wants to send more than the %d packets and %d octets that were set aside for it", a.spent.Packets+a.left.Packets, a.spent.Octets+a.left.Octets)
	case b.packets.level < 1 || b.octets.level < float64(octets): // the limits were lowered meanwhile
		return oam.Faultf(oam.BudgetExceeded, "the budget of diagnoses is spent")
	}
	one := Cost{1, octets}
	b.packets.level--
	b.octets.level -= float64(octets)
	b.aside.Packets, b.aside.Octets = b.aside.Packets-1, b.aside.Octets-octets
	a.left = Cost{a.left.Packets - 1, a.left.Octets - octets}
	a.spent, b.sent = a.spent.plus(one), b.sent.plus(one)
	return nil
}

// Spent is what was taken out so far.
func (a *Account) Spent() Cost {
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	return a.spent
}

// Close gives back what is left.
func (a *Account) Close() {
	b := a.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.aside = Cost{b.aside.Packets - a.left.Packets, b.aside.Octets - a.left.Octets}
	a.left = Cost{}
}
