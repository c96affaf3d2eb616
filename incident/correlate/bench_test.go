package correlate

import (
	"fmt"
	"testing"
	"time"

	"incidentd/incident/topology"
)

// repeat returns a recording's events again and again, each round later than the last.
func (r *recording) repeat(n int) *story {
	s := &story{config: r.config, index: r.index}
	span := r.events[len(r.events)-1].Arrival.Sub(r.events[0].Arrival) + time.Hour
	for k := range n {
		round := time.Duration(k/len(r.events)) * span
		ev := r.events[k%len(r.events)]
		ev.Arrival, ev.Time = ev.Arrival.Add(round), ev.Time.Add(round)
		s.events = append(s.events, ev)
	}
	return s
}

// BenchmarkFeed measures events through the engine: the recorded network over and over.
func BenchmarkFeed(b *testing.B) {
	s := load(b, "dev").repeat(50_000)
	e := s.engine()
	b.ReportAllocs()
	b.ResetTimer()
	k := 0
	for b.Loop() {
		if k == len(s.events) {
			e, k = s.engine(), 0
		}
		e.Feed(&s.events[k])
		k++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkFeedLarge measures link failures in a ring of 100,000 nodes with 10,000
// services: down at both ends, adjacencies, and the clears a minute later.
func BenchmarkFeedLarge(b *testing.B) {
	const n = 100_000
	s := &story{index: topology.Build(ring(n), nil)}
	for k := range 200_000 {
		link := (k / 8 * 7919) % n
		at := start.Add(time.Duration(k/8) * 100 * time.Millisecond)
		a, c := fmt.Sprintf("N%06d:e1", link), fmt.Sprintf("N%06d:e0", (link+1)%n)
		end := [2]string{a, c}[k%2]
		kind := [2]string{"link-down", "isis-adjacency-down"}[k/2%2]
		sev := "major"
		if k%8 >= 4 {
			sev = "cleared"
			at = at.Add(time.Minute)
		}
		s.events = append(s.events, parseAlarm(end+" "+kind+" "+sev, fmt.Sprint(k), at))
	}
	e := s.engine()
	b.ReportAllocs()
	b.ResetTimer()
	k := 0
	for b.Loop() {
		if k == len(s.events) {
			e, k = s.engine(), 0
		}
		e.Feed(&s.events[k])
		k++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// ring is n routers in a ring and a VPN between every tenth and the next but one.
func ring(n int) []topology.Network {
	name := func(i int) string { return fmt.Sprintf("N%06d", i%n) }
	ip := topology.Network{ID: "ip"}
	for i := range n {
		ip.Nodes = append(ip.Nodes, topology.Node{ID: name(i), TPs: []topology.TP{{ID: "e0"}, {ID: "e1"}}})
		ip.Links = append(ip.Links, topology.Link{ID: name(i), SourceNode: name(i), SourceTP: "e1", DestNode: name(i + 1), DestTP: "e0"})
	}
	nets := []topology.Network{ip}
	for i := 0; i < n; i += 10 {
		nets = append(nets, topology.Network{ID: fmt.Sprintf("vpn-%d", i), Supporting: []string{"ip"}, Nodes: []topology.Node{{ID: name(i)}, {ID: name(i + 2)}},
			Links: []topology.Link{{ID: "l", SourceNode: name(i), DestNode: name(i + 2), Supporting: []topology.LinkRef{{Network: "ip", Link: name(i)}, {Network: "ip", Link: name(i + 1)}}}}})
	}
	return nets
}

// BenchmarkStorm measures alarms that all come within a minute and stay.
func BenchmarkStorm(b *testing.B) {
	const n = 100_000
	s := &story{index: topology.Build(ring(n), nil)}
	for k := range n {
		s.events = append(s.events, parseAlarm(fmt.Sprintf("N%06d:e1 link-down", (k*7919)%n), fmt.Sprint(k), start.Add(time.Duration(k)*600*time.Microsecond)))
	}
	for b.Loop() {
		e := s.engine()
		for k := range s.events {
			e.Feed(&s.events[k])
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkSnapshot measures writing and reading the state after the recording.
func BenchmarkSnapshot(b *testing.B) {
	r := load(b, "dev")
	e := r.engine()
	for k := range r.events {
		e.Feed(&r.events[k])
	}
	f := r.engine()
	for b.Loop() {
		s, err := e.Snapshot()
		if err == nil {
			err = f.Restore(s)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(s)))
	}
}
