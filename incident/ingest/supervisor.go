package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/datastore"
	"incidentd/incident/ingest/mapping"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// watchEvery is how often states are looked at, to announce their changes.
const watchEvery = time.Second

// Config of New. Store and Inlet are required.
type Config struct {
	Store *datastore.Store
	// Inlet opens the way in of a source's events.
	Inlet func(source string) Inlet
	// Kinds are the kinds of sources that there are.
	Kinds []Kind
	// Log gets what nobody is answered; nil: nothing is logged.
	Log *slog.Logger
}

// Supervisor runs the sources that running has.
type Supervisor struct {
	c      Config
	schema *schema
	kinds  map[*yang.Node]*Kind
	rules  atomic.Pointer[rules]
	wake   chan struct{} // one slot: running may have changed

	stop    context.CancelFunc
	running sync.WaitGroup
	builtin []*data.Node // the tables that come with the server

	mu      sync.Mutex
	healths map[string]*health

	runners map[string]*runner // owned by the goroutine of Start
}

// schema are the nodes of the schema that the supervisor works with.
type schema struct {
	sources, source, health, changed, mapping, hits *yang.Node
}

// New makes the supervisor of a store's sources, and takes part in its commits. No
// source runs before Start.
func New(c Config) (*Supervisor, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	all := c.Store.Schema()
	m, mm := all.Module("incidentd-sources"), all.Module("incidentd-mapping")
	if m == nil || mm == nil {
		return nil, errors.New("the schema does not implement incidentd-sources and incidentd-mapping")
	}
	s := &Supervisor{c: c, kinds: map[*yang.Node]*Kind{}, wake: make(chan struct{}, 1), healths: map[string]*health{}, runners: map[string]*runner{}}
	sources := all.Root.Child(m, "sources")
	source := sources.Child(m, "source")
	top := all.Root.Child(mm, "mapping")
	table := top.Child(mm, "table")
	s.schema = &schema{sources, source, source.Child(m, "health"), all.Notification("incidentd-sources", "source-state-changed"),
		top, table.ChildNamed("rule").ChildNamed("hits")}
	for i, k := range c.Kinds {
		n := source.Child(all.Module(k.Module), k.Name)
		if n == nil {
			return nil, fmt.Errorf("the schema has no kind of source %s:%s", k.Module, k.Name)
		}
		s.kinds[n] = &c.Kinds[i]
	}
	for _, n := range source.Data {
		if cas, _ := n.CaseOf(); cas != nil && s.kinds[n] == nil {
			return nil, fmt.Errorf("nothing runs sources of the kind %s", n.QName())
		}
	}
	var err error
	if s.builtin, err = mapping.Builtin(all); err != nil {
		return nil, err
	}
	if err := s.takeMapping(c.Store.Snapshot().Running); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	c.Store.Provide(top, s.provideMapping, table)
	c.Store.Provide(sources, s.provide, s.schema.health)
	c.Store.Join(s)
	return s, nil
}

// Start runs the sources until Stop.
func (s *Supervisor) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.running.Go(func() { s.supervise(ctx) })
}

// Stop ends all sources, and waits until what they have received is stored, which takes
// two seconds at most.
func (s *Supervisor) Stop() {
	if s.stop != nil {
		s.stop()
		s.running.Wait()
	}
}

