package diagnose

import (
	"net/netip"
	"testing"

	"incidentd/incident/topology"
	"incidentd/oam"
	"incidentd/oam/oamtest"
)

// mapOf is h1 - r1 - r2 - r3 - h4, as the chain has it.
func mapOf() *Network { return (&chain{}).network() }

// bookOf is the playbook of the path from h1 to h4.
func bookOf() *Book {
	return &Book{Target: Target{Vantage: Vantage{Name: "h1", Node: "h1"}, Node: "h4", Address: address(4, 2)}}
}

// echoed is what an echo measured.
func echoed(r role, to netip.Addr, hop, sent, lost int) Measured {
	m := &oam.Measurement{Packets: &oam.Packets{Sent: uint32(sent), Received: uint32(sent - lost)}, Errors: &oam.Errors{Lost: uint32(lost)}}
	if lost < sent {
		m.TwoWay = &oam.Delay{}
	}
	return Measured{Step: Step{Type: "icmp-echo", Target: to.String(), role: r, hop: hop}, Run: oam.Run{Outcome: oam.Finished, Found: m}}
}

// ended is a path that ends for a reason; complete: "".
func ended(reason string, hops ...netip.Addr) Measured {
	p := &oam.Path{EndReason: reason, Complete: reason == ""}
	for i, a := range hops {
		p.Hops = append(p.Hops, oam.Hop{Index: uint32(i + 1), Addresses: []netip.Addr{a}})
	}
	return Measured{Step: Step{Type: "path-discovery", role: way}, Run: oam.Run{Outcome: oam.Finished, Found: &oam.Measurement{Path: p}}}
}

