package client

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Pinned returns an ssh.HostKeyCallback, for Config.HostKey, that believes the keys of
// these fingerprints alone, written as OpenSSH does: SHA256: and the hash in base64.
func Pinned(fingerprints ...string) ssh.HostKeyCallback {
	return func(host string, _ net.Addr, key ssh.PublicKey) error {
		if shown := ssh.FingerprintSHA256(key); !slices.Contains(fingerprints, shown) {
			return fmt.Errorf("%s has the key %s (%s), and %s is expected", host, shown, key.Type(), strings.Join(fingerprints, " or "))
		}
		return nil
	}
}

// ParseSigner reads a private key without a passphrase, in the form of OpenSSH or in PEM,
// for Config.Signers.
func ParseSigner(text string) (ssh.Signer, error) { return ssh.ParsePrivateKey([]byte(text)) }
