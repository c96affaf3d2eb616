package subscribe

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// worker takes a turn n times, works each time, and reports when it was done.
func worker(t *testing.T, ts turns, n int, work time.Duration) (done chan time.Duration) {
	begin := time.Now()
	done = make(chan time.Duration, 1)
	turn := ts.newTurn()
	turn.alone = 0
	go func() {
		for range n {
			if err := turn.take(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(work)
			turn.give()
		}
		done <- time.Since(begin)
	}()
	synctest.Wait()
	return done
}

func TestTurns(t *testing.T) {
	for _, test := range []struct {
		name            string
		n               int // times of the first
		first, second   time.Duration
		wantFirst, want time.Duration
	}{
		{"one after the other", 1, time.Millisecond, time.Millisecond, time.Millisecond, 2 * time.Millisecond},
		{"who waits for a peer", 1, time.Minute, time.Millisecond, time.Minute, turnTime + time.Millisecond},
		{"and goes on alone", 2, time.Minute, time.Hour, 2 * time.Minute, turnTime + time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ts := make(turns, 1)
				first, second := worker(t, ts, test.n, test.first), worker(t, ts, 1, test.second)
				if got := <-first; got != test.wantFirst {
					t.Errorf("the first is done after %v, want %v", got, test.wantFirst)
				}
				if got := <-second; got != test.want {
					t.Errorf("the second is done after %v, want %v", got, test.want)
				}
				if len(ts) != 0 {
					t.Errorf("%d turns are left taken", len(ts))
				}
			})
		})
	}
}

// Who waits for a peer again and again takes the turn from others ever less often.
func TestTurnOfSlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := make(turns, 1).newTurn()
		const times = 10_000
		taken := 0
		for range times {
			if err := turn.take(t.Context()); err != nil {
				t.Fatal(err)
			}
			if turn.taken.Load() {
				taken++
				time.Sleep(turnTime)
			}
			turn.give()
		}
		if taken > 20 {
			t.Errorf("it was waited for %d times of %d", taken, times)
		}
	})
}

func TestTurnIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := make(turns, 1)
		ts <- struct{}{}
		turn := ts.newTurn()
		turn.alone = 0
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := turn.take(ctx); err != context.Canceled || len(ts) != 1 {
			t.Errorf("take = %v with %d taken", err, len(ts))
		}
	})
}
