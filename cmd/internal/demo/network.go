package demo

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Networks returns the sample network as the container networks of ietf-network with
// ietf-network-topology and incidentd-inventory: one XML element, ready for the config of an edit-config. Its
// networks are otn, och, ip, isis, access, bgp, te and one for each VPN.
func Networks() []byte {
	c := plan()
	w := writer{stock: map[string]stock{}}
	for _, n := range c.inventory() {
		w.stock[n.ID] = n
	}
	w.open(`networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology" xmlns:inv="urn:incidentd:yang:inventory"`)
	w.network(c.otn())
	w.network(c.och())
	w.network(c.ip())
	w.network(c.isis())
	w.network(c.accessNetwork())
	w.network(c.bgp())
	w.network(c.te())
	for _, v := range c.vpns {
		w.network(c.service(v))
	}
	w.close("networks")
	return []byte(w.b.String())
}

// Inventory returns what is known of the nodes besides the topology, in the file form
// of package topology. Networks holds the same as incidentd-inventory.
func Inventory() []byte {
	nodes := plan().inventory()
	b, err := json.MarshalIndent(map[string]any{"node": nodes}, "", " ")
	if err != nil {
		panic(err) // strings only
	}
	return append(b, '\n')
}

// card is a line card and the ports on it.
type card struct {
	Name  string   `json:"name"`
	Ports []string `json:"ports"`
}

// stock is what is known of a node.
type stock struct {
	ID     string `json:"node-id"`
	Site   string `json:"site"`
	Domain string `json:"domain"`
	Role   string `json:"role"`
	Cards  []card `json:"line-cards,omitempty"`
}

func (c *carrier) inventory() (nodes []stock) {
	for _, s := range sites {
		role := "core"
		if strings.HasPrefix(s.router, "PE") {
			role = "pe"
		}
		ports := c.ports[s.router]
		half := (len(ports) + 1) / 2
		cards := []card{{"slot/0", ports[:half]}}
		if half < len(ports) {
			cards = append(cards, card{"slot/1", ports[half:]})
		}
		nodes = append(nodes, stock{s.router, s.place, "core", role, cards}, stock{"O-" + s.place, s.place, "core", "roadm", nil})
	}
	for _, a := range c.access {
		nodes = append(nodes, stock{ID: a.ce.node, Site: a.ce.node, Domain: "core", Role: "ce"})
	}
	return nodes
}

// ref names something of another network.
type ref struct{ network, name string }

type tp struct {
	id   string
	over *end // the supporting termination point
	net  string
}

type node struct {
	id   string
	over []ref
	tps  []tp
}

type link struct {
	id   string
	a, b end
	over []ref
}

type network struct {
	id    string
	over  []string
	nodes []node
	links []link
}

// both appends the two directions of a link; over gives what each rests on, nil for
// nothing.
func (n *network) both(prefix string, a, b end, over func(from, to end) []ref) {
	for _, d := range [2][2]end{{a, b}, {b, a}} {
		l := link{id: prefix + linkID(d[0], d[1]), a: d[0], b: d[1]}
		if over != nil {
			l.over = over(d[0], d[1])
		}
		n.links = append(n.links, l)
	}
}

func linkID(a, b end) string { return a.node + ":" + a.tp + "->" + b.node + ":" + b.tp }

func (c *carrier) otn() network {
	n := network{id: "otn"}
	for _, s := range sites {
		o := node{id: "O-" + s.place}
		for _, p := range c.lines[o.id] {
			o.tps = append(o.tps, tp{id: p})
		}
		n.nodes = append(n.nodes, o)
	}
	for _, f := range c.fibres {
		n.both("", f.a, f.b, nil)
	}
	return n
}

func (c *carrier) och() network {
	n := network{id: "och", over: []string{"otn"}}
	for _, s := range sites {
		o := node{id: "O-" + s.place, over: []ref{{"otn", "O-" + s.place}}}
		for _, p := range c.clients[o.id] {
			o.tps = append(o.tps, tp{id: p})
		}
		n.nodes = append(n.nodes, o)
	}
	for _, l := range c.links {
		n.both("", l.ca, l.cb, func(from, _ end) []ref {
			var over []ref
			at := l.ca.node
			for _, i := range l.fibres {
				f := c.fibres[i]
				if f.a.node == at {
					over, at = append(over, ref{"otn", linkID(f.a, f.b)}), f.b.node
				} else {
					over, at = append(over, ref{"otn", linkID(f.b, f.a)}), f.a.node
				}
			}
			if from == l.cb {
				slices.Reverse(over)
				for i, r := range over {
					a, b, _ := strings.Cut(r.name, "->")
					over[i].name = b + "->" + a
				}
			}
			return over
		})
	}
	return n
}

