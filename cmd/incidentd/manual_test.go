package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComplete(t *testing.T) {
	for line, want := range map[string][]string{
		"incidentd na":                          {"nacm"},
		"incidentd nacm ":                       {"show", "disable", "enable"},
		"incidentd user l":                      {"list"},
		"incidentd serve --l":                   {"--listen", "--log-json", "--log-level"},
		"incidentd serve --data ":               nil,
		"incidentd serve --log-json --data d -": {"--allow-https", "--from-startup", "--listen", "--log-level"},
		"incidentd no-such ":                    nil,
		"incidentd":                             nil,
	} {
		out, _ := must(t, "", "complete", line)
		var got []string
		for l := range strings.Lines(out) {
			word, _, _ := strings.Cut(l, " \t")
			got = append(got, word)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
	out, _ := must(t, "", "completion", "bash")
	if !strings.Contains(out, "complete -o nospace -o default -F _incidentd incidentd\n") {
		t.Errorf("the script of bash: %s", out)
	}
	if status, _, stderr := call(t, "", "completion", "tcsh"); status != 2 || !strings.Contains(stderr, "bash, zsh, fish") {
		t.Errorf("tcsh: %d, %s", status, stderr)
	}
}

// The page has every command and every option.
func TestManual(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	out, _ := must(t, "", "manual")
	if want := `.TH "INCIDENTD" 8 "2023-11-14" "incidentd `; !strings.HasPrefix(out, want) {
		t.Errorf("the page begins with %.60q, want %q", out, want)
	}
	for _, c := range commands() {
		if !strings.Contains(out, ".SS \"incidentd "+strings.ReplaceAll(c.name, "-", `\-`)) {
			t.Errorf("the page has no %s", c.name)
		}
	}
	if !strings.Contains(out, `.B \-\-authorized\-key FILE`) {
		t.Error("the page has no option --authorized-key")
	}
}
