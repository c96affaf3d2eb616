package correlate

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestScenarios plays testdata/scenario/*.txt. A line is "TIME EVENT", "until TIME",
// "TIME merge INCIDENT OTHER…", "TIME split INCIDENT EVENT…" or "TIME move INCIDENT EVENT…";
// what follows "-- want --" are the decisions and the last explanation.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenario/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script, want, _ := strings.Cut(string(b), "-- want --\n")
			got := play(t, script)
			if *update {
				b := append(bytes.TrimRight([]byte(script), "\n"), "\n-- want --\n"+got...)
				if err := os.WriteFile(file, b, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func play(t *testing.T, script string) string {
	t.Helper()
	d := newDesk(t, layers, layersInventory, Config{})
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || word == "#":
		case line == "network figure":
			d = newDesk(t, figure, nil, Config{})
		case line == "network layers":
		default:
			if word == "until" {
				word, rest = rest, ""
			}
			at, err := time.ParseDuration(word)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			switch f := strings.Fields(rest); {
			case rest == "":
				d.until(at)
			case slices.Contains([]string{"merge", "split", "move"}, f[0]):
				d.command(at, f)
			default:
				d.at(at, rest)
			}
			if err := d.e.check(); err != nil {
				t.Fatalf("after %s: %v", line, err)
			}
		}
	}
	out := d.log()
	if n := len(d.ds); n > 0 {
		out += "\n" + d.ds[n-1].Incident.Explanation()
	}
	return out
}
