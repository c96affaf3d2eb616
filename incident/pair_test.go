package incident

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// TestPairs: a type that follows another, there or beside it, is found with its direction and
// how often; types that only happen often are not.
func TestPairs(t *testing.T) {
	index := topology.Build([]topology.Network{{ID: "ip", Nodes: []topology.Node{{ID: "A", TPs: []topology.TP{{ID: "1"}}}, {ID: "B", TPs: []topology.TP{{ID: "1"}}}, {ID: "C"}}, Links: []topology.Link{{ID: "a-b", SourceNode: "A", SourceTP: "1", DestNode: "B", DestTP: "1"}}}}, nil)
	r := raises{types: map[string]int{}, nodes: map[string]int{}, active: map[[4]string]bool{}, samples: map[int][]event.Event{}}
	chance := rand.New(rand.NewPCG(1, 2))
	var events []event.Event
	n := 0
	raise := func(node, typ string, at time.Time) {
		for _, s := range []event.Severity{event.Major, event.Cleared} {
			n++
			events = append(events, event.Event{ID: fmt.Sprint("e", n), Node: node, AlarmTypeID: typ, Severity: s, Time: at, Arrival: at})
		}
	}
	begin := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for k := range 40 {
		at := begin.Add(time.Duration(k) * 3 * time.Hour)
		raise([]string{"A", "C"}[k%2], "cause", at)
		raise([]string{"A", "C"}[k%2], "effect", at.Add(time.Duration(1+chance.IntN(4))*time.Second))
		if k%2 == 0 {
			raise("B", "beside", at.Add(2*time.Second))
		}
		for range 3 { // whenever it likes
			raise([]string{"A", "B", "C"}[chance.IntN(3)], "often", at.Add(time.Duration(chance.IntN(10800))*time.Second))
		}
	}
	for k := range events {
		r.take(&events[k])
	}
	found := map[string]pair{}
	for _, p := range r.pairs(index) {
		found[p.Cause+" "+p.Effect] = p
	}
	if p := found["cause effect"]; p.n != 40 || p.of != 40 || p.Beside || p.chance > 1 || p.Within < 4*time.Second || len(p.times) != samples || len(p.last) != samples {
		t.Errorf("cause effect: %+v", p)
	}
	if p, ok := found["cause beside"]; ok && (!p.Beside || p.n != 20 || p.of != 20) {
		t.Errorf("cause beside: %+v", p)
	} else if !ok && found["effect beside"].n != 0 {
		t.Errorf("what is beside follows %+v", found["effect beside"])
	}
	if p, ok := found["effect cause"]; ok && p.n > 4 {
		t.Errorf("the effect causes: %+v", p)
	}
	for k, p := range found {
		if p.Effect == "often" && 100*p.n >= 60*p.of {
			t.Errorf("%s is strong: %d of %d", k, p.n, p.of)
		}
	}
}

// TestRaises: what is told again is no new raise, and lines of logs are none at all.
func TestRaises(t *testing.T) {
	r := raises{types: map[string]int{}, nodes: map[string]int{}, active: map[[4]string]bool{}, samples: map[int][]event.Event{}}
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for k, e := range []event.Event{
		{AlarmTypeID: "a", Severity: event.Major},
		{AlarmTypeID: "a", Severity: event.Critical},
		{AlarmTypeID: "a", Severity: event.Cleared},
		{AlarmTypeID: "a", Severity: event.Major},
		{AlarmTypeID: "unmapped", Severity: event.Major, Kind: event.Log},
		{AlarmTypeID: "b", Severity: event.Major, Time: at.Add(-time.Hour)}, // by a clock that is wrong
	} {
		e.Node, e.Arrival = "A", at.Add(time.Duration(k)*time.Second)
		r.take(&e)
	}
	if len(r.alarms) != 3 || !r.alarms[2].At.Equal(at.Add(5*time.Second)) {
		t.Errorf("%+v", r.alarms)
	}
}
