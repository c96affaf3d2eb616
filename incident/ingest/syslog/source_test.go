package syslog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
	"incidentd/incident/ingest/ingesttest"
	"incidentd/incident/ingest/syslog"
)

// source is a source in XML, at a free port of the loopback interface.
func source(name, more string) string {
	return `<source><name>` + name + `</name><syslog><address>127.0.0.1</address><port>0</port>` + more + `</syslog></source>`
}

// brief is what the tests look at of an event.
func brief(events []event.Event) (out []string) {
	for _, e := range events {
		out = append(out, strings.Join([]string{e.Node, e.Resource, e.AlarmTypeID, e.AlarmTypeQualifier, e.Severity.String()}, " "))
	}
	return out
}

func TestUDP(t *testing.T) {
	b := ingesttest.New(t, syslog.Kind())
	b.Sources(source("s", "<max-message-size>480</max-message-size>"))
	c, err := net.Dial("udp", b.Listening("s"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, m := range []string{
		"<187>94307: PE2 LC/0/2/CPU0:Nov 22 06:59:58.834 : ifmgr[214]: %PKT_INFRA-LINK-3-UPDOWN : Interface TenGigE0/2/0/4, changed state to Down\n",
		"nothing that anybody knows",
		"<14>1 - CE1 app - - - " + strings.Repeat("x", 1000),
	} {
		if _, err := io.WriteString(c, m); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"PE2 TenGigE0/2/0/4 link-down  critical", "127.0.0.1  unmapped  indeterminate", "CE1  unmapped app indeterminate"}
	if diff := cmp.Diff(want, brief(b.Await(3))); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	h := b.Health("s")
	for leaf, want := range map[string]string{"received": "3", "malformed": "2", "mapped": "1", "unmapped": "2", "events": "3"} {
		if h.Leaf(leaf) != want {
			t.Errorf("%s = %s, want %s", leaf, h.Leaf(leaf), want)
		}
	}
}

// What comes from elsewhere or too fast is not taken, and counted.
func TestUDPRefused(t *testing.T) {
	b := ingesttest.New(t, syslog.Kind())
	b.Sources(source("closed", "<allowed-prefix>192.0.2.0/24</allowed-prefix>") + source("slow", "<rate-per-peer>1</rate-per-peer>"))
	for _, name := range []string{"closed", "slow"} {
		c, err := net.Dial("udp", b.Listening(name))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for range 3 {
			if _, err := io.WriteString(c, "<14>Nov 22 07:00:00 P1 x: y"); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.AwaitHealth("closed", "refused", "3")
	b.AwaitHealth("slow", "received", "3")
	b.AwaitHealth("slow", "dropped", "2")
	b.AwaitHealth("slow", "state", "degraded")
}

// Both framings of RFC 6587 in one connection, in pieces, over TCP.
func TestTCP(t *testing.T) {
	b := ingesttest.New(t, syslog.Kind())
	b.Sources(source("s", "<transport>tcp</transport><max-message-size>480</max-message-size>"))
	c, err := net.Dial("tcp", b.Listening("s"))
	if err != nil {
		t.Fatal(err)
	}
	counted := "<29>1 2026-11-22T07:00:00Z P1 ospfd 1 - - AdjChg: Nbr 10.0.0.1(default) on eth1:10.0.12.1: Full -> Down (x)"
	long := "<14>1 - CE1 app - - - " + strings.Repeat("x", 1000)
	text := fmt.Sprintf("%d %s<29>Nov 22 07:00:01 P1 ospfd[1]: AdjChg: Nbr 10.0.0.1(default) on eth1:10.0.12.1: Loading -> Full (x)\n%d %s<14>Nov 22 07:00:02 P2 last: without an end", len(counted), counted, len(long), long)
	for i := 0; i < len(text); i += 7 {
		if _, err := io.WriteString(c, text[i:min(i+7, len(text))]); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	want := []string{"P1 eth1 igp-adjacency-down ospf/10.0.0.1 major", "P1 eth1 igp-adjacency-down ospf/10.0.0.1 cleared", "CE1  unmapped app indeterminate", "P2  unmapped last indeterminate"}
	if diff := cmp.Diff(want, brief(b.Await(4))); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	b.AwaitHealth("s", "connections", "0")
	b.AwaitHealth("s", "malformed", "1")
}

// A sender is held up, and loses nothing, while nothing can be stored.
func TestBackPressure(t *testing.T) {
	b := ingesttest.New(t, syslog.Kind())
	b.Refuse(fmt.Errorf("the disk is full"))
	b.Sources(strings.Replace(source("s", "<transport>tcp</transport>"), "<syslog>", "<queue-size>5</queue-size><syslog>", 1))
	c, err := net.Dial("tcp", b.Listening("s"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := make(chan error, 1)
	const n = 5000
	go func() {
		for i := range n {
			if _, err := fmt.Fprintf(c, "<14>Nov 22 07:00:00 P1 x: message %d %s\n", i, strings.Repeat("x", 2000)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	b.AwaitHealth("s", "queue-length", "5")
	b.Refuse(nil)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	for i, e := range b.Await(n) {
		if want := fmt.Sprintf("message %d ", i); !strings.HasPrefix(e.Text, want) {
			t.Fatalf("event %d is %.20q, want %q", i, e.Text, want)
		}
	}
	if d := b.Health("s").Leaf("dropped"); d != "0" {
		t.Errorf("dropped = %s", d)
	}
}

// Limits of connections.
func TestConnections(t *testing.T) {
	b := ingesttest.New(t, syslog.Kind())
	b.Sources(source("s", "<transport>tcp</transport><max-connections>2</max-connections>"))
	var all []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", b.Listening("s"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		all = append(all, c)
	}
	b.AwaitHealth("s", "connections", "2")
	c, err := net.Dial("tcp", b.Listening("s"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a third connection is not closed")
	}
	b.AwaitHealth("s", "refused", "1")
	all[0].Close()
	b.AwaitHealth("s", "connections", "1")
}

// certificate makes a certificate and its key in PEM, and its fingerprint.
func certificate(t *testing.T) (cert, key, print string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})), hex.EncodeToString(sum[:])
}

// TLS, with a client that is known by its fingerprint and one that is not.
func TestTLS(t *testing.T) {
	cert, key, _ := certificate(t)
	clientCert, clientKey, print := certificate(t)
	strangerCert, strangerKey, _ := certificate(t)
	b := ingesttest.New(t, syslog.Kind())
	b.Sources(source("s", "<transport>tcp</transport><tls><certificate>"+cert+"</certificate><private-key>"+key+"</private-key><client-fingerprint>"+print+"</client-fingerprint></tls>"))
	address := b.Listening("s")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(cert))
	dial := func(cert, key string) (*tls.Conn, error) {
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return tls.Dial("tcp", address, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}})
	}
	c, err := dial(clientCert, clientKey)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := "<14>1 2026-11-22T07:00:00Z P1 x - - - y"
	fmt.Fprintf(c, "%d %s", len(m), m)
	if got := brief(b.Await(1)); got[0] != "P1  unmapped x indeterminate" {
		t.Errorf("the event is %s", got)
	}
	// A client of TLS 1.3 learns with its first read that it is not let in.
	if c, err := dial(strangerCert, strangerKey); err == nil {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a client with another certificate is let in")
		}
		c.Close()
	}
	b.AwaitHealth("s", "refused", "1")
}

// An address that is taken: the source is down, says why, and comes up as soon as it can.
func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := ingesttest.New(t, syslog.Kind())
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	b.Sources(strings.Replace(source("s", "<transport>tcp</transport>"), "<port>0<", "<port>"+port+"<", 1))
	b.AwaitHealth("s", "state", "down")
	if why := b.Health("s").Leaf("reason"); !strings.Contains(why, "address already in use") {
		t.Errorf("the reason is %q", why)
	}
	taken.Close()
	b.AwaitHealth("s", "state", "up")
}

// A configuration that nothing can be made of is refused.
func TestRefusedConfiguration(t *testing.T) {
	b := ingesttest.New(t, syslog.Kind())
	for _, tt := range []struct{ name, more, want string }{
		{"zone", "<time-zone>Nowhere/Land</time-zone>", "invalid-value: unknown time zone Nowhere/Land"},
		{"TLS over UDP", "<tls><certificate>x</certificate><private-key>x</private-key></tls>", "TLS needs the transport tcp."},
		{"certificate", "<transport>tcp</transport><tls><certificate>x</certificate><private-key>x</private-key></tls>", "invalid-value: certificate and private-key:"},
	} {
		err := b.Configure(`<sources xmlns="urn:incidentd:yang:sources">` + source("s", tt.more) + `</sources>`)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// The logger of util-linux, in all forms that it knows.
func TestLogger(t *testing.T) {
	logger, err := exec.LookPath("logger")
	if err != nil {
		t.Skip("logger is not installed")
	}
	b := ingesttest.New(t, syslog.Kind())
	b.Sources(source("udp", "") + source("tcp", "<transport>tcp</transport>"))
	_, udp, _ := net.SplitHostPort(b.Listening("udp"))
	_, tcp, _ := net.SplitHostPort(b.Listening("tcp"))
	n := 0
	for _, args := range [][]string{{"-d", "-P", udp, "--rfc3164"}, {"-d", "-P", udp, "--rfc5424"}, {"-T", "-P", tcp, "--rfc5424"}, {"-T", "-P", tcp, "--octet-count", "--rfc3164"}} {
		cmd := exec.Command(logger, append([]string{"-n", "127.0.0.1", "-t", "ospfd", "-p", "daemon.notice"}, append(args, "AdjChg: Nbr 10.0.0.1(default) on eth1:10.0.12.1: Full -> Down (x)")...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("logger %q: %v\n%s", args, err, out)
		}
		n++
		if got := brief(b.Await(n))[n-1]; !strings.HasSuffix(got, " eth1 igp-adjacency-down ospf/10.0.0.1 major") {
			t.Errorf("logger %q: %s", args, got)
		}
	}
}
