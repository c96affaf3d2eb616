package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// trusting is a source without users that trusts authorities.
type trusting []Authority

func (trusting) User(string) (User, bool)   { return User{}, false }
func (t trusting) Authorities() []Authority { return t }

func signer(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCertificate(t *testing.T) {
	ca, other, key := signer(t), signer(t), signer(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weakKey, err := ssh.NewPublicKey(weak.Public())
	if err != nil {
		t.Fatal(err)
	}
	bigger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaCA, err := ssh.NewSignerFromKey(bigger)
	if err != nil {
		t.Fatal(err)
	}
	sha1CA, err := ssh.NewSignerWithAlgorithms(rsaCA.(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSA})
	if err != nil {
		t.Fatal(err)
	}
	sha2CA, err := ssh.NewSignerWithAlgorithms(rsaCA.(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSASHA256})
	if err != nil {
		t.Fatal(err)
	}
	revoked := signer(t)
	a := New(trusting{
		{Key: ca.PublicKey(), RevokedSerials: []uint64{13}, RevokedKeyIDs: []string{"lost"},
			RevokedFingerprints: []string{ssh.FingerprintSHA256(revoked.PublicKey())}},
		{Key: rsaCA.PublicKey()},
	})
	from := &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 1}
	now := uint64(time.Now().Unix())
	tests := []struct {
		name   string
		change func(c *ssh.Certificate)
		by     ssh.Signer
		user   string
		from   net.Addr
		want   []string
		why    string // part of the error
	}{
		{"user alone", nil, ca, "ann", from, nil, ""},
		{"groups", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"ann", "noc", "admin"} }, ca, "ann", from, []string{"noc", "admin"}, ""},
		{"RSA authority", nil, sha2CA, "ann", from, nil, ""},
		{"a group is no user", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"ann", "noc"} }, ca, "noc", from, nil, `first principal is "ann"`},
		{"another user", nil, ca, "bob", from, nil, "first principal"},
		{"no principals", func(c *ssh.Certificate) { c.ValidPrincipals = nil }, ca, "ann", from, nil, "no principals"},
		{"host certificate", func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, ca, "ann", from, nil, "host"},
		{"unknown authority", nil, other, "ann", from, nil, "not trusted"},
		{"SHA-1", nil, sha1CA, "ann", from, nil, "SHA-1"},
		{"weak key", func(c *ssh.Certificate) { c.Key = weakKey }, ca, "ann", from, nil, "2048 bits"},
		{"expired", func(c *ssh.Certificate) { c.ValidBefore = now - 1 }, ca, "ann", from, nil, "expired"},
		{"not yet", func(c *ssh.Certificate) { c.ValidAfter = now + 60 }, ca, "ann", from, nil, "not yet valid"},
		{"revoked serial", func(c *ssh.Certificate) { c.Serial = 13 }, ca, "ann", from, nil, "revoked"},
		{"revoked identity", func(c *ssh.Certificate) { c.KeyId = "lost" }, ca, "ann", from, nil, "revoked"},
		{"revoked key", func(c *ssh.Certificate) { c.Key = revoked.PublicKey() }, ca, "ann", from, nil, "revoked"},
		{"force-command", option("force-command", "id"), ca, "ann", from, nil, "force-command"},
		{"unknown option", option("new@example.com", ""), ca, "ann", from, nil, "new@example.com"},
		{"from there", option("source-address", "198.51.100.1,192.0.2.0/24"), ca, "ann", from, nil, ""},
		{"from elsewhere", option("source-address", "198.51.100.1,2001:db8::/32"), ca, "ann", from, nil, "only for connections from"},
		{"from nowhere known", option("source-address", "192.0.2.0/24"), ca, "ann", nil, nil, "only for connections from"},
		{"from nonsense", option("source-address", "192.0.2.7,nonsense"), ca, "ann", from, nil, "only for connections from"},
	}
	for _, tt := range tests {
		c := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.UserCert, Serial: 1, KeyId: "ann@laptop",
			ValidPrincipals: []string{"ann"}, ValidBefore: ssh.CertTimeInfinity}
		if tt.change != nil {
			tt.change(c)
		}
		if err := c.SignCert(rand.Reader, tt.by); err != nil {
			t.Fatal(err)
		}
		groups, err := a.PublicKey(tt.user, c, tt.from)
		if (err == nil) != (tt.why == "") || err != nil && (!errors.Is(err, ErrCertificate) || !strings.Contains(err.Error(), tt.why)) || !slices.Equal(groups, tt.want) {
			t.Errorf("%s: PublicKey = %q, %v, want %q and an error with %q", tt.name, groups, err, tt.want, tt.why)
		}
		if err == nil {
			c.ValidPrincipals = append(c.ValidPrincipals, "admin")
			if _, err := a.PublicKey(tt.user, c, tt.from); err == nil {
				t.Errorf("%s: a principal was added after the signature, and nobody noticed", tt.name)
			}
		}
	}
}

func option(name, value string) func(*ssh.Certificate) {
	return func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{name: value} }
}
