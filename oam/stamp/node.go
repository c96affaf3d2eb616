package stamp

import (
	"net/netip"
	"sync"
)

// Node is a host with senders and reflectors.
type Node struct {
	keys func(name string) ([]byte, error)

	mu    sync.Mutex
	local map[session]int // the senders of this node, which its reflectors recognise
	met   map[session]bool
}

// session is what a reflector tells senders apart by.
type session struct {
	sender netip.AddrPort
	ssid   uint16
}

// New makes a node. keys finds the key of a name; it may be nil when there are none.
func New(keys func(name string) ([]byte, error)) *Node {
	return &Node{keys: keys, local: map[session]int{}, met: map[session]bool{}}
}

// begin has the reflectors of this node look for the packets of a sender.
func (n *Node) begin(s session) {
	n.mu.Lock()
	n.local[s]++
	n.mu.Unlock()
}

// end reports whether a reflector of this node has seen packets of a sender, and forgets
// it.
func (n *Node) end(s session) bool {
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
func (n *Node) meet(s session) {
	n.mu.Lock()
	if n.local[s] > 0 {
		n.met[s] = true
	}
	n.mu.Unlock()
}
