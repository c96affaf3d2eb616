package path

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"incidentd/oam/oamtest"
)

var (
	tracerouteHop = regexp.MustCompile(`(?m)^ *\d+ +(\S+)`)
	tracepathMTU  = regexp.MustCompile(`Resume: pmtu (\d+)`)
)

// The hops are those of traceroute, and the path MTU that of tracepath, over both families.
func TestPeers(t *testing.T) {
	c := newChain(t)
	output := func(program string, args ...string) string {
		t.Helper()
		if _, err := exec.LookPath(program); err != nil {
			t.Logf("%s is not installed (apt: traceroute, iputils-tracepath)", program)
			return ""
		}
		out, err := c.hosts[0].Command(context.Background(), program, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s %v: %v: %s", program, args, err, out)
		}
		return string(out)
	}
	c.ip(t, 2, "ip", "link", "set", "right", "mtu", "1400")
	c.ip(t, 3, "ip", "link", "set", "left", "mtu", "1400")
	for _, target := range []string{"10.4.0.2", "fd00:4::2"} {
		for protocol, flag := range map[string]string{"udp": "-U", "icmp": "-I", "tcp": "-T"} {
			out := output("traceroute", "-n", flag, target)
			if out == "" {
				continue
			}
			var list []string
			for _, m := range tracerouteHop.FindAllStringSubmatch(out, -1) {
				list = append(list, m[1])
			}
			m := oamtest.Run(t, Discovery, oamtest.Params(t, "path-discovery", "target", target, "protocol", protocol), c.hosts[0].Namespace)
			if want := strings.Join(list, " "); hops(m.Path) != want {
				t.Errorf("%s to %s: %s, and traceroute has %s", protocol, target, hops(m.Path), want)
			}
		}
		if out := output("tracepath", "-n", target); out != "" {
			told := tracepathMTU.FindStringSubmatch(out)
			m := oamtest.Run(t, MTU, oamtest.Params(t, "path-mtu", "target", target), c.hosts[0].Namespace)
			if told == nil || m.MTU == nil || told[1] != "1400" || m.MTU.Size != 1400 {
				t.Errorf("the MTU to %s is %+v, and tracepath says\n%s", target, m.MTU, out)
			}
		}
	}
}
