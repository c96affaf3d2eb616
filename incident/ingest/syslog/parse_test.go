package syslog_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"incidentd/incident/event"
	"incidentd/incident/ingest/mapping"
	"incidentd/incident/ingest/syslog"
)

func fields(pairs ...string) (out []mapping.Field) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, mapping.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

// The examples of the RFCs, and what is not as it should be.
func TestParse(t *testing.T) {
	at := func(s string) time.Time {
		out, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tt := range []struct {
		name, in string
		fault    error
		want     mapping.Message
	}{
		{"RFC 5424 section 6.5, example 1", "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \uFEFF'su root' failed for lonvick on /dev/pts/8", nil,
			mapping.Message{Time: at("2003-10-11T22:14:15.003Z"), Host: "mymachine.example.com", App: "su", MsgID: "ID47", Severity: event.Major, Text: "'su root' failed for lonvick on /dev/pts/8", Fields: fields("facility", "auth", "severity", "critical")}},
		{"example 2", "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.", nil,
			mapping.Message{Time: at("2003-08-24T05:14:15.000003-07:00"), Host: "192.0.2.1", App: "myproc", Severity: event.Indeterminate, Text: "%% It's time to make the do-nuts.", Fields: fields("facility", "local4", "severity", "notice", "procid", "8710")}},
		{"example 3", `<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] An application event log entry...`, nil,
			mapping.Message{Time: at("2003-10-11T22:14:15.003Z"), Host: "mymachine.example.com", App: "evntslog", MsgID: "ID47", Severity: event.Indeterminate, Text: "An application event log entry...",
				Fields: fields("facility", "local4", "severity", "notice", "iut", "3", "eventSource", "Application", "eventID", "1011")}},
		{"example 4", `<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3"][examplePriority@32473 class="high"]`, nil,
			mapping.Message{Time: at("2003-10-11T22:14:15.003Z"), Host: "mymachine.example.com", App: "evntslog", MsgID: "ID47", Severity: event.Indeterminate,
				Fields: fields("facility", "local4", "severity", "notice", "iut", "3", "class", "high")}},
		{"escapes", `<14>1 - - - - - [a b="\"\\\]\n"] x`, nil, mapping.Message{Severity: event.Indeterminate, Text: "x", Fields: fields("facility", "user", "severity", "informational", "b", `"\]\n`)}},
		{"structured data that is not closed", `<14>1 - - - - - [a b="c x`, syslog.ErrStructured, mapping.Message{Severity: event.Indeterminate, Text: `[a b="c x`, Fields: fields("facility", "user", "severity", "informational")}},
		{"a time that is none", `<14>1 yesterday h a - - - x`, syslog.ErrTimestamp, mapping.Message{Severity: event.Indeterminate, Host: "h", App: "a", Text: "x", Fields: fields("facility", "user", "severity", "informational")}},
		{"the end of the header", `<14>1 - h a`, syslog.ErrHeader, mapping.Message{Severity: event.Indeterminate, Host: "h", App: "a", Fields: fields("facility", "user", "severity", "informational")}},
		{"RFC 3164 section 5.4, example 1", "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8", nil,
			mapping.Message{Time: at("2026-10-11T22:14:15Z"), Host: "mymachine", App: "su", Severity: event.Major, Text: "'su root' failed for lonvick on /dev/pts/8", Fields: fields("facility", "auth", "severity", "critical")}},
		{"example 2", "Use the BFG!", syslog.ErrPriority, mapping.Message{Text: "Use the BFG!"}},
		{"example 3", "<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.", nil,
			mapping.Message{Time: at("2026-08-24T05:34:00Z"), Host: "CST", Severity: event.Indeterminate, Text: "1987 mymachine myproc[10]: %% It's time to make the do-nuts.", Fields: fields("facility", "local4", "severity", "notice")}},
		{"a year behind the day", "<14>Nov 22 2026 07:00:00 h a: x", nil, mapping.Message{Time: at("2026-11-22T07:00:00Z"), Host: "h", App: "a", Severity: event.Indeterminate, Text: "x", Fields: fields("facility", "user", "severity", "informational")}},
		{"a year in front", "<14>2026 Nov 22 07:00:00.5 UTC: %A-1-B: x", nil, mapping.Message{Time: at("2026-11-22T07:00:00.5Z"), MsgID: "A-1-B", Severity: event.Indeterminate, Text: "x", Fields: fields("facility", "user", "severity", "informational")}},
		{"the end of last year", "<14>Dec 31 23:59:59 h a: x", nil, mapping.Message{Time: at("2025-12-31T23:59:59Z"), Host: "h", App: "a", Severity: event.Indeterminate, Text: "x", Fields: fields("facility", "user", "severity", "informational")}},
		{"a time of RFC 3339", "<14>2026-11-22T08:00:00+01:00 h a[7]: x", nil, mapping.Message{Time: at("2026-11-22T08:00:00+01:00"), Host: "h", App: "a", Severity: event.Indeterminate, Text: "x", Fields: fields("facility", "user", "severity", "informational", "procid", "7")}},
		{"no host", "<14>Nov 22 07:00:00 a[7]: x", nil, mapping.Message{Time: at("2026-11-22T07:00:00Z"), App: "a", Severity: event.Indeterminate, Text: "x", Fields: fields("facility", "user", "severity", "informational", "procid", "7")}},
		{"a 31st of February is the 3rd of March", "<14>Feb 31 07:00:00 h a: x", nil, mapping.Message{Time: at("2026-03-03T07:00:00Z"), Host: "h", App: "a", Severity: event.Indeterminate, Text: "x", Fields: fields("facility", "user", "severity", "informational")}},
		{"a priority that is none", "<999>x", syslog.ErrPriority, mapping.Message{Text: "<999>x"}},
		{"only a priority", "<14>", nil, mapping.Message{Severity: event.Indeterminate, Fields: fields("facility", "user", "severity", "informational")}},
	} {
		tt.want.Arrival, tt.want.Observed = arrived, event.Log
		got, err := syslog.Parse([]byte(tt.in), arrived, time.UTC)
		if !errors.Is(err, tt.fault) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.fault)
		}
		if diff := cmp.Diff(&tt.want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if m, err := syslog.Parse([]byte(" \n"), arrived, time.UTC); m != nil || !errors.Is(err, syslog.ErrEmpty) {
		t.Errorf("an empty message: %v, %v", m, err)
	}
}

// Times without a zone are of the zone that is configured, across its summer time.
func TestZone(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"<14>Nov 22 07:00:00 h a: x":         "2026-11-22T06:00:00Z",
		"<14>Jul 22 07:00:00 h a: x":         "2026-07-22T05:00:00Z",
		"<14>Nov 22 07:00:00 UTC: %A-1-B: x": "2026-11-22T07:00:00Z",
		"<14>Nov 22 07:00:00 CET: %A-1-B: x": "2026-11-22T06:00:00Z",
	} {
		m, err := syslog.Parse([]byte(in), arrived, zone)
		if err != nil || m.Time.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %v (%v), want %s", in, m.Time, err, want)
		}
	}
}

