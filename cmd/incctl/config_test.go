package main

import (
	"fmt"
	"strings"
	"testing"
)

// play runs commands one after the other and returns the dialogue. A command that begins
// with an input in XML or JSON reads it.
func (l *live) play(commands ...[]string) string {
	var b strings.Builder
	for _, args := range commands {
		in := ""
		if strings.HasPrefix(args[0], "<") || strings.HasPrefix(args[0], "{") {
			in, args = args[0], args[1:]
		}
		p := l.run(in, args...)
		fmt.Fprintf(&b, "$ incctl %s\n", strings.Join(args, " "))
		if in != "" {
			fmt.Fprintf(&b, "%s\n--\n", strings.TrimSpace(in))
		}
		b.WriteString(p.stdout.String())
		for line := range strings.Lines(p.stderr.String()) {
			b.WriteString("! " + line)
		}
		if p.status != 0 {
			fmt.Fprintf(&b, "= %d\n", p.status)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func words(line string) []string {
	w, _, err := splitWords(line)
	if err != nil {
		panic(err)
	}
	return w
}

func TestGet(t *testing.T) {
	l := newLive(t)
	golden(t, "get", l.play(
		words("get-config /networks -f tree"),
		words("get-config /networks/network=ip/node -f table"),
		words("get-config /networks/network=ip/link=PE1-P1 --json"),
		words("get-config /ietf-system:system/hostname"),
		words("get /networks/network=ip/node=P1/termination-point -f json"),
		words("get /networks/netwrok"),
		words("get /networks/network=a,b"),
		words(`get "/networks/network[id='ip']"`),
		words(`get /networks/network=ip/node=nobody -f tree`),
		words(`get-config "//ietf-network:node[ietf-network:node-id='P1']" -f tree`),
		words(`get-config "//nw:node[nw:node-id='P1']" /system -f tree`),
		words(`get-config "//ietf-network:node[" -f tree`),
		words("get-config /networks --depth 3 -f tree"),
		words("get-config /networks --depth 65536"),
		words("get /networks/network=VPN-A/supporting-network --origin -f tree"),
		words("get /nacm --defaults report-all-tagged -f tree"),
		words("get-config /networks/network=ip/node --sort-by node-id --backwards --limit 2 -f table"),
		words("get-config /networks/network=ip/node --sort-by node-id --backwards --limit 2 --json"),
		words("get-config /networks/network=ip/node --limit 1 --offset 1 -f tree"),
		words(`get-config /networks/network=ip/node --where "starts-with(node-id, 'PE')" -f tree`),
		words("get-config /networks/network=ip/node --offset 99 -f tree"),
		words("get /networks/network=ip/node=P1 /networks/network=ip/node=P2 -f xml"),
	))
}

func TestEdit(t *testing.T) {
	l := newLive(t)
	golden(t, "edit", l.play(
		words("set /system/hostname nms1"),
		words("diff"),
		words("set /system/authentication/user=noc"),
		words("set /networks/network=ip/node=P1/supporting-node=VPN-A,PE1"),
		words("diff -p /system"),
		words("validate"),
		words("commit"),
		words("diff"),
		words("delete /system/authentication/user=noc"),
		words("delete /system/authentication/user=noc"),
		words("discard"),
		words("set /system/hostname -- -"),
		words("set /system/clock/timezone-utc-offset 99"),
		words("set /system"),
		words("set /system/authentication/user"),
		words("set /system/authentication/user/password x"),
		words("set /incidents/incident=inc-1"),
		words("set /system/hostname"),
		words("delete /"),
		append([]string{`{"ietf-system:system": {"location": "Oslo",
  "contact": "noc@example.net"}}`}, words("edit - --target running -m moved")...),
		append([]string{"<config>\n  <system xmlns=\"urn:ietf:params:xml:ns:yang:ietf-system\">\n    <hostname>a</hostname>\n    <hostnam>b</hostnam>\n    <location/><authentication><user><name>x</name><password>plain</password></user></authentication>\n  </system>\n</config>"}, words("edit -")...),
		append([]string{"<config>\n  <system>\n</config>"}, words("edit -")...),
		append([]string{"{\"ietf-system:system\": {\n  \"hostname\": 7,\n  \"authentication\": {\"user\": [{\"name\": \"a\"},\n    {\"name\": \"b\", \"password\": true}]}}}"}, words("edit -")...),
		append([]string{"{\"ietf-system:system\": {\n  \"hostname\": "}, words("edit -")...),
		append([]string{"<system xmlns=\"urn:ietf:params:xml:ns:yang:ietf-system\"><hostname>c</hostname></system>"}, words("edit --test-only -")...),
		append([]string{"<networks xmlns=\"urn:ietf:params:xml:ns:yang:ietf-network\"><network>\n<network-id>ip</network-id>\n<supporting-network><network-ref>gone</network-ref></supporting-network></network>\n<network><network-id>other</network-id>\n<supporting-network><network-ref>lost</network-ref></supporting-network></network></networks>"}, words("edit --target running -")...),
		words("get-config /system/hostname -f tree"),
	))
}

// What get-config writes, edit reads.
func TestRoundTrip(t *testing.T) {
	l := newLive(t)
	before := l.run("", "get-config")
	l.want(0, "", before)
	l.want(0, "", l.run(before.stdout.String(), "edit", "--operation", "replace", "-"))
	if p := l.run("", "diff"); p.stdout.String() != "candidate is as running.\n" {
		t.Errorf("after editing with what was there:\n%s", p.stdout.String())
	}
	json := l.run("", "get-config", "--json")
	l.want(0, "", json)
	l.want(0, "", l.run(json.stdout.String(), "edit", "--operation", "replace", "-"))
	if p := l.run("", "diff"); p.stdout.String() != "candidate is as running.\n" {
		t.Errorf("after editing with its JSON:\n%s", p.stdout.String())
	}
}
