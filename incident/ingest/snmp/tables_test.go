package snmp_test

import (
	"encoding/hex"
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"incidentd/incident/ingest/ingesttest"
	"incidentd/incident/ingest/snmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The datagrams of Net-SNMP's snmptrap, in hexadecimal, and the events of the tables that come
// with the server.
func TestTables(t *testing.T) {
	m := ingesttest.Mapper(t, `<mapping xmlns="urn:incidentd:yang:mapping"><alias><name>pe1.example.net</name><node>PE1</node></alias>
		<alias><name>10.255.0.1</name><node>PE1</node></alias><alias><name>10.255.0.2</name><node>PE2</node></alias><alias><name>192.0.2.1</name><node>P1</node></alias></mapping>`)
	text, err := os.ReadFile("testdata/interfaces.hex")
	if err != nil {
		t.Fatal(err)
	}
	g := &gosnmp.GoSNMP{Community: "public", MaxOids: gosnmp.MaxOids, Logger: gosnmp.NewLogger(nil)}
	var got []byte
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			got = append(got, line...)
			continue
		}
		datagram, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		p, err := g.UnmarshalTrap(datagram, false)
		if err != nil {
			t.Fatal(err)
		}
		msg := snmp.Read(p, time.Date(2026, 11, 22, 7, 0, 10, 0, time.UTC))
		msg.Kind, msg.Source, msg.Peer = "snmp", "test", netip.MustParseAddr("192.0.2.1")
		x := m.Explain(msg)
		got = ingesttest.AppendExplanation(got, &x, nil)
	}
	ingesttest.Golden(t, "testdata/interfaces.golden", got, *update)
}
