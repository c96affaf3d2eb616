package linkmetrics

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"incidentd/datastore"
	"incidentd/oam"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// retry is how long to wait after metrics could not be stored.
const retry = time.Second

// link names a link of the topology.
type link struct{ network, id string }

// way is what a test says of a link.
type way struct {
	link link
	back bool
}

// result is what a run found of a link, and waits to become its metrics.
type result struct {
	metrics
	test, run string
}

// Keeper keeps the metrics of the links of a store.
type Keeper struct {
	store *datastore.Store
	log   *slog.Logger

	networks, tests, list, service, metrics *yang.Node

	wake chan struct{} // one slot

	// Owned by the writer of the store: what ways and the rest are of.
	seenTests, seenService *data.Node

	mu       sync.Mutex
	ways     map[string][]way // by test, as running has it
	interval time.Duration
	change   float64
	pending  map[link]result
	links    int // that have metrics
	updates  uint64
	damped   uint64
	unknown  uint64
}

// New makes the keeper of a store whose schema implements incidentd-link-metrics, and takes
// part in its commits. Nothing is written before Run.
func New(store *datastore.Store, log *slog.Logger) (*Keeper, error) {
	s := store.Schema()
	own := s.Module("incidentd-link-metrics")
	if own == nil || !own.Implemented {
		return nil, fmt.Errorf("linkmetrics: the schema does not implement incidentd-link-metrics")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{store: store, log: log, wake: make(chan struct{}, 1), pending: map[link]result{},
		networks: s.Root.ChildNamed("networks"), tests: s.Root.ChildNamed("oam-unitary-tests"), service: s.Root.ChildNamed("oam-service")}
	k.list = k.tests.ChildNamed("oam-unitary-test")
	k.metrics = k.networks.ChildNamed("network").ChildNamed("link").ChildNamed("link-metrics")
	snap := store.Snapshot()
	k.configure(snap.Running)
	k.links = k.count(snap.State)
	store.Provide(k.service, k.state, k.service.ChildNamed("link-metrics").ChildNamed("state"))
	store.Join(k)
	return k, nil
}

// configure reads what holds of a configuration.
func (k *Keeper) configure(running *data.Node) {
	tests, top := running.Get(k.tests), running.Get(k.service)
	if tests == k.seenTests && top == k.seenService && k.ways != nil {
		return
	}
	k.seenTests, k.seenService = tests, top
	ways, _ := k.waysOf(running) // Prepare has refused what is wrong
	if top == nil {
		top = data.New(k.service)
	}
	p := oam.Params{Node: top}.In("link-metrics")
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ways, k.interval, k.change = ways, p.Duration("minimum-interval", time.Second), p.Float("minimum-change")
}

// waysOf are the links that each test measures. A link that two tests measure is refused.
func (k *Keeper) waysOf(running *data.Node) (map[string][]way, error) {
	ways, owner := map[string][]way{}, map[link]string{}
	top := running.Get(k.tests)
	if top == nil {
		return ways, nil
	}
	var errs rpcerr.Errors
	at := (&data.Loc{Node: running}).Down(top)
	for test := range top.EntriesOf(k.list) {
		name := test.Leaf("name")
		for e := range test.Entries("metric-link") {
			p := oam.Params{Node: e}
			l := link{p.String("network-ref"), p.String("link-ref")}
			if other, taken := owner[l]; taken {
				errs = append(errs, rpcerr.InvalidValue("the link %q of the network %q is measured by the test %q; a link has the metrics of one test", l.id, l.network, other).
					At(at.Down(test).Down(e).Path()))
				continue
			}
			owner[l] = name
			ways[name] = append(ways[name], way{l, p.String("direction") == "near-end"})
		}
	}
	return ways, errs.Err()
}

// Prepare implements datastore.Participant: metrics of links that are gone, or that no test
// measures any more, go with them.
func (k *Keeper) Prepare(tx *datastore.Tx) error {
	old, new := tx.Base().Running, tx.Running()
	if old.Get(k.tests) == new.Get(k.tests) && old.Get(k.networks) == new.Get(k.networks) {
		return nil
	}
	ways, err := k.waysOf(new)
	if err != nil {
		return err
	}
	measured := map[link]bool{}
	for _, list := range ways {
		for _, w := range list {
			measured[w.link] = true
		}
	}
	state := tx.State()
	for l, n := range k.stored(state) {
		if !measured[l] || k.find(new, l) == nil {
			state = k.without(state, l, n)
		}
	}
	if state != tx.State() {
		tx.SetState(state)
	}
	return nil
}

// Commit implements datastore.Participant.
func (k *Keeper) Commit(snap *datastore.Snapshot) {
	k.configure(snap.Running)
	links := k.count(snap.State)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.links = links
	k.rouse() // the interval may be another
}

// Abort implements datastore.Participant.
func (k *Keeper) Abort() {}

func (k *Keeper) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Observe takes what a run of a test found. It does not block.
func (k *Keeper) Observe(test string, run *oam.Run, raised bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, w := range k.ways[test] {
		if m, ok := of(run.Found, w.back, raised); ok && run.Outcome == oam.Finished {
			if _, waits := k.pending[w.link]; waits {
				k.damped++
			}
			k.pending[w.link] = result{m, test, run.ID}
			k.rouse()
		}
	}
}

// Run writes metrics until ctx is done.
func (k *Keeper) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-timer.C:
		}
		wait, err := k.settle(ctx)
		if err != nil && ctx.Err() == nil {
			k.log.Error("metrics of links cannot be stored yet", "err", err)
			wait = retry
		}
		if wait > 0 {
			timer.Reset(wait)
		}
	}
}

