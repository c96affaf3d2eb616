package correlate

import (
	"slices"
	"strconv"
	"strings"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// stack asks the topology what the rules need to know. All of it follows from the
// index alone, so that an explanation can be written later, by whoever wants it.
type stack struct{ *topology.Index }

// footing is what an alarm high in the stack rests on.
type footing struct {
	edges []topology.EdgeID
	nodes []topology.NodeID
}

// footing returns the edges and nodes whose failure would explain a symptom of class c
// at o. The text is the reporter's.
func (x stack) footing(o *object, c Class, text string) (f footing) {
	if c == ServiceLost || c == ServiceDegraded || testSet.has(c) && o.service != topology.None {
		return x.serviceFooting(o)
	}
	if o.nodeID == topology.None {
		return f
	}
	switch c {
	case BGP:
		f.nodes = append(f.nodes, o.nodeID)
		if o.peer != topology.None {
			f.nodes = append(f.nodes, o.peer)
			f.edges = x.accessBetween(o.nodeID, o.peer)
		}
		if o.port != topology.None {
			f.edges = append(f.edges, x.PortEdges(o.port)...)
		}
	case Unreachable, EdgeUnreachable:
		f.nodes = append(f.nodes, o.nodeID)
		lines := x.customerLines(o.nodeID)
		f.edges = lines
		for _, ed := range lines {
			far, _ := x.Far(ed, o.nodeID)
			f.nodes = append(f.nodes, far)
		}
	case Other, Supervision, SupervisionLost:
		if o.port == topology.None && o.name == "" {
			f.nodes = append(f.nodes, o.nodeID)
		}
		fallthrough
	default:
		for _, p := range x.portsMeant(o, c, text) {
			f.edges = append(f.edges, x.PortEdges(p)...)
		}
	}
	return f
}

// pathless reports whether a symptom rests on tunnels of which nobody has said where
// they lead, or only what cannot be.
func (x stack) pathless(f *footing) bool {
	for _, ed := range f.edges {
		if x.Kind(ed) != topology.TunnelEdge || len(x.Under(ed)) > 0 && !x.Edge(ed).Guessed {
			return false
		}
	}
	return len(f.edges) > 0
}

// serviceFooting returns a service's links at the node that complains, or all of them.
func (x stack) serviceFooting(o *object) (f footing) {
	if o.service == topology.None {
		return f
	}
	all := x.ServiceLinks(o.service)
	for _, ed := range all {
		if d := x.Edge(ed); o.nodeID == topology.None || d.A == o.nodeID || d.B == o.nodeID {
			f.edges = append(f.edges, ed)
		}
	}
	if len(f.edges) == 0 {
		f.edges = slices.Clone(all)
	}
	for _, p := range x.ServiceAccess(o.service) {
		for _, ed := range x.PortEdges(p) {
			f.edges = append(f.edges, ed)
			far, _ := x.Far(ed, x.PortNode(p))
			if x.Edge(ed).Kind == topology.AccessEdge {
				f.edges = append(f.edges, x.sessions(far)...)
			}
		}
	}
	return f
}

// sessions returns the sessions of a customer's node.
func (x stack) sessions(n topology.NodeID) (out []topology.EdgeID) {
	const few = 8
	if edges := x.NodeEdges(n); len(edges) <= few {
		for _, ed := range edges {
			if x.Edge(ed).Kind == topology.SessionEdge {
				out = append(out, ed)
			}
		}
	}
	return out
}

// classAt returns what an alarm whose words tell nothing says by its place alone: of
// what has one way to fail there is one thing to say. Other where there are more.
func (x stack) classAt(o *object, ev *event.Event) Class {
	s := ev.Severity
	switch {
	case ev.Kind == event.Symptom:
		return x.symptomAt(o, ev)
	case ev.Kind == event.KPI && o.port != topology.None:
		return x.metricAt(o)
	case o.service != topology.None && s > event.Minor:
		return ServiceLost
	case o.service != topology.None:
		return ServiceDegraded
	case o.peer != topology.None:
		return BGP
	case o.port != topology.None:
		for _, ed := range x.PortEdges(o.port) {
			if x.Kind(ed) == topology.TunnelEdge {
				return TunnelDown
			}
		}
	case o.card != topology.None && s >= event.Major:
		return Card
	case o.nodeID != topology.None && o.name == "" && len(x.customerLines(o.nodeID)) > 0:
		return EdgeUnreachable
	}
	return Other
}

// broken is the health score from which down a subservice does not work at all: scores go from
// 0 to 100, where 100 is healthy [RFC 9418 section 4].
const broken = 20

// symptomAt returns what the symptom of a subservice says whose words tell nothing, by what the
// subservice is about and its health score: degraded, or not working at all [RFC 9417
// section 3.1]. What it depends on is found as for any alarm there, by the topology.
func (x stack) symptomAt(o *object, ev *event.Event) Class {
	down := ev.Severity > event.Minor
	if score, err := strconv.ParseFloat(ev.Value, 64); err == nil && score >= 0 { // -1: not known
		down = score <= broken
	}
	pick := func(lost, degraded Class) Class {
		if down {
			return lost
		}
		return degraded
	}
	switch {
	case o.service != topology.None:
		return pick(ServiceLost, ServiceDegraded)
	case o.peer != topology.None:
		return pick(BGP, Info)
	case o.port != topology.None:
		for _, ed := range x.PortEdges(o.port) {
			if x.Kind(ed) == topology.TunnelEdge {
				return pick(TunnelDown, PathLoss)
			}
		}
		return pick(LinkDown, PacketLoss)
	case o.nodeID != topology.None && o.name == "":
		if len(x.customerLines(o.nodeID)) > 0 {
			return pick(EdgeUnreachable, Info)
		}
		return pick(Unreachable, Other)
	}
	return Other
}

// metricAt returns what a metric of a port that nobody understands says: it is worse than it
// should be, and not that the port is down.
func (x stack) metricAt(o *object) Class {
	for _, ed := range x.PortEdges(o.port) {
		switch x.Kind(ed) {
		case topology.TunnelEdge:
			return PathDelay
		case topology.SectionEdge:
			return OpticalPower
		case topology.ChannelEdge:
			return OpticalQuality
		case topology.LinkEdge, topology.AccessEdge:
			return Utilisation
		}
	}
	return Other
}

// portsMeant returns the ports that an alarm is about.
func (x stack) portsMeant(o *object, c Class, text string) []topology.PortID {
	if o.port != topology.None {
		return []topology.PortID{o.port}
	}
	if o.nodeID == topology.None || !portSet.has(c) {
		return nil
	}
	var all, named []topology.PortID
	text = " " + text + " " + o.name + " "
	for _, p := range x.NodePorts(o.nodeID) {
		for _, ed := range x.PortEdges(p) {
			if d := x.Edge(ed); d.Kind > topology.AccessEdge {
				continue
			}
			far, _ := x.Far(ed, o.nodeID)
			all = append(all, p)
			if mentions(text, x.PortName(p)) || mentions(text, x.NodeName(far)) {
				named = append(named, p)
			}
			break
		}
	}
	if len(named) > 0 {
		return named
	}
	const few = 8
	if len(all) > few {
		return nil
	}
	return all
}

// mentions reports whether a name stands in a text as a word of its own.
func mentions(text, name string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 || name == "" {
			return false
		}
		i += from
		if !wordByte(text[i-1]) && (i+len(name) == len(text) || !wordByte(text[i+len(name)])) {
			return true
		}
		from = i + 1
	}
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-' || c == '/'
}

