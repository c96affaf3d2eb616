package oam

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/netconf/netconftest"
)

const supervised = `<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>watch</name>
	<icmp-echo xmlns="urn:incidentd:yang:oam-tests"><target>192.0.2.2</target></icmp-echo><period-start>2000-01-01T00:01:00Z</period-start>
	<frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:minutely</frequency>
	<supervision xmlns="urn:incidentd:yang:oam-tests"><resource>PE1</resource></supervision></oam-unitary-test></oam-unitary-tests></config>`

// A crossing is told until it is taken, also after a restart, and in the order of their times;
// that of a test that is removed is told to be over.
func TestCrossingsAreTold(t *testing.T) {
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		type told struct {
			Test                         string
			Raised, Lost, WasLost, Begun bool
			Removed                      bool
		}
		var mu sync.Mutex
		var got []told
		var refuse error
		var m *Manager
		b := netconftest.New(t, netconftest.Config{Setup: func(b *netconftest.Bench) {
			var err error
			m, err = New(Config{Store: b.Store, DB: b.DB, Strict: true, Engines: map[string]Engine{"icmp-echo": stageEngine()},
				Supervise: func(_ context.Context, c Crossing) error {
					mu.Lock()
					defer mu.Unlock()
					got = append(got, told{c.Test, c.Raised, c.Lost, c.WasLost, c.RunID != "", c.Removed})
					return refuse
				}})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Start(); err != nil {
				t.Fatal(err)
			}
			b.OnEnd(m.Stop)
		}})
		take := func(want ...told) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("told (-want +got):\n%s", d)
			}
			got = nil
		}
		refusing := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			refuse = err
		}
		refusing(errors.New("the store is full"))
		if err := b.Configure(supervised); err != nil {
			t.Fatal(err)
		}
		raised := told{"watch", true, true, false, true, false}
		time.Sleep(3*time.Minute + 2500*time.Millisecond) // every run takes a second, and is lost
		synctest.Wait()
		if n := m.crossings.untold.Load(); n != 1 {
			t.Errorf("%d crossings are untold, want 1", n)
		}
		take(raised, raised)
		b.Restart()
		take(raised)
		refusing(nil)
		time.Sleep(time.Second)
		take(raised)
		if n := m.crossings.untold.Load(); n != 0 {
			t.Errorf("%d crossings are untold, want 0", n)
		}
		time.Sleep(10 * time.Minute)
		take()
		if err := b.Configure(`<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>`); err != nil {
			t.Fatal(err)
		}
		take(told{"watch", false, false, true, true, true})
		b.Restart()
		take()
	})
}
