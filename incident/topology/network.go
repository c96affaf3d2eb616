package topology

// Network is one network of RFC 8345 as Build takes it, whatever it was read from.
type Network struct {
	ID string
	// Types are the local names of the containers in network-types, if known.
	Types []string
	// Supporting are the ids of the underlay networks.
	Supporting []string
	Nodes      []Node
	Links      []Link
}

// Node is one node of a network.
type Node struct {
	ID         string
	Supporting []NodeRef
	TPs        []TP
}

// TP is one termination point of a node.
type TP struct {
	ID         string
	Supporting []TPRef
}

// Link is one directed link of a network. The termination points may be empty.
type Link struct {
	ID         string
	SourceNode string
	SourceTP   string
	DestNode   string
	DestTP     string
	Supporting []LinkRef
}

// NodeRef names a node of a network.
type NodeRef struct{ Network, Node string }

// TPRef names a termination point of a network.
type TPRef struct{ Network, Node, TP string }

// LinkRef names a link of a network.
type LinkRef struct{ Network, Link string }
