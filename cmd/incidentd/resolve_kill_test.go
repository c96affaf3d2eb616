package main

import (
	"bytes"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/client"
	"incidentd/netconf/transport"
)

// until reads a subtree until the reply has, or has not, a text.
func until(t *testing.T, c *client.Client, filter, text string, has bool) string {
	t.Helper()
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r, err := c.Get(t.Context(), client.Subtree(filter))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(r.Raw, []byte(text)) == has {
			return string(r.Raw)
		}
		if time.Now().After(end) {
			t.Fatalf("%q is there: %v, want %v, in\n%s", text, !has, has, r.Raw)
		}
	}
}

// TestKillInResolution kills the server while a device waits for the confirmation of what it
// has configured there. When the server is back it has the device go back, and the run tells so.
func TestKillInResolution(t *testing.T) {
	far := initialised(t)
	device := serveAt(t, far)
	key, err := transport.LoadHostKey(filepath.Join(far, "host_key"))
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(device.addr)
	if err != nil {
		t.Fatal(err)
	}
	dir := initialised(t)
	p := serveAt(t, dir)
	c := p.session()
	config := fmt.Sprintf(`<resolution xmlns="urn:incidentd:yang:resolution">
		<device><name>P1</name><address>127.0.0.1</address><port>%s</port><user>admin</user><password>%s</password><host-key-fingerprint>%s</host-key-fingerprint></device>
		<procedure><name>reset</name><configuration><edit>&lt;system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"&gt;&lt;contact&gt;{resource} of {node}&lt;/contact&gt;&lt;/system&gt;</edit></configuration></procedure></resolution>`,
		port, password, ssh.FingerprintSHA256(key.PublicKey()))
	if err := c.EditConfig(t.Context(), "running", []byte(config), ""); err != nil {
		t.Fatal(err)
	}
	const report = `<report-events xmlns="urn:incidentd:yang:events"><event><id>e1</id><node>P1</node><resource>eth1</resource><alarm-type-id>link-down</alarm-type-id><severity>critical</severity><text>it is down</text></event></report-events>`
	if _, err := c.Call(t.Context(), []byte(report)); err != nil {
		t.Fatal(err)
	}
	const (
		incidents = `<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident><incident-id/></incident></incidents>`
		runs      = `<resolution xmlns="urn:incidentd:yang:resolution"><run/></resolution>`
		contact   = `<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><contact/></system>`
		changed   = "<contact>eth1 of P1</contact>"
	)
	until(t, c, incidents, "inc-1", true)
	if _, err := c.Call(t.Context(), []byte(`<incident-resolve xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident-id>inc-1</incident-id></incident-resolve>`)); err != nil {
		t.Fatal(err)
	}
	d := device.session()
	until(t, d, contact, changed, true)
	p.kill()
	until(t, d, contact, changed, true)
	p = serveAt(t, dir)
	got := until(t, p.session(), runs, "<outcome>interrupted</outcome>", true)
	until(t, d, contact, changed, false)
	if want := "the device P1 has cancelled the commit"; !bytes.Contains([]byte(got), []byte(want)) {
		t.Errorf("the run does not say %q:\n%s", want, got)
	}
}
