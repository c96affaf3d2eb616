package testnet

import (
	"context"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
)

// Two hosts reach each other through a router, until the router's interface goes down.
func TestNetwork(t *testing.T) {
	if why := Missing(); why != "" {
		t.Skip(why)
	}
	n := New()
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a, err := n.Host("a")
	must(err)
	r, err := n.Router("r")
	must(err)
	b, err := n.Host("b")
	must(err)
	must(n.Link(End{a, "eth0", netip.MustParsePrefix("10.1.0.1/30")}, End{r, "eth0", netip.MustParsePrefix("10.1.0.2/30")}))
	must(n.Link(End{r, "eth1", netip.MustParsePrefix("10.2.0.1/30")}, End{b, "eth0", netip.MustParsePrefix("10.2.0.2/30")}))
	must(a.Route(netip.MustParsePrefix("10.2.0.0/30"), netip.MustParseAddr("10.1.0.2")))
	must(b.Route(netip.MustParsePrefix("10.1.0.0/30"), netip.MustParseAddr("10.2.0.1")))
	reach := func() bool {
		// The kernel's own TCP: port 9 is closed, so the answer of a host that is reached is a refusal.
		out, _ := a.Command(context.Background(), "bash", "-c", "timeout 1 bash -c '</dev/tcp/10.2.0.2/9'").CombinedOutput()
		return strings.Contains(string(out), "refused")
	}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	if !reach() {
		t.Error("b cannot be reached")
	}
	must(r.Down("eth1"))
	if reach() {
		t.Error("b can be reached over an interface that is down")
	}
	must(r.Up("eth1"))

	if err := a.Up("eth9"); err == nil || !strings.Contains(err.Error(), "eth9") {
		t.Errorf("an interface that is not there: %v", err)
	}
}
