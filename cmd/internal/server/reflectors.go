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
	"incidentd/oam/stamp"
	"incidentd/yang"
	"incidentd/yang/data"
)

// reflectorRetry is the pause before a reflector that could not begin is tried again.
const reflectorRetry = 5 * time.Second

// reflectors are the far ends of STAMP that the server is, those of /oam-service/reflector
// of running. One goroutine begins and ends them, that of run: a commit wakes it up and
// does not wait for it.
type reflectors struct {
	node    *stamp.Node
	store   *datastore.Store
	log     *slog.Logger
	service *yang.Node
	changed chan struct{} // one slot: running has been changed

	mu  sync.Mutex
	all map[string]*reflector // written by run alone
}

// reflector is one of them. It does not change.
type reflector struct {
	config stamp.ReflectorConfig
	begun  *stamp.Reflector // nil when it could not begin
	fault  string           // why
}

// newReflectors takes part in the commits of a store, and provides the state of reflectors.
func newReflectors(node *stamp.Node, store *datastore.Store, log *slog.Logger) *reflectors {
	r := &reflectors{node: node, store: store, log: log, all: map[string]*reflector{},
		service: store.Schema().Root.ChildNamed("oam-service"), changed: make(chan struct{}, 1)}
	store.Join(r)
	store.Provide(r.service, r.state, r.service.ChildNamed("reflector").ChildNamed("state"))
	return r
}

// Prepare implements datastore.Participant.
func (r *reflectors) Prepare(*datastore.Tx) error { return nil }

// Abort implements datastore.Participant.
func (r *reflectors) Abort() {}

// Commit implements datastore.Participant.
func (r *reflectors) Commit(*datastore.Snapshot) {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// run keeps the reflectors as they are configured until ctx is done, and ends them then.
func (r *reflectors) run(ctx context.Context) {
	defer r.apply(nil)
	for {
		var retry <-chan time.Time
		if !r.apply(r.configured()) {
			retry = time.After(reflectorRetry)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		case <-retry:
		}
	}
}

// configured are the reflectors of running.
func (r *reflectors) configured() map[string]stamp.ReflectorConfig {
	all := map[string]stamp.ReflectorConfig{}
	service := r.store.Snapshot().Running.Get(r.service)
	for e := range service.Entries("reflector") {
		p := oam.Params{Node: e}
		c := stamp.ReflectorConfig{
			Port:      uint16(p.Uint("reflector-udp-port")),
			Stateless: p.String("reflector-mode") == "stateless",
			RefWait:   p.Duration("ref-wait", time.Second),
			Key:       p.String("authentication-key-ref"),
			MaxRate:   p.Int("max-packet-rate"),
		}
		if v := service.EntryNamed("vantage-point", p.String("vantage-point")); v != nil {
			c.Vantage = oam.VantageOf(oam.Params{Node: v})
		}
		for _, s := range p.Strings("allowed-prefix") {
			if prefix, err := netip.ParsePrefix(s); err == nil { // the schema has checked it
				c.Allowed = append(c.Allowed, prefix.Masked())
			}
		}
		all[e.Leaf("name")] = c
	}
	return all
}

// apply ends the reflectors that are not wanted any longer, or not as they are, and begins
// those that are missing. It reports whether all that are wanted have begun.
func (r *reflectors) apply(wanted map[string]stamp.ReflectorConfig) (ok bool) {
	for name, was := range maps.Clone(r.all) { // first: another may want the port
		if c, stays := wanted[name]; stays && reflect.DeepEqual(c, was.config) {
			continue
		}
		r.set(name, nil)
		if was.begun != nil {
			was.begun.Close()
			r.log.Info("reflector ended", "reflector", name)
		}
	}
	ok = true
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		was := r.all[name]
		if was != nil && was.begun != nil {
			continue
		}
		now := &reflector{config: wanted[name]}
		var err error
		if now.begun, err = r.node.Reflect(now.config); err != nil {
			ok, now.begun, now.fault = false, nil, err.Error()
			if was == nil || was.fault != now.fault {
				r.log.Warn("reflector cannot begin, and is tried again", "reflector", name, "err", err)
			}
		} else {
			r.log.Info("reflector begun", "reflector", name, "addr", now.begun.Addresses())
		}
		r.set(name, now)
	}
	return ok
}

func (r *reflectors) set(name string, now *reflector) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now == nil {
		delete(r.all, name)
		return
	}
	r.all[name] = now
}

// state is oam-service with the state of its reflectors.
func (r *reflectors) state(snap *datastore.Snapshot) *data.Node {
	r.mu.Lock()
	all := maps.Clone(r.all)
	r.mu.Unlock()
	b := data.Build(r.service)
	for e := range snap.Running.Get(r.service).Entries("reflector") {
		name := e.Leaf("name")
		at := all[name]
		if at == nil {
			continue
		}
		state := b.Entry("reflector", name).Container("state")
		if at.begun == nil {
			state.Leaf("fault", at.fault)
			continue
		}
		for _, a := range at.begun.Addresses() {
			state.Leaf("listening", a.String())
		}
		figures := at.begun.Stats()
		state.Uint("sessions", uint64(figures.Sessions)).Uint("rcv-packets", figures.Received).
			Uint("sent-packets", figures.Sent).Uint("refused-packets", figures.Refused)
	}
	return b.Node()
}