// customerLines returns the access edges of a node that has no other edges but
// sessions; nil for any other node.
func (x stack) customerLines(n topology.NodeID) (out []topology.EdgeID) {
	for _, ed := range x.NodeEdges(n) {
		switch x.Edge(ed).Kind {
		case topology.AccessEdge:
			out = append(out, ed)
		case topology.SessionEdge:
		default:
			return nil
		}
	}
	if len(out) > 4 {
		return nil
	}
	return out
}

// accessBetween returns the access edges between two nodes.
func (x stack) accessBetween(a, b topology.NodeID) (out []topology.EdgeID) {
	if len(x.NodeEdges(b)) < len(x.NodeEdges(a)) {
		a, b = b, a
	}
	for _, ed := range x.NodeEdges(a) {
		if x.Edge(ed).Kind == topology.AccessEdge {
			if far, _ := x.Far(ed, a); far == b {
				out = append(out, ed)
			}
		}
	}
	return out
}

// most bounds what one walk through the layers may collect, deepest how far it goes.
const (
	most    = 48
	deepest = 8
)

// bottoms returns the edges at the bottom under ed, itself if nothing is under it.
func (x stack) bottoms(ed topology.EdgeID) (out []topology.EdgeID) {
	return x.appendBottoms(nil, ed, 0)
}

func (x stack) appendBottoms(out []topology.EdgeID, ed topology.EdgeID, depth int) []topology.EdgeID {
	under := x.Under(ed)
	if len(under) == 0 || depth > deepest {
		if !slices.Contains(out, ed) {
			out = append(out, ed)
		}
		return out
	}
	for _, u := range under {
		if len(out) < most {
			out = x.appendBottoms(out, u, depth+1)
		}
	}
	return out
}

// pathNodes returns the nodes that the underlay of ed passes, ends included.
func (x stack) pathNodes(ed topology.EdgeID) []topology.NodeID {
	return x.appendPathNodes(nil, ed, 0)
}

func (x stack) appendPathNodes(out []topology.NodeID, ed topology.EdgeID, depth int) []topology.NodeID {
	for _, u := range x.Under(ed) {
		if len(out) >= most || depth > deepest {
			return out
		}
		d := x.Edge(u)
		for _, n := range [2]topology.NodeID{d.A, d.B} {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
		out = x.appendPathNodes(out, u, depth+1)
	}
	return out
}

func (x stack) edgeName(ed topology.EdgeID) string {
	d := x.Edge(ed)
	return d.Kind.String() + " " + d.Link
}

// path returns the edges from an object's port down to a cause, the nearest first.
func (x stack) path(o *object, h *hypothesis) []string {
	if o.port == topology.None {
		return nil
	}
	for _, ed := range x.PortEdges(o.port) {
		if p := x.descend(ed, h, 0); p != nil {
			return p
		}
	}
	return nil
}

func (x stack) descend(ed topology.EdgeID, h *hypothesis, depth int) []string {
	d := x.Edge(ed)
	switch {
	case depth > deepest || d.Kind == topology.ServiceEdge:
		return nil
	case ed == h.edge, h.port != topology.None && (d.PortA == h.port || d.PortB == h.port),
		h.edge == topology.None && h.port == topology.None && h.n != topology.None && (d.A == h.n || d.B == h.n):
		return []string{x.edgeName(ed)}
	}
	for _, u := range x.Under(ed) {
		if p := x.descend(u, h, depth+1); p != nil {
			return append([]string{x.edgeName(ed)}, p...)
		}
	}
	return nil
}
