package oamtest

import (
	"slices"
	"testing"
	"time"

	"incidentd/oam"
	"incidentd/oam/testnet"
)

// Truth is what a wire did to questions and their answers.
type Truth struct {
	LostThere, LostBack, Doubled int
	// The delays of the questions that were answered, by direction and in all, sorted.
	There, Back, Both []time.Duration
}

// Key tells which question of a run a packet of IPv4 is, from its transport header on, or
// which one it answers; "" for neither.
type Key func(d testnet.Direction, packet []byte) string

// Exchanged is what a wire did to the questions of a protocol such as 17, UDP.
func Exchanged(wire *testnet.Wire, protocol byte, key Key) (t Truth) {
	find := func(d testnet.Direction, p testnet.Packet) string {
		if len(p.Data) < 20 || p.Data[0] != 0x45 || p.Data[9] != protocol {
			return ""
		}
		return key(d, p.Data[20:])
	}
	answers := map[string]testnet.Packet{}
	for _, p := range wire.Log(testnet.Back) {
		if k := find(testnet.Back, p); k != "" {
			answers[k] = p
		}
	}
	for _, p := range wire.Log(testnet.There) {
		k := find(testnet.There, p)
		if k == "" {
			continue
		}
		answer, answered := answers[k]
		switch {
		case p.Copies == 0:
			t.LostThere++
			continue
		case !answered || answer.Copies == 0:
			t.LostBack++
			continue
		case answer.Copies == 2:
			t.Doubled++
		}
		there, back := p.Out.Sub(p.In), answer.Out.Sub(answer.In)
		t.There, t.Back, t.Both = append(t.There, there), append(t.Back, back), append(t.Both, there+back)
	}
	for _, list := range [][]time.Duration{t.There, t.Back, t.Both} {
		slices.Sort(list)
	}
	return t
}

// Compare fails when delays are not those of the wire, and logs by how much they differ.
// What they are more is the way through the kernel and the TUN device; a machine that is
// busy makes it long, so that the bound is wide and the figures are a benchmark's.
func Compare(tb testing.TB, name string, got *oam.Delay, wire []time.Duration) {
	tb.Helper()
	median, p95 := differ(tb, name, got, wire)
	tb.Logf("%s: median %s more than the wire's, p95 %s more", name, median, p95)
	if median < -time.Millisecond || median > 5*time.Millisecond {
		tb.Errorf("%s: the median is %s more than the wire's", name, median)
	}
}

// Report has a benchmark report by how much delays differ from those of the wire, in
// microseconds: the median as NAME-p50-us, and p95.
func Report(b *testing.B, name string, got *oam.Delay, wire []time.Duration) {
	b.Helper()
	median, p95 := differ(b, name, got, wire)
	b.ReportMetric(float64(median.Nanoseconds())/1000, name+"-p50-us")
	b.ReportMetric(float64(p95.Nanoseconds())/1000, name+"-p95-us")
}

func differ(tb testing.TB, name string, got *oam.Delay, wire []time.Duration) (median, p95 time.Duration) {
	tb.Helper()
	if got == nil || len(wire) == 0 {
		tb.Fatalf("%s: %+v was measured, and the wire has %d delays", name, got, len(wire))
	}
	return got.Percentile50 - rank(wire, 50), got.Percentile95 - rank(wire, 95)
}

func rank(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}
