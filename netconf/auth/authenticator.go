package auth

import (
	"bytes"
	"fmt"
	"net"
	"runtime"

	"golang.org/x/crypto/ssh"
)

// User is what the configuration says of a user.
type User struct {
	Name     string
	Password string // crypt-hash; empty means that the user has no password
	Keys     []ssh.PublicKey
}

// Source finds users. User is called by many goroutines at once and has to be
// quick, whether the user is there or not: a look-up in a snapshot of the
// configuration. What it returns is not changed any more. Authorities are those whose
// certificates are accepted.
type Source interface {
	User(name string) (User, bool)
	Authorities() []Authority
}

// Users is a Source that does not change.
type Users map[string]User

// User returns the user of that name.
func (u Users) User(name string) (User, bool) {
	user, ok := u[name]
	return user, ok
}

// Authorities are none: the users log in with what they have here.
func (u Users) Authorities() []Authority { return nil }

// Authenticator checks the users of a Source. It implements the interface of that
// name of package transport.
type Authenticator struct {
	source Source
	hashes chan struct{} // one element for each hash in work
}

// New returns an Authenticator of the users of source.
func New(source Source) *Authenticator {
	return &Authenticator{source: source, hashes: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
}

// Password reports whether the user has the password. It takes the time of one
// hash, and that of those who came before. A user who is not there or has no
// password costs the same as one with a hash that HashPassword has made; other
// hashes can be told from those by time.
func (a *Authenticator) Password(name, password string, _ net.Addr) bool {
	user, ok := a.source.User(name)
	hash := dummy
	if ok && user.Password != "" {
		hash = user.Password
	} else {
		ok = false
	}
	a.hashes <- struct{}{}
	defer func() { <-a.hashes }()
	return match(hash, password) && ok
}

// PublicKey says whether the user may log in with the key: it is one of the user's, or
// it is a certificate of a trusted authority. Such a certificate names the user as its
// first principal; its other principals are the groups that it puts the user into. The
// user need not be known here otherwise. It is quick. The error wraps ErrKey or
// ErrCertificate.
func (a *Authenticator) PublicKey(name string, key ssh.PublicKey, from net.Addr) (groups []string, err error) {
	if c, ok := key.(*ssh.Certificate); ok {
		return a.certificate(name, c, from)
	}
	user, _ := a.source.User(name)
	if err := checkKey(key); err != nil {
		return nil, err
	}
	wire := key.Marshal()
	for _, k := range user.Keys {
		if bytes.Equal(k.Marshal(), wire) {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("%w: it is none of the user's", ErrKey)
}
