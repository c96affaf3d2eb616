package correlate

import "incidentd/incident/topology"

// hypothesis is one possible cause. Its names are its identity; the rest is resolved
// in the present epoch and holds for it.
type hypothesis struct {
	cause Cause
	// node and name are the place; for edges, the network and the link.
	node, name string

	edge topology.EdgeID
	n    topology.NodeID
	port topology.PortID
	card topology.CardID
	site topology.SiteID

	live []*alarm // alarms that may still move and list it, in the order in which they became so
	root uint64   // the open incident whose root it is; 0 if none
	past *history // nil if it is not known yet whether there is any

	solve uint64 // the solve that looked at it last
	index int32  // its place in that solve
	from  int64  // the span of time that the solve has looked through
	to    int64
}

type hypKey struct {
	cause      Cause
	node, name string
}

func (h *hypothesis) key() hypKey { return hypKey{h.cause, h.node, h.name} }

// hypotheses holds them by what they are about, and by name what the topology does not
// know.
type hypotheses struct {
	edges [causes][]*hypothesis
	nodes [causes][]*hypothesis
	ports []*hypothesis
	cards []*hypothesis
	sites []*hypothesis
	named map[hypKey]*hypothesis
	arena arena[hypothesis]
}

// cell returns the place of id in a table, which is made when it is first needed.
func cell[ID ~int32](t *[]*hypothesis, id ID, n int) **hypothesis {
	if *t == nil {
		*t = make([]*hypothesis, n)
	}
	return &(*t)[id]
}

// all returns those that exist, in no order.
func (t *hypotheses) all() (out []*hypothesis) {
	take := func(hs []*hypothesis) {
		for _, h := range hs {
			if h != nil {
				out = append(out, h)
			}
		}
	}
	for c := range causes {
		take(t.edges[c])
		take(t.nodes[c])
	}
	take(t.ports)
	take(t.cards)
	take(t.sites)
	for _, h := range t.named {
		out = append(out, h)
	}
	return out
}

// find returns the hypothesis of a cause at a place; nil if nothing has asked for it yet.
func (e *Engine) find(c Cause, node, name string) *hypothesis {
	const no = topology.None
	switch c {
	case EdgeFailure, AccessOutage, Degradation, OpticalDrift, SessionReset:
		if ed, ok := e.x.Link(node, name); ok {
			return *cell(&e.hyps.edges[c], ed, e.x.Edges())
		}
	case PowerFailure:
		if s, ok := e.x.Site(name); ok && node == "" {
			return *cell(&e.hyps.sites, s, e.x.Sites())
		}
	}
	if n, ok := e.x.Node(node); ok {
		if name == "" {
			return *cell(&e.hyps.nodes[c], n, e.x.Nodes())
		}
		if p, ok := e.x.Port(n, name); ok && c == PortFailure {
			return *cell(&e.hyps.ports, p, e.x.Ports())
		}
		if k, ok := e.x.Card(n, name); ok && c == CardFailure {
			return *cell(&e.hyps.cards, k, e.x.Cards())
		}
	}
	return e.hyps.named[hypKey{c, node, name}]
}

// hypothesis returns the hypothesis of a cause at a place by its names.
func (e *Engine) hypothesis(c Cause, node, name string) *hypothesis {
	switch c {
	case EdgeFailure, AccessOutage, Degradation, OpticalDrift, SessionReset:
		if ed, ok := e.x.Link(node, name); ok {
			return e.edgeHyp(c, ed)
		}
	case PowerFailure:
		if s, ok := e.x.Site(name); ok && node == "" {
			return e.siteHypOf(s)
		}
	}
	n, ok := e.x.Node(node)
	if ok {
		if name == "" {
			return e.nodeHyp(c, n)
		}
		if p, ok := e.x.Port(n, name); ok && c == PortFailure {
			return e.portHyp(p)
		}
		if k, ok := e.x.Card(n, name); ok && c == CardFailure {
			return e.cardHyp(k)
		}
	}
	k := hypKey{c, node, name}
	h := e.hyps.named[k]
	if h == nil {
		h = e.hyps.make(c, node, name)
		if ok {
			h.n = n
			if p, ok := e.x.Port(n, name); ok {
				h.port = p
			}
			if k, ok := e.x.Card(n, name); ok {
				h.card = k
			}
		}
		e.hyps.named[k] = h
	}
	return h
}

func (t *hypotheses) make(c Cause, node, name string) *hypothesis {
	const no = topology.None
	h := t.arena.new()
	*h = hypothesis{cause: c, node: node, name: name, edge: no, n: no, port: no, card: no, site: no}
	return h
}

func (e *Engine) edgeHyp(c Cause, ed topology.EdgeID) *hypothesis {
	p := cell(&e.hyps.edges[c], ed, e.x.Edges())
	if *p == nil {
		d := e.x.Edge(ed)
		*p = e.hyps.make(c, d.Network, d.Link)
		(*p).edge = ed
	}
	return *p
}

func (e *Engine) nodeHyp(c Cause, n topology.NodeID) *hypothesis {
	p := cell(&e.hyps.nodes[c], n, e.x.Nodes())
	if *p == nil {
		*p = e.hyps.make(c, e.x.NodeName(n), "")
		(*p).n = n
	}
	return *p
}

func (e *Engine) portHyp(id topology.PortID) *hypothesis {
	p := cell(&e.hyps.ports, id, e.x.Ports())
	if *p == nil {
		*p = e.hyps.make(PortFailure, e.x.NodeName(e.x.PortNode(id)), e.x.PortName(id))
		(*p).n, (*p).port = e.x.PortNode(id), id
		if c, ok := e.x.Card((*p).n, (*p).name); ok {
			(*p).card = c
		}
	}
	return *p
}

func (e *Engine) cardHyp(id topology.CardID) *hypothesis {
	p := cell(&e.hyps.cards, id, e.x.Cards())
	if *p == nil {
		*p = e.hyps.make(CardFailure, e.x.NodeName(e.x.CardNode(id)), e.x.CardName(id))
		(*p).n, (*p).card = e.x.CardNode(id), id
		if q, ok := e.x.Port((*p).n, (*p).name); ok {
			(*p).port = q
		}
	}
	return *p
}

func (e *Engine) siteHypOf(s topology.SiteID) *hypothesis {
	p := cell(&e.hyps.sites, s, e.x.Sites())
	if *p == nil {
		*p = e.hyps.make(PowerFailure, "", e.x.SiteName(s))
		(*p).site = s
	}
	return *p
}

// siteHyp is the power failure at a node's site; where none is known, of the node.
func (e *Engine) siteHyp(n topology.NodeID) *hypothesis {
	if s := e.x.NodeSite(n); s != topology.None {
		return e.siteHypOf(s)
	}
	return e.nodeHyp(PowerFailure, n)
}
