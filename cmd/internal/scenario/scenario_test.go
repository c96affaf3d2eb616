package scenario

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/server"
	"incidentd/incident/diagnose/diagnosetest"
	"incidentd/netconf/transport"
	"incidentd/netconf/transport/memconn"
)

var update = flag.Bool("update", false, "rewrite what the scenarios expect")

func TestScenarios(t *testing.T) {
	paths, err := filepath.Glob("../../../testdata/scenario/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			a := parseArchive(text)
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				r := &runner{t: t, archive: a, dir: filepath.Join(dir, "data"), sessions: map[string]*session{}, devices: map[string]*device{}}
				r.run()
			})
			if *update && !t.Failed() {
				if err := os.WriteFile(path, a.format(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

const password = "scenario"

type runner struct {
	t        *testing.T
	archive  *archive
	dir      string
	listener *memconn.Listener
	server   *server.Server
	sessions map[string]*session
	devices  map[string]*device
	line     int
}

// device is another server, which this one configures.
type device struct {
	server   *server.Server
	listener *memconn.Listener
}

// fingerprint is that of the device's host key, in files its name after SHA256:.
func (d *device) fingerprint() string { return ssh.FingerprintSHA256(d.server.HostKey()) }

// hidden is what stands for the fingerprint of a device in files.
func hidden(name string) string { return "SHA256:" + strings.Repeat("A", 43-len(name)) + name }

// addDevice starts a device.
func (r *runner) addDevice(name string) {
	dir := filepath.Join(filepath.Dir(r.dir), "device-"+name)
	if _, err := server.Init(dir, server.Admin{Name: "admin", Password: password}); err != nil {
		r.fatalf("init: %v", err)
	}
	s, err := server.New(server.Config{DataDir: dir})
	if err != nil {
		r.fatalf("device: %v", err)
	}
	d := &device{server: s, listener: memconn.Listen(memconn.Addr(name))}
	s.StartOn(d.listener)
	r.devices[name] = d
}

// dial is how the server reaches devices.
func (r *runner) dial(ctx context.Context, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := r.devices[host]
	if d == nil {
		return nil, fmt.Errorf("dial tcp %s: connection refused", address)
	}
	return d.listener.Dial(ctx, memconn.Addr("server"))
}

func (r *runner) fatalf(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("step %d: %s", r.line, fmt.Sprintf(format, args...))
}

func (r *runner) run() {
	if _, err := server.Init(r.dir, server.Admin{Name: "admin", Password: password}); err != nil {
		r.fatalf("init: %v", err)
	}
	r.start()
	defer r.stopDevices()
	defer r.stop()
	for i, line := range strings.Split(r.archive.comment, "\n") {
		r.line = i + 1
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		r.step(words)
		if r.t.Failed() {
			return
		}
	}
	r.lint()
}

// lint lets libyang, which nobody here wrote, judge the operational datastore after
// the scenario.
func (r *runner) lint() {
	yanglint, err := exec.LookPath("yanglint")
	if err != nil {
		r.t.Log("yanglint is not installed: what the server tells is not checked by it")
		return
	}
	s := r.open(r.listener)
	r.sessions["lint"] = s
	s.send([]byte(`<get-data xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"><datastore xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">ds:operational</datastore></get-data>`))
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(<-s.messages); err != nil {
		r.fatalf("%v", err)
	}
	data := doc.FindElement("/rpc-reply/data")
	if data == nil {
		r.fatalf("get-data has no data")
	}
	out := etree.NewDocument()
	for _, e := range data.ChildElements() {
		// The module of the event streams has a mandatory leaf that only its
		// notification can have, and the capabilities name its nodes.
		if e.Tag != "netconf" && e.Tag != "system-capabilities" {
			out.AddChild(e.Copy())
		}
	}
	text, err := out.WriteToBytes()
	if err != nil {
		r.fatalf("%v", err)
	}
	file := r.dir + ".xml"
	if err := os.WriteFile(file, text, 0o600); err != nil {
		r.fatalf("%v", err)
	}
	schema, err := server.Schema()
	if err != nil {
		r.fatalf("%v", err)
	}
	args := []string{"-p", modulesDir}
	for _, m := range schema.Modules {
		// Those of the event streams are left out above; that of RFC 6470 has a when
		// at the wrong level, of which libyang warns.
		if !m.Implemented || m.Name == "nc-notifications" || m.Name == "notifications" || m.Name == "ietf-netconf-notifications" {
			continue
		}
		args = append(args, "-F", m.Name+":"+strings.Join(m.Features, ","), filepath.Join(modulesDir, m.Name+"@"+m.Revision+".yang"))
	}
	if report, err := exec.Command(yanglint, append(args, "-t", "data", file)...).CombinedOutput(); err != nil || len(report) > 0 {
		r.t.Errorf("yanglint refuses the operational datastore: %v\n%s", err, report)
	}
}

const modulesDir = "../../../yang/modules"

func (r *runner) step(words []string) {
	arg := func(i int) string {
		if i >= len(words) {
			r.fatalf("%q lacks an argument", strings.Join(words, " "))
		}
		return words[i]
	}
	switch words[0] {
	case "session":
		to := r.listener
		if len(words) > 2 {
			to = r.devices[arg(2)].listener
		}
		r.sessions[arg(1)] = r.open(to)
	case "device":
		r.addDevice(arg(1))
	case "program":
		dir := filepath.Join(r.dir, "hooks")
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, arg(1)), r.archive.file(arg(2)), 0o700)); err != nil {
			r.fatalf("%v", err)
		}
	case "send":
		op := r.archive.file(arg(2))
		if op == nil {
			r.fatalf("there is no file %s", arg(2))
		}
		for name, d := range r.devices {
			op = bytes.ReplaceAll(op, []byte(hidden(name)), []byte(d.fingerprint()))
		}
		r.session(arg(1)).send(op)
	case "expect":
		r.expect(r.session(arg(1)), arg(2))
	case "nothing":
		r.session(arg(1)).nothing()
	case "close":
		r.session(arg(1)).close()
		delete(r.sessions, arg(1))
	case "sleep":
		d, err := time.ParseDuration(arg(1))
		if err != nil {
			r.fatalf("%v", err)
		}
		time.Sleep(d)
		synctest.Wait()
	case "restart":
		r.stop()
		r.start()
	case "crash":
		r.crash()
	default:
		r.fatalf("unknown step %q", words[0])
	}
}

