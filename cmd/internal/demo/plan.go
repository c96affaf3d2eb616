package demo

import (
	"fmt"
	"slices"
)

// site is a place with its router; its optical node is O- and the place's name.
type site struct{ place, router string }

var sites = [...]site{
	{"Bergen", "P1"}, {"Oslo", "P2"}, {"Gothenburg", "P3"}, {"Copenhagen", "P4"}, {"Hamburg", "P5"}, {"Bremen", "P6"},
	{"Stavanger", "PE1"}, {"Stockholm", "PE2"}, {"Malmo", "PE3"}, {"Aarhus", "PE4"}, {"Hannover", "PE5"}, {"Groningen", "PE6"},
}

// fibres are the pairs of places that a fibre pair joins.
var fibres = [...][2]string{
	{"Bergen", "Oslo"}, {"Oslo", "Gothenburg"}, {"Gothenburg", "Copenhagen"}, {"Copenhagen", "Hamburg"},
	{"Hamburg", "Bremen"}, {"Bremen", "Bergen"}, {"Oslo", "Copenhagen"},
	{"Stavanger", "Bergen"}, {"Stockholm", "Oslo"}, {"Malmo", "Gothenburg"}, {"Malmo", "Copenhagen"},
	{"Aarhus", "Copenhagen"}, {"Aarhus", "Hamburg"}, {"Hannover", "Hamburg"}, {"Hannover", "Bremen"},
	{"Groningen", "Bremen"}, {"Groningen", "Hamburg"},
}

// ipLinks are the places that each IP link passes in the optical layer; the routers of
// the first and the last are its ends.
var ipLinks = [...][]string{
	{"Bergen", "Oslo"}, {"Oslo", "Gothenburg"}, {"Gothenburg", "Copenhagen"}, {"Copenhagen", "Hamburg"},
	{"Hamburg", "Bremen"}, {"Bremen", "Bergen"},
	{"Bergen", "Oslo", "Copenhagen"}, {"Oslo", "Copenhagen", "Hamburg"},
	{"Gothenburg", "Copenhagen", "Hamburg", "Bremen"}, {"Oslo", "Copenhagen"},
	{"Stavanger", "Bergen"}, {"Stockholm", "Oslo"},
	{"Malmo", "Gothenburg"}, {"Malmo", "Copenhagen"}, {"Aarhus", "Copenhagen"}, {"Aarhus", "Hamburg"},
	{"Hannover", "Hamburg"}, {"Hannover", "Bremen"}, {"Groningen", "Bremen"}, {"Groningen", "Hamburg"},
}

// vpns are the services and the edge routers that each of them joins.
var vpns = [...]struct {
	name string
	pes  []string
}{
	{"VPN-A", []string{"PE1", "PE2"}},
	{"VPN-B", []string{"PE3", "PE5"}},
	{"VPN-C", []string{"PE1", "PE4", "PE6"}},
	{"VPN-D", []string{"PE2", "PE5"}},
	{"VPN-E", []string{"PE3", "PE4", "PE6"}},
}

// reflectors are the routers that every edge router has an internal BGP session with.
var reflectors = [...]string{"P2", "P5"}

// end is a port: a node and its termination point.
type end struct{ node, tp string }

// fibre is a fibre pair with its ends in the optical nodes.
type fibre struct{ a, b end }

// ipLink is an IP link, the channel that carries it and that channel's fibres.
type ipLink struct {
	a, b   end // in the routers
	ca, cb end // in the optical nodes: the client ports of the channel
	fibres []int
}

// tunnel is a one-way tunnel, named after its number, over IP links in order of travel.
type tunnel struct {
	name       string
	head, tail string
	links      []int
}

// access is where a customer's router joins a VPN.
type access struct {
	vpn    string
	pe, ce end
}

// vpn is a service over tunnels.
type vpn struct {
	name    string
	pes     []string
	tunnels []int
	access  []int
}

// carrier is the whole network with its relations worked out.
type carrier struct {
	fibres  []fibre
	links   []ipLink
	tunnels []tunnel
	access  []access
	vpns    []vpn
	ports   map[string][]string // router: its core interfaces
	clients map[string][]string // optical node: its client ports
	lines   map[string][]string // optical node: its line ports
	site    map[string]string   // node: its place
	optical map[string]string   // router: the optical node of its site
}

