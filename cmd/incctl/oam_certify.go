package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/beevik/etree"
	"golang.org/x/crypto/ssh"

	"incidentd/netconf/sshsig"
)

// nsCertificate is what certificates are signed for.
const nsCertificate = "incidentd-birth-certificate"

type oamCertifyCommand struct {
	Name     string `arg:"" help:"The sequence; it need not be configured any longer." complete:"oam"`
	RunID    string `name:"run" help:"The run; by default the last that yielded a certificate." placeholder:"RUN" xor:"which"`
	Now      bool   `help:"Run the sequence first, and wait for its end." xor:"which"`
	AnyKey   bool   `help:"Take one that the server has signed with another key than it has now."`
	HTML     string `name:"html" help:"Write the page for people to a file." placeholder:"FILE"`
	Document string `help:"Write the certificate itself, as canonical JSON, to a file." placeholder:"FILE"`
	Sig      string `help:"Write its signature to a file." placeholder:"FILE"`
	Signers  string `help:"Write the server's key to a file, as ssh-keygen -Y verify wants it." placeholder:"FILE"`
}

// Help is shown by `incctl oam certify --help`.
func (*oamCertifyCommand) Help() string {
	return `Gets the birth certificate that a run of a sequence has yielded, whose birth-certificate is true, and checks
that it is signed with the key of the server that answers. A file - is standard output. Later, without the server:

  incctl oam certify birth-vpn42 --document c.json --sig c.sig --signers signers --html c.html
  ssh-keygen -Y verify -f signers -I incidentd -n incidentd-birth-certificate -s c.sig < c.json`
}

// oamCertificate is a certificate that the server has handed out.
type oamCertificate struct {
	Sequence    string `json:"sequence"`
	RunID       string `json:"run-id"`
	Status      string `json:"test-sequence-status"`
	Issued      string `json:"issued"`
	SHA256      string `json:"sha-256"`
	Fingerprint string `json:"fingerprint"`

	document, signature []byte
	key                 ssh.PublicKey
}

// Run gets the certificate.
func (c *oamCertifyCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		run := c.RunID
		if c.Now {
			r, err := s.runOAM(ctx, c.Name, true)
			switch {
			case err != nil:
				return err
			case r.Outcome != "finished":
				return fmt.Errorf("run %s did not finish, and has no certificate: %s %s", r.RunID, r.Outcome, clean(r.Detail))
			}
			run = r.RunID
		}
		got, err := s.oamCertificate(ctx, c.Name, run)
		if err != nil {
			return err
		}
		if own := s.hostKey; own != nil && !bytes.Equal(own.Marshal(), got.key.Marshal()) && !c.AnyKey {
			return fmt.Errorf("the certificate is signed with %s, and the key of the server is %s; if it had that one then, --any-key takes the certificate", got.Fingerprint, ssh.FingerprintSHA256(own))
		}
		var page []byte
		if c.HTML != "" {
			if page, _, err = s.oamDocument(ctx, c.Name, got.RunID, "html"); err != nil {
				return err
			}
		}
		for _, f := range []struct {
			name    string
			content []byte
		}{{c.HTML, page}, {c.Document, got.document}, {c.Sig, got.signature}, {c.Signers, []byte("incidentd " + sshsig.AuthorizedKey(got.key) + "\n")}} {
			if err := a.writeFile(f.name, f.content); err != nil {
				return err
			}
		}
		return c.tell(a, got)
	})
}

// tell says what was got, unless standard output is taken.
func (c *oamCertifyCommand) tell(a *app, got *oamCertificate) error {
	for _, name := range []string{c.HTML, c.Document, c.Sig, c.Signers} {
		if name == "-" {
			return nil
		}
	}
	if a.json {
		return a.writeJSON(got)
	}
	s := a.screen()
	_, err := fmt.Fprintf(a.stdout, "%s  %s\nRun %s, issued %s.\nSHA-256 %s\nSigned with the key %s.\n", s.paint(clean(got.Sequence), bold),
		s.paint(got.Status, oamStyle(got.Status)), clean(got.RunID), s.whenLong(got.Issued), got.SHA256, got.Fingerprint)
	return err
}

// writeFile writes a file that was asked for, - to standard output.
func (a *app) writeFile(name string, content []byte) error {
	switch name {
	case "":
		return nil
	case "-":
		_, err := a.stdout.Write(content)
		return err
	}
	return os.WriteFile(name, content, 0o644)
}

// oamDocument gets a certificate in a format, with what else the reply tells.
func (s *session) oamDocument(ctx context.Context, sequence, run, format string) (document []byte, reply *etree.Element, err error) {
	op := etree.NewElement("get-birth-certificate")
	op.CreateAttr("xmlns", nsOAMTests)
	op.CreateElement("sequence").SetText(sequence)
	if run != "" {
		op.CreateElement("run-id").SetText(run)
	}
	op.CreateElement("format").SetText(format)
	if reply, err = s.call(ctx, op); err != nil {
		return nil, nil, err
	}
	if document, err = base64.StdEncoding.DecodeString(leaf(reply, nsOAMTests, "document")); err != nil {
		return nil, nil, fmt.Errorf("the document of the server: %w", err)
	}
	if sum := sha256.Sum256(document); hex.EncodeToString(sum[:]) != leaf(reply, nsOAMTests, "sha-256") {
		return nil, nil, errors.New("the document has another SHA-256 than the server tells")
	}
	return document, reply, nil
}

// oamCertificate gets a certificate, and checks its signature.
func (s *session) oamCertificate(ctx context.Context, sequence, run string) (*oamCertificate, error) {
	document, reply, err := s.oamDocument(ctx, sequence, run, "json")
	if err != nil {
		return nil, err
	}
	c := &oamCertificate{RunID: leaf(reply, nsOAMTests, "run-id"), SHA256: leaf(reply, nsOAMTests, "sha-256"), document: document, signature: []byte(leaf(reply, nsOAMTests, "signature"))}
	if c.key, err = sshsig.Verify(c.signature, nsCertificate, document); err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	c.Fingerprint = ssh.FingerprintSHA256(c.key)
	var told struct {
		Sequence string `json:"test-sequence"`
		Status   string `json:"test-sequence-status"`
		Issued   string `json:"issued"`
	}
	if err := json.Unmarshal(document, &told); err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	c.Sequence, c.Status, c.Issued = told.Sequence, told.Status, told.Issued
	return c, nil
}
