package bfd

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
)

// Node is a host with sessions, which share the port of each place. Any number of goroutines
// may use it.
type Node struct {
	keys oam.Keys

	mu    sync.Mutex
	ports map[place]*port
}

// New makes a node.
func New(keys oam.Keys) *Node {
	return &Node{keys: keys, ports: map[place]*port{}}
}

// place is where packets of sessions come to.
type place struct {
	vantage  oam.Vantage
	six      bool
	multihop bool
}

func (p place) number() uint16 {
	if p.multihop {
		return MultihopPort
	}
	return SingleHopPort
}

// port is the socket of a place and the sessions that it is for.
type port struct {
	place place
	conn  *socket.Conn
	done  chan struct{} // closed when nobody receives any more
	users int           // under the lock of the Node

	mu       sync.Mutex
	sessions map[uint32]*mailbox // by the discriminator of this end
	peers    map[netip.Addr]*mailbox
}

// mailbox is what came for a session. Its run reads it.
type mailbox struct {
	local   uint32 // the discriminator
	peer    netip.Addr
	packets chan received // never closed
	dropped atomic.Uint32 // packets that were none of its, or found no place
}

// received is a packet that Decode has taken.
type received struct {
	Control
	packet []byte
	at     time.Time
	kernel bool
}

// mailboxSize is how many packets may wait for a run that is held up.
const mailboxSize = 64

// open returns the port of a place; close has to be called once for each call.
func (n *Node) open(at place) (*port, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p, ok := n.ports[at]; ok {
		p.users++
		return p, nil
	}
	conn, err := socket.Open(at.vantage, socket.UDP, at.six, socket.Options{Port: at.number()})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, oam.Faultf(oam.ResourceContention, "UDP port %d belongs to another process: the system has BFD sessions of its own there, and a test never takes part in those", at.number())
	}
	if err != nil {
		return nil, err
	}
	p := &port{place: at, conn: conn, done: make(chan struct{}), users: 1, sessions: map[uint32]*mailbox{}, peers: map[netip.Addr]*mailbox{}}
	n.ports[at] = p
	go p.receive()
	return p, nil
}

// close gives a port back. The last one to do so closes it.
func (n *Node) close(p *port) {
	n.mu.Lock()
	p.users--
	last := p.users == 0
	if last {
		delete(n.ports, p.place)
	}
	n.mu.Unlock()
	if last {
		p.conn.Close()
		<-p.done
	}
}

// join begins to take the packets of a session with a peer, until leave. There can be one
// for each peer.
func (p *port) join(peer netip.Addr) (*mailbox, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.peers[peer] != nil {
		return nil, oam.Faultf(oam.ResourceContention, "another run has a session with %s", peer)
	}
	m := &mailbox{peer: peer, packets: make(chan received, mailboxSize)}
	for m.local == 0 || p.sessions[m.local] != nil {
		m.local = random()
	}
	p.sessions[m.local], p.peers[peer] = m, m
	return m, nil
}

func (p *port) leave(m *mailbox) {
	p.mu.Lock()
	delete(p.sessions, m.local)
	delete(p.peers, m.peer)
	p.mu.Unlock()
}

// receive hands packets to their sessions until the socket is closed.
func (p *port) receive() {
	defer close(p.done)
	buffer := make([]byte, 512)
	for {
		n, m, err := p.conn.Receive(buffer)
		if err != nil {
			return
		}
		p.deliver(buffer[:n], m)
	}
}

// deliver hands a packet to its session: by the discriminator, or by the address where the
// far end does not know that yet [RFC 5880 section 6.3]. Over one hop it must have the hop
// limit that nobody on the way can give it [RFC 5881 section 5].
func (p *port) deliver(b []byte, m socket.Message) {
	from := m.From.Addr().WithZone("")
	c, packet, err := Decode(b)
	p.mu.Lock()
	to := p.peers[from]
	if err == nil && c.YourDiscriminator != 0 {
		to = p.sessions[c.YourDiscriminator]
	}
	p.mu.Unlock()
	if to == nil {
		return
	}
	if err != nil || to.peer != from || !p.place.multihop && m.HopLimit != 255 {
		to.dropped.Add(1)
		return
	}
	select {
	case to.packets <- received{c, append([]byte(nil), packet...), m.At, m.Kernel}:
	default:
		to.dropped.Add(1)
	}
}

func random() uint32 {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return binary.NativeEndian.Uint32(b[:])
}
