package sshsig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

const namespace = "test@example.com"

// keys are one of each kind that a server may have.
func keys(t testing.TB) map[string]ssh.Signer {
	t.Helper()
	_, ed, err1 := ed25519.GenerateKey(rand.Reader)
	ec, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, err3 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	all := map[string]ssh.Signer{}
	for name, key := range map[string]crypto.Signer{"ed25519": ed, "ecdsa": ec, "rsa": rs} {
		s, err := ssh.NewSignerFromSigner(key)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = s
	}
	return all
}

func TestSign(t *testing.T) {
	message := []byte("a document\n")
	for name, key := range keys(t) {
		sig, err := Sign(key, namespace, message)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := Verify(sig, namespace, message)
		if err != nil || !bytes.Equal(got.Marshal(), key.PublicKey().Marshal()) {
			t.Errorf("%s: Verify = %v, %v", name, got, err)
		}
		spoilt := bytes.Replace(sig, []byte("\n"), []byte("\nAAAA"), 1)
		for what, f := range map[string]func() error{
			"another message":   func() error { _, err := Verify(sig, namespace, []byte("a document")); return err },
			"another namespace": func() error { _, err := Verify(sig, "file", message); return err },
			"a spoilt one":      func() error { _, err := Verify(spoilt, namespace, message); return err },
			"none":              func() error { _, err := Verify(nil, namespace, message); return err },
		} {
			if err := f(); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	if _, err := Sign(keys(t)["ed25519"], "", message); err == nil {
		t.Error("a signature without namespace is made")
	}
}

// OpenSSH takes what we sign, refuses it for another document, and we take what it signs.
func TestOpenSSH(t *testing.T) {
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	verify := func(signers, sig string, message []byte) error {
		cmd := exec.Command(program, "-Y", "verify", "-f", signers, "-I", "server", "-n", namespace, "-s", sig)
		cmd.Stdin = bytes.NewReader(message)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return errors.New(string(out))
		}
		return nil
	}
	message := []byte(`{"a":1}`)
	for name, key := range keys(t) {
		sig, err := Sign(key, namespace, message)
		if err != nil {
			t.Fatal(err)
		}
		signers := write("signers", append([]byte("server "), ssh.MarshalAuthorizedKey(key.PublicKey())...))
		file := write("sig", sig)
		if err := verify(signers, file, message); err != nil {
			t.Errorf("%s: ssh-keygen refuses our signature: %v", name, err)
		}
		if err := verify(signers, file, []byte(`{"a":2}`)); err == nil {
			t.Errorf("%s: ssh-keygen takes the signature for another document", name)
		}
	}
	private := filepath.Join(dir, "id")
	if out, err := exec.Command(program, "-q", "-t", "ed25519", "-N", "", "-f", private).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file := write("message", message)
	if out, err := exec.Command(program, "-q", "-Y", "sign", "-f", private, "-n", namespace, file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sig, err := os.ReadFile(file + ".sig")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(sig, namespace, message); err != nil {
		t.Errorf("a signature of ssh-keygen: %v\n%s", err, sig)
	}
}

// Whatever comes is refused with our error, or verifies.
func FuzzVerify(f *testing.F) {
	message := []byte("a document")
	for _, key := range keys(f) {
		sig, err := Sign(key, namespace, message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sig)
	}
	f.Add([]byte(head + tail))
	f.Add([]byte(strings.Repeat("A", maxSignature+1)))
	f.Fuzz(func(t *testing.T, sig []byte) {
		if _, err := Verify(sig, namespace, message); err != nil && !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	})
}
