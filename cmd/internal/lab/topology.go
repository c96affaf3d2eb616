package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"text/template"
)

// The configuration of the server: what the network is, and where its messages come from.
var (
	//go:embed topology.xml
	topologyText string
	//go:embed syslog.xml
	syslogText string
	//go:embed vantage.xml
	vantageText string
)

// link is a link of the topology, in one direction.
type link struct {
	ID, From, FromPort, To, ToPort string
	Layer                          string   // the network of the links it rests on
	On                             []string // those links
}

// overlay is a network between the two routers at the edge.
type overlay struct {
	Name, Layer string
	Port        string // a format with the name of the other router
	Links       []link
}

// topology is what the server is told of the network: RFC 8345, with the sessions of BGP,
// the tunnel between the edges over the three links, and VPN A over the tunnel.
func (n *network) topology() ([]byte, error) {
	type tp struct {
		Name    string
		Address netip.Addr
	}
	type node struct {
		Name, Peer string
		Loopback   netip.Addr
		Ports      []tp
	}
	var nodes []node
	var links []link
	path := map[bool][]string{} // the links from PE1 to PE2, and back
	for i, r := range n.routers {
		v := node{Name: r.name, Loopback: r.loopback}
		for _, p := range r.ports {
			v.Ports = append(v.Ports, tp{p.name, p.address.Addr()})
		}
		nodes = append(nodes, v)
		if i == 0 {
			continue
		}
		left, a, b := n.routers[i-1], "eth1", "eth0"
		there, back := left.name+":"+a+"-"+r.name+":"+b, r.name+":"+b+"-"+left.name+":"+a
		links = append(links,
			link{ID: there, From: left.name, FromPort: a, To: r.name, ToPort: b},
			link{ID: back, From: r.name, FromPort: b, To: left.name, ToPort: a})
		path[true] = append(path[true], there)
		path[false] = slices.Insert(path[false], 0, back)
	}
	edge := []node{nodes[0], nodes[len(nodes)-1]}
	edge[0].Peer, edge[1].Peer = edge[1].Name, edge[0].Name
	overlays := []overlay{
		{Name: "bgp", Layer: "ip", Port: "bgp/%s"},
		{Name: "te", Layer: "ip", Port: "vxlan-%s"},
		{Name: "VPN-A", Layer: "te", Port: "to-%s"},
	}
	for i := range overlays {
		o := &overlays[i]
		for _, e := range edge {
			l := link{
				ID: o.Name + ":" + e.Name + "-" + e.Peer, Layer: o.Layer,
				From: e.Name, FromPort: fmt.Sprintf(o.Port, e.Peer),
				To: e.Peer, ToPort: fmt.Sprintf(o.Port, e.Name),
			}
			switch o.Name {
			case "te":
				l.On = path[e.Name == edge[0].Name]
			case "VPN-A":
				l.On = []string{"te:" + e.Name + "-" + e.Peer}
			}
			o.Links = append(o.Links, l)
		}
	}
	return expand(topologyText, map[string]any{"Routers": nodes, "Edge": edge, "Links": links, "Overlays": overlays})
}

// sources is where the messages of the routers come from, and which addresses are theirs.
func (n *network) sources() ([]byte, error) {
	type node struct{ Name, Loopback string }
	var nodes []node
	for _, r := range n.routers {
		nodes = append(nodes, node{r.name, r.loopback.String()})
	}
	return expand(syslogText, map[string]any{"Routers": nodes, "Port": syslogPort})
}

// vantage is from where the server may test the network: beside PE1.
func (n *network) vantage() ([]byte, error) {
	return expand(vantageText, map[string]any{"Node": n.routers[0].name, "Namespace": n.routers[0].host.Namespace})
}

// expand fills a template.
func expand(text string, values map[string]any) ([]byte, error) {
	t, err := template.New("").Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, values)
	return b.Bytes(), err
}
