package correlate

import (
	"fmt"

	"incidentd/incident/topology"
)

// Preview is what work on an object will touch.
type Preview struct {
	// Links are the links and tunnels that go down with it, the nearest first.
	Links []topology.LinkRef
	// Nodes are those that are down or cut off.
	Nodes []string
	// Services are those hit, sorted, and States say of each, in the same order, how.
	Services []string
	States   []ServiceState
}

// Preview tells what would go down with an object, as the topology and what has failed
// already let expect: what a maintenance window will touch. It changes nothing. An error
// wraps [ErrUnknown].
func (e *Engine) Preview(o MarkObject) (Preview, error) {
	h, err := e.failureOf(o)
	if err != nil {
		return Preview{}, err
	}
	i := &incident{root: h, t0: e.now}
	s := &e.spread
	s.begin(e, e.now)
	s.from(i, h)
	s.climb()
	s.findFringe()
	s.islands()
	var p Preview
	for _, ed := range s.order {
		if d := e.x.Edge(ed); s.down(ed) && d.Kind != topology.ServiceEdge {
			p.Links = append(p.Links, topology.LinkRef{Network: d.Network, Link: d.Link})
		}
	}
	for _, n := range append(s.nodes, s.cut...) {
		p.Nodes = append(p.Nodes, e.x.NodeName(n))
	}
	for _, v := range e.servicesHit(i, s) {
		p.Services, p.States = append(p.Services, v.name), append(p.States, v.state)
	}
	return p, nil
}

// failureOf returns the cause that an object's failure is.
func (e *Engine) failureOf(o MarkObject) (*hypothesis, error) {
	if o.Node == "" {
		ed, ok := e.x.Link(o.Network, o.Link)
		if !ok {
			return nil, fmt.Errorf("%w: network %q has no link %q", ErrUnknown, o.Network, o.Link)
		}
		return e.edgeHyp(EdgeFailure, ed), nil
	}
	n, ok := e.x.Node(o.Node)
	if !ok {
		return nil, fmt.Errorf("%w: there is no node %q", ErrUnknown, o.Node)
	}
	if o.Resource == "" {
		return e.nodeHyp(NodeFailure, n), nil
	}
	if c, ok := e.x.Card(n, o.Resource); ok {
		return e.cardHyp(c), nil
	}
	if p, ok := e.x.Port(n, o.Resource); ok {
		return e.portHyp(p), nil
	}
	return nil, fmt.Errorf("%w: node %q has no port or card %q", ErrUnknown, o.Node, o.Resource)
}
