package server

import (
	"fmt"
	"testing"
)

// A server echoes for those who may ask, and measures to that.
func TestEchoResponder(t *testing.T) {
	taken, port := freePort(t)
	s, _ := started(t, initialised(t))
	c := session(t, s)
	edit := func(config string) {
		t.Helper()
		if err := c.EditConfig(t.Context(), "running", []byte(config), ""); err != nil {
			t.Fatal(err)
		}
	}
	const state = `<oam-service xmlns="urn:incidentd:yang:oam-tests"><udp-echo-responder/></oam-service>`
	edit(fmt.Sprintf(`<oam-service xmlns="urn:incidentd:yang:oam-tests"><vantage-point><name>lo</name><source-address>127.0.0.1</source-address></vantage-point>
		<udp-echo-responder><name>e</name><vantage-point>lo</vantage-point><port>%d</port><allowed-prefix>127.0.0.0/8</allowed-prefix></udp-echo-responder></oam-service>`, port))
	eventually(t, c, state, "address already in use</fault>")
	taken.Close()
	eventually(t, c, state, fmt.Sprintf("<listening>127.0.0.1:%d</listening>", port))
	edit(fmt.Sprintf(`<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>s</name>
		<udp-echo xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.1</target><destination-port>%d</destination-port><number-of-packets>10</number-of-packets>
		<interval>2000</interval><session-timeout>300</session-timeout><thresholds><max-loss-ratio>0</max-loss-ratio></thresholds></udp-echo>
		<period-start>2000-01-01T01:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:yearly</frequency></oam-unitary-test></oam-unitary-tests>`, port))
	eventually(t, c, testState, ">ready</unitary-test-status>")
	startTest(t, c)
	eventually(t, c, testState, "<verdict>pass</verdict>", "<rx-packet-count>10</rx-packet-count>")
	eventually(t, c, state, "<sessions>1</sessions>", "<rcv-packets>10</rcv-packets>", "<sent-packets>10</sent-packets>", "<refused-packets>0</refused-packets>")
}
