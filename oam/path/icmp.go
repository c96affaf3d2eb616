package path

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"incidentd/oam"
	"incidentd/oam/socket"
)

// meaning is what an ICMP error says of a probe.
type meaning int

const (
	expired     meaning = iota // its hop limit was used up: a hop of the path
	arrived                    // the target has it, and nobody wants it
	noRoute                    // there is no way from there
	unreachable                // the next hop or the host does not answer
	prohibited                 // a filter refuses it, and says so
	tooBig                     // it is larger than the next link
	somethingElse
)

// read tells what an ICMP error means.
func read(six bool, e *socket.ICMPError) meaning {
	type kind struct{ Type, Code uint8 }
	k := kind{e.Type, e.Code}
	if six {
		switch {
		case e.Type == 3:
			return expired
		case e.Type == 2:
			return tooBig
		case k == kind{1, 4}:
			return arrived
		case k == kind{1, 0}, k == kind{1, 6}:
			return noRoute
		case k == kind{1, 1}, k == kind{1, 5}:
			return prohibited
		case e.Type == 1:
			return unreachable
		}
		return somethingElse
	}
	switch {
	case e.Type == 11:
		return expired
	case k == kind{3, 4}:
		return tooBig
	case k == kind{3, 3}, k == kind{3, 2}:
		return arrived
	case k == kind{3, 0}, k == kind{3, 6}, k == kind{3, 11}:
		return noRoute
	case k == kind{3, 9}, k == kind{3, 10}, k == kind{3, 13}:
		return prohibited
	case e.Type == 3:
		return unreachable
	}
	return somethingElse
}

// String is the reason why a path ends there.
func (m meaning) String() string {
	switch m {
	case noRoute:
		return "no-route"
	case unreachable:
		return "next-hop-unresolved"
	case prohibited:
		return "administratively-prohibited"
	case tooBig:
		return "packet-too-big"
	}
	return "refused"
}

// reason is why a path ends at a router.
func reason(m meaning, at netip.Addr) string { return fmt.Sprintf("%s at %s", m, at) }

// echo builds an echo request with a number in its payload; size is that of the payload.
func echo(six bool, id uint16, number uint32, size int) []byte {
	b := make([]byte, 8+max(size, 4))
	b[0] = 8
	if six {
		b[0] = 128
	}
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], uint16(number))
	binary.BigEndian.PutUint32(b[8:], number)
	if !six {
		binary.BigEndian.PutUint16(b[2:], socket.Checksum(b, 0))
	}
	return b
}

// echoed reads the number of an echo request or reply that has the number in its payload.
// raw tells that the header of IPv4 may stand before it, and that id has to be looked at.
func echoed(b []byte, six, raw bool, id uint16, kind byte) (uint32, bool) {
	if raw && !six && len(b) > 0 && b[0]>>4 == 4 {
		b = b[min(len(b), int(b[0]&15)*4):]
	}
	if len(b) < 12 || b[0] != kind || raw && binary.BigEndian.Uint16(b[4:]) != id {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[8:]), true
}

// targetOf finds the target's address, if the limits permit it.
func targetOf(lookup func() (netip.Addr, error), env *oam.Env) (netip.Addr, error) {
	a, err := lookup()
	if err != nil {
		return a, err
	}
	return a, env.Permit(a)
}