// settle makes metrics of the results whose time has come, and tells how long it is until
// that of the next, 0 when none waits.
func (k *Keeper) settle(ctx context.Context) (wait time.Duration, err error) {
	due, wait := k.due(time.Now())
	if len(due) == 0 {
		return wait, nil
	}
	unknown, updates := 0, 0
	err = k.store.Update(ctx, func(tx *datastore.Tx) error {
		unknown, updates = 0, 0
		state, operational := tx.State(), tx.Operational()
		for _, l := range slices.SortedFunc(maps.Keys(due), compare) {
			switch {
			case !k.measures(due[l].test, l): // no longer
				continue
			case k.find(operational, l) == nil:
				unknown++
				continue
			}
			updates++
			state = k.with(state, l, due[l], tx.Now())
		}
		tx.SetState(state)
		return nil
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		for l, r := range due {
			if _, newer := k.pending[l]; !newer {
				k.pending[l] = r
			}
		}
		return 0, err
	}
	k.unknown += uint64(unknown)
	k.updates += uint64(updates)
	k.links = k.count(k.store.Snapshot().State)
	return wait, nil
}

// measures reports whether a test measures a link.
func (k *Keeper) measures(test string, l link) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.ways[test], func(w way) bool { return w.link == l })
}

// due takes the results out whose time has come, and those that change nothing.
func (k *Keeper) due(now time.Time) (due map[link]result, wait time.Duration) {
	state := k.store.Snapshot().State
	k.mu.Lock()
	defer k.mu.Unlock()
	due = map[link]result{}
	for l, r := range k.pending {
		n := k.find(state, l)
		if n == nil || n.Get(k.metrics) == nil {
			due[l] = r
			delete(k.pending, l)
			continue
		}
		is, since := decode(n.Get(k.metrics))
		early := since.Add(k.interval).Sub(now)
		switch {
		case !is.differ(r.metrics, k.change):
			k.damped++
			delete(k.pending, l)
		case early > 0 && early <= k.interval: // or the clock was set back
			if wait == 0 || early < wait {
				wait = early
			}
		default:
			due[l] = r
			delete(k.pending, l)
		}
	}
	return due, wait
}

// state is the figures of the keeper.
func (k *Keeper) state(*datastore.Snapshot) *data.Node {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := data.Build(k.service)
	b.Container("link-metrics").Container("state").Uint("links", uint64(k.links)).Uint("updates", k.updates).
		Uint("damped", k.damped).Uint("unknown-links", k.unknown)
	return b.Node()
}