func TestLocalise(t *testing.T) {
	r1, r2, r3, h4 := address(1, 2), address(2, 2), address(3, 2), address(4, 2)
	stranger := netip.MustParseAddr("203.0.113.7")
	silent := echoed(reach, h4, 0, 100, 100)
	answered := func(code string, received uint32) Measured {
		return Measured{Step: Step{Type: "tcp-connect", Target: h4.String(), role: port, leafs: [][2]string{{"destination-port", "179"}}}, Run: oam.Run{Outcome: oam.Finished,
			Found: &oam.Measurement{Packets: &oam.Packets{Sent: 3, Received: received}, Errors: &oam.Errors{Lost: 3 - received}, Responses: []oam.Response{{Code: code, Count: 3}}}}}
	}
	mtu := func(octets uint16, black bool) Measured {
		return Measured{Step: Step{Type: "path-mtu", role: size}, Run: oam.Run{Outcome: oam.Finished, Found: &oam.Measurement{MTU: &oam.MTU{Size: octets, BlackHole: black}}}}
	}
	slow := func(m Measured) Measured {
		m.Run.Found.TwoWay = &oam.Delay{Min: 60e6, Percentile95: 77e6}
		return m
	}
	for _, test := range []struct {
		name string
		done []Measured
		want string
		sure bool
	}{
		{"all is well", []Measured{echoed(reach, h4, 0, 100, 0), ended("", r1, r2, r3, h4)}, "healthy", true},
		{"nothing could be sent", []Measured{{Step: Step{role: reach}, Run: oam.Run{Outcome: oam.Failed, Detail: "no socket"}}}, "inconclusive", false},
		{"no route", []Measured{silent, ended("no-route at 10.0.2.2", r1, r2)}, "no-route r2", true},
		{"no route at a router that nobody knows", []Measured{silent, ended("no-route at 203.0.113.7", r1, stranger)}, "no-route", true},
		{"next hop", []Measured{silent, ended("next-hop-unresolved at 10.0.3.2", r1, r2, r3)}, "next-hop-unresolved r3 h4", true},
		{"filter", []Measured{silent, ended("administratively-prohibited at 10.0.1.2", r1)}, "administratively-prohibited r1", true},
		{"loop", []Measured{silent, ended("routing-loop at 10.0.2.2", r1, r2, r3, r2, r3, r2)}, "routing-loop r2 r3", true},
		{"silence", []Measured{silent, ended("silent-drop-after 10.0.2.2", r1, r2)}, "silent-drop-after r2 r3", true},
		{"silence from the first hop on", []Measured{silent, ended("first-hop-silent")}, "first-hop-silent h1 r1", true},
		{"a reason that is not known", []Measured{silent, ended("refused at 10.0.2.2", r1, r2)}, "inconclusive", false},
		{"echo is filtered, UDP is not", []Measured{silent, ended("", r1, r2, r3, h4)}, "icmp-filtered-at-target h4", true},
		{"echo is filtered, TCP is not", []Measured{silent, ended("silent-drop-after 10.0.3.2", r1, r2, r3), answered("connected", 3)}, "icmp-filtered-at-target h4", true},
		{"loss whose place was not searched", []Measured{echoed(reach, h4, 0, 100, 7)}, "inconclusive", false},
		{"loss", []Measured{echoed(reach, h4, 0, 100, 9), ended("", r1, r2, r3, h4), echoed(hops, r1, 1, 100, 0), echoed(hops, r2, 2, 100, 0), echoed(hops, r3, 3, 100, 12), echoed(hops, h4, 4, 100, 10)}, "link-loss r2 r3", true},
		{"loss behind a router that nobody knows", []Measured{echoed(reach, h4, 0, 100, 9), echoed(hops, stranger, 1, 100, 0), echoed(hops, h4, 4, 100, 10)}, "link-loss", true},
		{"loss right behind a router that nobody knows", []Measured{echoed(reach, h4, 0, 100, 9), echoed(hops, stranger, 3, 100, 0), echoed(hops, h4, 4, 100, 10)}, "link-loss r3 h4", true},
		{"waits, and a few packets lost", []Measured{slow(echoed(reach, h4, 0, 100, 6)), echoed(hops, r1, 1, 167, 0), echoed(hops, r2, 2, 167, 0), echoed(hops, r3, 3, 167, 0), slow(echoed(hops, h4, 4, 167, 0))}, "congestion r3 h4", true},
		{"MTU", []Measured{echoed(reach, h4, 0, 100, 0), mtu(1400, false), echoed(sizeOfHop, r1, 1, 2, 0), echoed(sizeOfHop, r2, 2, 2, 2), echoed(sizeOfHop, h4, 4, 2, 2)}, "mtu-reduced r1 r2", true},
		{"MTU that nobody tells", []Measured{echoed(reach, h4, 0, 100, 0), mtu(1400, true), echoed(sizeOfHop, r1, 1, 2, 0), echoed(sizeOfHop, r2, 2, 2, 0), echoed(sizeOfHop, h4, 4, 2, 2)}, "mtu-black-hole r2 h4", true},
		{"MTU whose place does not show", []Measured{echoed(reach, h4, 0, 100, 0), mtu(1400, false), echoed(sizeOfHop, r1, 1, 2, 2), echoed(sizeOfHop, h4, 4, 2, 0)}, "inconclusive", false},
		{"service down", []Measured{echoed(reach, h4, 0, 100, 0), answered("refused", 0)}, "service-down h4", true},
		{"service filtered", []Measured{echoed(reach, h4, 0, 100, 0), answered("timeout", 0)}, "service-filtered h4", true},
		{"service in order", []Measured{echoed(reach, h4, 0, 100, 0), answered("connected", 3)}, "healthy", true},
		{"a service behind a broken path tells nothing", []Measured{silent, ended("no-route at 10.0.2.2", r1, r2), answered("timeout", 0)}, "no-route r2", true},
	} {
		found := Localise(mapOf(), bookOf(), test.done)
		if len(found) == 0 {
			t.Errorf("%s: nothing is found", test.name)
			continue
		}
		if got := found[0].told(); got != test.want || found[0].Conclusive != test.sure {
			t.Errorf("%s: %s, conclusive %t, want %s, %t: %s", test.name, got, found[0].Conclusive, test.want, test.sure, found[0].Detail)
		}
	}
}

