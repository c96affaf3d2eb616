package main

import (
	"strings"
	"testing"
	"time"
)

// Work is planned, ended early and forgotten.
func TestMaintenance(t *testing.T) {
	l := newLive(t)
	run := func(line string, status int, wants ...string) {
		t.Helper()
		p := l.run("", words(line)...)
		if p.status != status {
			t.Fatalf("incctl %s = %d: %s%s", line, p.status, p.stdout.String(), p.stderr.String())
		}
		for _, w := range wants {
			if !strings.Contains(p.stdout.String()+p.stderr.String(), w) {
				t.Errorf("incctl %s has no %q:\n%s%s", line, w, p.stdout.String(), p.stderr.String())
			}
		}
	}
	run("maintenance", 0, "No work is planned")
	run("maintenance add card --for 1h", 1, "either a node or --link")
	run("maintenance add card P1 --for 1h --count 3", 1, "--every")
	run("maintenance add card P1 --for 1ms", 1, "too short")
	run("maintenance add card P1 --for 1h --start soon", 1, `"soon" is neither a time`)
	run("maintenance add card NOBODY --for 1h", 1, `"NOBODY" refers to nothing`)
	run("set /networks/network=ip/node=P1", 0)
	run("commit", 0)
	run("maintenance add card P1 --for 1h --reference CHG-17", 0, "Planned card: P1", "Nodes down")
	run("maintenance add card P1 --for 1h", 1, "card")
	run("maintenance add night P1 eth1 --start 2030-01-01T01:00:00Z --for 26h --every weekly --count 3 --time-zone Europe/Berlin", 0, "Planned night: P1 eth1")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if p := l.run("", "maintenance"); strings.Contains(p.stdout.String(), "active") || time.Now().After(end) {
			break
		}
	}
	run("maintenance", 0, "active", "planned", "CHG-17")
	run("maintenance show night", 0, "2030-01-01", "2030-01-08", "2030-01-15", "With P1 eth1")
	run("maintenance end card", 0, "Ended card. Nothing is left.")
	run("maintenance end card", 1, "not taking place")
	run("maintenance show card --json", 0, `"ended-by":"admin"`)
	run("maintenance remove night", 0, "Removed night")
	run("maintenance remove night", 1, "there is no window night")
}
