package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"golang.org/x/term"

	"incidentd/cmd/internal/demo"
	"incidentd/cmd/internal/server"
	"incidentd/datastore"
	"incidentd/incident"
	"incidentd/incident/correlate"
	"incidentd/netconf/auth"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

var demoCommand = command{
	name:    "demo",
	summary: "show a server at work on a sample network",
	text: `
Runs a server on a throw-away data directory, with a sample network of twelve sites
and five VPNs in which something breaks every half minute. It prints how to connect,
what breaks, and each incident as it comes, until Ctrl-C.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		var d demonstration
		f.StringVar(&d.listen, "listen", server.DefaultListen, "the `ADDRESS` and port to listen on; "+server.DefaultListen+" if left out")
		f.DurationVar(&d.every, "every", demo.Interval, "the `TIME` from one fault to the next, with which all goes faster or slower; 30s if left out")
		f.Uint64Var(&d.seed, "seed", 0, "a `NUMBER` that decides what breaks where; another one each time if left out")
		return func(ctx context.Context, a *app) error {
			if d.every < time.Second {
				return misuse("demo", "--every %s is too short: one second is the least", d.every)
			}
			if d.seed == 0 {
				d.seed = uint64(time.Now().UnixNano())
			}
			d.app = a
			return d.run(ctx)
		}
	},
}

// demonstration is a run of demo.
type demonstration struct {
	*app
	listen     string
	every      time.Duration
	seed       uint64
	correlator correlate.Config

	dir    string // the throw-away directory
	start  time.Time
	colour bool
	mu     sync.Mutex // of standard output
}

// The files of the throw-away directory besides the server's.
const (
	demoData     = "data"
	demoKey      = "key"
	demoPassword = "password"
	demoHosts    = "known_hosts"
	demoSession  = "session.xml"
)

const demoUser = "admin"

func (d *demonstration) run(ctx context.Context) (err error) {
	if f, ok := d.stdout.(*os.File); ok {
		d.colour = term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
	}
	if d.dir, err = os.MkdirTemp("", "incidentd-demo-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	password, err := d.secrets()
	if err != nil {
		return err
	}
	s, note, err := d.server()
	if err != nil {
		return explain(err, d.dir)
	}
	err = d.show(ctx, s, note, password)
	return errors.Join(err, s.Stop(context.Background()))
}

// secrets makes the password, the key and the data directory.
func (d *demonstration) secrets() (password string, err error) {
	password = strings.ToLower(rand.Text()[:16])
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(private, "incidentd demo")
	if err != nil {
		return "", err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	for name, content := range map[string][]byte{
		demoKey:      pem.EncodeToMemory(block),
		demoPassword: []byte(password + "\n"),
		demoSession:  []byte(demoDialogue),
	} {
		if err := os.WriteFile(d.file(name), content, 0o600); err != nil {
			return "", err
		}
	}
	_, err = server.Init(d.file(demoData), server.Admin{Name: demoUser, Password: password,
		Keys: []auth.Key{{Name: "demo", Algorithm: key.Type(), Data: key.Marshal()}}})
	return password, err
}

func (d *demonstration) file(name string) string { return filepath.Join(d.dir, name) }

// demoDialogue is a whole session of base:1.0 that reads the incidents.
const demoDialogue = `<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>
]]>]]>
<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><get><filter><incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/></filter></get></rpc>
]]>]]>
<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="2"><close-session/></rpc>
]]>]]>
`

// server starts a server with the sample network, on another port if the one it
// should have is taken; note then says so.
func (d *demonstration) server() (s *server.Server, note string, err error) {
	log := slog.New(slog.NewTextHandler(d.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err = server.New(server.Config{DataDir: d.file(demoData), Listen: d.listen, Correlator: d.correlator, Log: log})
	if err != nil {
		return nil, "", err
	}
	err = d.load(s)
	if err == nil {
		err = s.Start()
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(d.listen) // it was good enough to listen
		note = d.listen + " is taken by another program, so another port was chosen."
		if err = s.Stop(context.Background()); err == nil {
			d.listen = net.JoinHostPort(host, "0")
			s, _, err = d.server()
		}
		return s, note, err
	}
	if err == nil {
		err = os.WriteFile(d.file(demoHosts), []byte(knownhosts.Line([]string{knownhosts.Normalize(s.Addr().String())}, s.HostKey())+"\n"), 0o600)
	}
	if err != nil {
		return nil, "", errors.Join(err, s.Stop(context.Background()))
	}
	return s, note, nil
}

// load puts the sample network into running.
func (d *demonstration) load(s *server.Server) error {
	schema := s.Store().Schema()
	p := data.Parser{Schema: schema}
	networks, err := p.ParseDocument(demo.Networks())
	if err != nil {
		return fmt.Errorf("sample network: %w", err)
	}
	return s.Store().Update(context.Background(), func(tx *datastore.Tx) error {
		tx.By(datastore.Author{Source: "demo"})
		tx.SetRunning(data.Merge(tx.Running(), networks))
		return nil
	})
}

// show lets the storm loose and prints what comes of it, until ctx is done.
func (d *demonstration) show(ctx context.Context, s *server.Server, note, password string) error {
	j := s.Store().Journal()
	cursor := j.Cursor(j.Last()+1, incident.Stream)
	d.introduce(s, note, password)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts sync.WaitGroup
	defer parts.Wait()
	failed := make(chan error, 2)
	parts.Go(func() {
		if err := d.storm(ctx, s); err != nil {
			failed <- err
		}
	})
	parts.Go(func() {
		notice := s.Store().Schema().Notification("ietf-incident", "incident-notification")
		for {
			r, err := cursor.Next(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				err = d.tell(r.Time, r.Body, notice, s.Store().Schema())
			}
			if err != nil {
				failed <- err
				return
			}
		}
	})
	var err error
	select {
	case <-ctx.Done():
		d.print("\nThe demo ends; its data directory is removed.\n")
	case err = <-s.Failed():
	case err = <-failed:
	}
	cancel()
	return err
}

// wall is the time at which what happens at t in the storm happens here.
func (d *demonstration) wall(t time.Time) time.Time {
	return d.start.Add(time.Duration(float64(t.Sub(d.start)) * float64(d.every) / float64(demo.Interval)))
}

// storm reports the events of the storm as they are due.
func (d *demonstration) storm(ctx context.Context, s *server.Server) error {
	d.start = time.Now().Truncate(time.Millisecond)
	storm := demo.New(d.seed, d.start)
	faults := 0
	for {
		due := storm.Due()
		wait := time.NewTimer(time.Until(d.wall(due)))
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
		events := storm.Next(due)
		all := storm.Faults(due)
		for _, f := range all[faults:] {
			d.print("%s  %s\n", d.wall(f.Start).Format(time.TimeOnly), d.paint("2", "now broken: "+f.String()))
		}
		faults = len(all)
		for i := range events {
			events[i].Time = d.wall(events[i].Time)
			events[i].Arrival = time.Time{} // when the server gets it
		}
		if _, err := s.Incidents().Report(ctx, events); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// tell prints a notification.
func (d *demonstration) tell(at time.Time, body []byte, notice *yang.Node, schema *yang.Schema) error {
	x := xmltext.NewDecoder(body, xmltext.Limits{})
	if _, err := x.Next(); err != nil {
		return err
	}
	p := data.Parser{Schema: schema}
	n, err := p.Parse(x, notice)
	if err != nil {
		return err
	}
	d.print("%s  %s\n", at.Local().Format(time.TimeOnly), d.line(n))
	return nil
}

// line is an incident in one line.
func (d *demonstration) line(n *data.Node) string {
	status, priority := n.Leaf("status"), n.Leaf("priority")
	colour := map[string]string{"critical": "1;31", "high": "31", "medium": "33", "low": "36"}[priority]
	if status == "cleared" {
		colour = "32"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", d.paint(colour, fmt.Sprintf("%-8s %-8s", status, priority)), n.Leaf("incident-id")+"  "+n.Leaf("name"))
	for c := range n.Child("root-causes").Entries("root-cause") {
		place := c.Leaf("node")
		cause := c.Leaf("cause-name")
		for r := range c.Entries("resource") {
			place += " " + r.Leaf("name")
			if cause == "" {
				cause = r.Leaf("cause-name")
			}
		}
		fmt.Fprintf(&b, "; root cause: %s", place)
		if cause != "" {
			fmt.Fprintf(&b, " (%s)", cause)
		}
		break
	}
	if services := n.Values("service-instance"); len(services) > 0 {
		fmt.Fprintf(&b, "; services: %s", strings.Join(services, ", "))
	}
	return b.String()
}

func (d *demonstration) paint(colour, s string) string {
	if !d.colour || colour == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

func (d *demonstration) print(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.stdout, format, args...)
}

// introduce says what is here and how to connect.
func (d *demonstration) introduce(s *server.Server, note, password string) {
	host, port, _ := net.SplitHostPort(s.Addr().String())
	var b strings.Builder
	fmt.Fprintf(&b, "incidentd listens on %s, with a sample network and a fault every %s.\n", s.Addr(), d.every)
	if note != "" {
		fmt.Fprintln(&b, note)
	}
	incctl := beside("incctl")
	elsewhere := ""
	if s.Addr().String() != server.DefaultListen {
		elsewhere = " --server " + s.Addr().String()
	}
	b.WriteString("To look at it from another terminal, paste one of these:\n\n")
	fmt.Fprintf(&b, "  %s%s --key %s --known-hosts %s watch\n", incctl, elsewhere, d.file(demoKey), d.file(demoHosts))
	fmt.Fprintf(&b, "  ssh -p %s -i %s -o UserKnownHostsFile=%s %s@%s -s netconf < %s\n", port, d.file(demoKey), d.file(demoHosts), demoUser, host, d.file(demoSession))
	fmt.Fprintf(&b, "  netconf-console2 --host %s --port %s -u %s -p %s --create-subscription incidents --sleep 600\n\n", host, port, demoUser, password)
	b.WriteString("What breaks, and what incidentd makes of it (Ctrl-C ends the demo):\n\n")
	d.print("%s", b.String())
}

// beside is how to call a program that stands where this one does.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	path := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(path); err != nil {
		return name
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
			if !strings.ContainsRune(rel, filepath.Separator) {
				rel = "." + string(filepath.Separator) + rel
			}
			return rel
		}
	}
	return path
}
