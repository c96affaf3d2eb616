package auth

import "errors"

var (
	// ErrHash is a crypt-hash that is malformed, of a method that is not supported
	// ($1$, which is MD5), or with too few or too many rounds.
	ErrHash = errors.New("not a usable crypt-hash")

	// ErrPassword is a password that is empty, too long or contains a NUL.
	ErrPassword = errors.New("not a usable password")

	// ErrKey is a public key that is malformed, of a kind that is not supported, or not
	// the user's.
	ErrKey = errors.New("not a usable public key")

	// ErrCertificate is a certificate that nobody may log in with, or not this user,
	// or not now and from there.
	ErrCertificate = errors.New("not a usable certificate")
)
