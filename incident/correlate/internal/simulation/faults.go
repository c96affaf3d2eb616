package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"incidentd/incident/event"
)

const (
	minor    = event.Minor
	major    = event.Major
	critical = event.Critical
)

// fault is one thing that happens, with what is said of it.
type fault struct {
	id, kind   string
	start, end time.Duration // since the recording began
	roots      [][2]string
	services   map[string]string
	effects    []effect
	risk       bool
	labels     []string
	occurrence int
	periodic   string
	near       bool // happens in the window of a mark

	rootPorts map[*port]bool
	spent     time.Duration // when it is over with all that is said
}

// effect is an alarm of a fault: raised at a time, clear at another.
type effect struct {
	n         *node
	by        *node // who says it, if not the node itself
	resource  string
	peer      string
	what      what
	severity  event.Severity
	at, until time.Duration
	odds      float64 // that it is said at all
	root      bool
	never     bool // it does not clear
	trace     string
	value     float64
}

func ms(w *world, least, most int) time.Duration {
	return time.Duration(least+w.r.IntN(most-least+1)) * time.Millisecond
}

func (f *fault) say(w *world, n *node, resource string, k what, s event.Severity, at, until time.Duration, odds float64) {
	f.tell(w, effect{n: n, resource: resource, what: k, severity: s, at: at, until: until, odds: odds})
}

func (f *fault) tell(w *world, e effect) {
	if w.r.Float64() < e.odds {
		f.effects = append(f.effects, e)
	}
}

func (f *fault) hit(v *vpn, state string) {
	if f.services == nil {
		f.services = map[string]string{}
	}
	f.services[v.name] = max(f.services[v.name], state)
}

func (f *fault) root(node, resource string) { f.roots = append(f.roots, [2]string{node, resource}) }

func (f *fault) rooted(p *port) bool { return f.rootPorts[p] }

func (f *fault) rootPort(p *port) {
	if f.rootPorts == nil {
		f.rootPorts = map[*port]bool{}
	}
	f.rootPorts[p] = true
	f.root(p.n.name, p.name)
}

// kinds are the kinds of ordinary faults with how often each is drawn.
var kinds = []struct {
	name  string
	share int
	make  func(w *world, f *fault) bool
}{
	{"fibre-cut", 12, fibreCut},
	{"cascade", 5, cascade},
	{"node-down", 7, nodeDown},
	{"line-card", 7, lineCard},
	{"interface-down", 12, interfaceDown},
	{"power-outage", 4, powerOutage},
	{"igp-misconfig", 4, igpMisconfigured},
	{"bgp-reset", 5, bgpReset},
	{"access-outage", 7, accessOutage},
	{"cpu-high", 4, cpuOverload},
	{"link-degradation", 5, linkDegraded},
	{"optical-drift", 4, opticalDrift},
	{"flapping", 3, flapping},
	{"deploy-error", 3, deployError},
}

func pick[T any](w *world, s []T) T { return s[w.r.IntN(len(s))] }

func fibreCut(w *world, f *fault) bool {
	return f.cut(w, pick(w, w.fibres))
}

// cut breaks fibres at one moment.
func (f *fault) cut(w *world, fs ...*fibre) bool {
	o := newOutage()
	for _, b := range fs {
		o.fibres[b] = true
		for _, p := range [2]*port{b.a, b.b} {
			f.rootPort(p)
			f.tell(w, effect{n: p.n, resource: p.name, what: los, severity: critical, at: f.start + ms(w, 20, 400), until: f.end + ms(w, 100, 3000), odds: .96, root: true})
		}
	}
	f.consequences(w, o, f.start, f.end)
	return true
}

