package diagnose

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"incidentd/incident/topology"
	"incidentd/oam"
	"incidentd/oam/app"
	"incidentd/oam/icmp"
	"incidentd/oam/oamtest"
	"incidentd/oam/path"
	"incidentd/oam/socket"
	"incidentd/oam/testnet"
)

// chain is h1 - r1 - r2 - r3 - h4 in namespaces: h1 has the near end of tests, h4 is the
// target.
//
//	h1 .1 10.0.1 .2 r1 .1 10.0.2 .2 r2 .1 10.0.3 .2 r3 .1 10.0.4 .2 h4
type chain struct {
	*testnet.Network
	t     testing.TB
	hosts map[string]*testnet.Host
	close []func()
}

var chainNames = []string{"h1", "r1", "r2", "r3", "h4"}

func address(link, end int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, byte(link), byte(end)})
}

func newChain(t testing.TB) *chain {
	t.Helper()
	if why := testnet.Missing(); why != "" {
		t.Skip(why)
	}
	for _, name := range []string{"nft", "tc"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed (apt: nftables iproute2)", name)
		}
	}
	c := &chain{Network: testnet.New(), t: t, hosts: map[string]*testnet.Host{}}
	t.Cleanup(func() {
		for i := len(c.close) - 1; i >= 0; i-- {
			c.close[i]()
		}
		c.Network.Close()
	})
	for _, name := range chainNames {
		make := c.Router
		if name[0] == 'h' {
			make = c.Host
		}
		h, err := make(name)
		c.must(err)
		c.hosts[name] = h
	}
	for i, name := range chainNames[1:] {
		near := chainNames[i]
		c.must(c.Link(testnet.End{Host: c.hosts[near], Interface: "right", Address: netip.PrefixFrom(address(i+1, 1), 30)},
			testnet.End{Host: c.hosts[name], Interface: "left", Address: netip.PrefixFrom(address(i+1, 2), 30)}))
	}
	for i, name := range chainNames {
		for link := 1; link <= 4; link++ {
			to := netip.PrefixFrom(address(link, 0), 30)
			switch {
			case link > i+1: // to the right
				c.must(c.hosts[name].Route(to, address(i+1, 2)))
			case link < i: // to the left
				c.must(c.hosts[name].Route(to, address(i, 1)))
			}
		}
	}
	// Neighbours know each other before anything is measured.
	c.run("h1", "ping -n -c 1 -W 2 10.0.4.2")
	return c
}

func (c *chain) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// run runs commands on a host, one a line.
func (c *chain) run(host string, lines ...string) {
	c.t.Helper()
	for _, line := range lines {
		if out, err := c.hosts[host].Command(context.Background(), "sh", "-c", line).CombinedOutput(); err != nil {
			c.t.Fatalf("%s: %s: %s", host, line, out)
		}
	}
}

// filter adds a rule of nftables to what a router forwards.
func (c *chain) filter(host, hook, rule string) {
	c.t.Helper()
	c.run(host, "nft add table ip t", fmt.Sprintf("nft 'add chain ip t %s { type filter hook %s priority 0; }'", hook, hook), fmt.Sprintf("nft 'add rule ip t %s %s'", hook, rule))
}

// lossy drops a part of what a router forwards to the right.
func (c *chain) lossy(host string, percent float64) {
	c.t.Helper()
	c.filter(host, "forward", fmt.Sprintf("oifname right numgen random mod 1000 < %d drop", int(10*percent)))
}

// network is what the topology tells of the chain.
func (c *chain) network() *Network {
	n := &Network{Index: topology.Build([]topology.Network{ipNetwork()}, nil), owners: map[netip.Addr]Place{}, own: map[string][]netip.Addr{}, ports: map[Place][]netip.Addr{}}
	for i, name := range chainNames {
		for end, port := range []string{"left", "right"} {
			if link := i + end; link >= 1 && link <= 4 {
				n.ports[Place{name, port}] = n.take(nil, address(link, 2-end), Place{name, port})
			}
		}
	}
	return n
}

// ipNetwork is the network of the chain.
func ipNetwork() (ip topology.Network) {
	ip.ID = "ip"
	for i, name := range chainNames {
		d := topology.Node{ID: name}
		for end, port := range []string{"left", "right"} {
			if link := i + end; link >= 1 && link <= 4 {
				d.TPs = append(d.TPs, topology.TP{ID: port})
			}
		}
		ip.Nodes = append(ip.Nodes, d)
		if i > 0 {
			near := chainNames[i-1]
			ip.Links = append(ip.Links, topology.Link{ID: near + "-" + name, SourceNode: near, SourceTP: "right", DestNode: name, DestTP: "left"},
				topology.Link{ID: name + "-" + near, SourceNode: name, SourceTP: "left", DestNode: near, DestTP: "right"})
		}
	}
	return ip
}

