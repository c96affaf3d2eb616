package incident_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
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
