package mapping

import (
	"net/netip"
	"strings"
	"sync"

	"incidentd/yang/data"
)

// names are the other names of nodes and resources.
type names struct {
	short     bool
	aliases   map[string]string        // in lower case, to a node-id
	aliased   map[string]bool          // those node-ids
	nodes     func() map[string]string // node-ids in lower case, to themselves; made when first asked; nil for none
	resources map[[2]string]string     // node or *, and name
}

// nodesOf are the nodes of a container networks. They are gathered once somebody asks for
// one: who configures a large network step by step pays for none of it.
func nodesOf(networks *data.Node) func() map[string]string {
	return sync.OnceValue(func() map[string]string {
		nodes := map[string]string{}
		for network := range networks.Entries("network") {
			for n := range network.Entries("node") {
				id := n.Leaf("node-id")
				nodes[strings.ToLower(id)] = id
			}
		}
		return nodes
	})
}

// known is the node-id of a name in lower case.
func (n *names) known(lower string) (string, bool) {
	if n.nodes == nil {
		return "", false
	}
	node, ok := n.nodes()[lower]
	return node, ok
}

// node is the node-id that a name stands for: the name itself if nothing is known of it.
// It looks for an alias, a node-id, and either again without the domain.
func (n *names) node(name string) string {
	if node, ok := n.lookup(name); ok {
		return node
	}
	if n.short {
		if host, _, ok := strings.Cut(name, "."); ok && host != "" {
			if _, err := netip.ParseAddr(name); err != nil {
				if node, ok := n.lookup(host); ok {
					return node
				}
			}
		}
	}
	return name
}

func (n *names) lookup(name string) (string, bool) {
	lower := strings.ToLower(name)
	if node, ok := n.aliases[lower]; ok {
		return node, true
	}
	return n.known(lower)
}

// knows reports whether a node-id is that of a node of the network, or one that an alias
// stands for.
func (n *names) knows(node string) bool {
	_, ok := n.known(strings.ToLower(node))
	return ok || n.aliased[node]
}

// resource is the resource of a node that a name stands for.
func (n *names) resource(node, name string) string {
	if len(n.resources) == 0 {
		return name
	}
	if r, ok := n.resources[[2]string{node, name}]; ok {
		return r
	}
	if r, ok := n.resources[[2]string{"*", name}]; ok {
		return r
	}
	return name
}
