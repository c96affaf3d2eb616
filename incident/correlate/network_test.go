package correlate

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// start is when the tests' networks begin.
var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// network builds networks from short lines.
//
//	net NAME [UNDER…]            begins a network
//	A:a B:b [NET/LINK…]          a link in both directions, called "A:a-B:b" and "B:b-A:a"
//	A:a > B:b [NET/LINK…]        a link in one direction
//	tp A:a NET/B/b               a termination point that another supports
func network(text string) (out []topology.Network) {
	var n *topology.Network
	node := func(id string) *topology.Node {
		for i := range n.Nodes {
			if n.Nodes[i].ID == id {
				return &n.Nodes[i]
			}
		}
		n.Nodes = append(n.Nodes, topology.Node{ID: id})
		return &n.Nodes[len(n.Nodes)-1]
	}
	tp := func(id, name string) *topology.TP {
		d := node(id)
		for i := range d.TPs {
			if d.TPs[i].ID == name {
				return &d.TPs[i]
			}
		}
		d.TPs = append(d.TPs, topology.TP{ID: name})
		return &d.TPs[len(d.TPs)-1]
	}
	end := func(s string) (string, string) {
		a, p, _ := strings.Cut(s, ":")
		if node(a); p != "" {
			tp(a, p)
		}
		return a, p
	}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
		case f[0] == "net":
			out = append(out, topology.Network{ID: f[1], Supporting: f[2:]})
			n = &out[len(out)-1]
		case f[0] == "tp":
			a, p, _ := strings.Cut(f[1], ":")
			r := strings.SplitN(f[2], "/", 3)
			t := tp(a, p)
			t.Supporting = append(t.Supporting, topology.TPRef{Network: r[0], Node: r[1], TP: r[2]})
			if d := node(a); len(d.Supporting) == 0 {
				d.Supporting = []topology.NodeRef{{Network: r[0], Node: r[1]}}
			}
		default:
			a, b, rest, both := f[0], f[1], f[2:], true
			if b == ">" {
				b, rest, both = f[2], f[3:], false
			}
			var under []topology.LinkRef
			for _, u := range rest {
				net, link, _ := strings.Cut(u, "/")
				under = append(under, topology.LinkRef{Network: net, Link: link})
			}
			an, ap := end(a)
			bn, bp := end(b)
			n.Links = append(n.Links, topology.Link{ID: a + "-" + b, SourceNode: an, SourceTP: ap, DestNode: bn, DestTP: bp, Supporting: under})
			if both {
				n.Links = append(n.Links, topology.Link{ID: b + "-" + a, SourceNode: bn, SourceTP: bp, DestNode: an, DestTP: ap, Supporting: under})
			}
		}
	}
	return out
}

// figure is the network of the incident draft's figures 2 and 3.
const figure = `
net ip
PE1:eth0 P1:eth0
P1:eth1 P2:eth0
P2:eth1 PE2:eth0
net VPN-A ip
PE1 PE2 ip/PE1:eth0-P1:eth0 ip/P1:eth1-P2:eth0 ip/P2:eth1-PE2:eth0
`

// layers is a ring of three sites with fibres, channels, routers, tunnels, customers
// and two VPNs; site C hangs on two more routers that have no other way.
const layers = `
net fibre
OA:1 OB:1
OB:2 OC:1
OC:2 OA:2
net wave fibre
OA:c1 OB:c1 fibre/OA:1-OB:1
OB:c2 OC:c1 fibre/OB:2-OC:1
OC:c2 OA:c2 fibre/OC:2-OA:2
net ip wave
A:e1 B:e1 wave/OA:c1-OB:c1
B:e2 C:e1 wave/OB:c2-OC:c1
C:e2 A:e2 wave/OC:c2-OA:c2
A:e3 PA:e0
B:e3 PB:e0
C:e3 PC:e0
tp A:e1 wave/OA/c1
tp B:e1 wave/OB/c1
tp B:e2 wave/OB/c2
tp C:e1 wave/OC/c1
tp C:e2 wave/OC/c2
tp A:e2 wave/OA/c2
net igp ip
A:e1 B:e1 ip/A:e1-B:e1
B:e2 C:e1 ip/B:e2-C:e1
C:e2 A:e2 ip/C:e2-A:e2
net access ip
PA:x1 CE1:w
PB:x1 CE2:w
PC:x1 CE3:w
net bgp ip access
PA:bgp/PB > PB:bgp/PA
PA:bgp/CE1 > CE1:bgp/PA access/PA:x1-CE1:w
net te ip
PA:t1 > PB:t1r ip/A:e3-PA:e0 ip/A:e1-B:e1 ip/B:e3-PB:e0
PB:t2 > PA:t2r ip/B:e3-PB:e0 ip/A:e1-B:e1 ip/A:e3-PA:e0
PB:t3 > PC:t3r ip/B:e3-PB:e0 ip/B:e2-C:e1 ip/C:e3-PC:e0
net red te access
PA:to-PB > PB:from-PA te/PA:t1-PB:t1r
PB:to-PA > PA:from-PB te/PB:t2-PA:t2r
tp PA:x1 access/PA/x1
tp PB:x1 access/PB/x1
net blue te access
PB:to-PC > PC:from-PB te/PB:t3-PC:t3r
tp PB:x1 access/PB/x1
tp PC:x1 access/PC/x1
`

