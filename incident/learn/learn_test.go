package learn

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

var start = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

// TestLinks: type 0 causes 1 at the same device and 1 causes 2 beside it; 3 and 4 happen
// often and cause nothing.
func TestLinks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var alarms []Alarm
	at := func(typ, device int, after time.Duration) time.Time {
		alarms = append(alarms, Alarm{typ, device, start.Add(after)})
		return start.Add(after)
	}
	const devices = 10
	for range 300 {
		d, when := r.IntN(devices), time.Duration(r.IntN(7*86400))*time.Second
		at(0, d, when)
		if r.IntN(10) < 8 {
			later := when + time.Duration(2+r.IntN(5))*time.Second
			at(1, d, later)
			if r.IntN(10) < 7 {
				at(2, (d+1)%devices, later+time.Duration(10+r.IntN(20))*time.Second)
			}
		}
	}
	for range 3000 {
		at(3+r.IntN(2), r.IntN(devices), time.Duration(r.IntN(7*86400))*time.Second)
	}
	o := Options{Beside: func(d int) []int { return []int{(d + 1) % devices, (d + devices - 1) % devices} }, LeastShare: 0.1}
	got := Links(alarms, o)
	if len(got) != 2 || got[0].Cause != 0 || got[0].Effect != 1 || got[1].Cause != 1 || got[1].Effect != 2 {
		t.Fatalf("%+v", got)
	}
	if a, b := got[0], got[1]; a.Share < 0.7 || a.Share > 0.9 || a.Beside > 0.05 || b.Share < 0.6 || b.Share > 0.8 || b.Beside < 0.95 {
		t.Errorf("%+v", got)
	}
	for k, want := range [][3]time.Duration{{3 * time.Second, 4 * time.Second, 5 * time.Second}, {15 * time.Second, 19 * time.Second, 24 * time.Second}} {
		for j := range want {
			if d := got[k].Lags[j] - want[j]; d > 2*time.Second || d < -2*time.Second {
				t.Errorf("quartile %d of link %d is %s, want about %s", j+1, k, got[k].Lags[j], want[j])
			}
		}
	}
	r.Shuffle(len(alarms), func(a, b int) { alarms[a], alarms[b] = alarms[b], alarms[a] })
	if d := gocmp.Diff(got, Links(alarms, o)); d != "" {
		t.Errorf("in another order (-want +got)\n%s", d)
	}
	if none := Links(alarms, Options{LeastShare: 0.1}); slices.ContainsFunc(none, func(l Link) bool { return l.Effect == 2 && l.Cause == 1 && l.Share > 0.3 }) {
		t.Errorf("without neighbours: %+v", none)
	}
}

func TestNothing(t *testing.T) {
	if got := Links(nil, Options{}); got != nil {
		t.Errorf("of nothing: %v", got)
	}
	one := []Alarm{{0, 0, start}, {0, 0, start}, {1, 3, start}}
	if got := Links(one, Options{Beside: func(int) []int { return []int{-1, 99} }}); len(got) != 0 {
		t.Errorf("of three at once: %v", got)
	}
}

func FuzzLinks(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, in []byte) {
		var alarms []Alarm
		for k := 0; k+2 < len(in) && k < 900; k += 3 {
			alarms = append(alarms, Alarm{int(in[k] % 8), int(in[k+1] % 8), start.Add(time.Duration(in[k+2]) * time.Second)})
		}
		links := Links(alarms, Options{Rounds: 5, Beside: func(d int) []int { return []int{d ^ 1} }})
		for _, l := range links {
			if !(l.Share > 0) || !(l.Times >= 2) || l.Cause == l.Effect || l.Beside < 0 || l.Beside > 1.000001 || l.Lags[0] > l.Lags[2] {
				t.Fatalf("%+v", l)
			}
		}
		if !slices.IsSortedFunc(links, func(a, b Link) int { return cmp.Compare(b.Share, a.Share) }) {
			t.Fatal("not in order")
		}
	})
}
