package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"incidentd/netconf/sshsig"
	"incidentd/oam/plot"
)

// reported is a test with a day of runs, the last of which lost packets.
func reported() *oamTest {
	t := &oamTest{Name: "vpn42-delay", Type: "stamp", Target: "10.0.2.1"}
	ns := func(v float64) string { return fmt.Sprint(int64(v * 1e6)) }
	for i := range 24 {
		d := 10 + 2*math.Sin(float64(i)/4)
		r := oamResult{RunID: fmt.Sprintf("r%02d", i), Start: time.Date(2026, 3, 1, i, 0, 0, 0, time.UTC).Format(time.RFC3339), End: "2026-03-02T00:00:00Z", Outcome: "finished", Verdict: "pass",
			Sent: "60", Got: "60", Loss: "0.0", Least: ns(d - 1), Delay: ns(d), Most: ns(d + 3), P95: ns(d + 2), Jitter: ns(0.4)}
		if i == 23 {
			r.Verdict, r.Loss, r.Crossed = "fail", "6.66667", []string{"max-loss-ratio: 6.6667 > 1"}
			for k := range 60 {
				s := oamSample{Offset: ns(float64(k) * 100), Sent: "1", Got: "1", Lost: "0", Least: ns(d), Delay: ns(d + math.Sin(float64(k)/5)), Most: ns(d + 2)}
				if k >= 40 && k < 44 {
					s = oamSample{Offset: s.Offset, Sent: "1", Got: "0", Lost: "1"}
				}
				r.Samples = append(r.Samples, s)
			}
		}
		t.Results = append(t.Results, r)
	}
	return t
}

func TestOAMReport(t *testing.T) {
	test := reported()
	var all strings.Builder
	for _, s := range []struct {
		screen screen
		ink    plot.Ink
	}{{screen{}, plot.Braille}, {screen{width: 50}, plot.Braille}, {screen{}, plot.ASCII}} {
		run, err := test.run("")
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(s.screen.oamReport(test, run, 8, s.ink) + "\n")
	}
	run, err := test.run("r03")
	if err != nil {
		t.Fatal(err)
	}
	sequence := &oamTest{Name: "birth", Type: "2 tests", Results: []oamResult{{RunID: "s1", Outcome: "finished", Verdict: "fail", Detail: "not good: b", Members: []oamResult{*run, test.Results[23]}}}}
	sequence.Results[0].Members[0].Name, sequence.Results[0].Members[1].Name = "a", "b"
	all.WriteString(screen{}.oamReport(sequence, &sequence.Results[0], 5, plot.Braille))
	golden(t, "oam-report", all.String())
	if _, err := test.run("r99"); err == nil {
		t.Error("a run that is not there is found")
	}
	for _, tt := range []struct {
		all, lang string
		want      plot.Ink
	}{{"", "en_GB.UTF-8", plot.Braille}, {"C", "en_GB.UTF-8", plot.ASCII}, {"", "", plot.ASCII}, {"C.utf8", "", plot.Braille}} {
		t.Setenv("LC_ALL", tt.all)
		t.Setenv("LC_CTYPE", "")
		t.Setenv("LANG", tt.lang)
		if got := (&oamReportCommand{}).ink(); got != tt.want {
			t.Errorf("LC_ALL=%s LANG=%s: ink %v, want %v", tt.all, tt.lang, got, tt.want)
		}
	}
}

