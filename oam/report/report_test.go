package report_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"incidentd/netconf/netconftest"
	"incidentd/netconf/sshsig"
	"incidentd/oam"
	"incidentd/oam/report"
	"incidentd/oam/train"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// line is an engine whose trains go over a line that swings around ten milliseconds, and
// loses every packet whose number the loss divides.
func line(loss int) oam.Engine {
	return func(p oam.Params) (oam.Test, error) {
		return &lineTest{train.ReadPlan(p, 84), p.String("target"), loss}, nil
	}
}

type lineTest struct {
	train.Plan
	target string
	loss   int
}

func (l *lineTest) Demand() oam.Demand                    { return l.Plan.Demand(l.target) }
func (l *lineTest) Check(context.Context, *oam.Env) error { return nil }

func (l *lineTest) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	r := train.NewRecord(l.Plan)
	err := l.Pace(ctx, env, r, func(i int) (time.Time, error) {
		now := time.Now()
		if l.loss > 0 && i%l.loss == l.loss-1 {
			return now, nil
		}
		d := time.Duration((10 + 2*math.Sin(float64(i)/15) + float64(i*7919%13)/20) * 1e6)
		time.AfterFunc(d, func() { r.Received(i, time.Now(), true) })
		return now, nil
	})
	if err != nil {
		return nil, err
	}
	return r.Measurement(l.Thresholds), nil
}

// fixed is an engine that finds what it is given.
type fixed struct{ oam.Measurement }

func (f *fixed) engine(oam.Params) (oam.Test, error) { return f, nil }
func (f *fixed) Demand() oam.Demand {
	return oam.Demand{Packets: 1, PacketRate: 1, BitRate: 1, Duration: time.Second}
}
func (f *fixed) Check(context.Context, *oam.Env) error { return nil }
func (f *fixed) Run(context.Context, *oam.Env) (*oam.Measurement, error) {
	m := f.Measurement
	return &m, nil
}

// kept is a certifier whose documents the test gets.
type kept struct {
	*report.Certifier
	key                 ssh.Signer
	document, signature []byte
}

func (k *kept) Certify(e *oam.Evidence) (document, signature []byte, err error) {
	k.document, k.signature, err = k.Certifier.Certify(e)
	return k.document, k.signature, err
}

const sequence = `<oam-test-sequence xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-test-sequence"><test-sequence><name>birth-vpn42</name>
	<test-ref><name>reach</name><icmp-echo xmlns="urn:incidentd:yang:oam-tests"><target>192.0.2.1</target><thresholds><max-loss-ratio>0.0</max-loss-ratio></thresholds></icmp-echo><order xmlns="urn:incidentd:yang:oam-tests">1</order></test-ref>
	<test-ref><name>quality</name><stamp xmlns="urn:incidentd:yang:oam-tests"><target>192.0.2.1</target><dscp>46</dscp><number-of-packets>600</number-of-packets><interval>20000</interval><thresholds><max-loss-ratio>%s</max-loss-ratio><max-average-delay>14000000</max-average-delay></thresholds></stamp><order xmlns="urn:incidentd:yang:oam-tests">2</order></test-ref>
	<test-ref><name>mtu</name><path-mtu xmlns="urn:incidentd:yang:oam-tests"><target>192.0.2.1</target><thresholds><min-path-mtu>1500</min-path-mtu></thresholds></path-mtu><order xmlns="urn:incidentd:yang:oam-tests">3</order></test-ref>
	<period-start>2000-01-01T01:00:00Z</period-start><recurrence-first><utc-start-time>2000-01-01T01:00:00Z</utc-start-time></recurrence-first><count>1</count>
	<frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:daily</frequency>
	<supervision xmlns="urn:incidentd:yang:oam-tests"><service-instance>vpn42</service-instance><resource>PE1/eth1</resource></supervision>
	<birth-certificate xmlns="urn:incidentd:yang:oam-tests">true</birth-certificate></test-sequence></oam-test-sequence>`

