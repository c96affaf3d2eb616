package modules

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openconfig/goyang/pkg/yang"
)

// parse returns the statement of the one module in an embedded file.
func parse(t *testing.T, file string) *yang.Statement {
	t.Helper()
	text, err := FS.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	statements, err := yang.Parse(string(text), file)
	if err != nil {
		t.Fatal(err)
	}
	if len(statements) != 1 || statements[0].Keyword != "module" {
		t.Fatalf("%s: want one module statement, got %d statements", file, len(statements))
	}
	return statements[0]
}

// arguments returns the arguments of the substatements with the keyword.
func arguments(s *yang.Statement, keyword string) []string {
	var all []string
	for _, sub := range s.SubStatements() {
		if sub.Keyword == keyword {
			all = append(all, sub.Argument)
		}
	}
	return all
}

func TestNames(t *testing.T) {
	names := Names()
	if !slices.IsSorted(names) {
		t.Errorf("Names() = %q, not sorted", names)
	}
	onDisk, err := filepath.Glob("*.yang")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(onDisk, names); diff != "" {
		t.Errorf("the folder (-) and Names (+) differ:\n%s", diff)
	}
	revisions := make(map[string]string)
	for _, name := range names {
		module, revision, ok := Split(name)
		if !ok {
			t.Errorf("%s: not MODULE@REVISION.yang", name)
		}
		if other, twice := revisions[module]; twice {
			t.Errorf("%s has the revisions %s and %s", module, other, revision)
		}
		revisions[module] = revision
	}
	for _, need := range []string{
		"iana-crypt-hash", "ietf-alarms", "ietf-datastores", "ietf-factory-default", "ietf-incident",
		"ietf-incident-types", "ietf-inet-types", "ietf-list-pagination", "ietf-list-pagination-nc", "ietf-netconf", "ietf-netconf-acm",
		"ietf-netconf-monitoring", "ietf-netconf-nmda", "ietf-netconf-with-defaults", "ietf-netconf-notifications", "ietf-netconf-partial-lock",
		"ietf-network", "ietf-network-topology", "ietf-origin", "ietf-system", "ietf-system-capabilities",
		"ietf-yang-library", "ietf-yang-metadata", "ietf-yang-types",
		"incidentd-alarm-types", "incidentd-collector", "incidentd-events",
		"incidentd-history", "incidentd-incident", "nc-notifications", "notifications",
	} {
		if revisions[need] == "" {
			t.Errorf("module %s is missing", need)
		}
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		file, module, revision string
		ok                     bool
	}{
		{"ietf-alarms@2019-09-11.yang", "ietf-alarms", "2019-09-11", true},
		{"ietf-alarms.yang", "", "", false},
		{"ietf-alarms@2019-09-11.yin", "", "", false},
		{"@2019-09-11.yang", "", "", false},
		{"ietf-alarms@.yang", "", "", false},
		{"", "", "", false},
	}
	for _, tt := range tests {
		module, revision, ok := Split(tt.file)
		if module != tt.module || revision != tt.revision || ok != tt.ok {
			t.Errorf("Split(%q) = %q, %q, %v, want %q, %q, %v",
				tt.file, module, revision, ok, tt.module, tt.revision, tt.ok)
		}
	}
}

func TestSource(t *testing.T) {
	want, err := FS.ReadFile("ietf-alarms@2019-09-11.yang")
	if err != nil {
		t.Fatal(err)
	}
	for _, revision := range []string{"", "2019-09-11"} {
		got, err := Source("ietf-alarms", revision)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("Source(ietf-alarms, %q) = %d bytes, %v, want %d bytes",
				revision, len(got), err, len(want))
		}
	}
	for _, tt := range []struct{ module, revision string }{
		{"ietf-alarms", "2022-06-06"},
		{"ietf-alarm", ""},
		{"", ""},
		{"../modules/ietf-alarms", ""},
	} {
		if got, err := Source(tt.module, tt.revision); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Source(%q, %q) = %d bytes, %v, want fs.ErrNotExist",
				tt.module, tt.revision, len(got), err)
		}
	}
}

