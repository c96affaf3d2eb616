package simulation

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// Params say what network is recorded, and how hard it is to read. The zero value of a
// number means none of it.
type Params struct {
	Seed uint64
	// Graphs are the maps of the domains; without, Domains are drawn with Sites places each.
	Graphs         []*Graph
	Domains, Sites int
	Services       int
	Days           int
	Faults         int // of the ordinary kinds
	Cutovers       int // marked work on a fibre
	Nights         int // customers that switch off at night
	Noise          int // events a day that mean nothing

	// The channel: shares of events that are lost, doubled and late, of nodes whose clock is
	// wrong and of nodes that are polled.
	Lost, Doubled, Late, Skewed, Polled float64

	// What the model of the network lacks: shares of links without supporting links, and
	// with those of another link; whether line cards are unknown.
	Missing, Stale float64
	Cardless       bool
	// Mute is the share of alarm types whose names and texts tell nothing.
	Mute float64

	Ducts   int // pairs of fibres in one duct, cut six times each
	Crashes int // of routing processes
	Surges  int // of traffic towards one edge
	Syncs   int // losses of synchronisation
}

func (p *Params) graphs(r *rand.Rand) []*Graph {
	if p.Graphs != nil {
		return p.Graphs
	}
	out := make([]*Graph, p.Domains)
	for k := range out {
		out[k] = drawn(r, p.Sites)
	}
	return out
}

// Recording is a recorded network with its truth.
type Recording struct {
	Networks  []topology.Network
	Inventory *topology.Inventory
	Types     []AlarmType
	Marks     []Mark
	Events    []event.Event
	Truth     []Fault
	// Of tells for each event its fault, an index of Truth or -1 for noise, and Flags whether
	// it raises, clears or repeats: 'R', 'C', 'D'.
	Of    []int
	Flags []byte

	services []vpnFile
	names    map[what]map[string]bool
}

// Mark is planned work on a link.
type Mark struct {
	ID, Reason    string
	Network, Link string
	Start, End    time.Time
}

// Fault is the truth about a fault.
type Fault struct {
	ID, Kind   string
	Start, End time.Time
	First      time.Time // arrival of its first event
	Events     int
	Roots      [][2]string
	RootEvents []string
	Services   map[string]string
	Risk       bool
	Ticket     bool
	Labels     []string
	Occurrence int
	Periodic   string
	InWindow   bool
}

// epoch is when recordings begin, a Monday.
var epoch = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

// New makes a recording.
func New(p Params) *Recording {
	r := rand.New(rand.NewPCG(p.Seed, 7))
	w := newWorld(&p, r)
	rec := &Recording{}
	plan := &plan{w: w, rec: rec}
	plan.draw()
	s := &stream{w: w, rec: rec, seed: p.Seed}
	s.record(plan.faults)
	w.describe(rec)
	rec.types(p.Seed, p.Mute)
	return rec
}

// plan lays faults out in time.
type plan struct {
	w      *world
	rec    *Recording
	faults []*fault
}

func (p *plan) length() time.Duration { return time.Duration(p.w.p.Days) * 24 * time.Hour }

// moment returns a time at which something may begin and last two hours.
func (p *plan) moment() time.Duration {
	return 10*time.Minute + time.Duration(p.w.r.Int64N(int64(p.length()-3*time.Hour)))
}

// add tries to make a fault; one that nothing tells of is none.
func (p *plan) add(kind string, start time.Duration, make func(w *world, f *fault) bool) *fault {
	f := &fault{kind: kind, start: start, end: start + 15*time.Minute + ms(p.w, 0, 5400000)}
	if !make(p.w, f) || !slices.ContainsFunc(f.effects, func(e effect) bool { return e.severity >= minor }) {
		return nil
	}
	p.faults = append(p.faults, f)
	return f
}

// insist adds a fault of a kind, however many tries it takes.
func (p *plan) insist(kind string, start func() time.Duration, make func(w *world, f *fault) bool) {
	for range 200 {
		if p.add(kind, start(), make) != nil {
			return
		}
	}
}

func (p *plan) draw() {
	w, total := p.w, 0
	for _, k := range kinds {
		total += k.share
	}
	for k := 0; k < w.p.Faults; k++ {
		at := w.r.IntN(total)
		for _, kind := range kinds {
			if at -= kind.share; at < 0 {
				p.insist(kind.name, p.moment, kind.make)
				break
			}
		}
	}
	p.cutovers()
	p.nights()
	p.ducts()
	for _, s := range []struct {
		kind string
		n    int
		make func(*world, *fault) bool
	}{{"routing-crash", w.p.Crashes, routingCrash}, {"traffic-surge", w.p.Surges, trafficSurge}, {"sync-loss", w.p.Syncs, syncLoss}} {
		for range s.n {
			p.insist(s.kind, p.moment, s.make)
		}
	}
	slices.SortStableFunc(p.faults, func(a, b *fault) int { return cmp.Compare(a.start, b.start) })
	for k, f := range p.faults {
		f.id = fmt.Sprintf("F%05d", k+1)
	}
}

