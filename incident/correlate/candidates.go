package correlate

import (
	"slices"

	"incidentd/incident/topology"
)

// cand is a possible cause of an alarm, with the rule that speaks for it most.
type cand struct {
	h    *hypothesis
	rule *Rule
	root bool
}

// sameTrace is the rule by which the events of a trace belong together.
var sameTrace = &Rule{ID: "same-trace", Class: Span, Via: Self, Cause: Transaction, Root: true}

// candidates returns the possible causes of an alarm of class c at o. The text is
// looked into only where the reporter names a node and means one of its ports, and the qualifier
// where it is the name of a test.
func (e *Engine) candidates(o *object, c Class, text, qualifier string) []cand {
	vague := o.port == topology.None && o.nodeID != topology.None && portSet.has(c) || testSet.has(c)
	if !vague {
		for i := range o.cands {
			if o.cands[i].class == c {
				return o.cands[i].cands
			}
		}
	}
	w := &e.walker
	*w = walker{e: e, o: o, class: c, test: qualifier, ports: e.x.portsMeant(o, c, text), out: w.out[:0]}
	for i := range e.byClass[c] {
		w.rule = &e.byClass[c][i]
		w.walk()
	}
	cands := slices.Clone(w.out)
	if !vague {
		o.cands = append(o.cands, classCands{c, cands})
	}
	return cands
}

// walker collects candidates along the relations of the rules.
type walker struct {
	e     *Engine
	o     *object
	class Class
	test  string
	ports []topology.PortID
	rule  *Rule
	out   []cand
}

func (w *walker) add(h *hypothesis) {
	for i := range w.out {
		if w.out[i].h == h {
			if w.rule.Weight > w.out[i].rule.Weight {
				w.out[i].rule = w.rule
			}
			w.out[i].root = w.out[i].root || w.rule.Root
			return
		}
	}
	w.out = append(w.out, cand{h, w.rule, w.rule.Root})
}

func (w *walker) walk() {
	x, o := w.e.x, w.o
	switch w.rule.Via {
	case Self:
		switch {
		case w.rule.Cause == CardFailure && o.card != topology.None:
			w.add(w.e.cardHyp(o.card))
		case w.rule.Cause == Impairment || w.rule.Cause == Interruption:
			w.add(w.e.hypothesis(w.rule.Cause, "", w.test)) // one, wherever the test has found it
		default:
			w.add(w.e.hypothesis(w.rule.Cause, o.node, o.name))
		}
	case OwnNode:
		if w.class == Other && o.name != "" {
			return // of a part of a node it says nothing about the whole
		}
		if o.nodeID != topology.None {
			w.add(w.e.nodeHyp(w.rule.Cause, o.nodeID))
		} else {
			w.add(w.e.hypothesis(w.rule.Cause, o.node, ""))
		}
	case OwnSite:
		if o.nodeID != topology.None {
			w.add(w.e.siteHyp(o.nodeID))
		} else {
			w.add(w.e.hypothesis(PowerFailure, o.node, ""))
		}
	case OwnSession:
		w.session()
	case AccessLine:
		w.accessLine()
	case PeerAccess:
		if o.nodeID == topology.None || o.peer == topology.None {
			return
		}
		for _, ed := range x.accessBetween(o.nodeID, o.peer) {
			w.add(w.e.edgeHyp(AccessOutage, ed))
		}
	case FarNode, FarSite:
		if o.peer != topology.None {
			w.node(o.peer, w.rule.Via == FarSite)
			return
		}
		for _, p := range w.ports {
			for _, ed := range x.PortEdges(p) {
				if k := x.Edge(ed).Kind; k == topology.SectionEdge || k == topology.ChannelEdge || k == topology.LinkEdge {
					far, _ := x.Far(ed, o.nodeID)
					w.node(far, w.rule.Via == FarSite)
				}
			}
		}
	default:
		for _, p := range w.ports {
			w.port(p)
		}
	}
}

func (w *walker) node(n topology.NodeID, site bool) {
	if site {
		w.add(w.e.siteHyp(n))
	} else {
		w.add(w.e.nodeHyp(w.rule.Cause, n))
	}
}

func (w *walker) session() {
	x, o := w.e.x, w.o
	if o.port != topology.None {
		for _, ed := range x.PortEdges(o.port) {
			if x.Edge(ed).Kind == topology.SessionEdge {
				w.add(w.e.edgeHyp(SessionReset, ed))
				return
			}
		}
	}
	w.add(w.e.hypothesis(SessionReset, o.node, o.name))
}

func (w *walker) accessLine() {
	x, o := w.e.x, w.o
	if o.nodeID == topology.None {
		return
	}
	if o.port != topology.None {
		for _, ed := range x.PortEdges(o.port) {
			if x.Edge(ed).Kind == topology.AccessEdge {
				w.add(w.e.edgeHyp(AccessOutage, ed))
			}
		}
		return
	}
	for _, ed := range x.customerLines(o.nodeID) {
		w.add(w.e.edgeHyp(AccessOutage, ed))
	}
}

// port walks the relations that begin at a port.
func (w *walker) port(p topology.PortID) {
	x := w.e.x
	switch w.rule.Via {
	case OwnPort:
		w.add(w.e.portHyp(p))
	case OwnCard:
		w.card(p)
	case ClientPort, ClientCard, ClientNode, ClientSite:
		for _, q := range x.PortAbove(p) {
			switch w.rule.Via {
			case ClientPort:
				w.add(w.e.portHyp(q))
			case ClientCard:
				w.card(q)
			default:
				w.node(x.PortNode(q), w.rule.Via == ClientSite)
			}
		}
	}
	for _, ed := range x.PortEdges(p) {
		k := x.Edge(ed).Kind
		if k == topology.SessionEdge || k == topology.ServiceEdge {
			continue
		}
		if k == topology.TunnelEdge {
			switch w.rule.Via {
			case BottomEdge:
				w.bottom(ed)
			case PathEdges:
				for _, u := range x.Under(ed) {
					w.add(w.e.edgeHyp(w.rule.Cause, u))
				}
			}
			continue
		}
		switch w.rule.Via {
		case OwnEdge:
			w.add(w.e.edgeHyp(w.rule.Cause, ed))
		case BottomEdge:
			if k != topology.AccessEdge {
				w.bottom(ed)
			}
		case FarPort, FarCard:
			_, q := x.Far(ed, x.PortNode(p))
			if q == topology.None || k == topology.AccessEdge || k == topology.ChannelEdge {
				continue
			}
			if w.rule.Via == FarPort {
				w.add(w.e.portHyp(q))
			} else {
				w.card(q)
			}
		case PathNodes, PathSites:
			for _, n := range x.pathNodes(ed) {
				if n != w.o.nodeID {
					w.node(n, w.rule.Via == PathSites)
				}
			}
		}
	}
}

func (w *walker) card(p topology.PortID) {
	if c := w.e.x.PortCard(p); c != topology.None {
		w.add(w.e.cardHyp(c))
	}
}

func (w *walker) bottom(ed topology.EdgeID) {
	for _, b := range w.e.x.bottoms(ed) {
		w.add(w.e.edgeHyp(w.rule.Cause, b))
	}
}
