package listen

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"

	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// errClient refuses a client whose certificate is not among those that are named.
var errClient = errors.New("the client's certificate is none of those that are allowed")

// TLSFromData reads the container tls of the grouping tls-server in a container; nil
// without one. Its errors name what is no certificate or no key of it.
func TLSFromData(at *data.Loc) (*tls.Config, error) {
	n := at.Node.Child("tls")
	if n == nil {
		return nil, nil
	}
	loc := at.Down(n)
	fault := func(leaf, format string, args ...any) error {
		return rpcerr.InvalidValue(format, args...).At(loc.Down(n.Child(leaf)).Path())
	}
	pair, err := tls.X509KeyPair([]byte(n.Leaf("certificate")), []byte(n.Leaf("private-key")))
	if err != nil {
		return nil, fault("certificate", "certificate and private-key: %v", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if pem := n.Leaf("client-authority"); pem != "" {
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, fault("client-authority", "there is no certificate in PEM")
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if prints := n.Values("client-fingerprint"); len(prints) > 0 {
		if c.ClientAuth == tls.NoClientCert {
			c.ClientAuth = tls.RequireAnyClientCert
		}
		c.VerifyConnection = func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) > 0 {
				sum := sha256.Sum256(s.PeerCertificates[0].Raw)
				if slices.Contains(prints, hex.EncodeToString(sum[:])) {
					return nil
				}
			}
			return errClient
		}
	}
	return c, nil
}