// freePort is a UDP port of the loopback interface that nobody has.
func freePort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, port, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A sequence is run for its certificate, over a reflector of the server itself; what is written
// verifies, and what is not as it was does not.
func TestOAMCertify(t *testing.T) {
	l := newLive(t)
	port := freePort(t)
	l.want(0, "", l.run(`<oam-service xmlns="urn:incidentd:yang:oam-tests"><reflector><name>self</name><reflector-udp-port>`+port+
		`</reflector-udp-port><allowed-prefix>127.0.0.0/8</allowed-prefix></reflector></oam-service>`, "edit", "-", "--target", "running"))
	l.awaitReflector(t, port)
	l.want(0, "", l.run(`<oam-test-sequence xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-test-sequence" xmlns:t="urn:incidentd:yang:oam-tests"><test-sequence><name>birth</name>
		<test-ref><name>quality</name><t:stamp><t:target>127.0.0.1</t:target><t:interval>5000</t:interval><t:session-reflector-udp-port>`+port+`</t:session-reflector-udp-port><t:thresholds><t:max-average-delay>1000000000</t:max-average-delay></t:thresholds></t:stamp></test-ref>
		<period-start>2100-01-01T00:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:daily</frequency><t:birth-certificate>true</t:birth-certificate></test-sequence></oam-test-sequence>`, "edit", "-", "--target", "running"))
	l.want(1, "has no certificate", l.run("", "oam", "certify", "birth"))
	l.want(0, "", l.run("", "oam", "report", "birth"))
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	p := l.run("", "oam", "certify", "birth", "--now", "--html", file("c.html"), "--document", file("c.json"), "--sig", file("c.sig"), "--signers", file("signers"))
	l.want(0, "", p)
	if out := p.stdout.String(); !strings.Contains(out, "birth  success") || !strings.Contains(out, "Signed with the key SHA256:") {
		t.Errorf("it tells %s", out)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(file(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	document := read("c.json")
	key, err := sshsig.Verify(read("c.sig"), nsCertificate, document)
	if err != nil || !bytes.Equal(key.Marshal(), l.s.HostKey().Marshal()) {
		t.Errorf("Verify = %v, %v", key, err)
	}
	if !strings.HasSuffix(strings.TrimSpace(string(read("signers"))), sshsig.AuthorizedKey(key)) {
		t.Errorf("signers: %s", read("signers"))
	}
	if page := read("c.html"); !bytes.Contains(page, []byte("<svg")) || !bytes.Contains(page, []byte(">passed<")) {
		t.Errorf("the page has no plot or no verdict: %s", page)
	}
	if p := l.run("", "oam", "certify", "birth", "--document", "-"); p.stdout.String() != string(document) {
		t.Errorf("standard output has %s", p.stdout.String())
	}
	var told oamCertificate
	if p := l.run("", "--json", "oam", "certify", "birth"); json.Unmarshal([]byte(p.stdout.String()), &told) != nil || told.Sequence != "birth" || told.Status != "success" {
		t.Errorf("as JSON: %s", p.stdout.String())
	}
	p = l.run("", "oam", "report", "birth", "--ascii")
	if out := p.stdout.String(); !strings.Contains(out, "quality  pass") || !strings.Contains(out, "10 sent, 0.0% lost") || !strings.Contains(out, "*") {
		t.Errorf("the report: %s", out)
	}
	l.want(1, "no run r1", l.run("", "oam", "report", "birth", "--run", "r1"))
	l.want(1, "there is no test or sequence", l.run("", "oam", "certify", "nobody", "--now"))
}

// A run that is under way is waited for.
func TestOAMRunUnderWay(t *testing.T) {
	l := newLive(t)
	port := freePort(t)
	l.want(0, "", l.run(`<config><oam-service xmlns="urn:incidentd:yang:oam-tests"><reflector><name>self</name><reflector-udp-port>`+port+
		`</reflector-udp-port><allowed-prefix>127.0.0.0/8</allowed-prefix></reflector></oam-service>
		<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>slow</name>
		<stamp xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.1</target><number-of-packets>100</number-of-packets><interval>20000</interval><session-reflector-udp-port>`+port+`</session-reflector-udp-port></stamp>
		<period-start>2100-01-01T00:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:daily</frequency></oam-unitary-test></oam-unitary-tests></config>`, "edit", "-", "--target", "running"))
	l.awaitReflector(t, port)
	l.want(0, "", l.run("", "oam", "run", "slow"))
	l.want(1, "incctl oam run --wait waits for it", l.run("", "oam", "run", "slow"))
	p := l.run("", "oam", "run", "slow", "--wait")
	l.want(0, "", p)
	if out := p.stdout.String(); strings.Count(out, "finished") != 1 {
		t.Errorf("it tells %s", out)
	}
}

// awaitReflector waits until the server listens at a port for STAMP.
func (l *live) awaitReflector(t *testing.T, port string) {
	t.Helper()
	for range 200 {
		if strings.Contains(l.run("", "get", "/oam-service/reflector").stdout.String(), ":"+port+"<") {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("the reflector does not begin")
}

// Each preset is a configuration that the server takes.
func TestOAMPresets(t *testing.T) {
	l := newLive(t)
	given := map[string][]string{
		"l3vpn": {"target=192.0.2.1", "service=vpn42"}, "voice": {"target=192.0.2.1"}, "internet": {"gateway=192.0.2.1", "target=192.0.2.2", "resolver=192.0.2.3"},
		"e-line": {"interface=eth0", "mac=02:00:00:00:00:01", "vlan=7"},
	}
	for _, p := range loadPresets() {
		args := append([]string{"oam", "preset", p.Kind, "start=2100-01-01T00:00:00Z"}, given[p.Kind]...)
		made := l.run("", args...)
		l.want(0, "", made)
		if strings.Contains(made.stdout.String(), "${") || p.Help == "" || len(p.Values) < 5 {
			t.Errorf("%s: %s", p.Kind, made.stdout.String())
		}
		l.want(0, "", l.run(made.stdout.String(), "edit", "-", "--target", "running"))
		l.want(0, "", l.run("", "oam", "preset", p.Kind, "--help-values"))
	}
	l.want(1, "target has to be given", l.run("", "oam", "preset", "l3vpn"))
	l.want(1, "l3vpn has no value colour", l.run("", "oam", "preset", "l3vpn", "target=x", "colour=red"))
	l.want(1, "there is no preset nothing", l.run("", "oam", "preset", "nothing"))
}
