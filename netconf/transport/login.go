package transport

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// Authenticator decides who may log in. Its methods are called by many goroutines
// at once and may block; the connection's time for logging in runs on.
//
// The peer learns nothing but yes or no. It is the Authenticator's duty that the
// time of a no tells nothing either: an unknown user has to cost what a wrong
// password costs.
type Authenticator interface {
	// Password reports whether the user has this password. from is the peer's
	// address, for the log.
	Password(user, password string, from net.Addr) bool
	// PublicKey says whether the user may log in with the key, which may be an
	// *ssh.Certificate, and which groups it puts the user into. The peer has not
	// shown yet that it holds the private key, so a yes is not a login. The error
	// stays on this side.
	PublicKey(user string, key ssh.PublicKey, from net.Addr) (groups []string, err error)
}

// Login is a login or an attempt at one.
type Login struct {
	User       string
	RemoteAddr net.Addr
	// Credential is what the peer has shown, never a secret: "password", or the
	// fingerprint of a key, or what a certificate says about itself.
	Credential string
	// Groups are those that the credential has put the user into.
	Groups []string
	// Err is why the attempt failed, nil for a login. It is not for the peer.
	Err error
}

// What is wrong with an attempt.
var (
	errPassword = errors.New("wrong user or password")
	errKey      = errors.New("no key was accepted")
	errSessions = errors.New("too many sessions")
)

// extra is the key of what a login has found out in ssh.Permissions.
type extra struct{}

// accepted is what it has found out.
type accepted struct {
	credential string
	groups     []string
	expires    time.Time // zero: never
}

func (a accepted) permissions() *ssh.Permissions {
	return &ssh.Permissions{ExtraData: map[any]any{extra{}: a}}
}

// accepted is what the login of a connection has found out.
func (sc *sshConn) accepted() accepted {
	a, _ := sc.ssh.Permissions.ExtraData[extra{}].(accepted)
	return a
}

// told hands an attempt to whoever wants to know of it.
func (s *Server) told(l Login) {
	if s.cfg.Logins != nil {
		s.cfg.Logins(l)
	}
}

// sshConfig is the configuration of one connection. ctx ends the waits in it.
func (s *Server) sshConfig(ctx context.Context, sc *sshConn) *ssh.ServerConfig {
	refused := errors.New("refused") // stays on this side
	cfg := &ssh.ServerConfig{
		Config: ssh.Config{
			KeyExchanges:   keyExchanges,
			Ciphers:        ciphers,
			MACs:           macs,
			RekeyThreshold: sc.limits.RekeyBytes,
		},
		PublicKeyAuthAlgorithms: publicKeyAlgorithms,
		MaxAuthTries:            sc.limits.MaxAuthTries,
		ServerVersion:           "SSH-2.0-incidentd",
		PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if s.cfg.Authenticator.Password(meta.User(), string(password), meta.RemoteAddr()) {
				return accepted{credential: "password"}.permissions(), nil
			}
			s.wrongPasswords.Add(1)
			s.told(Login{User: meta.User(), RemoteAddr: meta.RemoteAddr(), Credential: "password", Err: errPassword})
			delay := s.throttle.failed(sc.source, meta.User(), time.Now())
			if delay > firstDelay {
				s.throttled.Add(1)
			}
			s.log.Info(errPassword.Error(), "user", meta.User(), "remote", addrText(meta.RemoteAddr()), "delay", delay)
			select {
			case <-time.After(delay):
			case <-ctx.Done():
			}
			return nil, refused
		},
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			groups, err := s.cfg.Authenticator.PublicKey(meta.User(), key, meta.RemoteAddr())
			if err == nil {
				return accepted{credentialOf(key), groups, expiryOf(key)}.permissions(), nil
			}
			sc.refusedUser, sc.refusedKey = meta.User(), credentialOf(key)
			level := s.log.Debug
			if _, certificate := key.(*ssh.Certificate); certificate {
				level = s.log.Info // somebody wonders why it is not accepted
			}
			level("key refused", "user", meta.User(), "remote", addrText(meta.RemoteAddr()), "key", credentialOf(key), "err", err)
			return nil, refused
		},
	}
	for _, k := range s.keys {
		cfg.AddHostKey(k)
	}
	return cfg
}

// credentialOf is a key as a Login names it.
func credentialOf(key ssh.PublicKey) string {
	c, ok := key.(*ssh.Certificate)
	if !ok {
		return ssh.FingerprintSHA256(key)
	}
	return fmt.Sprintf("certificate %q, serial %d, of %s", c.KeyId, c.Serial, ssh.FingerprintSHA256(c.SignatureKey))
}

// expiryOf is when a certificate becomes invalid; zero for never, and for other keys.
func expiryOf(key ssh.PublicKey) time.Time {
	if c, ok := key.(*ssh.Certificate); ok && c.ValidBefore <= math.MaxInt64 {
		return time.Unix(int64(c.ValidBefore), 0)
	}
	return time.Time{}
}

// Today's algorithms, the best first: no SHA-1, no CBC, no finite-field groups. The
// strict key exchange of OpenSSH goes with all of them. The MACs of the plain text
// come last; libssh2 before 1.11, which yangcli is built on, has no others.
var (
	keyExchanges = []string{
		ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519,
		ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
	}
	ciphers = []string{
		ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305,
		ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
	}
	macs = []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512}
	// They stand for certificates of such keys too.
	publicKeyAlgorithms = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512,
	}
)
