package auth

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Authority is who signs the certificates of users.
type Authority struct {
	Key ssh.PublicKey
	// Certificates with these serial numbers, these key identities, or of public keys
	// with these fingerprints (SHA256:…) are refused.
	RevokedSerials      []uint64
	RevokedKeyIDs       []string
	RevokedFingerprints []string
}

// sourceAddress is the only critical option that is known here; all others make a
// certificate useless, as OpenSSH wants it. It lists addresses and prefixes.
const sourceAddress = "source-address"

// certificate says whether a user may log in with a certificate, and which groups it
// puts the user into.
func (a *Authenticator) certificate(user string, c *ssh.Certificate, from net.Addr) (groups []string, err error) {
	bad := func(format string, args ...any) ([]string, error) {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, fmt.Errorf(format, args...))
	}
	authority, trusted := a.authority(c.SignatureKey)
	switch {
	case c.CertType != ssh.UserCert:
		return bad("it is that of a host")
	case !trusted:
		return bad("its authority %s is not trusted", ssh.FingerprintSHA256(c.SignatureKey))
	case c.Signature.Format == ssh.KeyAlgoRSA:
		return bad("its signature is of SHA-1")
	case len(c.ValidPrincipals) == 0:
		return bad("it has no principals, so it would be anybody's")
	case c.ValidPrincipals[0] != user:
		return bad("its first principal is %q, not the user", c.ValidPrincipals[0])
	}
	for _, k := range []ssh.PublicKey{c.Key, c.SignatureKey} {
		if err := checkKey(k); err != nil {
			return bad("%w", err)
		}
	}
	checker := ssh.CertChecker{SupportedCriticalOptions: []string{sourceAddress}, IsRevoked: authority.revoked}
	if err := checker.CheckCert(user, c); err != nil {
		return bad("%w", err)
	}
	if list, restricted := c.CriticalOptions[sourceAddress]; restricted && !comesFrom(from, list) {
		return bad("it is only for connections from %s", list)
	}
	return slices.Clone(c.ValidPrincipals[1:]), nil
}

func (a *Authenticator) authority(key ssh.PublicKey) (Authority, bool) {
	wire := key.Marshal()
	for _, x := range a.source.Authorities() {
		if bytes.Equal(x.Key.Marshal(), wire) {
			return x, true
		}
	}
	return Authority{}, false
}

func (a *Authority) revoked(c *ssh.Certificate) bool {
	return slices.Contains(a.RevokedSerials, c.Serial) || slices.Contains(a.RevokedKeyIDs, c.KeyId) ||
		slices.Contains(a.RevokedFingerprints, ssh.FingerprintSHA256(c.Key))
}

// comesFrom reports whether an address is one of a list of addresses and prefixes
// with commas between them. A list that cannot be read has none.
func comesFrom(from net.Addr, list string) bool {
	if from == nil {
		return false
	}
	peer, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return false
	}
	ip := peer.Addr().Unmap().WithZone("")
	found := false
	for text := range strings.SplitSeq(list, ",") {
		if one, err := netip.ParseAddr(text); err == nil {
			found = found || one.Unmap() == ip
		} else if many, err := netip.ParsePrefix(text); err == nil {
			found = found || many.Contains(ip)
		} else {
			return false
		}
	}
	return found
}