func plan() *carrier {
	c := &carrier{
		ports: map[string][]string{}, clients: map[string][]string{}, lines: map[string][]string{},
		site: map[string]string{}, optical: map[string]string{},
	}
	router := map[string]string{}
	for _, s := range sites {
		o := "O-" + s.place
		router[s.place] = s.router
		c.site[s.router], c.site[o] = s.place, s.place
		c.optical[s.router] = o
	}
	next := func(ports map[string][]string, node, format string) end {
		tp := fmt.Sprintf(format, len(ports[node])+1)
		ports[node] = append(ports[node], tp)
		return end{node, tp}
	}
	between := map[[2]string]int{}
	for i, f := range fibres {
		c.fibres = append(c.fibres, fibre{next(c.lines, "O-"+f[0], "OTS-1-%d"), next(c.lines, "O-"+f[1], "OTS-1-%d")})
		between[f] = i
		between[[2]string{f[1], f[0]}] = i
	}
	for _, route := range ipLinks {
		a, b := route[0], route[len(route)-1]
		l := ipLink{
			a: next(c.ports, router[a], "eth%d"), b: next(c.ports, router[b], "eth%d"),
			ca: next(c.clients, "O-"+a, "CLI-1-%d"), cb: next(c.clients, "O-"+b, "CLI-1-%d"),
		}
		for i := range len(route) - 1 {
			l.fibres = append(l.fibres, between[[2]string{route[i], route[i+1]}])
		}
		c.links = append(c.links, l)
	}
	byEnds := map[[2]string]int{}
	accesses := map[string]int{}
	for _, v := range vpns {
		s := vpn{name: v.name, pes: v.pes}
		for i, pe := range v.pes {
			accesses[pe]++
			s.access = append(s.access, len(c.access))
			c.access = append(c.access, access{v.name, end{pe, fmt.Sprintf("ge%d", accesses[pe])}, end{fmt.Sprintf("CE%d-%s", i+1, v.name), "wan0"}})
			for _, other := range v.pes {
				if other == pe {
					continue
				}
				t, ok := byEnds[[2]string{pe, other}]
				if !ok {
					t = len(c.tunnels)
					byEnds[[2]string{pe, other}] = t
					c.tunnels = append(c.tunnels, tunnel{fmt.Sprintf("tunnel%d", t+1), pe, other, c.route(pe, other)})
				}
				s.tunnels = append(s.tunnels, t)
			}
		}
		c.vpns = append(c.vpns, s)
	}
	return c
}

// route returns the IP links of the path with the fewest; among equals, the one whose
// links stand first in the plan.
func (c *carrier) route(from, to string) []int {
	type step struct {
		node string
		path []int
	}
	seen := map[string]bool{from: true}
	for queue := []step{{node: from}}; len(queue) > 0; queue = queue[1:] {
		s := queue[0]
		if s.node == to {
			return s.path
		}
		for i, l := range c.links {
			far := ""
			switch s.node {
			case l.a.node:
				far = l.b.node
			case l.b.node:
				far = l.a.node
			default:
				continue
			}
			if !seen[far] {
				seen[far] = true
				queue = append(queue, step{far, append(slices.Clone(s.path), i)})
			}
		}
	}
	return nil
}

// towards returns the ends of link i in the direction of travel out of node.
func (c *carrier) towards(i int, node string) (from, to end) {
	l := c.links[i]
	if l.a.node == node {
		return l.a, l.b
	}
	return l.b, l.a
}

// through returns the tunnels that pass one of the links.
func (c *carrier) through(links []int) (tunnels []int) {
	for i, t := range c.tunnels {
		if slices.ContainsFunc(t.links, func(l int) bool { return slices.Contains(links, l) }) {
			tunnels = append(tunnels, i)
		}
	}
	return tunnels
}

// linksOf returns the IP links that end at a router.
func (c *carrier) linksOf(router string) (links []int) {
	for i, l := range c.links {
		if l.a.node == router || l.b.node == router {
			links = append(links, i)
		}
	}
	return links
}

// over returns the IP links whose channels pass a fibre.
func (c *carrier) over(f int) (links []int) {
	for i, l := range c.links {
		if slices.Contains(l.fibres, f) {
			links = append(links, i)
		}
	}
	return links
}
