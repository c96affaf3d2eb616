package main

import (
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A source is made, a message is sent to it, and what became of both is asked.
func TestSources(t *testing.T) {
	l := newLive(t)
	l.want(0, "", l.run("", "sources"))
	for _, command := range []string{
		"set /sources/source=routers/syslog/port 0", "set /sources/source=routers/syslog/address 127.0.0.1",
		"set /sources/source=taken/syslog/port 1", "set /sources/source=taken/enabled false",
		"set /sources/source=tools/json-lines/port 0", "set /sources/source=tools/json-lines/address 127.0.0.1",
		"set /sources/source=tools/json-lines/token=ci/hash $0$0123456789abcdef", "set /mapping/alias=10.0.0.9/node PE9", "commit",
	} {
		if p := l.run("", words(command)...); p.status != 0 {
			t.Fatalf("incctl %s: %s", command, p.stderr.String())
		}
	}
	if p := l.run("", "get-config", "/sources"); !strings.Contains(p.stdout.String(), "sha256:9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f") {
		t.Errorf("the token is not stored as its hash:\n%s", p.stdout.String())
	}
	address := regexp.MustCompile(`udp (127\.0\.0\.1:\d+)`)
	until := func(command, pattern string) string {
		t.Helper()
		re := regexp.MustCompile(pattern)
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			p := l.run("", words(command)...)
			if m := re.FindString(p.stdout.String()); m != "" {
				return m
			}
			if time.Now().After(end) {
				t.Fatalf("incctl %s has no %s:\n%s%s", command, pattern, p.stdout.String(), p.stderr.String())
			}
		}
	}
	where := strings.TrimPrefix(until("sources", address.String()), "udp ")
	c, err := net.Dial("udp", where)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("<29>Nov 22 07:00:00 P1 bgpd[1]: %ADJCHANGE: neighbor 10.0.0.2(PE2) in vrf default Down")); err != nil {
		t.Fatal(err)
	}
	until("sources routers", ` 1 events `)
	until("sources", `http (127\.0\.0\.1:\d+)`)
	got := l.play(
		words("sources"),
		words("sources routers"),
		words("sources nobody"),
		[]string{"mapping", "test", "<29>Nov 22 07:00:00 P1 bgpd[1]: %ADJCHANGE: neighbor 10.0.0.2(PE2) in vrf default Down"},
		[]string{"mapping", "test", "<29>Nov 22 07:00:00 P1 bgpd[1]: Something else", "--json"},
		words("mapping test --kind alertmanager --set message-id=NodeBondingDegraded --set master=bond0 --set host=PE1"),
		words("mapping test --kind alertmanager --set message-id=Watchdog"),
		words("mapping test"),
	)
	got = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(got, "127.0.0.1:$$PORT")
	got = regexp.MustCompile(`20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z| \w+ \([^)]*\)|Z)?|\d\d:\d\d:\d\d`).ReplaceAllString(got, "$$TIME")
	golden(t, "sources", regexp.MustCompile(`(SINCE|\$TIME) +(LAST EVENT|\$TIME) +`).ReplaceAllString(got, "$1  $2  "))
}
