package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

const (
	// maxPassword limits a password in bytes: the work of SHA-crypt grows with its
	// square.
	maxPassword = 256

	// minRounds is what SHA-crypt itself requires.
	minRounds = 1000

	// maxRounds limits what one attempt to log in may cost, to about half a second.
	maxRounds = 1000000
)

// cryptHash is the syntax of iana-crypt-hash with the methods that are supported.
var cryptHash = regexp.MustCompile(`^(?:\$5\$(?:rounds=([0-9]+)\$)?[a-zA-Z0-9./]{1,16}\$[a-zA-Z0-9./]{43}|` +
	`\$6\$(?:rounds=([0-9]+)\$)?[a-zA-Z0-9./]{1,16}\$[a-zA-Z0-9./]{86})$`)

// CheckHash says whether a crypt-hash of iana-crypt-hash [RFC 7317 section 4] can
// be used here: $0$ and the password in clear text, $5$ or $6$. The error wraps
// ErrHash or ErrPassword and never holds the text.
func CheckHash(hash string) error {
	if clear, ok := strings.CutPrefix(hash, "$0$"); ok {
		return CheckPassword(clear)
	}
	m := cryptHash.FindStringSubmatch(hash)
	if m == nil {
		return fmt.Errorf("%w: only $0$, $5$ and $6$ are supported", ErrHash)
	}
	if text := m[1] + m[2]; text != "" {
		rounds, err := strconv.ParseUint(text, 10, 32)
		if err != nil || rounds < minRounds || rounds > maxRounds {
			return fmt.Errorf("%w: rounds are %d to %d", ErrHash, minRounds, maxRounds)
		}
	}
	return nil
}

// CheckPassword says whether a password in clear text can be used. The error
// wraps ErrPassword and never holds the text.
func CheckPassword(password string) error {
	switch {
	case password == "":
		return fmt.Errorf("%w: it is empty", ErrPassword)
	case len(password) > maxPassword:
		return fmt.Errorf("%w: it has more than %d bytes", ErrPassword, maxPassword)
	case strings.ContainsRune(password, 0):
		return fmt.Errorf("%w: it contains a NUL", ErrPassword)
	}
	return nil
}

// HashPassword returns the $6$ crypt-hash of a password, with a new salt and 5000
// rounds, which is SHA-crypt's own number. It takes milliseconds.
func HashPassword(password string) (string, error) {
	if err := CheckPassword(password); err != nil {
		return "", err
	}
	h, err := shacrypt.New(shacrypt.WithSHA512(), shacrypt.WithIterations(shacrypt.IterationsDefaultOmitted))
	if err != nil {
		return "", fmt.Errorf("hash of a password: %w", err)
	}
	d, err := h.Hash(password)
	if err != nil {
		return "", fmt.Errorf("hash of a password: %w", err)
	}
	return d.Encode(), nil
}

// StoredHash returns what a server stores when a client sets a crypt-hash: the
// hash of a $0$ password, everything else as it is [RFC 7317 section 4].
func StoredHash(hash string) (string, error) {
	if err := CheckHash(hash); err != nil {
		return "", err
	}
	if clear, ok := strings.CutPrefix(hash, "$0$"); ok {
		return HashPassword(clear)
	}
	return hash, nil
}

// dummy is compared with when there is nothing else to compare with: a hash as
// HashPassword makes them. Nobody's password matches, since the result of the
// comparison is not looked at.
const dummy = "$6$q9pXb2nAfK7sVd3e$" +
	"Zk1c0hT5vJmR8yWbQx4LuNeGa7iPoS2dFrBtUwYzCgHjKlMnXqVs3E6A9D0IfOpRyT1uBvWxZk5JhLmQnS8cG/"

// match compares a password with a crypt-hash. A hash that cannot be used, and
// one in clear text, cost what a $6$ hash of ours costs.
func match(hash, password string) bool {
	if CheckPassword(password) != nil {
		compare(dummy, "x")
		return false
	}
	if CheckHash(hash) != nil {
		compare(dummy, password)
		return false
	}
	if clear, ok := strings.CutPrefix(hash, "$0$"); ok {
		compare(dummy, password)
		a, b := sha256.Sum256([]byte(clear)), sha256.Sum256([]byte(password))
		return subtle.ConstantTimeCompare(a[:], b[:]) == 1
	}
	return compare(hash, password)
}

func compare(hash, password string) bool {
	d, err := shacrypt.Decode(hash)
	return err == nil && d.Match(password)
}
