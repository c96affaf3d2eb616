package kafka

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"incidentd/incident/ingest"
	"incidentd/incident/ingest/listen"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

const (
	// mostPoll is how many records are at work at once, and mostFetch how many bytes wait in
	// the client for them, of all partitions together.
	mostPoll  = 1000
	mostFetch = 16 << 20
	// mostConnections are fetches at once, one for each broker.
	mostConnections = 4
)

// Kind is the kind of source kafka of incidentd-sources.
func Kind() ingest.Kind {
	return ingest.Kind{Module: "incidentd-sources", Name: "kafka", New: func(c *data.Loc) (ingest.Source, error) {
		options, err := fromData(c)
		if err != nil {
			return nil, err
		}
		return &source{options, c.Node.Values("topic")}, nil
	}}
}

// fromData reads the container kafka.
func fromData(at *data.Loc) ([]kgo.Opt, error) {
	n := at.Node
	start := kgo.NewOffset().AtStart()
	if listen.Text(n, "start") == "latest" {
		start = kgo.NewOffset().AtEnd()
	}
	options := []kgo.Opt{
		kgo.ClientID("incidentd"), kgo.SeedBrokers(n.Values("broker")...), kgo.ConsumeTopics(n.Values("topic")...),
		kgo.ConsumerGroup(listen.Text(n, "group")), kgo.ConsumeResetOffset(start), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.FetchMaxBytes(mostFetch / mostConnections), kgo.MaxConcurrentFetches(mostConnections), kgo.BrokerMaxReadBytes(2 * mostFetch),
	}
	if user := n.Leaf("user"); user != "" {
		options = append(options, kgo.SASL(login(listen.Text(n, "mechanism"), user, n.Leaf("password"))))
	}
	secure, err := secured(at)
	if secure != nil {
		options = append(options, kgo.DialTLSConfig(secure))
	}
	return options, err
}

func login(mechanism, user, password string) sasl.Mechanism {
	switch as := (scram.Auth{User: user, Pass: password}); mechanism {
	case "scram-sha-512":
		return as.AsSha512Mechanism()
	case "scram-sha-256":
		return as.AsSha256Mechanism()
	}
	return plain.Auth{User: user, Pass: password}.AsMechanism()
}

// secured reads the container tls; nil without one.
func secured(at *data.Loc) (*tls.Config, error) {
	n := at.Node.Child("tls")
	if n == nil {
		return nil, nil
	}
	loc := at.Down(n)
	fault := func(leaf, format string, args ...any) error {
		return rpcerr.InvalidValue(format, args...).At(loc.Down(n.Child(leaf)).Path())
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if pem := n.Leaf("authority"); pem != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, fault("authority", "there is no certificate in PEM")
		}
	}
	if certificate := n.Leaf("certificate"); certificate != "" {
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(n.Leaf("private-key")))
		if err != nil {
			return nil, fault("certificate", "certificate and private-key: %v", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
