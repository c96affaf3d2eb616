package syslog_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"incidentd/incident/ingest/ingesttest"
	"incidentd/incident/ingest/syslog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// arrived is when all samples arrive.
var arrived = time.Date(2026, 11, 22, 7, 0, 10, 0, time.UTC)

// The samples of what systems send, line by line, and the events of the tables that come
// with the server.
func TestTables(t *testing.T) {
	const aliases = `<mapping xmlns="urn:incidentd:yang:mapping">
		<alias><name>10.255.0.1</name><node>PE1</node></alias><alias><name>10.255.0.2</name><node>PE2</node></alias>
		<alias><name>10.255.0.3</name><node>P2</node></alias><alias><name>10.0.12.2</name><node>P2</node></alias>
		<alias><name>pe3</name><node>PE3</node></alias><alias><name>192.0.2.1</name><node>PE2</node></alias></mapping>`
	m := ingesttest.Mapper(t, aliases)
	files, err := filepath.Glob("testdata/*.log")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for line := range strings.Lines(string(text)) {
				msg, fault := syslog.Parse([]byte(line), arrived, time.UTC)
				msg.Kind, msg.Source, msg.Peer = "syslog", "test", netip.MustParseAddr("192.0.2.1")
				x := m.Explain(msg)
				got = ingesttest.AppendExplanation(got, &x, fault)
			}
			ingesttest.Golden(t, strings.TrimSuffix(file, ".log")+".golden", got, *update)
		})
	}
}
