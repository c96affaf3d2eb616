package server

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"

	"incidentd/datastore"
	"incidentd/oam"
	"incidentd/oam/app"
	"incidentd/oam/cfm"
	"incidentd/oam/farend"
	"incidentd/oam/stamp"
	"incidentd/yang"
	"incidentd/yang/data"
)

// farEndRetry is the pause before a far end that could not begin is tried again.
const farEndRetry = 5 * time.Second

// farEnds are the far ends of one kind that the server is, those of a list of /oam-service
// of running. One goroutine begins and ends them, that of run: a commit wakes it up and
// does not wait for it.
type farEnds[C any] struct {
	list  string // of oam-service
	kind  string // for the log
	read  func(oam.Params, common) C
	begin func(C) (runningEnd, error)

	store   *datastore.Store
	log     *slog.Logger
	service *yang.Node
	changed chan struct{} // one slot: running has been changed

	mu  sync.Mutex
	all map[string]*farEnd[C] // written by run alone
}

// common is what all kinds are configured with.
type common struct {
	vantage oam.Vantage
	allowed []netip.Prefix
	maxRate int
}

// runningEnd is one that answers.
type runningEnd interface {
	Listening() []string // where
	Stats() farend.Stats
	Close() error
}

// farEnd is one of them. It does not change.
type farEnd[C any] struct {
	config C
	begun  runningEnd // nil when it could not begin
	fault  string     // why
}

// newReflectors are those of STAMP.
func newReflectors(node *stamp.Node, store *datastore.Store, log *slog.Logger) *farEnds[stamp.ReflectorConfig] {
	return (&farEnds[stamp.ReflectorConfig]{list: "reflector", kind: "reflector",
		read: func(p oam.Params, c common) stamp.ReflectorConfig {
			return stamp.ReflectorConfig{
				Vantage:   c.vantage,
				Port:      uint16(p.Uint("reflector-udp-port")),
				Stateless: p.String("reflector-mode") == "stateless",
				RefWait:   p.Duration("ref-wait", time.Second),
				Key:       p.String("authentication-key-ref"),
				Allowed:   c.allowed,
				MaxRate:   c.maxRate,
			}
		},
		begin: func(c stamp.ReflectorConfig) (runningEnd, error) { return node.Reflect(c) },
	}).join(store, log)
}

// newEchoResponders are those of udp-echo.
func newEchoResponders(store *datastore.Store, log *slog.Logger) *farEnds[app.ResponderConfig] {
	return (&farEnds[app.ResponderConfig]{list: "udp-echo-responder", kind: "echo responder",
		read: func(p oam.Params, c common) app.ResponderConfig {
			return app.ResponderConfig{Vantage: c.vantage, Port: uint16(p.Uint("port")), Allowed: c.allowed, MaxRate: c.maxRate}
		},
		begin: func(c app.ResponderConfig) (runningEnd, error) { return app.Respond(c) },
	}).join(store, log)
}

// newMaintenancePoints are those of Ethernet CFM.
func newMaintenancePoints(store *datastore.Store, log *slog.Logger) *farEnds[cfm.PointConfig] {
	return (&farEnds[cfm.PointConfig]{list: "maintenance-point", kind: "maintenance point",
		read: func(p oam.Params, c common) cfm.PointConfig {
			return cfm.PointConfig{
				Vantage:      c.vantage,
				Interface:    p.String("interface"),
				Intermediate: p.String("type") == "mip",
				VLAN:         uint16(p.Uint("vlan")),
				Level:        uint8(p.Uint("md-level")),
				MaxRate:      c.maxRate,
			}
		},
		begin: func(c cfm.PointConfig) (runningEnd, error) { return cfm.Answer(c) },
	}).join(store, log)
}

