package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"incidentd/cmd/internal/load"
)

func TestReport(t *testing.T) {
	runs := []load.Run{{Operations: 1}}
	text := report([]row{
		{what: "edits", netopeer2: "77/s", netconfd: "0.23/s", ratio: 5000, target: "1,500/s",
			ours:   &load.Result{Workload: "edit-one", Rate: 1500, CPU: 0.5, Runs: runs},
			theirs: &load.Result{Workload: "edit-one", Rate: 0.25, CPU: 2000, Runs: runs}},
		{what: "all", ratio: 4, target: "150 MB/s",
			ours:   &load.Result{Workload: "get-all", Rate: 50, BytesPerSecond: 150e6, CPU: 5, Runs: runs},
			theirs: &load.Result{Workload: "get-all", Rate: 5, BytesPerSecond: 30e6, CPU: 100, Runs: runs}},
		{what: "slow", target: "no slower",
			ours: &load.Result{Workload: "slow-reader", Finding: "5 ms", Runs: runs}, theirs: &load.Result{Workload: "slow-reader", Failed: "no | answer\nin time"}},
		{what: "push", oursAlone: true, ours: &load.Result{Workload: "push", Finding: "both come"}},
		{what: "not measured"},
	}, "a machine", time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	for _, want := range []string{
		"Measured on 2026-11-22 on a machine;",
		"| edits | 77/s | 0.23/s | 0.25/s, 2.0 s CPU | 1,500/s, 0.50 ms CPU | 6,000 x / 1:4,000 | 5,000 x: 1,500/s |",
		"| all |  |  | 30.0 MB/s | 150 MB/s | 5.0 x / 1:20.0 | 4 x: 150 MB/s |",
		"| slow |  |  | fails: no / answer in time | 5 ms |  | no slower |",
		"| push |  |  | – | both come |  |  |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "not measured") {
		t.Error("a row that was not measured is there")
	}
}

func TestReplaceBetween(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b.md")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + begin + "old\n" + stop + "after\n")
	if err := replaceBetween(file, "new\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "before\n"+begin+"new\n"+stop+"after\n" {
		t.Errorf("%s, %v", text, err)
	}
	write("no markers\n")
	if err := replaceBetween(file, "new\n"); err == nil {
		t.Error("a file without markers is written")
	}
	if text, _ := os.ReadFile("../../../BENCHMARKS.md"); !strings.Contains(string(text), begin) || !strings.Contains(string(text), stop) {
		t.Error("BENCHMARKS.md has no place for the comparison")
	}
}

// The real server is started, measured, killed and stopped.
func TestRows(t *testing.T) {
	for _, r := range rows() {
		if r.measured == nil || r.what == "" {
			t.Errorf("%+v", r)
		}
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "incidentd")
	if text, err := exec.Command("go", "build", "-o", bin, "incidentd/cmd/incidentd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	key, signer, err := makeKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	p := &incidentd{bin: bin, dir: filepath.Join(dir, "server"), key: key, signer: signer}
	r, err := (&row{measured: workload("early-rpc", running, load.Settings{}, false)}).measure(t.Context(), p, "early")
	if err != nil || !strings.Contains(r.Finding, "answered after") {
		t.Errorf("%+v, %v", r, err)
	}
	if p.process.ProcessState == nil {
		t.Error("the server is still there")
	}
	if err := p.start(t.Context(), running, false); err != nil {
		t.Fatal(err)
	}
	defer func() { p.stop() }()
	got, err := load.NewBench(p.server()).Crash(t.Context(), load.Settings{Nodes: 20, Duration: 50 * time.Millisecond}, 2,
		func() error { return killed(p) }, func() error { return p.start(t.Context(), running, true) })
	if err != nil || got.Finding != "2 of 2 times all that was acknowledged is there after the restart" {
		t.Errorf("%+v, %v", got, err)
	}
}
