package cfm

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/farend"
	"incidentd/oam/socket"
)

// PointConfig is what a maintenance point is.
type PointConfig struct {
	Vantage oam.Vantage
	// Interface is that of a MEP; of MIPs it is a bridge, on whose ports they are.
	Interface    string
	Intermediate bool // MIPs
	VLAN         uint16
	Level        uint8
	MaxRate      int // frames per second that are answered, of all stations together; 0: any number
}

// Point is a maintenance point that answers.
type Point struct {
	config PointConfig
	link   *socket.Link
	mep    socket.Station // of a MEP
	done   chan struct{}  // closed when nobody receives any more

	mu     sync.Mutex
	stats  farend.Stats
	level  float64 // of the token bucket
	filled time.Time
}

// bridgeAge is how old what is known of a bridge may be. Ports come and go, and addresses
// are learned, while link trace messages are rare.
const bridgeAge = time.Second

// Answer begins a point. It runs until Close.
func Answer(c PointConfig) (*Point, error) {
	p := &Point{config: c, done: make(chan struct{}), level: float64(c.MaxRate), filled: time.Now()}
	name := c.Interface
	if c.Intermediate {
		if _, err := socket.ReadBridge(c.Vantage, name); err != nil {
			return nil, err
		}
		name = "" // whatever its ports are
	}
	link, station, err := socket.OpenLink(c.Vantage, name, EtherType)
	if err != nil {
		return nil, err
	}
	p.link, p.mep = link, station
	if !c.Intermediate { // ports of a bridge take everything
		group := class2(c.Level)
		if err := link.Join(station.Index, net.HardwareAddr(group[:])); err != nil {
			link.Close()
			return nil, err
		}
	}
	go p.serve()
	return p, nil
}

// Listening is where it answers.
func (p *Point) Listening() []string {
	if !p.config.Intermediate {
		return []string{MAC(p.mep.Address).String() + " on " + p.config.Interface}
	}
	b, err := socket.ReadBridge(p.config.Vantage, p.config.Interface)
	if err != nil {
		return nil
	}
	var list []string
	for _, s := range b.Ports {
		list = append(list, MAC(s.Address).String()+" on "+s.Name)
	}
	return list
}

// Stats are the figures since it began. Nobody is remembered.
func (p *Point) Stats() farend.Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Close ends it.
func (p *Point) Close() error {
	err := p.link.Close()
	<-p.done
	return err
}

// outgoing is a frame that a point sends, by an interface.
type outgoing struct {
	Frame
	index int
}

func (p *Point) serve() {
	defer close(p.done)
	buffer := make([]byte, 65536)
	ports := new(bridge)
	for {
		n, m, err := p.link.Receive(buffer)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(100 * time.Millisecond) // such as that the interface is down: not as fast as one can
			continue
		}
		f, err := Decode(buffer[:n])
		if err != nil || f.Level != p.config.Level || m.VLAN != p.config.VLAN {
			continue // of others; it is passed by
		}
		f.VLAN = m.VLAN
		var answers []outgoing
		if p.config.Intermediate {
			if m.At.Sub(ports.at) > bridgeAge {
				*ports = bridge{at: m.At}
				ports.known, _ = socket.ReadBridge(p.config.Vantage, p.config.Interface)
			}
			answers = ports.answer(f, m.Interface)
		} else {
			answers = answerMEP(f, MAC(p.mep.Address), p.mep.Index)
		}
		p.send(answers, m.At)
	}
}

// send sends what answers a frame, if there is anything and the rate permits.
func (p *Point) send(answers []outgoing, now time.Time) {
	if len(answers) == 0 || !p.admit(now) {
		return
	}
	for _, a := range answers {
		if _, err := p.link.Send(a.Append(nil), a.index); err == nil {
			p.mu.Lock()
			p.stats.Sent++
			p.mu.Unlock()
		}
	}
}

