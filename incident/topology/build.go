package topology

import (
	"slices"
	"strings"
	"unicode"
)

// Build makes the index of networks; inv may be nil. It never fails: what refers to
// something that is not there is left out and counted, see [Stats]. The order of the lists
// does not matter.
func Build(networks []Network, inv *Inventory) *Index {
	b := &builder{
		Index: &Index{
			nodeByName: map[string]NodeID{}, portByName: map[nodeName]PortID{}, cardByName: map[nodeName]CardID{},
			siteByName: map[string]SiteID{}, serviceByName: map[string]ServiceID{}, linkByName: map[LinkRef]EdgeID{},
		},
		networks: ordered(networks), byID: make(map[string]*layer, len(networks)), pairs: map[pairKey]EdgeID{}, alias: map[nodeName]PortID{},
	}
	b.order()
	for _, l := range b.layers {
		b.addNodes(l)
	}
	for _, l := range b.layers {
		b.supportingTPs(l)
	}
	for _, l := range b.layers {
		b.classify(l)
	}
	for _, l := range b.layers {
		b.addLinks(l)
	}
	b.addInventory(inv.ordered())
	b.repair()
	b.inferCards()
	b.access()
	b.kinds()
	b.finish()
	return b.Index
}

// layer is a network in the making.
type layer struct {
	*Network
	rested  bool // a network names it, or a link, node or tp of another network does
	used    bool // a link or tp of another network rests on one of its own
	shadow  bool // its links repeat those below
	session bool // its termination points name the peers
	tunnel  bool
	svc     bool
	state   uint8
	table   map[string]*Link
}

type pairKey struct {
	a, b PortID
	node [2]NodeID
	net  *layer
	nth  int32
}

type builder struct {
	*Index
	networks []Network
	layers   []*layer
	byID     map[string]*layer
	pairs    map[pairKey]EdgeID
	alias    map[nodeName]PortID
}

// order puts underlay networks before those that rest on them, so that a link finds
// its supporting links made; a circle is cut where it is met.
func (b *builder) order() {
	all := make([]layer, len(b.networks))
	for i := range b.networks {
		all[i].Network = &b.networks[i]
		if b.byID[b.networks[i].ID] == nil {
			b.byID[b.networks[i].ID] = &all[i]
		}
	}
	var visit func(l *layer)
	visit = func(l *layer) {
		if l.state != 0 {
			return
		}
		l.state = 1
		for _, s := range l.Supporting {
			if u := b.byID[s]; u != nil && u != l {
				u.rested = true
				visit(u)
			} else {
				b.stats.Dangling++
			}
		}
		for i := range l.Links {
			for _, s := range l.Links[i].Supporting {
				if u := b.byID[s.Network]; u != nil && u != l {
					u.rested, u.used = true, true
					visit(u)
				}
			}
		}
		b.layers = append(b.layers, l)
	}
	for i := range all {
		if b.byID[all[i].ID] != &all[i] { // a second network of the same id is dropped
			b.stats.Dangling++
			continue
		}
		visit(&all[i])
	}
	b.stats.Networks = len(b.layers)
}

func (b *builder) node(name string) NodeID {
	if n, ok := b.nodeByName[name]; ok {
		return n
	}
	n := NodeID(len(b.nodes))
	b.nodes = append(b.nodes, node{name: name, site: None})
	b.nodeByName[name] = n
	return n
}

func (b *builder) port(n NodeID, name string) PortID {
	k := nodeName{n, name}
	if p, ok := b.portByName[k]; ok {
		return p
	}
	p := PortID(len(b.ports))
	b.ports = append(b.ports, port{name: name, node: n, card: None})
	b.portByName[k] = p
	b.nodes[n].ports = append(b.nodes[n].ports, p)
	return p
}

func (b *builder) addNodes(l *layer) {
	for i := range l.Nodes {
		d := &l.Nodes[i]
		n := b.node(d.ID)
		for j := range d.TPs {
			b.port(n, d.TPs[j].ID)
		}
	}
}

