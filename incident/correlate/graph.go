package correlate

import (
	"strings"

	"incidentd/incident/topology"
)

// object is a managed object that events have named: a node, or a resource of one. It
// outlives epochs of the topology; what it is in the present one is resolved again.
type object struct {
	node, name string

	nodeID  topology.NodeID
	port    topology.PortID
	card    topology.CardID
	service topology.ServiceID
	peer    topology.NodeID // the other end of a session

	alarms []*alarm
	cands  []classCands
}

type classCands struct {
	class Class
	cands []cand
}

// cand is a possible cause of an alarm.
type cand struct {
	h      *hypothesis
	weight int32
	root   bool
	rule   string
}

// hypothesis is one possible cause. Its names are its identity; the rest is resolved
// in the present epoch.
type hypothesis struct {
	cause Cause
	// node and name are the place; for edges, the network and the link.
	node, name string

	edge topology.EdgeID
	n    topology.NodeID
	port topology.PortID
	card topology.CardID
	site topology.SiteID

	live []*alarm // alarms that list it, in the order in which they became so
	root uint64   // the open incident whose root it is; 0 if none
}

type hypKey struct {
	cause      Cause
	node, name string
}

type objKey struct{ node, name string }

// plain returns the name that an instance-identifier ends with; other resources as
// they are.
func plain(resource string) string {
	if resource == "" || resource[len(resource)-1] != ']' {
		return resource
	}
	i := strings.LastIndexAny(resource[:len(resource)-1], `'"`)
	if i < 1 {
		return resource
	}
	j := strings.LastIndexByte(resource[:i], resource[i])
	if j < 0 {
		return resource
	}
	return resource[j+1 : i]
}

// object returns the object of a node and a resource as reported.
func (e *Engine) object(node, resource string) *object {
	if o, ok := e.objects[objKey{node, resource}]; ok {
		return o
	}
	name := plain(resource)
	if n, ok := e.x.Node(node); ok {
		if p, ok := e.x.Port(n, name); ok {
			name = e.x.PortName(p) // a protocol's name of a port is that port
		}
	}
	o, ok := e.canonical[objKey{node, name}]
	if !ok {
		o = &object{node: node, name: name}
		e.canonical[objKey{node, name}] = o
		e.place(o)
	}
	e.objects[objKey{node, resource}] = o
	return o
}

// place resolves an object in the present epoch.
func (e *Engine) place(o *object) {
	o.nodeID, o.port, o.card, o.service, o.peer, o.cands = topology.None, topology.None, topology.None, topology.None, topology.None, nil
	tail := o.name[strings.LastIndexByte(o.name, '/')+1:]
	if s, ok := e.x.Service(o.name); ok {
		o.service = s
	} else if s, ok := e.x.Service(tail); ok {
		o.service = s
	}
	n, ok := e.x.Node(o.node)
	if !ok {
		return
	}
	o.nodeID = n
	if o.name == "" {
		return
	}
	if p, ok := e.x.Port(n, o.name); ok {
		o.port = p
		e.portObjects[p] = o
		for _, ed := range e.x.PortEdges(p) {
			if e.x.Edge(ed).Kind == topology.SessionEdge {
				o.peer, _ = e.x.Far(ed, n)
			}
		}
	}
	if c, ok := e.x.Card(n, o.name); ok {
		o.card = c
	}
	if o.peer == topology.None && o.port == topology.None && tail != o.name {
		if p, ok := e.x.Node(tail); ok {
			o.peer = p
		}
	}
}

// hypothesis returns the hypothesis of a cause at a place.
func (e *Engine) hypothesis(c Cause, node, name string) *hypothesis {
	k := hypKey{c, node, name}
	h, ok := e.hyps[k]
	if !ok {
		h = &hypothesis{cause: c, node: node, name: name}
		e.settle(h)
		e.hyps[k] = h
	}
	return h
}

// settle resolves a hypothesis in the present epoch.
func (e *Engine) settle(h *hypothesis) {
	h.edge, h.n, h.port, h.card, h.site = topology.None, topology.None, topology.None, topology.None, topology.None
	switch h.cause {
	case EdgeFailure, AccessOutage, Degradation, OpticalDrift, SessionReset:
		if ed, ok := e.x.Link(h.node, h.name); ok {
			h.edge = ed
			return
		}
	case PowerFailure:
		if s, ok := e.x.Site(h.name); ok && h.node == "" {
			h.site = s
			return
		}
	}
	if n, ok := e.x.Node(h.node); ok {
		h.n = n
		if p, ok := e.x.Port(n, h.name); ok {
			h.port = p
		}
		if c, ok := e.x.Card(n, h.name); ok {
			h.card = c
		}
	}
}

func (e *Engine) edgeHyp(c Cause, ed topology.EdgeID) *hypothesis {
	d := e.x.Edge(ed)
	return e.hypothesis(c, d.Network, d.Link)
}

func (e *Engine) nodeHyp(c Cause, n topology.NodeID) *hypothesis {
	return e.hypothesis(c, e.x.NodeName(n), "")
}

func (e *Engine) portHyp(p topology.PortID) *hypothesis {
	return e.hypothesis(PortFailure, e.x.NodeName(e.x.PortNode(p)), e.x.PortName(p))
}

func (e *Engine) siteHyp(n topology.NodeID) *hypothesis {
	if s := e.x.NodeSite(n); s != topology.None {
		return e.hypothesis(PowerFailure, "", e.x.SiteName(s))
	}
	return e.hypothesis(PowerFailure, e.x.NodeName(n), "")
}

