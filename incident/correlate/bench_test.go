package correlate

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// cpuTime is what the process has used of all cores, garbage collection included: on a
// machine that is shared the clock on the wall tells little.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perEvent runs work, which feeds n events, once or more, and reports what an event
// costs and how many one core would take in a second.
func perEvent(b *testing.B, n int, ready func() (work func())) {
	b.Helper()
	b.ReportAllocs()
	var used time.Duration
	for range b.N {
		b.StopTimer()
		work := ready()
		runtime.GC()
		b.StartTimer()
		begin := cpuTime()
		work()
		used += cpuTime() - begin
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(n*b.N), "cpu-ns/event")
	b.ReportMetric(float64(n*b.N)/used.Seconds(), "events/cpu-s")
}

// feedAll is the work of feeding a story to a new engine.
func feedAll(s *story) func() func() {
	return func() func() {
		e := s.engine()
		return func() {
			for k := range s.events {
				e.Feed(&s.events[k])
			}
		}
	}
}

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
	s := load(b, "dev").repeat(100_000)
	perEvent(b, len(s.events), feedAll(s))
}

// failures are link failures in a ring of n nodes, ten a second: down at both ends,
// adjacencies, and the clears a minute later.
func failures(x *topology.Index, n, events int) *story {
	s := &story{index: x}
	for k := range events {
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
	return s
}

// BenchmarkNodes measures the same failures in networks of 100 to 100,000 nodes.
func BenchmarkNodes(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := failures(topology.Build(ring(n), nil), n, 100_000)
			perEvent(b, len(s.events), feedAll(s))
		})
	}
}

// BenchmarkActive measures failures in one half of a ring of 200,000 nodes beside 1,000
// to a million alarms that are active all the time in the other.
func BenchmarkActive(b *testing.B) {
	s := failures(topology.Build(ring(200_000), nil), 90_000, 100_000)
	for _, n := range []int{1000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := burdened(s.index, n)
			b.ReportMetric(float64(e.Figures().Alarms), "alarms")
			round := time.Duration(0)
			perEvent(b, len(s.events), func() func() {
				round += 12 * time.Hour
				return func() {
					for k := range s.events {
						ev := s.events[k]
						ev.Arrival, ev.Time = ev.Arrival.Add(round), ev.Time.Add(round)
						e.Feed(&ev)
					}
				}
			})
		})
	}
}

// lasting are the alarms of a line that is bad at both ends, five at each.
var lasting = []string{"link-down", "isis-adjacency-down", "ldp-session-down", "bfd-down", "input-errors"}

// burdened returns an engine with n active alarms on the ports at the end of a ring, the
// last of them an hour old.
func burdened(x *topology.Index, n int) *Engine {
	e := New(Config{})
	e.SetTopology(x)
	nodes := x.Nodes()
	for k := range n {
		at := start.Add(-2*time.Hour - time.Duration(n-k)*time.Millisecond)
		port := k / len(lasting)
		node, name := (nodes-1-port/2+nodes)%nodes, fmt.Sprintf("e%d", 1-port%2)
		if port%2 == 1 {
			node = (node + 1) % nodes
		}
		e.Feed(&event.Event{ID: fmt.Sprint("b", k), Time: at, Arrival: at, Node: fmt.Sprintf("N%06d", node), Resource: name,
			AlarmTypeID: lasting[k%len(lasting)], Severity: event.Major, Text: "Interface is in trouble"})
	}
	e.Advance(start.Add(-time.Hour))
	return e
}

// BenchmarkMillion measures what a million active alarms weigh.
func BenchmarkMillion(b *testing.B) {
	x := topology.Build(ring(100_001), nil)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for range b.N {
		before := heap()
		e := burdened(x, 1_000_000)
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB")
		b.ReportMetric(float64(heap()-before)/float64(e.Figures().Alarms), "B/alarm")
		runtime.KeepAlive(e)
	}
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

// BenchmarkStorm measures alarms that all come within a minute and stay: of one end of
// each link, each an incident of its own, and of both ends of all links, which hang
// together all around the ring.
func BenchmarkStorm(b *testing.B) {
	const n = 100_000
	x := topology.Build(ring(n), nil)
	for _, c := range []struct {
		name string
		ends int
	}{{"apart", 1}, {"joined", 2}} {
		b.Run(c.name, func(b *testing.B) {
			s := &story{index: x}
			for k := range n {
				link := k / c.ends * 7919 % n
				port := fmt.Sprintf("N%06d:e1", link)
				if k%c.ends == 1 {
					port = fmt.Sprintf("N%06d:e0", (link+1)%n)
				}
				s.events = append(s.events, parseAlarm(port+" link-down", fmt.Sprint(k), start.Add(time.Duration(k)*600*time.Microsecond)))
			}
			perEvent(b, n, feedAll(s))
		})
	}
}

// BenchmarkHub measures a node that loses all of its 10,000 links at once.
func BenchmarkHub(b *testing.B) {
	const n = 10_000
	ip := topology.Network{ID: "ip", Nodes: []topology.Node{{ID: "hub"}}}
	s := &story{}
	for k := range n {
		far, port := fmt.Sprintf("N%06d", k), fmt.Sprintf("p%d", k)
		ip.Nodes[0].TPs = append(ip.Nodes[0].TPs, topology.TP{ID: port})
		ip.Nodes = append(ip.Nodes, topology.Node{ID: far, TPs: []topology.TP{{ID: "e0"}}})
		ip.Links = append(ip.Links, topology.Link{ID: far, SourceNode: "hub", SourceTP: port, DestNode: far, DestTP: "e0"})
		s.events = append(s.events, parseAlarm(far+":e0 link-down", fmt.Sprint(k), start.Add(time.Duration(k)*time.Millisecond)))
	}
	for k := range n {
		s.events = append(s.events, parseAlarm(fmt.Sprintf("N%06d:e0 link-down cleared", k), fmt.Sprint("c", k), start.Add(time.Minute+time.Duration(k)*time.Millisecond)))
	}
	s.index = topology.Build([]topology.Network{ip}, nil)
	perEvent(b, len(s.events), feedAll(s))
}

// BenchmarkDecision measures how long events wait for what is decided of them, beside
// 100,000 active alarms: the slowest in a thousand, and in all.
func BenchmarkDecision(b *testing.B) {
	s := failures(topology.Build(ring(200_000), nil), 90_000, 100_000)
	for range b.N {
		e := burdened(s.index, 100_000)
		took := make([]time.Duration, len(s.events))
		for k := range s.events {
			begin := time.Now()
			e.Feed(&s.events[k])
			took[k] = time.Since(begin)
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-us")
		b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-us")
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1e3, "max-ms")
	}
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
		s := e.Snapshot()
		if err := f.Restore(s); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(s)))
	}
}

// BenchmarkChanges measures what a thousand events change in the state of an engine
// with a million active alarms.
func BenchmarkChanges(b *testing.B) {
	s := failures(topology.Build(ring(200_000), nil), 90_000, 100_000)
	e := burdened(s.index, 1_000_000)
	e.Changes()
	k, round, size := 0, time.Duration(0), 0
	for b.Loop() {
		for range 1000 {
			ev := s.events[k]
			ev.Arrival, ev.Time = ev.Arrival.Add(round), ev.Time.Add(round)
			e.Feed(&ev)
			if k++; k == len(s.events) {
				k, round = 0, round+24*time.Hour
			}
		}
		size = 0
		for _, p := range e.Changes() {
			size += len(p.Key) + len(p.Value)
		}
	}
	b.ReportMetric(float64(size), "B/snapshot")
}