// cascade is a cut whose traffic fills the links beside it.
func cascade(w *world, f *fault) bool {
	b := pick(w, w.fibres)
	var full []*port
	for _, l := range b.d.internal {
		if l.ch == nil || slices.Contains(l.ch.path, b) {
			continue
		}
		for _, n := range [2]*node{l.a.n, l.b.n} {
			if (n.site == b.a.n.site || n.site == b.b.n.site) && len(full) < 3 {
				full = append(full, l.at(n))
			}
		}
	}
	if len(full) == 0 {
		return false
	}
	f.cut(w, b)
	for _, p := range full {
		begin := f.start + ms(w, 45000, 240000)
		f.kpi(w, p.n, p.name, utilised, minor, begin, f.end+ms(w, 10000, 90000), 96)
		f.kpi(w, p.n, p.name, dropping, major, begin+ms(w, 5000, 60000), f.end+ms(w, 5000, 60000), 5000)
		f.congested(w, p, begin+20*time.Second)
	}
	return true
}

// congested has tunnels over a port's link lose and delay packets.
func (f *fault) congested(w *world, p *port, begin time.Duration) {
	for _, t := range w.tunnels {
		for _, l := range t.path {
			if l.a != p && l.b != p || t.head == p.n && l.far(p.n) == t.head {
				continue
			}
			if w.r.IntN(3) == 0 {
				f.kpi(w, t.head, t.name, tunnelLoss, major, begin+ms(w, 0, 90000), f.end+ms(w, 10000, 90000), 2)
			}
			for _, v := range w.vpns {
				if slices.Contains(v.tunnels, t) {
					f.hit(v, "degraded")
				}
			}
		}
	}
}

func (f *fault) kpi(w *world, n *node, resource string, k what, s event.Severity, at, until time.Duration, value float64) {
	f.tell(w, effect{n: n, resource: resource, what: k, severity: s, at: at, until: until, odds: .9, value: value})
}

func nodeDown(w *world, f *fault) bool {
	n := pick(w, w.nodes)
	if n.role != core && n.role != edge && !(n.role == roadm && w.r.IntN(3) == 0) {
		return false
	}
	f.root(n.name, "")
	o := newOutage()
	o.dead[n] = true
	f.darkFibres(w, o)
	f.consequences(w, o, f.start, f.end)
	return true
}

// darkFibres has the far ends of dead optical nodes lose their signal, and the
// transponders of dead routers that of their clients.
func (f *fault) darkFibres(w *world, o *outage) {
	for _, b := range w.fibres {
		for _, e := range [2][2]*port{{b.a, b.b}, {b.b, b.a}} {
			if o.dead[e[0].n] && !o.dead[e[1].n] {
				f.say(w, e[1].n, e[1].name, los, critical, f.start+ms(w, 20, 500), f.end+ms(w, 500, 5000), .95)
			}
		}
	}
	for _, l := range w.links {
		for _, p := range [2]*port{l.a, l.b} {
			if o.dead[p.n] && p.under != nil && !o.dead[p.under.n] {
				f.say(w, p.under.n, p.under.name, clientLoss, major, f.start+ms(w, 50, 800), f.end+ms(w, 500, 5000), .9)
			}
		}
	}
}

func lineCard(w *world, f *fault) bool {
	n := pick(w, w.nodes)
	if n.role != core && n.role != edge {
		return false
	}
	o := newOutage()
	card := n.ports[w.r.IntN(len(n.ports))].card
	for _, p := range n.ports {
		if p.card == card {
			o.ports[p] = true
		}
	}
	if len(o.ports) < 2 {
		return false
	}
	f.root(n.name, card)
	f.tell(w, effect{n: n, resource: card, what: cardFailed, severity: critical, at: f.start + ms(w, 20, 2500), until: f.end + ms(w, 500, 5000), odds: .97, root: true})
	f.darkClients(w, n, o)
	f.consequences(w, o, f.start, f.end)
	return true
}

func (f *fault) darkClients(w *world, n *node, o *outage) {
	for _, p := range n.ports {
		if o.ports[p] && p.under != nil {
			f.say(w, p.under.n, p.under.name, clientLoss, major, f.start+ms(w, 50, 900), f.end+ms(w, 300, 3000), .9)
		}
	}
}

