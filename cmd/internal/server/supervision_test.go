package server

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"incidentd/netconf/client"
)

// The example of proactive supervision, with real connections: a service that does not answer any
// more is an incident of that service, which is over when it answers again.
func TestExampleProactiveSupervision(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	text, err := os.ReadFile("../../../examples/proactive-supervision.xml")
	if err != nil {
		t.Fatal(err)
	}
	service := func(address string) net.Listener {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		}()
		t.Cleanup(func() { ln.Close() })
		return ln
	}
	ln := service("127.0.0.1:0")
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const example = "<destination-port>8080</destination-port>"
	if strings.Count(string(text), example) != 1 {
		t.Fatalf("the example has no %s", example)
	}
	_, config, _ := strings.Cut(strings.Replace(string(text), example, "<destination-port>"+port+"</destination-port>", 1), "<config>")
	config, _, _ = strings.Cut(config, "</config>")
	// Nobody wants to wait for half a minute here.
	config += `<correlation xmlns="urn:incidentd:yang:correlation"><timing><soak-single>500</soak-single><soak-pair>500</soak-pair><soak-kpi>500</soak-kpi><soak-kpi-major>500</soak-kpi-major><effect-wait>500</effect-wait><clear-hold>500</clear-hold></timing></correlation>`
	s, _ := started(t, initialised(t))
	c := session(t, s)
	if err := c.EditConfig(t.Context(), "running", []byte(config), ""); err != nil {
		t.Fatal(err)
	}
	const tests = `<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>shop</name><result xmlns="urn:incidentd:yang:oam-tests"><verdict/></result></oam-unitary-test></oam-unitary-tests>`
	eventually(t, c, tests, "<verdict>pass</verdict>")
	ln.Close()
	incidents := func(leaf, value string) string {
		return fmt.Sprintf(`<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident><incident-id>inc-1</incident-id><type/><service-instance/><%s>%s</%[1]s></incident></incidents>`, leaf, value)
	}
	eventually(t, c, incidents("name", "shop unavailable"), "<type>fault</type>", "<service-instance>shop</service-instance>")
	service(ln.Addr().String())
	eventually(t, c, incidents("status", "cleared"), "<status>cleared</status>")
	r, err := c.Get(t.Context(), client.Subtree(`<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident><incident-id/></incident></incidents>`))
	if err != nil || strings.Contains(string(r.Raw), "inc-2") {
		t.Errorf("there is another incident: %v\n%s", err, r.Raw)
	}
}
