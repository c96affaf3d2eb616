package topology

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tp makes termination points, each "name" or "name>network/node/tp".
func tps(names ...string) (out []TP) {
	for _, s := range names {
		name, below, _ := strings.Cut(s, ">")
		t := TP{ID: name}
		if below != "" {
			f := strings.SplitN(below, "/", 3)
			t.Supporting = []TPRef{{f[0], f[1], f[2]}}
		}
		out = append(out, t)
	}
	return out
}

// both makes the two links of "A:a-B:b", with the same supports.
func both(s string, under ...LinkRef) []Link {
	a, c, _ := strings.Cut(s, "-")
	an, ap, _ := strings.Cut(a, ":")
	bn, bp, _ := strings.Cut(c, ":")
	return []Link{
		{ID: s, SourceNode: an, SourceTP: ap, DestNode: bn, DestTP: bp, Supporting: under},
		{ID: c + "-" + a, SourceNode: bn, SourceTP: bp, DestNode: an, DestTP: ap, Supporting: under},
	}
}

// figure is the network of the incident draft's figures: PE1-P1-P2-PE2 and one VPN.
func figure(oneWay bool) []Network {
	ip := Network{ID: "ip", Nodes: []Node{
		{ID: "PE1", TPs: tps("eth0")}, {ID: "P1", TPs: tps("eth0", "eth1")}, {ID: "P2", TPs: tps("eth0", "eth1")}, {ID: "PE2", TPs: tps("eth0")},
	}}
	for _, s := range []string{"PE1:eth0-P1:eth0", "P1:eth1-P2:eth0", "P2:eth1-PE2:eth0"} {
		k := both(s)
		if oneWay {
			k = k[:1]
		}
		ip.Links = append(ip.Links, k...)
	}
	vpn := Network{ID: "VPN-A", Supporting: []string{"ip"},
		Nodes: []Node{{ID: "PE1", Supporting: []NodeRef{{"ip", "PE1"}}}, {ID: "PE2", Supporting: []NodeRef{{"ip", "PE2"}}}},
		Links: []Link{{ID: "a", SourceNode: "PE1", DestNode: "PE2",
			Supporting: []LinkRef{{"ip", "PE1:eth0-P1:eth0"}, {"ip", "P1:eth1-P2:eth0"}, {"ip", "P2:eth1-PE2:eth0"}}}}}
	return []Network{vpn, ip}
}

func TestFigure(t *testing.T) {
	for _, oneWay := range []bool{false, true} {
		x := Build(figure(oneWay), nil)
		want := Stats{Networks: 2, Nodes: 4, Ports: 6, Edges: 4, Services: 1}
		if d := cmp.Diff(want, x.Stats()); d != "" {
			t.Errorf("one way %v (-want +got)\n%s", oneWay, d)
		}
		e, ok := x.Link("ip", "P1:eth1-P2:eth0")
		if !ok || x.Edge(e).Kind != LinkEdge {
			t.Fatalf("one way %v: the link is %v, %v", oneWay, x.Edge(e).Kind, ok)
		}
		s, ok := x.Service("VPN-A")
		if !ok || !cmp.Equal(x.ServiceLinks(s), x.Over(e)) || len(x.Over(e)) != 1 {
			t.Errorf("one way %v: service %v has links %v, over the link %v", oneWay, s, x.ServiceLinks(s), x.Over(e))
		}
	}
}

