package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestResolve has a real server try programs.
func TestResolve(t *testing.T) {
	l := newLive(t)
	hooks := filepath.Join(l.dir, "hooks")
	if err := errors.Join(os.Mkdir(hooks, 0o700), os.WriteFile(filepath.Join(hooks, "fail"), []byte("#!/bin/sh\necho no such card >&2\nexit 3\n"), 0o700),
		os.WriteFile(filepath.Join(hooks, "undo"), []byte("#!/bin/sh\n"), 0o700)); err != nil {
		t.Fatal(err)
	}
	const config = `<resolution xmlns="urn:incidentd:yang:resolution"><procedure><name>reset</name><match><cause-name>Interface down</cause-name></match>
		<hook><program>fail</program><argument>reset the card of {resource}</argument><argument>{node}</argument><roll-back><program>undo</program></roll-back></hook></procedure></resolution>`
	l.want(0, "", l.run(config, "edit", "-", "--target", "running"))
	l.want(0, "", l.run(`{"id":"e1","time":"2026-01-05T08:00:00Z","node":"P1","resource":"eth1","alarm-type-id":"link-down","severity":"critical","text":"Interface eth1 is down"}
{"id":"e2","time":"2026-01-05T08:00:01Z","node":"P2","resource":"eth0","alarm-type-id":"igp-peer-abnormal","severity":"major","text":"IGP peer P1 is abnormal"}
{"id":"e3","time":"2026-01-05T08:00:02Z","node":"PE2","resource":"fan/1","alarm-type-id":"FAN_FAILURE","severity":"major","text":"Fan 1 stands still"}
{"id":"e4","time":"2026-01-05T08:02:02Z","node":"PE1","resource":"fan/1","alarm-type-id":"FAN_FAILURE","severity":"minor","text":"Fan 1 stands still"}`, "report", "-"))
	var out strings.Builder
	show := func(args ...string) { l.show(&out, "", args...) }
	show("resolve", "1", "--dry-run")
	show("--json", "resolve", "1", "--dry-run")
	show("resolve", "2", "--dry-run")
	show("resolve", "9", "--dry-run")
	show("resolve", "1", "2")
	show("resolve", "1", "--wait")
	show("--json", "resolve", "1", "--wait")
	show("resolve", "1", "--wait", "--dry-run")
	stamp := regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]*Z`)
	golden(t, "resolve", stamp.ReplaceAllString(out.String(), "TIME"))
}