func (b *builder) supportingTPs(l *layer) {
	for i := range l.Nodes {
		d := &l.Nodes[i]
		for _, s := range d.Supporting {
			if _, ok := b.nodeByName[s.Node]; !ok || b.byID[s.Network] == nil {
				b.stats.Dangling++
			}
		}
		for j := range d.TPs {
			p := b.portByName[nodeName{b.nodeByName[d.ID], d.TPs[j].ID}]
			for _, s := range d.TPs[j].Supporting {
				n, ok := b.nodeByName[s.Node]
				q, has := b.portByName[nodeName{n, s.TP}]
				if !ok || !has {
					b.stats.Dangling++
					continue
				}
				if u := b.byID[s.Network]; u != nil && u != l {
					u.used = true
				}
				if q != p && !slices.Contains(b.ports[p].below, q) {
					b.ports[p].below = append(b.ports[p].below, q)
					b.ports[q].above = append(b.ports[q].above, p)
				}
			}
		}
	}
}

// samePort reports whether tp of node stands for the port of the link below: it has
// the same name, or names it as supporting.
func (b *builder) samePort(node, tp, belowNode, belowTP string) bool {
	if node != belowNode || tp == "" || belowTP == "" {
		return false
	}
	if tp == belowTP {
		return true
	}
	n := b.nodeByName[node]
	p, ok := b.portByName[nodeName{n, tp}]
	q, has := b.portByName[nodeName{n, belowTP}]
	return ok && has && slices.Contains(b.ports[p].below, q)
}

// classify finds shadows, tunnel layers and services. Layers come in order, so those
// above are not classified yet, which is why resting is known from order.
func (b *builder) classify(l *layer) {
	supported, same, mirrored, naming := 0, 0, 0, 0
	for i := range l.Links {
		k := &l.Links[i]
		if namesPeer(k.SourceTP, k.DestNode) || namesPeer(k.DestTP, k.SourceNode) {
			naming++
		}
		if len(k.Supporting) == 0 {
			continue
		}
		supported++
		// Supporting links have no order: the system orders that list.
		atSource, atDest := false, false
		for _, r := range k.Supporting {
			if u := b.find(r); u != nil {
				atSource = atSource || touches(u, k.SourceNode)
				atDest = atDest || touches(u, k.DestNode)
			}
		}
		if atSource && atDest {
			same++
		}
		first := b.find(k.Supporting[0])
		if first == nil {
			continue
		}
		if len(k.Supporting) == 1 && (b.samePort(k.SourceNode, k.SourceTP, first.SourceNode, first.SourceTP) && b.samePort(k.DestNode, k.DestTP, first.DestNode, first.DestTP) ||
			b.samePort(k.SourceNode, k.SourceTP, first.DestNode, first.DestTP) && b.samePort(k.DestNode, k.DestTP, first.SourceNode, first.SourceTP)) {
			mirrored++
		}
	}
	total := len(l.Links)
	if total > 0 && 2*mirrored > total {
		l.shadow = true
		return
	}
	// The links of a VPN may name their peers too, but they rest on something, and its
	// termination points on those of the access.
	if 2*naming > total && 5*supported < 4*total && !l.used && !b.attached(l) {
		l.session = true
		return
	}
	overlay := 2*supported > total && 2*same > supported
	words := word(append([]string{l.ID}, l.Types...))
	// Many one-way links over whole paths are tunnels whatever they are called, unless
	// nothing at all is above: then the network itself is the service.
	l.tunnel = total > 0 && overlay && (words || l.rested && oneWay(l))
	if l.tunnel || l.used || l.rested {
		return
	}
	if total == 0 {
		l.svc = b.attached(l)
		return
	}
	l.svc = overlay || b.attachedBeside(l)
}

// oneWay reports whether no link has another that leads back by the same ports.
func oneWay(l *layer) bool {
	seen := make(map[[4]string]bool, len(l.Links))
	for i := range l.Links {
		k := &l.Links[i]
		if seen[[4]string{k.DestNode, k.DestTP, k.SourceNode, k.SourceTP}] {
			return false
		}
		seen[[4]string{k.SourceNode, k.SourceTP, k.DestNode, k.DestTP}] = true
	}
	return true
}

