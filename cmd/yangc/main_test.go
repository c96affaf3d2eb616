package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reference is the folder of the official modules, or the test is skipped.
func reference(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "yang-reference"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the reference modules are not here")
	}
	return dir
}

// first are modules that yanglint has to be given before another, so that they
// are implemented.
var first = map[string][]string{
	"ietf-network-vpn-pm":        {"ietf-vpn-common", "ietf-lime-time-types"},
	"ietf-tls-client":            {"ietf-tls-common"},
	"ietf-tls-server":            {"ietf-tls-common"},
	"ietf-https-notif-transport": {"ietf-http-client"},
}

const (
	annotated = "yanglint 2.1.30 crashes on a module that has annotations"
	mounted   = "libyang refuses the mount-point in an anydata of RFC 8532; the extension's placing is not checked here"
)

// failing are the modules whose tree yanglint 2.1.30 does not print, and why.
var failing = map[string]string{
	"ietf-netconf": annotated, "ietf-netconf-with-defaults": annotated, "ietf-origin": annotated, "ietf-list-pagination": annotated,
	"ietf-connectionless-oam": mounted, "ietf-connectionless-oam-methods": mounted,
	"ietf-notification-sequencing": "libyang 2.1.30 cannot augment a structure itself, only nodes in it",
}

// differing are the modules whose tree is another, and the lines that stand
// elsewhere.
var differing = map[string]struct{ reason, line string }{
	"ietf-subscribed-notifications": {
		"of the augments of nested uses libyang applies the outer before the inner; here a grouping is whole before it is augmented [RFC 7950 section 7.13]",
		"configured-replay",
	},
}

// TestTreeAsYanglint compares every tree of the reference folder with yanglint's.
func TestTreeAsYanglint(t *testing.T) {
	dir := reference(t)
	yanglint, err := exec.LookPath("yanglint")
	if err != nil {
		t.Skip("yanglint is not installed")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yang"))
	if err != nil || len(files) < 90 {
		t.Fatalf("%d reference modules, %v", len(files), err)
	}
	named := func(module string) string {
		found, _ := filepath.Glob(filepath.Join(dir, module+"@*.yang"))
		if len(found) != 1 {
			t.Fatalf("%s: %d files", module, len(found))
		}
		return found[0]
	}
	compared := 0
	for _, file := range files {
		module, _, _ := strings.Cut(filepath.Base(file), "@")
		var args []string
		for _, before := range first[module] {
			args = append(args, named(before))
		}
		args = append(args, file)
		want, err := exec.Command(yanglint, append([]string{"-f", "tree", "-p", dir}, args...)...).Output()
		var stdout, stderr bytes.Buffer
		if status := run(append([]string{"tree"}, args...), &stdout, &stderr); status != 0 {
			t.Errorf("%s: yangc tree exits with %d: %s", module, status, &stderr)
			continue
		}
		if reason := failing[module]; reason != "" {
			if err == nil {
				t.Errorf("%s: yanglint prints the tree, so this is no reason: %s", module, reason)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: yanglint: %v", module, err)
			continue
		}
		compared++
		diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(stdout.String(), "\n"))
		if d, ok := differing[module]; ok {
			if diff == "" || !strings.Contains(diff, d.line) || len(strings.Split(string(want), "\n")) != len(strings.Split(stdout.String(), "\n")) {
				t.Errorf("%s: differs otherwise than by %s:\n%s", module, d.reason, diff)
			}
			continue
		}
		if diff != "" {
			t.Errorf("%s: tree of yanglint (-) and ours (+):\n%s", module, diff)
		}
	}
	if want := len(files) - len(failing); compared != want {
		t.Errorf("%d trees were compared, want %d", compared, want)
	}
}

// TestLintReference finds no fault in the official modules, each on its own.
func TestLintReference(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run([]string{"lint", reference(t)}, &stdout, &stderr); status != 0 {
		t.Errorf("exit status %d: %s", status, &stderr)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	main := write(t, dir, "main.yang", "module main {\n  yang-version 1.1;\n  namespace \"urn:main\";\n  prefix m;\n  import other { prefix o; }\n  include part;\n"+
		"  container top { leaf a { type o:name; } uses part; }\n}\n")
	part := write(t, dir, "part.yang", "submodule part {\n  yang-version 1.1;\n  belongs-to main { prefix m; }\n  grouping part { leaf-list b { type int8; } }\n}\n")
	write(t, dir, "more/other@2020-01-01.yang", "module other { namespace \"urn:other\"; prefix o; revision 2020-01-01; }\n")
	write(t, dir, "more/other@2021-01-01.yang", "module other { namespace \"urn:other\"; prefix o; revision 2021-01-01; typedef name { type string; } feature f; container c { if-feature f; } }\n")
	bad := write(t, dir, "bad.yang", "module bad {\n  namespace \"urn:bad\";\n  prefix b;\n  leaf a { type nosuch; }\n  leaf c { type nosuch2; }\n}\n")
	for _, c := range []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"no command", nil, 2, "", "yangc: a command is missing ('yangc help' shows how it is used)\n"},
		{"unknown command", []string{"draw"}, 2, "", "yangc: there is no command \"draw\" ('yangc help' shows how it is used)\n"},
		{"help", []string{"help"}, 0, usage, ""},
		{"no file", []string{"lint"}, 2, "", "yangc: lint needs a file ('yangc help' shows how it is used)\n"},
		{"bad flag", []string{"tree", main, "--implemented", "some"}, 2, "", "yangc: --implemented takes nothing but all ('yangc help' shows how it is used)\n"},
		{"good", []string{"lint", main, "-p", filepath.Join(dir, "more")}, 0, "", ""},
		{"submodule", []string{"lint", "-p", filepath.Join(dir, "more"), part}, 0, "", ""},
		{"import is missing", []string{"lint", main}, 1, "", main + ":5:3: import \"other\": the module is not there\n"},
		{"all faults", []string{"lint", bad}, 1, "", bad + ":4:12: type \"nosuch\": no typedef \"nosuch\" in scope\n" + bad + ":5:12: type \"nosuch2\": no typedef \"nosuch2\" in scope\n"},
		{"folder without modules", []string{"lint", t.TempDir()}, 1, "", ": holds no *.yang file\n"},
		{"no such file", []string{"lint", filepath.Join(dir, "absent.yang")}, 1, "", "no such file or directory\n"},
		{"tree", []string{"tree", main, "-p", filepath.Join(dir, "more")}, 0, "module: main\n  +--rw top\n     +--rw a?   o:name\n     +--rw b*   int8\n", ""},
		{"two trees, all implemented", []string{"tree", "--implemented", "all", filepath.Join(dir, "more", "other@2021-01-01.yang"), main, "-p", filepath.Join(dir, "more")}, 0,
			"module: other\n  +--rw c {f}?\n\nmodule: main\n  +--rw top\n     +--rw a?   o:name\n     +--rw b*   int8\n", ""},
		{"tree of a bad module", []string{"tree", bad}, 1, "", "no typedef"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(c.args, &stdout, &stderr)
			if status != c.status || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) || c.stderr == "" && stderr.Len() > 0 {
				t.Errorf("run(%q) = %d, %q, %q; want %d, %q, %q", c.args, status, &stdout, &stderr, c.status, c.stdout, c.stderr)
			}
		})
	}
	var stdout bytes.Buffer
	if status := run([]string{"version"}, &stdout, &stdout); status != 0 || !strings.HasPrefix(stdout.String(), "yangc ") {
		t.Errorf("version: %d, %q", status, &stdout)
	}
}
