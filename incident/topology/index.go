package topology

// The identifiers are dense and count from zero, in the order of first appearance.
// They hold for one Index only.
type (
	// NodeID is a node, the same in all layers.
	NodeID int32
	// PortID is a termination point of a node.
	PortID int32
	// EdgeID is an edge.
	EdgeID int32
	// CardID is a line card.
	CardID int32
	// SiteID is a site.
	SiteID int32
	// ServiceID is a service instance.
	ServiceID int32
)

// None is the absence of any of the identifiers.
const None = -1

// EdgeKind says what an edge is in the stack.
type EdgeKind uint8

// The kinds of edges, from the bottom.
const (
	// SectionEdge is transmission at the very bottom, such as a fibre: it rides on
	// nothing, and edges other than tunnels ride on it.
	SectionEdge EdgeKind = iota
	// ChannelEdge rides on something, and edges other than tunnels ride on it.
	ChannelEdge
	// LinkEdge is a link between two packet nodes.
	LinkEdge
	// AccessEdge is a link to a customer's equipment.
	AccessEdge
	// SessionEdge is a protocol session whose termination points name the peer.
	SessionEdge
	// TunnelEdge is a path over links.
	TunnelEdge
	// ServiceEdge is a link of a service instance.
	ServiceEdge
)

var edgeKindNames = [...]string{"section", "channel", "link", "access", "session", "tunnel", "service"}

// String returns the kind in a word.
func (k EdgeKind) String() string { return edgeKindNames[k] }

// Edge is an undirected edge between two ports or, where a link has no termination
// point, two nodes. Tunnels and service links, which have a direction, run from A to B.
type Edge struct {
	Kind EdgeKind
	// Network and Link are the ids of the first link that made the edge.
	Network, Link string
	A, B          NodeID
	// PortA and PortB are None where the link names no termination point.
	PortA, PortB PortID
	// Service is the instance that a service link belongs to, else None.
	Service ServiceID
	// Guessed says that what the edge is said to rest on is no path between its ends, or that
	// nothing is said; what it rests on now was inferred, if anything.
	Guessed bool
}

// Index answers what correlation asks of the topology. See the package's text.
type Index struct {
	nodes []node
	ports []port
	edges []Edge
	under [][]EdgeID
	over  [][]EdgeID
	hops  []Hop
	// By edge, whether its failure alone cuts nothing off; by node, the part of the
	// network it is in; by part, its size.
	redundant []bool
	part      []int32
	partSize  []int32
	cards     []card
	sites     []site
	services  []service

	nodeByName    map[string]NodeID
	portByName    map[nodeName]PortID
	cardByName    map[nodeName]CardID
	siteByName    map[string]SiteID
	serviceByName map[string]ServiceID
	linkByName    map[LinkRef]EdgeID

	stats Stats
}

type nodeName struct {
	node NodeID
	name string
}

type node struct {
	name   string
	site   SiteID
	domain string
	role   string
	edges  []EdgeID
	ports  []PortID
	hops   [2]int32 // from and to, in the index's
}

// Hop is a way to a neighbour over a link.
type Hop struct {
	Far  NodeID
	Edge EdgeID
}

type port struct {
	name  string
	node  NodeID
	card  CardID
	edges []EdgeID
	below []PortID
	above []PortID
}

type card struct {
	name  string
	node  NodeID
	ports []PortID

	inferred bool // from the names of its ports
}

type site struct {
	name  string
	nodes []NodeID
}

type service struct {
	name   string
	links  []EdgeID
	nodes  []NodeID
	access []PortID
}

// Stats tells how large an index is and what its networks left unresolved.
type Stats struct {
	Networks, Nodes, Ports, Edges, Services int
	// Dangling counts references to networks, nodes, links and termination points
	// that are not there. Each was left out.
	Dangling int
	// Inferred counts links whose support was missing or could not be, and was found.
	Inferred int
}

// Stats returns the figures of the index.
func (x *Index) Stats() Stats { return x.stats }

// Node returns the node of a node-id; false if there is none.
func (x *Index) Node(name string) (NodeID, bool) { n, ok := x.nodeByName[name]; return n, ok }

// NodeName returns the node-id.
func (x *Index) NodeName(n NodeID) string { return x.nodes[n].name }

// NodeEdges returns the edges that end at n, of every kind.
func (x *Index) NodeEdges(n NodeID) []EdgeID { return x.nodes[n].edges }

// Hops returns the ways from n over edges of kind LinkEdge.
func (x *Index) Hops(n NodeID) []Hop {
	d := &x.nodes[n]
	return x.hops[d.hops[0]:d.hops[1]]
}

// NodePorts returns the termination points of n.
func (x *Index) NodePorts(n NodeID) []PortID { return x.nodes[n].ports }

// NodeDomain returns the administrative domain by the inventory; "" if unknown.
func (x *Index) NodeDomain(n NodeID) string { return x.nodes[n].domain }

// NodeRole returns the role by the inventory; "" if unknown.
func (x *Index) NodeRole(n NodeID) string { return x.nodes[n].role }

