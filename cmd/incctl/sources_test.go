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
	l.want(0, "", l.run(`<sources xmlns="urn:incidentd:yang:sources">
		<source><name>routers</name><syslog><address>127.0.0.1</address><port>0</port></syslog></source>
		<source><name>taken</name><enabled>false</enabled><syslog><address>127.0.0.1</address><port>1</port></syslog></source>
		</sources>`, "edit", "-", "--target", "running"))
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
	got = strings.ReplaceAll(got, where, "127.0.0.1:$PORT")
	got = regexp.MustCompile(`20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z| \w+ \([^)]*\)|Z)?|\d\d:\d\d:\d\d`).ReplaceAllString(got, "$$TIME")
	golden(t, "sources", regexp.MustCompile(`(SINCE|\$TIME) +(LAST EVENT|\$TIME) +`).ReplaceAllString(got, "$1  $2  "))
}