// attached reports whether a network rests on others by its nodes and their
// termination points.
func (b *builder) attached(l *layer) bool {
	for i := range l.Nodes {
		if len(l.Nodes[i].Supporting) == 0 {
			continue
		}
		for j := range l.Nodes[i].TPs {
			if len(l.Nodes[i].TPs[j].Supporting) > 0 {
				return true
			}
		}
	}
	return false
}

// attachedBeside reports whether a network rests on others by termination points that
// none of its links uses: by these its customers come in, whatever carries its links.
func (b *builder) attachedBeside(l *layer) bool {
	used := make(map[[2]string]bool, 2*len(l.Links))
	for i := range l.Links {
		k := &l.Links[i]
		used[[2]string{k.SourceNode, k.SourceTP}] = true
		used[[2]string{k.DestNode, k.DestTP}] = true
	}
	for i := range l.Nodes {
		for j := range l.Nodes[i].TPs {
			if t := &l.Nodes[i].TPs[j]; len(t.Supporting) > 0 && !used[[2]string{l.Nodes[i].ID, t.ID}] {
				return true
			}
		}
	}
	return false
}

func touches(k *Link, node string) bool { return k.SourceNode == node || k.DestNode == node }

// find looks a link up; nil if it is not there. The table of a network is made when
// it is first asked for.
func (b *builder) find(r LinkRef) *Link {
	l := b.byID[r.Network]
	if l == nil {
		return nil
	}
	if l.table == nil {
		l.table = make(map[string]*Link, len(l.Links))
		for i := range l.Links {
			l.table[l.Links[i].ID] = &l.Links[i]
		}
	}
	return l.table[r.Link]
}

// word reports whether the names hold a word that means tunnels and none that means
// services.
func word(names []string) (tunnels bool) {
	for _, s := range names {
		for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) }) {
			switch w {
			case "te", "mpls", "lsp", "lsps", "tunnel", "tunnels", "rsvp":
				tunnels = true
			case "vpn", "l3vpn", "l2vpn", "vpls", "evpn", "service":
				return false
			}
		}
	}
	return tunnels
}

func (b *builder) addLinks(l *layer) {
	var svc ServiceID = None
	if l.svc {
		svc = ServiceID(len(b.services))
		s := service{name: l.ID}
		for i := range l.Nodes {
			s.nodes = append(s.nodes, b.nodeByName[l.Nodes[i].ID])
		}
		b.services = append(b.services, s)
		b.serviceByName[l.ID] = svc
	}
	nth := map[[2]NodeID]int32{}
	for i := range l.Links {
		k := &l.Links[i]
		an, aok := b.nodeByName[k.SourceNode]
		bn, bok := b.nodeByName[k.DestNode]
		if !aok || !bok {
			b.stats.Dangling++
			continue
		}
		under := b.resolve(k)
		var e EdgeID = None
		switch {
		case l.shadow && len(under) == 1 && b.stands(k, an, bn, under[0]):
			e = under[0]
			b.repeat(an, k.SourceTP, e)
			b.repeat(bn, k.DestTP, e)
			under = nil
		case l.svc || l.tunnel:
			e = b.newEdge(Edge{Network: l.ID, Link: k.ID, A: an, B: bn, PortA: b.tp(an, k.SourceTP), PortB: b.tp(bn, k.DestTP), Service: svc})
		default:
			e = b.pair(l, k, an, bn, nth)
		}
		if l.shadow && b.edges[e].Network != l.ID {
			under = nil // it repeats that edge, whatever it says
		}
		if l.session {
			b.edges[e].Kind = SessionEdge
		}
		if l.tunnel {
			b.edges[e].Kind = TunnelEdge
		}
		if l.svc {
			b.edges[e].Kind = ServiceEdge
			b.services[svc].links = append(b.services[svc].links, e)
		}
		b.linkByName[LinkRef{l.ID, k.ID}] = e
		for _, u := range under {
			if u != e && !slices.Contains(b.under[e], u) {
				b.under[e] = append(b.under[e], u)
				b.over[u] = append(b.over[u], e)
			}
		}
	}
}

