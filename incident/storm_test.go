package incident_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
	"incidentd/incident"
	"incidentd/incident/event"
)

// apart are n links of a ring of nodes that go down, each an incident of its own.
func apart(name string, nodes, n int) []event.Event {
	out := make([]event.Event, n)
	for k := range out {
		out[k] = event.Event{ID: fmt.Sprint(name, k), Node: fmt.Sprint("N", k*2%nodes), Resource: "e1",
			AlarmTypeID: "link-down", Severity: event.Major, Text: "Interface e1 is down"}
	}
	return out
}

// More incidents come due at one moment than a transaction stores. None is lost or told
// twice, whether the server goes on or is killed at any transaction in between.
func TestStormBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		b := open(t)
		b.configure(ring(2 * n))
		events := apart("e", 2*n, n)
		if _, err := b.manager.Report(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // not yet raised
		if got := len(b.notices()); got != 0 {
			t.Fatalf("%d notifications too early", got)
		}
		before := b.store.Snapshot().Version
		killed := []string{b.midway(n / 4), b.midway(n / 2), b.midway(3 * n / 4)}
		time.Sleep(5 * time.Second)
		want := b.notices()
		if len(want) != n {
			t.Fatalf("%d incidents are raised of %d", len(want), n)
		}
		if steps := b.store.Snapshot().Version - before; steps < n/256 {
			t.Errorf("%d incidents in %d transactions", n, steps)
		}
		b.valid()
		b.close()
		for k, dir := range killed {
			b.dir = dir
			b.open()
			time.Sleep(5 * time.Second)
			if diff := cmp.Diff(want, b.notices()); diff != "" {
				t.Errorf("killed after %d: %s", (k+1)*n/4, diff)
			}
			b.valid()
			b.close()
		}
	})
}

// midway waits for so many incidents and returns a copy of the data directory as kill -9
// would leave it then.
func (b *bench) midway(incidents int) (dir string) {
	for dir == "" {
		err := b.store.Update(b.t.Context(), func(tx *datastore.Tx) error {
			if all := tx.Base().State.Child("incidents"); all == nil || all.Len() < incidents {
				return nil
			}
			dir = b.t.TempDir()
			return os.CopyFS(dir, os.DirFS(b.dir))
		})
		if err != nil {
			b.t.Fatal(err)
		}
		if dir == "" {
			<-b.store.Changed()
		}
	}
	return dir
}

// TestStorm lets more events come than can be taken: by reporters who wait and repeat what
// was refused, and by a source that nobody can slow down. The queue keeps to its bounds, all
// events are accounted for, and what was acknowledged survives kill -9. STORM_SECONDS is
// for how long; without it, it ends after some thousand events.
func TestStorm(t *testing.T) {
	const memory, nodes, batch = 1 << 20, 2000, 50
	seconds, _ := strconv.Atoi(os.Getenv("STORM_SECONDS"))
	b := open(t)
	b.configure(ring(nodes))
	b.limit(memory, 0)
	var given, taken, refused, lost atomic.Int64
	var acknowledged sync.Map
	begun := time.Now()
	over := func() bool {
		if seconds > 0 {
			return time.Since(begun) >= time.Duration(seconds)*time.Second
		}
		return taken.Load() >= 6000
	}
	storm := func(name string, n int) []event.Event {
		events := make([]event.Event, batch)
		for k := range events {
			at := n*batch + k
			events[k] = event.Event{ID: fmt.Sprint(name, at), Node: fmt.Sprint("N", at/4*7919%nodes), Resource: fmt.Sprint("e", at&1),
				AlarmTypeID: []string{"link-down", "isis-adjacency-down"}[at/2%2], Severity: event.Major, Text: "it is down"}
			if at/4/nodes%2 == 1 {
				events[k].Severity = event.Cleared
			}
		}
		given.Add(batch)
		return events
	}
	var sources sync.WaitGroup
	for r := range 6 {
		sources.Go(func() {
			in := b.manager.Inlet(fmt.Sprint("reporter ", r))
			defer in.Close()
			for n := 0; !over(); n++ {
				events := storm(fmt.Sprintf("r%d-", r), n)
				got, err := in.Report(t.Context(), events)
				switch {
				case err == nil:
					taken.Add(int64(got.Accepted))
					if n%16 == 0 {
						acknowledged.Store(events[0].ID, true)
					}
				default:
					refused.Add(batch)
				}
			}
		})
	}
	sources.Go(func() {
		in := b.manager.Inlet("datagrams")
		defer in.Close()
		for n := 0; !over(); n++ {
			events := storm("d", n)
			ok := in.Offer(events, func(got incident.Reported, err error) {
				if err != nil {
					refused.Add(batch)
				}
				taken.Add(int64(got.Accepted))
			})
			if !ok {
				lost.Add(batch)
				runtime.Gosched()
			}
		}
	})
	sources.Wait()
	last, in := make(chan error), b.manager.Inlet("datagrams")
	if err := in.Send(t.Context(), numbered("last", 1), func(_ incident.Reported, err error) { last <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-last; err != nil {
		t.Fatal(err)
	}
	in.Close()
	for b.manager.Admission().Queued > 0 { // of other inlets
		runtime.Gosched()
	}
	f := b.manager.Admission()
	if f.MostMemory > memory || f.MostMemory == 0 {
		t.Errorf("the queue held %d bytes of %d", f.MostMemory, memory)
	}
	if f.Queued != 0 || f.Memory != 0 || f.Reporters != 0 {
		t.Errorf("something is left: %+v", f)
	}
	if n := taken.Load() + refused.Load() + lost.Load(); n != given.Load() || lost.Load() == 0 || taken.Load() == 0 {
		t.Errorf("%d taken, %d refused, %d lost, of %d", taken.Load(), refused.Load(), lost.Load(), given.Load())
	}
	if f.Accepted != uint64(taken.Load())+2 || f.Refused != uint64(refused.Load()) || f.Lost != uint64(lost.Load()) {
		t.Errorf("figures = %+v, want %d taken, %d refused, %d lost", f, taken.Load(), refused.Load(), lost.Load())
	}
	t.Logf("%d events in %v: %d taken, %d refused, %d lost, %d delayed; longest lag %v, decisions %+v", given.Load(), time.Since(begun).Round(time.Millisecond),
		taken.Load(), refused.Load(), lost.Load(), f.Delayed, f.LongestLag, b.manager.Lag())
	b.crash()
	defer b.close()
	if resident := resident(); resident > 0 {
		t.Logf("%.0f MiB at most", resident)
	}
	acknowledged.Range(func(id, _ any) bool {
		r, err := b.manager.Report(t.Context(), []event.Event{{ID: id.(string), Node: "N0", AlarmTypeID: "link-down"}})
		if err != nil || r.Duplicates != 1 {
			t.Errorf("event %v was acknowledged and is not there: %+v, %v", id, r, err)
		}
		return err == nil
	})
	b.valid()
}