func (c *carrier) ip() network {
	n := network{id: "ip", over: []string{"och"}}
	below := map[end]end{}
	for _, l := range c.links {
		below[l.a], below[l.b] = l.ca, l.cb
		n.both("", l.a, l.b, func(from, _ end) []ref {
			if from == l.a {
				return []ref{{"och", linkID(l.ca, l.cb)}}
			}
			return []ref{{"och", linkID(l.cb, l.ca)}}
		})
	}
	for _, s := range sites {
		r := node{id: s.router}
		for _, p := range c.ports[s.router] {
			o := below[end{s.router, p}]
			r.tps = append(r.tps, tp{p, &o, "och"})
		}
		n.nodes = append(n.nodes, r)
	}
	return n
}

func (c *carrier) isis() network {
	n := network{id: "isis", over: []string{"ip"}}
	for _, s := range sites {
		r := node{id: s.router, over: []ref{{"ip", s.router}}}
		for _, p := range c.ports[s.router] {
			r.tps = append(r.tps, tp{p, &end{s.router, p}, "ip"})
		}
		n.nodes = append(n.nodes, r)
	}
	for _, l := range c.links {
		n.both("isis:", l.a, l.b, func(from, to end) []ref { return []ref{{"ip", linkID(from, to)}} })
	}
	return n
}

func (c *carrier) accessNetwork() network {
	n := network{id: "access", over: []string{"ip"}}
	for _, s := range sites {
		pe := node{id: s.router, over: []ref{{"ip", s.router}}}
		for _, a := range c.access {
			if a.pe.node == s.router {
				pe.tps = append(pe.tps, tp{id: a.pe.tp})
			}
		}
		if len(pe.tps) > 0 {
			n.nodes = append(n.nodes, pe)
		}
	}
	for _, a := range c.access {
		n.nodes = append(n.nodes, node{id: a.ce.node, tps: []tp{{id: a.ce.tp}}})
		n.both("", a.pe, a.ce, nil)
	}
	return n
}

// sessions returns the BGP sessions, internal ones first.
func (c *carrier) sessions() (s [][2]end) {
	for _, t := range sites {
		if strings.HasPrefix(t.router, "PE") {
			for _, r := range reflectors {
				s = append(s, session(t.router, r))
			}
		}
	}
	for _, a := range c.access {
		s = append(s, session(a.pe.node, a.ce.node))
	}
	return s
}

// session names the two ends of the BGP session between two nodes.
func session(a, b string) [2]end { return [2]end{{a, "bgp/" + b}, {b, "bgp/" + a}} }

func (c *carrier) bgp() network {
	n := network{id: "bgp", over: []string{"ip", "access"}}
	at := map[string]int{}
	for _, s := range c.sessions() {
		for _, e := range s {
			i, ok := at[e.node]
			if !ok {
				i = len(n.nodes)
				at[e.node] = i
				below := "ip"
				if strings.HasPrefix(e.node, "CE") {
					below = "access"
				}
				n.nodes = append(n.nodes, node{id: e.node, over: []ref{{below, e.node}}})
			}
			n.nodes[i].tps = append(n.nodes[i].tps, tp{id: e.tp})
		}
		n.links = append(n.links, link{id: "bgp:" + s[0].node + "->" + s[1].node, a: s[0], b: s[1]})
	}
	return n
}

func (c *carrier) te() network {
	n := network{id: "te", over: []string{"ip"}}
	for _, s := range sites {
		pe := node{id: s.router, over: []ref{{"ip", s.router}}}
		for _, t := range c.tunnels {
			switch s.router {
			case t.head:
				pe.tps = append(pe.tps, tp{id: t.name})
			case t.tail:
				pe.tps = append(pe.tps, tp{id: t.name + "-tail"})
			}
		}
		if len(pe.tps) > 0 {
			n.nodes = append(n.nodes, pe)
		}
	}
	for _, t := range c.tunnels {
		l := link{id: t.name, a: end{t.head, t.name}, b: end{t.tail, t.name + "-tail"}}
		at := t.head
		for _, i := range t.links {
			from, to := c.towards(i, at)
			l.over = append(l.over, ref{"ip", linkID(from, to)})
			at = to.node
		}
		n.links = append(n.links, l)
	}
	return n
}

