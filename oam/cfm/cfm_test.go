package cfm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/oam"
	"incidentd/oam/oamtest"
	"incidentd/oam/socket"
	"incidentd/oam/testnet"
)

func fault(err error) oam.Reason {
	if f, ok := errors.AsType[*oam.Fault](err); ok {
		return f.Reason
	}
	return ""
}

// line are hosts in a row, each a bridge to the next: near, br1, br2, far. Interfaces are
// named for where they lead.
type line struct {
	near, br1, br2, far *testnet.Host
	target              string // the address of far
}

func newLine(t *testing.T) *line {
	t.Helper()
	if why := testnet.Missing(); why != "" {
		t.Skip(why)
	}
	n := testnet.New()
	t.Cleanup(func() { n.Close() })
	l := &line{}
	for name, h := range map[string]**testnet.Host{"near": &l.near, "br1": &l.br1, "br2": &l.br2, "far": &l.far} {
		host, err := n.Host(name)
		if err != nil {
			t.Fatal(err)
		}
		*h = host
	}
	hosts := []*testnet.Host{l.near, l.br1, l.br2, l.far}
	for _, h := range hosts[1:3] {
		run(t, h, "ip", "link", "add", "bridge", "type", "bridge")
		run(t, h, "ip", "link", "set", "bridge", "up")
	}
	for i, a := range hosts[:3] {
		b := hosts[i+1]
		if err := n.Link(testnet.End{Host: a, Interface: "to-" + b.Name}, testnet.End{Host: b, Interface: "to-" + a.Name}); err != nil {
			t.Fatal(err)
		}
	}
	for i, h := range hosts[1:3] {
		run(t, h, "ip", "link", "set", "to-"+hosts[i].Name, "master", "bridge")
		run(t, h, "ip", "link", "set", "to-"+hosts[i+2].Name, "master", "bridge")
	}
	l.target = l.address(t, l.far, "to-br2").String()
	return l
}

func run(t *testing.T, h *testnet.Host, name string, args ...string) string {
	t.Helper()
	out, err := h.Command(context.Background(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %s %q: %v: %s", h.Name, name, args, err, out)
	}
	return string(out)
}

// address is that of an interface of a host.
func (l *line) address(t *testing.T, h *testnet.Host, name string) MAC {
	t.Helper()
	link, s, err := socket.OpenLink(oam.Vantage{NetworkInstance: h.Namespace}, name, EtherType)
	if err != nil {
		t.Fatal(err)
	}
	link.Close()
	return MAC(s.Address)
}

// point begins a maintenance point for as long as the test runs.
func point(t *testing.T, h *testnet.Host, c PointConfig) *Point {
	t.Helper()
	c.Vantage.NetworkInstance = h.Namespace
	p, err := Answer(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// intermediate has both bridges be MIPs, and their kernels flood nothing of link trace.
func (l *line) intermediate(t *testing.T, c PointConfig) {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("the command nft is not installed (apt: nftables)")
	}
	for _, h := range []*testnet.Host{l.br1, l.br2} {
		run(t, h, "nft", "add table bridge cfm; add chain bridge cfm forward { type filter hook forward priority 0; }; add rule bridge cfm forward ether daddr 01:80:c2:00:00:38/45 drop")
		c.Interface, c.Intermediate = "bridge", true
		point(t, h, c)
	}
}

// Loopback through two bridges: all comes back, and only from who is of the level.
func TestLoopback(t *testing.T) {
	for _, c := range []struct {
		name  string
		vlan  uint16
		level uint8
	}{{"untagged", 0, 3}, {"tagged", 100, 7}} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine(t)
			p := point(t, l.far, PointConfig{Interface: "to-br2", VLAN: c.vlan, Level: c.level})
			leafs := []string{"interface", "to-br1", "destination-mac-address", l.target, "number-of-packets", "50", "interval", "2000", "session-timeout", "300",
				"data-size", "1400", "thresholds/max-loss-ratio", "0"}
			if c.vlan != 0 {
				leafs = append(leafs, "vlan", fmt.Sprint(c.vlan))
			}
			of := func(level uint8) *oam.Measurement {
				return oamtest.Run(t, Loopback, oamtest.Params(t, "cfm-loopback", append(leafs, "md-level", fmt.Sprint(level))...), l.near.Namespace)
			}
			got := of(c.level)
			if *got.Packets != (oam.Packets{Sent: 50, Received: 50}) || got.Verdict != oam.Pass || got.TwoWay.Min <= 0 || got.Quality.Timestamping != oam.KernelTimestamps {
				t.Errorf("%+v %+v, %s, %+v", got.Packets, got.Errors, got.Verdict, got.Quality)
			}
			t.Logf("median %s", got.TwoWay.Percentile50)
			if t.Failed() {
				return
			}
			if got := of(c.level - 1); got.Packets.Received != 0 || got.Errors.Lost != 50 || got.Verdict != oam.Fail {
				t.Errorf("another level: %+v %+v", got.Packets, got.Errors)
			}
			if c.vlan != 0 {
				leafs = leafs[:len(leafs)-2]
				if got := of(c.level); got.Packets.Received != 0 {
					t.Errorf("without the tag: %+v", got.Packets)
				}
			}
			if s := p.Stats(); s.Received != 50 || s.Sent != 50 || s.Refused != 0 {
				t.Errorf("the far end: %+v", s)
			}
		})
	}
}

