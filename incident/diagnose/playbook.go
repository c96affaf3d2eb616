package diagnose

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"incidentd/oam"
	"incidentd/yang/data"
)

// What the tests of a path send.
const (
	reachPackets  = 100
	reachInterval = 10 * time.Millisecond
	// hopOctets is what the echoes of all hops may send.
	hopOctets = 44_000
	mostHops  = 16
	// shortWay is how far is looked in any case, spare how far beyond the topology's distance.
	shortWay = 12
	spare    = 4
	// lateTimeout is longer than the three seconds after which a router says that the next
	// hop does not answer it.
	lateTimeout = 3500 * time.Millisecond
	wayTimeout  = time.Second
	largeSize   = 1500
	largeTries  = 2
	ipHeader    = 20
	echoHeader  = 28
	sixHeader   = 20 // that IPv6 has more
)

// Book is a target with what its tests have to keep to.
type Book struct {
	Target
	Facing   []Step  // of a whole node
	Degraded bool    // loss or delay is told of
	MostBits float64 // per second, of all tests at once
}

// Next are the tests to run next, beside each other, by what was measured so far; none when
// the playbook is at its end.
func (b *Book) Next(done []Measured) []Step {
	if b.Whole {
		if len(done) == 0 {
			return b.Facing
		}
		return nil
	}
	switch e, w := last(done, reach), last(done, way); {
	case e == nil:
		return []Step{b.reach()}
	case w == nil:
		return []Step{b.way(silentAfter(e))}
	case !ran(done, hops) && b.wantsHops(done):
		return b.hops(done)
	case !ran(done, size) && answers(e) && !lossy(done):
		return []Step{b.size()}
	case !ran(done, sizeOfHop) && reduced(done):
		return b.sizes(done)
	case !ran(done, port) && !ran(done, service):
		return b.services()
	}
	return nil
}

// Plan are all tests that a playbook may run.
func (b *Book) Plan() []Step {
	if b.Whole {
		return b.Facing
	}
	each := func(s Step, condition string) Step {
		s.Target, s.Node, s.Condition = "", "", condition
		return s
	}
	list := []Step{b.reach(), b.way(true)}
	hop := each(b.hopEcho(b.Address, b.hopPackets(mostHops, 0), mostHops), "packets are lost or delayed")
	hop.most = Cost{hopOctets / smallSize, hopOctets / smallSize * b.sizeOf(smallSize)}
	list = append(list, hop)
	list = append(list, b.size())
	list[len(list)-1].Condition = "packets arrive and none is lost"
	large := each(b.sizeEcho(b.Address, largeSize), "large packets do not arrive")
	large.most = Cost{mostHops * largeTries, mostHops * largeTries * largeSize}
	list = append(list, large)
	return append(list, b.services()...)
}

func (b *Book) step(s Step, purpose string) Step {
	s.Vantage, s.Purpose = b.Vantage.Name, purpose
	return s
}

func (b *Book) toTarget(s Step, purpose string) Step {
	s = b.step(s, purpose)
	s.Node = b.Node
	return s
}

func (b *Book) reach() Step {
	return b.toTarget(echo(reach, b.Address, reachPackets, b.pace(echoSize), echoSize-echoHeader), "whether it answers, and with which loss and delay")
}

// way is the path; after silence it waits for errors that come late, and does not look for
// the target far behind where it is expected.
func (b *Book) way(late bool) Step {
	timeout, most := wayTimeout, mostHops
	if late {
		timeout = lateTimeout
		if b.Away > 0 {
			most = min(mostHops, max(shortWay, b.Away+spare))
		}
	}
	return b.toTarget(Step{Type: "path-discovery", Target: b.Address.String(), role: way, leafs: [][2]string{
		{"max-hops", strconv.Itoa(most)}, {"probes-per-hop", "2"}, {"hop-timeout", strconv.FormatInt(timeout.Milliseconds(), 10)},
	}}, "the path, and where it ends")
}