func (r *runner) start() {
	s, err := server.New(server.Config{DataDir: r.dir, Dial: r.dial, Engines: diagnosetest.Engines(nil)})
	if err != nil {
		r.fatalf("start: %v", err)
	}
	r.listener = memconn.Listen(memconn.Addr("server"))
	r.server = s
	s.StartOn(r.listener)
}

func (r *runner) stop() {
	if r.server == nil {
		return
	}
	for name, s := range r.sessions {
		s.close()
		delete(r.sessions, name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.server.Stop(ctx); err != nil {
		r.t.Errorf("stop: %v", err)
	}
	r.server = nil
}

func (r *runner) stopDevices() {
	for _, d := range r.devices {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := d.server.Stop(ctx); err != nil {
			r.t.Errorf("stop: %v", err)
		}
		cancel()
	}
}

// crash goes on with the files as they are now: what the server does on its way
// down is lost, as after kill -9.
func (r *runner) crash() {
	synctest.Wait()
	saved := r.dir + ".crashed"
	if err := os.CopyFS(saved, os.DirFS(r.dir)); err != nil {
		r.fatalf("%v", err)
	}
	r.stop()
	if err := os.RemoveAll(r.dir); err != nil {
		r.fatalf("%v", err)
	}
	if err := os.Rename(saved, r.dir); err != nil {
		r.fatalf("%v", err)
	}
	err := filepath.Walk(r.dir, func(path string, info os.FileInfo, err error) error {
		mode := 0o600 | info.Mode()&0o100
		if info.IsDir() {
			mode = 0o700
		}
		return os.Chmod(path, mode)
	})
	if err != nil {
		r.fatalf("%v", err)
	}
	r.start()
}

// session is a NETCONF session as its client sees it.
type session struct {
	r        *runner
	client   *ssh.Client
	writer   *transport.Writer
	messages chan []byte // closed by the reading goroutine at the end
	last     int
}

func (r *runner) session(name string) *session {
	s := r.sessions[name]
	if s == nil {
		r.fatalf("there is no session %s", name)
	}
	return s
}

const hello = `<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>` +
	`<capability>urn:ietf:params:netconf:base:1.0</capability><capability>urn:ietf:params:netconf:base:1.1</capability></capabilities></hello>`

func (r *runner) open(to *memconn.Listener) *session {
	conn, err := to.Dial(context.Background(), memconn.Addr("client"))
	if err != nil {
		r.fatalf("dial: %v", err)
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, "server", &ssh.ClientConfig{User: "admin", Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		r.fatalf("login: %v", err)
	}
	client := ssh.NewClient(c, chans, reqs)
	ch, err := client.NewSession()
	if err != nil {
		r.fatalf("channel: %v", err)
	}
	in, _ := ch.StdoutPipe()
	out, _ := ch.StdinPipe()
	if err := ch.RequestSubsystem("netconf"); err != nil {
		r.fatalf("subsystem: %v", err)
	}
	s := &session{r: r, client: client, writer: transport.NewWriter(out), messages: make(chan []byte, 10000)}
	reader := transport.NewReader(in, 0)
	if _, err := reader.ReadMessage(); err != nil {
		r.fatalf("hello: %v", err)
	}
	if err := s.writer.WriteMessage([]byte(hello)); err != nil {
		r.fatalf("hello: %v", err)
	}
	reader.Upgrade()
	s.writer.Upgrade()
	go func() {
		defer close(s.messages)
		for {
			m, err := reader.ReadMessage()
			if err != nil {
				return
			}
			s.messages <- bytes.Clone(m)
		}
	}()
	return s
}

func (s *session) send(op []byte) {
	s.last++
	rpc := fmt.Sprintf(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="%d">%s</rpc>`, s.last, op)
	if err := s.writer.WriteMessage([]byte(rpc)); err != nil {
		s.r.fatalf("send: %v", err)
	}
}

func (s *session) close() {
	s.client.Close()
	for range s.messages {
	}
}

func (s *session) nothing() {
	select {
	case m, ok := <-s.messages:
		s.r.fatalf("an unexpected message, or the end of the session (%v):\n%s", !ok, m)
	case <-time.After(time.Second):
	}
}

func (r *runner) expect(s *session, name string) {
	var got []byte
	select {
	case m, ok := <-s.messages:
		if !ok {
			r.fatalf("the session ended instead of %s", name)
		}
		got = pretty(r, m)
	case <-time.After(time.Hour):
		r.fatalf("no message came within an hour; %s was expected", name)
	}
	want := r.archive.file(name)
	if *update {
		if want != nil && !bytes.Equal(want, got) {
			r.t.Logf("step %d: %s changes", r.line, name)
		}
		r.archive.set(name, got)
		return
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		r.fatalf("%s differs (-want +got):\n%s", name, d)
	}
}

// pretty writes a message with one element a line and no message-id, which is a
// matter of the dialogue's length.
func pretty(r *runner, m []byte) []byte {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(m); err != nil {
		r.fatalf("%v in:\n%s", err, m)
	}
	doc.Root().RemoveAttr("message-id")
	doc.Indent(2)
	out, err := doc.WriteToBytes()
	if err != nil {
		r.fatalf("%v", err)
	}
	return out
}
