package oam

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Certifier makes birth certificates: documents of what a sequence found, which somebody
// who was not there can trust.
type Certifier interface {
	// Certify writes the document of a run that is over, and signs it. It neither keeps nor
	// changes the evidence.
	Certify(*Evidence) (document, signature []byte, err error)
	// Page is a document that Certify has made as an HTML page for people.
	Page(document, signature []byte) ([]byte, error)
}

// Evidence is what a certificate tells of.
type Evidence struct {
	Sequence string
	// State is what the sequence has come to, such as success.
	State string
	// Result is the entry of the list result of test-sequence, with its members.
	Result *data.Node
	// Definition is what configuration-hash is the SHA-256 of.
	Definition []byte
	// Parameters are those of the tests, in their order.
	Parameters []Parameters
	// Resources and Services are what the sequence stands for.
	Resources, Services []string
}

// Parameters are those of a test of a sequence.
type Parameters struct {
	Name string
	// Type is the container of the case of test-type, with its defaults.
	Type *data.Node
}

// certificate is a certificate as it is stored, but for its document.
type certificate struct {
	Sequence  string    `json:"sequence"`
	RunID     string    `json:"run"`
	Issued    time.Time `json:"issued"`
	State     string    `json:"state"`
	Verdict   Verdict   `json:"verdict,omitempty"`
	SHA256    string    `json:"sha-256"`
	Size      int       `json:"size"`
	Signature []byte    `json:"signature"`

	document []byte
}

// The tables of certificates. Keys are the name of the sequence, a zero byte and the run-id.
const (
	tableCertificates = "oam-certificates" // to certificate
	tableDocuments    = "oam-documents"    // to the document
)

func certificateKey(sequence, runID string) []byte { return []byte(sequence + "\x00" + runID) }

// certify makes the certificate of a run that has ended, nil when it yields none.
func (m *Manager) certify(r *run, to State) *certificate {
	if !r.certificate || r.record.Outcome != Finished {
		return nil
	}
	if m.certifier == nil {
		m.log.Warn("this server makes no certificates", "sequence", r.name)
		return nil
	}
	b := data.BuildEntry(m.schema.lists[TestSequence].ChildNamed("result"), r.record.ID)
	encodeResult(b, &r.record)
	e := &Evidence{Sequence: r.name, State: r.kind.Name(to), Result: b.Node(), Definition: r.text}
	for _, p := range r.members {
		if p.executions > 0 && p.params != nil {
			e.Parameters = append(e.Parameters, Parameters{p.name, withDefaults(p.params)})
		}
	}
	if s := r.supervision; s != nil {
		e.Resources, e.Services = s.resources, s.services
	}
	var document, signature []byte
	err := m.guard(func() (err error) { document, signature, err = m.certifier.Certify(e); return err })
	if err != nil {
		m.log.Error("a run has no certificate", "sequence", r.name, "run-id", r.record.ID, "err", err)
		return nil
	}
	sum := sha256.Sum256(document)
	c := &certificate{Sequence: r.name, RunID: r.record.ID, Issued: time.Now(), State: e.State, Verdict: r.record.Verdict,
		SHA256: hex.EncodeToString(sum[:]), Size: len(document), Signature: signature, document: document}
	r.record.CertificateID = c.SHA256
	return c
}

// withDefaults is a container with the defaults of its leafs, and of those in containers
// that exist by themselves.
func withDefaults(n *data.Node) *data.Node {
	for _, s := range n.Schema().Children {
		c := n.Get(s)
		switch {
		case s.Kind == yang.Leaf && len(s.Defaults) > 0 && c == nil:
			n = n.With(data.NewLeaf(s, s.Defaults[0]))
		case s.Kind == yang.Container && c != nil:
			n = n.With(withDefaults(c))
		}
	}
	return n
}

// put stores a certificate, and removes the oldest of those that are too many.
func (c *certificate) put(tx *datastore.Tx, total, each int) {
	key := string(certificateKey(c.Sequence, c.RunID))
	tx.Put(tableCertificates, []byte(key), pack(c))
	tx.Put(tableDocuments, []byte(key), c.document)
	all, own := []string{key}, []string{key} // a scan sees what was there before the transaction
	for k := range tx.Scan(tableCertificates, nil, nil) {
		all = append(all, string(k))
		if name, _, _ := strings.Cut(string(k), "\x00"); name == c.Sequence {
			own = append(own, string(k))
		}
	}
	for _, k := range slices.Concat(oldest(own, each), oldest(all, total)) {
		tx.Delete(tableCertificates, []byte(k))
		tx.Delete(tableDocuments, []byte(k))
	}
}

