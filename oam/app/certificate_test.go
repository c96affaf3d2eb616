package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/oam"
	"incidentd/oam/oamtest"
)

// What is wrong with a certificate is told, as is how long it is valid still.
func TestCertificates(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	const day = 24 * time.Hour
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(template, parent *x509.Certificate) *x509.Certificate {
		template.SerialNumber = big.NewInt(1)
		b, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(b)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	authority := &x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * day), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	authority = sign(authority, authority)
	trusted := x509.NewCertPool()
	trusted.AddCert(authority)

	for _, tt := range []struct {
		name    string
		change  func(*x509.Certificate)
		leafs   []string
		code    string
		expires time.Time
		verdict oam.Verdict
	}{
		{"good", func(*x509.Certificate) {}, nil, "200", now.Add(90 * day), oam.NoVerdict},
		{"valid for long", func(*x509.Certificate) {}, []string{"thresholds/min-certificate-validity", "89"}, "200", now.Add(90 * day), oam.Pass},
		{"not for long", func(*x509.Certificate) {}, []string{"thresholds/min-certificate-validity", "91"}, "200", now.Add(90 * day), oam.Fail},
		{"expired", func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-2*day), now.Add(-day) }, nil, "certificate-expired", now.Add(-day), oam.NoVerdict},
		{"expired, and that matters", func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-2*day), now.Add(-day) },
			[]string{"verify-certificate", "false", "thresholds/min-certificate-validity", "1"}, "200", now.Add(-day), oam.Fail},
		{"too early", func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }, nil, "certificate-not-yet-valid", now.Add(90 * day), oam.NoVerdict},
		{"of another host", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} }, nil, "certificate-wrong-name", now.Add(90 * day), oam.NoVerdict},
		{"for clients", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, nil, "certificate-invalid", now.Add(90 * day), oam.NoVerdict},
		{"of an unknown authority", func(c *x509.Certificate) { c.Issuer.CommonName = "itself" }, []string{"thresholds/max-loss-ratio", "0"}, "certificate-unknown-authority", now.Add(90 * day), oam.Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(90 * day),
				IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature}
			tt.change(c)
			parent := authority
			if c.Issuer.CommonName != "" {
				parent = c
			}
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{sign(c, parent).Raw}, PrivateKey: key}}}
			s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes
			s.StartTLS()
			defer s.Close()
			test, err := Request(oamtest.Params(t, "http-request", append([]string{"url", s.URL, "number-of-packets", "2", "interval", "1000", "session-timeout", "20000", "dscp", "10"}, tt.leafs...)...))
			if err != nil {
				t.Fatal(err)
			}
			test.(*request).tls.RootCAs = trusted
			got, err := test.Run(t.Context(), oamtest.Env(test, ""))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]oam.Response{{Code: tt.code, Count: 2}}, got.Responses); diff != "" {
				t.Error(diff)
			}
			if !got.CertificateExpiration.Equal(tt.expires) || got.Verdict != tt.verdict {
				t.Errorf("expires %s, verdict %s %q; want %s and %s", got.CertificateExpiration, got.Verdict, got.Crossed, tt.expires, tt.verdict)
			}
		})
	}
	// Without TLS there is none, and nothing to judge.
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	got := oamtest.Run(t, Request, oamtest.Params(t, "http-request", "url", plain.URL, "number-of-packets", "1", "expected-status", "404", "thresholds/min-certificate-validity", "1"), "")
	if !got.CertificateExpiration.IsZero() || got.Verdict != oam.Inconclusive {
		t.Errorf("expires %s, verdict %s", got.CertificateExpiration, got.Verdict)
	}
}