// admit counts a frame to be answered, and says whether the rate permits.
func (p *Point) admit(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Received++
	rate := float64(p.config.MaxRate)
	if rate <= 0 {
		return true
	}
	p.level = min(rate, p.level+rate*max(0, now.Sub(p.filled).Seconds()))
	p.filled = now
	if p.level < 1 {
		p.stats.Refused++
		return false
	}
	p.level--
	return true
}

// priority is that of answers in a tag: the highest, as that of continuity checks.
const priority = 7

// looped is the reply to a loopback message to a station.
func looped(f Frame, local MAC) Frame {
	f.Destination, f.Source, f.OpCode, f.Priority = f.Source, local, LBR, priority
	return f
}

// traced begins the reply to a link trace message.
func traced(f Frame, local MAC, relay uint8) Frame {
	return Frame{
		Destination: f.Original, Source: local, VLAN: f.VLAN, Priority: priority,
		Level: f.Level, OpCode: LTR, Flags: f.Flags & UseFDBOnly, Transaction: f.Transaction, TTL: f.TTL - 1,
		Relay: relay, Egress: f.Egress,
	}
}

// valid reports whether a message is one to look at: who asks is a station, and an answer
// would go to no group.
func valid(f Frame) bool {
	switch f.OpCode {
	case LBM:
		return !f.Source.group() && !f.Destination.group()
	case LTM:
		return f.TTL > 0 && f.Destination == class2(f.Level) && !f.Source.group() && !f.Original.group() && !f.Target.group()
	}
	return false
}

// answerMEP is what a down MEP answers: what is for its own address. It is the end of its
// domain and passes nothing on.
func answerMEP(f Frame, local MAC, index int) []outgoing {
	switch {
	case !valid(f) || f.Source == local || f.Original == local:
	case f.OpCode == LBM && f.Destination == local:
		return []outgoing{{looped(f, local), index}}
	case f.OpCode == LTM && f.Target == local:
		r := traced(f, local, relayHit)
		r.Flags |= TerminalMEP
		r.Ingress = &Port{1, local}
		return []outgoing{{r, index}}
	}
	return nil
}

// bridge is what MIPs know.
type bridge struct {
	at    time.Time
	known *socket.Bridge // nil: nothing
}

// ByFDB is the relay action of what the filtering database tells [IEEE 802.1Q table 21-27].
const byFDB = 2

// answer is what the MIP on a port answers, and passes on [IEEE 802.1Q clause 20.3].
func (b *bridge) answer(f Frame, index int) []outgoing {
	if b.known == nil || !valid(f) {
		return nil
	}
	port, ours := b.known.Ports[index]
	if !ours {
		return nil
	}
	local := MAC(port.Address)
	switch f.OpCode {
	case LBM:
		if f.Destination == local {
			return []outgoing{{looped(f, local), index}}
		}
	case LTM:
		if f.Target == local {
			r := traced(f, local, relayHit)
			r.Ingress = &Port{1, local}
			return []outgoing{{r, index}}
		}
		return b.pass(f, index, local)
	}
	return nil
}

// pass replies to a message and passes it on to where its target is. Nothing is said of a
// target that is not known, or that is where the message came from.
func (b *bridge) pass(f Frame, index int, local MAC) []outgoing {
	leaves, known := b.known.Port(f.Target, f.VLAN)
	port, ours := b.known.Ports[leaves]
	if !known || !ours || leaves == index {
		return nil
	}
	other := MAC(port.Address)
	relay := uint8(byFDB)
	if f.Target == other {
		relay = relayHit // it is the MIP on the port behind which it is looked for
	}
	r := traced(f, local, relay)
	r.Ingress, r.Leaves = &Port{1, local}, &Port{1, other}
	if relay == relayHit || f.TTL == 1 {
		return []outgoing{{r, index}}
	}
	r.Flags |= FwdYes
	r.NextEgress = egressOf(other)
	f.Source, f.TTL, f.Egress, f.Priority = other, f.TTL-1, egressOf(other), priority
	return []outgoing{{r, index}, {f, leaves}}
}
