package memory

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{{0, 1000}, {1 << 20, 1000}, {64 << 20, 400}, {256 << 20, 100}, {512 << 20, 50}, {1 << 30, 50}, {8 << 30, 50}} {
		if got := percent(c.live); got != c.want {
			t.Errorf("percent(%d) = %d, want %d", c.live, got, c.want)
		}
	}
}

// setting reads the percentage in force.
func setting() int {
	p := debug.SetGCPercent(100)
	debug.SetGCPercent(p)
	return p
}

// TestTune: a small heap may grow by more than itself after a collection, and Stop puts back
// what was.
func TestTune(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	tuner := Tune()
	runtime.GC()
	for begun := time.Now(); setting() <= 100; runtime.Gosched() {
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("after a collection the heap may still grow by %d %%", setting())
		}
	}
	tuner.Stop()
	tuner.Stop()
	if got := setting(); got != 77 {
		t.Errorf("after Stop it may grow by %d %%, want 77", got)
	}
}

func TestTuneAsked(t *testing.T) {
	t.Setenv("GOGC", "50")
	before := setting()
	if tuner := Tune(); tuner != nil {
		t.Error("GOGC is set, and it is tuned all the same")
	}
	var none *Tuner
	none.Stop()
	if got := setting(); got != before {
		t.Errorf("it may grow by %d %%, want %d", got, before)
	}
}
