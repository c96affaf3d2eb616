package schedule

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

// scheduleCase is an entry of testdata/cases.json.
type scheduleCase struct {
	Name  string            `json:"name"`
	Limit int               `json:"limit"`
	Leafs map[string]string `json:"leafs"`
	From  string            `json:"from"`
}

// expectation is an entry of testdata/expected.json, made by testdata/interop/schedules.py
// of the repository.
type expectation struct {
	Name    string     `json:"name"`
	Role    string     `json:"role"`
	Members [][]string `json:"members"`
}

func readJSON[T any](t testing.TB, file string) (list []T) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// previewInput is the input of preview-schedule, which has all leafs beside each other.
func previewInput(t testing.TB) *yang.Node {
	t.Helper()
	s, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"ietf-schedule", "incidentd-oam-tests"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.RPC("incidentd-oam-tests", "preview-schedule").Children {
		if c.Kind == yang.Input {
			return c
		}
	}
	t.Fatal("preview-schedule has no input")
	return nil
}

func definitionOf(input *yang.Node, leafs map[string]string) *data.Loc {
	b := data.Build(input)
	for name, value := range leafs {
		if name == "frequency" {
			value = "ietf-schedule:" + value
		}
		b.Leaf(name, value)
	}
	return &data.Loc{Node: b.Node()}
}

// The members are those that dateutil and zoneinfo find.
func TestMembers(t *testing.T) {
	input := previewInput(t)
	cases, want := readJSON[scheduleCase](t, "testdata/cases.json"), readJSON[expectation](t, "testdata/expected.json")
	if len(cases) == 0 || len(cases) != len(want) {
		t.Fatalf("%d cases and %d expectations", len(cases), len(want))
	}
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			plan, err := FromData(definitionOf(input, c.Leafs), Auto)
			if err != nil {
				t.Fatal(err)
			}
			got := expectation{Name: c.Name, Role: plan.Role().String(), Members: [][]string{}}
			after := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
			if c.From != "" {
				from, err := ParseTime(c.From)
				if err != nil {
					t.Fatal(err)
				}
				after = from.Add(-1)
			}
			for len(got.Members) < c.Limit {
				s, ok := plan.Next(after)
				if !ok {
					break
				}
				member := []string{data.FormatTime(s.Start)}
				if !s.End.IsZero() {
					member = append(member, data.FormatTime(s.End))
				}
				got.Members = append(got.Members, member)
				after = s.Start
			}
			if diff := cmp.Diff(want[i], got); diff != "" {
				t.Error(diff)
			}
			checkBackwards(t, plan, after, len(got.Members))
		})
	}
}

// checkBackwards walks by Last what was walked by Next.
func checkBackwards(t *testing.T, plan *Plan, end time.Time, members int) {
	t.Helper()
	var back []int64
	at := end
	for range members {
		s, ok := plan.Last(at)
		if !ok {
			t.Errorf("Last(%s) found nothing after %d of %d members", at, len(back), members)
			return
		}
		if next, ok := plan.Next(s.Start.Add(-1)); !ok || next != s {
			t.Errorf("Last(%s) = %+v, but Next finds %+v there", at, s, next)
		}
		if n := plan.Count(s.Start.Add(-1), end); n != int64(len(back))+1 {
			t.Errorf("Count from %s to %s = %d, want %d", s.Start, end, n, len(back)+1)
		}
		back = append(back, s.Index)
		at = s.Start.Add(-1)
	}
	if !slices.IsSortedFunc(back, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("the indexes do not grow: %d", back)
	}
}

