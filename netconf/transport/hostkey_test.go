package transport

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestLoadHostKey(t *testing.T) {
	good, err := GenerateHostKey()
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(rsaKey, "")
	if err != nil {
		t.Fatal(err)
	}
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(rsaKey, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		text []byte
		mode os.FileMode
		want string // in the error; none for success
	}{
		{"ed25519", good, 0o600, ""},
		{"read only", good, 0o400, ""},
		{"rsa", pem.EncodeToMemory(block), 0o600, ""},
		{"readable by all", good, 0o644, "0644"},
		{"readable by the group", good, 0o640, "0640"},
		{"with passphrase", pem.EncodeToMemory(locked), 0o600, "passphrase"},
		{"empty", nil, 0o600, "no key found"},
		{"cut off", good[:len(good)/2], 0o600, "no key found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "host.key")
			if err := os.WriteFile(path, tt.text, tt.mode); err != nil {
				t.Fatal(err)
			}
			key, err := LoadHostKey(path)
			switch {
			case tt.want == "" && (err != nil || key == nil):
				t.Errorf("LoadHostKey = %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("LoadHostKey = %v, want an error with %q", err, tt.want)
			}
		})
	}
	if _, err := LoadHostKey(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("LoadHostKey of no file = %v", err)
	}
	if _, err := LoadHostKey(t.TempDir()); err == nil {
		t.Error("a directory was loaded")
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}