// The rate of a point is that of all who ask.
func TestRate(t *testing.T) {
	l := newLine(t)
	p := point(t, l.far, PointConfig{Interface: "to-br2", MaxRate: 10})
	got := oamtest.Run(t, Loopback, oamtest.Params(t, "cfm-loopback", "interface", "to-br1", "destination-mac-address", l.target,
		"number-of-packets", "100", "interval", "1000", "session-timeout", "100"), l.near.Namespace)
	s := p.Stats()
	if s.Received != 100 || s.Sent+s.Refused != 100 || s.Sent < 10 || s.Sent > 15 || uint64(got.Packets.Received) != s.Sent {
		t.Errorf("%+v, and the far end %+v", got.Packets, s)
	}
}

// A link trace tells each bridge, in order, with its ports.
func TestLinktrace(t *testing.T) {
	for _, vlan := range []uint16{0, 100} {
		t.Run(fmt.Sprint("vlan ", vlan), func(t *testing.T) {
			l := newLine(t)
			l.intermediate(t, PointConfig{Level: 4, VLAN: vlan})
			point(t, l.far, PointConfig{Interface: "to-br2", Level: 4, VLAN: vlan})
			leafs := []string{"interface", "to-br1", "md-level", "4", "timeout", "500"}
			if vlan != 0 {
				leafs = append(leafs, "vlan", fmt.Sprint(vlan))
			}
			// Bridges learn where a station is from what it sends.
			learn := func() {
				t.Helper()
				got := oamtest.Run(t, Loopback, oamtest.Params(t, "cfm-loopback", append(leafs[:4:4], append(leafs[6:], "destination-mac-address", l.target, "number-of-packets", "2")...)...), l.near.Namespace)
				if got.Packets.Received != 2 {
					t.Fatalf("%+v", got.Packets)
				}
				time.Sleep(bridgeAge)
			}
			trace := func(target string, more ...string) *oam.Measurement {
				t.Helper()
				return oamtest.Run(t, Linktrace, oamtest.Params(t, "cfm-linktrace", append(append(leafs, "destination-mac-address", target), more...)...), l.near.Namespace)
			}
			learn()
			got := trace(l.target, "thresholds/max-hop-count", "3")
			if !got.Path.Complete || got.Path.HopCount != 3 || got.Path.EndReason != "" || got.Verdict != oam.Pass || *got.Packets != (oam.Packets{Sent: 1, Received: 3}) {
				t.Errorf("%+v, %+v, %s", got.Path, got.Packets, got.Verdict)
			}
			br1in, br1out := l.address(t, l.br1, "to-near"), l.address(t, l.br1, "to-br2")
			br2in, br2out := l.address(t, l.br2, "to-br1"), l.address(t, l.br2, "to-far")
			far := l.address(t, l.far, "to-br2")
			hop := func(i uint32, relay string, in, out MAC) oam.Hop {
				h := oam.Hop{Index: i, MAC: []net.HardwareAddr{in[:]}, Received: 1, Bridge: &oam.Bridge{Relay: relay, Ingress: "ing-ok", IngressMAC: in[:]}}
				if out != (MAC{}) {
					h.Bridge.Forwarded, h.Bridge.Egress, h.Bridge.EgressMAC = true, "egr-ok", out[:]
				} else {
					h.Bridge.TerminalMEP = true
				}
				return h
			}
			want := []oam.Hop{hop(1, "rly-fdb", br1in, br1out), hop(2, "rly-fdb", br2in, br2out), hop(3, "rly-hit", far, MAC{})}
			for i := range got.Path.Hops {
				if got.Path.Hops[i].MinDelay <= 0 {
					t.Errorf("hop %d has no delay", i+1)
				}
				got.Path.Hops[i].MinDelay = 0
			}
			if diff := cmp.Diff(want, got.Path.Hops); diff != "" {
				t.Error(diff)
			}

			if got := trace(l.target, "ttl", "2", "thresholds/max-hop-count", "9"); got.Path.Complete || len(got.Path.Hops) != 2 || got.Verdict != oam.Fail ||
				got.Path.EndReason != "not-forwarded at "+br2in.String() {
				t.Errorf("with a TTL of 2: %+v", got.Path)
			}
			if got := trace(br2in.String(), "thresholds/max-hop-count", "1"); !got.Path.Complete || got.Path.HopCount != 2 || got.Path.Hops[1].Bridge.TerminalMEP || got.Verdict != oam.Fail {
				t.Errorf("to a MIP: %+v", got.Path)
			}
			if got := trace("02:00:00:00:00:99"); got.Path.Complete || len(got.Path.Hops) != 0 || got.Path.EndReason != "first-hop-silent" {
				t.Errorf("to nobody: %+v", got.Path)
			}
			run(t, l.far, "ip", "link", "set", "to-br2", "down")
			time.Sleep(bridgeAge)
		})
	}
}

