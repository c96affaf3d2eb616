package diagnose

import (
	"math"
	"testing"
	"time"
)

func TestExcluded(t *testing.T) {
	for _, test := range []struct {
		n    int
		want float64
	}{{0, 1}, {1, 0.99}, {100, 0.0450}, {228, 0.0200}, {459, 0.0100}, {4603, 0.0010}} {
		if got := excluded(test.n); math.Abs(got-test.want) > 0.0001 {
			t.Errorf("of %d packets, none of them lost, loss above %.4f is excluded, want %.4f", test.n, got, test.want)
		}
	}
}

func TestChanges(t *testing.T) {
	of := func(pairs ...int) (list []sample) { // lost and sent, hop by hop
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, sample{hop: i / 2, lost: pairs[i], sent: pairs[i+1]})
		}
		return list
	}
	type place struct {
		hop     int
		percent int
		sure    bool
	}
	for _, test := range []struct {
		name    string
		samples []sample
		want    []place
	}{
		{"nothing is lost", of(0, 100, 0, 100, 0, 200), nil},
		{"one packet in a thousand is noise", of(0, 400, 1, 400, 0, 400), nil},
		{"the second link loses a tenth", of(0, 100, 9, 100, 12, 100, 10, 200), []place{{1, 8, true}}},
		{"the last link", of(0, 100, 0, 100, 0, 100, 22, 200), []place{{3, 11, true}}},
		{"the first link", of(11, 100, 9, 100, 12, 100, 20, 200), []place{{0, 10, true}}},
		{"a hop limits its answers", of(0, 100, 60, 100, 0, 100, 0, 200), nil},
		{"a hop limits its answers before a link that loses", of(0, 100, 60, 100, 0, 100, 30, 200), []place{{3, 15, true}}},
		{"two links", of(0, 100, 6, 100, 6, 100, 66, 200), []place{{1, 6, true}, {3, 33, true}}},
		{"too few to tell where", of(0, 40, 0, 40, 1, 40, 1, 40), []place{{2, 3, false}}},
		{"two neighbours are as likely", of(0, 40, 1, 40, 4, 40, 4, 40), []place{{1, 8, false}}},
	} {
		use := usable(test.samples)
		got := changes(use)
		if len(got) != len(test.want) {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
			continue
		}
		for i, c := range got {
			p := place{use[c.at].hop, int(math.Round(100 * c.ratio)), c.margin >= evidence}
			if p != test.want[i] {
				t.Errorf("%s: %+v with a margin of %.1f, want %+v", test.name, p, c.margin, test.want[i])
			}
		}
	}
}

func TestCongested(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	for _, test := range []struct {
		name  string
		waits []time.Duration
		want  int // -1: nowhere
	}{
		{"nobody waits", []time.Duration{30 * us, 40 * us, 50 * us}, -1},
		{"behind the second", []time.Duration{30 * us, 8 * ms, 9 * ms}, 1},
		{"everywhere: it is this host", []time.Duration{4 * ms, 5 * ms, 4 * ms}, 0},
		{"all wait a little more", []time.Duration{2 * ms, 3 * ms, 9 * ms}, 0},
		{"one hop is slow to answer", []time.Duration{30 * us, 9 * ms, 50 * us}, -1},
	} {
		at, ok := congested(test.waits)
		if !ok {
			at = -1
		}
		if at != test.want {
			t.Errorf("%s: %d, want %d", test.name, at, test.want)
		}
	}
}
