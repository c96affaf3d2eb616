package server

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

// eventually asks for a subtree until the reply has all that is wanted.
func eventually(t *testing.T, c *client.Client, filter string, want ...string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		r, err := c.Get(t.Context(), client.Subtree(filter))
		if err != nil {
			t.Fatal(err)
		}
		missing := ""
		for _, w := range want {
			if !bytes.Contains(r.Raw, []byte(w)) {
				missing = w
			}
		}
		if missing == "" {
			return string(r.Raw)
		}
		if time.Now().After(end) {
			t.Fatalf("no %s in %s", missing, r.Raw)
		}
	}
}

// freePort takes a UDP port of 127.0.0.1.
func freePort(t *testing.T) (net.PacketConn, int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("STAMP needs Linux")
	}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Skip("no sockets here:", err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, conn.LocalAddr().(*net.UDPAddr).Port
}

const (
	serviceState = `<oam-service xmlns="urn:incidentd:yang:oam-tests"><reflector/></oam-service>`
	testState    = `<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test/></oam-unitary-tests>`
)

func reflectorConfig(port int, content string) string {
	return fmt.Sprintf(`<oam-service xmlns="urn:incidentd:yang:oam-tests" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">
		<vantage-point><name>lo</name><source-address>127.0.0.1</source-address></vantage-point>
		<reflector nc:operation="replace"><name>r</name><vantage-point>lo</vantage-point><reflector-udp-port>%d</reflector-udp-port>%s</reflector></oam-service>`, port, content)
}

func stampTest(port int, content string) string {
	return fmt.Sprintf(`<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>s</name>
		<stamp xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.1</target><number-of-packets>10</number-of-packets><interval>2000</interval><session-timeout>300</session-timeout>
		<session-reflector-udp-port>%d</session-reflector-udp-port>%s<thresholds><max-loss-ratio>0</max-loss-ratio></thresholds></stamp>
		<period-start>2000-01-01T01:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:yearly</frequency></oam-unitary-test></oam-unitary-tests>`, port, content)
}

// startTest runs the test s now.
func startTest(t *testing.T, c *client.Client) {
	t.Helper()
	if _, err := c.Call(t.Context(), []byte(`<action xmlns="urn:ietf:params:xml:ns:yang:1"><oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>s</name><start xmlns="urn:incidentd:yang:oam-tests"/></oam-unitary-test></oam-unitary-tests></action>`)); err != nil {
		t.Fatal(err)
	}
}

// A server measures to its own reflector: with a key when both have it, and not when
// nobody is allowed. A port in use is told, and taken when it is free.
func TestReflector(t *testing.T) {
	taken, port := freePort(t)
	dir := initialised(t)
	s, l := started(t, dir)
	c := session(t, s)
	edit := func(config string) {
		t.Helper()
		if err := c.EditConfig(t.Context(), "running", []byte(config), ""); err != nil {
			t.Fatal(err)
		}
	}
	run := func() { t.Helper(); startTest(t, c) }
	listens := fmt.Sprintf("<listening>127.0.0.1:%d</listening>", port)
	const local = `<allowed-prefix>127.0.0.0/8</allowed-prefix>`

	edit(reflectorConfig(port, local))
	eventually(t, c, serviceState, "address already in use</fault>")
	taken.Close()
	eventually(t, c, serviceState, listens)
	edit(stampTest(port, ""))
	eventually(t, c, testState, ">ready</unitary-test-status>")
	run()
	eventually(t, c, testState, "<verdict>pass</verdict>", "<one-way-valid>true</one-way-valid>", "<one-way-delay-far-end>")
	eventually(t, c, serviceState, "<sessions>1</sessions>", "<rcv-packets>10</rcv-packets>", "<sent-packets>10</sent-packets>", "<refused-packets>0</refused-packets>")

	edit(reflectorConfig(port, "")) // begins anew, for nobody
	eventually(t, c, serviceState, listens, "<rcv-packets>0</rcv-packets>")
	run()
	eventually(t, c, testState, "<verdict>fail</verdict>")
	eventually(t, c, serviceState, "<sent-packets>0</sent-packets>", "<refused-packets>10</refused-packets>")

	const key = `<authentication-key-ref>lab</authentication-key-ref>`
	edit(reflectorConfig(port, local+key))
	edit(stampTest(port, key))
	const missing = "key lab: the data directory has no file keys/lab"
	eventually(t, c, serviceState, missing+"</fault>")
	eventually(t, c, testState, "not-permitted</", missing)
	if err := os.Mkdir(filepath.Join(dir, keysDir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, keysDir, "lab"), []byte("a secret of both ends"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, c, serviceState, listens)
	edit(stampTest(port, key+"<dscp>46</dscp>"))
	eventually(t, c, testState, ">ready</unitary-test-status>")
	run()
	eventually(t, c, serviceState, "<sent-packets>10</sent-packets>")

	edit(`<oam-service xmlns="urn:incidentd:yang:oam-tests" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><reflector nc:operation="delete"><name>r</name></reflector></oam-service>`)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(l.String(), `msg="reflector ended" name=r`) || free(port) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the port is not free again: %v", free(port))
		}
	}
	var invalid *rpcerr.Error
	if err := c.EditConfig(t.Context(), "running", []byte(reflectorConfig(0, "")), ""); !errors.As(err, &invalid) || invalid.Tag != rpcerr.TagInvalidValue {
		t.Errorf("port 0: %v", err)
	}
}

func free(port int) error {
	conn, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		conn.Close()
	}
	return err
}

func TestSharedKey(t *testing.T) {
	d := &directory{path: t.TempDir()}
	keys := filepath.Join(d.path, keysDir)
	if err := os.Mkdir(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(path, content string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(d.path, "outside"), "x", 0o600)
	write(filepath.Join(keys, "good"), "secret\n", 0o600)
	write(filepath.Join(keys, "open"), "secret", 0o644)
	write(filepath.Join(keys, "empty"), "", 0o600)
	write(filepath.Join(keys, "long"), strings.Repeat("x", maxKey+1), 0o600)
	if err := os.Mkdir(filepath.Join(keys, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", filepath.Join(keys, "away")); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, want string }{
		{"good", ""},
		{"open", "its mode is 0644 and must be 0600"},
		{"empty", "keys/empty has 0 octets"},
		{"long", "keys/long has 4097 octets"},
		{"dir", "keys/dir is not a file"},
		{"away", "escapes"},
		{"missing", "the data directory has no file keys/missing"},
		{"../outside", "the name of a key is that of a file"},
		{"..", "the name of a key is that of a file"},
		{"a\x00", "the name of a key is that of a file"},
	}
	for _, tt := range tests {
		key, err := d.sharedKey(tt.name)
		if tt.want == "" {
			if err != nil || string(key) != "secret\n" {
				t.Errorf("%s: %q, %v", tt.name, key, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), d.path) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}