// certificate runs the sequence, and returns its certificate.
func certificate(t *testing.T, maxLoss string) *kept {
	t.Helper()
	if _, err := netconftest.Schema(); err != nil { // outside of the bubble
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromSigner(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	c := &kept{key: key, Certifier: &report.Certifier{PublicKey: sshsig.AuthorizedKey(key.PublicKey()), Sign: func(d []byte) ([]byte, error) { return sshsig.Sign(key, report.Namespace, d) },
		Name: func() string { return "noc.example.net" }, Software: "incidentd 1.0",
		Clock: func() (bool, time.Duration) { return true, 250 * time.Microsecond }}}
	synctest.Test(t, func(t *testing.T) {
		b := netconftest.New(t, netconftest.Config{})
		mtu := &fixed{oam.Measurement{MTU: &oam.MTU{Size: 1500}, Verdict: oam.Pass}}
		m, err := oam.New(oam.Config{Store: b.Store, DB: b.DB, Strict: true, Certifier: c, Engines: map[string]oam.Engine{"icmp-echo": line(0), "stamp": line(150), "path-mtu": mtu.engine}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(); err != nil {
			t.Fatal(err)
		}
		b.OnEnd(m.Stop)
		if err := b.Configure(fmt.Sprintf(sequence, maxLoss)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
	})
	if c.document == nil {
		t.Fatal("the run has yielded no certificate")
	}
	return c
}

// A certificate is what is expected to the last byte, and so is its page.
func TestCertificate(t *testing.T) {
	for _, tt := range []struct{ name, maxLoss string }{{"good", "1.0"}, {"bad", "0.5"}} {
		t.Run(tt.name, func(t *testing.T) {
			c := certificate(t, tt.maxLoss)
			golden(t, tt.name+".json", c.document)
			page, err := c.Page(c.document, c.signature)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name+".html", page)
			for _, word := range []string{"http://", "https://", "<script", "src=", "@import", "url("} {
				if bytes.Contains(bytes.ReplaceAll(page, []byte(`xmlns="http://www.w3.org/2000/svg"`), nil), []byte(word)) {
					t.Errorf("the page has %s: it loads something", word)
				}
			}
			again, err := report.Canonical(c.document)
			if err != nil || !bytes.Equal(again, c.document) {
				t.Errorf("the document is not canonical: %v", err)
			}
			if key, err := sshsig.Verify(c.signature, report.Namespace, c.document); err != nil || !bytes.Equal(key.Marshal(), c.key.PublicKey().Marshal()) {
				t.Errorf("Verify = %v, %v", key, err)
			}
		})
	}
}

// The ssh-keygen of OpenSSH takes a certificate, and refuses one in which a digit was changed.
func TestOpenSSH(t *testing.T) {
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	c := certificate(t, "1.0")
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"allowed_signers": append([]byte("noc.example.net "), ssh.MarshalAuthorizedKey(c.key.PublicKey())...),
		"certificate.sig": c.signature,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(document []byte) ([]byte, error) {
		cmd := exec.Command(program, "-Y", "verify", "-f", "allowed_signers", "-I", "noc.example.net", "-n", report.Namespace, "-s", "certificate.sig")
		cmd.Dir, cmd.Stdin = dir, bytes.NewReader(document)
		return cmd.CombinedOutput()
	}
	if out, err := verify(c.document); err != nil || !bytes.Contains(out, []byte("Good")) {
		t.Errorf("the certificate is refused: %v: %s", err, out)
	}
	tampered := bytes.Replace(c.document, []byte(`"packet-loss-count":4,`), []byte(`"packet-loss-count":0,`), 1)
	if bytes.Equal(tampered, c.document) {
		t.Fatal("there is nothing to tamper with")
	}
	if out, err := verify(tampered); err == nil {
		t.Errorf("a certificate that was tampered with is taken: %s", out)
	}
}

// What is no certificate has no page, and names that are markup stay text.
func TestPageOfStrangers(t *testing.T) {
	for _, text := range []string{"", "{}", `{"form":"incidentd-birth-certificate/2"}`, `{"form":"incidentd-birth-certificate/1","result":[]}`, `{"form":"incidentd-birth-certificate/1","result":{}}`} {
		if page, err := report.Page([]byte(text)); err == nil {
			t.Errorf("%s has a page: %s", text, page)
		}
	}
	c := certificate(t, "1.0")
	const evil = `<script>alert(1)</script>`
	text := strings.ReplaceAll(string(c.document), `"name":"quality"`, `"name":"`+evil+`"`)
	page, err := report.Page([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(page, []byte("<script")) || !bytes.Contains(page, []byte("&lt;script&gt;")) {
		t.Error("a name of a test is markup in the page")
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}
