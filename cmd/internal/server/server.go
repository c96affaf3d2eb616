package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/monitor"
	"incidentd/cmd/internal/version"
	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/incident"
	"incidentd/incident/alarm"
	"incidentd/incident/correlate"
	"incidentd/incident/diagnose"
	"incidentd/incident/ingest"
	"incidentd/incident/resolve"
	"incidentd/netconf"
	"incidentd/netconf/audit"
	"incidentd/netconf/auth"
	"incidentd/netconf/nacm"
	"incidentd/netconf/subscribe"
	"incidentd/netconf/transport"
	"incidentd/oam"
	"incidentd/yang"
)

const (
	// DefaultListen is where a server listens when nothing else is said.
	DefaultListen = "127.0.0.1:1830"
	// StopTime bounds Stop when its context has no deadline.
	StopTime = 5 * time.Second

	// sessionTime is how much of it sessions may take.
	sessionTime = 3 * time.Second
	// trimEvery is the interval of the journal's retention.
	trimEvery = time.Minute
)

// Config of New. DataDir is required; the rest has defaults.
type Config struct {
	// DataDir is a directory that Init has made.
	DataDir string
	// Listen is a TCP address with a port, 0 for a free one; DefaultListen when
	// empty.
	Listen string
	// AllowHTTPS lets operations read and write configurations at URLs of the scheme
	// https. Those of the scheme file, in the directory files of DataDir, always do.
	AllowHTTPS bool
	// FromStartup begins with the configuration of startup, if there is one, in place of
	// running as it was.
	FromStartup bool
	// Correlator is what the correlator is made with.
	Correlator correlate.Config
	// Dial connects to the devices that are configured to resolve incidents; nil: over TCP.
	Dial resolve.Dialer
	// Engines take the place of those that send packets, by the type of test; for tests of
	// the server.
	Engines map[string]oam.Engine
	// Log gets the life cycle, logins, and what goes wrong; nil: nothing is logged.
	Log *slog.Logger

	// For tests: see kv.Options and datastore.Options.
	failPoint func(string) error
	now       func() time.Time
}

// Server is an incidentd.
type Server struct {
	cfg       Config
	log       *slog.Logger
	hostKey   ssh.Signer
	store     *store
	directory *directory
	incidents *incident.Manager
	cures     *resolve.Manager
	sources   *ingest.Supervisor
	tests     *oam.Manager
	diagnoses *diagnose.Manager
	access    *nacm.Controller
	audit     *audit.Log
	netconf   *netconf.Server
	ssh       *transport.Server
	publisher *subscribe.Publisher
	monitor   *monitor.Monitor

	// Owned by New, Start and Stop, which do not overlap.
	steps []step
	addr  net.Addr

	serving sync.WaitGroup
	copying sync.Mutex // held while a backup is written
	failed  chan error // one slot: why the listener ended by itself
}

// step is something that was begun and is to be ended.
type step struct {
	name string
	end  func(context.Context) error
}

