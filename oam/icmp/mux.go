package icmp

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/train"
)

// Mux shares sockets between runs. Its zero value is ready for use, by any number of
// goroutines.
type Mux struct {
	mu     sync.Mutex
	shared map[place]*shared
}

// place is what all packets of a socket have in common.
type place struct {
	vantage       oam.Vantage
	six           bool
	dscp          uint8
	doNotFragment bool
}

// shared is a socket and the runs that use it.
type shared struct {
	conn *socket.Conn
	id   uint16
	six  bool
	done chan struct{} // closed when nobody receives any more

	users int // under the lock of the Mux

	mu   sync.Mutex
	runs map[uint64]*listener
}

// listener is a run that waits for replies.
type listener struct {
	target netip.Addr
	size   int
	record *train.Record
}

// open returns the socket of a place; close has to be called once for each call.
func (m *Mux) open(p place) (*shared, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.shared[p]; ok {
		s.users++
		return s, nil
	}
	conn, err := socket.Open(p.vantage, socket.ICMP, p.six, socket.Options{DSCP: p.dscp, DoNotFragment: p.doNotFragment})
	if err != nil {
		return nil, err
	}
	s := &shared{conn: conn, id: uint16(random()), six: p.six, users: 1, done: make(chan struct{}), runs: map[uint64]*listener{}}
	if m.shared == nil {
		m.shared = map[place]*shared{}
	}
	m.shared[p] = s
	go s.receive()
	return s, nil
}

// close gives a socket back. The last one to do so closes it.
func (m *Mux) close(p place, s *shared) {
	m.mu.Lock()
	s.users--
	last := s.users == 0
	if last {
		delete(m.shared, p)
	}
	m.mu.Unlock()
	if last {
		s.conn.Close()
		<-s.done
	}
}

// listen has the replies to a run recorded, until forget is called with the token.
func (s *shared) listen(l *listener) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		token := random()
		if _, taken := s.runs[token]; !taken {
			s.runs[token] = l
			return token
		}
	}
}

func (s *shared) forget(token uint64) {
	s.mu.Lock()
	delete(s.runs, token)
	s.mu.Unlock()
}

// send sends a request of a run.
func (s *shared) send(token uint64, number int, l *listener) (time.Time, error) {
	return s.conn.Send(request(s.six, s.id, token, uint32(number), l.size), netip.AddrPortFrom(l.target, 0))
}

// receive hands replies to their runs until the socket is closed.
func (s *shared) receive() {
	defer close(s.done)
	buffer := make([]byte, 65536)
	header := !s.six && !s.conn.Datagram()
	for {
		n, m, err := s.conn.Receive(buffer)
		if err != nil {
			return
		}
		r, ok := parse(buffer[:n], s.six, header)
		if !ok {
			continue
		}
		s.mu.Lock()
		l := s.runs[r.token]
		s.mu.Unlock()
		switch {
		case l == nil: // of a run that has ended, or of another process
		case r.size != l.size || !r.intact || m.From.Addr().WithZone("") != l.target.WithZone(""):
			l.record.Bad()
		default:
			l.record.Received(int(r.number), m.At, m.Kernel)
		}
	}
}

func random() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.NativeEndian.Uint64(b[:])
}
