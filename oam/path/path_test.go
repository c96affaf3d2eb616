package path

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"incidentd/oam"
	"incidentd/oam/oamtest"
	"incidentd/oam/testnet"
)

// chain is a - r1 - r2 - r3 - b, with 10.N.0.1/30 to the left and .2 to the right of link
// N, and the same of fd00:N::/64.
type chain struct {
	hosts []*testnet.Host
}

func newChain(t testing.TB) *chain {
	t.Helper()
	if why := testnet.Missing(); why != "" {
		t.Skip(why)
	}
	if _, err := exec.LookPath("ping"); err != nil {
		t.Skip("ping is not installed (apt: iputils-ping)")
	}
	n := testnet.New()
	t.Cleanup(func() { n.Close() })
	c := &chain{}
	for _, name := range []string{"a", "r1", "r2", "r3", "b"} {
		h, err := n.Router(name)
		if err != nil {
			t.Fatal(err)
		}
		c.hosts = append(c.hosts, h)
		// Routers limit the errors they send; the tests come faster than people.
		c.ip(t, len(c.hosts)-1, "sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
	}
	for i := range 4 {
		left, right := testnet.End{Host: c.hosts[i], Interface: "right"}, testnet.End{Host: c.hosts[i+1], Interface: "left"}
		left.Address = netip.MustParsePrefix(fmt.Sprintf("10.%d.0.1/30", i+1))
		right.Address = netip.MustParsePrefix(fmt.Sprintf("10.%d.0.2/30", i+1))
		if err := n.Link(left, right); err != nil {
			t.Fatal(err)
		}
		for _, e := range []struct {
			end     testnet.End
			address string
		}{{left, fmt.Sprintf("fd00:%d::1/64", i+1)}, {right, fmt.Sprintf("fd00:%d::2/64", i+1)}} {
			if err := e.end.Host.Address(e.end.Interface, netip.MustParsePrefix(e.address)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range c.hosts {
		for link := 1; link <= 4; link++ {
			gateway := ""
			switch {
			case link > i+1:
				gateway = fmt.Sprintf("10.%d.0.2 fd00:%d::2", i+1, i+1)
			case link < i:
				gateway = fmt.Sprintf("10.%d.0.1 fd00:%d::1", i, i)
			default:
				continue
			}
			four, six, _ := strings.Cut(gateway, " ")
			for _, r := range [][2]string{{fmt.Sprintf("10.%d.0.0/30", link), four}, {fmt.Sprintf("fd00:%d::/64", link), six}} {
				if err := c.hosts[i].Route(netip.MustParsePrefix(r[0]), netip.MustParseAddr(r[1])); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	// The addresses of links take a moment.
	for range 50 {
		if c.hosts[0].Command(context.Background(), "ping", "-6", "-c", "1", "-W", "1", "fd00:4::2").Run() == nil {
			return c
		}
	}
	t.Fatal("the far end of the chain is not reached")
	return nil
}

// ip runs a command on a host.
func (c *chain) ip(t testing.TB, host int, args ...string) {
	t.Helper()
	if out, err := c.hosts[host].Command(context.Background(), args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// hops are the addresses of a path, "*" for a silent hop.
func hops(p *oam.Path) string {
	var list []string
	for _, h := range p.Hops {
		if len(h.Addresses) == 0 {
			list = append(list, "*")
			continue
		}
		list = append(list, h.Addresses[0].String())
	}
	return strings.Join(list, " ")
}

func TestDiscovery(t *testing.T) {
	c := newChain(t)
	const (
		way4 = "10.1.0.2 10.2.0.2 10.3.0.2 10.4.0.2"
		way6 = "fd00:1::2 fd00:2::2 fd00:3::2 fd00:4::2"
	)
	run := func(t *testing.T, leafs ...string) *oam.Measurement {
		t.Helper()
		return oamtest.Run(t, Discovery, oamtest.Params(t, "path-discovery", append([]string{"hop-timeout", "400"}, leafs...)...), c.hosts[0].Namespace)
	}
	for _, protocol := range []string{"udp", "icmp", "tcp"} {
		for target, want := range map[string]string{"10.4.0.2": way4, "fd00:4::2": way6} {
			m := run(t, "target", target, "protocol", protocol, "thresholds/max-hop-count", "4", "dscp", "10")
			if got := hops(m.Path); got != want || !m.Path.Complete || m.Path.HopCount != 4 || m.Verdict != oam.Pass {
				t.Errorf("%s to %s: %s, %+v, verdict %s", protocol, target, got, m.Path, m.Verdict)
			}
			for _, h := range m.Path.Hops {
				if h.Received != 3 || h.MinDelay <= 0 {
					t.Errorf("%s to %s: hop %+v", protocol, target, h)
				}
			}
		}
	}
	tests := []struct {
		name     string
		do, undo [][]string // of router 2
		hops     string
		reason   string
	}{
		{"no route", [][]string{{"ip", "route", "del", "10.4.0.0/30"}}, [][]string{{"ip", "route", "add", "10.4.0.0/30", "via", "10.3.0.2"}},
			"10.1.0.2 10.2.0.2", "no-route at 10.2.0.2"},
		{"prohibited", [][]string{{"ip", "route", "replace", "prohibit", "10.4.0.0/30"}}, [][]string{{"ip", "route", "del", "10.4.0.0/30"}, {"ip", "route", "add", "10.4.0.0/30", "via", "10.3.0.2"}},
			"10.1.0.2 10.2.0.2", "administratively-prohibited at 10.2.0.2"},
		{"silent drop", [][]string{{"ip", "route", "replace", "blackhole", "10.4.0.0/30"}}, [][]string{{"ip", "route", "del", "10.4.0.0/30"}, {"ip", "route", "add", "10.4.0.0/30", "via", "10.3.0.2"}},
			"10.1.0.2", "silent-drop-after 10.1.0.2"}, // Linux drops before it looks at the hop limit
		{"loop", [][]string{{"ip", "route", "replace", "10.4.0.0/30", "via", "10.2.0.1"}}, [][]string{{"ip", "route", "replace", "10.4.0.0/30", "via", "10.3.0.2"}},
			"", "routing-loop at 10.1.0.2"},
	}
	for _, tt := range tests {
		for _, cmd := range tt.do {
			c.ip(t, 2, cmd...)
		}
		m := run(t, "target", "10.4.0.2", "max-hops", "12", "thresholds/max-hop-count", "4")
		if m.Path.Complete || m.Path.EndReason != tt.reason || tt.hops != "" && hops(m.Path) != tt.hops || m.Verdict != oam.Fail {
			t.Errorf("%s: %s: %+v, verdict %s", tt.name, hops(m.Path), m.Path, m.Verdict)
		}
		for _, cmd := range tt.undo {
			c.ip(t, 2, cmd...)
		}
	}
	m := run(t, "target", "10.4.0.2", "thresholds/max-hop-count", "3")
	if m.Verdict != oam.Fail || len(m.Crossed) != 1 || m.Crossed[0] != "max-hop-count: 4 > 3" {
		t.Errorf("one hop too many: %s %q", m.Verdict, m.Crossed)
	}
}

func TestMTU(t *testing.T) {
	c := newChain(t)
	run := func(leafs ...string) *oam.Measurement {
		t.Helper()
		return oamtest.Run(t, MTU, oamtest.Params(t, "path-mtu", append([]string{"target", "10.4.0.2"}, leafs...)...), c.hosts[0].Namespace)
	}
	if m := run("thresholds/min-path-mtu", "1500"); m.MTU == nil || *m.MTU != (oam.MTU{Size: 1500}) || m.Verdict != oam.Pass {
		t.Errorf("%+v, verdict %s", m.MTU, m.Verdict)
	}
	if m := run("max-size", "9000"); m.MTU == nil || *m.MTU != (oam.MTU{Size: 1500}) {
		t.Errorf("with the own link in the way: %+v", m.MTU)
	}
	c.ip(t, 2, "ip", "link", "set", "right", "mtu", "1400")
	c.ip(t, 3, "ip", "link", "set", "left", "mtu", "1400")
	if m := run("thresholds/min-path-mtu", "1500"); m.MTU == nil || *m.MTU != (oam.MTU{Size: 1400}) || m.Verdict != oam.Fail {
		t.Errorf("%+v, verdict %s %q", m.MTU, m.Verdict, m.Crossed)
	}
	six := oamtest.Run(t, MTU, oamtest.Params(t, "path-mtu", "target", "fd00:4::2"), c.hosts[0].Namespace)
	if six.MTU == nil || *six.MTU != (oam.MTU{Size: 1400}) {
		t.Errorf("IPv6: %+v", six.MTU)
	}
	// The router tells nobody any more.
	if out, err := c.hosts[2].Command(context.Background(), "nft", "add table ip f; add chain ip f o { type filter hook output priority 0; }; add rule ip f o icmp type destination-unreachable drop").CombinedOutput(); err != nil {
		t.Logf("no black hole here: %v: %s", err, out)
		return
	}
	if m := run("thresholds/allow-black-hole", "false"); m.MTU == nil || *m.MTU != (oam.MTU{Size: 1400, BlackHole: true}) || m.Verdict != oam.Fail {
		t.Errorf("%+v, verdict %s %q", m.MTU, m.Verdict, m.Crossed)
	}
}

// A router that quotes too little is asked again alone; its answers are still told apart.
func TestShortQuotes(t *testing.T) {
	target := netip.MustParseAddr("192.0.2.9")
	tr := newTrace(target, 5)
	p := &quoting{trace: tr, target: target}
	test, err := Discovery(oamtest.Params(t, "path-discovery", "target", target.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.discover(t.Context(), oamtest.Env(test, ""), p, 2, 1); err != nil {
		t.Fatal(err)
	}
	if got := hops(tr.measurement().Path); got != "192.0.2.1 192.0.2.2 192.0.2.9" {
		t.Errorf("the path is %s", got)
	}
}

// quoting is a path of three hops, of which the second quotes no number.
type quoting struct {
	trace  *trace
	target netip.Addr
}

func (q *quoting) octets() int { return 40 }
func (q *quoting) close()      {}

func FuzzEchoed(f *testing.F) {
	f.Add(echo(false, 1, 2, 8), false, true, byte(8))
	f.Add([]byte{0x4f}, false, true, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, six, raw bool, kind byte) { echoed(b, six, raw, 1, kind) })
}

func (q *quoting) send(number uint32, hopLimit int) (time.Time, error) {
	now := time.Now()
	a := answer{number: number, known: hopLimit != 2, from: q.target, at: now.Add(time.Millisecond), what: arrived}
	if hopLimit < 3 {
		a.from, a.what = netip.AddrFrom4([4]byte{192, 0, 2, byte(hopLimit)}), expired
		a.icmp = &oam.ICMP{Type: 11}
	}
	// Hop 2 answers when the others have answered.
	q.trace.take(a)
	return now, nil
}
