package report

import (
	"encoding/json"
	"errors"
	"time"

	"incidentd/oam"
	"incidentd/yang/data"
)

// Namespace is what the signatures of certificates are for.
const Namespace = "incidentd-birth-certificate"

// Certifier makes the certificates of a server; it is an oam.Certifier.
type Certifier struct {
	// Sign signs a document for Namespace, in the form of package sshsig.
	Sign func(document []byte) ([]byte, error)
	// PublicKey is that of the host key of the server, which Sign signs with, as in
	// authorized_keys.
	PublicKey string
	// Name is that of the server, as its clients know it.
	Name func() string
	// Software is what the server is, with its version.
	Software string
	// Clock tells whether something synchronises the clock of this host, and how far it may be
	// wrong then.
	Clock func() (synchronized bool, wrong time.Duration)
}

// Document is a certificate.
type Document struct {
	Form       string          `json:"form"`
	Issuer     Issuer          `json:"issuer"`
	Issued     time.Time       `json:"issued"`
	Clock      Clock           `json:"clock"`
	Sequence   string          `json:"test-sequence"`
	Status     string          `json:"test-sequence-status"`
	Resources  []string        `json:"resource,omitempty"`
	Services   []string        `json:"service-instance,omitempty"`
	Definition string          `json:"definition"`
	Parameters []Parameters    `json:"parameters"`
	Result     json.RawMessage `json:"result"`
}

// Form is that of documents; a later one that differs has another number.
const Form = "incidentd-birth-certificate/1"

// Issuer is the server.
type Issuer struct {
	Name      string `json:"name"`
	Software  string `json:"software"`
	PublicKey string `json:"public-key"` // as in authorized_keys
}

// Clock is that of the server when it signed.
type Clock struct {
	Synchronized bool `json:"synchronized"`
	// MaximumError is in nanoseconds; absent when nobody knows.
	MaximumError int64 `json:"maximum-error,omitempty"`
}

// Parameters are those of a test of the sequence.
type Parameters struct {
	Name       string          `json:"name"`
	TestType   string          `json:"test-type"`
	Parameters json.RawMessage `json:"parameters"`
}

// Certify implements oam.Certifier.
func (c *Certifier) Certify(e *oam.Evidence) (document, signature []byte, err error) {
	d := Document{
		Form:     Form,
		Issuer:   Issuer{c.Name(), c.Software, c.PublicKey},
		Issued:   time.Now().UTC().Truncate(time.Millisecond),
		Sequence: e.Sequence, Status: e.State, Resources: e.Resources, Services: e.Services,
		Definition: string(e.Definition),
		Parameters: []Parameters{},
		Result:     data.AppendChildrenJSON(nil, e.Result, e.Result.Schema().Module),
	}
	if synchronized, wrong := c.Clock(); synchronized {
		d.Clock = Clock{true, int64(wrong)}
	}
	for _, p := range e.Parameters {
		t := p.Type.Schema()
		d.Parameters = append(d.Parameters, Parameters{p.Name, t.Name, data.AppendChildrenJSON(nil, p.Type, t.Module)})
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, nil, err
	}
	if document, err = Canonical(text); err != nil {
		return nil, nil, err
	}
	signature, err = c.Sign(document)
	return document, signature, err
}

// Decode reads a document. Who made it, and whether it is as it was, the signature tells.
func Decode(document []byte) (*Document, error) {
	var d Document
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, err
	}
	if d.Form != Form {
		return nil, errors.New("the document is no certificate of the form " + Form)
	}
	return &d, nil
}