func interfaceDown(w *world, f *fault) bool {
	l := pick(w, w.links)
	p := l.a
	if w.r.IntN(2) == 0 {
		p = l.b
	}
	f.rootPort(p)
	if p.under == nil && w.r.IntN(3) > 0 { // of a cable either end may be what failed
		f.rootPort(l.at(l.far(p.n)))
	}
	o := newOutage()
	o.ports[p] = true
	if w.r.IntN(10) < 8 {
		f.tell(w, effect{n: p.n, resource: p.name, what: moduleFault, severity: major, at: f.start + ms(w, 0, 1500), until: f.end + ms(w, 100, 3000), odds: 1, root: true})
	}
	f.darkClients(w, p.n, o)
	f.consequences(w, o, f.start, f.end)
	return true
}

func powerOutage(w *world, f *fault) bool {
	at := pick(w, w.nodes)
	if at.role == customer || at.site == "" {
		return false
	}
	dies := w.r.IntN(2) == 0
	dark := f.start + 20*time.Minute + ms(w, 0, 1500000)
	o := newOutage()
	for _, n := range w.nodes {
		if n.site != at.site {
			continue
		}
		f.root(n.name, "power")
		f.root(n.name, "")
		f.tell(w, effect{n: n, resource: "power", what: mainsLost, severity: critical, at: f.start + ms(w, 500, 6000), until: f.end + ms(w, 1000, 9000), odds: .95, root: true, never: dies && w.r.IntN(2) == 0})
		if dies {
			f.tell(w, effect{n: n, resource: "power", what: batteryLow, severity: major, at: dark - 8*time.Minute + ms(w, 0, 120000), until: f.end + ms(w, 1000, 60000), odds: .8, root: true})
			f.tell(w, effect{n: n, what: lastGasp, severity: critical, at: dark - ms(w, 100, 1500), odds: .6, root: true, never: true})
			o.dead[n] = true
		}
	}
	if dies {
		if f.end < dark+10*time.Minute {
			f.end = dark + 10*time.Minute + ms(w, 0, 2400000)
		}
		mains := f.start
		f.start = dark
		f.darkFibres(w, o)
		f.start = mains
		f.consequences(w, o, dark, f.end)
	}
	return true
}

func igpMisconfigured(w *world, f *fault) bool {
	n := pick(w, w.nodes)
	if n.role != core && n.role != edge {
		return false
	}
	f.root(n.name, "config")
	f.root(n.name, "isis")
	f.root(n.name, "")
	f.tell(w, effect{n: n, resource: "config", peer: "router isis", what: committed, severity: event.Indeterminate, at: f.start - ms(w, 500, 4000), odds: .95, never: true})
	o := newOutage()
	for _, l := range n.hops {
		o.links[l] = true
		for _, p := range [2]*port{l.a, l.b} {
			q := l.at(l.far(p.n))
			f.root(n.name, l.at(n).name)
			f.tell(w, effect{n: p.n, resource: p.name, peer: q.n.name, what: authFailed, severity: minor, at: f.start + ms(w, 500, 3000), until: f.end + ms(w, 3000, 9000), odds: .85, root: true})
			f.tell(w, effect{n: p.n, resource: p.name, peer: q.n.name, what: adjacencyLost, severity: major, at: f.start + ms(w, 700, 9000), until: f.end + ms(w, 5000, 15000), odds: .95})
		}
	}
	f.routingLost(w, o)
	return true
}

// routingLost has the network route around links whose ports are fine.
func (f *fault) routingLost(w *world, o *outage) {
	o.spreadRouting(w)
	f.nodesLost(w, o, f.start, f.end)
	f.tunnelsFail(w, o, f.start, f.end)
}

func (o *outage) spreadRouting(w *world) {
	o.chans, o.switched = map[*channel]bool{}, map[*channel]bool{}
	o.isolate(w)
}