func (p *plan) cutovers() {
	w := p.w
	for k := range w.p.Cutovers {
		b := pick(w, w.fibres)
		start := p.moment()
		f := p.add("cutover", start, func(w *world, f *fault) bool { return f.cut(w, b) })
		if f == nil {
			continue
		}
		f.labels = []string{"maintenance"}
		net := "wdm-" + b.d.name
		p.rec.Marks = append(p.rec.Marks, Mark{ID: fmt.Sprintf("W%03d", k+1), Reason: "planned work", Network: net, Link: b.id,
			Start: epoch.Add(start - ms(w, 300000, 1500000)), End: epoch.Add(f.end + ms(w, 300000, 900000))})
		if k%2 == 0 { // something unplanned happens close by meanwhile
			var near []*ipLink
			for _, l := range b.d.internal {
				if l.a.n.site == b.a.n.site && (l.ch == nil || !slices.Contains(l.ch.path, b)) {
					near = append(near, l)
				}
			}
			if len(near) > 0 {
				l := pick(w, near)
				if g := p.add("interface-down", start+10*time.Minute, func(w *world, f *fault) bool {
					f.rootPort(l.a)
					f.rootPort(l.b)
					o := newOutage()
					o.ports[l.a] = true
					f.tell(w, effect{n: l.a.n, resource: l.a.name, what: moduleFault, severity: major, at: f.start, until: f.end, odds: 1, root: true})
					f.consequences(w, o, f.start, f.end)
					return true
				}); g != nil {
					g.near = true
				}
			}
		}
	}
}

func (p *plan) nights() {
	w := p.w
	for _, a := range shuffled(w.r, w.access)[:min(w.p.Nights, len(w.access))] {
		for d := range w.p.Days - 1 {
			start := time.Duration(d)*24*time.Hour + 21*time.Hour + ms(w, 0, 900000)
			if f := p.add("nightly", start, func(w *world, f *fault) bool {
				f.end = start + 9*time.Hour + ms(w, 0, 900000)
				f.loseLine(w, a)
				return true
			}); f != nil {
				f.labels, f.occurrence, f.periodic = []string{"periodic"}, d+1, a.ce.n.name
			}
		}
	}
	if w.p.Nights > 0 && len(w.access) > 0 {
		p.insist("off-pattern", func() time.Duration { return 3*24*time.Hour + 11*time.Hour + ms(w, 0, 3600000) }, accessOutage)
	}
}

// ducts cuts pairs of fibres that leave a place together, though no link says so.
func (p *plan) ducts() {
	w := p.w
	for range w.p.Ducts {
		var pair [2]*fibre
		for range 100 {
			a, b := pick(w, w.fibres), pick(w, w.fibres)
			if a != b && (a.a.n == b.a.n || a.a.n == b.b.n || a.b.n == b.a.n || a.b.n == b.b.n) {
				pair = [2]*fibre{a, b}
				break
			}
		}
		if pair[0] == nil {
			continue
		}
		for k := range 6 {
			at := func() time.Duration {
				return time.Duration(int64(p.length())/6*int64(k)*9/10) + time.Hour + ms(w, 0, 3600000)
			}
			if f := p.add("conduit-cut", at(), func(w *world, f *fault) bool { return f.cut(w, pair[0], pair[1]) }); f != nil {
				f.occurrence = k + 1
			}
		}
	}
}

// stream turns what is said into events as the collector gets them.
type stream struct {
	w    *world
	rec  *Recording
	seed uint64
	seq  int
	said []said
	used map[what]map[string]bool
}

// said is an event on its way.
type said struct {
	ev    event.Event
	fault int
	flag  byte
	root  bool
	lost  bool // on its way
	seq   int
}

func (s *stream) record(faults []*fault) {
	s.used = map[what]map[string]bool{}
	for k, f := range faults {
		for j := range f.effects {
			s.effect(k, &f.effects[j])
		}
	}
	s.noise()
	slices.SortStableFunc(s.said, func(a, b said) int { return cmp.Or(a.ev.Arrival.Compare(b.ev.Arrival), cmp.Compare(a.seq, b.seq)) })
	s.rec.names = s.used
	place := s.told(len(faults))
	for k, f := range faults {
		if place[k] < 0 {
			continue
		}
		s.rec.Truth = append(s.rec.Truth, Fault{ID: f.id, Kind: f.kind, Start: epoch.Add(f.start), End: epoch.Add(f.end), Roots: f.roots, Services: f.services, Risk: f.risk,
			Ticket: len(f.labels) == 0 || f.occurrence > 0 && f.occurrence < 4, Labels: f.labels, Occurrence: f.occurrence, Periodic: f.periodic, InWindow: f.near})
	}
	active := map[[4]string]bool{}
	for _, e := range s.said {
		key := [4]string{e.ev.Node, e.ev.Resource, e.ev.AlarmTypeID, e.ev.AlarmTypeQualifier}
		if e.flag == 'R' && active[key] && e.ev.TraceID == "" || e.flag == 'C' && !active[key] {
			continue // the device says nothing new
		}
		if e.flag != 'D' {
			active[key] = e.flag == 'R'
		}
		if e.lost {
			continue
		}
		e.ev.ID = fmt.Sprintf("n%07d", len(s.rec.Events)+1)
		if e.fault >= 0 {
			e.fault = place[e.fault]
		}
		s.rec.Events, s.rec.Of, s.rec.Flags = append(s.rec.Events, e.ev), append(s.rec.Of, e.fault), append(s.rec.Flags, e.flag)
		if e.fault < 0 {
			continue
		}
		t := &s.rec.Truth[e.fault]
		if t.Events++; t.First.IsZero() {
			t.First = e.ev.Arrival
		}
		if e.root && e.flag == 'R' {
			t.RootEvents = append(t.RootEvents, e.ev.ID)
		}
	}
}