// NodeSite returns the site of n by the inventory; None if unknown.
func (x *Index) NodeSite(n NodeID) SiteID { return x.nodes[n].site }

// Optical reports whether n ends transmission edges and no links.
func (x *Index) Optical(n NodeID) bool {
	optical := false
	for _, e := range x.nodes[n].edges {
		switch x.edges[e].Kind {
		case SectionEdge, ChannelEdge:
			optical = true
		case LinkEdge, AccessEdge:
			return false
		}
	}
	return optical
}

// Port returns the port of a termination point; false if there is none.
func (x *Index) Port(n NodeID, name string) (PortID, bool) {
	p, ok := x.portByName[nodeName{n, name}]
	return p, ok
}

// PortName returns the tp-id.
func (x *Index) PortName(p PortID) string { return x.ports[p].name }

// PortNode returns the node of p.
func (x *Index) PortNode(p PortID) NodeID { return x.ports[p].node }

// PortCard returns the line card of p by the inventory; None if unknown.
func (x *Index) PortCard(p PortID) CardID { return x.ports[p].card }

// PortEdges returns the edges that end at p.
func (x *Index) PortEdges(p PortID) []EdgeID { return x.ports[p].edges }

// PortBelow returns the ports that p names as supporting, of other nodes or layers.
func (x *Index) PortBelow(p PortID) []PortID { return x.ports[p].below }

// PortAbove returns the ports that name p as supporting.
func (x *Index) PortAbove(p PortID) []PortID { return x.ports[p].above }

// Edge returns an edge.
func (x *Index) Edge(e EdgeID) Edge { return x.edges[e] }

// Kind returns the kind of an edge.
func (x *Index) Kind(e EdgeID) EdgeKind { return x.edges[e].Kind }

// Edges returns the number of edges; their ids are 0 to one less.
func (x *Index) Edges() int { return len(x.edges) }

// Nodes returns the number of nodes; their ids are 0 to one less.
func (x *Index) Nodes() int { return len(x.nodes) }

// Ports returns how many ports there are.
func (x *Index) Ports() int { return len(x.ports) }

// Cards returns how many line cards there are.
func (x *Index) Cards() int { return len(x.cards) }

// Sites returns how many sites there are.
func (x *Index) Sites() int { return len(x.sites) }

// Under returns the edges that e rides on, in the order of its supporting links.
func (x *Index) Under(e EdgeID) []EdgeID { return x.under[e] }

// Over returns the edges that ride on e.
func (x *Index) Over(e EdgeID) []EdgeID { return x.over[e] }

// Link returns the edge that a link became; false if there is no such link.
func (x *Index) Link(network, link string) (EdgeID, bool) {
	e, ok := x.linkByName[LinkRef{network, link}]
	return e, ok
}

// Far returns the other end of e seen from n.
func (x *Index) Far(e EdgeID, n NodeID) (NodeID, PortID) {
	if d := &x.edges[e]; d.A == n {
		return d.B, d.PortB
	} else {
		return d.A, d.PortA
	}
}

// Card returns the line card of a name; false if there is none. A card that was inferred
// goes by any name that tells its slot: LC1, "FPC 1" and 0/1/CPU0 are slot/1.
func (x *Index) Card(n NodeID, name string) (CardID, bool) {
	c, ok := x.cardByName[nodeName{n, name}]
	if !ok {
		if slot, told := slotNamed(name); told {
			c, ok = x.cardByName[nodeName{n, inferredCard + slot}]
			ok = ok && x.cards[c].inferred
		}
	}
	return c, ok
}

// CardName returns the name of a line card.
func (x *Index) CardName(c CardID) string { return x.cards[c].name }

// CardNode returns the node that a line card is in.
func (x *Index) CardNode(c CardID) NodeID { return x.cards[c].node }

// CardPorts returns the ports of a line card.
func (x *Index) CardPorts(c CardID) []PortID { return x.cards[c].ports }

// Site returns the site of a name; false if there is none.
func (x *Index) Site(name string) (SiteID, bool) { s, ok := x.siteByName[name]; return s, ok }

// SiteName returns the name of a site.
func (x *Index) SiteName(s SiteID) string { return x.sites[s].name }

// SiteNodes returns the nodes of a site.
func (x *Index) SiteNodes(s SiteID) []NodeID { return x.sites[s].nodes }

// Service returns the service instance of a network-id; false if there is none.
func (x *Index) Service(name string) (ServiceID, bool) {
	s, ok := x.serviceByName[name]
	return s, ok
}

// ServiceName returns the network-id of a service instance.
func (x *Index) ServiceName(s ServiceID) string { return x.services[s].name }

// ServiceLinks returns the edges of kind ServiceEdge of a service instance.
func (x *Index) ServiceLinks(s ServiceID) []EdgeID { return x.services[s].links }

// ServiceNodes returns the nodes of a service instance.
func (x *Index) ServiceNodes(s ServiceID) []NodeID { return x.services[s].nodes }

// ServiceAccess returns the ports by which customers reach a service instance.
func (x *Index) ServiceAccess(s ServiceID) []PortID { return x.services[s].access }