func bgpReset(w *world, f *fault) bool {
	s := pick(w, w.peers)
	f.end = f.start + ms(w, 60000, 300000)
	for _, e := range [2][2]*node{{s.a, s.b}, {s.b, s.a}} {
		f.root(e[0].name, "bgp/"+e[1].name)
		if e[0].role != customer {
			f.tell(w, effect{n: e[0], resource: "bgp/" + e[1].name, peer: e[1].name, what: bgpDown, severity: major, at: f.start + ms(w, 50, 1500), until: f.end + ms(w, 50, 1500), odds: 1, root: true})
		}
	}
	if s.line != nil {
		f.hit(s.line.v, "outage")
		f.complain(w, s.line.v, map[*node]bool{s.a: true}, "outage", f.start, f.end)
	}
	return true
}

func accessOutage(w *world, f *fault) bool {
	f.loseLine(w, pick(w, w.access))
	return true
}

func (f *fault) loseLine(w *world, a *access) {
	f.root(a.pe.n.name, a.pe.name)
	f.root(a.ce.n.name, "")
	f.root(a.ce.n.name, a.ce.name)
	o := newOutage()
	o.lines[a] = true
	o.chans, o.switched = map[*channel]bool{}, map[*channel]bool{}
	f.customersLost(w, o, f.start, f.end)
}

func cpuOverload(w *world, f *fault) bool {
	n := pick(w, w.nodes)
	if n.role != core && n.role != edge {
		return false
	}
	f.end = f.start + ms(w, 180000, 1200000)
	f.risk = true
	f.root(n.name, "cpu/0")
	f.root(n.name, "")
	f.tell(w, effect{n: n, resource: "cpu/0", what: cpuHigh, severity: major, at: f.start + ms(w, 0, 5000), until: f.end, odds: 1, root: true, value: 96})
	if w.r.IntN(2) == 0 {
		f.kpi(w, n, "cpu/0", memoryHigh, minor, f.start+ms(w, 5000, 60000), f.end, 91)
	}
	f.tell(w, effect{n: n, resource: "cpu/0", what: taskSlow, severity: event.Warning, at: f.start + ms(w, 10000, 90000), odds: .7, never: true})
	return true
}

func linkDegraded(w *world, f *fault) bool {
	l := pick(w, w.links)
	for _, p := range [2]*port{l.a, l.b} {
		f.root(p.n.name, p.name)
		f.tell(w, effect{n: p.n, resource: p.name, what: inputErrors, severity: major, at: f.start + ms(w, 0, 20000), until: f.end + ms(w, 0, 30000), odds: .8, root: true, value: 3000})
		f.tell(w, effect{n: p.n, resource: p.name, what: losing, severity: major, at: f.start + ms(w, 3000, 40000), until: f.end + ms(w, 0, 60000), odds: .6, root: true, value: 2})
	}
	for _, t := range w.tunnels {
		if !slices.Contains(t.path, l) {
			continue
		}
		for _, k := range [2]what{tunnelDelay, tunnelLoss} {
			if w.r.IntN(2) == 0 {
				f.kpi(w, t.head, t.name, k, []event.Severity{minor, major}[k-tunnelDelay], f.start+ms(w, 10000, 90000), f.end+ms(w, 10000, 90000), 3)
			}
		}
		for _, v := range w.vpns {
			if slices.Contains(v.tunnels, t) {
				f.hit(v, "degraded")
			}
		}
	}
	return len(f.effects) > 0
}

func opticalDrift(w *world, f *fault) bool {
	b := pick(w, w.fibres)
	f.risk = true
	p, q := b.a, b.b
	if w.r.IntN(2) == 0 {
		p, q = q, p
	}
	f.root(p.n.name, p.name)
	f.root(q.n.name, q.name)
	f.tell(w, effect{n: p.n, resource: p.name, what: powerLow, severity: minor, at: f.start + ms(w, 0, 60000), until: f.end, odds: 1, root: true, value: -20})
	for _, c := range w.chans {
		if slices.Contains(c.path, b) {
			f.kpi(w, c.a.n, c.a.name, osnrLow, minor, f.start+ms(w, 20000, 200000), f.end+ms(w, 0, 60000), 14)
			f.kpi(w, c.b.n, c.b.name, fecHigh, minor, f.start+ms(w, 20000, 200000), f.end+ms(w, 0, 60000), .003)
		}
	}
	return true
}

