package resolve

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTemplate(t *testing.T) {
	f := &facts{id: "inc-1", node: `P"1<&`, resource: "eth1", services: []string{"VPN-A", "VPN-B"}, run: "res-1"}
	for _, tt := range []struct {
		in, text, xml, fault string
	}{
		{"", "", "", ""},
		{"plain", "plain", "plain", ""},
		{"a{resource}b{run-id}", "aeth1bres-1", "aeth1bres-1", ""},
		{"{node}", `P"1<&`, "P&quot;1&lt;&amp;", ""},
		{"{service-instance}}", "VPN-A}", "VPN-A}", ""},
		{"{{node}", "{node}", "{node}", ""},
		{"{{{node}", `{P"1<&`, "{P&quot;1&lt;&amp;", ""},
		{"{nod}", "", "", "{nod} is no parameter"},
		{"{", "", "", "a brace is not closed"},
		{"x{node", "", "", "a brace is not closed"},
	} {
		parsed, err := parseTemplate(tt.in)
		if err != nil {
			if tt.fault == "" || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("parseTemplate(%q) = %v, want %q", tt.in, err, tt.fault)
			}
			continue
		}
		text, err := parsed.argument(f)
		if d := cmp.Diff([]string{tt.text, tt.xml}, []string{text, parsed.xml(f)}); d != "" || err != nil || tt.fault != "" {
			t.Errorf("%q filled: %v\n%s", tt.in, err, d)
		}
	}
}

// What could be more than a part of an argument is refused.
func TestArgument(t *testing.T) {
	for _, tt := range []struct{ in, value, fault string }{
		{"{node}", "-rf", "with its hyphen an option"},
		{"--node={node}", "-rf", ""},
		{"{node}", "a\nb", "control characters"},
		{"{node}", "a\x00b", "control characters"},
		{"{node}", strings.Repeat("x", 1025), "longer than"},
		{"{node}", "$(reboot); rm -rf /", ""},
	} {
		parsed, err := parseTemplate(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.argument(&facts{node: tt.value})
		switch {
		case tt.fault == "" && (err != nil || !strings.HasSuffix(got, tt.value)):
			t.Errorf("argument(%q) = %q, %v", tt.value, got, err)
		case tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)):
			t.Errorf("argument(%q) = %v, want %q", tt.value, err, tt.fault)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"*", "", true}, {"a*a", "a", false},
		{"a*b*c", "aXbYc", true}, {"a*b*c", "acb", false}, {"**", "x", true}, {"a*b*b", "ab", false}, {"Interface *", "Interface down", true},
	} {
		if got := glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("glob(%q, %q) = %t", tt.pattern, tt.s, got)
		}
	}
}

// The first procedure that fits is taken; why others are not is told.
func TestChoose(t *testing.T) {
	text := func(s string) template {
		parsed, err := parseTemplate(s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	c := &config{enabled: true, devices: map[string]*device{"P1": {name: "P1"}}, procedures: []*procedure{
		{name: "off", edit: text("<a/>")},
		{name: "other", enabled: true, match: matcher{causes: []string{"Fan*"}}, edit: text("<a/>")},
		{name: "tried", enabled: true, edit: text("<a/>")},
		{name: "no device", enabled: true, device: "P9", edit: text("<a/>")},
		{name: "no service", enabled: true, edit: text("<a>{service-instance}</a>")},
		{name: "option", enabled: true, hook: &command{program: "x", arguments: []template{text("{resource}")}}},
		{name: "taken", enabled: true, match: matcher{types: []string{"fault"}, nodes: []string{"P*"}}, edit: text("<a>{node}</a>")},
		{name: "later", enabled: true, edit: text("<a/>")},
	}}
	f := &facts{id: "inc-1", kind: "fault", node: "P1", resource: "-eth1", cause: "Interface down"}
	plan, not := c.choose(f, []string{"tried"})
	want := &Plan{Procedure: "taken", Device: "P1", Edit: "<a>P1</a>"}
	if d := cmp.Diff(want, plan); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
	wantNot := []unfit{{"tried", "it was tried for this incident and has not helped"}, {"no device", `there is no device "P9" to configure`},
		{"no service", "the incident has no service-instance"}, {"option", `its resource "-eth1" would begin an argument, and with its hyphen an option`}}
	if d := cmp.Diff(wantNot, not, cmp.AllowUnexported(unfit{})); d != "" {
		t.Errorf("unfit (-want +got):\n%s", d)
	}
}

func TestWorse(t *testing.T) {
	was := health{urgency: 3, hit: 2, out: 1}
	for _, tt := range []struct {
		now  health
		want string
	}{
		{was, ""}, {health{4, 2, 1}, "its priority has risen"}, {health{3, 3, 1}, "more services are hit"},
		{health{3, 2, 2}, "more services are without service"}, {health{1, 0, 0}, ""},
	} {
		if got := tt.now.worse(was); got != tt.want {
			t.Errorf("%+v is worse: %q, want %q", tt.now, got, tt.want)
		}
	}
}

// Whatever a template is, it is refused, or what is filled in has no braces left that were a
// parameter.
func FuzzTemplate(f *testing.F) {
	f.Add("a{node}{{b}")
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := parseTemplate(s)
		if err != nil {
			return
		}
		var back strings.Builder
		for _, p := range parsed {
			switch {
			case p.parameter != "":
				back.WriteString("{" + p.parameter + "}")
			default:
				back.WriteString(strings.ReplaceAll(p.text, "{", "{{"))
			}
		}
		if back.String() != s {
			t.Errorf("%q is read as %q", s, back.String())
		}
	})
}

// A row that is damaged is refused, and one that is read can be written again.
func FuzzRun(f *testing.F) {
	f.Add((&Run{Number: 1, Incident: "inc-1", Plan: Plan{Command: &Command{Program: "x"}}}).row())
	f.Fuzz(func(t *testing.T, row []byte) {
		r, err := parseRun(row)
		if err != nil {
			return
		}
		again, err := parseRun(r.row())
		if d := cmp.Diff(r.row(), again.row()); d != "" || err != nil {
			t.Errorf("%v\n%s", err, d)
		}
	})
}
