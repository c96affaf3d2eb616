package datastore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// counting is a participant that keeps what it was told in a balance.
type counting struct{ prepared, committed, aborted int }

func (c *counting) Prepare(*datastore.Tx) error { c.prepared++; return nil }
func (c *counting) Commit(*datastore.Snapshot)  { c.committed++ }
func (c *counting) Abort()                      { c.aborted++ }

// TestConcurrentFailures has several sessions edit, commit, lock, roll back and end at
// once, on a disk that fails now and then. Invariants: what an Update acknowledged is
// there, in the one order that the commits have, and what it refused is not; each
// participant that prepared was told how it ended; locks are free when their sessions
// have ended; the store is sound, and the same after it is opened again.
func TestConcurrentFailures(t *testing.T) {
	b := open(t)
	b.options.History = 10_000
	b.reopen()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	var commits uint64
	var failed atomic.Int64
	for round := range rounds {
		var toss sync.Mutex
		r := rand.New(rand.NewPCG(seed, uint64(round)))
		b.failing(func(name string) error {
			toss.Lock()
			defer toss.Unlock()
			if name == "before-commit" && r.IntN(4) == 0 {
				failed.Add(1)
				return errCrash
			}
			return nil
		})
		part := &counting{}
		b.store.Join(part)
		var wg sync.WaitGroup
		var changes atomic.Int64
		for session := uint32(1); session <= 6; session++ {
			r := rand.New(rand.NewPCG(seed, uint64(round)<<8|uint64(session)))
			wg.Go(func() {
				for i := range 40 {
					mine := fmt.Sprintf(`<l><a>%d</a><b>%d</b></l>`, session, round*100+i)
					switch r.IntN(10) {
					case 0:
						_ = b.store.Lock(context.Background(), datastore.Candidate, session)
					case 1:
						_ = b.change(session, datastore.Candidate, mine)
					case 2:
						_ = b.by(session, func(tx *datastore.Tx) error { tx.Discard(); return nil })
					case 3:
						b.store.Release(session)
					case 4:
						if b.change(session, datastore.Running, `<ref>none</ref>`) == nil {
							t.Error("an invalid edit was accepted")
						}
					default:
						err := b.change(session, datastore.Running, mine)
						top := b.store.Snapshot().Running.Child("top")
						there := top != nil && top.EntryNamed("l", fmt.Sprint(session), fmt.Sprint(round*100+i)) != nil
						if there != (err == nil) {
							t.Errorf("an edit was told %v, and is there: %v", err, there)
						}
						if err == nil {
							changes.Add(1)
						} else if !errors.Is(err, errCrash) {
							t.Error(err)
						}
					}
				}
				b.store.Release(session)
			})
		}
		wg.Wait()
		b.works()
		for session := uint32(1); session <= 6; session++ {
			b.store.Release(session)
		}
		snap := b.store.Snapshot()
		commits += uint64(changes.Load())
		if snap.Commit != commits {
			t.Fatalf("round %d: %d commits, and %d were acknowledged", round, snap.Commit, commits)
		}
		if part.prepared != part.committed+part.aborted || part.committed != int(changes.Load()) {
			t.Errorf("round %d: %+v of %d changes", round, part, changes.Load())
		}
		if l := b.store.Holder(datastore.Candidate); l != nil {
			t.Errorf("round %d: a lock is left: %+v", round, l)
		}
		old := snap.Running
		b.reopen()
		if err := b.store.Check(); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if !data.Equal(old, b.store.Snapshot().Running) {
			t.Fatalf("round %d: another configuration after opening again", round)
		}
	}
	tree, err := b.store.At(0)
	if err != nil || !tree.Empty() {
		t.Errorf("before all commits: %s, %v", text(tree), err)
	}
	if failed.Load() == 0 || commits == 0 {
		t.Errorf("%d failures, %d commits: the test proves little", failed.Load(), commits)
	}
}