func flapping(w *world, f *fault) bool {
	l := pick(w, w.links)
	f.rootPort(l.a)
	f.rootPort(l.b)
	f.end = f.start + 10*time.Minute + ms(w, 0, 600000)
	o := newOutage()
	o.ports[l.a] = true
	last := f.start
	for t := f.start; t < f.end; {
		last = t
		down := ms(w, 4000, 20000)
		for _, p := range [2]*port{l.a, l.b} {
			q := l.at(l.far(p.n))
			f.tell(w, effect{n: p.n, resource: p.name, what: linkDown, severity: major, at: t + ms(w, 50, 900), until: t + down + ms(w, 50, 900), odds: .98, root: true})
			f.tell(w, effect{n: p.n, resource: p.name, peer: q.n.name, what: adjacencyLost, severity: major, at: t + ms(w, 1000, 2500), until: t + down + ms(w, 2000, 3000), odds: .9})
		}
		t += down + ms(w, 8000, 60000)
	}
	f.end = last + 20*time.Second
	o.spread(w)
	f.tunnelsFail(w, o, f.start, f.end)
	return true
}

func deployError(w *world, f *fault) bool {
	v := pick(w, w.vpns)
	if len(v.access) == 0 {
		return false
	}
	pe := v.access[0].pe.n
	f.root(pe.name, "config")
	f.root(pe.name, "")
	f.end = f.start + 5*time.Minute
	trace := fmt.Sprintf("%016x%016x", w.r.Uint64(), w.r.Uint64()|1)
	f.tell(w, effect{n: pe, resource: "config", what: editFailed, severity: major, at: f.start, odds: 1, root: true, never: true, trace: trace})
	f.tell(w, effect{n: &node{name: "controller", words: common}, resource: "vpn/" + v.name, what: spanFailed, severity: minor, at: f.start + ms(w, 300, 900), odds: 1, never: true, trace: trace})
	f.tell(w, effect{n: &node{name: "orchestrator", words: common}, resource: "vpn/" + v.name, what: spanFailed, severity: minor, at: f.start + ms(w, 900, 1500), odds: 1, never: true, trace: trace})
	f.hit(v, "degraded")
	return true
}

// routingCrash restarts the routing process of a node: its neighbours lose it, its ports
// stay up.
func routingCrash(w *world, f *fault) bool {
	n := pick(w, w.nodes)
	if n.role != core && n.role != edge || len(n.hops) < 2 {
		return false
	}
	f.end = f.start + ms(w, 40000, 240000)
	f.root(n.name, "routing")
	f.root(n.name, "")
	f.tell(w, effect{n: n, resource: "routing", what: restarted, severity: critical, at: f.start + ms(w, 200, 4000), until: f.end, odds: .9, root: true})
	o := newOutage()
	for _, l := range n.hops {
		o.links[l] = true
		p := l.at(l.far(n))
		f.tell(w, effect{n: p.n, resource: p.name, peer: n.name, what: adjacencyLost, severity: major, at: f.start + ms(w, 500, 12000), until: f.end + ms(w, 3000, 20000), odds: .95})
		f.tell(w, effect{n: p.n, resource: p.name, peer: n.name, what: ldpDown, severity: minor, at: f.start + ms(w, 500, 12000), until: f.end + ms(w, 5000, 30000), odds: .8})
	}
	for _, s := range w.peers {
		for _, e := range [2][2]*node{{s.a, s.b}, {s.b, s.a}} {
			if e[1] == n && e[0].role != customer {
				f.tell(w, effect{n: e[0], resource: "bgp/" + n.name, peer: n.name, what: bgpDown, severity: major, at: f.start + ms(w, 300, 8000), until: f.end + ms(w, 10000, 40000), odds: .95})
			}
		}
	}
	o.chans, o.switched, o.alone = map[*channel]bool{}, map[*channel]bool{}, map[*node]bool{}
	f.tunnelsFail(w, o, f.start, f.end)
	return true
}

