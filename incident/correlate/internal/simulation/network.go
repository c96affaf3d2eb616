package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// world is the true network.
type world struct {
	r       *rand.Rand
	p       *Params
	nodes   []*node
	domains []*domain
	fibres  []*fibre
	chans   []*channel
	links   []*ipLink
	access  []*access
	peers   []*session
	tunnels []*tunnel
	vpns    []*vpn
	managed *node // speaks for the management system
	service *node // speaks for the service assurance
}

type domain struct {
	name     string
	optical  []*node // by place
	core     []*node
	edges    []*node // provider edges
	reflect  []*node // route reflectors
	internal []*ipLink
}

type role string

const (
	roadm    role = "roadm"
	core     role = "core"
	edge     role = "edge"
	customer role = "ce"
	manager  role = "manager"
)

// node is a device.
type node struct {
	name, site string
	d          *domain
	role       role
	words      *vendor
	skew       time.Duration
	poll       time.Duration // of a node whose alarms are polled
	ports      []*port
	cards      map[string][]string
	slots      int // ports given so far
	hops       []*ipLink
}

// port is an interface of a node.
type port struct {
	n     *node
	name  string
	card  string
	under *port // the client port of the transponder
}

type fibre struct {
	d    *domain
	a, b *port
	id   string
}

type channel struct {
	d       *domain
	a, b    *port
	path    []*fibre
	protect []*fibre
	id      string
}

type ipLink struct {
	net  string
	a, b *port
	ch   *channel
	id   string
}

func (l *ipLink) far(n *node) *node {
	if l.a.n == n {
		return l.b.n
	}
	return l.a.n
}

func (l *ipLink) at(n *node) *port {
	if l.a.n == n {
		return l.a
	}
	return l.b
}

type access struct {
	pe, ce *port
	v      *vpn
	id     string
}

// session is a BGP session, of a provider edge with a reflector or a customer.
type session struct {
	a, b *node
	line *access
}

type tunnel struct {
	name       string
	head, tail *node
	path       []*ipLink
}

type vpn struct {
	name    string
	tunnels []*tunnel
	access  []*access
}

func newWorld(p *Params, r *rand.Rand) *world {
	w := &world{r: r, p: p}
	for k, g := range p.graphs(r) {
		w.addDomain(fmt.Sprintf("r%d", k+1), g)
	}
	w.joinDomains()
	w.addReflectors()
	w.addServices()
	w.managed = &node{name: "nms", role: manager, words: common}
	w.service = &node{name: "assurance", role: manager, words: common}
	return w
}

func (w *world) node(name, site string, d *domain, k role) *node {
	n := &node{name: name, site: site, d: d, role: k, words: w.vendor(k), cards: map[string][]string{}}
	if w.r.Float64() < w.p.Skewed {
		n.skew = time.Duration(w.r.IntN(80)-40) * time.Second
	}
	if w.r.Float64() < w.p.Polled {
		n.poll = []time.Duration{30 * time.Second, time.Minute}[w.r.IntN(2)]
	}
	w.nodes = append(w.nodes, n)
	return n
}

func (w *world) vendor(k role) *vendor {
	if k == roadm {
		return opticalVendors[w.r.IntN(len(opticalVendors))]
	}
	return packetVendors[w.r.IntN(len(packetVendors))]
}

// port adds the next interface of a router.
func (n *node) port() *port {
	const each = 4
	slot := n.slots / each
	p := &port{n: n, name: n.words.port(slot, n.slots%each), card: fmt.Sprintf(n.words.slot, slot)}
	n.slots++
	n.ports = append(n.ports, p)
	n.cards[p.card] = append(n.cards[p.card], p.name)
	return p
}

func (n *node) named(format string) *port {
	k := 1
	for _, p := range n.ports {
		if p.name[:4] == format[:4] {
			k++
		}
	}
	p := &port{n: n, name: fmt.Sprintf(format, k)}
	n.ports = append(n.ports, p)
	return p
}

func (w *world) addDomain(name string, g *Graph) {
	d := &domain{name: name}
	w.domains = append(w.domains, d)
	for _, place := range g.Names {
		site := name + "-" + place
		d.optical = append(d.optical, w.node("wdm-"+site, site, d, roadm))
		d.core = append(d.core, w.node("cr-"+site, site, d, core))
	}
	for _, e := range g.Edges {
		f := &fibre{d: d, a: d.optical[e[0]].named("line-%d"), b: d.optical[e[1]].named("line-%d")}
		f.id = f.a.n.name + ":" + f.a.name + "--" + f.b.n.name + ":" + f.b.name
		w.fibres = append(w.fibres, f)
	}
	for _, e := range g.Edges {
		w.overFibres(d, e[0], e[1])
		if w.r.IntN(6) == 0 {
			w.overFibres(d, e[0], e[1])
		}
	}
	for range len(g.Names) / 5 { // express ways over several fibres
		a, b := w.r.IntN(len(g.Names)), w.r.IntN(len(g.Names))
		if a != b && len(w.way(d.optical[a], d.optical[b], nil)) <= 4 {
			w.overFibres(d, a, b)
		}
	}
	for k := range g.Names {
		for j := range 1 + w.r.IntN(2) {
			if w.r.IntN(10) < 3 {
				continue
			}
			pe := w.node(fmt.Sprintf("pe%d-%s", j+1, d.core[k].site), d.core[k].site, d, edge)
			d.edges = append(d.edges, pe)
			w.cable(d, "ip-"+name, pe, d.core[k])
			if w.r.IntN(3) == 0 && len(d.core[k].hops) > 1 { // a second way up
				w.cable(d, "ip-"+name, pe, d.core[k].hops[0].far(d.core[k]))
			}
		}
	}
}

