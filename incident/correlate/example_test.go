package correlate_test

import (
	"fmt"
	"time"

	"incidentd/incident/correlate"
	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// Three alarms of one broken interface are one incident, which hurts the VPN that
// runs over it.
func Example() {
	tps := []topology.TP{{ID: "eth0"}, {ID: "eth1"}}
	link := func(a, b string) topology.Link {
		return topology.Link{ID: a + "-" + b, SourceNode: a, SourceTP: "eth1", DestNode: b, DestTP: "eth0"}
	}
	ip := topology.Network{ID: "ip",
		Nodes: []topology.Node{{ID: "PE1", TPs: tps}, {ID: "P1", TPs: tps}, {ID: "P2", TPs: tps}, {ID: "PE2", TPs: tps}},
		Links: []topology.Link{link("PE1", "P1"), link("P1", "P2"), link("P2", "PE2")}}
	vpn := topology.Network{ID: "VPN-A", Supporting: []string{"ip"},
		Nodes: []topology.Node{{ID: "PE1"}, {ID: "PE2"}},
		Links: []topology.Link{{ID: "a", SourceNode: "PE1", DestNode: "PE2", Supporting: []topology.LinkRef{
			{Network: "ip", Link: "PE1-P1"}, {Network: "ip", Link: "P1-P2"}, {Network: "ip", Link: "P2-PE2"}}}}}

	e := correlate.New(correlate.Config{})
	e.SetTopology(topology.Build([]topology.Network{ip, vpn}, nil))
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for i, a := range [][3]string{{"P1", "eth1", "link-down"}, {"P1", "eth1", "igp-down"}, {"P2", "eth0", "igp-peer-abnormal"}} {
		e.Feed(&event.Event{ID: fmt.Sprint(i), Time: at, Arrival: at, Node: a[0], Resource: a[1], AlarmTypeID: a[2], Severity: event.Major})
	}
	for _, d := range e.Advance(at.Add(time.Minute)) {
		root := d.Incident.RootCauses[0]
		fmt.Println(d.Op, d.At.Format(time.TimeOnly), d.Incident.Name)
		fmt.Println(root.CauseName, "at", root.Node, root.Resource)
		fmt.Println(len(d.Incident.Events()), "events; services", d.Incident.ServiceInstances)
	}
	// Output:
	// raised 08:00:03 VPN-A unavailable
	// Interface down at P1 eth1
	// 3 events; services [VPN-A]
}
