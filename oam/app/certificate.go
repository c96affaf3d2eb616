package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"incidentd/oam"
)

// badCertificate is the response of certificates that are not trusted: the first fault of
// those that there may be, in this order.
func badCertificate(f *tls.CertificateVerificationError) string {
	if e, ok := errors.AsType[x509.CertificateInvalidError](f.Err); ok && e.Reason == x509.Expired {
		if e.Cert != nil && time.Now().Before(e.Cert.NotBefore) {
			return "certificate-not-yet-valid"
		}
		return "certificate-expired"
	}
	if _, ok := errors.AsType[x509.HostnameError](f.Err); ok {
		return "certificate-wrong-name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](f.Err); ok {
		return "certificate-unknown-authority"
	}
	return "certificate-invalid"
}

// expiration is when the first of the certificates of a server expires.
func expiration(chain []*x509.Certificate) (t time.Time) {
	for _, c := range chain {
		t = first(t, c.NotAfter)
	}
	return t
}

// first is the earlier of two times of which either may be zero.
func first(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// judgeCertificate judges how long the certificates of the server are valid still. A bound
// of them has no verdict when none was seen.
func (r *request) judgeCertificate(m *oam.Measurement, expires time.Time) {
	m.CertificateExpiration = expires
	if r.validity == 0 {
		return
	}
	left := time.Until(expires)
	switch {
	case expires.IsZero():
		if m.Verdict != oam.Fail {
			m.Verdict = oam.Inconclusive
		}
	case left < r.validity:
		m.Crossed = append(m.Crossed, fmt.Sprintf("min-certificate-validity: %.4g < %.4g", left.Hours()/24, r.validity.Hours()/24))
		m.Verdict = oam.Fail
	case m.Verdict == oam.NoVerdict:
		m.Verdict = oam.Pass
	}
}
