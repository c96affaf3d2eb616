package stamp

import (
	"sync"

	"incidentd/oam"
	"incidentd/oam/farend"
)

// Node is a host with senders and reflectors.
type Node struct {
	keys oam.Keys

	mu    sync.Mutex
	local map[farend.Peer]int // the senders of this node, which its reflectors recognise
	met   map[farend.Peer]bool
}

// New makes a node.
func New(keys oam.Keys) *Node {
	return &Node{keys: keys, local: map[farend.Peer]int{}, met: map[farend.Peer]bool{}}
}

// begin has the reflectors of this node look for the packets of a sender.
func (n *Node) begin(s farend.Peer) {
	n.mu.Lock()
	n.local[s]++
	n.mu.Unlock()
}

// end reports whether a reflector of this node has seen packets of a sender, and forgets
// it.
func (n *Node) end(s farend.Peer) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	met := n.met[s]
	if n.local[s]--; n.local[s] == 0 {
		delete(n.local, s)
		delete(n.met, s)
	}
	return met
}

// meet tells that a reflector of this node has got a packet.
func (n *Node) meet(s farend.Peer) {
	n.mu.Lock()
	if n.local[s] > 0 {
		n.met[s] = true
	}
	n.mu.Unlock()
}