var layersInventory = &topology.Inventory{Nodes: []topology.InventoryNode{
	{ID: "OA", Site: "a"}, {ID: "A", Site: "a", LineCards: []topology.LineCard{{Name: "slot/0", Ports: []string{"e1", "e2"}}}}, {ID: "PA", Site: "a"},
	{ID: "OB", Site: "b"}, {ID: "B", Site: "b"}, {ID: "PB", Site: "b"}, {ID: "OC", Site: "c"}, {ID: "C", Site: "c"}, {ID: "PC", Site: "c"},
	{ID: "CE1", Role: "ce"}, {ID: "CE2", Role: "ce"}, {ID: "CE3", Role: "ce"},
}}

// desk feeds an engine by hand.
type desk struct {
	t  testing.TB
	e  *Engine
	n  int
	ds []Decision
}

func newDesk(t testing.TB, text string, inv *topology.Inventory, c Config) *desk {
	t.Helper()
	e := New(c)
	e.SetTopology(topology.Build(network(text), inv))
	return &desk{t: t, e: e}
}

// at feeds alarms "[kind] NODE[:RESOURCE] TYPE [SEVERITY] [text…]" at a distance from start.
func (d *desk) at(after time.Duration, alarms ...string) {
	d.t.Helper()
	for _, s := range alarms {
		d.n++
		ev := parseAlarm(s, fmt.Sprintf("e%d", d.n), start.Add(after))
		d.ds = append(d.ds, d.e.Feed(&ev)...)
	}
}

// command carries out "ACTION INCIDENT WHAT…", and goes on from a snapshot.
func (d *desk) command(after time.Duration, f []string) {
	d.t.Helper()
	no, _ := strconv.ParseUint(f[1], 10, 64)
	c := Command{At: start.Add(after), Action: Action(f[0]), Incident: no}
	for _, s := range f[2:] {
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			c.Others = append(c.Others, n)
		} else {
			c.Events = append(c.Events, s)
		}
	}
	ds, err := d.e.Command(c)
	if err != nil {
		d.t.Errorf("%v: %v", f, err)
	}
	d.ds = append(d.ds, ds...)
	b := d.e.Snapshot()
	if err := d.e.Restore(b); err != nil || !bytes.Equal(d.e.Snapshot(), b) {
		d.t.Errorf("after %v: a snapshot does not hold: %v", f, err)
	}
}

func parseAlarm(s, id string, t time.Time) event.Event {
	f := strings.Fields(s)
	ev := event.Event{ID: id, Time: t, Arrival: t, Severity: event.Major}
	if k, ok := event.ParseKind(f[0]); ok {
		ev.Kind = k
		f = f[1:]
	}
	ev.Node, ev.Resource, _ = strings.Cut(f[0], ":")
	ev.AlarmTypeID = f[1]
	f = f[2:]
	if len(f) > 0 {
		if sev, ok := event.ParseSeverity(f[0]); ok {
			ev.Severity = sev
			f = f[1:]
		}
	}
	if len(f) > 0 && strings.HasPrefix(f[0], "score=") {
		ev.Value = f[0][len("score="):]
		f = f[1:]
	}
	ev.Text = strings.Join(f, " ")
	if i := strings.Index(ev.Text, "trace="); i >= 0 {
		ev.TraceID = strings.Repeat(ev.Text[i+6:i+7], 32)
	}
	return ev
}

// until lets the stream time go on.
func (d *desk) until(after time.Duration) { d.ds = append(d.ds, d.e.Advance(start.Add(after))...) }

// log writes the decisions so far, one a line.
func (d *desk) log() string {
	var b strings.Builder
	for _, x := range d.ds {
		i := x.Incident
		fmt.Fprintf(&b, "%s %s %d %s", x.At.Sub(start), x.Op, i.No, i.Name)
		r := i.RootCauses[0]
		fmt.Fprintf(&b, " | %s: %s %s | %s %s %s %s | %d events, %d roots", r.CauseName, r.Node, r.Resource, i.Type, i.Domain, i.Category, i.Priority, len(i.Events()), len(i.RootEvents()))
		for k, s := range i.ServiceInstances {
			fmt.Fprintf(&b, " %s=%s", s, i.ServiceStates[k])
		}
		if !i.Ticket {
			fmt.Fprintf(&b, " no ticket %v", i.Labels)
		}
		if i.MergedInto != 0 {
			fmt.Fprintf(&b, " merged into %d", i.MergedInto)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
