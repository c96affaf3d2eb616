package train

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"incidentd/oam"
)

// A tally makes of a train what a record does, though it does not remember the packets:
// percentiles nearly, and all else exactly.
func TestTally(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		p := Plan{Packets: 1 + random.IntN(2000), Interval: time.Millisecond, Timeout: 100 * ms}
		record, tally := NewRecord(p), NewTally(p, oam.MaxSamples)
		now := time.Now().Add(-time.Hour)
		type answer struct {
			packet int
			at     time.Time
		}
		var answers []answer
		take := func(until time.Time) {
			for len(answers) > 0 && answers[0].at.Before(until) {
				a := answers[0]
				answers = answers[1:]
				if got, want := tally.Received(a.packet, a.at, true), record.Received(a.packet, a.at, true); got != want {
					t.Fatalf("seed %d: the answer to %d counts: %t, want %t", seed, a.packet, got, want)
				}
			}
		}
		for i := range p.Packets {
			at := now.Add(time.Duration(i) * p.Interval)
			take(at)
			tally.Expect(i, at)
			if random.IntN(50) == 0 {
				tally.Unsent(i)
				record.Unsent(i)
				continue
			}
			late := time.Duration(random.IntN(1000))
			tally.Sent(i, at, late)
			record.Sent(i, at, late)
			for range []int{0, 1, 1, 1, 1, 1, 1, 1, 1, 2}[random.IntN(10)] {
				a := answer{i, at.Add(time.Duration(random.ExpFloat64() * float64(30*ms)))}
				k := len(answers)
				for k > 0 && answers[k-1].at.After(a.at) {
					k--
				}
				answers = append(answers[:k], append([]answer{a}, answers[k:]...)...)
			}
		}
		take(now.Add(time.Hour))
		got, want := tally.Sum().Measurement(nil, false, 0, Thresholds{}), record.Measurement(Thresholds{})
		// The jitter of a record is of packets in a row, that of a tally of answers in a row as well.
		for _, m := range []*oam.Measurement{got, want} {
			if m.TwoWay != nil {
				m.TwoWay.Jitter = nil
			}
		}
		nearly := cmpopts.EquateApprox(.01, 1)
		delays := cmp.Transformer("delay", func(d time.Duration) float64 { return float64(d) })
		if d := cmp.Diff(want, got, nearly, delays, cmpopts.IgnoreFields(oam.Sample{}, "Offset")); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}

// Jitter, and trains one after the other.
func TestDistribution(t *testing.T) {
	var a, b, all distribution
	var s series
	list := []time.Duration{10 * ms, 12 * ms, 11 * ms, 11 * ms, 20 * ms, 3, 127, 128, time.Hour, 5 * time.Second}
	for i, v := range list {
		s.add(i, v)
		all.add(i, v)
		if i < 4 {
			a.add(i, v)
		} else {
			b.add(i, v)
		}
	}
	approx := cmp.Comparer(func(x, y time.Duration) bool { return (x - y).Abs() <= max(x, y)/100 })
	if d := cmp.Diff(s.delay(), all.delay(), approx); d != "" {
		t.Error(d)
	}
	var joined distribution
	joined.join(&distribution{})
	joined.join(&a)
	joined.join(&b)
	got := joined.delay()
	// What is between the trains is no jitter.
	got.Jitter = all.delay().Jitter
	if d := cmp.Diff(all.delay(), got, approx); d != "" {
		t.Error(d)
	}
	if joined.jitters != all.jitters-1 {
		t.Errorf("%d pairs of packets in a row", joined.jitters)
	}
	if new(distribution).delay() != nil {
		t.Error("no packet has figures")
	}
	for v := time.Duration(1); v < 1<<62; v += v/50 + 1 {
		if m := middle(bucket(v)); (m - v).Abs() > v/100+1 {
			t.Fatalf("%d is taken for %d", v, m)
		}
	}
	if bucket(-5) != 0 || bucket(1<<63-1) >= 64*parts {
		t.Error("a delay has no bucket")
	}
}
