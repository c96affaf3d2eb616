package syslog_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	golib "github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/rfc3164"
	"github.com/leodido/go-syslog/v4/rfc5424"

	"incidentd/incident/ingest/syslog"
)

// library is go-syslog, which reads either form, as generously as it can.
type library struct{ old, new golib.Machine }

func newLibrary() library {
	return library{rfc3164.NewParser(rfc3164.WithBestEffort(), rfc3164.WithYear(rfc3164.Year{YYYY: 2026}), rfc3164.WithRFC3339()),
		rfc5424.NewParser(rfc5424.WithBestEffort())}
}

func (l library) parse(line []byte) (*golib.Base, error) {
	if _, rest, ok := bytes.Cut(line, []byte(">")); ok && bytes.HasPrefix(rest, []byte("1 ")) {
		m, err := l.new.Parse(line)
		if m, ok := m.(*rfc5424.SyslogMessage); ok {
			return &m.Base, err
		}
		return nil, err
	}
	m, err := l.old.Parse(line)
	if m, ok := m.(*rfc3164.SyslogMessage); ok {
		return &m.Base, err
	}
	return nil, err
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Where the library finds a time and a host, ours finds the same.
func TestAgreesWithLibrary(t *testing.T) {
	lib := newLibrary()
	read, agreed := 0, 0
	for _, file := range []string{"testdata/frr.log", "testdata/junos.log", "testdata/ios-xr.log", "testdata/linux.log"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			read++
			want, err := lib.parse([]byte(line))
			if err != nil || want == nil || want.Timestamp == nil || want.Hostname == nil {
				continue
			}
			got, err := syslog.Parse([]byte(line), arrived, time.UTC)
			if err != nil {
				t.Errorf("%s\nwe refuse: %v", line, err)
				continue
			}
			agreed++
			if got.Host != text(want.Hostname) || !got.Time.Equal(*want.Timestamp) || got.Field("procid") != text(want.ProcID) {
				t.Errorf("%s\nhost %q, time %s, procid %q; the library has %q, %v, %q", line, got.Host, got.Time, got.Field("procid"), text(want.Hostname), want.Timestamp, text(want.ProcID))
			}
		}
	}
	t.Logf("the library finds them in %d of %d samples", agreed, read)
	if agreed == 0 {
		t.Error("the library finds none")
	}
}

func benchmarkLines(b *testing.B, parse func([]byte)) {
	b.Helper()
	lines := [][]byte{
		[]byte("<29>Nov 22 06:59:58 P1 ospfd[1362]: [Y05P2-YJVXY] AdjChg: Nbr 10.255.0.3, NbrIP 10.0.23.2 (default) on eth2:10.0.23.1: Full -> Deleted (KillNbr)"),
		[]byte(`<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] An application event log entry...`),
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		parse(lines[i%2])
	}
}

func BenchmarkParse(b *testing.B) {
	b.Run("own", func(b *testing.B) {
		benchmarkLines(b, func(line []byte) { _, _ = syslog.Parse(line, arrived, time.UTC) })
	})
	b.Run("go-syslog", func(b *testing.B) {
		lib := newLibrary()
		benchmarkLines(b, func(line []byte) { _, _ = lib.parse(line) })
	})
}