// New opens a data directory and assembles a server that does not listen yet. The
// errors are those of Check. Stop has to be called in the end, unless New fails.
func New(cfg Config) (_ *Server, err error) {
	if cfg.Listen == "" {
		cfg.Listen = DefaultListen
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, log: cfg.Log, failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop(context.Background()))
		}
	}()
	d, err := openDirectory(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	s.directory = d
	s.onStop("data directory", func(context.Context) error { return d.close() })
	if s.hostKey, err = d.loadHostKey(); err != nil {
		return nil, err
	}
	if s.store, err = openStoreWith(d.file(storeFile), kv.Options{MustExist: true, FailPoint: cfg.failPoint}, datastore.Options{Log: s.log, Now: cfg.now}); err != nil {
		return nil, err
	}
	s.onStop("store", func(context.Context) error { return s.store.db.Close() })
	s.onStop("datastores", func(context.Context) error { s.store.data.Close(); return nil })
	if cfg.FromStartup {
		if err := s.store.boot(); err != nil {
			return nil, fmt.Errorf("startup: %w", err)
		}
	}
	adopted, err := s.store.adoptAccess(context.Background())
	if err != nil {
		return nil, err
	}
	if len(adopted) > 0 {
		s.log.Warn("the store is from before access control: all its users are administrators now", "group", adminGroup, "users", adopted)
	}
	s.onStop("journal", s.background(s.trim))
	if s.audit, err = audit.Open(audit.Config{Store: s.store.data, DB: s.store.db, Log: s.log}); err != nil {
		return nil, err
	}
	s.onStop("audit", func(context.Context) error { s.audit.Close(); return nil })
	mapped, err := mappedTypes(s.store.data.Schema())
	if err != nil {
		return nil, err
	}
	if s.incidents, err = incident.New(incident.Config{Store: s.store.data, Correlator: cfg.Correlator, AlarmTypes: []alarm.Source{mapped}, Log: s.log}); err != nil {
		return nil, err
	}
	s.incidents.Start()
	s.onStop("incidents", func(context.Context) error { return s.incidents.Stop() })
	if s.cures, err = resolve.New(resolve.Config{Store: s.store.data, Incidents: s.incidents, Hooks: d.file(hooksDir), Dial: cfg.Dial, Log: s.log}); err != nil {
		return nil, err
	}
	if s.sources, err = ingest.New(ingest.Config{Store: s.store.data, Inlet: s.inlet, Kinds: s.kinds(), Log: s.log}); err != nil {
		return nil, err
	}
	if s.access, err = nacm.New(s.store.data, s.log); err != nil {
		return nil, err
	}
	g := newGate(s.store.data)
	s.netconf, err = netconf.New(netconf.Config{
		Store:   s.store.data,
		Access:  s.access.Access,
		Audit:   s.audit,
		Measure: func(rpc *yang.Node, took time.Duration, failed bool) { s.monitor.Measure(rpc, took, failed) },
		Limits:  g.current.Load().netconf,
		Log:     s.log,
	})
	if err != nil {
		return nil, err
	}
	files, err := d.openFiles()
	if err != nil {
		return nil, err
	}
	s.onStop("files", func(context.Context) error { return files.Close() })
	if err := s.bind(files); err != nil {
		return nil, err
	}
	if err := s.startTests(); err != nil {
		return nil, err
	}
	if err := s.startDiagnoses(); err != nil {
		return nil, err
	}
	s.ssh, err = transport.NewServer(transport.Config{
		HostKeys:      []ssh.Signer{s.hostKey},
		Authenticator: auth.New(users{s.store.data, g}),
		Limits:        g.current.Load().transport,
		Logins:        s.audit.Login,
		Logger:        s.log,
	})
	if err != nil {
		return nil, err
	}
	s.monitor, err = monitor.New(monitor.Config{Store: s.store.data, DB: s.store.db, Publisher: s.publisher, Version: version.Text(), Log: s.log})
	if err != nil {
		return nil, err
	}
	g.netconf, g.ssh = s.netconf, s.ssh
	s.store.data.Join(g)
	return s, s.provideStatistics()
}

// Start listens and accepts sessions until Stop, and answers the commands of this
// machine, see Backup. An error is that of the address.
func (s *Server) Start() error {
	ln, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return err
	}
	stop, err := s.control(s.directory)
	if err != nil {
		return errors.Join(fmt.Errorf("the socket of %s: %w", s.cfg.DataDir, err), ln.Close())
	}
	s.onStop("control", stop)
	pace := startPacer()
	s.onStop("garbage", func(context.Context) error { pace(); return nil })
	s.onStop("memory", s.background(func(ctx context.Context) { trimMemory(ctx, s.log) }))
	s.StartOn(ln)
	return nil
}

