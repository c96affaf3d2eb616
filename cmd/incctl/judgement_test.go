package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestJudgement asks a real server why incidents are what they are, and decides otherwise.
// The events are of the past, so that stream time goes with them and nothing waits.
func TestJudgement(t *testing.T) {
	l := newLive(t)
	report := func(lines ...string) {
		t.Helper()
		l.want(0, "", l.run(strings.Join(lines, "\n"), "report", "-"))
	}
	at := func(id, clock, node, resource, kind, severity, text string) string {
		return fmt.Sprintf(`{"id":%q,"time":"2026-01-05T%sZ","node":%q,"resource":%q,"alarm-type-id":%q,"severity":%q,"text":%q}`, id, clock, node, resource, kind, severity, text)
	}
	report(at("e1", "08:00:00", "P1", "eth1", "link-down", "critical", "Interface eth1 is down"),
		at("e2", "08:00:02", "P2", "eth0", "igp-peer-abnormal", "major", "IGP peer P1 is abnormal"),
		at("e3", "08:00:03", "P2", "eth0", "link-down", "major", "Interface eth0 is down"),
		at("c1", "08:00:04", "PE2", "cpu/0", "CPU_OVERLOAD", "major", "CPU is at 97 %"),
		at("x1", "08:01:30", "PE1", "fan/1", "FAN_FAILURE", "minor", "Fan 1 stands still"),
		at("x2", "08:02:30", "PE1", "fan/1", "FAN_FAILURE", "cleared", "Fan 1 turns"))
	var out strings.Builder
	show := func(in string, args ...string) { l.show(&out, in, args...) }
	show("", "explain", "1")
	show("", "--json", "explain", "inc-1")
	show("", "explain", "9")
	show("", "why-not", "c1", "1")
	show("", "--json", "why-not", "c1", "1")
	show("", "why-not", "nothing", "1")
	show("", "why-not", "c1", "9")
	show("", "comment", "2", "Anna", "looks at PE2")
	show("", "merge", "1", "2", "-m", "one change")
	show("", "merge", "1", "2")
	show("", "split", "1", "c1")
	show("", "move", "1", "c1")
	show("", "move", "1", "nothing")
	show("", "resolve", "1")
	show("", "list", "--all")
	show("", "list", "--all", "--status", "cleared", "--limit", "1")
	show("", "list", "--node", "PE2", "--since", "2026-01-05T08:00:00Z", "--until", "2026-01-05T09:00:00Z")
	show("", "list", "--since", "soon")
	show("", "preview", "P1", "eth1")
	show("", "preview", "--network", "ip", "--link", "nowhere")
	show("", "preview", "P1", "eth9")
	show("", "preview")
	show("", "proposals")
	show("", "--json", "proposals", "list")
	show("", "proposals", "approve", "shared-risk-1")
	show("", "dry-run", "--hours", "8760")
	show(`<correlation xmlns="urn:incidentd:yang:correlation"><rule><class>cpu-high</class><relation>own-node</relation><cause>overload</cause><weight>0</weight></rule></correlation>`,
		"dry-run", "-", "--hours", "8760")
	show(`<correlation xmlns="urn:incidentd:yang:correlation"><timing><debounce>9000</debounce></timing></correlation>`, "dry-run", "-")
	show("<nothing/>", "dry-run", "-")
	// Stream time goes on with the server's clock when the recording is over.
	after := regexp.MustCompile(`:02:3[0-9](\.[0-9]+)?`)
	golden(t, "judgement", after.ReplaceAllString(out.String(), ":02:3x"))
}
