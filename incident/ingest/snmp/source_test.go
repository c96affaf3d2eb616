package snmp_test

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"incidentd/incident/event"
	"incidentd/incident/ingest/ingesttest"
	"incidentd/incident/ingest/snmp"
)

const users = `<user><name>ops</name><auth-protocol>sha</auth-protocol><auth-password>authpassword</auth-password>` +
	`<priv-protocol>aes</priv-protocol><priv-password>privpassword</priv-password></user>`

func source(name, more string) string {
	return `<source><name>` + name + `</name><snmp><address>127.0.0.1</address><port>0</port>` + more + `</snmp></source>`
}

// brief is what the tests look at of an event.
func brief(events []event.Event) (out []string) {
	for _, e := range events {
		out = append(out, strings.Join([]string{e.Node, e.Resource, e.AlarmTypeID, e.AlarmTypeQualifier, e.Severity.String()}, " "))
	}
	return out
}

// sender sends to a source by a version of SNMP.
func sender(t *testing.T, address string, version gosnmp.SnmpVersion, community string) *gosnmp.GoSNMP {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	g := &gosnmp.GoSNMP{Target: "127.0.0.1", Version: version, Community: community, Timeout: time.Second, Retries: 2, MaxOids: gosnmp.MaxOids}
	fmt.Sscan(port, &g.Port)
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Conn.Close() })
	return g
}

func linkDown(inform bool) gosnmp.SnmpTrap {
	return gosnmp.SnmpTrap{IsInform: inform, Variables: []gosnmp.SnmpPDU{
		{Name: ".1.3.6.1.2.1.1.3.0", Type: gosnmp.TimeTicks, Value: uint32(1)},
		{Name: ".1.3.6.1.6.3.1.1.4.1.0", Type: gosnmp.ObjectIdentifier, Value: ".1.3.6.1.6.3.1.1.5.3"},
		{Name: ".1.3.6.1.2.1.2.2.1.1.7", Type: gosnmp.Integer, Value: 7},
		{Name: ".1.3.6.1.2.1.31.1.1.1.1.7", Type: gosnmp.OctetString, Value: "eth7"},
		{Name: ".1.3.6.1.2.1.1.5.0", Type: gosnmp.OctetString, Value: "PE7"},
	}}
}

// Traps of v1 and v2c and an inform, with the right community and with another.
func TestCommunity(t *testing.T) {
	b := ingesttest.New(t, snmp.Kind())
	b.Sources(source("traps", "<community>public</community>"))
	address := b.Listening("traps")
	if _, err := sender(t, address, gosnmp.Version2c, "public").SendTrap(linkDown(false)); err != nil {
		t.Fatal(err)
	}
	b.Await(1)
	if _, err := sender(t, address, gosnmp.Version2c, "public").SendTrap(linkDown(true)); err != nil {
		t.Errorf("the inform is not answered: %v", err)
	}
	b.Await(2)
	v1 := gosnmp.SnmpTrap{Enterprise: ".1.3.6.1.2.1.15", AgentAddress: "10.0.0.9", GenericTrap: 6, SpecificTrap: 2, Variables: []gosnmp.SnmpPDU{
		{Name: ".1.3.6.1.2.1.15.3.1.2.10.0.0.2", Type: gosnmp.Integer, Value: 1},
	}}
	if _, err := sender(t, address, gosnmp.Version1, "public").SendTrap(v1); err != nil {
		t.Fatal(err)
	}
	b.Await(3)
	other := sender(t, address, gosnmp.Version2c, "private")
	other.Retries, other.Timeout = 0, 100*time.Millisecond
	if _, err := other.SendTrap(linkDown(true)); err == nil {
		t.Error("an inform of another community is answered")
	}
	want := []string{"PE7 eth7 link-down  critical", "PE7 eth7 link-down  critical", "10.0.0.9 bgp/10.0.0.2 bgp-peer-down  major"}
	if diff := cmp.Diff(want, brief(b.Await(3))); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	b.AwaitHealth("traps", "refused", "1")
}

