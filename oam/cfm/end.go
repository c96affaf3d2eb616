package cfm

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
)

// endpoints are a maintenance end point here and one there: the grouping cfm-params of
// incidentd-oam-tests.
type endpoints struct {
	name     string // of the interface
	vlan     uint16
	priority uint8
	level    uint8
	target   MAC
}

func readEndpoints(p oam.Params) (endpoints, error) {
	e := endpoints{
		name:     p.String("interface"),
		vlan:     uint16(p.Uint("vlan")),
		priority: uint8(p.Uint("vlan-priority")),
		level:    uint8(p.Uint("md-level")),
	}
	a, err := net.ParseMAC(p.String("destination-mac-address"))
	if err != nil || len(a) != len(e.target) {
		return e, fmt.Errorf("destination-mac-address %s: it has to have 6 octets", p.String("destination-mac-address"))
	}
	if e.target = MAC(a); e.target.group() {
		return e, fmt.Errorf("destination-mac-address %s: it is the address of a group, and a test is of one station", e.target)
	}
	return e, nil
}

// where is the target for admission.
func (e endpoints) where() string { return e.target.String() + " by " + e.name }

// end is what a run has open.
type end struct {
	link  *socket.Link
	local MAC
	index int
	mtu   int
}

// open opens the socket on the interface.
func (e endpoints) open(env *oam.Env) (*end, error) {
	link, station, err := socket.OpenLink(env.Vantage, e.name, EtherType)
	if err != nil {
		return nil, err
	}
	return &end{link, MAC(station.Address), station.Index, station.MTU}, nil
}

// check opens it once, with room for frames of a size.
func (e endpoints) check(env *oam.Env, size int) error {
	x, err := e.open(env)
	if err != nil {
		return err
	}
	defer x.link.Close()
	if payload := size - ethernetHeader; payload > x.mtu {
		return oam.Faultf(oam.BadTarget, "the frames have %d octets of payload, and %s takes %d", payload, e.name, x.mtu)
	}
	return nil
}

// frame begins one of this end.
func (e endpoints) frame(x *end, kind OpCode, transaction uint32) Frame {
	return Frame{Source: x.local, VLAN: e.vlan, Priority: e.priority, Level: e.level, OpCode: kind, Transaction: transaction}
}

// receive hands what comes for this end to f, until the socket is closed.
func (e endpoints) receive(x *end, f func(r Frame, at time.Time, kernel bool)) {
	buffer := make([]byte, 65536)
	for {
		n, m, err := x.link.Receive(buffer)
		if err != nil {
			if errors.Is(err, os.ErrClosed) {
				return
			}
			time.Sleep(100 * time.Millisecond) // such as that the interface is down: not as fast as one can
			continue
		}
		r, err := Decode(buffer[:n])
		if err == nil && m.VLAN == e.vlan && r.Level == e.level && r.Destination == x.local {
			f(r, m.At, m.Kernel)
		}
	}
}
