package main

import (
	"regexp"
	"strings"
	"testing"

	srv "incidentd/cmd/internal/server"
	"incidentd/incident/diagnose/diagnosetest"
)

// TestDiagnose has a real server diagnose an incident in a network in memory.
func TestDiagnose(t *testing.T) {
	l := newLive(t, func(c *srv.Config) { c.Engines = diagnosetest.Engines(nil) })
	var out strings.Builder
	show := func(args ...string) { l.show(&out, "", args...) }
	report := `{"id":"e1","time":"2026-01-05T08:00:00Z","node":"P2","resource":"eth1","alarm-type-id":"packet-loss","severity":"major","text":"Packets are lost"}
{"id":"x1","time":"2026-01-05T08:02:00Z","node":"PE1","resource":"fan/1","alarm-type-id":"FAN_FAILURE","severity":"minor","text":"Fan 1 stands still"}
{"id":"x2","time":"2026-01-05T08:04:00Z","node":"PE1","resource":"fan/1","alarm-type-id":"FAN_FAILURE","severity":"cleared","text":"Fan 1 turns"}`
	l.want(0, "", l.run(report, "report", "-"))
	show("diagnose", "1", "--plan")
	show("diagnose", "1")
	l.want(0, "", l.run(`<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">
<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology"><network><network-id>ip</network-id>
<node><node-id>P1</node-id><nt:termination-point><nt:tp-id>eth0</nt:tp-id><address xmlns="urn:incidentd:yang:inventory">10.0.1.2</address></nt:termination-point></node>
<node><node-id>P2</node-id><nt:termination-point><nt:tp-id>eth0</nt:tp-id><address xmlns="urn:incidentd:yang:inventory">10.0.2.2</address></nt:termination-point></node>
<node><node-id>PE2</node-id><inventory xmlns="urn:incidentd:yang:inventory"><address>10.255.0.4</address></inventory></node></network></networks>
<oam-service xmlns="urn:incidentd:yang:oam-tests"><vantage-point><name>at-PE1</name><node xmlns="urn:incidentd:yang:diagnosis">PE1</node></vantage-point></oam-service>
</config>`, "edit", "-", "--target", "running"))
	show("diagnose", "1", "--plan")
	show("--json", "diagnose", "1", "--plan")
	show("diagnose", "1", "--wait")
	show("diagnose", "9")
	show("diagnose", "9", "--plan")
	vary := regexp.MustCompile(`in [0-9.]+ s,|budget-packets": [0-9]+|budget-octets": [0-9]+|The budget has [0-9]+ packets, [0-9]+ octets`)
	golden(t, "diagnose", vary.ReplaceAllString(out.String(), "(varies)"))
}