// What is said where nothing can be measured.
func TestFaults(t *testing.T) {
	for address, want := range map[string]string{
		"01:80:c2:00:00:30":       "destination-mac-address 01:80:c2:00:00:30: it is the address of a group, and a test is of one station",
		"02:00:00:00:00:01:02:03": "destination-mac-address 02:00:00:00:00:01:02:03: it has to have 6 octets",
	} {
		for name, engine := range map[string]oam.Engine{"cfm-loopback": Loopback, "cfm-linktrace": Linktrace} {
			if _, err := engine(oamtest.Params(t, name, "interface", "lo", "destination-mac-address", address)); err == nil || err.Error() != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
	if runtime.GOOS != "linux" || testnet.Missing() != "" {
		t.Skip("packet sockets need Linux and root")
	}
	if _, err := oamtest.Try(t.Context(), Loopback, oamtest.Params(t, "cfm-loopback", "interface", "missing", "destination-mac-address", far.String()), ""); fault(err) != oam.BadTarget {
		t.Errorf("an interface that is missing: %v", err)
	}
	for name, want := range map[string]string{
		"lo":      "lo is no bridge with ports",
		"missing": "there is no interface missing",
	} {
		if _, err := Answer(PointConfig{Interface: name, Intermediate: true}); fault(err) != oam.BadTarget || err.Error() != want {
			t.Errorf("MIPs of %s: %v, want %s", name, err, want)
		}
	}
	l := newLine(t)
	_, err := oamtest.Try(t.Context(), Loopback, oamtest.Params(t, "cfm-loopback", "interface", "to-br1", "destination-mac-address", l.target, "data-size", "1500"), l.near.Namespace)
	if fault(err) != oam.BadTarget || err.Error() != "the frames have 1512 octets of payload, and to-br1 takes 1500" {
		t.Errorf("frames that are too large: %v", err)
	}
	got := oamtest.Run(t, Linktrace, oamtest.Params(t, "cfm-linktrace", "interface", "to-br1", "destination-mac-address", l.target, "timeout", "50"), l.near.Namespace)
	if got.Path.EndReason != "first-hop-silent" || got.Path.Complete || got.Verdict != oam.NoVerdict {
		t.Errorf("nobody there: %+v", got)
	}
	run(t, l.near, "ip", "link", "set", "to-br1", "down")
	_, err = oamtest.Try(t.Context(), Linktrace, oamtest.Params(t, "cfm-linktrace", "interface", "to-br1", "destination-mac-address", l.target), l.near.Namespace)
	if fault(err) != oam.BadTarget || !strings.Contains(err.Error(), "network is down") {
		t.Errorf("an interface that is down: %v", err)
	}
}

// Wireshark reads our frames as they are meant.
func TestWireshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed (apt: tshark)")
	}
	text2pcap, err := exec.LookPath("text2pcap")
	if err != nil {
		t.Skip("text2pcap is not installed (apt: wireshark-common)")
	}
	dir := t.TempDir()
	var dump strings.Builder
	for _, c := range frames {
		fmt.Fprintf(&dump, "0000 % x\n", c.frame.Append(nil))
	}
	text, capture := filepath.Join(dir, "frames.txt"), filepath.Join(dir, "frames.pcap")
	if err := os.WriteFile(text, []byte(dump.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(text2pcap, "-q", text, capture).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	args := []string{"-r", capture, "-T", "fields", "-E", "separator=|"}
	for _, f := range []string{"md.level", "opcode", "lb.transaction.id", "tlv.data.value", "lt.transaction.id", "lt.ttl", "ltm.orig.addr", "ltm.targ.addr", "tlv.ltm.egress.id.mac",
		"flags.fwdyes", "ltr.relay.action", "tlv.ltr.egress.last.id.mac", "tlv.ltr.egress.next.id.mac", "tlv.reply.ingress.action", "tlv.reply.ingress.mac.address",
		"tlv.reply.egress.action", "tlv.reply.egress.mac.address"} {
		args = append(args, "-e", "cfm."+f)
	}
	out, err := exec.Command(tshark, append(args, "-e", "_ws.malformed")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	const want = `5|3|16909060|aabb||||||||||||||
0|2|7|||||||||||||||
3|5|||9|64|02:00:00:00:00:0a|02:00:00:00:00:0b|02:00:00:00:00:0a|||||||||
3|4|||9|63||||1|2|02:00:00:00:00:0a|02:00:00:00:00:0c|1|02:00:00:00:00:0b|3|02:00:00:00:00:0c|
`
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Error(diff)
	}
}
