package farend

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"incidentd/oam/socket"
)

// Answer makes the answer to a packet, which it may overwrite. It asks the gate once, and
// reports false when there is no answer. Several goroutines call it.
type Answer func(g *Gate, packet []byte, m socket.Message) (reply []byte, ok bool)

// End is a far end.
type End struct {
	gate   *Gate
	answer Answer
	conns  []*socket.Conn
	wait   sync.WaitGroup
}

// Listen begins to answer, over IPv4 and IPv6 as far as this host knows them. It runs until
// Close. A family that fails in any other way is an error: half an end would go unnoticed.
func Listen(c Config, answer Answer) (*End, error) {
	e := &End{gate: NewGate(c), answer: answer}
	families := []bool{false, true}
	if a := c.Vantage.SourceAddress; a.IsValid() {
		families = []bool{a.Is6()}
	}
	var unknown []error
	for _, six := range families {
		conn, err := socket.Open(c.Vantage, socket.UDP, six, socket.Options{Port: c.Port})
		switch {
		case errors.Is(err, syscall.EAFNOSUPPORT):
			unknown = append(unknown, err)
		case err != nil:
			e.Close()
			return nil, err
		default:
			e.conns = append(e.conns, conn)
		}
	}
	if len(e.conns) == 0 {
		return nil, errors.Join(unknown...)
	}
	for _, conn := range e.conns {
		e.wait.Go(func() { e.serve(conn) })
	}
	return e, nil
}

// Addresses are what the end listens at.
func (e *End) Addresses() []netip.AddrPort {
	var list []netip.AddrPort
	for _, c := range e.conns {
		if a, err := c.Local(); err == nil {
			list = append(list, a)
		}
	}
	return list
}

// Listening are its Addresses, for people.
func (e *End) Listening() []string {
	var list []string
	for _, a := range e.Addresses() {
		list = append(list, a.String())
	}
	return list
}

// Stats are the figures since it began.
func (e *End) Stats() Stats { return e.gate.Stats() }

// Close ends it.
func (e *End) Close() error {
	for _, c := range e.conns {
		c.Close()
	}
	e.wait.Wait()
	return nil
}

func (e *End) serve(conn *socket.Conn) {
	buffer := make([]byte, 65536)
	for {
		n, m, err := conn.Receive(buffer)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(100 * time.Millisecond) // such as out of memory: not for ever as fast as one can
			continue
		}
		reply, ok := e.answer(e.gate, buffer[:n], m)
		if !ok {
			continue
		}
		hops := 0
		if e.gate.config.OneHopLess {
			hops = m.HopLimit - 1
		}
		if conn.Reply(reply, m, hops) == nil {
			e.gate.sent()
		}
	}
}
