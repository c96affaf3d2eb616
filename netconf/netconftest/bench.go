// Package netconftest runs a whole NETCONF server in a test, over connections in
// memory: the embedded modules, a store in a temporary directory, all operations
// and subscriptions. Play runs dialogues that stand in files.
//
// # Concurrency
//
// A Bench may be used by any number of goroutines at once; a Peer belongs to one.
package netconftest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/netconf"
	"incidentd/netconf/audit"
	"incidentd/netconf/nacm"
	"incidentd/netconf/ops"
	"incidentd/netconf/push"
	"incidentd/netconf/subscribe"
	"incidentd/netconf/transport"
	"incidentd/netconf/transport/memconn"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
	"incidentd/yang/xmltext"
)

// definitions are the modules that nobody implements.
var definitions = []string{"ietf-inet-types", "ietf-yang-types", "iana-crypt-hash", "ietf-yang-metadata", "ietf-incident-types", "ietf-datastores", "ietf-origin"}

// Schema compiles the embedded modules, once in a process.
var Schema = sync.OnceValues(func() (*yang.Schema, error) { return SchemaWith(nil) })

// SchemaWith compiles the embedded modules and others, all of which are implemented.
func SchemaWith(others fs.FS) (*yang.Schema, error) {
	var implemented []string
	for _, name := range modules.Names() {
		m, _, _ := modules.Split(name)
		if m == "" {
			m = name
		}
		if !slices.Contains(definitions, m) && !slices.Contains(subscribe.Definitions(), m) && !slices.Contains(push.Definitions(), m) {
			implemented = append(implemented, m)
		}
	}
	features := ops.Features()
	maps.Copy(features, subscribe.Features())
	maps.Copy(features, push.Features())
	o := yang.Options{Implemented: implemented, Features: features}
	if others == nil {
		return yang.Compile(modules.FS, o)
	}
	var files []yang.File
	for _, from := range []fs.FS{modules.FS, others} {
		names, err := fs.Glob(from, "*.yang")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := fs.ReadFile(from, name)
			if err != nil {
				return nil, err
			}
			files = append(files, yang.File{Name: name, Text: text})
			if from == others {
				m, _, _ := modules.Split(name)
				o.Implemented = append(o.Implemented, cmp.Or(m, strings.TrimSuffix(name, ".yang")))
			}
		}
	}
	return yang.CompileFiles(files, o)
}

// Config of a Bench; the zero value works.
type Config struct {
	Limits  netconf.Limits
	Journal journal.Options
	// Schema is that of Schema when it is nil.
	Schema *yang.Schema
	// NACM controls access, as running says. Without it everybody may do everything.
	NACM bool
	// HTTP asks the servers of https URLs; without it there are none.
	HTTP *http.Client
	// Audit records what the sessions do.
	Audit bool
	// MaxSubscriptions is how many subscriptions a session may have; by default as many as
	// in a server.
	MaxSubscriptions int
	// MaxNodes is how many nodes an update of YANG-Push may have; by default as many as
	// in a server.
	MaxNodes int
	// Setup adds handlers before the first session.
	Setup func(*Bench)
}

// Bench is a server and its store.
type Bench struct {
	Schema    *yang.Schema
	DB        *kv.DB
	Store     *datastore.Store
	Server    *netconf.Server
	Publisher *subscribe.Publisher
	NACM      *nacm.Controller
	// Files is the directory that URLs of files lead into.
	Files string
	// Audit is nil unless Config asks for it.
	Audit *audit.Log
	// DiskFull lets no transaction get to the disk, as when it has no room left.
	DiskFull atomic.Bool
	// Log is what the server has logged.
	Log *Log

	config   Config
	dir      string // of the store
	root     *os.Root
	waiting  sync.Map // receivers' names to chan net.Conn
	cancel   func()   // ends running
	running  sync.WaitGroup
	ends     []func()
	t        testing.TB
	sessions sync.WaitGroup
}

// Log is a buffer for a log.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns all that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Take returns what was logged since the last Take, and forgets it.
func (l *Log) Take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.buf.String()
	l.buf.Reset()
	return s
}

