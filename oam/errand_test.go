package oam

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

// An errand has the limits, a budget and the guard of whoever sends it; a pause stops it, and
// so does its context.
func TestErrand(t *testing.T) {
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
	allow := Guard{Permit: func(netip.Addr) error { return nil }, Spend: func(int) error { return nil }}
	for _, test := range []struct {
		name    string
		target  string
		guard   Guard
		during  func(b *netconftest.Bench, cancel func())
		outcome Outcome
		reason  Reason
		packets int
	}{
		{"measures", "192.0.2.1", allow, nil, Finished, "", 10},
		{"has no way there", "192.0.2.4", allow, nil, Failed, BadTarget, 0},
		{"is greedy", "192.0.2.5", allow, nil, Failed, BudgetExceeded, 10},
		{"does not end", "192.0.2.7", allow, func(_ *netconftest.Bench, cancel func()) { cancel() }, Failed, EngineFailure, 0},
		{"is more than its sender has", "192.0.2.1", Guard{Permit: allow.Permit, Spend: func() func(int) error {
			left := 4
			return func(int) error {
				if left--; left < 0 {
					return Faultf(BudgetExceeded, "no more")
				}
				return nil
			}
		}()}, nil, Failed, BudgetExceeded, 4},
		{"fails for another reason of its sender", "192.0.2.1", Guard{Permit: allow.Permit, Spend: func(int) error { return errors.New("no") }}, nil, Failed, EngineFailure, 0},
		{"is called back", "192.0.2.1", allow, func(_ *netconftest.Bench, cancel func()) { cancel() }, WasStopped, "", 1},
		{"is paused", "192.0.2.1", allow, func(b *netconftest.Bench, _ func()) {
			b.Configure(`<config><oam-service xmlns="urn:incidentd:yang:oam-tests"><limits><paused>true</paused></limits></oam-service></config>`)
		}, WasStopped, Paused, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var m *Manager
				b := netconftest.New(t, netconftest.Config{Setup: func(b *netconftest.Bench) { m = managed(b) }})
				params := data.Build(m.schema.lists[UnitaryTest].ChildNamed("icmp-echo")).Leaf("target", test.target).Leaf("number-of-packets", "10").Node()
				if d, err := m.Estimate(params); err != nil || d.Packets != 10 {
					t.Errorf("the estimate is %+v, %v", d, err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				type result struct {
					run   Run
					spent Spent
				}
				done := make(chan result, 1)
				go func() {
					run, spent := m.RunErrand(ctx, Errand{Parameters: params, IncidentID: "inc-1", Patience: time.Second, Guard: test.guard})
					done <- result{run, spent}
				}()
				if test.during != nil {
					time.Sleep(50 * time.Millisecond)
					test.during(b, cancel)
				}
				got := <-done
				if got.run.Outcome != test.outcome || got.run.Reason != test.reason || got.spent.Packets != test.packets {
					t.Errorf("%s %s %q after %d packets, want %s %s after %d", got.run.Outcome, got.run.Reason, got.run.Detail, got.spent.Packets, test.outcome, test.reason, test.packets)
				}
				if got.run.Trigger != ByDiagnosis || got.run.IncidentID != "inc-1" || got.run.ID == "" {
					t.Errorf("%+v", got.run)
				}
				time.Sleep(20 * time.Second) // an engine that does not notice is still there
				synctest.Wait()
				if len(m.errands) != 0 || len(m.admission.running) != 0 {
					t.Errorf("%d errands and %d places are left", len(m.errands), len(m.admission.running))
				}
			})
		})
	}
}