// trafficSurge fills the links towards one provider edge.
func trafficSurge(w *world, f *fault) bool {
	a := pick(w, w.access)
	pe := a.pe.n
	f.end = f.start + 10*time.Minute + ms(w, 0, 3000000)
	f.root(pe.name, a.pe.name)
	f.root(pe.name, "")
	full := map[*port]bool{}
	for _, t := range w.tunnels {
		if t.tail != pe || len(full) >= 8 {
			continue
		}
		n := t.head
		for k, l := range t.path {
			if k >= len(t.path)-3 {
				full[l.at(n)] = true
			}
			n = l.far(n)
		}
	}
	if len(full) < 2 {
		return false
	}
	for _, p := range pe.hops { // the last hop is where all of it comes together
		if full[p.at(p.far(pe))] {
			f.root(p.far(pe).name, p.at(p.far(pe)).name)
			f.root(pe.name, p.at(pe).name)
		}
	}
	f.tell(w, effect{n: pe, resource: a.pe.name, what: utilised, severity: major, at: f.start + ms(w, 0, 20000), until: f.end, odds: .95, root: true, value: 99})
	for _, n := range w.nodes {
		for _, p := range n.ports {
			if full[p] {
				begin := f.start + ms(w, 5000, 90000)
				f.kpi(w, n, p.name, utilised, minor, begin, f.end+ms(w, 0, 60000), 97)
				if w.r.IntN(2) == 0 {
					f.kpi(w, n, p.name, dropping, major, begin+ms(w, 5000, 60000), f.end+ms(w, 0, 60000), 900)
				}
			}
		}
	}
	for _, t := range w.tunnels {
		if !slices.ContainsFunc(t.path, func(l *ipLink) bool { return full[l.a] || full[l.b] }) {
			continue
		}
		if w.r.IntN(3) == 0 {
			f.kpi(w, t.head, t.name, tunnelLoss, major, f.start+ms(w, 30000, 150000), f.end+ms(w, 0, 60000), 1)
		}
		for _, v := range w.vpns {
			if slices.Contains(v.tunnels, t) {
				f.hit(v, "degraded")
			}
		}
	}
	f.hit(a.v, "degraded")
	return true
}

// syncLoss takes the reference from a node, and hop by hop from those that follow it.
func syncLoss(w *world, f *fault) bool {
	n := pick(w, w.nodes)
	if n.role != core {
		return false
	}
	f.end = f.start + 30*time.Minute + ms(w, 0, 3000000)
	f.root(n.name, "clock")
	f.root(n.name, "")
	depth := map[*node]time.Duration{n: 0}
	queue := []*node{n}
	for at := 0; at < len(queue) && at < 14; at++ {
		m := queue[at]
		f.tell(w, effect{n: m, resource: "clock", what: clockLost, severity: major, at: f.start + depth[m], until: f.end + depth[m] + ms(w, 0, 20000), odds: .97, root: m == n})
		for _, l := range m.hops {
			if _, ok := depth[l.far(m)]; !ok && w.r.IntN(10) < 7 {
				depth[l.far(m)] = depth[m] + ms(w, 3000, 25000)
				queue = append(queue, l.far(m))
			}
		}
	}
	return len(queue) > 2
}

func shuffled[T any](r *rand.Rand, s []T) []T {
	s = slices.Clone(s)
	r.Shuffle(len(s), func(a, b int) { s[a], s[b] = s[b], s[a] })
	return s
}