// A node is judged by which of its addresses answer, and whether its neighbours do.
func TestLocaliseNode(t *testing.T) {
	n := mapOf()
	b := &Book{Target: Target{Node: "r2", Whole: true}}
	b.Facing = facingOf(n, b.Target)
	own, around := []netip.Addr{address(2, 2), address(3, 1)}, []netip.Addr{address(2, 1), address(3, 2)}
	for _, test := range []struct {
		name   string
		silent []netip.Addr
		want   string
	}{
		{"all answer", nil, "healthy"},
		{"the node is silent", own, "node-unreachable r2"},
		{"an interface is silent", own[1:], "interface-unreachable r2"},
		{"everything is silent", append(append([]netip.Addr{}, own...), around...), "inconclusive"},
	} {
		var done []Measured
		for _, s := range b.Next(nil) {
			a := netip.MustParseAddr(s.Target)
			lost := 0
			for _, x := range test.silent {
				if x == a {
					lost = 10
				}
			}
			m := echoed(facing, a, 0, 10, lost)
			m.Node = s.Node
			done = append(done, m)
		}
		if len(done) != 4 || len(b.Next(done)) != 0 {
			t.Fatalf("%d addresses are asked", len(done))
		}
		if got := Localise(n, b, done)[0].told(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// Which paths are tested depends on what the incident is about, and from where tests can
// begin.
func TestTargets(t *testing.T) {
	n := mapOf()
	h1 := Vantage{"near", "h1"}
	service := Configured{Name: "web", Services: []string{"VPN"}, Parameters: oamtest.Params(t, "tcp-connect", "target", "192.0.2.9", "destination-port", "80").Node}
	for _, test := range []struct {
		name     string
		subject  Subject
		vantages []Vantage
		want     []string // node from vantage
	}{
		{"a link: the path to what is beyond it", Subject{Category: "network", Causes: []Place{{"r2", "right"}}}, []Vantage{h1}, []string{"r3 from near"}},
		{"a link towards this end: the path to the node", Subject{Category: "network", Causes: []Place{{"r2", "left"}}}, []Vantage{h1}, []string{"r2 from near"}},
		{"a node: all of it, then the path to it", Subject{Category: "device", Causes: []Place{{Node: "r3"}}}, []Vantage{h1}, []string{"all of r3 from near", "r3 from near"}},
		{"two at most", Subject{Category: "network", Causes: []Place{{Node: "r1"}, {Node: "r2"}, {Node: "r3"}}}, []Vantage{h1}, []string{"r1 from near", "r2 from near"}},
		{"planned work: nothing", Subject{Category: "maintenance", Planned: true, Causes: []Place{{Node: "r1"}}}, []Vantage{h1}, nil},
		{"nobody knows the node", Subject{Category: "network", Causes: []Place{{Node: "elsewhere"}}}, []Vantage{h1}, nil},
		{"only a test knows an address", Subject{Category: "overlay", Services: []string{"VPN"}, Causes: []Place{{Node: "elsewhere"}}}, []Vantage{h1}, []string{" from "}},
		{"this host, when no near end is known", Subject{Category: "network", Causes: []Place{{Node: "h4"}}}, nil, []string{"h4 from "}},
	} {
		var got []string
		for _, target := range TargetsOf(n, test.vantages, []Configured{service}, test.subject) {
			s := target.Node + " from " + target.Vantage.Name
			if target.Whole {
				s = "all of " + s
			}
			got = append(got, s)
		}
		if len(got) != len(test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: %q, want %q", test.name, got, test.want)
			}
		}
	}
}

// Between the ends of a service the path begins at the near end that is one of them, and a
// session has its port tested.
func TestTargetsOfServices(t *testing.T) {
	ends := func(id string) topology.Network {
		return topology.Network{ID: id, Supporting: []string{"ip"},
			Nodes: []topology.Node{{ID: "r1", TPs: []topology.TP{{ID: id + "/r3"}}, Supporting: []topology.NodeRef{{Network: "ip", Node: "r1"}}},
				{ID: "r3", TPs: []topology.TP{{ID: id + "/r1"}}, Supporting: []topology.NodeRef{{Network: "ip", Node: "r3"}}}},
			Links: []topology.Link{
				{ID: id + "-there", SourceNode: "r1", SourceTP: id + "/r3", DestNode: "r3", DestTP: id + "/r1", Supporting: []topology.LinkRef{{Network: "ip", Link: "r1-r2"}, {Network: "ip", Link: "r2-r3"}}},
				{ID: id + "-back", SourceNode: "r3", SourceTP: id + "/r1", DestNode: "r1", DestTP: id + "/r3", Supporting: []topology.LinkRef{{Network: "ip", Link: "r3-r2"}, {Network: "ip", Link: "r2-r1"}}}}}
	}
	n := mapOf()
	sessions := ends("bgp")
	for i := range sessions.Links {
		sessions.Links[i].Supporting = nil
	}
	n.Index = topology.Build([]topology.Network{ipNetwork(), ends("VPN"), sessions}, nil)
	from := []Vantage{{"one", "h1"}, {"two", "r1"}}
	list := TargetsOf(n, from, nil, Subject{Category: "overlay", Services: []string{"VPN"}})
	if len(list) != 1 || list[0].Node != "r3" || list[0].Vantage.Name != "two" {
		t.Errorf("for a service: %+v", list)
	}
	list = TargetsOf(n, from, nil, Subject{Category: "device", Causes: []Place{{"r3", "VPN/r1"}}})
	if len(list) != 2 || !list[0].Whole || list[1].Node != "r3" || list[1].Vantage.Name != "two" {
		t.Errorf("for the end of a tunnel: %+v", list)
	}
	if len(n.Peers(Place{"r3", "bgp/r1"}, true)) == 0 {
		t.Fatal("the topology takes the session for something else")
	}
	list = TargetsOf(n, from, nil, Subject{Category: "protocol", Causes: []Place{{"r3", "bgp/r1"}}})
	if len(list) == 0 || len(list[0].Ports) != 1 || list[0].Ports[0] != bgpPort {
		t.Errorf("for a session: %+v", list)
	}
}

// A plan never costs more than it says, whatever is found, and is harmless.
func TestPlanBounds(t *testing.T) {
	b := bookOf()
	b.MostBits = 200_000
	for hopCount := 1; hopCount <= mostHops; hopCount++ {
		for _, loss := range []float64{0, 0.001, 0.02, 0.1, 0.5, 0.99} {
			if n := b.hopPackets(hopCount, loss); n < 40 || n*hopCount*smallSize > hopOctets {
				t.Errorf("%d hops with a loss of %g get %d packets each", hopCount, loss, n)
			}
		}
		if rate := float64(hopCount*8*smallSize) / b.pace(hopCount*smallSize).Seconds(); rate > b.MostBits {
			t.Errorf("%d hops are asked at %.0f bits per second", hopCount, rate)
		}
	}
}

func TestIntrusiveness(t *testing.T) {
	for _, test := range []struct {
		step Step
		rate float64
		load bool
		want Intrusiveness
	}{
		{Step{Type: "icmp-echo"}, 100_000, false, Harmless},
		{Step{Type: "icmp-echo"}, 1_000_000, false, Perceptible},
		{Step{Type: "path-mtu"}, 240_000, false, Harmless},
		{Step{Type: "tcp-connect", leafs: train(3, 1, 1)}, 0, false, Harmless},
		{Step{Type: "tcp-connect", leafs: train(4, 1, 1)}, 0, false, Perceptible},
		{Step{Type: "dns-query", params: oamtest.Params(t, "dns-query", "target", "192.0.2.1", "query-name", "example.com", "number-of-packets", "3").Node}, 0, false, Harmless},
		{Step{Type: "dns-query", params: oamtest.Params(t, "dns-query", "target", "192.0.2.1", "query-name", "example.com").Node}, 0, false, Perceptible},
		{Step{Type: "http-request", params: oamtest.Params(t, "http-request", "url", "http://example.com", "number-of-packets", "1").Node}, 0, false, Perceptible},
		{Step{Type: "http-request", params: oamtest.Params(t, "http-request", "url", "http://example.com", "number-of-packets", "1", "method", "HEAD").Node}, 0, false, Harmless},
		{Step{Type: "stamp"}, 150_000, false, Harmless},
		{Step{Type: "stamp"}, 150_000, true, Disruptive},
		{Step{Type: "bfd-liveness"}, 0, false, Disruptive},
		{Step{Type: "service-activation"}, 0, true, Disruptive},
		{Step{Type: "something-new"}, 0, false, Disruptive},
	} {
		if got := intrusivenessOf(&test.step, oam.Demand{BitRate: test.rate, Load: test.load}, 200_000); got != test.want {
			t.Errorf("%s at %.0f bits per second is %s, want %s", test.step.Type, test.rate, got, test.want)
		}
	}
}
