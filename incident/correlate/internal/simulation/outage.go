package simulation

import "time"

// outage is what is down, from the bottom up.
type outage struct {
	fibres map[*fibre]bool
	dead   map[*node]bool
	ports  map[*port]bool
	lines  map[*access]bool

	chans    map[*channel]bool
	switched map[*channel]bool
	links    map[*ipLink]bool
	alone    map[*node]bool // cut off from the network
}

func newOutage() *outage {
	return &outage{fibres: map[*fibre]bool{}, dead: map[*node]bool{}, ports: map[*port]bool{}, lines: map[*access]bool{}, links: map[*ipLink]bool{}}
}

// spread finds everything that goes down with what is down already.
func (o *outage) spread(w *world) {
	cut := func(path []*fibre) bool {
		for _, f := range path {
			if o.fibres[f] || o.dead[f.a.n] || o.dead[f.b.n] {
				return true
			}
		}
		return false
	}
	o.chans, o.switched = map[*channel]bool{}, map[*channel]bool{}
	for _, c := range w.chans {
		switch {
		case o.dead[c.a.n] || o.dead[c.b.n]:
			o.chans[c] = true
		case !cut(c.path):
		case c.protect != nil && !cut(c.protect):
			o.switched[c] = true
		default:
			o.chans[c] = true
		}
	}
	for _, l := range w.links {
		if l.ch != nil && o.chans[l.ch] || o.dead[l.a.n] || o.dead[l.b.n] || o.ports[l.a] || o.ports[l.b] {
			o.links[l] = true
		}
	}
	for _, a := range w.access {
		if o.dead[a.pe.n] || o.dead[a.ce.n] || o.ports[a.pe] {
			o.lines[a] = true
		}
	}
	o.isolate(w)
}

// isolate finds the living routers that do not reach the larger part of the network.
func (o *outage) isolate(w *world) {
	part := map[*node]int{}
	var size []int
	for _, n := range w.nodes {
		if n.role != core && n.role != edge || o.dead[n] || part[n] != 0 {
			continue
		}
		size = append(size, 0)
		id := len(size)
		part[n] = id
		for queue := []*node{n}; len(queue) > 0; queue = queue[1:] {
			size[id-1]++
			for _, l := range queue[0].hops {
				if far := l.far(queue[0]); !o.links[l] && !o.dead[far] && part[far] == 0 {
					part[far] = id
					queue = append(queue, far)
				}
			}
		}
	}
	main := 0
	for k := range size {
		if main == 0 || size[k] > size[main-1] {
			main = k + 1
		}
	}
	o.alone = map[*node]bool{}
	for n, p := range part {
		o.alone[n] = p != main
	}
}

// consequences has the devices tell of an outage that begins at after start and is
// repaired at end, and enters the services that it hits.
func (f *fault) consequences(w *world, o *outage, start, end time.Duration) {
	o.spread(w)
	for _, c := range w.chans {
		for _, p := range [2]*port{c.a, c.b} {
			switch {
			case o.dead[p.n]:
			case o.switched[c]:
				f.say(w, p.n, p.name, switched, minor, start+ms(w, 30, 300), end+ms(w, 1000, 8000), .9)
			case o.chans[c]:
				f.say(w, p.n, p.name, serverFail, major, start+ms(w, 50, 900), end+ms(w, 200, 3000), .85)
			}
		}
	}
	for _, l := range w.links {
		if o.links[l] {
			f.linkFails(w, o, l, start, end)
		}
	}
	f.nodesLost(w, o, start, end)
	f.tunnelsFail(w, o, start, end)
	f.customersLost(w, o, start, end)
}

func (f *fault) linkFails(w *world, o *outage, l *ipLink, start, end time.Duration) {
	for _, p := range [2]*port{l.a, l.b} {
		q := l.b
		if p == l.b {
			q = l.a
		}
		if o.dead[p.n] || o.ports[p] && f.kind == "line-card" && w.r.IntN(4) == 0 {
			continue
		}
		f.tell(w, effect{n: p.n, resource: p.name, peer: q.n.name, what: linkDown, severity: major, at: start + ms(w, 50, 1500), until: end + ms(w, 500, 5000), odds: .95, root: f.rooted(p)})
		f.tell(w, effect{n: p.n, resource: p.name, peer: q.n.name, what: bfdDown, severity: major, at: start + ms(w, 100, 900), until: end + ms(w, 1500, 6000), odds: .7})
		f.tell(w, effect{n: p.n, resource: p.name, peer: q.n.name, what: adjacencyLost, severity: major, at: start + ms(w, 400, 3500), until: end + ms(w, 3000, 12000), odds: .95})
		f.tell(w, effect{n: p.n, resource: p.name, peer: q.n.name, what: ldpDown, severity: minor, at: start + ms(w, 1000, 9000), until: end + ms(w, 5000, 20000), odds: .5})
	}
}

