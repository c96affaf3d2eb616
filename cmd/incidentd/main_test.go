package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestMain is incidentd itself when it is asked to, for tests that kill it.
func TestMain(m *testing.M) {
	if os.Getenv("INCIDENTD_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// buffer is written and read by several goroutines.
type buffer struct {
	mu    sync.Mutex
	b     bytes.Buffer
	grown chan struct{} // one slot
}

func newBuffer() *buffer { return &buffer{grown: make(chan struct{}, 1)} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.grown <- struct{}{}:
	default:
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// await waits until the text holds what is wanted.
func (b *buffer) await(t testing.TB, want string) string {
	t.Helper()
	for !strings.Contains(b.String(), want) {
		select {
		case <-b.grown:
		case <-t.Context().Done():
			t.Fatalf("no %q in %s", want, b)
		}
	}
	return b.String()
}

// call runs a command line.
func call(t testing.TB, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &app{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs})
	return status, out.String(), errs.String()
}

// must runs a command line that succeeds.
func must(t testing.TB, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	status, stdout, stderr := call(t, stdin, args...)
	if status != 0 {
		t.Fatalf("incidentd %s = %d, %s", strings.Join(args, " "), status, stderr)
	}
	return stdout, stderr
}

const password = "correct horse"

// initialised makes a data directory.
func initialised(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	must(t, password+"\n", "init", "--data", dir, "--password-stdin")
	return dir
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyPair writes a private and a public key.
func keyPair(t testing.TB) (private, public string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "id", string(pem.EncodeToMemory(block))), write(t, "id.pub", string(ssh.MarshalAuthorizedKey(line)))
}

func TestCommandLine(t *testing.T) {
	ready, missing := initialised(t), filepath.Join(t.TempDir(), "missing")
	private, public := keyPair(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	damaged := initialised(t)
	if err := os.Truncate(filepath.Join(damaged, "store.db"), 5000); err != nil {
		t.Fatal(err)
	}
	open := initialised(t)
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	topology := write(t, "t.xml", `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id></network></networks>`)
	events := write(t, "e.jsonl", "")
	fresh := func() string { return filepath.Join(t.TempDir(), "data") }
	for _, tt := range []struct {
		name, args string
		stdin      string
		status     int
		says       string // in what is printed
	}{
		{"nothing", "", "", 2, "incidentd demo"},
		{"unknown command", "frobnicate", "", 2, `no command "frobnicate"`},
		{"help", "help", "", 0, "Usage: incidentd COMMAND"},
		{"--help", "--help", "", 0, "Usage: incidentd COMMAND"},
		{"help on a command", "help serve", "", 0, "--listen ADDRESS"},
		{"--help of a command", "replay --help", "", 0, "--topology FILE"},
		{"help on nothing known", "help x", "", 2, `no command "x"`},
		{"version", "version", "", 0, "incidentd "},
		{"--version", "--version", "", 0, "incidentd "},
		{"unknown flag", "serve --frob", "", 2, "serve has no option --frob; it has --allow-https, --data, --from-startup, "},
		{"argument", "serve x", "", 2, `takes no argument "x"`},

		{"init without data", "init --password-stdin", "", 2, "--data is missing"},
		{"init without means", "init --data " + fresh(), "", 2, "--password-stdin, --authorized-key FILE, or both"},
		{"init", "init --data " + fresh() + " --password-stdin", "secret\n", 0, "host key: SHA256:"},
		{"init tells what is next", "init --data " + fresh() + " --password-stdin", "secret", 0, "next: incidentd serve --data "},
		{"init with a key", "init --data " + fresh() + " --admin noc --authorized-key " + public, "", 0, "noc may log in"},
		{"init with both", "init --data " + fresh() + " --password-stdin --authorized-key " + public, "secret\n", 0, "may log in"},
		{"init twice", "init --data " + ready + " --password-stdin", "secret\n", 1, "run 'incidentd serve --data " + ready + "'"},
		{"init with an empty password", "init --data " + fresh() + " --password-stdin", "\n", 1, "standard input is not a usable password"},
		{"init with no password", "init --data " + fresh() + " --password-stdin", "", 1, "not a usable password"},
		{"init with a private key", "init --data " + fresh() + " --authorized-key " + private, "", 1, private + ".pub"},
		{"init with no key in the file", "init --data " + fresh() + " --authorized-key " + write(t, "k", "# none\n"), "", 1, "holds no key"},
		{"init with garbage", "init --data " + fresh() + " --authorized-key " + write(t, "k", "garbage\n"), "", 1, "authorized_keys"},
		{"init without the file", "init --data " + fresh() + " --authorized-key " + missing, "", 1, "no such file"},
		{"init over other files", "init --data " + filepath.Dir(topology) + " --password-stdin", "secret\n", 1, "choose a new or an empty directory"},
		{"init without a parent", "init --data " + filepath.Join(missing, "x") + " --password-stdin", "secret\n", 1, "no such file or directory"},

		{"serve without data", "serve", "", 2, "--data is missing"},
		{"serve on nothing", "serve --data " + missing, "", 1, "run 'incidentd init --data " + missing + "' first"},
		{"serve on an empty directory", "serve --data " + t.TempDir(), "", 1, "run 'incidentd init --data"},
		{"serve at a taken port", "serve --data " + ready + " --listen " + taken.Addr().String(), "", 1, "address already in use; another program listens there"},
		{"serve at no address", "serve --data " + ready + " --listen nowhere", "", 1, "missing port"},
		{"serve a damaged store", "serve --data " + damaged, "", 1, "restore a backup with"},
		{"serve an open directory", "serve --data " + open, "", 1, "chmod 700 " + open},
		{"serve with a wild level", "serve --data " + ready + " --log-level loud", "", 2, "none of debug, info, warn, error"},

		{"compact", "compact --data " + ready, "", 0, "bytes and has"},
		{"check", "check --data " + ready, "", 0, "is in order.\nhost key: SHA256:"},
		{"check counts", "check --data " + ready, "", 0, "configuration: 1 user, 0 networks"},
		{"check nothing", "check --data " + missing, "", 1, "run 'incidentd init"},
		{"check a damaged store", "check --data " + damaged, "", 1, "damaged"},
		{"backup without out", "backup --data " + ready, "", 2, "--out is missing"},
		{"backup a damaged store", "backup --data " + damaged + " --out " + fresh(), "", 1, "damaged"},
		{"backup over a file", "backup --data " + ready + " --out " + topology, "", 1, "--force"},
		{"backup into a directory", "backup --data " + ready + " --out " + ready, "", 1, "is a directory"},
		{"restore no backup", "restore --data " + fresh() + " --in " + topology, "", 1, "nothing was changed"},
		{"restore nothing", "restore --data " + fresh() + " --in " + missing, "", 1, "no such file"},

		{"demo too fast", "demo --every 1ms", "", 2, "one second is the least"},
		{"replay without events", "replay --topology " + topology + " --out -", "", 2, "--events is missing"},
		{"replay without topology", "replay --events - --out -", "", 2, "--topology is missing"},
		{"replay of nothing", "replay --topology " + topology + " --events - --out -", "", 0, "0 events, 0 incidents"},
		{"replay without the file", "replay --topology " + missing + " --events " + events + " --out -", "", 1, "missing: no such file"},
		{"replay on garbage", "replay --topology " + events + " --events " + events + " --out -", "", 1, "e.jsonl: XML at byte 0"},
		{"replay without networks", "replay --topology " + write(t, "t.xml", "<config/>") + " --events - --out -", "", 1, "no networks"},
		{"replay on an unknown element", "replay --topology " + write(t, "t.xml", `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><frob/></networks>`) + " --events - --out -", "", 1, `t.xml: unknown-element`},
		{"replay on a network without a name", "replay --topology " + write(t, "t.xml", `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network/></networks>`) + " --events - --out -", "", 1, "[/nw:networks/nw:network]"},
		{"replay of a bad event", "replay --topology " + topology + " --events - --out -", "{}\n{", 1, "-: line 1: "},
		{"replay with bad marks", "replay --topology " + topology + " --events - --out - --marks " + topology, "", 1, "t.xml: marks: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := call(t, tt.stdin, strings.Fields(tt.args)...)
			if status != tt.status || !strings.Contains(stdout+stderr, tt.says) {
				t.Errorf("incidentd %s = %d, want %d with %q\n%s%s", tt.args, status, tt.status, tt.says, stdout, stderr)
			}
			if status != 0 && strings.Count(stderr, "\n") != 1 {
				t.Errorf("incidentd %s: the error has not one line:\n%s", tt.args, stderr)
			}
			if status != 0 && stdout != "" {
				t.Errorf("incidentd %s failed and printed\n%s", tt.args, stdout)
			}
		})
	}
}

func TestBackupAndRestore(t *testing.T) {
	dir := initialised(t)
	file := filepath.Join(t.TempDir(), "backup.tar")
	must(t, "", "backup", "--data", dir, "--out", file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode is %v, %v", info.Mode(), err)
	}
	before, _ := must(t, "", "check", "--data", dir)
	to := filepath.Join(t.TempDir(), "restored")
	after, _ := must(t, "", "restore", "--data", to, "--in", file)
	key := func(s string) string {
		_, s, _ = strings.Cut(s, "host key: ")
		s, _, _ = strings.Cut(s, "\n")
		return s
	}
	if key(before) != key(after) || key(after) == "" {
		t.Errorf("restored:\n%s, was:\n%s", after, before)
	}
	if status, _, stderr := call(t, "", "restore", "--data", to, "--in", file); status != 1 || !strings.Contains(stderr, "--force") {
		t.Errorf("restore over a directory = %d, %s", status, stderr)
	}
	// Through a pipe, and over what is there.
	archive, _ := must(t, "", "backup", "--data", dir, "--out", "-")
	must(t, archive, "restore", "--data", to, "--in", "-", "--force")
	must(t, "", "backup", "--data", dir, "--out", file, "--force")
	must(t, "", "check", "--data", to)
	must(t, "", "compact", "--data", to)
	must(t, "", "check", "--data", to)
}

func TestHelpNamesEveryCommand(t *testing.T) {
	overview, _ := must(t, "", "help")
	for _, c := range commands() {
		text, _ := must(t, "", append([]string{"help"}, strings.Fields(c.name)...)...)
		if !strings.Contains(overview, "  "+c.name+" ") || !strings.Contains(text, "Usage: incidentd "+c.name) {
			t.Errorf("no help on %s", c.name)
		}
		for line := range strings.Lines(overview + text) {
			if len(line) > 121 {
				t.Errorf("a line of help on %s is %d long: %s", c.name, len(line), line)
			}
		}
	}
}

// A file that cannot be finished is not there, and what was there stays.
func TestOutput(t *testing.T) {
	path := write(t, "out", "before")
	status, _, _ := call(t, "{", "replay", "--topology", write(t, "t.xml", `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id></network></networks>`), "--events", "-", "--out", path)
	if text, err := os.ReadFile(path); status != 1 || err != nil || string(text) != "before" {
		t.Errorf("status %d, the file holds %q, %v", status, text, err)
	}
	entries, err := fs.ReadDir(os.DirFS(filepath.Dir(path)), ".")
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
