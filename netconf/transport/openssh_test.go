package transport

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// TestOpenSSH talks to the server with the ssh that is installed.
func TestOpenSSH(t *testing.T) {
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("no ssh is installed")
	}
	dir := t.TempDir()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	identity := filepath.Join(dir, "id")
	if err := os.WriteFile(identity, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	host := newSigner(t)
	server, err := NewServer(Config{HostKeys: []ssh.Signer{host}, Authenticator: users{key: key}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, ln, echo) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	}()
	known := filepath.Join(dir, "known")
	line := knownhosts.Line([]string{ln.Addr().String()}, host.PublicKey())
	if err := os.WriteFile(known, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(stdin string, args ...string) (stdout, stderr string, err error) {
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		if !slices.Contains(args, "-l") {
			args = append([]string{"-l", "ann"}, args...)
		}
		base := []string{"-F", "none", "-i", identity, "-p", port,
			"-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
			"-o", "UserKnownHostsFile=" + known, "-o", "GlobalKnownHostsFile=none"}
		cmd := exec.CommandContext(t.Context(), program, append(base, args...)...)
		var out, errs bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
		err = cmd.Run()
		return out.String(), errs.String(), err
	}

	big := strings.Repeat("x", 3<<20)
	out, errs, err := run("one]]>]]>\n"+big+"]]>]]>\n", "-s", "127.0.0.1", "netconf")
	if want := fmt.Sprintf("ann: one]]>]]>ann: %s]]>]]>", big); out != want || err != nil {
		t.Errorf("ssh -s netconf = %d bytes, %v, want %d and success; it says %s", len(out), err, len(want), errs)
	}
	for _, args := range [][]string{{"-s", "127.0.0.1", "sftp"}, {"127.0.0.1", "id"}, {"127.0.0.1"}} {
		out, errs, err := run("", args...)
		want := "ssh -s HOST netconf"
		if args[0] == "-s" {
			want = "subsystem request failed"
		}
		if err == nil || out != "" || !strings.Contains(errs, want) {
			t.Errorf("ssh %v = %q, %v, and says %q, want %q", args, out, err, errs, want)
		}
	}
	if out, errs, err := run("", "-s", "-l", "bob", "127.0.0.1", "netconf"); err == nil || !strings.Contains(errs, "denied") {
		t.Errorf("a user that is not there: %q, %v, and ssh says %q", out, err, errs)
	}
}