func seeds(f *testing.F) (lines []string) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.log")
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			lines = append(lines, line)
		}
	}
	return lines
}

// Every message but an empty one is something, and its time is not far ahead unless it
// tells its year.
func FuzzParse(f *testing.F) {
	for _, line := range seeds(f) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := syslog.Parse(raw, arrived, time.UTC)
		if (m == nil) != errors.Is(err, syslog.ErrEmpty) {
			t.Fatalf("%v, %v", m, err)
		}
		if m != nil && m.Severity > event.Critical {
			t.Errorf("severity %d", m.Severity)
		}
	})
}

// Frames are read alike whether they come at once or byte by byte, and none is longer
// than it may be.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("5 hello<14>line\n\n12 <14>and again"))
	f.Add([]byte("99999999999 x"))
	f.Add([]byte("<14>no end"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole, errWhole := syslog.Frames(bytes.NewReader(raw), 100)
		pieces, errPieces := syslog.Frames(iotest.OneByteReader(bytes.NewReader(raw)), 100)
		if diff := cmp.Diff(whole, pieces); diff != "" || errWhole.Error() != errPieces.Error() {
			t.Errorf("at once %v, in pieces %v:\n%s", errWhole, errPieces, diff)
		}
		for _, m := range whole {
			if len(m) > 100 || m == "" {
				t.Errorf("a message of %d bytes", len(m))
			}
		}
	})
}

func TestFrames(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
		err      error
	}{
		{"counted", "5 hello5 world", []string{"hello", "world"}, io.EOF},
		{"lines", "<1>a\r\n<1>b\n\n<1>c", []string{"<1>a\r", "<1>b", "<1>c"}, io.EOF},
		{"NUL", "<1>a\x00<1>b\x00", []string{"<1>a", "<1>b"}, io.EOF},
		{"both", "3 <1><1>x\n3 <2>", []string{"<1>", "<1>x", "<2>"}, io.EOF},
		{"a line end behind a counted one", "3 <1>\n3 <2>\n", []string{"<1>", "<2>"}, io.EOF},
		{"a length that is none", "3x<1>", nil, syslog.ErrFrame},
		{"a length that is too long", "1234567890 x", nil, syslog.ErrFrame},
		{"the end in the middle", "10 <1>", nil, io.ErrUnexpectedEOF},
		{"too long", "120 " + strings.Repeat("x", 120) + "3 <1>", []string{strings.Repeat("x", 100), "<1>"}, io.EOF},
	} {
		got, err := syslog.Frames(strings.NewReader(tt.in), 100)
		if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v (-want +got):\n%s", tt.name, err, tt.err, diff)
		}
	}
}