// stands reports whether a link has the ends of an edge below.
func (b *builder) stands(k *Link, an, bn NodeID, e EdgeID) bool {
	end := func(n NodeID, tp string) bool {
		d := &b.edges[e]
		return d.A == n && b.isPort(n, tp, d.PortA) || d.B == n && b.isPort(n, tp, d.PortB)
	}
	return end(an, k.SourceTP) && end(bn, k.DestTP)
}

// isPort reports whether a termination point is a port, stands on it, or cannot be told.
func (b *builder) isPort(n NodeID, tp string, p PortID) bool {
	q, ok := b.portByName[nodeName{n, tp}]
	return tp == "" || p == None || !ok || q == p || slices.Contains(b.ports[q].below, p)
}

func (b *builder) resolve(k *Link) []EdgeID {
	var under []EdgeID
	for _, s := range k.Supporting {
		u, ok := b.linkByName[s]
		if !ok {
			b.stats.Dangling++
			continue
		}
		if !slices.Contains(under, u) {
			under = append(under, u)
		}
	}
	return under
}

// tp returns the port of a link's end; None if it names none, or one that is not there.
func (b *builder) tp(n NodeID, name string) PortID {
	if name == "" {
		return None
	}
	p, ok := b.portByName[nodeName{n, name}]
	if !ok {
		b.stats.Dangling++
		return b.port(n, name)
	}
	return p
}

// repeat lets the port of a protocol network stand for the port of the edge below.
func (b *builder) repeat(n NodeID, tp string, e EdgeID) {
	d := &b.edges[e]
	real := d.PortA
	if d.A != n {
		real = d.PortB
	}
	if tp != "" && real != None {
		b.portByName[nodeName{n, tp}] = real
	}
}

// pair returns the edge of a link in either direction.
func (b *builder) pair(l *layer, k *Link, an, bn NodeID, nth map[[2]NodeID]int32) EdgeID {
	pa, pb := b.tp(an, k.SourceTP), b.tp(bn, k.DestTP)
	key := pairKey{a: min(pa, pb), b: max(pa, pb)}
	if pa == None || pb == None {
		// Without ports the n-th link of one direction goes with the n-th of the other.
		dir := [2]NodeID{an, bn}
		key = pairKey{a: None, b: None, node: [2]NodeID{min(an, bn), max(an, bn)}, net: l, nth: nth[dir]}
		nth[dir]++
	}
	if e, ok := b.pairs[key]; ok {
		return e
	}
	e := b.newEdge(Edge{Kind: LinkEdge, Network: l.ID, Link: k.ID, A: an, B: bn, PortA: pa, PortB: pb, Service: None})
	b.pairs[key] = e
	return e
}

func (b *builder) newEdge(d Edge) EdgeID {
	e := EdgeID(len(b.edges))
	b.edges = append(b.edges, d)
	b.under = append(b.under, nil)
	b.over = append(b.over, nil)
	b.nodes[d.A].edges = append(b.nodes[d.A].edges, e)
	if d.B != d.A {
		b.nodes[d.B].edges = append(b.nodes[d.B].edges, e)
	}
	if d.PortA != None {
		b.ports[d.PortA].edges = append(b.ports[d.PortA].edges, e)
	}
	if d.PortB != None && d.PortB != d.PortA {
		b.ports[d.PortB].edges = append(b.ports[d.PortB].edges, e)
	}
	return e
}

