package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"incidentd/incident/event"
)

// breaker plans one fault. pick chooses where, report writes what is seen of it.
type breaker struct {
	*Storm
	r       *rand.Rand
	at, end time.Time
	last    time.Time // of the last event
	out     []pending

	fibre   int
	link    int
	near    end // the failing end of link
	far     end
	node    string
	session access
	down    []int             // IP links that fail
	hurt    map[string]string // service: what became of it
}

// pick chooses a place for the kind. The sickness it returns has no end yet.
func (b *breaker) pick(kind Kind) (Fault, sickness) {
	c := b.c
	switch kind {
	case FibreCut:
		b.fibre = b.r.IntN(len(c.fibres))
		f := c.fibres[b.fibre]
		b.down = c.over(b.fibre)
		return Fault{Node: f.a.node, Resource: f.a.tp}, b.around(f.a.node, f.b.node)
	case InterfaceDown, LinkDegradation:
		b.link = b.r.IntN(len(c.links))
		l := c.links[b.link]
		b.near, b.far = l.a, l.b
		if b.r.IntN(2) == 0 {
			b.near, b.far = l.b, l.a
		}
		b.down = []int{b.link}
		return Fault{Node: b.near.node, Resource: b.near.tp}, b.around()
	case BGPReset:
		b.session = c.access[b.r.IntN(len(c.access))]
		e := session(b.session.pe.node, b.session.ce.node)[0]
		return Fault{Node: e.node, Resource: e.tp}, b.around(e.node)
	case NodeDown:
		b.node = sites[b.r.IntN(len(sites))].router
		b.down = c.linksOf(b.node)
		return Fault{Node: b.node}, b.around(b.node)
	case PowerOutage:
		b.node = sites[b.r.IntN(len(sites))].router
		return Fault{Node: b.node, Resource: "power"}, b.around(b.node, c.optical[b.node])
	}
	panic("demo: no such kind: " + kind)
}

// around is the neighbourhood of the nodes and of the links that fail.
func (b *breaker) around(nodes ...string) sickness {
	for _, l := range b.down {
		nodes = append(nodes, b.c.links[l].a.node, b.c.links[l].b.node)
	}
	return sickness{nodes: nodes, links: b.down}
}

// report plans the events.
func (b *breaker) report(kind Kind) {
	b.hurt = map[string]string{}
	c := b.c
	switch kind {
	case FibreCut:
		f := c.fibres[b.fibre]
		for _, e := range []end{f.a, f.b} {
			b.alarm(e, los, event.Critical, 100, 900, 1000, "Loss of signal on %s", e.tp)
		}
		for _, l := range b.down {
			for _, e := range []end{c.links[l].ca, c.links[l].cb} {
				b.alarm(e, ssf, event.Major, 200, 1200, 1500, "Server signal fail on client channel %s", e.tp)
			}
			b.linkDown(l, "")
		}
		b.above(b.down, "")
	case InterfaceDown:
		l := c.links[b.link]
		client := l.ca
		if b.near == l.b {
			client = l.cb
		}
		b.alarm(b.near, transceiver, event.Major, 100, 500, 500, "Pluggable module in %s failed", b.near.tp)
		b.alarm(client, clientLOS, event.Major, 300, 1000, 1000, "No light received from client equipment at %s", client.tp)
		b.linkDown(b.link, "")
		b.above(b.down, "")
	case LinkDegradation:
		b.degrade()
	case BGPReset:
		e := session(b.session.pe.node, b.session.ce.node)[0]
		b.alarm(e, bgp, event.Major, 200, 800, 1500, "BGP neighbour %s left Established", b.session.ce.node)
		b.serviceSymptoms(b.session.vpn, b.session.pe.node)
	case NodeDown:
		b.nodeDown(b.node)
	case PowerOutage:
		for _, n := range []string{b.node, b.c.optical[b.node]} {
			b.alarm(end{n, "power"}, mains, event.Critical, 500, 5000, 2000, "Mains supply lost, running on battery")
		}
		charge := 10 + b.r.IntN(10)
		b.kpi(end{b.node, "power"}, battery, event.Major, 25000, 40000, 3000,
			fmt.Sprint(charge), "20", "Battery charge %d %% below 20 %%", charge)
	}
}