// layered is a network of fibres, channels, IP links, an IGP, a tunnel and a VPN with
// two customers.
func layered() ([]Network, *Inventory) {
	otn := Network{ID: "f", Nodes: []Node{{ID: "O1", TPs: tps("1")}, {ID: "O2", TPs: tps("1", "2")}, {ID: "O3", TPs: tps("2")}},
		Links: slices.Concat(both("O1:1-O2:1"), both("O2:2-O3:2"))}
	och := Network{ID: "c", Supporting: []string{"f"}, Nodes: []Node{{ID: "O1", TPs: tps("C")}, {ID: "O3", TPs: tps("C")}},
		Links: both("O1:C-O3:C", LinkRef{"f", "O1:1-O2:1"}, LinkRef{"f", "O2:2-O3:2"})}
	ip := Network{ID: "i", Supporting: []string{"c"}, Nodes: []Node{{ID: "R1", TPs: tps("e0>c/O1/C")}, {ID: "R2", TPs: tps("e0>c/O3/C", "e1")}, {ID: "R3", TPs: tps("e1")}},
		Links: slices.Concat(both("R1:e0-R2:e0", LinkRef{"c", "O1:C-O3:C"}), both("R2:e1-R3:e1"))}
	igp := Network{ID: "g", Supporting: []string{"i"}, Nodes: []Node{{ID: "R1", TPs: tps("ig>i/R1/e0")}, {ID: "R2", TPs: tps("e0")}},
		Links: both("R1:ig-R2:e0", LinkRef{"i", "R1:e0-R2:e0"})}
	bgp := Network{ID: "b", Supporting: []string{"i"}, Nodes: []Node{{ID: "R1", TPs: tps("bgp/R3")}, {ID: "R3", TPs: tps("bgp/R1")}},
		Links: both("R1:bgp/R3-R3:bgp/R1")[:1]}
	acc := Network{ID: "a", Supporting: []string{"i"}, Nodes: []Node{{ID: "R1", TPs: tps("x")}, {ID: "CE1", TPs: tps("w")}, {ID: "R3", TPs: tps("x")}, {ID: "CE2", TPs: tps("w")}},
		Links: slices.Concat(both("R1:x-CE1:w"), both("R3:x-CE2:w"))}
	te := Network{ID: "t", Supporting: []string{"i"}, Nodes: []Node{{ID: "R1", TPs: tps("tu1")}, {ID: "R3", TPs: tps("tu1-end")}},
		Links: []Link{{ID: "tu1", SourceNode: "R1", SourceTP: "tu1", DestNode: "R3", DestTP: "tu1-end", Supporting: []LinkRef{{"i", "R1:e0-R2:e0"}, {"i", "R2:e1-R3:e1"}}}}}
	vpn := Network{ID: "v1", Supporting: []string{"t", "a"}, Nodes: []Node{{ID: "R1", TPs: tps("x>a/R1/x")}, {ID: "R3", TPs: tps("x>a/R3/x")}},
		Links: []Link{{ID: "v", SourceNode: "R1", DestNode: "R3", Supporting: []LinkRef{{"t", "tu1"}}}}}
	inv := &Inventory{Nodes: []InventoryNode{{ID: "R1", Site: "S", Domain: "d", Role: "pe", LineCards: []LineCard{{"slot/0", []string{"e0", "gone"}}}}, {ID: "O1", Site: "S"}}}
	return []Network{vpn, te, acc, bgp, igp, ip, och, otn}, inv
}

