package transport

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"os"

	"golang.org/x/crypto/ssh"
)

// GenerateHostKey makes an ed25519 key in the PEM form of OpenSSH, without a
// passphrase. Whoever stores it gives the file the mode 0600.
func GenerateHostKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, "incidentd host key")
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	return pem.EncodeToMemory(block), nil
}

// LoadHostKey reads a private key without a passphrase. It refuses a file that
// others than its owner may read or write, and keys that are too weak.
func LoadHostKey(path string) (ssh.Signer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("host key: %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("host key: %s has the mode %04o, which lets others at it; it must be 0600", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("host key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("host key: %s: %w", path, err)
	}
	if key, err = hostSigner(key); err != nil {
		return nil, fmt.Errorf("host key: %s: %w", path, err)
	}
	return key, nil
}

// hostSigner checks a key and restricts RSA to the signatures with SHA-2.
func hostSigner(key ssh.Signer) (ssh.Signer, error) {
	switch t := key.PublicKey().Type(); t {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return key, nil
	case ssh.KeyAlgoRSA:
		if k, ok := key.(ssh.AlgorithmSigner); ok {
			return ssh.NewSignerWithAlgorithms(k, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
		}
		return nil, fmt.Errorf("this RSA key cannot sign with SHA-2")
	default:
		return nil, fmt.Errorf("keys of type %s are not used as host keys", t)
	}
}
