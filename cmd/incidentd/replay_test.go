package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"incidentd/cmd/internal/demo"
)

// root finds the repository.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// recording are the flags for a recorded network, which the test needs.
func recording(t testing.TB, name string) []string {
	t.Helper()
	dir := filepath.Join(root(t), "..", "shared", "data", "correlation", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the recorded networks are not here: %v", err)
	}
	file := func(n string) string { return filepath.Join(dir, n) }
	return []string{"replay", "--topology", file("topology.xml"), "--events", file("events.jsonl"), "--inventory", file("inventory.json"),
		"--alarm-types", file("alarm-types.json"), "--marks", file("marks.json"), "--out"}
}

// The keys of an incident's object, in their order.
var keys = []string{"incident-id", "csn", "name", "type", "domain", "category", "priority", "status", "raise-time", "clear-time",
	"events", "root-causes", "root-events", "service-instances", "ticket", "labels", "explanation"}

func TestReplay(t *testing.T) {
	for _, name := range []string{"dev-small", "dev"} {
		t.Run(name, func(t *testing.T) {
			args := recording(t, name)
			file := filepath.Join(t.TempDir(), "out.jsonl")
			_, stderr := must(t, "", append(slices.Clone(args), file)...)
			first, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			second, _ := must(t, "", append(slices.Clone(args), "-")...)
			if string(first) != second {
				t.Error("two runs give different bytes")
			}
			lines := bytes.Split(bytes.TrimSpace(first), []byte("\n"))
			if len(lines) < 3 || !strings.Contains(stderr, " incidents (") {
				t.Fatalf("%d incidents; %s", len(lines), stderr)
			}
			for _, line := range lines {
				d := json.NewDecoder(bytes.NewReader(line))
				var have []string
				depth := 0
				for expectKey := false; ; {
					token, err := d.Token()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatalf("%s: %v", line, err)
					}
					switch v := token.(type) {
					case json.Delim:
						if v == '{' || v == '[' {
							depth++
						} else {
							depth--
						}
						expectKey = depth == 1
					case string:
						if depth == 1 && expectKey {
							have = append(have, v)
							expectKey = false
							continue
						}
						expectKey = depth == 1
					default:
						expectKey = depth == 1
					}
				}
				if have = slices.DeleteFunc(have, func(k string) bool { return k == "merged-into" }); !slices.Equal(have, keys) {
					t.Fatalf("the keys are %q, want %q", have, keys)
				}
			}
		})
	}
}

// Networks come from --config as well, whatever else it holds; repeated events count
// once.
func TestReplayConfig(t *testing.T) {
	config := write(t, "config.xml", `<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>x</hostname></system>`+string(demo.Networks())+`</config>`)
	topology := write(t, "topology.xml", string(demo.Networks()))
	line := `{"id":"%","arrival":"2026-03-04T00:50:40Z","time":"2026-03-04T00:50:40Z","kind":"alarm","node":"P1","resource":"eth1","alarm-type-id":"link-down","alarm-type-qualifier":"","severity":"critical"}` + "\n"
	events := write(t, "e.jsonl", strings.Replace(line, "%", "a", 1)+strings.Replace(line, "%", "a", 1))
	a, stderr := must(t, "", "replay", "--config", config, "--events", events, "--out", "-")
	if !strings.Contains(a, `"incident-id":"inc-1"`) || !strings.Contains(stderr, "1 events with an id that came before") {
		t.Errorf("replay = %s, %s", a, stderr)
	}
	b, _ := must(t, "", "replay", "--topology", topology, "--config", config, "--events", events, "--out", "-")
	if a != b {
		t.Errorf("with the same networks twice:\n%s, once:\n%s", b, a)
	}
}
