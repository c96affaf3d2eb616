package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLearn: a link that goes down at one node takes a session at the node beside it, which the
// topology has to tell.
func TestLearn(t *testing.T) {
	var b strings.Builder
	at := time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
	line := func(node, typ, severity string, after time.Duration) {
		s := at.Add(after).Format(time.RFC3339)
		fmt.Fprintf(&b, `{"id":"%s-%s-%s-%d","arrival":"%s","time":"%s","kind":"alarm","node":"%s","resource":"x","alarm-type-id":"%s","severity":"%s"}`+"\n",
			node, typ, severity, after, s, s, node, typ, severity)
	}
	for k := range 40 {
		after := time.Duration(k) * time.Hour
		line("A", "link-down", "major", after)
		line("B", "session-down", "major", after+4*time.Second)
		line("A", "link-down", "cleared", after+time.Minute)
		line("A", "fan", "warning", after+17*time.Minute)
	}
	events := write(t, "e.jsonl", b.String())
	networks := write(t, "t.xml", `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology"><network><network-id>ip</network-id>
		<node><node-id>A</node-id></node><node><node-id>B</node-id></node>
		<nt:link><nt:link-id>A-B</nt:link-id><nt:source><nt:source-node>A</nt:source-node></nt:source><nt:destination><nt:dest-node>B</nt:dest-node></nt:destination></nt:link></network></networks>`)
	out, stderr := must(t, "", "learn", "--events", events, "--topology", networks)
	const want = `{"cause":"link-down","effect":"session-down","share":1,"times":40,"beside":1,"lags":[4,4,4]}` + "\n"
	if out != want || !strings.Contains(stderr, "120 alarms of 3 types at 2 nodes, 1 pairs") {
		t.Errorf("%s%s, want %s", out, stderr, want)
	}
	if out, _ := must(t, "", "learn", "--events", events); out != "" {
		t.Errorf("without the topology: %s", out)
	}
	for _, args := range [][]string{{"learn"}, {"learn", "--events", events, "--window", "0s"}} {
		if status, _, _ := call(t, "", args...); status != 2 {
			t.Errorf("%v: status %d", args, status)
		}
	}
}