// linkDown is what the two ends of an IP link report, but for the node that is silent.
func (b *breaker) linkDown(link int, silent string) {
	l := b.c.links[link]
	for _, d := range [2][2]end{{l.a, l.b}, {l.b, l.a}} {
		e, peer := d[0], d[1].node
		if e.node == silent {
			continue
		}
		b.alarm(e, linkDown, event.Major, 300, 1500, 1500, "Interface %s operational state changed to down", e.tp)
		b.alarm(e, bfd, event.Major, 150, 900, 3000, "BFD session on %s to %s went down", e.tp, peer)
		b.alarm(e, adjacency, event.Major, 500, 2800, 8000, "IS-IS adjacency to %s on %s lost", peer, e.tp)
		b.alarm(e, ldp, event.Minor, 3000, 6000, 15000, "LDP session to %s via %s closed", peer, e.tp)
	}
}

// above is what the tunnels and services over failed links report.
func (b *breaker) above(links []int, silent string) {
	failed := b.c.through(links)
	for _, i := range failed {
		if t := b.c.tunnels[i]; t.head != silent {
			b.alarm(end{t.head, t.name}, tunnelDown, event.Major, 1500, 4500, 9000, "TE tunnel %s is down", t.name)
		}
	}
	for _, v := range b.c.vpns {
		for _, pe := range v.pes {
			if pe == silent || !slices.ContainsFunc(v.tunnels, func(t int) bool {
				return b.c.tunnels[t].head == pe && slices.Contains(failed, t)
			}) {
				continue
			}
			lost := !slices.ContainsFunc(v.tunnels, func(t int) bool {
				return b.c.tunnels[t].head == pe && !slices.Contains(failed, t)
			})
			b.symptom(v.name, pe, lost)
		}
	}
}

// serviceSymptoms is a VPN that has lost the customer's site behind one of its routers.
func (b *breaker) serviceSymptoms(vpn, at string) {
	for _, v := range b.c.vpns {
		if v.name != vpn {
			continue
		}
		for _, pe := range v.pes {
			b.symptom(vpn, pe, pe == at || len(v.pes) == 2)
		}
	}
}

func (b *breaker) symptom(vpn, pe string, lost bool) {
	e := end{pe, "vpn/" + vpn}
	if lost {
		b.hurt[vpn] = "outage"
		score := 3 + b.r.IntN(15)
		b.score(e, serviceLost, event.Critical, score, "Connectivity of service %s lost, health score %d", vpn, score)
		return
	}
	if b.hurt[vpn] == "" {
		b.hurt[vpn] = "degraded"
	}
	score := 45 + b.r.IntN(20)
	b.score(e, serviceDegraded, event.Minor, score, "Service %s degraded, health score %d", vpn, score)
}

// services names the VPNs that the fault hurts, in order.
func (b *breaker) services() (names []string) {
	for vpn := range b.hurt {
		names = append(names, vpn)
	}
	slices.Sort(names)
	return names
}

// degrade is a link that loses packets.
func (b *breaker) degrade() {
	loss := func(most float64) string { return fmt.Sprintf("%.2f", 0.6+b.r.Float64()*most) }
	v := loss(4)
	b.kpi(b.near, packetLoss, event.Major, 1000, 6000, 4000, v, "0.1", "Packet loss %s %% above 0.1 %% on %s", v, b.near.tp)
	errors := 500 + b.r.IntN(8000)
	b.kpi(b.far, inputErrors, event.Major, 2000, 12000, 4000, fmt.Sprint(errors), "100", "Input error rate %d/s above 100/s on %s", errors, b.far.tp)
	slow := b.c.through([]int{b.link})
	for _, i := range slow {
		t := b.c.tunnels[i]
		delay := 35 + b.r.IntN(60)
		b.kpi(end{t.head, t.name}, pathDelay, event.Minor, 8000, 25000, 8000, fmt.Sprint(delay), "30",
			"One-way delay %d ms above 30 ms on tunnel %s", delay, t.name)
	}
	for _, s := range b.c.vpns {
		for _, i := range s.tunnels {
			if slices.Contains(slow, i) {
				b.symptom(s.name, b.c.tunnels[i].head, false)
			}
		}
	}
}

// nodeDown is a router that stops dead: what its neighbours and the management system
// see.
func (b *breaker) nodeDown(router string) {
	c := b.c
	for _, i := range c.linksOf(router) {
		b.linkDown(i, router)
		client := c.links[i].ca
		if c.links[i].b.node == router {
			client = c.links[i].cb
		}
		b.alarm(client, clientLOS, event.Major, 200, 1200, 1500, "No light received from client equipment at %s", client.tp)
	}
	b.above(c.linksOf(router), router)
	b.alarm(end{node: router}, unreachable, event.Critical, 20000, 40000, 8000, "Managed node does not answer")
	for _, s := range c.sessions() {
		for i, e := range s {
			peer := s[1-i].node
			if e.node == router && strings.HasPrefix(peer, "CE") {
				b.alarm(end{node: peer}, ceUnreachable, event.Major, 25000, 45000, 12000, "Customer edge does not answer")
			}
			if peer == router && !strings.HasPrefix(e.node, "CE") {
				b.alarm(e, bgp, event.Major, 60000, 90000, 12000, "BGP neighbour %s left Established", router)
			}
		}
	}
}