func TestDefinitionRefused(t *testing.T) {
	const start = "2024-01-01T00:00:00Z"
	tests := []struct {
		name  string
		leafs map[string]string
		want  string
	}{
		{"interval 0", map[string]string{"interval": "0"}, "invalid-value: interval must not be 0 [/idoam:preview-schedule/idoam:interval]"},
		{"count 0", map[string]string{"count": "0"}, "invalid-value: count must not be 0 [/idoam:preview-schedule/idoam:count]"},
		{"the period ends where it starts", map[string]string{"period-end": start},
			"invalid-value: the end 2024-01-01T00:00:00Z is not after the start 2024-01-01T00:00:00Z [/idoam:preview-schedule/idoam:period-end]"},
		{"no duration", map[string]string{"duration": "PT00:00:00"}, "invalid-value: the duration PT00:00:00 is not positive [/idoam:preview-schedule/idoam:duration]"},
		{"no weeks", map[string]string{"duration": "P0W"}, "invalid-value: the duration P0W is not positive [/idoam:preview-schedule/idoam:duration]"},
		{"a negative duration", map[string]string{"duration": "-PT01:00:00"}, "invalid-value: the duration -PT01:00:00 is not positive [/idoam:preview-schedule/idoam:duration]"},
		{"no seconds", map[string]string{"recurrence-duration": "0"}, "invalid-value: a duration of 0 seconds is none [/idoam:preview-schedule/idoam:recurrence-duration]"},
		{"unknown zone", map[string]string{"time-zone-identifier": "Europe/Atlantis"},
			`invalid-value: there is no time zone "Europe/Atlantis"; one is Europe/Madrid, or UTC [/idoam:preview-schedule/idoam:time-zone-identifier]`},
		{"the zone of this host", map[string]string{"time-zone-identifier": "Local"},
			`invalid-value: there is no time zone "Local"; one is Europe/Madrid, or UTC [/idoam:preview-schedule/idoam:time-zone-identifier]`},
		{"a file for a zone", map[string]string{"time-zone-identifier": "../../etc/passwd"},
			`invalid-value: there is no time zone "../../etc/passwd"; one is Europe/Madrid, or UTC [/idoam:preview-schedule/idoam:time-zone-identifier]`},
		{"a start that is not in UTC", map[string]string{"utc-start-time": "2024-01-01T00:00:00+02:00"},
			"invalid-value: utc-start-time has to be in UTC, as 2024-07-08T09:00:00Z is [/idoam:preview-schedule/idoam:utc-start-time]"},
		{"an end that is not in UTC", map[string]string{"utc-until": "2024-01-01T00:00:00+02:00"},
			"invalid-value: utc-until has to be in UTC, as 2024-07-08T09:00:00Z is [/idoam:preview-schedule/idoam:utc-until]"},
		{"a date that is none", map[string]string{"period-start": "2024-02-30T00:00:00Z"},
			`invalid-value: "2024-02-30T00:00:00Z" is no date and time: 2024-02 has no day 30 [/idoam:preview-schedule/idoam:period-start]`},
		{"every error", map[string]string{"interval": "0", "count": "0"},
			"invalid-value: interval must not be 0 [/idoam:preview-schedule/idoam:interval]; invalid-value: count must not be 0 [/idoam:preview-schedule/idoam:count]"},
	}
	input := previewInput(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leafs := map[string]string{"period-start": start, "frequency": "daily"}
			for k, v := range tt.leafs {
				leafs[k] = v
			}
			_, err := FromData(definitionOf(input, leafs), Auto)
			if err == nil || err.Error() != tt.want {
				t.Errorf("FromData() = %v, want %s", err, tt.want)
			}
		})
	}
}

// A role that is asked for overrides what auto would take.
func TestRole(t *testing.T) {
	start := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	daily := Recurrence{Start: start, NotBefore: start, Frequency: Daily}
	tests := []struct {
		name   string
		def    Definition
		role   Role
		first  time.Duration // how long the first member lasts
		second bool
	}{
		{"an hour is a window", Definition{Recurrence: daily, Period: Duration{Seconds: 3600}}, Occurrence, time.Hour, true},
		{"a day is one", Definition{Recurrence: daily, Period: Duration{Days: 1}}, Occurrence, 24 * time.Hour, true},
		{"more than a day bounds", Definition{Recurrence: daily, Period: Duration{Seconds: 86401}}, Validity, 86401 * time.Second, true},
		{"one shot", Definition{Recurrence: daily, Period: Duration{Seconds: 3600}, Role: Validity}, Validity, time.Hour, false},
		{"a window longer than the step", Definition{Recurrence: daily, Period: Duration{Days: 2}, Role: Occurrence}, Occurrence, 48 * time.Hour, true},
		{"members with a length", Definition{Recurrence: daily, Period: Duration{Seconds: 3600}, Lasts: Duration{Seconds: 60}}, Validity, time.Minute, false},
		{"without an end", Definition{Recurrence: daily}, None, 0, true},
		{"without an end nothing is understood otherwise", Definition{Recurrence: daily, Role: Occurrence}, None, 0, true},
		{"no recurrence", Definition{Recurrence: Recurrence{Start: start, NotBefore: start}, Period: Duration{Seconds: 3600}}, Validity, time.Hour, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tt.def.Plan()
			if err != nil {
				t.Fatal(err)
			}
			if p.Role() != tt.role {
				t.Errorf("Role() = %s, want %s", p.Role(), tt.role)
			}
			s, ok := p.Next(start.Add(-1))
			if !ok || !s.Start.Equal(start) {
				t.Fatalf("the first member is %+v", s)
			}
			if s.End.IsZero() != (tt.first == 0) || tt.first != 0 && s.End.Sub(s.Start) != tt.first {
				t.Errorf("it ends at %s, want after %s", s.End, tt.first)
			}
			if _, ok := p.Next(start); ok != tt.second {
				t.Errorf("there is a second: %t, want %t", ok, tt.second)
			}
			_, before := p.Active(start.Add(-1))
			_, in := p.Active(start)
			if before || !in {
				t.Errorf("active before the start: %t, at it: %t", before, in)
			}
			if tt.first != 0 && !tt.second {
				if _, ok := p.Active(start.Add(tt.first)); ok {
					t.Error("active at the end")
				}
			}
		})
	}
}