// listen has h4 take connections at a port.
func (c *chain) listen(port int) {
	c.t.Helper()
	var l net.Listener
	c.must(socket.In(oam.Vantage{NetworkInstance: c.hosts["h4"].Namespace}, func() (err error) {
		l, err = net.Listen("tcp", fmt.Sprintf("10.0.4.2:%d", port))
		return err
	}))
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	})
	c.close = append(c.close, func() { l.Close(); wait.Wait() })
}

// flood has h1 send to h4 as fast as so many kilobits per second.
func (c *chain) flood(kilobits int) {
	c.t.Helper()
	conn, err := socket.Open(oam.Vantage{NetworkInstance: c.hosts["h1"].Namespace}, socket.UDP, false, socket.Options{})
	c.must(err)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		const size = 1000
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		owed := 0.0
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			for owed += float64(kilobits) * 1000 / 8 * 0.005; owed >= size; owed -= size {
				conn.Send(make([]byte, size-28), netip.AddrPortFrom(address(4, 2), 9))
			}
		}
	})
	c.close = append(c.close, func() { close(stop); wait.Wait(); conn.Close() })
	time.Sleep(200 * time.Millisecond)
}

// diagnose runs the playbook of the path from h1 to h4 with the engines that send packets.
func (c *chain) diagnose(degraded bool, ports ...string) (found []Finding, spent oam.Spent, took time.Duration) {
	n := c.network()
	b := &Book{Target: Target{Vantage: Vantage{Name: "h1", Node: "h1"}, Node: "h4", Address: address(4, 2), Away: 4, Ports: ports}, Degraded: degraded, MostBits: 200_000}
	engines := map[string]oam.Engine{"icmp-echo": new(icmp.Mux).Engine, "path-discovery": path.Discovery, "path-mtu": path.MTU, "tcp-connect": app.Connect}
	list := oamtest.Params(c.t, "icmp-echo").Node.Schema().Parent.Parent.Parent
	began := time.Now()
	done := conduct(c.t.Context(), b, func(ctx context.Context, s Step) Measured {
		m := Measured{Step: s, Run: oam.Run{Outcome: oam.Finished}}
		s.Vantage = ""
		test, err := engines[s.Type](oam.Params{Node: s.Parameters(list)})
		if err != nil {
			c.t.Errorf("%s: %v", s.Type, err)
			return m
		}
		env := oamtest.Env(test, c.hosts["h1"].Namespace)
		env.RunID = fmt.Sprint(s.role, s.hop)
		m.Run.Found, err = test.Run(ctx, env)
		if err != nil {
			m.Run.Outcome, m.Run.Detail = oam.Failed, err.Error()
		}
		m.Spent.Packets, m.Spent.Octets = env.Budget.Spent()
		return m
	}, func([]Measured) {})
	took = time.Since(began)
	for _, m := range done {
		spent.Packets += m.Spent.Packets
		spent.Octets += m.Spent.Octets
		if testing.Verbose() {
			c.t.Log(describe(m))
		}
	}
	return Localise(n, b, done), spent, took
}

func describe(m Measured) string {
	f := m.Run.Found
	s := fmt.Sprintf("%s %s hop %d: %s", m.Type, m.Target, m.hop, m.Run.Detail)
	if f == nil {
		return s
	}
	if f.Packets != nil {
		s += fmt.Sprintf(" %d/%d", f.Packets.Received, f.Packets.Sent)
	}
	if f.TwoWay != nil {
		s += fmt.Sprintf(" min %s p50 %s p95 %s", f.TwoWay.Min, f.TwoWay.Percentile50, f.TwoWay.Percentile95)
	}
	if f.Path != nil {
		s += fmt.Sprintf(" complete %t %q", f.Path.Complete, f.Path.EndReason)
		for _, h := range f.Path.Hops {
			s += fmt.Sprint(" ", h.Addresses)
		}
	}
	if f.MTU != nil {
		s += fmt.Sprintf(" mtu %d %t", f.MTU.Size, f.MTU.BlackHole)
	}
	for _, r := range f.Responses {
		s += fmt.Sprintf(" %s×%d", r.Code, r.Count)
	}
	return s
}

