// Package sshsig signs documents with SSH keys, in the form of OpenSSH's
// PROTOCOL.sshsig: ssh-keygen -Y verify checks them with nothing but the public key,
// which whoever logs in to a server knows already.
package sshsig

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

const (
	magic   = "SSHSIG"
	version = 1
	hash    = "sha512"

	head = "-----BEGIN SSH SIGNATURE-----\n"
	tail = "-----END SSH SIGNATURE-----\n"
	line = 70 // as ssh-keygen writes it

	maxSignature = 64 << 10
)

// ErrInvalid is the base of the errors of Verify.
var ErrInvalid = errors.New("the signature is not valid")

// blob is what is armored, after the magic.
type blob struct {
	Version       uint32
	PublicKey     []byte
	Namespace     string
	Reserved      string
	HashAlgorithm string
	Signature     []byte
}

// signed is what is signed, after the magic.
type signed struct {
	Namespace     string
	Reserved      string
	HashAlgorithm string
	Hash          []byte
}

// Sign signs a message with a key. The namespace says what the signature is for, and
// must not be empty: it keeps one that was made for something else from being taken.
func Sign(key ssh.Signer, namespace string, message []byte) ([]byte, error) {
	if namespace == "" {
		return nil, errors.New("a signature has to have a namespace")
	}
	sum := sha512.Sum512(message)
	text := append([]byte(magic), ssh.Marshal(signed{Namespace: namespace, HashAlgorithm: hash, Hash: sum[:]})...)
	sig, err := sign(key, text)
	if err != nil {
		return nil, err
	}
	b := ssh.Marshal(blob{version, key.PublicKey().Marshal(), namespace, "", hash, ssh.Marshal(sig)})
	return armor(append([]byte(magic), b...)), nil
}

// sign leaves SHA-1 alone, which OpenSSH does not take for RSA.
func sign(key ssh.Signer, text []byte) (*ssh.Signature, error) {
	if key.PublicKey().Type() != ssh.KeyAlgoRSA {
		return key.Sign(rand.Reader, text)
	}
	s, ok := key.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("the RSA key can sign with SHA-1 only")
	}
	return s.SignWithAlgorithm(rand.Reader, text, ssh.KeyAlgoRSASHA512)
}

// AuthorizedKey is a public key as a line of authorized_keys, without a comment.
func AuthorizedKey(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// Fingerprint is that of a key that is given as AuthorizedKey writes it.
func Fingerprint(authorizedKey string) (string, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(authorizedKey))
	if err != nil {
		return "", err
	}
	return ssh.FingerprintSHA256(key), nil
}

func armor(b []byte) []byte {
	text := []byte(base64.StdEncoding.EncodeToString(b))
	out := []byte(head)
	for part := range slices.Chunk(text, line) {
		out = append(append(out, part...), '\n')
	}
	return append(out, tail...)
}

func dearmor(text []byte) ([]byte, error) {
	if len(text) > maxSignature {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrInvalid, maxSignature)
	}
	text = bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	text, begins := bytes.CutPrefix(text, []byte(head))
	text, ends := bytes.CutSuffix(text, bytes.TrimSpace([]byte(tail)))
	if !begins || !ends {
		return nil, fmt.Errorf("%w: it is not armored as an SSH signature", ErrInvalid)
	}
	b, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(text, []byte("\n"), nil)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return b, nil
}

// algorithms are those of signatures that are taken: what OpenSSH takes, without SHA-1.
var algorithms = []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512}

// Verify returns the key that a message was signed with for a namespace. Whose it is, the
// caller has to find out. Errors wrap ErrInvalid.
func Verify(armored []byte, namespace string, message []byte) (ssh.PublicKey, error) {
	text, err := dearmor(armored)
	if err != nil {
		return nil, err
	}
	text, ok := bytes.CutPrefix(text, []byte(magic))
	if !ok {
		return nil, fmt.Errorf("%w: it has another form", ErrInvalid)
	}
	var b blob
	if err := ssh.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	switch {
	case b.Version != version:
		return nil, fmt.Errorf("%w: it is of version %d", ErrInvalid, b.Version)
	case b.Namespace != namespace:
		return nil, fmt.Errorf("%w: it is for %q, not for %q", ErrInvalid, b.Namespace, namespace)
	}
	var sum []byte
	switch b.HashAlgorithm {
	case "sha512":
		h := sha512.Sum512(message)
		sum = h[:]
	case "sha256":
		h := sha256.Sum256(message)
		sum = h[:]
	default:
		return nil, fmt.Errorf("%w: the hash %q is not known", ErrInvalid, b.HashAlgorithm)
	}
	key, err := ssh.ParsePublicKey(b.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	var sig ssh.Signature
	if err := ssh.Unmarshal(b.Signature, &sig); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !slices.Contains(algorithms, sig.Format) {
		return nil, fmt.Errorf("%w: the algorithm %q is not taken", ErrInvalid, sig.Format)
	}
	what := append([]byte(magic), ssh.Marshal(signed{namespace, b.Reserved, b.HashAlgorithm, sum})...)
	if err := key.Verify(what, &sig); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return key, nil
}