// join takes part in the commits of a store, and provides the state of the far ends.
func (r *farEnds[C]) join(store *datastore.Store, log *slog.Logger) *farEnds[C] {
	r.store, r.log, r.all, r.changed = store, log, map[string]*farEnd[C]{}, make(chan struct{}, 1)
	r.service = store.Schema().Root.ChildNamed("oam-service")
	store.Join(r)
	store.Provide(r.service, r.state, r.service.ChildNamed(r.list).ChildNamed("state"))
	return r
}

// Prepare implements datastore.Participant.
func (r *farEnds[C]) Prepare(*datastore.Tx) error { return nil }

// Abort implements datastore.Participant.
func (r *farEnds[C]) Abort() {}

// Commit implements datastore.Participant.
func (r *farEnds[C]) Commit(*datastore.Snapshot) {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// run keeps the far ends as they are configured until ctx is done, and ends them then.
func (r *farEnds[C]) run(ctx context.Context) {
	defer r.apply(nil)
	for {
		var retry <-chan time.Time
		if !r.apply(r.configured()) {
			retry = time.After(farEndRetry)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		case <-retry:
		}
	}
}

// configured are the far ends of running.
func (r *farEnds[C]) configured() map[string]C {
	all := map[string]C{}
	service := r.store.Snapshot().Running.Get(r.service)
	for e := range service.Entries(r.list) {
		p := oam.Params{Node: e}
		c := common{maxRate: p.Int("max-packet-rate")}
		if v := service.EntryNamed("vantage-point", p.String("vantage-point")); v != nil {
			c.vantage = oam.VantageOf(oam.Params{Node: v})
		}
		for _, s := range p.Strings("allowed-prefix") {
			if prefix, err := netip.ParsePrefix(s); err == nil { // the schema has checked it
				c.allowed = append(c.allowed, prefix.Masked())
			}
		}
		all[e.Leaf("name")] = r.read(p, c)
	}
	return all
}

// apply ends the far ends that are not wanted any longer, or not as they are, and begins
// those that are missing. It reports whether all that are wanted have begun.
func (r *farEnds[C]) apply(wanted map[string]C) (ok bool) {
	for name, was := range maps.Clone(r.all) { // first: another may want the port
		if c, stays := wanted[name]; stays && reflect.DeepEqual(c, was.config) {
			continue
		}
		r.set(name, nil)
		if was.begun != nil {
			was.begun.Close()
			r.log.Info(r.kind+" ended", "name", name)
		}
	}
	ok = true
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		was := r.all[name]
		if was != nil && was.begun != nil {
			continue
		}
		now := &farEnd[C]{config: wanted[name]}
		begun, err := r.begin(now.config)
		if err != nil {
			ok, now.fault = false, err.Error()
			if was == nil || was.fault != now.fault {
				r.log.Warn(r.kind+" cannot begin, and is tried again", "name", name, "err", err)
			}
		} else {
			now.begun = begun
			r.log.Info(r.kind+" begun", "name", name, "addr", begun.Listening())
		}
		r.set(name, now)
	}
	return ok
}

func (r *farEnds[C]) set(name string, now *farEnd[C]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now == nil {
		delete(r.all, name)
		return
	}
	r.all[name] = now
}

// state is oam-service with the state of its far ends.
func (r *farEnds[C]) state(snap *datastore.Snapshot) *data.Node {
	r.mu.Lock()
	all := maps.Clone(r.all)
	r.mu.Unlock()
	b := data.Build(r.service)
	for e := range snap.Running.Get(r.service).Entries(r.list) {
		name := e.Leaf("name")
		at := all[name]
		if at == nil {
			continue
		}
		state := b.Entry(r.list, name).Container("state")
		if at.begun == nil {
			state.Leaf("fault", at.fault)
			continue
		}
		for _, a := range at.begun.Listening() {
			state.Leaf("listening", a)
		}
		figures := at.begun.Stats()
		state.Uint("sessions", uint64(figures.Peers)).Uint("rcv-packets", figures.Received).
			Uint("sent-packets", figures.Sent).Uint("refused-packets", figures.Refused)
	}
	return b.Node()
}