func (b *builder) addInventory(inv *Inventory) {
	if inv == nil {
		return
	}
	for i := range inv.Nodes {
		v := &inv.Nodes[i]
		n := b.node(v.ID)
		b.nodes[n].domain, b.nodes[n].role = v.Domain, v.Role
		if v.Site != "" && b.nodes[n].site == None {
			s, ok := b.siteByName[v.Site]
			if !ok {
				s = SiteID(len(b.sites))
				b.sites = append(b.sites, site{name: v.Site})
				b.siteByName[v.Site] = s
			}
			b.nodes[n].site = s
			b.sites[s].nodes = append(b.sites[s].nodes, n)
		}
		for j := range v.LineCards {
			b.addCard(n, &v.LineCards[j])
		}
	}
}

func (b *builder) addCard(n NodeID, v *LineCard) {
	if _, ok := b.cardByName[nodeName{n, v.Name}]; ok {
		return
	}
	c := CardID(len(b.cards))
	d := card{name: v.Name, node: n}
	for _, name := range v.Ports {
		p, ok := b.portByName[nodeName{n, name}]
		if !ok {
			b.stats.Dangling++
			continue
		}
		b.ports[p].card = c
		d.ports = append(d.ports, p)
	}
	b.cards = append(b.cards, d)
	b.cardByName[nodeName{n, v.Name}] = c
}

// access finds the ports by which customers reach the services: termination points of
// a service's nodes that are, or stand on, a port with an edge of its own.
func (b *builder) access() {
	for _, l := range b.layers {
		if !l.svc {
			continue
		}
		s := b.serviceByName[l.ID]
		for i := range l.Nodes {
			n := b.nodeByName[l.Nodes[i].ID]
			for j := range l.Nodes[i].TPs {
				t := &l.Nodes[i].TPs[j]
				p := b.portByName[nodeName{n, t.ID}]
				b.addAccess(s, p)
				for _, q := range b.ports[p].below {
					b.addAccess(s, q)
				}
			}
		}
	}
}

func (b *builder) addAccess(s ServiceID, p PortID) {
	for _, e := range b.ports[p].edges {
		if b.edges[e].Kind != ServiceEdge && b.edges[e].Kind != TunnelEdge && !slices.Contains(b.services[s].access, p) {
			b.services[s].access = append(b.services[s].access, p)
		}
	}
}

// kinds tells the remaining edges apart.
func (b *builder) kinds() {
	customer := map[PortID]bool{}
	for i := range b.services {
		for _, p := range b.services[i].access {
			customer[p] = true
		}
	}
	for e := range b.edges {
		d := &b.edges[e]
		if d.Kind != LinkEdge {
			continue
		}
		carried, top := false, true
		for _, o := range b.over[e] {
			switch b.edges[o].Kind {
			case SessionEdge:
			case TunnelEdge, ServiceEdge:
				top = false
			default:
				carried, top = true, false
			}
		}
		switch {
		case carried && len(b.under[e]) == 0:
			d.Kind = SectionEdge
		case carried:
			d.Kind = ChannelEdge
		case len(b.under[e]) > 0:
		case top && (customer[d.PortA] || customer[d.PortB] || b.customer(d.A) || b.customer(d.B)):
			d.Kind = AccessEdge
		}
	}
}

// customer reports whether the inventory calls n the equipment of a customer.
func (b *builder) customer(n NodeID) bool {
	switch strings.ToLower(b.nodes[n].role) {
	case "ce", "cpe", "customer", "customer-edge":
		return true
	}
	return false
}

// namesPeer reports whether a termination point holds the name of the peer, as a
// session's does and a port's does not.
func namesPeer(tp, peer string) bool { return len(tp) > len(peer) && strings.Contains(tp, peer) }

func (b *builder) finish() {
	for n := range b.nodes {
		d := &b.nodes[n]
		d.hops[0] = int32(len(b.hops))
		for _, e := range d.edges {
			if k := &b.edges[e]; k.Kind == LinkEdge {
				far, _ := b.Far(e, NodeID(n))
				b.hops = append(b.hops, Hop{far, e})
			}
		}
		d.hops[1] = int32(len(b.hops))
	}
	b.findBridges()
	b.stats.Nodes, b.stats.Ports, b.stats.Edges, b.stats.Services = len(b.nodes), len(b.ports), len(b.edges), len(b.services)
}
