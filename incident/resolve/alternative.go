package resolve

import (
	"cmp"
	"slices"
	"strings"

	"incidentd/incident/topology"
	"incidentd/yang/data"
)

// Alternative is a way around what has failed.
type Alternative struct {
	From       string   `json:"from"`
	To         string   `json:"to"`
	Nodes      []string `json:"nodes"`
	Links      []string `json:"links"` // network/link-id
	SharesRisk bool     `json:"shares-risk,omitempty"`
	Services   []string `json:"services,omitempty"`
}

// String is the way and whom it serves, for people.
func (a Alternative) String() string {
	s := strings.Join(a.Nodes, " ")
	if len(a.Services) > 0 {
		s += " for " + strings.Join(a.Services, ", ")
	}
	if a.SharesRisk {
		s += " (which shares a risk with what has failed)"
	}
	return s
}

const (
	// mostDemands bounds the pairs of ends for which ways are sought, mostWays the ways for
	// each, mostServices the services that are looked at.
	mostDemands  = 4
	mostWays     = 2
	mostServices = 64
	// mostReached bounds the edges that are followed up and down the stack.
	mostReached = 20_000
)

// around finds the ways around what an incident is about: between the ends of what the
// services use that it hits, or where none is known of the failed links themselves.
func around(x *topology.Index, running, inc *data.Node) []Alternative {
	if x == nil {
		return nil
	}
	d := newDamage(x, running, inc)
	if len(d.down) == 0 && len(d.nodes) == 0 {
		return nil
	}
	var out []Alternative
	for _, w := range d.demands(inc.Values("service-instance")) {
		shares := false
		ways := x.Paths(w.a, w.b, mostWays, d.risky)
		if len(ways) == 0 {
			shares = true
			ways = x.Paths(w.a, w.b, mostWays, d.broken)
		}
		for _, p := range ways {
			a := Alternative{From: x.NodeName(w.a), To: x.NodeName(w.b), SharesRisk: shares, Services: w.services}
			for _, n := range p.Nodes {
				a.Nodes = append(a.Nodes, x.NodeName(n))
			}
			for _, e := range p.Edges {
				a.Links = append(a.Links, x.Edge(e).Network+"/"+x.Edge(e).Link)
			}
			out = append(out, a)
		}
	}
	return out
}

// damage is what has failed, and what shares a risk with it.
type damage struct {
	x     *topology.Index
	down  map[topology.EdgeID]bool // with what rides on it
	nodes map[topology.NodeID]bool
	cards map[topology.CardID]bool
	under map[topology.EdgeID]bool // what failed edges rest on, at the bottom
}

func newDamage(x *topology.Index, running, inc *data.Node) *damage {
	d := &damage{x: x, down: map[topology.EdgeID]bool{}, nodes: map[topology.NodeID]bool{}, cards: map[topology.CardID]bool{},
		under: map[topology.EdgeID]bool{}}
	var edges []topology.EdgeID
	for c := range inc.Child("root-causes").Entries("root-cause") {
		n, ok := x.Node(c.Leaf("node"))
		if !ok {
			continue
		}
		parts := 0
		for r := range c.Entries("resource") {
			parts++
			edges = append(edges, d.part(n, r.Leaf("name"))...)
		}
		if parts == 0 {
			d.nodes[n] = true
			edges = append(edges, x.NodeEdges(n)...)
		}
	}
	for queue := edges; len(queue) > 0 && len(d.down) < mostReached; queue = queue[1:] {
		if e := queue[0]; !d.down[e] {
			d.down[e] = true
			queue = append(queue, x.Over(e)...)
		}
	}
	for e := range d.down {
		// What the links of a dead node rest on is not to blame.
		at := x.Edge(e)
		if k := at.Kind; (k == topology.LinkEdge || k == topology.ChannelEdge || k == topology.SectionEdge) && !d.nodes[at.A] && !d.nodes[at.B] {
			for _, b := range x.Bottoms(e) {
				d.under[b] = true
			}
		}
	}
	d.configured(running)
	return d
}

