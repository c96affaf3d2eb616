package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"incidentd/netconf/client"
	"incidentd/netconf/transport"
	"incidentd/netconf/transport/memconn"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	if os.Getenv("INCCTL_MAIN") != "" {
		main() // of a test that needs a process of its own
	}
	time.Local = time.FixedZone("CET", 3600)
	os.Exit(m.Run())
}

// golden compares with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// server is a NETCONF server with the incidents of a file and what the test scripts.
type server struct {
	t         *testing.T
	incidents *etree.Document
	// answer handles an operation that is neither get nor close-session; it returns the
	// content of the reply.
	answer func(op *etree.Element, s *peer) string
	// refuse makes the next connections fail.
	refuse []error

	mu    sync.Mutex
	ops   []string // mu: what was asked
	conns sync.WaitGroup
}

// peer is one session at the server.
type peer struct {
	mu   sync.Mutex // held while w is written
	w    *transport.Writer
	conn io.Closer
}

func (p *peer) send(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.w.WriteMessage(fmt.Appendf(nil, format, args...)) // a client that has gone is no failure
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, incidents: etree.NewDocument()}
	if err := s.incidents.ReadFromFile(filepath.Join("testdata", "incidents.xml")); err != nil {
		t.Fatal(err)
	}
	return s
}

// dial is the app's: a session over a connection in memory.
func (s *server) dial(ctx context.Context) (*session, error) {
	if len(s.refuse) > 0 {
		err := s.refuse[0]
		s.refuse = s.refuse[1:]
		return nil, err
	}
	near, far := memconn.Pipe()
	s.conns.Go(func() { s.serve(far) })
	began := time.Now()
	c, err := client.New(ctx, near, client.Config{})
	if err != nil {
		return nil, err
	}
	return &session{c: c, timeout: 30 * time.Second, opened: began}, nil
}

func (s *server) serve(conn io.ReadWriteCloser) {
	defer conn.Close()
	r := transport.NewReader(conn, 0)
	p := &peer{w: transport.NewWriter(conn), conn: conn}
	p.send(`<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>` +
		`<capability>urn:ietf:params:netconf:base:1.0</capability><capability>urn:ietf:params:netconf:base:1.1</capability>` +
		`<capability>urn:ietf:params:netconf:capability:notification:1.0</capability>` +
		`<capability>` + capabilityInterleave + `</capability></capabilities><session-id>4</session-id></hello>`)
	if _, err := r.ReadMessage(); err != nil {
		return
	}
	r.Upgrade()
	p.w.Upgrade()
	for {
		msg, err := r.ReadMessage()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				s.t.Errorf("server: %v", err)
			}
			return
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(msg); err != nil {
			s.t.Errorf("server: %v in %s", err, msg)
			return
		}
		op := doc.Root().ChildElements()[0]
		content := "<ok/>"
		s.mu.Lock()
		s.ops = append(s.ops, string(marshal(op)))
		s.mu.Unlock()
		switch op.Tag {
		case "close-session":
		case "get":
			content = "<data>" + s.get(op) + "</data>"
		default:
			content = s.answer(op, p)
		}
		if content == "" {
			return // the script has it that the connection is lost
		}
		p.send(`<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="%s">%s</rpc-reply>`,
			doc.Root().SelectAttrValue("message-id", ""), content)
		if op.Tag == "close-session" {
			return
		}
	}
}

// get answers with the whole entries that one of the filter's entries matches.
func (s *server) get(op *etree.Element) string {
	filter := op.FindElement("./filter/incidents")
	if filter == nil || filter.NamespaceURI() != nsIncident {
		s.t.Errorf("server: a get without a filter of incidents")
		return ""
	}
	top := s.incidents.Root().Copy()
	for _, e := range top.ChildElements() {
		matched := false
		for _, f := range filter.ChildElements() {
			all := true
			for _, c := range f.ChildElements() {
				if text := c.Text(); text != "" && leaf(e, nsIncident, c.Tag) != text {
					all = false
				}
			}
			matched = matched || all
		}
		if !matched {
			top.RemoveChild(e)
		}
	}
	return string(marshal(top))
}

// asked returns the operations received, without close-session.
func (s *server) asked() (ops []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.ops {
		if !strings.HasPrefix(op, "<close-session") {
			ops = append(ops, op)
		}
	}
	return ops
}

// buffer is a writer that a test may read while the program writes.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// program is a run of incctl against the server.
type program struct {
	stdout, stderr buffer
	status         int
}

// incctl runs a command line to its end, and the server with it.
func (s *server) incctl(ctx context.Context, in io.Reader, width int, args ...string) *program {
	p := &program{}
	p.status = run(ctx, args, &app{stdin: in, stdout: &p.stdout, stderr: &p.stderr, dial: s.dial, width: width})
	s.conns.Wait()
	return p
}

// want fails the test when the program ended otherwise.
func (p *program) want(t *testing.T, status int, stderr string) {
	t.Helper()
	if p.status != status {
		t.Errorf("status %d, want %d", p.status, status)
	}
	if d := cmp.Diff(stderr, p.stderr.String()); d != "" {
		t.Errorf("stderr (-want +got):\n%s", d)
	}
}
