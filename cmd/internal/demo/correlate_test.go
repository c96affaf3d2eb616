package demo

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"incidentd/incident/correlate"
	"incidentd/incident/topology"
)

// The correlator finds the storm's faults, each at its place and with its services: the
// demonstration shows what the server is for.
func TestCorrelatorFindsTheFaults(t *testing.T) {
	inv, err := topology.ReadInventory(bytes.NewReader(Inventory()))
	if err != nil {
		t.Fatal(err)
	}
	now := begin.Add(2 * time.Hour)
	found, faults, incidents := 0, 0, 0
	for seed := range uint64(4) {
		e := correlate.New(correlate.Config{})
		e.SetTopology(topology.Build(read(t), inv))
		storm := New(seed, begin)
		latest := map[uint64]*correlate.Incident{}
		for _, ev := range storm.Next(now) {
			for _, d := range e.Feed(&ev) {
				latest[d.Incident.No] = d.Incident
			}
		}
		incidents += len(latest)
		for _, f := range storm.Faults(now) {
			if f.End.After(now) {
				continue
			}
			faults++
			for _, i := range latest {
				if i.RaiseTime.After(f.Start.Add(time.Minute)) || i.RaiseTime.Before(f.Start) && !returned(i, f) {
					continue
				}
				if slices.ContainsFunc(i.RootCauses, func(c correlate.RootCause) bool { return at(f, c) }) {
					found++
					break
				}
			}
		}
	}
	t.Logf("%d of %d faults found, in %d incidents", found, faults, incidents)
	if found < faults*9/10 {
		t.Errorf("%d of %d faults found", found, faults)
	}
	if incidents > faults*5/4 {
		t.Errorf("%d incidents of %d faults", incidents, faults)
	}
}

// returned reports whether an incident that was there before has the fault in it: what is
// back while the incident is held is the same one.
func returned(i *correlate.Incident, f Fault) bool {
	return slices.ContainsFunc(i.Events(), func(e correlate.EventRef) bool {
		return !e.Time.Before(f.Start.Add(-time.Second)) && e.Time.Before(f.Start.Add(time.Minute))
	})
}

// at reports whether a root cause is that of the fault, or stands at the same node.
func at(f Fault, c correlate.RootCause) bool {
	if c.Node == f.Node {
		return true
	}
	p := plan()
	return f.Kind == PowerOutage && p.optical[f.Node] == c.Node
}
