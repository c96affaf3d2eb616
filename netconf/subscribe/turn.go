package subscribe

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// turns bounds how many subscriptions to streams work at a time. A storm wakes all of them
// at once, and an RPC that comes then would wait behind each; the runtime does not even
// look at the network while there are so many to run. So one processor is left to others.
//
// Who waits for a peer keeps the turn from others for turnTime at most, and then does
// without for a while, for twice as long each time.
type turns chan struct{} // has one for each turn that is taken

func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)-1)) }

const (
	turnTime = 5 * time.Millisecond
	// mostAlone is how often at most who has waited for a peer does without a turn.
	mostAlone = 1 << 10
)

// turn is that of one subscription.
type turn struct {
	of     turns
	taken  atomic.Bool
	timer  *time.Timer // ends it
	begun  time.Time
	alone  int // how often it is still done without, after the last wait for a peer
	slowly int // how often that was at its beginning
}

// take waits for the turn, until ctx is done.
func (t *turn) take(ctx context.Context) error {
	if t.alone == 0 {
		select {
		case t.of <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		t.taken.Store(true)
		t.timer.Reset(turnTime)
	}
	t.begun = time.Now()
	return nil
}

// give ends the turn, if it has not ended by itself.
func (t *turn) give() {
	switch {
	case time.Since(t.begun) >= turnTime:
		t.slowly = min(max(2*t.slowly, 1), mostAlone)
		t.alone = t.slowly
	case t.alone > 0:
		t.alone--
	}
	t.timer.Stop()
	t.end()
}

func (t *turn) end() {
	if t.taken.CompareAndSwap(true, false) {
		<-t.of
	}
}

// newTurn makes that of a subscription, which does without the first time: its peer may not
// read at all.
func (ts turns) newTurn() *turn {
	t := &turn{of: ts, alone: 1}
	t.timer = time.AfterFunc(time.Hour, t.end)
	t.timer.Stop()
	return t
}