// fault is what is broken, and what has to be found.
type fault struct {
	name     string
	breaks   func(*chain)
	degraded bool
	ports    []string
	want     string // the cause, and the nodes at it
	quick    bool   // tried each time
}

// faults are the seventeen of the design.
var faults = []fault{
	{name: "nothing", breaks: func(c *chain) {}, want: "healthy"},
	{name: "no route at r2", breaks: func(c *chain) { c.run("r2", "ip route del 10.0.4.0/30") }, want: "no-route r2"},
	{name: "no route at r3", breaks: func(c *chain) { c.run("r3", "ip route add unreachable 10.0.4.2/32") }, want: "next-hop-unresolved r3 h4"},
	{name: "network unreachable at r3", breaks: func(c *chain) { c.run("r3", "ip address del 10.0.4.1/30 dev right") }, want: "no-route r3"},
	{name: "loop between r2 and r3", breaks: func(c *chain) { c.run("r3", "ip route add 10.0.4.2/32 via 10.0.3.1") }, want: "routing-loop r2 r3"},
	{name: "filter of r2 refuses", quick: true, breaks: func(c *chain) {
		c.filter("r2", "forward", "oifname right ip daddr 10.0.4.2 reject with icmp type admin-prohibited")
	}, want: "administratively-prohibited r2"},
	{name: "filter of r2 drops", breaks: func(c *chain) { c.filter("r2", "forward", "oifname right ip daddr 10.0.4.2 drop") }, want: "silent-drop-after r2 r3"},
	{name: "h4 has no address", breaks: func(c *chain) {
		c.run("h4", "ip address del 10.0.4.2/30 dev left")
		c.run("r3", "ip neighbour flush dev right")
	}, want: "next-hop-unresolved r3 h4"},
	{name: "h4 has no carrier", breaks: func(c *chain) { c.must(c.hosts["h4"].Down("left")) }, want: "next-hop-unresolved r3 h4"},
	{name: "h4 has no way back", breaks: func(c *chain) { c.run("h4", "ip route del 10.0.1.0/30") }, want: "silent-drop-after r3 h4"},
	{name: "r2 loses a tenth", quick: true, breaks: func(c *chain) { c.lossy("r2", 10) }, want: "link-loss r2 r3"},
	{name: "r3 loses a tenth", breaks: func(c *chain) { c.lossy("r3", 10) }, want: "link-loss r3 h4"},
	{name: "r1 loses a fiftieth", breaks: func(c *chain) { c.lossy("r1", 2) }, degraded: true, want: "link-loss r1 r2"},
	{name: "MTU of 1400 behind r2", quick: true, breaks: func(c *chain) { c.run("r2", "ip link set right mtu 1400"); c.run("r3", "ip link set left mtu 1400") }, want: "mtu-reduced r2 r3"},
	{name: "black hole of 1400 behind r2", breaks: func(c *chain) {
		c.run("r2", "ip link set right mtu 1400")
		c.run("r3", "ip link set left mtu 1400")
		c.filter("r2", "output", "icmp type destination-unreachable icmp code 4 drop")
	}, want: "mtu-black-hole r2 r3"},
	{name: "r2 is congested", breaks: func(c *chain) {
		c.run("r2", "tc qdisc add dev right root tbf rate 4mbit burst 4000 limit 30000")
		c.flood(5000)
	}, degraded: true, want: "congestion r2 r3"},
	{name: "the service is down", quick: true, breaks: func(c *chain) {}, ports: []string{"179"}, want: "service-down h4"},
	{name: "the service is filtered", breaks: func(c *chain) { c.listen(179); c.filter("r3", "forward", "tcp dport 179 drop") }, ports: []string{"179"}, want: "service-filtered h4"},
}