func (c *carrier) service(v vpn) network {
	n := network{id: v.name, over: []string{"te", "access", "ip"}}
	for i, pe := range v.pes {
		a := c.access[v.access[i]].pe
		d := node{id: pe, over: []ref{{"ip", pe}}, tps: []tp{{a.tp, &a, "access"}}}
		for _, other := range v.pes {
			if other != pe {
				d.tps = append(d.tps, tp{id: "to-" + other}, tp{id: "from-" + other})
			}
		}
		n.nodes = append(n.nodes, d)
	}
	for _, i := range v.tunnels {
		t := c.tunnels[i]
		n.links = append(n.links, link{
			v.name + ":" + t.name, end{t.head, "to-" + t.tail}, end{t.tail, "from-" + t.head}, []ref{{"te", t.name}},
		})
	}
	return n
}

// writer writes indented XML.
type writer struct {
	b     strings.Builder
	depth int
	stock map[string]stock // of nodes that were not written yet
}

func (w *writer) line(s string) {
	for range w.depth {
		w.b.WriteByte(' ')
	}
	w.b.WriteString(s)
	w.b.WriteByte('\n')
}

func (w *writer) open(tag string)  { w.line("<" + tag + ">"); w.depth++ }
func (w *writer) close(tag string) { w.depth--; w.line("</" + tag + ">") }

func (w *writer) leaf(tag, value string) {
	var text strings.Builder
	if err := xml.EscapeText(&text, []byte(value)); err != nil {
		panic(err) // a strings.Builder takes everything
	}
	w.line(fmt.Sprintf("<%s>%s</%s>", tag, &text, tag))
}

func (w *writer) network(n network) {
	w.open("network")
	w.leaf("network-id", n.id)
	for _, s := range n.over {
		w.open("supporting-network")
		w.leaf("network-ref", s)
		w.close("supporting-network")
	}
	for _, d := range n.nodes {
		w.open("node")
		w.leaf("node-id", d.id)
		for _, r := range d.over {
			w.open("supporting-node")
			w.leaf("network-ref", r.network)
			w.leaf("node-ref", r.name)
			w.close("supporting-node")
		}
		for _, t := range d.tps {
			w.open("nt:termination-point")
			w.leaf("nt:tp-id", t.id)
			if t.over != nil {
				w.open("nt:supporting-termination-point")
				w.leaf("nt:network-ref", t.net)
				w.leaf("nt:node-ref", t.over.node)
				w.leaf("nt:tp-ref", t.over.tp)
				w.close("nt:supporting-termination-point")
			}
			w.close("nt:termination-point")
		}
		w.inventory(d.id)
		w.close("node")
	}
	for _, l := range n.links {
		w.open("nt:link")
		w.leaf("nt:link-id", l.id)
		w.open("nt:source")
		w.leaf("nt:source-node", l.a.node)
		w.leaf("nt:source-tp", l.a.tp)
		w.close("nt:source")
		w.open("nt:destination")
		w.leaf("nt:dest-node", l.b.node)
		w.leaf("nt:dest-tp", l.b.tp)
		w.close("nt:destination")
		for _, r := range l.over {
			w.open("nt:supporting-link")
			w.leaf("nt:network-ref", r.network)
			w.leaf("nt:link-ref", r.name)
			w.close("nt:supporting-link")
		}
		w.close("nt:link")
	}
	w.close("network")
}

// inventory writes what is known of a node, the first time that the node comes.
func (w *writer) inventory(node string) {
	s, ok := w.stock[node]
	if !ok {
		return
	}
	delete(w.stock, node)
	w.open("inv:inventory")
	w.leaf("inv:site", s.Site)
	w.leaf("inv:domain", s.Domain)
	w.leaf("inv:role", s.Role)
	for _, c := range s.Cards {
		w.open("inv:line-card")
		w.leaf("inv:name", c.Name)
		for _, p := range c.Ports {
			w.leaf("inv:port", p)
		}
		w.close("inv:line-card")
	}
	w.close("inv:inventory")
}