// words are the names of one alarm type by the two vendors of the network: the first
// speaks in identities, the second has words of its own.
type words [2]string

const own = "incidentd-alarm-types:"

var (
	los             = words{own + "loss-of-signal", "R_LOS"}
	ssf             = words{own + "server-signal-fail", "OCH_SSF"}
	clientLOS       = words{"otn-alarms:client-los", "R_LOS_CLIENT"}
	linkDown        = words{own + "link-down", "ETH_LINK_DOWN"}
	transceiver     = words{own + "transceiver-fault", "OPTICAL_MODULE_FAULT"}
	bfd             = words{own + "bfd-session-down", "BFD_DOWN"}
	adjacency       = words{own + "igp-adjacency-down", "hwIsisAdjChange"}
	ldp             = words{own + "ldp-session-down", "hwLdpSessionDown"}
	tunnelDown      = words{own + "tunnel-down", "hwTunnelDown"}
	bgp             = words{own + "bgp-peer-down", "hwBgpPeerStateChange"}
	mains           = words{own + "power-failure", "POWER_AC_FAIL"}
	battery         = words{own + "battery-low", "BATTERY_LOW"}
	unreachable     = words{own + "node-unreachable", own + "node-unreachable"}
	ceUnreachable   = words{"nms:ce-unreachable", "nms:ce-unreachable"}
	packetLoss      = words{own + "packet-loss", "PKT_LOSS_EXC"}
	inputErrors     = words{own + "interface-errors", "CRC_ERR_EXC"}
	pathDelay       = words{own + "path-delay", "TUNNEL_DELAY_EXC"}
	serviceLost     = words{own + "service-connectivity-lost", own + "service-connectivity-lost"}
	serviceDegraded = words{own + "service-degraded", own + "service-degraded"}
)

// vendor is the index into words: every other place bought from the second.
func (c *carrier) vendor(node string) int {
	for i, s := range sites {
		if s.place == c.site[node] {
			return i % 2
		}
	}
	return 0
}

// alarm plans an alarm: raised between from and to after the fault and cleared within
// clear after its end, all in milliseconds.
func (b *breaker) alarm(e end, w words, sev event.Severity, from, to, clear int, format string, args ...any) {
	b.plan(event.Event{Kind: event.Alarm, Severity: sev, Text: fmt.Sprintf(format, args...)}, e, w, from, to, clear)
}

// kpi plans a threshold that is crossed, and crossed back.
func (b *breaker) kpi(e end, w words, sev event.Severity, from, to, clear int, value, threshold, format string, args ...any) {
	b.plan(event.Event{
		Kind: event.KPI, Severity: sev, Text: fmt.Sprintf(format, args...), Value: value, Threshold: threshold,
	}, e, w, from, to, clear)
}

// score plans a symptom of a service.
func (b *breaker) score(e end, w words, sev event.Severity, score int, format string, args ...any) {
	b.plan(event.Event{
		Kind: event.Symptom, Severity: sev, Text: fmt.Sprintf(format, args...), Value: fmt.Sprint(score),
	}, e, w, 5000, 14000, 12000)
}

func (b *breaker) plan(ev event.Event, e end, w words, from, to, clear int) {
	ev.Node, ev.Resource = e.node, e.tp
	ev.AlarmTypeID = w[b.c.vendor(e.node)]
	k := key{e.node, e.tp, ev.AlarmTypeID}
	raise := b.at.Add(time.Duration(from+b.r.IntN(to-from)) * time.Millisecond)
	over := b.end.Add(time.Duration(200+b.r.IntN(clear)) * time.Millisecond)
	if b.busy[k].After(raise) {
		return // another fault has raised it already
	}
	b.busy[k] = over.Add(time.Second)
	b.emit(ev, raise)
	ev.Severity, ev.Value, ev.Threshold = event.Cleared, "", ""
	b.emit(ev, over)
}

// emit plans an event that arrives at due, having happened a moment before.
func (b *breaker) emit(ev event.Event, due time.Time) {
	b.serial++
	ev.ID = fmt.Sprintf("demo-%x-%x-%d", b.start.UnixNano(), b.seed, b.serial)
	ev.Arrival = due
	ev.Time = due.Add(-time.Duration(20+b.r.IntN(120)) * time.Millisecond)
	if b.last.Before(due) {
		b.last = due
	}
	b.out = append(b.out, pending{due, b.serial, ev})
}
