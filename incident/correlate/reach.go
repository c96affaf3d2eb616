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
	atRisk   []string // services that have lost their protection, and no more
	tunnels  int      // that are down
}

type reachedEdge struct {
	edge topology.EdgeID
	down bool // else degraded
}

// reaching is an incident at an edge that it reaches.
type reaching struct {
	i    *incident
	down bool
}

type serviceHit struct {
	service topology.ServiceID
	name    string
	state   ServiceState
}

// mostReach bounds how much one incident registers.
const mostReach = 100_000

// spread is a reach in the making. Its tables are as large as the topology and are
// used again and again: an entry counts if it bears the number of the present turn.
type spread struct {
	e     *Engine
	t     int64
	turn  uint32
	state []turned // by edge: 1 degraded, 2 down
	order []topology.EdgeID
	sites []visit // by node
	floor uint32  // the number of the flood
	nodes []topology.NodeID
	rim   []topology.NodeID
	links int // that are down
	queue []topology.NodeID

	part  []turned // by node: the part it is in
	parts int32
	cut   []topology.NodeID
	hit   []turned // by service
	hits  []topology.ServiceID

	protected []topology.EdgeID // channels that have switched over
}

// visit is when a node was last found dead, and when last flooded.
type visit struct{ dead, seen uint32 }

type turned struct {
	turn  uint32
	value int32
}

// begin makes the tables fit the topology and ready for another turn.
func (s *spread) begin(e *Engine, t int64) {
	if len(s.state) != e.x.Edges() || len(s.sites) != e.x.Nodes() || s.turn == 1<<32-1 {
		n := e.x.Nodes()
		*s = spread{state: make([]turned, e.x.Edges()), sites: make([]visit, n), part: make([]turned, n),
			hit: make([]turned, e.x.Stats().Services)}
	}
	s.e, s.t, s.turn, s.parts, s.links = e, t, s.turn+1, 0, 0
	s.order, s.nodes, s.rim, s.cut, s.hits, s.protected = s.order[:0], s.nodes[:0], s.rim[:0], s.cut[:0], s.hits[:0], s.protected[:0]
}

// down reports whether an edge is.
func (s *spread) down(ed topology.EdgeID) bool {
	return s.state[ed].turn == s.turn && s.state[ed].value == 2
}

// recompute finds what an incident reaches now, registers it, and lets symptoms that
// wait there look again.
func (e *Engine) recompute(i *incident) {
	i.darken()
	s := &e.spread
	s.begin(e, i.t0)
	s.from(i, i.root)
	for _, h := range i.also {
		s.from(i, h)
	}
	for _, l := range i.congested {
		if ed, ok := e.x.Link(l.Network, l.Link); ok {
			s.edge(ed, false)
		}
	}
	s.climb()
	s.findFringe()
	s.islands()
	services, atRisk := e.servicesHit(i, s), s.atRisk()
	e.touch(i)
	if !slices.Equal(atRisk, i.reach.atRisk) {
		i.reach.atRisk = atRisk
		e.changed(i)
	}
	if s.same(&i.reach) {
		if !slices.Equal(services, i.reach.services) {
			i.reach.services = services
			e.changed(i)
		}
		return
	}
	e.unregister(i)
	i.reach = s.reach()
	i.reach.services, i.reach.atRisk = services, atRisk
	e.register(i)
	e.changed(i)
	e.retry(i)
}

// same reports whether a reach is what the spread has found.
func (s *spread) same(r *reach) bool {
	if len(r.edges) != len(s.order) || len(r.nodes) != len(s.nodes)+len(s.cut) {
		return false
	}
	for k, ed := range s.order {
		if r.edges[k] != (reachedEdge{ed, s.down(ed)}) {
			return false
		}
	}
	return slices.Equal(r.nodes[:len(s.nodes)], s.nodes) && slices.Equal(r.nodes[len(s.nodes):], s.cut)
}