// candidates returns the possible causes of an alarm of class c at o. The text is
// looked into only where the reporter names a node and means one of its ports.
func (e *Engine) candidates(o *object, c Class, text string) []cand {
	vague := o.port == topology.None && o.nodeID != topology.None && portSet.has(c)
	if !vague {
		for i := range o.cands {
			if o.cands[i].class == c {
				return o.cands[i].cands
			}
		}
	}
	w := walker{e: e, o: o, class: c, ports: e.portsMeant(o, c, text)}
	for i := range e.byClass[c] {
		w.rule = &e.byClass[c][i]
		w.walk()
	}
	if !vague {
		o.cands = append(o.cands, classCands{c, w.out})
	}
	return w.out
}

// portsMeant returns the ports that an alarm is about.
func (e *Engine) portsMeant(o *object, c Class, text string) []topology.PortID {
	if o.port != topology.None {
		return []topology.PortID{o.port}
	}
	if o.nodeID == topology.None || !portSet.has(c) {
		return nil
	}
	var all, named []topology.PortID
	text = " " + text + " " + o.name + " "
	for _, p := range e.x.NodePorts(o.nodeID) {
		for _, ed := range e.x.PortEdges(p) {
			if d := e.x.Edge(ed); d.Kind > topology.AccessEdge {
				continue
			}
			far, _ := e.x.Far(ed, o.nodeID)
			all = append(all, p)
			if mentions(text, e.x.PortName(p)) || mentions(text, e.x.NodeName(far)) {
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

// walker collects candidates along the relations of the rules.
type walker struct {
	e     *Engine
	o     *object
	class Class
	ports []topology.PortID
	rule  *Rule
	out   []cand
}

func (w *walker) add(h *hypothesis) {
	for i := range w.out {
		if w.out[i].h == h {
			if w.rule.Weight > w.out[i].weight {
				w.out[i].weight, w.out[i].rule = w.rule.Weight, w.rule.ID
			}
			w.out[i].root = w.out[i].root || w.rule.Root
			return
		}
	}
	w.out = append(w.out, cand{h, w.rule.Weight, w.rule.Root, w.rule.ID})
}

func (w *walker) walk() {
	x, o := w.e.x, w.o
	switch w.rule.Via {
	case Self:
		if w.rule.Cause == CardFailure && o.card != topology.None {
			w.add(w.e.hypothesis(CardFailure, o.node, o.name))
		} else {
			w.add(w.e.hypothesis(w.rule.Cause, o.node, o.name))
		}
	case OwnNode:
		w.add(w.e.hypothesis(w.rule.Cause, o.node, ""))
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
		for _, ed := range w.e.accessBetween(o.nodeID, o.peer) {
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
	for _, ed := range w.e.customerLines(o.nodeID) {
		w.add(w.e.edgeHyp(AccessOutage, ed))
	}
}

// customerLines returns the access edges of a node that has no other edges but
// sessions; nil for any other node.
func (e *Engine) customerLines(n topology.NodeID) (out []topology.EdgeID) {
	for _, ed := range e.x.NodeEdges(n) {
		switch e.x.Edge(ed).Kind {
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
func (e *Engine) accessBetween(a, b topology.NodeID) (out []topology.EdgeID) {
	if len(e.x.NodeEdges(b)) < len(e.x.NodeEdges(a)) {
		a, b = b, a
	}
	for _, ed := range e.x.NodeEdges(a) {
		if e.x.Edge(ed).Kind == topology.AccessEdge {
			if far, _ := e.x.Far(ed, a); far == b {
				out = append(out, ed)
			}
		}
	}
	return out
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
			if w.rule.Via == BottomEdge {
				w.bottom(ed)
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
			for _, n := range w.e.pathNodes(ed) {
				if n != w.o.nodeID {
					w.node(n, w.rule.Via == PathSites)
				}
			}
		}
	}
}

func (w *walker) card(p topology.PortID) {
	if c := w.e.x.PortCard(p); c != topology.None {
		w.add(w.e.hypothesis(CardFailure, w.e.x.NodeName(w.e.x.CardNode(c)), w.e.x.CardName(c)))
	}
}

func (w *walker) bottom(ed topology.EdgeID) {
	for _, b := range w.e.bottoms(ed) {
		w.add(w.e.edgeHyp(w.rule.Cause, b))
	}
}

// most bounds what one walk through the layers may collect.
const most = 48

// bottoms returns the edges at the bottom under ed, itself if nothing is under it.
func (e *Engine) bottoms(ed topology.EdgeID) []topology.EdgeID {
	var out []topology.EdgeID
	var down func(topology.EdgeID, int)
	down = func(ed topology.EdgeID, depth int) {
		under := e.x.Under(ed)
		if len(under) == 0 || depth > 8 {
			for _, o := range out {
				if o == ed {
					return
				}
			}
			out = append(out, ed)
			return
		}
		for _, u := range under {
			if len(out) < most {
				down(u, depth+1)
			}
		}
	}
	down(ed, 0)
	return out
}

// pathNodes returns the nodes that the underlay of ed passes, ends included.
func (e *Engine) pathNodes(ed topology.EdgeID) []topology.NodeID {
	var out []topology.NodeID
	add := func(n topology.NodeID) {
		for _, o := range out {
			if o == n {
				return
			}
		}
		out = append(out, n)
	}
	var down func(topology.EdgeID, int)
	down = func(ed topology.EdgeID, depth int) {
		for _, u := range e.x.Under(ed) {
			if len(out) >= most || depth > 8 {
				return
			}
			d := e.x.Edge(u)
			add(d.A)
			add(d.B)
			down(u, depth+1)
		}
	}
	down(ed, 0)
	return out
}