func TestParseDuration(t *testing.T) {
	tests := []struct {
		in   string
		want Duration
		ok   bool
	}{
		{"PT01:00:00", Duration{0, 3600}, true},
		{"P1DT00:00:00", Duration{1, 0}, true},
		{"P1W", Duration{7, 0}, true},
		{"P2DT23:59:59", Duration{2, 86399}, true},
		{"+PT00:00:01", Duration{0, 1}, true},
		{"-P1DT00:00:01", Duration{-1, -1}, true},
		{"P999999999999999999999W", Duration{longest, 0}, true},
		{"PT1H", Duration{}, false},
		{"P1D", Duration{}, false},
		{"PT24:00:00", Duration{}, false},
		{"-P1W", Duration{}, false},
		{"P", Duration{}, false},
		{"", Duration{}, false},
		{"PW", Duration{}, false},
		{"PDT00:00:00", Duration{}, false},
	}
	for _, tt := range tests {
		got, err := ParseDuration(tt.in)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseDuration(%q) = %v, %v", tt.in, got, err)
		}
	}
}

func TestParseTime(t *testing.T) {
	tests := []struct{ in, want string }{
		{"2024-07-08T09:00:00+02:00", "2024-07-08T07:00:00Z"},
		{"2024-07-08T09:00:00-00:00", "2024-07-08T09:00:00Z"},
		{"2024-07-08T09:00:00.123456789123Z", "2024-07-08T09:00:00.123456789Z"},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
		{"2024-02-29T00:00:00-05:30", "2024-02-29T05:30:00Z"},
		{"2023-02-29T00:00:00Z", ""},
		{"2024-04-31T00:00:00Z", ""},
		{"2024-13-01T00:00:00Z", ""},
		{"2024-00-01T00:00:00Z", ""},
		{"2024-01-00T00:00:00Z", ""},
		{"2024-01-01T24:00:00Z", ""},
		{"2024-01-01T00:60:00Z", ""},
		{"2024-01-01T00:00:61Z", ""},
		{"2024-01-01T00:00:00+25:00", ""},
		{"2024-01-01T00:00:00+01:60", ""},
		{"2024-01-01T00:00:00", ""},
		{"2024-01-01T00:00:00.Z", ""},
		{"2024-01-01 00:00:00Z", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got, err := ParseTime(tt.in)
		if (err == nil) != (tt.want != "") || err == nil && data.FormatTime(got) != tt.want {
			t.Errorf("ParseTime(%q) = %s, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

// The delays of many names are even, and always the same.
func TestSpread(t *testing.T) {
	const longest, names, parts = 10 * time.Second, 100_000, 10
	var count [parts]int
	for i := range names {
		name := "test-" + string(rune('a'+i%26)) + time.Duration(i).String()
		d := Spread(name, longest)
		if d < 0 || d >= longest || d != Spread(name, longest) {
			t.Fatalf("Spread(%q) = %s", name, d)
		}
		count[int(d*parts/longest)]++
	}
	for i, n := range count {
		if n < names/parts*95/100 || n > names/parts*105/100 {
			t.Errorf("%d of %d names are in part %d of %d", n, names, i, parts)
		}
	}
	if Spread("x", 0) != 0 {
		t.Error("no spread delays")
	}
}