// fresh are faults that the rules were not made with.
var fresh = []fault{
	{name: "r1 has no way to the target", breaks: func(c *chain) { c.run("r1", "ip route replace blackhole 10.0.4.0/30") }, want: "first-hop-silent h1 r1"},
	{name: "loop between r1 and r2", breaks: func(c *chain) { c.run("r2", "ip route add 10.0.4.2/32 via 10.0.2.1") }, want: "routing-loop r1 r2"},
	{name: "filter of r3 refuses", breaks: func(c *chain) { c.run("r3", "ip route add prohibit 10.0.4.2/32") }, want: "administratively-prohibited r3"},
	{name: "h4 filters echo requests", quick: true, breaks: func(c *chain) { c.filter("h4", "input", "icmp type echo-request drop") }, want: "icmp-filtered-at-target h4"},
	{name: "r2 answers no echo requests", breaks: func(c *chain) { c.filter("r2", "input", "icmp type echo-request drop") }, degraded: true, want: "inconclusive"},
	{name: "r1 limits its answers", breaks: func(c *chain) {
		c.filter("r1", "input", "icmp type echo-request numgen random mod 100 < 40 drop")
	}, degraded: true, want: "inconclusive"},
	{name: "r2 is not on the map of paths and r3 loses a twentieth", breaks: func(c *chain) {
		c.filter("r2", "output", "icmp type time-exceeded drop")
		c.lossy("r3", 5)
	}, want: "link-loss r3 h4"},
	{name: "the way back loses an eighth between r3 and r2", breaks: func(c *chain) {
		c.filter("r3", "postrouting", "oifname left numgen random mod 8 == 0 drop")
	}, want: "link-loss r2 r3"},
	{name: "r1 loses a third", quick: true, breaks: func(c *chain) { c.lossy("r1", 33) }, want: "link-loss r1 r2"},
	{name: "r1 and r3 lose", breaks: func(c *chain) { c.lossy("r1", 5); c.lossy("r3", 25) }, want: "link-loss r1 r2"},
	{name: "MTU of 1300 in front of h4", breaks: func(c *chain) {
		c.run("r3", "ip link set right mtu 1300")
		c.run("h4", "ip link set left mtu 1300")
	}, want: "mtu-reduced r3 h4"},
	{name: "large packets vanish behind r1", breaks: func(c *chain) { c.filter("r1", "forward", "oifname right meta length > 1200 drop") }, want: "mtu-black-hole r1 r2"},
	{name: "a slow link behind r3", breaks: func(c *chain) {
		c.run("r3", "tc qdisc add dev right root tbf rate 2mbit burst 3000 limit 20000")
		c.flood(2600)
	}, degraded: true, want: "congestion r3 h4"},
	{name: "the service refuses behind a good path", breaks: func(c *chain) { c.filter("h4", "input", "tcp dport 179 reject with tcp reset") }, ports: []string{"179"}, want: "service-down h4"},
	{name: "r2 drops everything it forwards", breaks: func(c *chain) { c.filter("r2", "forward", "drop") }, want: "silent-drop-after r2 r3"},
	{name: "the link of r1 is down", breaks: func(c *chain) { c.must(c.hosts["r1"].Down("right")) }, want: "no-route r1"},
	{name: "bursts of loss at r2", breaks: func(c *chain) { c.filter("r2", "forward", "oifname right numgen inc mod 40 < 4 drop") }, want: "link-loss r2 r3"},
}

// told is the gravest finding in a line.
func (f Finding) told() string {
	words := []string{string(f.Cause)}
	for _, n := range []string{f.At.Node, f.Peer.Node} {
		if n != "" && f.Cause != Healthy && f.Cause != Inconclusive {
			words = append(words, n)
		}
	}
	return strings.Join(words, " ")
}

// TestFaults breaks the chain and has it found where; the score is logged, and has to be what
// it was. With DIAGNOSE_FAULTS=all it takes five minutes; else some faults are tried.
func TestFaults(t *testing.T) {
	all := os.Getenv("DIAGNOSE_FAULTS") == "all"
	for _, set := range []struct {
		name  string
		list  []fault
		least int
	}{{"design", faults, 16}, {"fresh", fresh, 15}} {
		t.Run(set.name, func(t *testing.T) {
			right, tried := 0, 0
			for _, f := range set.list {
				if !all && !f.quick {
					continue
				}
				tried++
				if t.Run(f.name, func(t *testing.T) {
					c := newChain(t)
					f.breaks(c)
					found, spent, took := c.diagnose(f.degraded, f.ports...)
					got := found[0].told()
					if found[0].At == (Place{}) && strings.Contains(f.want, " ") {
						got += " (nowhere)"
					}
					if got == f.want {
						right++
					}
					t.Logf("%s: want %s; %d packets, %d octets, %s: %s", got, f.want, spent.Packets, spent.Octets, took.Round(time.Millisecond), found[0].Detail)
					if spent.Octets > 60_000 {
						t.Errorf("it took %d octets", spent.Octets)
					}
				}); t.Skipped() {
					return
				}
			}
			least := set.least
			if !all {
				least = tried
			}
			t.Logf("%d of %d faults are named and located", right, tried)
			if right < least && testnet.Missing() == "" {
				t.Errorf("%d of %d faults are named and located, %d at least were", right, tried, least)
			}
		})
	}
}
