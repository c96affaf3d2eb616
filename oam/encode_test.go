package oam

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

// What engines find of sessions and bridges has its leafs.
func TestEncode(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"incidentd-oam-tests"}})
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{2, 0, 0, 0, 0, 2}
	for _, c := range []struct {
		name  string
		found Measurement
		want  string
	}{
		{"bfd", Measurement{BFD: &BFD{TimeToUp: time.Second, UpTime: 8 * time.Second, DownCount: 2, DetectionCount: 1, LongestDown: time.Millisecond, Diagnostic: 1, RemoteDiagnostic: 3,
			TransmitInterval: 50 * time.Millisecond, ReceiveInterval: 70 * time.Millisecond, DetectionTime: 210 * time.Millisecond}},
			`<bfd><time-to-up>1000000000</time-to-up><up-time>8000000000</up-time><down-count>2</down-count><detection-count>1</detection-count>
			<last-diagnostic>1</last-diagnostic><remote-diagnostic>3</remote-diagnostic><longest-down>1000000</longest-down>
			<negotiated-tx-interval>50000</negotiated-tx-interval><negotiated-rx-interval>70000</negotiated-rx-interval><detection-time>210000</detection-time></bfd>`},
		{"bfd that never came up", Measurement{BFD: &BFD{}},
			`<bfd><up-time>0</up-time><down-count>0</down-count><detection-count>0</detection-count><last-diagnostic>0</last-diagnostic>
			<remote-diagnostic>0</remote-diagnostic><longest-down>0</longest-down></bfd>`},
		{"link trace", Measurement{Path: &Path{HopCount: 2, Complete: true, Hops: []Hop{
			{Index: 1, MAC: []net.HardwareAddr{near}, Received: 1, MinDelay: 5, Bridge: &Bridge{Relay: "rly-fdb", Forwarded: true, Ingress: "ing-ok", IngressMAC: near, Egress: "egr-blocked", EgressMAC: far}},
			{Index: 2, MAC: []net.HardwareAddr{far}, Received: 1, Bridge: &Bridge{Relay: "rly-hit", TerminalMEP: true}},
		}}},
			`<hop-cnt>2</hop-cnt><path-complete>true</path-complete><path-trace-info-list><index>1</index><mac-address>02:00:00:00:00:01</mac-address>
			<rx-packet-count>1</rx-packet-count><min-delay-value>5</min-delay-value><relay>rly-fdb</relay><forwarded>true</forwarded><terminal-mep>false</terminal-mep>
			<ingress>ing-ok</ingress><ingress-mac>02:00:00:00:00:01</ingress-mac><egress>egr-blocked</egress><egress-mac>02:00:00:00:00:02</egress-mac></path-trace-info-list>
			<path-trace-info-list><index>2</index><mac-address>02:00:00:00:00:02</mac-address><rx-packet-count>1</rx-packet-count><relay>rly-hit</relay>
			<forwarded>false</forwarded><terminal-mep>true</terminal-mep></path-trace-info-list>`},
	} {
		schema := s.Notification("incidentd-oam-tests", "oam-test-completed")
		b := data.Build(schema)
		EncodeMeasurement(b, &c.found)
		got := string(data.AppendChildrenXML(nil, b.Node(), "urn:incidentd:yang:oam-tests"))
		if diff := cmp.Diff(strings.NewReplacer("\n", "", "\t", "").Replace(c.want), got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