// told returns the places of faults in the truth, -1 for those of which nothing that was raised
// arrives: nobody can find them.
func (s *stream) told(faults int) []int {
	place := make([]int, faults)
	for _, e := range s.said {
		if e.fault >= 0 && e.flag == 'R' && !e.lost && e.ev.Severity > event.Warning {
			place[e.fault] = 1
		}
	}
	n := 0
	for k := range place {
		if place[k]--; place[k] == 0 {
			place[k] = n
			n++
		}
	}
	return place
}

func (s *stream) effect(fault int, e *effect) {
	by := e.n
	if e.by != nil {
		by = e.by
	}
	words := &by.words.phrases[e.what]
	if s.used[e.what] == nil {
		s.used[e.what] = map[string]bool{}
	}
	s.used[e.what][words.id] = true
	fill := strings.NewReplacer("%r", cmp.Or(e.resource, e.n.name), "%p", cmp.Or(e.peer, "peer"))
	if e.what == committed {
		fill = strings.NewReplacer("%r", e.peer)
	}
	ev := event.Event{Kind: kindOf(e), Node: e.n.name, Resource: e.resource, AlarmTypeID: words.id, AlarmTypeQualifier: words.qualifier, Severity: e.severity,
		Text: fill.Replace(words.text), TraceID: e.trace}
	if e.value != 0 {
		ev.Value = fmt.Sprint(e.value)
	}
	s.send(ev, by, e.at, fault, 'R', e.root)
	if !e.never {
		ev.Severity, ev.Value = event.Cleared, ""
		s.send(ev, by, max(e.until, e.at+time.Second), fault, 'C', false)
	}
}

func kindOf(e *effect) event.Kind {
	switch e.what {
	case serviceLost, serviceDegraded:
		return event.Symptom
	case taskSlow, committed, loginFailed:
		return event.Log
	case editFailed, spanFailed:
		return event.Trace
	case cpuHigh, memoryHigh, utilised, dropping, inputErrors, losing, tunnelDelay, tunnelLoss, powerLow, osnrLow, fecHigh:
		return event.KPI
	}
	return event.Alarm
}

// send puts an event on its way from a node.
func (s *stream) send(ev event.Event, by *node, at time.Duration, fault int, flag byte, root bool) {
	w := s.w
	arrival := at + ms(w, 40, 700)
	if by.poll > 0 {
		arrival = (at/by.poll+1)*by.poll + ms(w, 20, 900)
	}
	if w.r.Float64() < w.p.Late {
		arrival += ms(w, 5000, 90000)
	}
	ev.Time, ev.Arrival = epoch.Add(at+by.skew), epoch.Add(arrival)
	s.seq++
	s.said = append(s.said, said{ev, fault, flag, root, w.r.Float64() < w.p.Lost, s.seq})
	if w.r.Float64() < w.p.Doubled {
		s.seq++
		ev.Arrival = ev.Arrival.Add(ms(w, 100, 20000))
		s.said = append(s.said, said{ev, fault, 'D', false, false, s.seq})
	}
}

// noise adds what means nothing: records, and alarms that are gone in a moment.
func (s *stream) noise() {
	w := s.w
	quiet := []struct {
		k        what
		resource string
		sev      event.Severity
	}{{fanOdd, "chassis/fan1", event.Warning}, {warm, "chassis/sensor1", event.Warning}, {loginFailed, "sys", event.Indeterminate}, {ntpLost, "sys", event.Warning},
		{licence, "sys", event.Warning}, {committed, "config", event.Indeterminate}, {prefixes, "bgp/peer", event.Warning}}
	for range w.p.Noise * w.p.Days {
		n := pick(w, w.nodes)
		if n.role == customer {
			continue
		}
		at := ms(w, 0, w.p.Days*86_400_000)
		e := effect{n: n, at: at, until: at + ms(w, 60000, 3000000), peer: []string{"snmp", "interfaces", "acl"}[w.r.IntN(3)]}
		switch {
		case w.r.IntN(12) == 0 && len(n.ports) > 0: // a moment without light
			e.what, e.resource, e.severity, e.until = linkDown, n.ports[0].name, major, at+ms(w, 300, 2000)
			if n.role == roadm {
				e.what, e.severity = los, critical
			}
		default:
			q := pick(w, quiet)
			e.what, e.resource, e.severity, e.never = q.k, q.resource, q.sev, q.k == loginFailed || q.k == licence || q.k == committed
		}
		s.effect(-1, &e)
	}
}