// oldest are the keys of certificates beyond a number, by their run-ids, which are in the
// order of time.
func oldest(keys []string, most int) []string {
	if len(keys) <= most {
		return nil
	}
	run := func(k string) string { return k[strings.IndexByte(k, 0)+1:] }
	keys = slices.SortedFunc(slices.Values(keys), func(a, b string) int { return cmp.Compare(run(a), run(b)) })
	return keys[:len(keys)-most]
}

// certificates are those there are, without their documents.
func (m *Manager) certificates() (list []certificate, err error) {
	err = m.db.View(func(r *kv.Reader) error {
		for _, v := range r.Scan(tableCertificates, nil, nil) {
			var c certificate
			if err := unpack(v, &c); err != nil {
				return err
			}
			list = append(list, c)
		}
		return nil
	})
	return list, err
}

// certificate finds the certificate of a run, or the last of a sequence; nil without one.
func (m *Manager) certificate(sequence, runID string) (c *certificate, err error) {
	err = m.db.View(func(r *kv.Reader) error {
		var row []byte
		for k, v := range r.Scan(tableCertificates, []byte(sequence+"\x00"), []byte(sequence+"\x01")) {
			if runID == "" || string(k) == string(certificateKey(sequence, runID)) {
				row = v
			}
		}
		if row == nil {
			return nil
		}
		c = new(certificate)
		if err := unpack(row, c); err != nil {
			return err
		}
		c.document = slices.Clone(r.Get(tableDocuments, certificateKey(sequence, c.RunID)))
		return nil
	})
	return c, err
}

// getBirthCertificate answers get-birth-certificate.
func (m *Manager) getBirthCertificate(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	in := Params{r.Input}
	sequence, runID := in.String("sequence"), in.String("run-id")
	var c *certificate
	if r.Access.MayRead(m.schema.resultsAt(sequence)) { // who may not read results does not learn that they are there
		var err error
		if c, err = m.certificate(sequence, runID); err != nil {
			return nil, err
		}
	}
	if c == nil {
		what, leaf := fmt.Sprintf("the sequence %q has no certificate", sequence), "sequence"
		if runID != "" {
			what, leaf = fmt.Sprintf("the run %q of the sequence %q has no certificate", runID, sequence), "run-id"
		}
		return nil, rpcerr.DataMissing("%s; a run yields one when it ends, and birth-certificate of its sequence is true", what).
			At((&data.Loc{Node: r.Input}).Down(r.Input.Child(leaf)).Path())
	}
	document, media := c.document, "application/json"
	if in.String("format") == "html" {
		if m.certifier == nil {
			return nil, rpcerr.New(rpcerr.Application, rpcerr.TagOperationNotSupported, "this server makes no pages of certificates")
		}
		page, err := m.certifier.Page(c.document, c.Signature)
		if err != nil {
			return nil, err
		}
		document, media = page, "text/html; charset=utf-8"
	}
	sum := sha256.Sum256(document)
	b := r.Output().Leaf("run-id", c.RunID).Leaf("media-type", media).Leaf("sha-256", hex.EncodeToString(sum[:])).
		Leaf("document", base64.StdEncoding.EncodeToString(document)).Leaf("signature", string(c.Signature))
	return &netconf.Reply{Output: b.Node()}, nil
}

// resultsAt is where the results of a sequence stand, whether it is there or not.
func (s *schema) resultsAt(sequence string) *data.Loc {
	list := s.lists[TestSequence]
	result := data.BuildEntry(list.ChildNamed("result"), "").Node()
	entry := data.BuildEntry(list, sequence).Node()
	return (&data.Loc{Node: data.New(s.root)}).Down(data.New(s.containers[TestSequence])).Down(entry).Down(result)
}

// encodeCertificates writes the list of certificates.
func encodeCertificates(b *data.Builder, list []certificate) {
	for _, c := range list {
		b.Entry("birth-certificate", c.Sequence, c.RunID).Time("issued", c.Issued).Leaf("test-sequence-status", c.State).
			Text("verdict", string(c.Verdict)).Leaf("sha-256", c.SHA256).Uint("size", uint64(c.Size))
	}
}