// overFibres adds a link of two core routers over a channel of its own.
func (w *world) overFibres(d *domain, a, b int) {
	path := w.way(d.optical[a], d.optical[b], nil)
	if path == nil {
		return
	}
	c := &channel{d: d, a: d.optical[a].named("port-%d"), b: d.optical[b].named("port-%d"), path: path}
	c.id = c.a.n.name + ":" + c.a.name + "--" + c.b.n.name + ":" + c.b.name
	if w.r.IntN(5) == 0 {
		c.protect = w.way(d.optical[a], d.optical[b], path)
	}
	w.chans = append(w.chans, c)
	l := w.cable(d, "ip-"+d.name, d.core[a], d.core[b])
	l.ch, l.a.under, l.b.under = c, c.a, c.b
}

func (w *world) cable(d *domain, net string, a, b *node) *ipLink {
	l := &ipLink{net: net, a: a.port(), b: b.port()}
	l.id = a.name + ":" + l.a.name + "--" + b.name + ":" + l.b.name
	w.links = append(w.links, l)
	a.hops, b.hops = append(a.hops, l), append(b.hops, l)
	if d != nil {
		d.internal = append(d.internal, l)
	}
	return l
}

// way returns the fibres of a shortest path that has none of but; nil if there is none.
func (w *world) way(a, b *node, but []*fibre) []*fibre {
	from := map[*node]*fibre{a: nil}
	queue := []*node{a}
	for at := 0; at < len(queue); at++ {
		n := queue[at]
		if n == b {
			var path []*fibre
			for n != a {
				f := from[n]
				path = append(path, f)
				if f.a.n == n {
					n = f.b.n
				} else {
					n = f.a.n
				}
			}
			slices.Reverse(path)
			return path
		}
		for _, f := range w.fibres {
			far := f.a.n
			switch n {
			case f.a.n:
				far = f.b.n
			case f.b.n:
			default:
				continue
			}
			if _, ok := from[far]; !ok && !slices.Contains(but, f) {
				from[far] = f
				queue = append(queue, far)
			}
		}
	}
	return nil
}

func (w *world) joinDomains() {
	for k := 1; k < len(w.domains); k++ {
		for range 2 {
			a, b := w.domains[k-1].core, w.domains[k].core
			w.cable(nil, "ip-between", a[w.r.IntN(len(a))], b[w.r.IntN(len(b))])
		}
	}
}

func (w *world) addReflectors() {
	for _, d := range w.domains {
		perm := w.r.Perm(len(d.core))
		for _, k := range perm[:min(2, len(perm))] {
			d.reflect = append(d.reflect, d.core[k])
			for _, pe := range d.edges {
				w.peers = append(w.peers, &session{a: pe, b: d.core[k]})
			}
		}
	}
}

func (w *world) addServices() {
	count := 0
	for k := range w.p.Services {
		v := &vpn{name: fmt.Sprintf("l3-%04d", k+1)}
		w.vpns = append(w.vpns, v)
		edges := w.domains[w.r.IntN(len(w.domains))].edges
		if w.r.IntN(5) == 0 && len(w.domains) > 1 {
			edges = append(slices.Clone(edges), w.domains[w.r.IntN(len(w.domains))].edges...)
		}
		var pes []*node
		for _, j := range w.r.Perm(len(edges))[:min(2+w.r.IntN(3), len(edges))] {
			if !slices.Contains(pes, edges[j]) {
				pes = append(pes, edges[j])
			}
		}
		for j, pe := range pes {
			ce := w.node(fmt.Sprintf("cust%d-%s", j+1, v.name), "", pe.d, customer)
			a := &access{pe: pe.port(), ce: &port{n: ce, name: "wan"}, v: v}
			ce.ports = append(ce.ports, a.ce)
			a.id = pe.name + ":" + a.pe.name + "--" + ce.name
			w.access = append(w.access, a)
			v.access = append(v.access, a)
			w.peers = append(w.peers, &session{a: pe, b: ce, line: a})
			for i, other := range pes {
				if i == j {
					continue
				}
				path := w.route(pe, other, nil)
				if path == nil {
					continue
				}
				count++
				t := &tunnel{name: fmt.Sprintf("lsp%d", count), head: pe, tail: other, path: path}
				w.tunnels = append(w.tunnels, t)
				v.tunnels = append(v.tunnels, t)
			}
		}
	}
}

// route returns the links of a path of fewest hops that avoids what is failed; ties fall
// by the names of the nodes.
func (w *world) route(a, b *node, failed *outage) []*ipLink {
	from := map[*node]*ipLink{a: nil}
	queue := []*node{a}
	for at := 0; at < len(queue); at++ {
		n := queue[at]
		if n == b {
			var path []*ipLink
			for n != a {
				path = append(path, from[n])
				n = from[n].far(n)
			}
			slices.Reverse(path)
			return path
		}
		if n != a && n.role == edge {
			continue // no transit
		}
		for k := range n.hops {
			l := n.hops[(k+len(b.name))%len(n.hops)]
			if _, ok := from[l.far(n)]; !ok && (failed == nil || !failed.links[l] && !failed.dead[l.far(n)]) {
				from[l.far(n)] = l
				queue = append(queue, l.far(n))
			}
		}
	}
	return nil
}
