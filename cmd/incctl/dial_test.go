package main

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/transport"
)

// door opens to one user with a password and, if there is one, a key.
type door struct {
	user, password string
	key            ssh.PublicKey
}

func (d door) Password(user, password string, _ net.Addr) bool {
	return user == d.user && password == d.password && password != ""
}

func (d door) PublicKey(user string, key ssh.PublicKey, _ net.Addr) ([]string, error) {
	if user == d.user && d.key != nil && string(key.Marshal()) == string(d.key.Marshal()) {
		return nil, nil
	}
	return nil, errors.New("the door stays shut")
}

// listen serves NETCONF over SSH on the loopback interface and returns its address.
func listen(t *testing.T, s *server, d door) string {
	t.Helper()
	pemKey, err := transport.GenerateHostKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(pemKey)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := transport.NewServer(transport.Config{HostKeys: []ssh.Signer{key}, Authenticator: d})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		srv.Serve(ctx, ln, func(_ context.Context, c *transport.Conn) { s.serve(c) })
	}()
	t.Cleanup(func() { cancel(); ln.Close(); <-done })
	return ln.Addr().String()
}

func TestDial(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("INCCTL_PASSWORD", "")
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t)
	d := door{"admin", "open sesame", key}
	addr := listen(t, s, d)
	list := func(args ...string) *program {
		p := &program{}
		p.status = run(t.Context(), append([]string{"list", "--server", addr}, args...), &app{stdin: strings.NewReader(""), stdout: &p.stdout, stderr: &p.stderr})
		return p
	}
	expect := func(p *program, status int, stderr string) {
		t.Helper()
		if p.status != status || !strings.Contains(p.stderr.String(), stderr) || (stderr == "") != (p.stderr.String() == "") {
			t.Errorf("status %d and %q, want %d and %q", p.status, p.stderr.String(), status, stderr)
		}
		if listed := strings.Contains(p.stdout.String(), "inc-12"); listed != (status == 0) {
			t.Errorf("status %d, listed: %t", status, listed)
		}
	}
	expect(list(), 1, "no key, no password and nobody to ask")
	t.Setenv("INCCTL_PASSWORD", "open sesame")
	expect(list(), 0, addr+" is new; its key SHA256:")
	expect(list(), 0, "")
	t.Setenv("INCCTL_PASSWORD", "wrong")
	expect(list(), 1, "login failed: the server at "+addr+" does not accept what admin has to offer (--user admin;")
	t.Setenv("INCCTL_PASSWORD", "")
	expect(list("--password-file", write("password", []byte("open sesame\n"))), 0, "")
	expect(list("--password-file", write("empty", []byte("\n"))), 1, "its first line is no password but empty")
	expect(list("--key", write("key", pem.EncodeToMemory(block))), 0, "")
	expect(list("--key", filepath.Join(home, "none")), 1, "no such file")
	write(".ssh/id_ed25519", pem.EncodeToMemory(block))
	expect(list(), 0, "")
	expect(list("--user", "nobody"), 1, "login failed")

	hosts, err := os.ReadFile(filepath.Join(home, ".config/incctl/known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(hosts), "\n"); n != 1 {
		t.Errorf("%d keys are known, want one:\n%s", n, hosts)
	}
	addr = listen(t, s, d) // another key; the file is made to know it under the new address
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	write(".config/incctl/known_hosts", []byte("["+host+"]:"+port+" "+strings.SplitN(string(hosts), " ", 2)[1]))
	expect(list(), 1, "the server's key is not to be trusted")

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = ln.Addr().String()
	ln.Close()
	expect(list(), 1, "nothing listens at "+addr)
}

func TestLockedKey(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readKey(file); err == nil || !strings.Contains(err.Error(), "ssh-add") {
		t.Errorf("readKey = %v, want a word about ssh-add", err)
	}
}

func TestAskNobody(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, in := range []io.Reader{strings.NewReader("secret\n"), r} {
		if got, err := (&connection{}).ask(&app{stdin: in, stderr: io.Discard}); err == nil || got != "" {
			t.Errorf("ask from %T = %q, %v; want an error: it is no terminal", in, got, err)
		}
	}
	if !temporary(errors.New("x")) {
		t.Error("an unknown error is held to be final")
	}
}