// New starts a server, which ends with the test. In a synctest bubble it has to be
// called inside, and Schema before, outside.
func New(t testing.TB, c Config) *Bench {
	t.Helper()
	schema, err := c.Schema, error(nil)
	if schema == nil {
		schema, err = Schema()
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &Bench{Schema: schema, Log: new(Log), t: t, config: c, dir: t.TempDir()}
	b.root = b.files()
	b.start()
	t.Cleanup(b.close)
	return b
}

// Restart stops the server and starts another one on the same store. All sessions end.
func (b *Bench) Restart() {
	b.close()
	b.start()
}

// start starts the server.
func (b *Bench) start() {
	t, c, schema := b.t, b.config, b.Schema
	log := slog.New(slog.NewTextHandler(b.Log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	var err error
	if b.DB, err = kv.Open(filepath.Join(b.dir, "store.db"), kv.Options{FailPoint: b.disk}); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(b.DB, c.Journal)
	if err != nil {
		t.Fatal(err)
	}
	if b.Store, err = datastore.Open(b.DB, j, schema, datastore.Options{Log: log, Announce: ops.Announcer(schema)}); err != nil {
		t.Fatal(err)
	}
	server := netconf.Config{Store: b.Store, Limits: c.Limits, Log: log}
	if b.NACM, err = nacm.New(b.Store, log); err != nil {
		t.Fatal(err)
	}
	if c.NACM {
		server.Access = b.NACM.Access
	}
	if c.Audit {
		if b.Audit, err = audit.Open(audit.Config{Store: b.Store, DB: b.DB, Log: log}); err != nil {
			t.Fatal(err)
		}
		server.Audit = b.Audit
	}
	if b.Server, err = netconf.New(server); err != nil {
		t.Fatal(err)
	}
	password := schema.Root.Child(schema.Module("ietf-system"), "system").ChildNamed("authentication").ChildNamed("user").ChildNamed("password")
	stored := func(v string) (string, error) {
		if v == "$0$" {
			return "", errors.New("the password is empty")
		}
		if bytes.HasPrefix([]byte(v), []byte("$0$")) {
			return "$6$salt$hash", nil
		}
		return v, nil
	}
	if b.Publisher, err = subscribe.Register(subscribe.Config{Server: b.Server, Call: b.Call, MaxPerSession: c.MaxSubscriptions, Log: log}); err != nil {
		t.Fatal(err)
	}
	if err := push.Register(push.Config{Server: b.Server, Publisher: b.Publisher, MaxNodes: c.MaxNodes}); err != nil {
		t.Fatal(err)
	}
	if err := ops.Register(ops.Config{Server: b.Server, Access: b.NACM, Files: b.root, HTTP: c.HTTP, Stored: map[*yang.Node]func(string) (string, error){password: stored}}); err != nil {
		t.Fatal(err)
	}
	if c.Setup != nil {
		c.Setup(b)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	b.running.Go(func() { b.Publisher.Run(ctx) })
}

func (b *Bench) disk(at string) error {
	if at == "before-commit" && b.DiskFull.Load() {
		return kv.ErrFull
	}
	return nil
}

// files is the directory of files.
func (b *Bench) files() *os.Root {
	b.Files = b.t.TempDir()
	root, err := os.OpenRoot(b.Files)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { root.Close() })
	return root
}

// OnEnd has f called at the end of the test, before the store is closed.
func (b *Bench) OnEnd(f func()) { b.ends = append(b.ends, f) }

func (b *Bench) close() {
	// The context is done: whatever does not end at once is aborted.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b.cancel()
	b.Server.Stop(ctx)
	b.sessions.Wait()
	b.running.Wait()
	for _, end := range b.ends {
		end()
	}
	b.ends = nil // a server that starts again has its own
	if b.Audit != nil {
		b.Audit.Close()
	}
	b.Store.Close()
	if err := b.DB.Close(); err != nil {
		b.t.Error(err)
	}
}

// conn is a connection in memory as a session has it.
type conn struct {
	net.Conn
	user   string
	groups []string
}

func (c conn) User() string { return c.user }

func (c conn) Groups() []string { return c.groups }

func (c conn) Abort() { c.Close() }

// Mark takes any DSCP, though no packets are sent.
func (c conn) Mark(uint8) error { return nil }

// Call is what subscribe.Config wants to call receivers: it reaches those that Await was
// called for, and no others.
func (b *Bench) Call(ctx context.Context, r subscribe.Receiver, begun func(*netconf.Session)) error {
	waiting, ok := b.waiting.Load(r.Name)
	if !ok {
		return errors.New("connection refused")
	}
	near, far := memconn.PipeBetween(memconn.Addr(r.Address), memconn.Addr("192.0.2.1:40000"), 0)
	select {
	case waiting.(chan net.Conn) <- near:
	case <-ctx.Done():
		return ctx.Err()
	}
	b.Server.Serve(ctx, called{conn{Conn: far, user: r.User}, begun})
	return errors.New("the session has ended")
}

// Await waits until the server calls a receiver, and returns the receiver's end.
func (b *Bench) Await(receiver string) net.Conn {
	waiting, _ := b.waiting.LoadOrStore(receiver, make(chan net.Conn))
	return <-waiting.(chan net.Conn)
}

// called is a connection that the server has opened.
type called struct {
	conn
	begun func(*netconf.Session)
}

func (c called) Established(s *netconf.Session) { c.begun(s) }

// Dial begins a session of a user, whom the transport has found to be in the groups, and
// returns the client's end. A buffer of 0 is that of memconn.
func (b *Bench) Dial(ctx context.Context, user string, buffer int, groups ...string) net.Conn {
	near, far := memconn.PipeBetween(memconn.Addr("192.0.2.7:40000"), memconn.Addr("192.0.2.1:830"), buffer)
	b.sessions.Go(func() { b.Server.Serve(ctx, conn{far, user, groups}) })
	return near
}

// Configure makes a configuration, given as XML, all that running has.
func (b *Bench) Configure(text string) error {
	p := data.Parser{Schema: b.Schema}
	config, err := p.ParseDocument([]byte(text))
	if err != nil {
		return err
	}
	return b.Store.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.SetRunning(config)
		return nil
	})
}

// Publish appends notifications, given as XML, to a stream, in one transaction.
func (b *Bench) Publish(stream string, events ...string) error {
	return b.Store.Update(context.Background(), func(tx *datastore.Tx) error {
		for _, text := range events {
			d := xmltext.NewDecoder([]byte(text), xmltext.Limits{})
			t, err := d.Next()
			if err != nil {
				return err
			}
			m := b.Schema.ByNamespace(t.Space)
			if m == nil || b.Schema.Notification(m.Name, t.Local) == nil {
				return errors.New("no such notification: " + t.Local)
			}
			p := data.Parser{Schema: b.Schema, State: true}
			n, err := p.Parse(d, b.Schema.Notification(m.Name, t.Local))
			if err != nil {
				return err
			}
			tx.Notify(stream, n)
		}
		return nil
	})
}

// Peer is a client that sees every message.
type Peer struct {
	Conn io.ReadWriteCloser
	R    *transport.Reader
	W    *transport.Writer
}

// NewPeer returns a client on a connection.
func NewPeer(c io.ReadWriteCloser) *Peer {
	return &Peer{c, transport.NewReader(c, 0), transport.NewWriter(c)}
}

// Hello is a client's, with the versions that it offers, such as "1.1".
func Hello(bases ...string) string {
	s := `<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>`
	for _, b := range bases {
		s += `<capability>urn:ietf:params:netconf:base:` + b + `</capability>`
	}
	return s + `</capabilities></hello>`
}

// Open exchanges hellos and returns the server's.
func (p *Peer) Open(bases ...string) (string, error) {
	if err := p.W.WriteMessage([]byte(Hello(bases...))); err != nil {
		return "", err
	}
	m, err := p.R.ReadMessage()
	if err == nil && slices.Contains(bases, "1.1") {
		p.Upgrade()
	}
	return string(m), err
}

// Upgrade switches to chunked framing.
func (p *Peer) Upgrade() {
	p.R.Upgrade()
	p.W.Upgrade()
}

// Ask sends a message and returns the next one that comes.
func (p *Peer) Ask(msg string) (string, error) {
	if err := p.W.WriteMessage([]byte(msg)); err != nil {
		return "", err
	}
	m, err := p.R.ReadMessage()
	return string(m), err
}