// reach returns what the spread has found, to keep.
func (s *spread) reach() (r reach) {
	r.edges = make([]reachedEdge, len(s.order))
	for k, ed := range s.order {
		r.edges[k] = reachedEdge{ed, s.down(ed)}
		if r.edges[k].down && s.e.x.Edge(ed).Kind == topology.TunnelEdge {
			r.tunnels++
		}
	}
	if n := len(s.nodes) + len(s.cut); n > 0 {
		r.nodes = append(append(make([]topology.NodeID, 0, n), s.nodes...), s.cut...)
	}
	r.fringe = slices.Clone(s.rim)
	return r
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

// from begins with what a cause itself takes.
func (s *spread) from(i *incident, h *hypothesis) {
	e := s.e
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
			for _, n := range e.siteNodes(h) {
				s.node(n)
			}
		}
	case IGPFailure, RoutingCrash:
		for _, a := range i.members {
			if (a.class == Adjacency || a.class == IGPAuth) && a.obj.port != topology.None {
				s.port(a.obj.port)
			}
		}
	case Impairment, Interruption:
		s.supervised(i)
	case Unknown:
		for _, a := range i.members {
			if downSet.has(a.class) && a.obj.port != topology.None {
				s.port(a.obj.port)
			}
		}
	}
}

// supervised takes what tests have found to be bad: the links of services, or where they name
// none those of ports. They are down when nothing arrives.
func (s *spread) supervised(i *incident) {
	of := func(a *alarm) []topology.EdgeID {
		switch {
		case !testSet.has(a.class):
		case a.obj.service != topology.None:
			return s.e.x.ServiceLinks(a.obj.service)
		case a.obj.port != topology.None:
			return s.e.x.PortEdges(a.obj.port)
		}
		return nil
	}
	serves := slices.ContainsFunc(i.members, func(a *alarm) bool { return testSet.has(a.class) && a.obj.service != topology.None })
	for _, a := range i.members {
		if !serves || a.obj.service != topology.None {
			for _, ed := range of(a) {
				s.edge(ed, a.class == SupervisionLost)
			}
		}
	}
}

func (s *spread) edge(ed topology.EdgeID, down bool) {
	if ed == topology.None || len(s.order) >= mostReach {
		return
	}
	v := &s.state[ed]
	if v.turn != s.turn {
		*v = turned{s.turn, 1}
		s.order = append(s.order, ed)
	}
	if down {
		v.value = 2
	}
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
	if n == topology.None || s.sites[n].dead == s.turn {
		return
	}
	s.sites[n].dead = s.turn
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
			s.protected = append(s.protected, ed)
			continue
		}
		for _, o := range x.Over(ed) {
			s.edge(o, s.down(ed))
		}
	}
}