// part are the edges that a part of a node takes with it.
func (d *damage) part(n topology.NodeID, name string) (edges []topology.EdgeID) {
	ports := []topology.PortID(nil)
	if c, ok := d.x.Card(n, name); ok {
		d.cards[c] = true
		ports = d.x.CardPorts(c)
	} else if p, ok := d.x.Port(n, name); ok {
		ports = []topology.PortID{p}
	}
	for len(ports) > 0 {
		p := ports[0]
		ports = append(ports[1:], d.x.PortAbove(p)...)
		for _, e := range d.x.PortEdges(p) {
			if d.x.Kind(e) <= topology.AccessEdge {
				edges = append(edges, e)
			}
		}
		if len(edges) > mostReached {
			break
		}
	}
	return edges
}

// configured adds the members of shared risks of incidentd-correlation that have failed.
func (d *damage) configured(running *data.Node) {
	for risk := range running.Child("correlation").Entries("shared-risk") {
		var edges []topology.EdgeID
		hit := false
		for m := range risk.Entries("member") {
			var of []topology.EdgeID
			if l := m.Leaf("link"); l != "" {
				if e, ok := d.x.Link(m.Leaf("network"), l); ok {
					of = append(of, e)
				}
			} else if n, ok := d.x.Node(m.Leaf("node")); ok {
				if name := m.Leaf("resource"); name != "" {
					p, ok := d.x.Port(n, name)
					if ok {
						of = d.x.PortEdges(p)
					}
				} else {
					hit = hit || d.nodes[n]
				}
			}
			for _, e := range of {
				hit = hit || d.down[e] || d.under[e]
			}
			edges = append(edges, of...)
		}
		if hit {
			for _, e := range edges {
				d.under[e] = true
			}
		}
	}
}

// broken reports whether a hop leads over what has failed.
func (d *damage) broken(h topology.Hop) bool { return d.down[h.Edge] || d.nodes[h.Far] }

// risky reports whether a hop shares a risk with what has failed: a section, a card, or a
// shared risk.
func (d *damage) risky(h topology.Hop) bool {
	if d.broken(h) || d.under[h.Edge] {
		return true
	}
	e := d.x.Edge(h.Edge)
	for _, p := range []topology.PortID{e.PortA, e.PortB} {
		if p != topology.None {
			if c := d.x.PortCard(p); c != topology.None && d.cards[c] {
				return true
			}
		}
	}
	return slices.ContainsFunc(d.x.Bottoms(h.Edge), func(b topology.EdgeID) bool { return d.under[b] })
}

// demand is a pair of nodes between which a way is sought, and for whom.
type demand struct {
	a, b     topology.NodeID
	services []string
}

// demands are the ends of what hit services use that has failed; of the failed links
// themselves where there is no service.
func (d *damage) demands(services []string) (out []demand) {
	add := func(a, b topology.NodeID, service string) {
		if a == b || a == topology.None || b == topology.None || d.nodes[a] || d.nodes[b] {
			return
		}
		if a > b {
			a, b = b, a
		}
		i := slices.IndexFunc(out, func(w demand) bool { return w.a == a && w.b == b })
		if i < 0 {
			if len(out) == mostDemands {
				return
			}
			i, out = len(out), append(out, demand{a: a, b: b})
		}
		if service != "" && !slices.Contains(out[i].services, service) {
			out[i].services = append(out[i].services, service)
		}
	}
	for _, name := range services[:min(len(services), mostServices)] {
		s, ok := d.x.Service(name)
		if !ok {
			continue
		}
		for _, e := range d.x.ServiceLinks(s) {
			if d.down[e] {
				edge := d.x.Edge(e)
				add(edge.A, edge.B, name)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	var links []topology.EdgeID
	for e := range d.down {
		if d.x.Kind(e) == topology.LinkEdge {
			links = append(links, e)
		}
	}
	slices.SortFunc(links, func(a, b topology.EdgeID) int { return cmp.Compare(a, b) })
	for _, e := range links {
		edge := d.x.Edge(e)
		add(edge.A, edge.B, "")
	}
	return out
}
