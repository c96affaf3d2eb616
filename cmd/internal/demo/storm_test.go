package demo

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// What happens does not depend on when somebody looks.
func TestStormIsAFunctionOfSeedAndStart(t *testing.T) {
	end := begin.Add(time.Hour)
	for seed := range uint64(5) {
		want := New(seed, begin).Next(end)
		if len(want) < 200 {
			t.Fatalf("seed %d: only %d events in an hour", seed, len(want))
		}
		r := rand.New(rand.NewPCG(seed, 1))
		s := New(seed, begin)
		var got []event.Event
		for now := begin; now.Before(end); {
			now = now.Add(time.Duration(r.IntN(9000)) * time.Millisecond)
			if now.After(end) {
				now = end
			}
			got = append(got, s.Next(now)...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("seed %d (-at once +bit by bit):\n%s", seed, d)
		}
		s = New(seed, begin)
		got = nil
		for now := s.Due(); !now.After(end); now = s.Due() {
			batch := s.Next(now)
			if len(batch) == 0 {
				t.Fatalf("seed %d: due at %v, but nothing comes", seed, now)
			}
			got = append(got, batch...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("seed %d (-at once +when due):\n%s", seed, d)
		}
	}
	if cmp.Equal(New(1, begin).Next(end), New(2, begin).Next(end)) {
		t.Error("two seeds, one storm")
	}
}

// What is raised is cleared before it is raised again, in order of arrival, at places
// that exist, in words that the file form can carry.
func TestEventsAreSound(t *testing.T) {
	places := map[string]map[string]bool{}
	for _, n := range read(t) {
		for _, d := range n.Nodes {
			if places[d.ID] == nil {
				places[d.ID] = map[string]bool{"": true, "power": true, "vpn/" + n.ID: true}
			}
			places[d.ID]["vpn/"+n.ID] = true
			for _, p := range d.TPs {
				places[d.ID][p.ID] = true
			}
		}
	}
	ids := map[string]bool{}
	raised := map[key]bool{}
	last := time.Time{}
	for _, e := range New(7, begin).Next(begin.Add(6 * time.Hour)) {
		if ids[e.ID] {
			t.Errorf("id %s twice", e.ID)
		}
		ids[e.ID] = true
		if !places[e.Node][e.Resource] {
			t.Errorf("%s: no %q at %q", e.ID, e.Resource, e.Node)
		}
		k := key{e.Node, e.Resource, e.AlarmTypeID}
		if over := e.Severity == event.Cleared; over != raised[k] {
			t.Errorf("%s: %v is %s, raised before: %t", e.ID, k, e.Severity, raised[k])
		}
		raised[k] = e.Severity != event.Cleared
		if e.Arrival.Before(last) || !e.Time.Before(e.Arrival) {
			t.Errorf("%s: happened %v, arrived %v, the one before %v", e.ID, e.Time, e.Arrival, last)
		}
		last = e.Arrival
		back, err := event.Parse(event.AppendJSON(nil, &e))
		if d := cmp.Diff(e, back); err != nil || d != "" {
			t.Errorf("%s: %v %s", e.ID, err, d)
		}
	}
}

// Every kind comes round, and is seen in the layers where it should be.
func TestFaultsAreSeen(t *testing.T) {
	layers := map[Kind][]words{
		InterfaceDown:   {linkDown, adjacency, ldp},
		FibreCut:        {los, ssf, linkDown, bfd},
		LinkDegradation: {packetLoss, inputErrors},
		BGPReset:        {bgp, serviceLost},
		NodeDown:        {linkDown, unreachable},
		PowerOutage:     {mains, battery},
	}
	now := begin.Add(2 * time.Hour)
	s := New(3, begin)
	events := s.Next(now)
	faults := s.Faults(now)
	if slots := int(now.Sub(begin) / Interval); len(faults) < slots*9/10 {
		t.Errorf("%d faults in %d slots", len(faults), slots)
	}
	seen, hurt := map[Kind]int{}, 0
	for _, f := range faults {
		if f.End.After(now) {
			continue
		}
		seen[f.Kind]++
		hurt += len(f.Services)
		for _, w := range layers[f.Kind] {
			found := false
			for _, e := range events {
				if !e.Arrival.Before(f.Start) && e.Arrival.Before(f.End) && (e.AlarmTypeID == w[0] || e.AlarmTypeID == w[1]) {
					found = true
					break
				}
			}
			if !found {
				t.Errorf("%v at %v: no %v", f, f.Start, w)
			}
		}
	}
	for _, k := range Kinds {
		if seen[k] < 10 {
			t.Errorf("%s came %d times in two hours", k, seen[k])
		}
	}
	if hurt == 0 {
		t.Error("no service was ever hurt")
	}
}

func TestFaultReads(t *testing.T) {
	for _, tt := range []struct {
		f    Fault
		want string
	}{
		{Fault{Kind: FibreCut, Node: "O-Oslo", Resource: "OTS-1-2"}, "fibre cut at O-Oslo OTS-1-2"},
		{Fault{Kind: NodeDown, Node: "P1"}, "node down at P1"},
	} {
		if got := tt.f.String(); got != tt.want {
			t.Errorf("%#v reads %q, want %q", tt.f, got, tt.want)
		}
	}
}
