package main

import (
	"regexp"
	"testing"
)

// Tests are made whose time is far away, listed, shown, run and stopped; what they are to
// do then is asked before.
func TestOAM(t *testing.T) {
	l := newLive(t)
	l.want(0, "", l.run("", "oam", "list"))
	const config = `<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test" xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">
		<oam-unitary-test><name>echo</name><icmp-echo xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.1</target></icmp-echo>
			<period-start>2100-03-27T02:30:00+01:00</period-start><time-zone-identifier>Europe/Madrid</time-zone-identifier><duration>PT01:00:00</duration><frequency>s:daily</frequency>
			<execution xmlns="urn:incidentd:yang:oam-tests"><exclusive-resource>link 7</exclusive-resource></execution></oam-unitary-test>
		<oam-unitary-test><name>halted</name><icmp-echo xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.2</target></icmp-echo>
			<period-start>2100-01-01T00:00:00Z</period-start><frequency>s:hourly</frequency><unitary-test-status>stop</unitary-test-status></oam-unitary-test>
		<oam-unitary-test><name>past</name><icmp-echo xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.2</target></icmp-echo>
			<period-start>2000-01-01T00:00:00Z</period-start><period-end>2000-01-02T00:00:00Z</period-end><frequency>s:hourly</frequency></oam-unitary-test>
		</oam-unitary-tests>`
	const sequence = `<oam-test-sequence xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-test-sequence" xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">
		<test-sequence><name>echo</name><test-ref><name>reach</name><unitary-test xmlns="urn:incidentd:yang:oam-tests">echo</unitary-test></test-ref>
			<period-start>2100-03-28T00:30:00Z</period-start><frequency>s:weekly</frequency>
			<execution xmlns="urn:incidentd:yang:oam-tests"><exclusive-resource>link 7</exclusive-resource></execution></test-sequence></oam-test-sequence>`
	l.want(0, "", l.run(config, "edit", "-", "--target", "running"))
	l.want(0, "", l.run(sequence, "edit", "-"))
	got := l.play(
		words("oam preview echo --sequence --candidate --from 2100-01-01T00:00:00Z -n 2"),
		words("oam preview echo --sequence"),
		words("commit"),
		words("oam list"),
		words("oam show halted"),
		words("oam show echo --sequence"),
		words("oam show echo"),
		words("oam show nobody"),
		words("oam run halted"),
		words("oam stop halted"),
		words("oam preview halted --from 2100-01-01T00:00:00Z -n 1 --json"),
		words("oam preview --start 2026-03-28T02:30:00+01:00 --zone Europe/Madrid --every daily --duration PT01:00:00 --from 2026-03-01T00:00:00Z -n 3"),
		words("oam preview --start 2026-03-28T02:30:00+01:00 --every daily --duration PT1H"),
		words("oam preview"),
	)
	got = regexp.MustCompile(`Since .*`).ReplaceAllString(got, "Since $$TIME")
	got = regexp.MustCompile(`\((in )?\d+d\d+h( ago)?\)`).ReplaceAllString(got, "($$AWAY)")
	golden(t, "oam", got)
}