// Traps of v3 are taken when they are secured as their user has to be, and not less.
func TestUsers(t *testing.T) {
	b := ingesttest.New(t, snmp.Kind())
	b.Sources(source("traps", users))
	address := b.Listening("traps")
	send := func(user, auth, priv string, flags gosnmp.SnmpV3MsgFlags) {
		t.Helper()
		g := &gosnmp.GoSNMP{Target: "127.0.0.1", Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: flags, Timeout: 200 * time.Millisecond, MaxOids: gosnmp.MaxOids}
		_, port, _ := net.SplitHostPort(address)
		fmt.Sscan(port, &g.Port)
		p := &gosnmp.UsmSecurityParameters{UserName: user, AuthoritativeEngineID: "\x80\x00\x1f\x88\x04abcd", AuthoritativeEngineBoots: 1, AuthoritativeEngineTime: 1}
		if flags >= gosnmp.AuthNoPriv {
			p.AuthenticationProtocol, p.AuthenticationPassphrase = gosnmp.SHA, auth
		}
		if flags >= gosnmp.AuthPriv {
			p.PrivacyProtocol, p.PrivacyPassphrase = gosnmp.AES, priv
		}
		g.SecurityParameters = p
		if err := g.Connect(); err != nil {
			t.Fatal(err)
		}
		defer g.Conn.Close()
		if _, err := g.SendTrap(linkDown(false)); err != nil {
			t.Fatal(err)
		}
	}
	send("ops", "", "", gosnmp.NoAuthNoPriv)
	send("ops", "authpassword", "", gosnmp.AuthNoPriv)
	send("ops", "wrongpassword", "privpassword", gosnmp.AuthPriv)
	send("nobody", "authpassword", "privpassword", gosnmp.AuthPriv)
	send("ops", "authpassword", "privpassword", gosnmp.AuthPriv)
	if diff := cmp.Diff([]string{"PE7 eth7 link-down  critical"}, brief(b.Await(1))); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	h := b.Health("traps")
	if h.Leaf("events") != "1" || h.Leaf("received") != "5" {
		t.Errorf("events %s, received %s", h.Leaf("events"), h.Leaf("received"))
	}
}

// Net-SNMP's snmptrap, by each version and by informs.
func TestNetSNMP(t *testing.T) {
	tool, err := exec.LookPath("snmptrap")
	if err != nil {
		t.Skip("snmptrap is not installed (apt: snmp)")
	}
	b := ingesttest.New(t, snmp.Kind())
	b.Sources(source("traps", "<community>public</community>"+users))
	address := b.Listening("traps")
	variables := []string{".1.3.6.1.6.3.1.1.5.3", ".1.3.6.1.2.1.2.2.1.1.7", "i", "7", ".1.3.6.1.2.1.31.1.1.1.1.7", "s", "eth7", ".1.3.6.1.2.1.1.5.0", "s", "PE7"}
	v3 := []string{"-v3", "-l", "authPriv", "-u", "ops", "-a", "SHA", "-A", "authpassword", "-x", "AES", "-X", "privpassword"}
	for i, args := range [][]string{
		{"-v2c", "-c", "public", address, ""},
		{"-v2c", "-c", "public", "-Ci", address, ""},
		append(append([]string{}, v3...), "-e", "0x8000000001020304", address, ""),
		append(append([]string{}, v3...), "-Ci", address, ""),
	} {
		cmd := exec.Command(tool, append(append([]string{"-m", "", "-M", "/nonexistent", "-r", "2", "-t", "1"}, args...), variables...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("snmptrap %s: %v: %s", strings.Join(args, " "), err, out)
			continue
		}
		got := brief(b.Await(i + 1))
		if got[i] != "PE7 eth7 link-down  critical" {
			t.Errorf("snmptrap %s: %s", strings.Join(args, " "), got[i])
		}
	}
}

func FuzzRead(f *testing.F) {
	g := &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: "public", MaxOids: gosnmp.MaxOids, Logger: gosnmp.NewLogger(nil)}
	f.Add([]byte{0x30, 0x0b, 2, 1, 1, 4, 0, 0xa7, 4, 2, 0, 2, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		defer func() { recover() }() // the source counts a panic of gosnmp as malformed
		p, err := g.UnmarshalTrap(b, true)
		if err != nil {
			return
		}
		m := snmp.Read(p, time.Time{})
		if strings.HasPrefix(m.OID, ".") {
			t.Errorf("the OID is %q", m.OID)
		}
	})
}
