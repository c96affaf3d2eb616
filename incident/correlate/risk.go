package correlate

import (
	"slices"

	"incidentd/incident/topology"
)

// foretold returns the open potential-risk incident that has foretold an outage that is about
// to be raised: the light of the section was low, the processor of the node overloaded, a test has
// found the quality of what is down now impaired, at most a day before. The two are one incident, a fault from then on. Planned work was not foretold.
func (e *Engine) foretold(i *incident) *incident {
	if e.markOf(i.root, i.t0) >= 0 {
		return nil
	}
	risk := func(h *hypothesis) *incident {
		if h == nil {
			return nil
		}
		j := e.incidents[h.root]
		if j == nil || j == i || j.no == 0 || j.root != h || i.t0 < j.t0 || i.t0-j.t0 > day || !j.rootActive() {
			return nil
		}
		return j
	}
	switch h := i.root; h.cause {
	case EdgeFailure:
		if h.edge == topology.None {
			return nil
		}
		for _, ed := range e.x.bottoms(h.edge) {
			if j := risk(e.drift(ed)); j != nil {
				return j
			}
		}
	case PortFailure:
		if h.port == topology.None {
			return nil
		}
		for _, ed := range e.x.PortEdges(h.port) {
			if j := risk(e.drift(ed)); j != nil {
				return j
			}
		}
	case NodeFailure, RoutingCrash, IGPFailure:
		if j := risk(e.find(Overload, h.node, "")); j != nil {
			return j
		}
	case Interruption:
		return risk(e.find(Impairment, "", h.name))
	}
	if causeTexts[i.root.cause].risk {
		return nil
	}
	for _, r := range i.reach.edges {
		for _, j := range e.edgeInc[r.edge] {
			if j.i.root.cause == Impairment && risk(j.i.root) != nil {
				return j.i
			}
		}
	}
	return nil
}

// promote makes a risk the fault that it has foretold.
func (e *Engine) promote(j, i *incident) {
	h := i.root
	e.pin(j)
	e.joinCauses(i, j)
	if k := slices.Index(j.also, h); k >= 0 {
		j.root, j.also[k] = h, j.root
		j.rivals, j.score = i.rivals, i.score
		j.recount()
	}
	e.judge(j)
}

// drift returns the hypothesis that the light of an edge is low; nil if nothing has said so.
func (e *Engine) drift(ed topology.EdgeID) *hypothesis {
	d := e.x.Edge(ed)
	return e.find(OpticalDrift, d.Network, d.Link)
}

// risk reports whether an incident is only a risk: no cause of it is an outage.
func (i *incident) risk() bool {
	for _, h := range i.also {
		if !causeTexts[h.cause].risk {
			return false
		}
	}
	return causeTexts[i.root.cause].risk
}
