package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
	"incidentd/yang/data"
)

const (
	// retry is the pause before an address that could not be listened on is tried again.
	retry = 5 * time.Second
	// patience bounds how long a client may take to ask and to read.
	patience = 30 * time.Second
	// stopTime is how long an answer under way may take once Run is to end.
	stopTime = time.Second
	// mostScrapes is how many clients are told metrics at once; others get 503.
	mostScrapes = 4
)

// Config of New. All but Log is required.
type Config struct {
	Store     *datastore.Store
	DB        *kv.DB
	Publisher *subscribe.Publisher
	// Version of the program.
	Version string
	// Log gets where it listens and what goes wrong; nil: nothing is logged.
	Log *slog.Logger
}

// Monitor tells how a server gets on, where /server/monitoring of running says.
type Monitor struct {
	c       Config
	node    *yang.Node // monitoring of incidentd-server
	ops     *operations
	handler http.Handler
	// What of the state degraded looks at.
	sources, reflectors *data.Filter
	changed             chan struct{} // one slot: running has been changed

	mu    sync.Mutex
	ready bool
	addr  net.Addr // where it listens
	fault string   // why it does not
}

// New makes a Monitor, which takes part in the commits of the store from now on.
func New(c Config) (*Monitor, error) {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	m := &Monitor{c: c, ops: newOperations(), changed: make(chan struct{}, 1),
		node: c.Store.Schema().Root.ChildNamed("server").ChildNamed("monitoring")}
	r, err := c.registry(m.ops)
	if err != nil {
		return nil, err
	}
	if _, m.sources, err = find(c.Store.Schema(), "sources/source/health"); err != nil {
		return nil, err
	}
	if _, m.reflectors, err = find(c.Store.Schema(), "oam-service/reflector/state"); err != nil {
		return nil, err
	}
	m.handler = m.pages(r)
	c.Store.Join(m)
	return m, nil
}

// Measure counts an rpc or action, see netconf.Config.
func (m *Monitor) Measure(rpc *yang.Node, took time.Duration, failed bool) {
	m.ops.tell(rpc, took, failed)
}

// Ready tells whether the server takes sessions; it does not when it is made.
func (m *Monitor) Ready(is bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready = is
}

// State adds where the monitor listens to the container monitoring.
func (m *Monitor) State(b *data.Builder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.addr != nil {
		b.Leaf("listening", m.addr.String())
	}
	if m.fault != "" {
		b.Leaf("fault", m.fault)
	}
}

// Prepare implements datastore.Participant.
func (m *Monitor) Prepare(*datastore.Tx) error { return nil }

// Abort implements datastore.Participant.
func (m *Monitor) Abort() {}

// Commit implements datastore.Participant.
func (m *Monitor) Commit(*datastore.Snapshot) {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Run listens as running says until ctx is done.
func (m *Monitor) Run(ctx context.Context) {
	var now string // where it is to listen; empty: nowhere
	var server *http.Server
	end := func() {
		if server == nil {
			return
		}
		m.listens(nil, "")
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
		server = nil
	}
	defer end()
	for {
		var again <-chan time.Time
		if want := m.wanted(); want != now || want != "" && server == nil {
			end()
			now = want
			if want == "" {
				m.listens(nil, "")
			} else if ln, err := net.Listen("tcp", want); err != nil {
				m.listens(nil, err.Error())
				again = time.After(retry)
			} else {
				server = &http.Server{Handler: m.handler, ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: 2 * patience, MaxHeaderBytes: 16 << 10,
					ErrorLog: slog.NewLogLogger(m.c.Log.Handler(), slog.LevelDebug)}
				m.listens(ln.Addr(), "")
				go server.Serve(ln) // until end
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-m.changed:
		case <-again:
		}
	}
}

// wanted is where running wants it to listen, empty for nowhere.
func (m *Monitor) wanted() string {
	at := m.c.Store.Snapshot().Running.Child("server").Get(m.node)
	value := func(name string) string {
		return cmp.Or(at.Leaf(name), m.node.ChildNamed(name).Defaults[0])
	}
	if value("enabled") == "false" {
		return ""
	}
	return net.JoinHostPort(value("address"), value("port"))
}

// listens notes and logs where it listens, or why it does not.
func (m *Monitor) listens(at net.Addr, fault string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case at != nil:
		m.c.Log.Info("monitoring", "url", "http://"+at.String()+"/metrics")
	case fault != "" && fault != m.fault:
		m.c.Log.Warn("monitoring cannot begin, and is tried again", "err", fault)
	}
	m.addr, m.fault = at, fault
}

// pages are what there is to ask for.
func (m *Monitor) pages(r *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: mostScrapes, Registry: r,
		ErrorLog: slog.NewLogLogger(m.c.Log.Handler(), slog.LevelWarn)}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { health{Status: "ok"}.write(w, m.lives()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		health{Status: "ready", Degraded: m.degraded()}.write(w, m.takesWork())
	})
	return mux
}

// health is what /healthz and /readyz answer.
type health struct {
	Status string `json:"status"`
	// Reason why the status is neither ok nor ready.
	Reason string `json:"reason,omitempty"`
	// Degraded tells what does not work as it should, although the server does.
	Degraded []string `json:"degraded,omitempty"`
}

func (h health) write(w http.ResponseWriter, err error) {
	code := http.StatusOK
	if err != nil {
		h.Status, h.Reason, code = "unavailable", err.Error(), http.StatusServiceUnavailable
	}
	text, _ := json.Marshal(h) // strings can be
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(code)
	w.Write(append(text, '\n'))
}

// lives reports that the store can be read; where it cannot, a restart may help.
func (m *Monitor) lives() error {
	return m.c.DB.View(func(*kv.Reader) error { return nil })
}

// takesWork reports that sessions are taken and that what they write will be kept.
func (m *Monitor) takesWork() error {
	m.mu.Lock()
	ready := m.ready
	m.mu.Unlock()
	if !ready {
		return errors.New("the server does not take sessions")
	}
	if err := m.c.DB.Failing(); err != nil {
		return errors.New("the last change could not be stored: " + err.Error())
	}
	return m.lives()
}

// degraded names what the state says does not work.
func (m *Monitor) degraded() (all []string) {
	snap := m.c.Store.Snapshot()
	tell := func(f *data.Filter, top, list, container string, why func(*data.Node) string) {
		for e := range m.c.Store.With(snap, snap.State, f).Child(top).Entries(list) {
			if text := why(e.Child(container)); text != "" {
				all = append(all, list+" "+e.Leaf("name")+": "+text)
			}
		}
	}
	tell(m.sources, "sources", "source", "health", func(h *data.Node) string {
		if state := h.Leaf("state"); state == "degraded" || state == "down" {
			return cmp.Or(h.Leaf("reason"), state)
		}
		return ""
	})
	tell(m.reflectors, "oam-service", "reflector", "state", func(s *data.Node) string { return s.Leaf("fault") })
	return all
}