// atRisk returns the services that run over channels that have switched over and are not
// hit otherwise, by name: the next failure takes them.
func (s *spread) atRisk() (out []string) {
	x := s.e.x
	const most = 4096
	above := slices.Clone(s.protected)
	for at := 0; at < len(above) && len(above) < most; at++ {
		if d := x.Edge(above[at]); d.Kind == topology.ServiceEdge && s.hit[d.Service].turn != s.turn {
			out = append(out, x.ServiceName(d.Service))
		}
		for _, o := range x.Over(above[at]) {
			if s.state[o].turn != s.turn && !slices.Contains(above, o) {
				above = append(above, o)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
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

// findFringe finds the ends of the links that are down, where traffic seeks another way.
func (s *spread) findFringe() {
	const most = 64
	for _, ed := range s.order {
		d := s.e.x.Edge(ed)
		if d.Kind != topology.LinkEdge || !s.down(ed) {
			continue
		}
		s.links++
		for _, n := range [2]topology.NodeID{d.A, d.B} {
			if len(s.rim) < most && !slices.Contains(s.rim, n) {
				s.rim = append(s.rim, n)
			}
		}
	}
}

// mostIsland is the size above which a part counts as the rest of the network.
const mostIsland = 64

// islands finds the parts that failed links and nodes cut off. Nodes of the rest, and of
// a part too large to look through, are in part 0; dead ones are in none.
func (s *spread) islands() {
	if s.whole() {
		return
	}
	rest := false
	largest, size, from := int32(0), 0, 0
	var ends []int // where each part ends in cut
	for _, start := range s.rim {
		if s.sites[start].dead == s.turn || s.partOf(start) != 0 {
			continue
		}
		part := s.flood(start)
		if part == nil {
			rest = true
			continue
		}
		s.parts++
		for _, n := range part {
			s.part[n] = turned{s.turn, s.parts}
		}
		s.cut = append(s.cut, part...)
		ends = append(ends, len(s.cut))
		if len(part) > size {
			largest, size = s.parts, len(part)
		}
	}
	if !rest && largest > 0 { // the largest is what is left of the network
		if largest > 1 {
			from = ends[largest-2]
		}
		s.cut = slices.Delete(s.cut, from, ends[largest-1])
	}
	for _, n := range s.nodes {
		s.part[n] = turned{s.turn, -1}
	}
}

// whole reports whether what is down obviously cuts nothing off: one link that has a way
// round, in a network that is large.
func (s *spread) whole() bool {
	if s.links != 1 || len(s.nodes) > 0 || s.e.x.PartSize(s.rim[0]) <= mostIsland {
		return false
	}
	for _, ed := range s.order {
		if s.e.x.Kind(ed) == topology.LinkEdge && s.down(ed) {
			return s.e.x.Redundant(ed)
		}
	}
	return false
}

// partOf returns the part that a node is in.
func (s *spread) partOf(n topology.NodeID) int32 {
	if s.part[n].turn == s.turn {
		return s.part[n].value
	}
	return 0
}

// flood returns the nodes reachable over links that still work; nil if they are many.
func (s *spread) flood(start topology.NodeID) []topology.NodeID {
	if s.floor++; s.floor == 0 {
		clear(s.sites)
		s.floor = 1
	}
	s.sites[start].seen = s.floor
	s.queue = append(s.queue[:0], start)
	for at := 0; at < len(s.queue); at++ {
		for _, hop := range s.e.x.Hops(s.queue[at]) {
			v := &s.sites[hop.Far]
			if v.seen == s.floor || v.dead == s.turn || s.down(hop.Edge) {
				continue
			}
			if len(s.queue) >= mostIsland {
				return nil
			}
			v.seen = s.floor
			s.queue = append(s.queue, hop.Far)
		}
	}
	return s.queue
}

// servicesHit returns the services whose paths or accesses are among the edges, by name.
func (e *Engine) servicesHit(i *incident, s *spread) []serviceHit {
	add := func(v topology.ServiceID, st ServiceState) {
		h := &s.hit[v]
		if h.turn != s.turn {
			*h = turned{s.turn, 0}
			s.hits = append(s.hits, v)
		}
		h.value = max(h.value, int32(st))
	}
	for _, ed := range s.order {
		d := e.x.Edge(ed)
		st := Degraded
		switch d.Kind {
		case topology.ServiceEdge:
			if s.down(ed) && s.partOf(d.A) != s.partOf(d.B) {
				st = Outage
			}
			add(d.Service, st)
		case topology.LinkEdge, topology.AccessEdge:
			if d.Kind == topology.AccessEdge && s.down(ed) {
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
			for _, acc := range e.x.accessBetween(d.A, d.B) {
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
	if len(s.hits) == 0 {
		return nil
	}
	out := make([]serviceHit, 0, len(s.hits))
	for _, v := range s.hits {
		out = append(out, serviceHit{v, e.x.ServiceName(v), ServiceState(s.hit[v].value)})
	}
	slices.SortFunc(out, func(a, b serviceHit) int { return cmp.Compare(a.name, b.name) })
	return out
}

func (e *Engine) register(i *incident) {
	for _, r := range i.reach.edges {
		e.edgeInc[r.edge] = e.lists.reaching.push(e.edgeInc[r.edge], reaching{i, r.down})
	}
	for _, n := range i.reach.nodes {
		e.nodeInc[n] = e.lists.incidents.push(e.nodeInc[n], i)
	}
	e.outages += len(i.reach.fringe)
	for _, n := range i.reach.fringe {
		e.fringe[n] = e.lists.incidents.push(e.fringe[n], i)
	}
}

func (e *Engine) unregister(i *incident) {
	for _, r := range i.reach.edges {
		unlink(&e.edgeInc[r.edge], reaching{i, r.down})
	}
	for _, n := range i.reach.nodes {
		unlink(&e.nodeInc[n], i)
	}
	e.outages -= len(i.reach.fringe)
	for _, n := range i.reach.fringe {
		unlink(&e.fringe[n], i)
	}
}

// unlink takes what is registered at a place away from there.
func unlink[V comparable](at *[]V, v V) {
	s := *at
	switch j := slices.Index(s, v); {
	case j < 0:
	case len(s) == 1:
		*at = nil
	case j == 0:
		*at = s[1:]
	default:
		*at = slices.Delete(s, j, j+1)
	}
}
