package diagnose

import (
	"net/netip"
	"slices"

	"incidentd/incident/topology"
	"incidentd/yang/data"
)

// Place is a node, or one of its interfaces.
type Place struct{ Node, Resource string }

func (p Place) String() string {
	if p.Resource == "" {
		return p.Node
	}
	return p.Node + " " + p.Resource
}

// Network is what is known of the network: its links, and whose each address is. It does not
// change.
type Network struct {
	*topology.Index
	owners map[netip.Addr]Place
	own    map[string][]netip.Addr // of nodes themselves
	ports  map[Place][]netip.Addr
}

// NewNetwork reads the addresses of the container networks, nil for none; x is the index of
// the same.
func NewNetwork(x *topology.Index, networks *data.Node) *Network {
	n := &Network{Index: x, owners: map[netip.Addr]Place{}, own: map[string][]netip.Addr{}, ports: map[Place][]netip.Addr{}}
	for w := range networks.Entries("network") {
		for d := range w.Entries("node") {
			node := d.Leaf("node-id")
			for _, a := range addresses(d.Child("inventory").Values("address")) {
				n.own[node] = n.take(n.own[node], a, Place{Node: node})
			}
			for t := range d.Entries("termination-point") {
				p := Place{node, t.Leaf("tp-id")}
				for _, a := range addresses(t.Values("address")) {
					n.ports[p] = n.take(n.ports[p], a, p)
				}
			}
		}
	}
	return n
}

// take adds an address to those of a place. What several places have, such as an address of
// anycast, is the first one's.
func (n *Network) take(list []netip.Addr, a netip.Addr, p Place) []netip.Addr {
	if _, known := n.owners[a]; !known {
		n.owners[a] = p
	}
	if slices.Contains(list, a) {
		return list
	}
	return append(list, a)
}

// addresses reads addresses that the schema has checked.
func addresses(list []string) (out []netip.Addr) {
	for _, s := range list {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, a.Unmap())
		}
	}
	return out
}

// Owner is whose an address is.
func (n *Network) Owner(a netip.Addr) (Place, bool) {
	p, ok := n.owners[a.Unmap().WithZone("")]
	return p, ok
}

// Address is where tests of a node are sent: its first own address, or that of an interface.
func (n *Network) Address(node string) (netip.Addr, bool) {
	if list := n.own[node]; len(list) > 0 {
		return list[0], true
	}
	for _, p := range n.interfaces(node) {
		return n.ports[p][0], true
	}
	return netip.Addr{}, false
}

// interfaces are those of a node that have addresses, in the order of their names.
func (n *Network) interfaces(node string) (list []Place) {
	id, ok := n.Node(node)
	if !ok {
		return nil
	}
	for _, p := range n.NodePorts(id) {
		if at := (Place{node, n.PortName(p)}); len(n.ports[at]) > 0 && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b Place) int {
		if a.Resource < b.Resource {
			return -1
		}
		return 1
	})
	return list
}

// Far is the other end of the link at an interface.
func (n *Network) Far(at Place) (Place, bool) {
	node, ok := n.Node(at.Node)
	if !ok {
		return Place{}, false
	}
	port, ok := n.Port(node, at.Resource)
	if !ok {
		return Place{}, false
	}
	for _, e := range n.PortEdges(port) {
		if k := n.Kind(e); k != topology.LinkEdge && k != topology.AccessEdge {
			continue
		}
		far, p := n.Index.Far(e, node)
		out := Place{Node: n.NodeName(far)}
		if p != topology.None {
			out.Resource = n.PortName(p)
		}
		return out, true
	}
	return Place{}, false
}

// Peers are the nodes at the other ends of what ends at an interface of a node and is no link:
// the sessions of protocols, or tunnels and links of services.
func (n *Network) Peers(at Place, sessions bool) (list []string) {
	node, ok := n.Node(at.Node)
	if !ok {
		return nil
	}
	port, ok := n.Port(node, at.Resource)
	if !ok {
		return nil
	}
	for _, e := range n.PortEdges(port) {
		k := n.Kind(e)
		if sessions && k != topology.SessionEdge || !sessions && k != topology.TunnelEdge && k != topology.ServiceEdge {
			continue
		}
		far, _ := n.Index.Far(e, node)
		if name := n.NodeName(far); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// Distances are how many links each node is away from one.
func (n *Network) Distances(from string) map[string]int {
	id, ok := n.Node(from)
	if !ok {
		return nil
	}
	away := map[topology.NodeID]int{id: 0}
	out := map[string]int{from: 0}
	for queue := []topology.NodeID{id}; len(queue) > 0; queue = queue[1:] {
		for _, h := range n.Hops(queue[0]) {
			if _, seen := away[h.Far]; !seen {
				away[h.Far] = away[queue[0]] + 1
				out[n.NodeName(h.Far)] = away[h.Far]
				queue = append(queue, h.Far)
			}
		}
	}
	return out
}

// Towards is the interface by which a node sends to another, where the shortest way leaves
// no choice.
func (n *Network) Towards(from, to string) (Place, bool) {
	away := n.Distances(to)
	id, ok := n.Node(from)
	if !ok || away == nil {
		return Place{}, false
	}
	var found Place
	for _, h := range n.Hops(id) {
		if d, ok := away[n.NodeName(h.Far)]; !ok || d >= away[from] {
			continue
		}
		e := n.Edge(h.Edge)
		port := e.PortA
		if e.A != id {
			port = e.PortB
		}
		if port == topology.None || found.Node != "" && found.Resource != n.PortName(port) {
			return Place{}, false
		}
		found = Place{from, n.PortName(port)}
	}
	return found, found.Node != ""
}
