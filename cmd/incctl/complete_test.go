package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	l := newLive(t)
	var b strings.Builder
	for _, line := range []string{
		"incctl co", "incctl get-config --sou", "incctl get-config --source ", "incctl get-config --source=ca",
		"incctl get /sys", "incctl get /system/", "incctl set /system-", "incctl get /networks/network=", "incctl get /networks/network=ip/no",
		"incctl get /networks/network=ip/node=P", "incctl get /networks/network=ip/link=P2-PE2/source/",
		"incctl set /networks/network=VPN-A/node=PE1/supporting-node=", "incctl set /networks/network=VPN-A/node=PE1/supporting-node=ip,",
		"incctl set /networks/network=VPN-A/supporting-network=ip/network-ref ", "incctl set /system/clock/timezone-utc-offset ",
		"incctl set /netconf-state ", "incctl --user admin get /system/auth", "incctl schema ietf-net", "incctl schema /system/cl",
		"incctl lock -- set /system/host", "incctl kill-session ", "incctl diff ", "incctl diff ca", "incctl completion ", "incctl get /nowhere/",
		"incctl get '/system/au", "incctl version ", "incctl show ", "",
	} {
		p := l.run("", "complete", line)
		l.want(0, "", p)
		b.WriteString("$ " + line + "\n" + strings.ReplaceAll(p.stdout.String(), "\t", "|") + "\n")
	}
	golden(t, "complete", b.String())
}

// Bash completes with the script that incctl prints, in spite of its word breaks.
func TestCompletionBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	l := newLive(t)
	dir := t.TempDir()
	// The script calls incctl by its name.
	if err := os.WriteFile(filepath.Join(dir, "incctl"), []byte("#!/bin/sh\nINCCTL_MAIN=1 exec "+os.Args[0]+` "$@"`+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	complete := func(line string) string {
		cmd := exec.Command(bash, "--norc", "-c", `source <(incctl completion bash); COMP_LINE=$1 COMP_POINT=${#1}; _incctl; printf '[%s]' "${COMPREPLY[@]}"`, "bash", line)
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "INCCTL_PASSWORD=" + admin.Password, "INCCTL_SERVER=" + l.s.Addr().String()}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	for _, tt := range []struct{ line, want string }{
		{"incctl rol", "[rollback ]"},
		{"incctl get /system-st", "[/system-state/]"},
		{"incctl get /networks/network=i", "[ip]"},
		{"incctl get /networks/network=ip/node=PE", "[PE1][PE2]"},
		{"incctl get /ietf-system:system/cl", "[system/clock/]"},
	} {
		if got := complete(tt.line); got != tt.want {
			t.Errorf("%q is completed with %s, want %s", tt.line, got, tt.want)
		}
	}
}

func TestSplitWords(t *testing.T) {
	for _, tt := range []struct {
		line  string
		words string
		open  bool
		fault bool
	}{
		{"", "", false, false},
		{"  a  b ", "a|b", false, false},
		{"a b", "a|b", true, false},
		{`a "b c" 'd "e'`, `a|b c|d "e`, true, false},
		{`a\ b \"`, `a b|"`, true, false},
		{`'' x`, `|x`, true, false},
		{`a 'b`, `a|b`, true, true},
		{`a \`, `a|`, true, true},
	} {
		words, open, err := splitWords(tt.line)
		if got := strings.Join(words, "|"); got != tt.words || open != tt.open || (err != nil) != tt.fault {
			t.Errorf("splitWords(%q) = %q, %t, %v; want %q, %t, fault %t", tt.line, got, open, err, tt.words, tt.open, tt.fault)
		}
	}
}
