package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestAlarms follows alarms through the hands of an operator: listed, acknowledged, closed,
// shelved and taken back, compressed and purged.
func TestAlarms(t *testing.T) {
	l := newLive(t)
	event := func(id, node, resource, typ, severity, text string) string {
		return `{"id":"` + id + `","node":"` + node + `","resource":"` + resource + `","alarm-type-id":"` + typ + `","severity":"` + severity + `","text":"` + text + `"}` + "\n"
	}
	report := func(lines ...string) { l.want(0, "", l.run(strings.Join(lines, ""), "report", "-")) }
	report(event("1", "P1", "eth1", "link-down", "major", "Interface eth1 is down"), event("2", "P1", "eth1", "bgp-peer-down", "minor", "Peer 10.0.0.2 is down"),
		event("3", "P2", "", "FAN", "warning", "Fan 3 is slow"), event("4", "PE1", "", "cpu-high", "critical", "CPU at 99 %"))
	report(event("5", "P1", "eth1", "link-down", "critical", "Interface eth1 is down"), event("6", "PE1", "", "cpu-high", "cleared", "CPU at 30 %"))
	got := l.play(
		words("alarms list"),
		words("alarms list --status any --severity critical --severity warning"),
		words("alarms list --resource P1 --type link-down --json"),
		words("alarms ack P1/eth1 -m 'on my way'"),
		words("alarms close P1/eth1 bgp-peer-down"),
		words("alarms reopen P9"),
		words("alarms list --state ack --state closed"),
		words("alarms show P1/eth1 link-down"),
		words("alarms summary"),
		words("alarms inventory FAN"),
		words("alarms inventory nothing"),
		words("alarms shelf"),
		words("alarms shelve cutover --resource P1(/.*)? -m 'P1 gets a new line card'"),
		words("alarms shelve fans --type reported=FAN.*"),
		words("alarms shelve nothing"),
		words("alarms shelve bad --resource P1("),
		words("alarms shelf"),
		words("alarms list --shelved"),
		words("alarms show P2"),
		words("alarms ack P2"),
		words("alarms summary"),
		words("alarms compress --shelved --resource P1/eth1"),
		words("alarms unshelve cutover"),
		words("alarms unshelve cutover"),
		words("alarms list"),
		words("alarms compress --type link-down"),
		words("alarms purge"),
		words("alarms purge --shelved --status any --json"),
		words("alarms purge --older-than 1h500ms"),
		words("alarms purge --is major --below critical"),
		words("alarms purge --status any --older-than 24h --state closed --by admin --below major"),
		words("alarms list --json"),
	)
	got = regexp.MustCompile(`20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \w+ \([^)]*\))?|\d\d:\d\d:\d\d`).ReplaceAllString(got, "$$TIME")
	golden(t, "alarms", regexp.MustCompile(`(CHANGED|\$TIME) {2,}`).ReplaceAllString(got, "$1  "))
}
