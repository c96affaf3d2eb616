package server

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/incident/event"
	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

// cable is a TCP connection that can be cut.
type cable struct {
	net.Listener
	to string
	mu sync.Mutex // guards what follows
	is bool       // whether it is cut
	on []net.Conn
}

// plug lays a cable to an address.
func plug(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{Listener: l, to: to}
	var parts sync.WaitGroup
	parts.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", c.to)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			if c.on = append(c.on, near, far); c.is {
				near.Close()
				far.Close()
			}
			c.mu.Unlock()
			parts.Go(func() { io.Copy(near, far); near.Close() })
			parts.Go(func() { io.Copy(far, near); far.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); c.cut(true); parts.Wait() })
	return c
}

// cut cuts the cable, or mends it.
func (c *cable) cut(is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.is = is
	for _, conn := range c.on {
		conn.Close()
	}
	c.on = nil
}

// tell reports an event at a server.
func tell(t *testing.T, s *Server, id, node, resource string, severity event.Severity) {
	t.Helper()
	in := s.incidents.Inlet("test")
	defer in.Close()
	e := event.Event{ID: id, Kind: event.Alarm, Node: node, Resource: resource, AlarmTypeID: "link-down", Severity: severity, Text: "the text of " + resource}
	if _, err := in.Report(t.Context(), []event.Event{e}); err != nil {
		t.Fatal(err)
	}
}

// alarmed waits until the alarm list of a server is one, by resources in their order.
func alarmed(t *testing.T, s *Server, l *logs, want string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		snap := s.Store().Snapshot()
		var got []string
		for a := range s.Store().With(snap, snap.Operational(), nil).Child("alarms").Child("alarm-list").Entries("alarm") {
			state := a.Leaf("perceived-severity")
			if a.Leaf("is-cleared") == "true" {
				state = "cleared"
			}
			got = append(got, a.Leaf("resource")+" "+state)
		}
		if strings.Join(got, ", ") == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the alarms are %q, want %q\n%s", strings.Join(got, ", "), want, l)
		}
	}
}

// keyText is a new private key as a file has it, and its public key in base64.
func keyText(t *testing.T) (private, public string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), base64.StdEncoding.EncodeToString(signer.PublicKey().Marshal())
}

// A server is a device of another one: its alarms are there as well, and what ends while
// the connection is cut, or while the other does not run, ends there too.
func TestDevice(t *testing.T) {
	far, _ := started(t, initialised(t))
	link := plug(t, far.Addr().String())
	host, port, err := net.SplitHostPort(link.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dir := initialised(t)
	near, l := started(t, dir)
	c := session(t, near)
	source := func(credential, fingerprint string) []byte {
		return fmt.Appendf(nil, `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id><node><node-id>PE1</node-id></node></network></networks>
			<sources %s><source><name>core</name><netconf xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="replace"><address>%s</address><port>%s</port>
			<node>CORE</node><user>%s</user>%s<host-key-fingerprint>%s</host-key-fingerprint></netconf></source></sources>`, sourcesNS, host, port, admin.Name, credential, fingerprint)
	}
	password := `<password>` + admin.Password + `</password>`
	var invalid *rpcerr.Error
	if err := c.EditConfig(t.Context(), "running", source(`<private-key>none</private-key>`, "SHA256:"+strings.Repeat("A", 43)), ""); !errors.As(err, &invalid) ||
		invalid.Tag != rpcerr.TagInvalidValue || !strings.HasSuffix(invalid.Path.Expr, ":private-key") {
		t.Errorf("a private key that is none: %v", err)
	}
	if err := c.EditConfig(t.Context(), "running", source(password, "SHA256:"+strings.Repeat("A", 43)), ""); err != nil {
		t.Fatal(err)
	}
	// A device with another key is not believed, and the reason tells the key.
	pin := ssh.FingerprintSHA256(far.HostKey())
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		r, err := c.Get(t.Context(), client.Subtree(`<sources `+sourcesNS+`><source><health><state/><reason/></health></source></sources>`))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(r.Raw, []byte("<state>down</state>")) && bytes.Contains(r.Raw, []byte("has the key "+pin)) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the key is not refused: %s", r.Raw)
		}
	}
	tell(t, far, "e1", "PE1", "eth0", event.Major)
	tell(t, far, "e2", "X", "eth1", event.Minor)
	if err := c.EditConfig(t.Context(), "running", source(password, pin), ""); err != nil {
		t.Fatal(err)
	}
	alarmed(t, near, l, "CORE/X/eth1 minor, PE1/eth0 major")
	tell(t, far, "e3", "PE1", "eth1", event.Critical)
	alarmed(t, near, l, "CORE/X/eth1 minor, PE1/eth0 major, PE1/eth1 critical")

	// From now on it logs in with a key.
	private, public := keyText(t)
	user := `<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><authentication><user><name>` + admin.Name + `</name>
		<authorized-key><name>near</name><algorithm>ssh-ed25519</algorithm><key-data>` + public + `</key-data></authorized-key></user></authentication></system>`
	if err := session(t, far).EditConfig(t.Context(), "running", []byte(user), ""); err != nil {
		t.Fatal(err)
	}
	if err := c.EditConfig(t.Context(), "running", source(`<private-key>`+private+`</private-key>`, pin), ""); err != nil {
		t.Fatal(err)
	}

	link.cut(true)
	tell(t, far, "e4", "PE1", "eth0", event.Cleared)
	tell(t, far, "e5", "PE1", "eth2", event.Warning)
	link.cut(false)
	alarmed(t, near, l, "CORE/X/eth1 minor, PE1/eth0 cleared, PE1/eth1 critical, PE1/eth2 warning")

	if err := near.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	tell(t, far, "e6", "PE1", "eth2", event.Cleared)
	near, l = started(t, dir)
	alarmed(t, near, l, "CORE/X/eth1 minor, PE1/eth0 cleared, PE1/eth1 critical, PE1/eth2 cleared")

	// What the device no longer shows is over, too: shelved alarms are not told of.
	link.cut(true)
	const shelf = `<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"><control><alarm-shelving><shelf><name>s</name><resource>X/eth1</resource></shelf></alarm-shelving></control></alarms>`
	if err := session(t, far).EditConfig(t.Context(), "running", []byte(shelf), ""); err != nil {
		t.Fatal(err)
	}
	alarmed(t, far, l, "PE1/eth0 cleared, PE1/eth1 critical, PE1/eth2 cleared")
	link.cut(false)
	alarmed(t, near, l, "CORE/X/eth1 cleared, PE1/eth0 cleared, PE1/eth1 critical, PE1/eth2 cleared")

	// And so is what it stopped to show while the server did not run.
	if err := near.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	const all = `<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"><control><alarm-shelving><shelf><name>s</name><resource>PE1/eth1</resource></shelf></alarm-shelving></control></alarms>`
	if err := session(t, far).EditConfig(t.Context(), "running", []byte(all), ""); err != nil {
		t.Fatal(err)
	}
	alarmed(t, far, l, "PE1/eth0 cleared, PE1/eth2 cleared")
	near, l = started(t, dir)
	alarmed(t, near, l, "CORE/X/eth1 cleared, PE1/eth0 cleared, PE1/eth1 cleared, PE1/eth2 cleared")
}
