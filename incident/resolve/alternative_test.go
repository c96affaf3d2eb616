package resolve

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/topology"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

// network is a square A B C D of IP links with a diagonal A C. A-B and A-C rest on one fibre, A-D
// on another; B and C are joined by two links at one card of B. VPN-1 goes from A over B to C.
func network() *topology.Index {
	node := func(id string, tps ...string) topology.Node {
		n := topology.Node{ID: id}
		for _, tp := range tps {
			n.TPs = append(n.TPs, topology.TP{ID: tp})
		}
		return n
	}
	link := func(a, ap, b, bp string, under ...topology.LinkRef) topology.Link {
		return topology.Link{ID: a + ap + "-" + b + bp, SourceNode: a, SourceTP: ap, DestNode: b, DestTP: bp, Supporting: under}
	}
	fibre := func(id string) topology.LinkRef { return topology.LinkRef{Network: "fibre", Link: id} }
	ip := func(id string) topology.LinkRef { return topology.LinkRef{Network: "ip", Link: id} }
	return topology.Build([]topology.Network{
		{ID: "fibre", Nodes: []topology.Node{node("X", "1", "2"), node("Y", "1"), node("Z", "2")},
			Links: []topology.Link{{ID: "f1", SourceNode: "X", SourceTP: "1", DestNode: "Y", DestTP: "1"}, {ID: "f2", SourceNode: "X", SourceTP: "2", DestNode: "Z", DestTP: "2"}}},
		{ID: "ip", Supporting: []string{"fibre"}, Nodes: []topology.Node{node("A", "b", "c", "d"), node("B", "a", "c1", "c2"), node("C", "a", "b1", "b2", "d"), node("D", "a", "c")},
			Links: []topology.Link{link("A", "b", "B", "a", fibre("f1")), link("A", "c", "C", "a", fibre("f1")), link("A", "d", "D", "a", fibre("f2")),
				link("B", "c1", "C", "b1"), link("B", "c2", "C", "b2"), link("D", "c", "C", "d")}},
		{ID: "VPN-1", Supporting: []string{"ip"}, Nodes: []topology.Node{node("A"), node("C")},
			Links: []topology.Link{{ID: "v", SourceNode: "A", DestNode: "C", Supporting: []topology.LinkRef{ip("Ab-Ba"), ip("Bc1-Cb1")}}}},
	}, &topology.Inventory{Nodes: []topology.InventoryNode{{ID: "B", LineCards: []topology.LineCard{{Name: "LC1", Ports: []string{"c1", "c2"}}}}}})
}

func TestAround(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"ietf-incident", "incidentd-correlation", "incidentd-incident"}})
	if err != nil {
		t.Fatal(err)
	}
	x := network()
	list := s.Root.ChildNamed("incidents").ChildNamed("incident")
	incident := func(node, resource string, services ...string) *data.Node {
		b := data.BuildEntry(list, "inc-1")
		c := b.Container("root-causes").Entry("root-cause", node)
		if resource != "" {
			c.Entry("resource", resource)
		}
		for _, v := range services {
			b.Leaf("service-instance", v)
		}
		return b.Node()
	}
	for _, tt := range []struct {
		name, risks, node, resource string
		services                    []string
		want                        []string
	}{
		{"a port, for the service: not by the link on the same fibre", "", "A", "b", []string{"VPN-1"}, []string{"A D C for VPN-1"}},
		{"a port, without a service: between its own ends", "", "A", "b", nil, []string{"A D C B", "A D C B"}},
		{"a fibre: what rides on it", "", "X", "1", []string{"VPN-1"}, []string{"A D C for VPN-1"}},
		{"a card: by none of its links", "", "B", "LC1", nil, []string{"B A C", "B A D C"}},
		{"a node", "", "B", "", []string{"VPN-1"}, []string{"A C for VPN-1", "A D C for VPN-1"}},
		{"a shared risk is configured", `<correlation xmlns="urn:incidentd:yang:correlation"><shared-risk><name>duct</name><member><id>1</id><network>fibre</network><link>f1</link></member>
			<member><id>2</id><network>fibre</network><link>f2</link></member></shared-risk></correlation>`, "A", "b", []string{"VPN-1"},
			[]string{"A C for VPN-1 (which shares a risk with what has failed)", "A D C for VPN-1 (which shares a risk with what has failed)"}},
		{"a place that the topology does not know", "", "B", "fan", []string{"VPN-1"}, nil},
		{"a node that it does not know", "", "Q", "", []string{"VPN-1"}, nil},
		{"the end of the service", "", "A", "", []string{"VPN-1"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			running := data.New(s.Root)
			if tt.risks != "" {
				var err error
				if running, err = (&data.Parser{Schema: s}).ParseDocument([]byte(tt.risks)); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, a := range around(x, running, incident(tt.node, tt.resource, tt.services...)) {
				got = append(got, a.String())
				if want := fmt.Sprint(len(a.Nodes) - 1); fmt.Sprint(len(a.Links)) != want || !strings.HasPrefix(a.Links[0], "ip/") {
					t.Errorf("the links are %v", a.Links)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