// TestWellFormed holds that each file is UTF-8 YANG with the name and newest
// revision of its file, and that its imports are here.
func TestWellFormed(t *testing.T) {
	here := make(map[string]bool)
	prefixes, namespaces := make(map[string]string), make(map[string]string)
	for _, file := range Names() {
		module, _, _ := Split(file)
		here[module] = true
	}
	for _, file := range Names() {
		t.Run(file, func(t *testing.T) {
			module, revision, _ := Split(file)
			s := parse(t, file)
			if s.Argument != module {
				t.Errorf("module %s, want %s", s.Argument, module)
			}
			revisions := arguments(s, "revision")
			if len(revisions) == 0 || slices.Max(revisions) != revision {
				t.Errorf("revisions %q, want %s as the newest", revisions, revision)
			}
			for _, imported := range arguments(s, "import") {
				if !here[imported] {
					t.Errorf("imports %s, which is not here", imported)
				}
			}
			for keyword, seen := range map[string]map[string]string{
				"prefix": prefixes, "namespace": namespaces,
			} {
				values := arguments(s, keyword)
				if len(values) != 1 {
					t.Fatalf("%s statements %q, want one", keyword, values)
				}
				if other, twice := seen[values[0]]; twice {
					t.Errorf("%s %s is that of %s too", keyword, values[0], other)
				}
				seen[values[0]] = module
			}
			if rest, ours := strings.CutPrefix(module, "incidentd-"); ours {
				want := []string{"urn:incidentd:yang:" + rest}
				if diff := cmp.Diff(want, arguments(s, "namespace")); diff != "" {
					t.Errorf("namespace (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestDescribed holds that a reader of a schema finds a description at whatever
// has a meaning of its own.
func TestDescribed(t *testing.T) {
	described := []string{
		"module", "typedef", "identity", "feature", "extension", "grouping", "augment",
		"container", "list", "leaf", "leaf-list", "choice", "anydata", "anyxml",
		"rpc", "action", "notification", "enum", "bit",
	}
	var visit func(t *testing.T, s *yang.Statement)
	visit = func(t *testing.T, s *yang.Statement) {
		if slices.Contains(described, s.Keyword) {
			texts := arguments(s, "description")
			if len(texts) != 1 || strings.TrimSpace(texts[0]) == "" {
				t.Errorf("%s: %s %s has no description", s.Location(), s.Keyword, s.Argument)
			}
		}
		for _, sub := range s.SubStatements() {
			visit(t, sub)
		}
	}
	for _, file := range Names() {
		visit(t, parse(t, file))
	}
}

// TestAlarmTypes holds the two levels of our alarm types: groups below the base
// of RFC 8632, types below groups.
func TestAlarmTypes(t *testing.T) {
	groups := make(map[string][]string)
	var standalone []string
	module := parse(t, "incidentd-alarm-types@2026-11-21.yang")
	for _, s := range module.SubStatements() {
		if s.Keyword != "identity" {
			continue
		}
		bases := arguments(s, "base")
		if len(bases) != 1 {
			t.Fatalf("identity %s has the bases %q, want one", s.Argument, bases)
		}
		if bases[0] == "al:alarm-type-id" {
			standalone = append(standalone, s.Argument)
			continue
		}
		if !slices.Contains(standalone, bases[0]) {
			t.Errorf("identity %s: base %s is no group", s.Argument, bases[0])
		}
		groups[bases[0]] = append(groups[bases[0]], s.Argument)
	}
	want := map[string][]string{
		"communications": {
			"link-down", "loss-of-signal", "server-signal-fail", "igp-down",
			"igp-peer-abnormal", "igp-adjacency-down", "bfd-session-down",
			"bgp-peer-down", "ldp-session-down", "tunnel-down",
		},
		"quality-of-service": {
			"packet-loss", "path-delay", "interface-errors", "queue-drops",
			"utilisation-high",
		},
		"equipment":   {"transceiver-fault", "line-card-failure", "process-restart"},
		"environment": {"power-failure", "battery-low", "temperature-high"},
		"processing":  {"cpu-high", "memory-high"},
		"service":     {"service-connectivity-lost", "service-degraded"},
		"management":  {"node-unreachable", "configuration-changed"},
	}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("alarm types (-want +got):\n%s", diff)
	}
	if !slices.Contains(standalone, "reported") {
		t.Error("identity reported is missing")
	}
}

// warned are modules whose when libyang warns of: of one that asks for a node that is not
// there, and of those that name an identity of a module which is only imported there.
var warned = []string{"ietf-netconf-notifications", "ietf-list-pagination", "ietf-list-pagination-nc"}

// TestYanglint has each module compiled by libyang, where its tool is installed.
func TestYanglint(t *testing.T) {
	if testing.Short() {
		t.Skip("short: yanglint is not asked")
	}
	tool, err := exec.LookPath("yanglint")
	if err != nil {
		t.Skip("yanglint is not installed")
	}
	for _, file := range Names() {
		out, err := exec.Command(tool, "-p", ".", file).CombinedOutput()
		module, _, _ := strings.Cut(file, "@")
		if slices.Contains(warned, module) && err == nil {
			continue
		}
		if err != nil || len(out) > 0 {
			t.Errorf("yanglint %s: %v\n%s", file, err, out)
		}
	}
}

// TestEquivalent compares the schema of each standard module with the published
// one, where the reference material lies beside the repository.
func TestEquivalent(t *testing.T) {
	tool := filepath.Join(root(t), "..", "shared", "tools", "yang-equiv")
	if _, err := os.Stat(tool); err != nil {
		t.Skip("no reference material: ../shared/tools/yang-equiv is absent")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	out, err := exec.Command(python, tool, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("yang-equiv: %v\n%s", err, out)
	}
	// Only modules of this project, and that of RFC 5717, may be unknown to the reference.
	verdicts := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 2 {
			verdicts[f[1]] = f[0]
		}
	}
	for _, file := range Names() {
		want := "equivalent"
		if strings.HasPrefix(file, "incidentd-") || strings.HasPrefix(file, "ietf-netconf-partial-lock@") {
			want = "unknown"
		}
		if got := verdicts[strings.TrimSuffix(file, extension)]; got != want {
			t.Errorf("yang-equiv %s = %q, want %q\n%s", file, got, want, out)
		}
	}
}

// TestOwnText compares the modules that were drawn up beside the repository with
// their embedded copies: they are used exactly as they stand.
func TestOwnText(t *testing.T) {
	folder := filepath.Join(root(t), "..", "shared", "yang-own")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("no reference material: ../shared/yang-own is absent")
	}
	const file = "incidentd-events@2026-11-21.yang"
	want, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	got, err := FS.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// root returns the folder with go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = parent
	}
}
