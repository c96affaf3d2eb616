package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/load"
	"incidentd/cmd/internal/server"
	"incidentd/netconf/auth"
)

// serve starts a server and returns its address and the file of a key that may log in.
func serve(t *testing.T) (address, key string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	key = filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.ParseAuthorizedKeys(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := server.Init(dir, server.Admin{Name: "admin", Keys: keys}); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Config{DataDir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s.Addr().String(), key
}

// Every workload runs against a real server, in both versions of the protocol.
func TestAll(t *testing.T) {
	address, key := serve(t)
	for _, more := range [][]string{nil, {"--base10"}} {
		t.Run(strings.Join(more, " "), func(t *testing.T) {
			args := append([]string{"--server", address, "--key", key, "--nodes", "120", "--sessions", "2", "--batch", "50", "--subscribers", "2",
				"--duration", "10ms", "--warmup", "1ms", "--runs", "2", "--pid", strconv.Itoa(os.Getpid()), "--timeout", "20s", "--json", "all"}, more...)
			var stdout, stderr bytes.Buffer
			if status := run(t.Context(), args, &stdout, &stderr); status != 0 {
				t.Fatalf("status %d\n%s%s", status, &stdout, &stderr)
			}
			var results []load.Result
			if err := json.Unmarshal(stdout.Bytes(), &results); err != nil {
				t.Fatal(err)
			}
			if len(results) != len(load.Workloads()) {
				t.Errorf("%d results of %d workloads", len(results), len(load.Workloads()))
			}
			for _, r := range results {
				if r.Failed != "" || r.Skipped != "" || r.RSS == 0 || r.Rate == 0 && r.Finding == "" {
					t.Errorf("%+v", r)
				}
				for _, run := range r.Runs {
					if run.Operations == 0 || run.Missing != 0 || run.Seconds <= 0 || run.Max < run.P50 {
						t.Errorf("%s: %+v", r.Workload, run)
					}
				}
			}
			for name, want := range map[string]string{"early-rpc": "answered after", "hold": "2 of 2 sessions", "push": "kB after"} {
				i := 0
				for results[i].Workload != name {
					i++
				}
				if !strings.Contains(results[i].Finding, want) {
					t.Errorf("%s: %q, want %q in it", name, results[i].Finding, want)
				}
			}
			if !strings.Contains(stderr.String(), "load: run 2 of 2, 100 nodes of 120") {
				t.Errorf("the progress does not tell how far load is:\n%s", &stderr)
			}
		})
	}
}

// A table is printed for people, and --keep leaves the nodes for the next time.
func TestTable(t *testing.T) {
	address, key := serve(t)
	args := []string{"--server", address, "--key", key, "--nodes", "30", "--duration", "1ms", "--warmup", "0", "--runs", "1", "--quiet", "--keep", "load", "get-one"}
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), args, &stdout, &stderr); status != 0 || stderr.Len() > 0 {
		t.Fatalf("status %d\n%s%s", status, &stdout, &stderr)
	}
	lines := strings.Split(stdout.String(), "\n")
	if len(lines) < 3 || !strings.HasPrefix(lines[0], "WORKLOAD") || !strings.HasPrefix(lines[1], "load ") || !strings.HasPrefix(lines[2], "get-one ") || !strings.Contains(lines[2], "replies") {
		t.Errorf("the table is\n%s", &stdout)
	}
}

func TestMisuse(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	t.Setenv("HOME", t.TempDir())
	for _, c := range []struct {
		name, args, want string
		status           int
	}{
		{"no workload", "--server localhost:830", "a workload is missing", 2},
		{"unknown workload", "conect", `there is no workload "conect"`, 2},
		{"unknown flag", "--colour connect", "-colour", 2},
		{"no port", "--server localhost connect", "missing port", 2},
		{"no nodes", "--nodes -1 connect", "--nodes has to be 1 or more", 2},
		{"too many nodes", "--nodes 10000001 connect", "10000000 or less", 2},
		{"no credentials", "connect", "neither a --key nor a password", 2},
		{"no such key", "--key " + key + " connect", "no such file", 1},
		{"nobody there", "--server 127.0.0.1:1 --password-file " + key + ".password --insecure connect", "connection refused", 1},
		{"unknown server and password", "--password-file " + key + ".password connect", "give its --host-key, or --insecure", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(key+".password", []byte("secret\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), strings.Fields(c.args), &stdout, &stderr)
			if status != c.status || !strings.Contains(stdout.String()+stderr.String(), c.want) {
				t.Errorf("status %d, want %d with %q\n%s%s", status, c.status, c.want, &stdout, &stderr)
			}
			if strings.Contains(stdout.String()+stderr.String(), "secret") {
				t.Error("the password is told")
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout bytes.Buffer
	if status := run(t.Context(), []string{"--help"}, &stdout, &stdout); status != 0 {
		t.Errorf("status %d", status)
	}
	for _, w := range load.Workloads() {
		if !strings.Contains(stdout.String(), w.Summary) {
			t.Errorf("the help does not tell of %s", w.Name)
		}
	}
}