// Prepare implements datastore.Participant: what a source cannot be made of is refused.
func (s *Supervisor) Prepare(tx *datastore.Tx) error {
	old, new := tx.Base().Running, tx.Running()
	var errs rpcerr.Errors
	if a, b := old.Child("sources"), new.Child("sources"); a != b && b != nil {
		errs = s.checkSources(a, (&data.Loc{Node: new}).Down(b))
	}
	if err := s.checkMapping(old, new); err != nil {
		list, _ := rpcerr.List(err)
		errs = append(errs, list...)
	}
	if err := errs.Err(); err != nil {
		return err
	}
	tx.OnCommit(func(*datastore.Snapshot) {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
	return nil
}

// checkSources finds what sources cannot be made of, and those that would listen where another
// does: of the two, one that has changed is refused.
func (s *Supervisor) checkSources(old *data.Node, at *data.Loc) (errs rpcerr.Errors) {
	var taken, fresh []listening
	for e := range at.Node.EntriesOf(s.schema.source) {
		kind, config := s.kindOf(at.Down(e))
		if kind == nil {
			continue // the choice is mandatory; validation has told
		}
		was := old.Entry(s.schema.source, e.Key()) == e
		source, err := kind.New(config)
		if err != nil {
			if !was {
				list, _ := rpcerr.List(err)
				errs = append(errs, list...)
			}
			continue
		}
		l, ok := source.(Listener)
		switch {
		case !ok || e.Leaf("enabled") == "false":
		case was:
			taken = append(taken, listening{e.Key(), l.Endpoint(), config})
		default:
			fresh = append(fresh, listening{e.Key(), l.Endpoint(), config})
		}
	}
	for _, l := range fresh {
		if err := l.refuse(taken); err != nil {
			errs = append(errs, err)
		}
		taken = append(taken, l)
	}
	return errs
}

// Commit implements datastore.Participant.
func (s *Supervisor) Commit(*datastore.Snapshot) {}

// Abort implements datastore.Participant.
func (s *Supervisor) Abort() {}

// kindOf is the kind of a source, and its configuration.
func (s *Supervisor) kindOf(entry *data.Loc) (*Kind, *data.Loc) {
	for c := range entry.Node.Children() {
		if k := s.kinds[c.Schema()]; k != nil {
			return k, entry.Down(c)
		}
	}
	return nil, nil
}

// supervise keeps what runs as running says, and announces how it gets on.
func (s *Supervisor) supervise(ctx context.Context) {
	defer s.stopAll()
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	for {
		running := s.c.Store.Snapshot().Running
		if err := s.takeMapping(running); err != nil {
			s.c.Log.Error("the mapping stays as it was", "err", err) // Prepare let it through
		}
		s.reconcile(running)
		var tick <-chan time.Time
		if len(s.runners) > 0 {
			tick = watch.C
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick:
			s.announce(ctx)
		}
	}
}

// reconcile begins, ends and begins anew what a configuration asks for.
func (s *Supervisor) reconcile(running *data.Node) {
	top := running.Child("sources")
	var ended sync.WaitGroup
	for name, r := range s.runners {
		if top.Entry(s.schema.source, name) != r.entry {
			ended.Go(r.stop)
			delete(s.runners, name)
		}
	}
	ended.Wait()
	s.mu.Lock()
	for name := range s.healths {
		if top.Entry(s.schema.source, name) == nil {
			delete(s.healths, name)
		}
	}
	s.mu.Unlock()
	for e := range top.EntriesOf(s.schema.source) {
		if s.runners[e.Key()] == nil {
			s.begin((&data.Loc{Node: running}).Down(top).Down(e))
		}
	}
}

// begin begins the source of an entry, unless it is not to run.
func (s *Supervisor) begin(entry *data.Loc) {
	kind, config := s.kindOf(entry)
	if kind == nil {
		return
	}
	name, now := entry.Node.Key(), time.Now()
	s.mu.Lock()
	h := s.healths[name]
	if h == nil {
		h = newHealth(name, now)
		s.healths[name] = h
	}
	s.mu.Unlock()
	h.mu.Lock()
	h.kind, h.silentAfter = kind.Name, 0
	if n, err := strconv.Atoi(entry.Node.Leaf("silent-after")); err == nil {
		h.silentAfter = time.Duration(n) * time.Second
	}
	h.mu.Unlock()
	if entry.Node.Leaf("enabled") == "false" {
		h.set(Disabled, "", time.Time{})
		return
	}
	r := &runner{entry: entry.Node, kind: kind, config: config, health: h, feed: newFeed(h, &s.c, s.Mapper, entry.Node, now)}
	s.runners[name] = r
	r.start()
}

// stopAll ends all sources, side by side.
func (s *Supervisor) stopAll() {
	var ended sync.WaitGroup
	for _, r := range s.runners {
		ended.Go(r.stop)
	}
	ended.Wait()
	clear(s.runners)
}

// announce tells of sources that got into another state.
func (s *Supervisor) announce(ctx context.Context) {
	var all []news
	for _, h := range s.list() {
		if n, ok := h.news(time.Now()); ok {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		return
	}
	for _, n := range all {
		s.c.Log.Info("a source got into another state", "source", n.health.name, "kind", n.kind, "state", n.state.String(), "reason", n.reason)
	}
	err := s.c.Store.Update(ctx, func(tx *datastore.Tx) error {
		for _, n := range all {
			tx.Notify("", n.encode(s.schema))
		}
		return nil
	})
	if err != nil {
		for _, n := range all {
			n.untold() // until the store works again
		}
	}
}

// list are the sources by name.
func (s *Supervisor) list() []*health {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*health, 0, len(s.healths))
	for _, h := range s.healths {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *health) int { return cmp.Compare(a.name, b.name) })
	return all
}

// provide makes the health of all sources.
func (s *Supervisor) provide(*datastore.Snapshot) *data.Node {
	all := s.list()
	if len(all) == 0 {
		return nil
	}
	b := data.Build(s.schema.sources)
	for _, h := range all {
		h.encode(b.Entry("source", h.name).Container("health"))
	}
	return b.Node()
}
