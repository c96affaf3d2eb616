package event

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const full = `{"id":"e1","arrival":"2024-03-04T00:50:40.679Z","time":"2024-03-04T00:50:40.453Z","kind":"kpi","node":"PE1","resource":"cpu/0","alarm-type-id":"CPU_OVERLOAD","alarm-type-qualifier":"","severity":"major","text":"CPU \"busy\" 94 %","value":94,"threshold":90,"trace-id":"c02c641a874e5bf95480c46d336140b9"}`

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     Event
	}{
		{"whole", full, Event{ID: "e1", Arrival: at("2024-03-04T00:50:40.679Z"), Time: at("2024-03-04T00:50:40.453Z"), Kind: KPI,
			Node: "PE1", Resource: "cpu/0", AlarmTypeID: "CPU_OVERLOAD", Severity: Major, Text: `CPU "busy" 94 %`,
			Value: "94", Threshold: "90", TraceID: "c02c641a874e5bf95480c46d336140b9"}},
		{"defaults", `{"id":"e","node":"n","alarm-type-id":"t"}`, Event{ID: "e", Node: "n", AlarmTypeID: "t", Severity: Indeterminate}},
		{"unknown keys are skipped", ` { "x" : {"id":["}",{}]} , "id":"e","node":"n","y":[1,2],"alarm-type-id":"t","z":null } `,
			Event{ID: "e", Node: "n", AlarmTypeID: "t", Severity: Indeterminate}},
		{"another zone", `{"id":"e","node":"n","alarm-type-id":"t","time":"2024-03-04T02:50:40+02:00"}`,
			Event{ID: "e", Node: "n", AlarmTypeID: "t", Severity: Indeterminate, Time: at("2024-03-04T00:50:40Z")}},
		{"numbers keep their digits", `{"id":"e","node":"n","alarm-type-id":"t","value":1.50e3,"threshold":"about 5"}`,
			Event{ID: "e", Node: "n", AlarmTypeID: "t", Severity: Indeterminate, Value: "1.50e3", Threshold: "about 5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse([]byte(c.in))
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		in, names string
		want      error
	}{
		{``, "brace", ErrSyntax},
		{`[]`, "brace", ErrSyntax},
		{`{"id":"e","node":"n"}`, "alarm-type-id", ErrMissing},
		{`{"node":"n","alarm-type-id":"t"}`, `"id"`, ErrMissing},
		{`{"id":"","node":"n","alarm-type-id":"t"}`, `"id"`, ErrValue},
		{`{"id":"` + strings.Repeat("x", 256) + `","node":"n","alarm-type-id":"t"}`, `"id"`, ErrValue},
		{`{"id":7,"node":"n","alarm-type-id":"t"}`, `"id"`, ErrValue},
		{`{"id":"e","id":"e","node":"n","alarm-type-id":"t"}`, `"id"`, ErrTwice},
		{`{"id":"e","node":"n","alarm-type-id":"t","severity":"bad"}`, "severity", ErrValue},
		{`{"id":"e","node":"n","alarm-type-id":"t","kind":"bad"}`, "kind", ErrValue},
		{`{"id":"e","node":"n","alarm-type-id":"t","time":"yesterday"}`, "time", ErrValue},
		{`{"id":"e","node":"n","alarm-type-id":"t","value":true}`, "value", ErrValue},
		{`{"id":"e","node":"n","alarm-type-id":"t","trace-id":"xyz"}`, "trace-id", ErrValue},
		{`{"id":"e","node":"n","alarm-type-id":"t"} {}`, "after the object", ErrSyntax},
		{`{"id":"e","node":"n","alarm-type-id":"t"`, "alarm-type-id", ErrSyntax},
		{`{"id":"e","node":"n","alarm-type-id":"t","x":}`, `"x"`, ErrSyntax},
	} {
		_, err := Parse([]byte(c.in))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("Parse(%.60s) = %v, want %v naming %s", c.in, err, c.want, c.names)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	e, err := Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(full, string(AppendJSON(nil, &e))); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	e.Value, e.Text = "nine", "tab\tand\x01 \xff"
	if got := string(AppendJSON(nil, &e)); !strings.Contains(got, `"text":"tab\tand\u0001 `+"\uFFFD"+`"`) || !strings.Contains(got, `"value":"nine"`) {
		t.Errorf("AppendJSON = %s", got)
	}
}

func TestNames(t *testing.T) {
	for k := Alarm; k <= Trace; k++ {
		if got, ok := ParseKind(k.String()); !ok || got != k {
			t.Errorf("ParseKind(%q) = %v, %v", k, got, ok)
		}
	}
	for s := Cleared; s <= Critical; s++ {
		if got, ok := ParseSeverity(s.String()); !ok || got != s {
			t.Errorf("ParseSeverity(%q) = %v, %v", s, got, ok)
		}
	}
	if _, ok := ParseSeverity(""); ok {
		t.Error("the empty severity was taken")
	}
	if !(Cleared < Indeterminate && Indeterminate < Warning && Major < Critical) {
		t.Error("severities are not in order")
	}
}

func TestScanner(t *testing.T) {
	s := NewScanner(strings.NewReader(full + "\n\n" + full + "\r\n{\"id\":1}\n" + full))
	n := 0
	for s.Scan() {
		n++
	}
	if n != 2 || s.Err() == nil || !strings.HasPrefix(s.Err().Error(), `line 4: "id"`) {
		t.Errorf("%d events, Err = %v", n, s.Err())
	}
	if s.Scan() {
		t.Error("Scan went on after an error")
	}
	s = NewScanner(strings.NewReader(full + "\n" + strings.Repeat("x", MaxLine+1)))
	for s.Scan() {
	}
	if !errors.Is(s.Err(), ErrTooLong) || !strings.HasPrefix(s.Err().Error(), "line 2") {
		t.Errorf("Err = %v", s.Err())
	}
}

// TestRecordings reads the recorded networks, where they are there, and writes every
// line again.
func TestRecordings(t *testing.T) {
	for _, name := range []string{"dev-small", "dev"} {
		f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "correlation", name, "events.jsonl"))
		if err != nil {
			t.Skip("no recordings here: ", err)
		}
		defer f.Close()
		s := NewScanner(f)
		n := 0
		for s.Scan() {
			n++
			e := s.Event()
			again, err := Parse(AppendJSON(nil, &e))
			if err != nil || again != e {
				t.Fatalf("%s:%d: %v, %v", name, s.Line(), again, err)
			}
		}
		if s.Err() != nil || n == 0 {
			t.Errorf("%s: %d events, %v", name, n, s.Err())
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"id":"e","node":"n\u00e9","alarm-type-id":"t","x":[{"y":"}"}],"value":-1e5}`))
	f.Add([]byte(`{"id":"e"`))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := Parse(in)
		if err != nil {
			for _, known := range []error{ErrSyntax, ErrMissing, ErrValue, ErrTwice} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Fatalf("an error of no kind: %v", err)
		}
		again, err := Parse(AppendJSON(nil, &e))
		if err != nil || !cmp.Equal(again, e) {
			t.Fatalf("%q: %+v came back as %+v, %v", in, e, again, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(full)))
	for b.Loop() {
		if _, err := Parse([]byte(full)); err != nil {
			b.Fatal(err)
		}
	}
}