// StartOn accepts sessions of a listener that is there, which Stop closes.
func (s *Server) StartOn(ln net.Listener) {
	s.addr = ln.Addr()
	s.onStop("monitoring", s.background(s.monitor.Run))
	ctx, cancel := context.WithCancel(context.Background())
	s.onStop("sessions", func(ctx context.Context) error {
		ctx, done := context.WithTimeout(ctx, sessionTime)
		defer done()
		err := errors.Join(s.ssh.Shutdown(ctx), s.netconf.Stop(ctx))
		cancel()
		s.serving.Wait()
		if errors.Is(err, context.DeadlineExceeded) {
			s.log.Warn("sessions did not end in time and were aborted")
			return nil
		}
		return err
	})
	s.serving.Go(func() {
		err := s.ssh.Serve(ctx, ln, func(ctx context.Context, c *transport.Conn) { s.netconf.Serve(ctx, c) })
		if err != nil {
			s.log.Error("the listener failed", "addr", s.addr.String(), "err", err)
			s.failed <- err
		}
	})
	s.cures.Start()
	s.onStop("resolutions", func(context.Context) error { s.cures.Stop(); return nil })
	s.sources.Start()
	s.onStop("sources", func(context.Context) error { s.sources.Stop(); return nil })
	s.onStop("configured subscriptions", s.background(s.publisher.Run))
	s.monitor.Ready(true)
	s.onStop("readiness", func(context.Context) error { s.monitor.Ready(false); return nil })
	s.log.Info("listening", "addr", s.addr.String(), "host-key", ssh.FingerprintSHA256(s.hostKey.PublicKey()), "data", s.cfg.DataDir)
}

// Addr is where the server listens, nil before Start.
func (s *Server) Addr() net.Addr { return s.addr }

// Failed gets the error of a listener that ended by itself.
func (s *Server) Failed() <-chan error { return s.failed }

// HostKey is the key by which clients know the server.
func (s *Server) HostKey() ssh.PublicKey { return s.hostKey.PublicKey() }

// Store has the datastores and the journal.
func (s *Server) Store() *datastore.Store { return s.store.data }

// Incidents keeps the incidents.
func (s *Server) Incidents() *incident.Manager { return s.incidents }

// Stop ends the server, each part in turn, the last begun first. It takes until the
// deadline of ctx, or StopTime, at most: sessions that do not end are aborted, and
// when any other part does not end the rest is left to the end of the process,
// which loses nothing acknowledged; the error is then ErrLateStop. Stopping again
// does nothing.
func (s *Server) Stop(ctx context.Context) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, StopTime)
		defer cancel()
	}
	var errs []error
	for len(s.steps) > 0 {
		st := s.steps[len(s.steps)-1]
		s.steps = s.steps[:len(s.steps)-1]
		s.log.Debug("stopping", "part", st.name)
		ended := make(chan error, 1)
		go func() { ended <- st.end(ctx) }()
		select {
		case err := <-ended:
			if err != nil {
				errs = append(errs, fmt.Errorf("stop %s: %w", st.name, err))
			}
		case <-ctx.Done():
			s.steps = nil
			return errors.Join(append(errs, fmt.Errorf("stop %s: %w", st.name, ErrLateStop))...)
		}
	}
	return errors.Join(errs...)
}

func (s *Server) onStop(name string, end func(context.Context) error) {
	s.steps = append(s.steps, step{name, end})
}

// background runs f until the returned function is called, which waits for it.
func (s *Server) background(f func(context.Context)) func(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f(ctx) })
	return func(context.Context) error {
		cancel()
		running.Wait()
		return nil
	}
}

// trim lets the journal forget what is beyond its retention.
func (s *Server) trim(ctx context.Context) {
	every := time.NewTicker(trimEvery)
	defer every.Stop()
	for {
		n, err := s.store.journal.Trim(ctx, time.Now())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("the journal cannot be trimmed", "err", err)
		case n > 0:
			s.log.Info("old notifications are forgotten", "count", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}
