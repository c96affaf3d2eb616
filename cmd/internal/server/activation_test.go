package server

import (
	"errors"
	"fmt"
	"testing"

	"incidentd/oam"
	"incidentd/yang/data"
)

// A test that loads the path runs when that is allowed, and only administrators may write it.
func TestActivation(t *testing.T) {
	free, port := freePort(t)
	free.Close()
	s, _ := started(t, initialised(t))
	c := session(t, s)
	edit := func(config string) {
		t.Helper()
		if err := c.EditConfig(t.Context(), "running", []byte(config), ""); err != nil {
			t.Fatal(err)
		}
	}
	edit(reflectorConfig(port, "<allowed-prefix>127.0.0.0/8</allowed-prefix><max-packet-rate>5000</max-packet-rate>"))
	eventually(t, c, serviceState, fmt.Sprintf("<listening>127.0.0.1:%d</listening>", port))
	edit(fmt.Sprintf(`<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>s</name>
		<service-activation xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.1</target><session-reflector-udp-port>%d</session-reflector-udp-port>
		<committed-information-rate>2000</committed-information-rate><step>50</step><step>100</step><step-duration>1</step-duration></service-activation>
		<period-start>2000-01-01T01:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:yearly</frequency></oam-unitary-test></oam-unitary-tests>`, port))
	eventually(t, c, testState, ">error</unitary-test-status>", "limit-exceeded</", "allow-load-tests is false")
	edit(`<oam-service xmlns="urn:incidentd:yang:oam-tests"><limits><allow-load-tests>true</allow-load-tests></limits></oam-service>`)
	eventually(t, c, testState, ">ready</unitary-test-status>")
	startTest(t, c)
	eventually(t, c, testState, "<verdict>none</verdict>", "<index>2</index>", "<percent>100</percent>", "<tx-packet-count>164</tx-packet-count>", "<loss-count-far-end>0</loss-count-far-end>", "<throughput>")

	schema, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	kind := schema.Root.ChildNamed("oam-unitary-tests").ChildNamed("oam-unitary-test").ChildNamed("service-activation")
	load := data.Build(kind).Leaf("target", "127.0.0.1").Leaf("committed-information-rate", "1").Node()
	_, err = s.tests.Estimate(load)
	if f, ok := errors.AsType[*oam.Fault](err); !ok || f.Reason != oam.LimitExceeded {
		t.Errorf("load for a diagnosis: %v", err)
	}
	for _, path := range [][]string{{"oam-unitary-tests", "oam-unitary-test"}, {"oam-test-sequence", "test-sequence", "test-ref"}} {
		n := schema.Root
		for _, name := range append(path, "service-activation") {
			n = n.ChildNamed(name)
		}
		if n.Deny != "write" {
			t.Errorf("%v: access is %q by default", path, n.Deny)
		}
	}
}