func (f *fault) nodesLost(w *world, o *outage, start, end time.Duration) {
	for _, n := range w.nodes {
		if n.role == customer || n.role == manager || !o.dead[n] && !o.alone[n] {
			continue
		}
		f.tell(w, effect{n: n, by: w.managed, what: unreachable, severity: critical, at: start + ms(w, 15000, 65000), until: end + ms(w, 20000, 60000), odds: .95, root: o.dead[n]})
	}
	lost := func(n *node) bool { return o.dead[n] || o.alone[n] }
	for _, s := range w.peers {
		if s.line != nil || lost(s.a) == lost(s.b) && !o.dead[s.a] && !o.dead[s.b] {
			continue
		}
		for _, end2 := range [2][2]*node{{s.a, s.b}, {s.b, s.a}} {
			if !o.dead[end2[0]] {
				f.tell(w, effect{n: end2[0], resource: "bgp/" + end2[1].name, peer: end2[1].name, what: bgpDown, severity: major, at: start + ms(w, 85000, 180000), until: end + ms(w, 15000, 60000), odds: .95})
			}
		}
	}
}

// tunnelsFail has tunnels switch over, find another way, or stay down.
func (f *fault) tunnelsFail(w *world, o *outage, start, end time.Duration) {
	hit := map[*tunnel]bool{}
	for _, t := range w.tunnels {
		for _, l := range t.path {
			hit[t] = hit[t] || o.links[l]
		}
		if !hit[t] {
			continue
		}
		stuck := o.dead[t.head] || o.dead[t.tail] || o.alone[t.head] || o.alone[t.tail]
		switch {
		case o.dead[t.head]:
		case stuck:
			f.say(w, t.head, t.name, tunnelDown, major, start+ms(w, 500, 6000), end+ms(w, 5000, 60000), .95)
		case w.r.IntN(2) == 0:
			until := min(start+ms(w, 30000, 180000), end)
			f.say(w, t.head, t.name, bypass, minor, start+ms(w, 50, 800), until, .9)
		default:
			until := min(start+ms(w, 20000, 180000), end)
			f.say(w, t.head, t.name, tunnelDown, major, start+ms(w, 500, 6000), until, .9)
		}
	}
	for _, v := range w.vpns {
		worst, told := "", map[*node]bool{}
		for _, t := range v.tunnels {
			if hit[t] {
				worst = max(worst, "degraded") // outage sorts after it
				if o.dead[t.head] || o.dead[t.tail] || o.alone[t.head] != o.alone[t.tail] {
					worst = "outage"
				}
				told[t.head] = told[t.head] || !o.dead[t.head]
			}
		}
		for _, a := range v.access {
			if o.lines[a] {
				worst = "outage"
			}
		}
		if worst == "" {
			continue
		}
		f.hit(v, worst)
		f.complain(w, v, told, worst, start, end)
	}
}

// complain has the assurance of a service tell that it is hit, where its tunnels begin.
func (f *fault) complain(w *world, v *vpn, at map[*node]bool, state string, start, end time.Duration) {
	said := false
	for _, a := range v.access {
		n := a.pe.n
		if !at[n] || w.r.IntN(3) == 0 {
			continue
		}
		k, sev := serviceDegraded, minor
		if state == "outage" && !said {
			k, sev = serviceLost, critical
		}
		said = true
		f.tell(w, effect{n: n, by: w.service, resource: "vpn/" + v.name, what: k, severity: sev, at: start + ms(w, 4000, 45000), until: end + ms(w, 15000, 60000), odds: .9})
	}
}

// customersLost has the management and the provider edges tell of customers' lines.
func (f *fault) customersLost(w *world, o *outage, start, end time.Duration) {
	for _, s := range w.peers {
		a := s.line
		if a == nil || !o.lines[a] {
			continue
		}
		f.hit(a.v, "outage")
		pe, ce := a.pe.n, a.ce.n
		if !o.dead[pe] {
			if !o.ports[a.pe] || w.r.IntN(2) == 0 {
				f.tell(w, effect{n: pe, resource: a.pe.name, peer: ce.name, what: linkDown, severity: major, at: start + ms(w, 100, 2500), until: end + ms(w, 500, 9000), odds: .93, root: f.kind == "access-outage" || f.kind == "nightly" || f.kind == "off-pattern"})
			}
			f.tell(w, effect{n: pe, resource: "bgp/" + ce.name, peer: ce.name, what: bgpDown, severity: major, at: start + ms(w, 25000, 35000), until: end + ms(w, 15000, 40000), odds: .9})
		}
		f.tell(w, effect{n: ce, by: w.managed, what: customerLost, severity: major, at: start + ms(w, 15000, 60000), until: end + ms(w, 20000, 60000), odds: .85, root: f.kind == "access-outage" || f.kind == "nightly" || f.kind == "off-pattern"})
	}
}
