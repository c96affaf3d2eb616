package syslog_test

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
	"incidentd/incident/ingest/mapping"
	"incidentd/incident/ingest/syslog"
	"incidentd/netconf/netconftest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// arrived is when all samples arrive.
var arrived = time.Date(2026, 11, 22, 7, 0, 10, 0, time.UTC)

// shipped is a mapper of the tables that come with the server.
func shipped(t testing.TB, config string) *mapping.Mapper {
	t.Helper()
	s, err := netconftest.Schema()
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := mapping.Builtin(s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.New(parse(t, s, config), builtin)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The samples of what systems send, line by line, and the events of the tables that come
// with the server: a line with the outcome and the rule, and one with the event.
func TestTables(t *testing.T) {
	const aliases = `<mapping xmlns="urn:incidentd:yang:mapping">
		<alias><name>10.255.0.1</name><node>PE1</node></alias><alias><name>10.255.0.2</name><node>PE2</node></alias>
		<alias><name>10.255.0.3</name><node>P2</node></alias><alias><name>10.0.12.2</name><node>P2</node></alias>
		<alias><name>pe3</name><node>PE3</node></alias><alias><name>192.0.2.1</name><node>PE2</node></alias></mapping>`
	m := shipped(t, aliases)
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
			var got bytes.Buffer
			for line := range strings.Lines(string(text)) {
				msg, fault := syslog.Parse([]byte(line), arrived, time.UTC)
				msg.Kind, msg.Source, msg.Peer = "syslog", "test", netip.MustParseAddr("192.0.2.1")
				x := m.Explain(msg)
				got.WriteString(x.Outcome.String())
				if x.Rule != "" {
					got.WriteString(" " + x.Table + "/" + x.Rule)
				}
				if fault != nil {
					got.WriteString(" (" + fault.Error() + ")")
				}
				got.WriteByte('\n')
				if x.Outcome != mapping.Ignored {
					got.Write(append(event.AppendJSON(nil, &x.Event), '\n'))
				}
			}
			golden := strings.TrimSuffix(file, ".log") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}
