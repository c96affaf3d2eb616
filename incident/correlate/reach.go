package correlate

import (
	"cmp"
	"slices"

	"incidentd/incident/topology"
)

// reach is what an incident brings down or degrades: the root's edges with everything
// that rides on them, nodes that are dead or cut off, and the services hit.
type reach struct {
	edges    []reachedEdge
	nodes    []topology.NodeID
	fringe   []topology.NodeID
	services []serviceHit
}

type reachedEdge struct {
	edge topology.EdgeID
	down bool // else degraded
}

type serviceHit struct {
	service topology.ServiceID
	name    string
	state   ServiceState
}

// mostReach bounds how much one incident registers.
const mostReach = 100_000

// spread is a reach in the making.
type spread struct {
	e     *Engine
	t     int64
	state map[topology.EdgeID]bool // edge to down
	order []topology.EdgeID
	dead  map[topology.NodeID]bool
	nodes []topology.NodeID
}

// recompute finds what an incident reaches now, registers it, and lets symptoms that
// wait there look again.
func (e *Engine) recompute(i *incident) {
	i.darken()
	s := spread{e: e, t: i.t0, state: map[topology.EdgeID]bool{}, dead: map[topology.NodeID]bool{}}
	s.fromRoot(i)
	for _, l := range i.congested {
		if ed, ok := e.x.Link(l.Network, l.Link); ok {
			s.edge(ed, false)
		}
	}
	s.climb()
	r := reach{nodes: s.nodes}
	for _, ed := range s.order {
		r.edges = append(r.edges, reachedEdge{ed, s.state[ed]})
	}
	island := s.islands()
	r.nodes = append(r.nodes, island.cut...)
	r.fringe = s.fringe()
	r.services = e.servicesHit(i, &s, island)
	if slices.Equal(r.edges, i.reach.edges) && slices.Equal(r.nodes, i.reach.nodes) {
		if !slices.Equal(r.services, i.reach.services) {
			i.reach.services = r.services
			e.changed(i)
		}
		return
	}
	e.unregister(i)
	i.reach = r
	e.register(i)
	e.changed(i)
	e.retry(i)
}

// darken notes since when a power failure has taken its nodes: until an alarm tells so,
// they live on their batteries.
func (i *incident) darken() {
	i.dark, i.darkAt = false, 0
	if i.root.cause != PowerFailure {
		return
	}
	for _, a := range i.members {
		if !a.soft && (!powerSet.has(a.class) || a.class == Gasp) && (!i.dark || a.t < i.darkAt) {
			i.dark, i.darkAt = true, a.t
		}
	}
}

// fromRoot begins with what the root itself takes.
func (s *spread) fromRoot(i *incident) {
	h, e := i.root, s.e
	switch h.cause {
	case EdgeFailure, AccessOutage:
		s.edge(h.edge, true)
	case Degradation:
		s.edge(h.edge, false)
	case SessionReset:
		s.edge(h.edge, true)
	case PortFailure:
		s.port(h.port)
	case CardFailure:
		if h.card != topology.None {
			for _, p := range e.x.CardPorts(h.card) {
				s.port(p)
			}
		}
	case NodeFailure:
		s.node(h.n)
	case PowerFailure:
		if i.dark {
			for _, name := range e.siteNodes(h) {
				if n, ok := e.x.Node(name); ok {
					s.node(n)
				}
			}
		}
	case IGPFailure, RoutingCrash:
		for _, a := range i.members {
			if (a.class == Adjacency || a.class == IGPAuth) && a.obj.port != topology.None {
				s.port(a.obj.port)
			}
		}
	case Unknown:
		for _, a := range i.members {
			if downSet.has(a.class) && a.obj.port != topology.None {
				s.port(a.obj.port)
			}
		}
	}
}

func (s *spread) edge(ed topology.EdgeID, down bool) {
	if ed == topology.None || len(s.order) >= mostReach {
		return
	}
	was, ok := s.state[ed]
	if !ok {
		s.order = append(s.order, ed)
	}
	s.state[ed] = was || down
}

func (s *spread) port(p topology.PortID) {
	if p == topology.None {
		return
	}
	for _, ed := range s.e.x.PortEdges(p) {
		if s.e.x.Edge(ed).Kind <= topology.AccessEdge {
			s.edge(ed, true)
		}
	}
}

func (s *spread) node(n topology.NodeID) {
	if n == topology.None || s.dead[n] {
		return
	}
	s.dead[n] = true
	s.nodes = append(s.nodes, n)
	for _, ed := range s.e.x.NodeEdges(n) {
		s.edge(ed, true)
	}
}

// climb adds what rides on what is there, except channels that have switched over.
func (s *spread) climb() {
	x := s.e.x
	for at := 0; at < len(s.order); at++ {
		ed := s.order[at]
		if x.Edge(ed).Kind == topology.ChannelEdge && s.e.protected(ed, s.t) && !s.ridersDown(ed) {
			continue
		}
		for _, o := range x.Over(ed) {
			s.edge(o, s.state[ed])
		}
	}
}

func (s *spread) ridersDown(c topology.EdgeID) bool {
	for _, l := range s.e.x.Over(c) {
		d := s.e.x.Edge(l)
		if s.e.heard(d.PortA, downSet, s.t) || s.e.heard(d.PortB, downSet, s.t) {
			return true
		}
	}
	return false
}

