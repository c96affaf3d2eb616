package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"incidentd/cmd/internal/server"
)

func TestProfile(t *testing.T) {
	dir := initialised(t)
	status, _, stderr := call(t, "", "profile", "--data", dir, "--out", "-")
	if status != 1 || !strings.Contains(stderr, "no server runs") || !strings.Contains(stderr, "incidentd serve") {
		t.Errorf("without a server: %d, %s", status, stderr)
	}
	s, err := server.New(server.Config{DataDir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(t.Context()) })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--kind", "heap"}, {"--kind", "goroutine"}, {"--kind", "cpu", "--for", "50ms"}} {
		out, _ := must(t, "", append([]string{"profile", "--data", dir, "--out", "-"}, args...)...)
		if gzip := []byte{0x1f, 0x8b}; !bytes.HasPrefix([]byte(out), gzip) {
			t.Errorf("%v: %.20q is no profile", args, out)
		}
	}
	file := filepath.Join(t.TempDir(), "trace")
	must(t, "", "profile", "--data", dir, "--kind", "trace", "--for", "20ms", "--out", file)
	for why, args := range map[string][]string{
		"none of cpu, trace": {"--kind", "gpu"},
		"is not between":     {"--for", "11m"},
		"--out is missing":   {"--out", ""},
	} {
		if status, _, stderr := call(t, "", append([]string{"profile", "--data", dir, "--out", file}, args...)...); status != 2 || !strings.Contains(stderr, why) {
			t.Errorf("%v: %d, %s, want %q", args, status, stderr, why)
		}
	}
}
