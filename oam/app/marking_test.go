package app

import (
	"net/netip"
	"testing"

	"incidentd/oam"
	"incidentd/oam/oamtest"
	"incidentd/oam/testnet"
)

// The packets of every engine leave the network instance from the source and with the class
// that are configured, over both families.
func TestMarking(t *testing.T) {
	a, b, wire := oamtest.Wired(t, testnet.Impairment{}, testnet.Impairment{})
	for _, x := range []struct {
		host    *testnet.Host
		address string
	}{{a, "10.9.1.1/32"}, {a, "fd00:9::1/64"}, {a, "fd00:9::11/64"}, {b, "fd00:9::2/64"}} {
		if err := x.host.Address("wire0", netip.MustParsePrefix(x.address)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		engine oam.Engine
		leafs  func(target string) []string
	}{
		{"udp-echo", Echo, func(target string) []string { return []string{"target", target} }},
		{"tcp-connect", Connect, func(target string) []string { return []string{"target", target, "destination-port", "9"} }},
		{"dns-query", Query, func(target string) []string { return []string{"target", target, "query-name", "a.example"} }},
		{"http-request", Request, func(target string) []string {
			return []string{"url", "http://" + netip.AddrPortFrom(netip.MustParseAddr(target), 80).String()}
		}},
	} {
		for _, family := range []struct{ source, target string }{{"10.9.1.1", "10.9.0.2"}, {"fd00:9::11", "fd00:9::2"}} {
			before := len(wire.Log(testnet.There))
			test, err := tt.engine(oamtest.Params(t, tt.name, append(tt.leafs(family.target), "dscp", "46", "number-of-packets", "2", "interval", "1000", "session-timeout", "100")...))
			if err != nil {
				t.Fatal(err)
			}
			env := oamtest.Env(test, a.Namespace)
			env.Vantage.SourceAddress = netip.MustParseAddr(family.source)
			if _, err := test.Run(t.Context(), env); err != nil {
				t.Errorf("%s to %s: %v", tt.name, family.target, err)
				continue
			}
			marked := 0
			for _, p := range wire.Log(testnet.There)[before:] {
				source, target, class, protocol := header(p.Data)
				if target != netip.MustParseAddr(family.target) || protocol != 6 && protocol != 17 {
					continue // the kernel's own
				}
				if marked++; source.String() != family.source || class != 46<<2 {
					t.Errorf("%s to %s: a packet from %s of class %#x", tt.name, family.target, source, class)
				}
			}
			if marked < 2 {
				t.Errorf("%s to %s: %d packets", tt.name, family.target, marked)
			}
		}
	}
}

// header is what the IP header of a packet tells.
func header(b []byte) (source, target netip.Addr, class, protocol byte) {
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20])), b[1], b[9]
	case len(b) >= 40 && b[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40])), b[0]<<4 | b[1]>>4, b[6]
	}
	return
}
