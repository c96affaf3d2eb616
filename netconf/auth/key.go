package auth

import (
	"bytes"
	"crypto/rsa"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// Key is an entry of the list authorized-key of ietf-system.
type Key struct {
	Name      string // of the entry; ParseAuthorizedKeys takes the comment
	Algorithm string // such as ssh-ed25519
	Data      []byte // the key in the SSH wire format [RFC 4253 section 6.6]
}

// minRSA is the least size of an RSA key in bits.
const minRSA = 2048

// ParseKey decodes the data of an authorized-key and checks it against the name
// of its algorithm. The error wraps ErrKey.
func ParseKey(algorithm string, data []byte) (ssh.PublicKey, error) {
	key, err := ssh.ParsePublicKey(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	format := algorithm
	if algorithm == ssh.KeyAlgoRSASHA256 || algorithm == ssh.KeyAlgoRSASHA512 {
		format = ssh.KeyAlgoRSA // the signatures differ, the key does not
	}
	if key.Type() != format {
		return nil, fmt.Errorf("%w: the algorithm is %q, the key's is %q", ErrKey, algorithm, key.Type())
	}
	return key, nil
}

func checkKey(key ssh.PublicKey) error {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		return nil
	case ssh.KeyAlgoRSA:
		if c, ok := key.(ssh.CryptoPublicKey); ok {
			if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() >= minRSA {
				return nil
			}
		}
		return fmt.Errorf("%w: an RSA key needs %d bits", ErrKey, minRSA)
	}
	return fmt.Errorf("%w: the type %q is not supported", ErrKey, key.Type())
}

// ParseAuthorizedKeys reads a file as OpenSSH's authorized_keys or id_*.pub:
// keys, comments and empty lines. Options are refused, as they could not be kept.
// The error wraps ErrKey and names the line.
func ParseAuthorizedKeys(text []byte) ([]Key, error) {
	var keys []Key
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, comment, options, _, err := ssh.ParseAuthorizedKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %w", number, ErrKey, err)
		}
		if len(options) > 0 {
			return nil, fmt.Errorf("line %d: %w: options are not supported", number, ErrKey)
		}
		if err := checkKey(key); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		keys = append(keys, Key{Name: comment, Algorithm: key.Type(), Data: key.Marshal()})
	}
	return keys, nil
}