// hopPackets is how many packets each hop gets: enough to see the loss that was seen, within
// what all hops together may cost.
func (b *Book) hopPackets(hopCount int, loss float64) int {
	n := 250
	if loss > 0 {
		n = int(math.Ceil(10 / loss))
	}
	return min(max(n, 100), 400, hopOctets/smallSize/hopCount)
}

// pace is how often so many octets may be sent.
func (b *Book) pace(octets int) time.Duration {
	if b.MostBits <= 0 {
		return reachInterval
	}
	seconds := float64(8*b.sizeOf(octets)) / (0.8 * b.MostBits)
	return max(reachInterval, time.Duration(seconds*float64(time.Second)).Round(time.Microsecond))
}

// hopEcho is the echo of one of so many hops, which are asked beside each other.
func (b *Book) hopEcho(to netip.Addr, packets, hopCount int) Step {
	s := echo(hops, to, packets, b.pace(hopCount*smallSize), smallSize-echoHeader)
	return b.step(s, "from which hop on packets are lost or wait")
}

// sizeOf is the size of a packet whose size with IPv4 is given.
func (b *Book) sizeOf(four int) int {
	if b.Address.Is6() {
		return four + sixHeader
	}
	return four
}

// wantsHops reports whether the path is known, and there is something to look for on it.
func (b *Book) wantsHops(done []Measured) bool {
	return answers(last(done, reach)) && (lossy(done) || waits(last(done, reach)) || b.Degraded)
}

func (b *Book) hops(done []Measured) (list []Step) {
	targets := hopsOf(done, b.Address)
	n := b.hopPackets(len(targets), lossRatio(last(done, reach)))
	for _, h := range targets {
		s := b.hopEcho(h.address, n, len(targets))
		s.hop = h.index
		list = append(list, s)
	}
	return list
}

func (b *Book) size() Step {
	return b.toTarget(Step{Type: "path-mtu", Target: b.Address.String(), role: size, leafs: [][2]string{{"max-size", strconv.Itoa(largeSize)}}},
		"how large packets may be")
}

// sizeEcho asks a hop with packets of a size.
func (b *Book) sizeEcho(to netip.Addr, octets int) Step {
	header := echoHeader
	if to.Is6() {
		header += sixHeader
	}
	s := echo(sizeOfHop, to, largeTries, 100*time.Millisecond, octets-header)
	s.leafs = append(s.leafs, [2]string{"do-not-fragment", "true"})
	return b.step(s, "from which hop on large packets do not arrive")
}

// sizes asks each hop with the smallest packet that does not get to the target.
func (b *Book) sizes(done []Measured) (list []Step) {
	mtu := last(done, size).found().MTU
	for _, h := range hopsOf(done, b.Address) {
		s := b.sizeEcho(h.address, int(mtu.Size)+1)
		s.hop = h.index
		list = append(list, s)
	}
	return list
}

// services are the ports and the configured tests, with few packets.
func (b *Book) services() (list []Step) {
	for _, p := range b.Ports {
		s := Step{Type: "tcp-connect", Target: b.Address.String(), role: port,
			leafs: append(train(fewConnections, reachPackets*time.Millisecond, wayTimeout), [2]string{"destination-port", p})}
		list = append(list, b.toTarget(s, "whether port "+p+" takes connections"))
	}
	for _, t := range b.Tests {
		most := fewConnections
		switch t.Parameters.Name() {
		case "icmp-echo", "stamp", "udp-echo":
			most = reachPackets
		}
		target := t.Parameters.Leaf("target") + t.Parameters.Leaf("url")
		list = append(list, Step{Type: t.Parameters.Name(), Target: target, Vantage: t.Parameters.Leaf("vantage-point"), role: service,
			params: bounded(t.Parameters, most), Purpose: fmt.Sprintf("the configured test %q", t.Name)})
	}
	return list
}