// fringe returns the ends of the links that are down, where traffic seeks another way.
func (s *spread) fringe() (out []topology.NodeID) {
	const most = 64
	for _, ed := range s.order {
		d := s.e.x.Edge(ed)
		if d.Kind != topology.LinkEdge || !s.state[ed] {
			continue
		}
		for _, n := range [2]topology.NodeID{d.A, d.B} {
			if !slices.Contains(out, n) && len(out) < most {
				out = append(out, n)
			}
		}
	}
	return out
}

// islands are the parts that failed links and nodes cut off. Nodes of the rest, and of
// a part too large to look through, are in part 0.
type islands struct {
	part map[topology.NodeID]int
	cut  []topology.NodeID
}

// mostIsland is the size above which a part counts as the rest of the network.
const mostIsland = 64

func (s *spread) islands() islands {
	out := islands{part: map[topology.NodeID]int{}}
	var parts [][]topology.NodeID
	rest := false
	for _, start := range s.fringe() {
		if s.dead[start] || out.part[start] != 0 {
			continue
		}
		part := s.flood(start)
		if part == nil {
			rest = true
			continue
		}
		parts = append(parts, part)
		for _, n := range part {
			out.part[n] = len(parts)
		}
	}
	largest := -1
	if !rest {
		for k := range parts {
			if largest < 0 || len(parts[k]) > len(parts[largest]) {
				largest = k
			}
		}
	}
	for k := range parts {
		if k != largest {
			out.cut = append(out.cut, parts[k]...)
		}
	}
	for _, n := range s.nodes {
		out.part[n] = -1
	}
	return out
}

// flood returns the nodes reachable over links that still work; nil if they are many.
func (s *spread) flood(start topology.NodeID) []topology.NodeID {
	x := s.e.x
	seen := map[topology.NodeID]bool{start: true}
	queue := []topology.NodeID{start}
	for at := 0; at < len(queue); at++ {
		for _, ed := range x.NodeEdges(queue[at]) {
			if x.Edge(ed).Kind != topology.LinkEdge || s.state[ed] {
				continue
			}
			far, _ := x.Far(ed, queue[at])
			if seen[far] || s.dead[far] {
				continue
			}
			if len(queue) >= mostIsland {
				return nil
			}
			seen[far] = true
			queue = append(queue, far)
		}
	}
	return queue
}

// servicesHit returns the services whose paths or accesses are among the edges, by name.
func (e *Engine) servicesHit(i *incident, s *spread, is islands) []serviceHit {
	hit := map[topology.ServiceID]ServiceState{}
	var order []topology.ServiceID
	add := func(v topology.ServiceID, st ServiceState) {
		if _, ok := hit[v]; !ok {
			order = append(order, v)
		}
		hit[v] = max(hit[v], st)
	}
	for _, ed := range s.order {
		d := e.x.Edge(ed)
		st := Degraded
		switch d.Kind {
		case topology.ServiceEdge:
			if s.state[ed] && is.part[d.A] != is.part[d.B] {
				st = Outage
			}
			add(d.Service, st)
		case topology.LinkEdge, topology.AccessEdge:
			if d.Kind == topology.AccessEdge && s.state[ed] {
				st = Outage
			}
			for _, p := range [2]topology.PortID{d.PortA, d.PortB} {
				for _, v := range e.customers[p] {
					add(v, st)
				}
			}
		case topology.SessionEdge:
			if i.root.cause != SessionReset {
				continue
			}
			for _, acc := range e.accessBetween(d.A, d.B) {
				ad := e.x.Edge(acc)
				for _, p := range [2]topology.PortID{ad.PortA, ad.PortB} {
					for _, v := range e.customers[p] {
						add(v, Outage)
					}
				}
			}
		}
	}
	for _, a := range i.members {
		if a.obj.service == topology.None {
			continue
		}
		switch {
		case i.root.cause == Transaction:
			add(a.obj.service, Degraded)
		case i.root.cause == Unknown:
			if a.class == ServiceLost {
				add(a.obj.service, Outage)
			} else {
				add(a.obj.service, Degraded)
			}
		}
	}
	out := make([]serviceHit, 0, len(order))
	for _, v := range order {
		out = append(out, serviceHit{v, e.x.ServiceName(v), hit[v]})
	}
	slices.SortFunc(out, func(a, b serviceHit) int { return cmp.Compare(a.name, b.name) })
	return out
}

func (e *Engine) register(i *incident) {
	for _, r := range i.reach.edges {
		e.edgeInc[r.edge] = append(e.edgeInc[r.edge], i)
	}
	for _, n := range i.reach.nodes {
		e.nodeInc[n] = append(e.nodeInc[n], i)
	}
	for _, n := range i.reach.fringe {
		e.fringe[n] = append(e.fringe[n], i)
	}
}

func (e *Engine) unregister(i *incident) {
	for _, r := range i.reach.edges {
		unlink(e.edgeInc, r.edge, i)
	}
	for _, n := range i.reach.nodes {
		unlink(e.nodeInc, n, i)
	}
	for _, n := range i.reach.fringe {
		unlink(e.fringe, n, i)
	}
}

func unlink[K comparable, V comparable](m map[K][]V, k K, v V) {
	s := m[k]
	if j := slices.Index(s, v); j >= 0 {
		if len(s) == 1 {
			delete(m, k)
			return
		}
		m[k] = slices.Delete(s, j, j+1)
	}
}
