package correlate

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestScore holds the score of the recorded networks above a floor.
func TestScore(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	for _, c := range []struct {
		name  string
		floor float64
	}{{"dev-small", 0.97}, {"dev", 0.985}} {
		t.Run(c.name, func(t *testing.T) {
			r := load(t, c.name)
			dir := t.TempDir()
			if d := os.Getenv("INCIDENTD_OUT"); d != "" {
				dir = d
			}
			out, res := filepath.Join(dir, c.name+".jsonl"), filepath.Join(dir, c.name+".json")
			if err := os.WriteFile(out, r.replay(), 0o600); err != nil {
				t.Fatal(err)
			}
			text, err := exec.Command(python, filepath.Join(shared(t), "tools", "score.py"), r.dir, out, "--kinds", "--json", res).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			t.Logf("\n%s", text)
			b, err := os.ReadFile(res)
			if err != nil {
				t.Fatal(err)
			}
			var rows []struct{ S float64 }
			if err := json.Unmarshal(b, &rows); err != nil || len(rows) != 1 {
				t.Fatalf("%v: %s", err, b)
			}
			if rows[0].S < c.floor {
				t.Errorf("S = %.3f, below %.3f", rows[0].S, c.floor)
			}
		})
	}
}