func TestLayers(t *testing.T) {
	x := Build(layered())
	var got []string
	for e := range EdgeID(x.Edges()) {
		d := x.Edge(e)
		got = append(got, fmt.Sprintf("%s %s/%s under %v over %v", d.Kind, d.Network, d.Link, x.Under(e), x.Over(e)))
	}
	want := []string{
		"section f/O1:1-O2:1 under [] over [2]",
		"section f/O2:2-O3:2 under [] over [2]",
		"channel c/O1:C-O3:C under [0 1] over [3]",
		"link i/R1:e0-R2:e0 under [2] over [8]",
		"link i/R2:e1-R3:e1 under [] over [8]",
		"access a/CE1:w-R1:x under [] over []",
		"access a/CE2:w-R3:x under [] over []",
		"session b/R1:bgp/R3-R3:bgp/R1 under [] over []",
		"tunnel t/tu1 under [3 4] over [9]",
		"service v1/v under [8] over []",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	r1, _ := x.Node("R1")
	ig, _ := x.Port(r1, "ig")
	e0, _ := x.Port(r1, "e0")
	if ig != e0 {
		t.Errorf("the IGP's port is %d, the port it stands on %d", ig, e0)
	}
	o1, _ := x.Node("O1")
	if !x.Optical(o1) || x.Optical(r1) {
		t.Error("which node is optical is mixed up")
	}
	s, _ := x.Service("v1")
	var access []string
	for _, p := range x.ServiceAccess(s) {
		access = append(access, x.NodeName(x.PortNode(p))+" "+x.PortName(p))
	}
	if d := cmp.Diff([]string{"R1 x", "R3 x"}, access); d != "" {
		t.Errorf("access (-want +got)\n%s", d)
	}
	c, ok := x.Card(r1, "slot/0")
	if !ok || x.PortCard(e0) != c || x.Stats().Dangling != 1 {
		t.Errorf("card %v, %v; of port %v; dangling %d", c, ok, x.PortCard(e0), x.Stats().Dangling)
	}
	if n := x.SiteNodes(x.NodeSite(r1)); len(n) != 2 {
		t.Errorf("the site has %d nodes", len(n))
	}
}

func TestDangling(t *testing.T) {
	n := []Network{{ID: "a", Supporting: []string{"gone"}, Nodes: []Node{{ID: "N", Supporting: []NodeRef{{"gone", "N"}}, TPs: tps("p>gone/M/q")}},
		Links: []Link{
			{ID: "1", SourceNode: "N", DestNode: "gone"},
			{ID: "2", SourceNode: "N", SourceTP: "p", DestNode: "N", DestTP: "nowhere", Supporting: []LinkRef{{"a", "gone"}}},
		}}, {ID: "a"}}
	if got := Build(n, nil).Stats(); got.Dangling != 7 || got.Edges != 1 {
		t.Errorf("Stats = %+v", got)
	}
	if got := Build(nil, nil).Stats(); got != (Stats{}) {
		t.Errorf("Stats of nothing = %+v", got)
	}
}

func TestParallelLinksWithoutPorts(t *testing.T) {
	n := []Network{{ID: "a", Nodes: []Node{{ID: "A"}, {ID: "B"}}, Links: []Link{
		{ID: "1", SourceNode: "A", DestNode: "B"}, {ID: "2", SourceNode: "A", DestNode: "B"},
		{ID: "3", SourceNode: "B", DestNode: "A"}, {ID: "4", SourceNode: "B", DestNode: "A"}}}}
	x := Build(n, nil)
	if x.Edges() != 2 {
		t.Errorf("%d edges", x.Edges())
	}
}

func TestReadInventory(t *testing.T) {
	inv, err := ReadInventory(strings.NewReader(`{"node":[{"node-id":"a","site":"s","line-cards":[{"name":"c","ports":["p"]}]}],"x":1}`))
	want := &Inventory{Nodes: []InventoryNode{{ID: "a", Site: "s", LineCards: []LineCard{{"c", []string{"p"}}}}}}
	if d := cmp.Diff(want, inv); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	for _, bad := range []string{``, `{"node":[{}]}`, `{"node":7}`} {
		if _, err := ReadInventory(strings.NewReader(bad)); err == nil || !strings.HasPrefix(err.Error(), "inventory: ") {
			t.Errorf("ReadInventory(%s) = %v", bad, err)
		}
	}
}

// grid makes n nodes in a ring with n/10 VPNs over it.
func grid(n int) []Network {
	ip := Network{ID: "ip"}
	name := func(i int) string { return fmt.Sprintf("N%06d", i%n) }
	id := func(i int) string { return name(i) + "-" + name(i+1) }
	for i := range n {
		ip.Nodes = append(ip.Nodes, Node{ID: name(i), TPs: tps("e0", "e1")})
		ip.Links = append(ip.Links, Link{ID: id(i), SourceNode: name(i), SourceTP: "e1", DestNode: name(i + 1), DestTP: "e0"},
			Link{ID: name(i+1) + "-" + name(i), SourceNode: name(i + 1), SourceTP: "e0", DestNode: name(i), DestTP: "e1"})
	}
	nets := []Network{ip}
	for i := 0; i < n; i += 10 {
		nets = append(nets, Network{ID: fmt.Sprintf("vpn-%d", i), Supporting: []string{"ip"}, Nodes: []Node{{ID: name(i)}, {ID: name(i + 2)}},
			Links: []Link{{ID: "l", SourceNode: name(i), DestNode: name(i + 2), Supporting: []LinkRef{{"ip", id(i)}, {"ip", id(i + 1)}}}}})
	}
	return nets
}

func BenchmarkBuild100kNodes(b *testing.B) {
	nets := grid(100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if x := Build(nets, nil); x.Stats().Services != 10_000 {
			b.Fatalf("%+v", x.Stats())
		}
	}
}

func TestSlotOf(t *testing.T) {
	for port, want := range map[string]string{
		"100GE0/0/3": "0", "et-2/0/1": "2", "HundredGigE0/1/0/7": "1", "GE4/0/0.100": "4", "xe-4/0/0:2": "4",
		"OTS-1-2": "", "eth0": "", "wan0": "", "bgp/P1/x": "", "1/2/3": "1", "2/1/0/3": "1", "slot/0": "", "GE1/2": "", "GE1/a/2": "",
	} {
		if got, _ := slotOf(port); got != want {
			t.Errorf("slotOf(%q) = %q, want %q", port, got, want)
		}
	}
}

func TestSlotNamed(t *testing.T) {
	for card, want := range map[string]string{
		"slot/3": "3", "LC1": "1", "FPC 0": "0", "card-12": "12", "Linecard/07": "7", "0/4/CPU0": "4", "chassis1/board 2": "2", "slot": "", "": "", "7": "", "power/1": "", "eth0": "",
	} {
		if got, _ := slotNamed(card); got != want {
			t.Errorf("slotNamed(%q) = %q, want %q", card, got, want)
		}
	}
}

// TestSupportingLinksHaveNoOrder turns the list around, which the system orders.
func TestSupportingLinksHaveNoOrder(t *testing.T) {
	networks := figure(false)
	slices.SortFunc(networks[0].Links[0].Supporting, func(a, b LinkRef) int { return strings.Compare(b.Link, a.Link) })
	for range 2 {
		if x := Build(networks, nil); x.Stats().Services != 1 {
			t.Errorf("supporting links %v: %d services, want 1", networks[0].Links[0].Supporting, x.Stats().Services)
		}
		slices.Reverse(networks[0].Links[0].Supporting)
	}
}