// bounded are the parameters of a test with no more packets than some.
func bounded(params *data.Node, most int) *data.Node {
	leaf := params.Schema().ChildNamed("number-of-packets")
	if leaf == nil || int(oam.Params{Node: params}.Uint("number-of-packets")) <= most {
		return params
	}
	return params.With(data.NewLeaf(leaf, strconv.Itoa(most)))
}

// facingOf are the echoes to the addresses of a node, and to those of its neighbours that face
// it.
func facingOf(n *Network, t Target) (list []Step) {
	ask := func(node string, a netip.Addr) {
		if len(list) == mostHops || slices.ContainsFunc(list, func(s Step) bool { return s.Target == a.String() }) {
			return
		}
		s := echo(facing, a, 10, 50*time.Millisecond, smallSize-echoHeader)
		s.Node, s.Vantage, s.Purpose = node, t.Vantage.Name, "whether this address answers"
		list = append(list, s)
	}
	for _, a := range n.own[t.Node] {
		ask(t.Node, a)
	}
	for _, p := range n.interfaces(t.Node) {
		ask(t.Node, n.ports[p][0])
	}
	for _, p := range n.interfaces(t.Node) {
		if far, ok := n.Far(p); ok {
			for _, a := range n.ports[far] {
				ask(far.Node, a)
				break
			}
		}
	}
	return list
}

// last is the last step of a part that was run, nil without one.
func last(done []Measured, r role) *Measured {
	for i := len(done) - 1; i >= 0; i-- {
		if done[i].role == r {
			return &done[i]
		}
	}
	return nil
}

func ran(done []Measured, r role) bool { return last(done, r) != nil }

// answers reports whether any packet was answered.
func answers(m *Measured) bool {
	f := m.found()
	return f != nil && f.Packets != nil && f.Packets.Received > 0
}

// silentAfter reports whether packets were sent and none was answered.
func silentAfter(m *Measured) bool {
	f := m.found()
	return f != nil && f.Packets != nil && f.Packets.Sent > 0 && f.Packets.Received == 0
}

// lossRatio is the part of the packets that was lost.
func lossRatio(m *Measured) float64 {
	f := m.found()
	if f == nil || f.Errors == nil || f.Packets == nil || f.Packets.Sent == 0 {
		return 0
	}
	return float64(f.Errors.Lost) / float64(f.Packets.Sent)
}

// lossy reports whether some packets to the target were lost, and not all.
func lossy(done []Measured) bool {
	target := ""
	for i := range done {
		m := &done[i]
		if m.role == reach {
			target = m.Target
		}
		if (m.role == reach || m.role == hops && m.Target == target) && answers(m) && lossRatio(m) > 0 {
			return true
		}
	}
	return false
}

// waits reports whether packets to the target wait in a queue.
func waits(m *Measured) bool {
	f := m.found()
	return f != nil && f.TwoWay != nil && queue(f.TwoWay) >= leastQueue
}

// reduced reports whether large packets do not arrive.
func reduced(done []Measured) bool {
	m := last(done, size)
	return m != nil && m.found() != nil && m.found().MTU != nil && m.found().MTU.Size < largeSize
}

// hopAddress is a hop of the path that answers by an address.
type hopAddress struct {
	index   int
	address netip.Addr
}

// hopsOf are the hops of the path that have answered, the target last.
func hopsOf(done []Measured, target netip.Addr) (list []hopAddress) {
	index := 0
	if w := last(done, way); w != nil && w.found() != nil && w.found().Path != nil {
		for _, h := range w.found().Path.Hops {
			if len(h.Addresses) == 0 || h.Addresses[0] == target || len(list) == mostHops-1 {
				continue
			}
			index = int(h.Index)
			list = append(list, hopAddress{index, h.Addresses[0]})
		}
		if n := int(w.found().Path.HopCount); n > 0 {
			index = n - 1
		}
	}
	return append(list, hopAddress{index + 1, target})
}
