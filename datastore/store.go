package datastore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/validate"
)

// The tables of the trees.
const (
	tableRunning = "running"
	tableStartup = "startup"
	tableState   = "state"
	tableFactory = "factory-default"
)

// Options of Open; the zero value works.
type Options struct {
	// Log gets what nobody is answered; nil: nothing is logged.
	Log *slog.Logger
	// Group is the most transactions that share one fsync; 0: 256.
	Group int
	// Announce is called in each transaction that changes running, startup or the
	// confirmed commit which waits, when the rest of it is done: to add notifications,
	// and nothing else. Nil: nobody is told.
	Announce func(*Tx)
	// History is how many commits are remembered; 0: DefaultHistory. Those that a
	// confirmed commit needs to go back stay until it is decided.
	History int
	// Now is the clock of transactions, time.Now if nil; tests set it.
	Now func() time.Time
}

// Snapshot is the state of the datastores after a transaction. It never changes.
type Snapshot struct {
	// Version is the number of transactions since the store was opened.
	Version uint64
	// Commit is the number of the last commit of running, 0 before the first.
	Commit  uint64
	Running *data.Node
	// Startup is the startup configuration, empty when none was ever stored.
	Startup *data.Node
	State   *data.Node

	factory   *data.Node // empty: none was ever set
	candidate *data.Node // nil: as running
	pending   *Confirmation

	operational func() *data.Node
	get         func() *data.Node
}

// ready makes the snapshot fit for use.
func (s *Snapshot) ready() *Snapshot {
	running, state := s.Running, s.State
	s.operational = sync.OnceValue(func() *data.Node { return data.Merge(running, state) })
	s.get = sync.OnceValue(func() *data.Node { return data.Merge(running, data.StateOf(state)) })
	return s
}

// Operational is configuration and stored state together, what Providers make
// left out [RFC 8342 section 5.3].
func (s *Snapshot) Operational() *data.Node { return s.operational() }

// Get is what <get> returns: running, and the nodes of config false [RFC 6241
// section 7.7], what Providers make left out.
func (s *Snapshot) Get() *data.Node { return s.get() }

// Store holds the datastores.
type Store struct {
	schema    *yang.Schema
	validator *validate.Validator
	db        *kv.DB
	journal   *journal.Journal
	log       *slog.Logger
	group     int
	history   int
	now       func() time.Time
	announce  func(*Tx)

	current atomic.Pointer[Snapshot]
	queue   chan *request
	closed  chan struct{} // closed by Close: no more requests
	done    chan struct{} // closed by the writer when it has ended
	close   sync.Once

	// Owned by the writer.
	names   *names
	scratch []byte // in which a notification is written

	locks locks

	joining      sync.Mutex
	participants []Participant // replaced, never changed

	providing sync.RWMutex
	providers map[*yang.Node][]Selective
	provided  []*yang.Node

	changed atomic.Pointer[chan struct{}] // closed when there is another snapshot
}

// Provider makes a top-level node of operational state when it is asked for; nil
// when there is nothing. It may be called by many goroutines at once.
type Provider func(*Snapshot) *data.Node

// Selective is a Provider that may leave out what a filter cannot select; the filter is nil
// when everything is wanted.
type Selective func(*Snapshot, *data.Filter) *data.Node

type request struct {
	fn   func(*Tx) error
	done chan error // buffered; the writer sends once
}

// Open loads the datastores from db, validates the configuration, and starts the
// writer. An error says what is wrong with the store, kv.ErrDamaged for one that
// cannot be read; a configuration that is not valid under this version's schema
// is an rpcerr.Errors. A confirmed commit that was not confirmed is reverted.
func Open(db *kv.DB, j *journal.Journal, schema *yang.Schema, o Options) (*Store, error) {
	s := &Store{schema: schema, validator: validate.New(schema), db: db, journal: j, log: o.Log, group: o.Group, history: o.History, announce: o.Announce, now: o.Now,
		queue: make(chan *request), closed: make(chan struct{}), done: make(chan struct{}), providers: map[*yang.Node][]Selective{}}
	s.changed.Store(new(make(chan struct{})))
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.group == 0 {
		s.group = 256
	}
	if s.history <= 0 {
		s.history = DefaultHistory
	}
	if s.announce == nil {
		s.announce = func(*Tx) {}
	}
	if s.now == nil {
		s.now = time.Now
	}
	snap := &Snapshot{}
	err := db.View(func(r *kv.Reader) (err error) {
		if s.names, err = loadNames(r); err != nil {
			return err
		}
		for _, t := range []struct {
			table string
			tree  **data.Node
		}{{tableRunning, &snap.Running}, {tableStartup, &snap.Startup}, {tableState, &snap.State}, {tableFactory, &snap.factory}} {
			if *t.tree, err = s.names.load(r, t.table, schema); err != nil {
				return err
			}
		}
		if data.Equal(snap.Running, snap.Startup) {
			snap.Startup = snap.Running // one copy, and quick to compare
		}
		if snap.Commit, err = lastCommit(r); err != nil {
			return err
		}
		snap.pending, err = loadPending(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.validator.Tree(snap.Running, true); err != nil {
		return nil, fmt.Errorf("the stored configuration is not valid: %w", err)
	}
	s.current.Store(snap.ready())
	go s.write()
	if snap.pending == nil {
		return s, nil
	}
	err = s.Update(context.Background(), func(tx *Tx) error { return tx.revert(ConfirmCancel, "the server has restarted") })
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("the confirmed commit cannot be reverted: %w", err)
	}
	s.log.Info("confirmed commit reverted", "reason", "the server has restarted")
	return s, nil
}

// Now is the time by the clock of transactions.
func (s *Store) Now() time.Time { return s.now() }

// Schema is the schema of all datastores.
func (s *Store) Schema() *yang.Schema { return s.schema }

// Journal is the journal that transactions append to.
func (s *Store) Journal() *journal.Journal { return s.journal }

// Validator validates data of the schema.
func (s *Store) Validator() *validate.Validator { return s.validator }

// Snapshot returns the state after the last transaction. It does not block.
func (s *Store) Snapshot() *Snapshot { return s.current.Load() }

// Changed returns a channel that is closed when a transaction has made another
// snapshot than the one that Snapshot returns after Changed.
func (s *Store) Changed() <-chan struct{} { return *s.changed.Load() }

// Provide adds a provider of a top-level node. What it returns is merged with what is
// stored and with what others make of the same node. The nodes that it makes, with all
// that is below them, may be named; without any it is those of config false.
func (s *Store) Provide(top *yang.Node, p Provider, makes ...*yang.Node) {
	s.ProvideSelected(top, func(snap *Snapshot, _ *data.Filter) *data.Node { return p(snap) }, makes...)
}

// ProvideSelected is Provide for what would be too much to make whole for each look at a
// part.
func (s *Store) ProvideSelected(top *yang.Node, p Selective, makes ...*yang.Node) {
	if len(makes) == 0 {
		makes = stateIn(top)
	}
	s.providing.Lock()
	defer s.providing.Unlock()
	s.providers[top] = append(s.providers[top], p)
	s.provided = append(s.provided, makes...)
}

// Provided are the nodes that providers make: they are in no snapshot, and nobody is
// told when they change. Some may stand there twice.
func (s *Store) Provided() []*yang.Node {
	s.providing.RLock()
	defer s.providing.RUnlock()
	return slices.Clone(s.provided)
}

// stateIn are the topmost nodes of config false of a node and what is below it.
func stateIn(n *yang.Node) []*yang.Node {
	if !n.Config {
		return []*yang.Node{n}
	}
	var all []*yang.Node
	for _, c := range n.Data {
		all = append(all, stateIn(c)...)
	}
	return all
}

// With adds what the providers make to a tree of a snapshot, as far as the filter
// can select it. A nil filter selects everything. What stands in the tree stays.
func (s *Store) With(snap *Snapshot, tree *data.Node, f *data.Filter) *data.Node {
	return data.Merge(tree, s.made(snap, f))
}

// InUse is the operational datastore of a snapshot with what the providers make of it, as
// far as the filter can select it. Where they make configuration, it is that which is in
// use, whatever running wishes [RFC 8342 section 5.3].
func (s *Store) InUse(snap *Snapshot, f *data.Filter) *data.Node {
	return data.Merge(s.made(snap, f), snap.Operational())
}

// made is what the providers make, nil when that is nothing.
func (s *Store) made(snap *Snapshot, f *data.Filter) (tree *data.Node) {
	s.providing.RLock()
	defer s.providing.RUnlock()
	for _, top := range s.schema.Root.Data {
		if len(s.providers[top]) == 0 || !f.Touches(top) {
			continue
		}
		for _, p := range s.providers[top] {
			if n := p(snap, f); n != nil {
				tree = data.Merge(tree, data.New(s.schema.Root).With(n))
			}
		}
	}
	return tree
}

// ErrClosed is what Update returns after Close.
var ErrClosed = errors.New("the datastores are closed")

// Update runs fn as one transaction and returns when all it did is on disk, or
// nothing of it. fn runs in the writer, so it must not call Update and must not
// block; it may be run only once. The error is fn's own, what validation found
// (rpcerr.Errors), resource-denied for a full disk, or that of ctx when it ended
// before the writer took the transaction.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	r := &request{fn: fn, done: make(chan error, 1)}
	select {
	case s.queue <- r:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.closed:
		return ErrClosed
	}
	return <-r.done
}

// Close waits for the transactions that the writer has taken, and ends it. The
// store below stays open.
func (s *Store) Close() {
	s.close.Do(func() { close(s.closed) })
	<-s.done
}

// retryRevert is how long the writer waits when a confirmed commit could not be
// reverted in time.
const retryRevert = 5 * time.Second

// write is the writer's loop.
func (s *Store) write() {
	defer close(s.done)
	deadline := time.NewTimer(0)
	defer deadline.Stop()
	var retry time.Time // no attempt to revert before
	for {
		var due <-chan time.Time
		if p := s.current.Load().pending; p != nil {
			at := p.Deadline
			if at.Before(retry) {
				at = retry
			}
			deadline.Reset(time.Until(at))
			due = deadline.C
		}
		select {
		case r := <-s.queue:
			s.commit(r)
		case <-due:
			r := &request{fn: s.expire, done: make(chan error, 1)}
			s.commit(r)
			if err := <-r.done; err != nil {
				s.log.Error("confirmed commit not reverted", "err", err)
				retry = time.Now().Add(retryRevert)
			}
		case <-s.closed:
			return
		}
	}
}

// taken is a transaction of a group that has not failed by itself.
type taken struct {
	*request
	tx *Tx
}

// commit runs a transaction and those that wait with it, as one group.
func (s *Store) commit(first *request) {
	base := s.current.Load()
	pending := base
	var group []taken
	var batch *journal.Batch
	named := len(s.names.name)
	err := s.db.Update(func(w *kv.Writer) error {
		for r := first; r != nil; r = s.next(len(group)) {
			tx := s.begin(w, pending)
			err := tx.run(r.fn)
			if err != nil {
				tx.abort()
				r.done <- err
				continue
			}
			group = append(group, taken{r, tx})
			b, err := tx.write()
			if b != nil {
				batch = b
			}
			if err != nil {
				return err
			}
			pending = tx.snapshot()
		}
		if !slices.ContainsFunc(group, func(t taken) bool { return t.tx.writes() }) {
			return errNothing
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		s.names.forget(named) // those of transactions that were refused
		err = nil
	}
	if err != nil {
		s.names.forget(named)
		if batch != nil {
			batch.Discard()
		}
		for _, g := range slices.Backward(group) {
			g.tx.abort()
		}
		for _, g := range group {
			g.done <- s.refusal(err)
		}
		s.log.Error("transaction failed", "err", err, "transactions", len(group))
		return
	}
	if len(group) == 0 {
		return
	}
	s.current.Store(pending)
	close(*s.changed.Swap(new(make(chan struct{}))))
	if batch != nil {
		batch.Publish()
	}
	for _, g := range group {
		for _, f := range g.tx.onCommit {
			f(pending)
		}
		g.done <- nil
	}
}

// errNothing spares the fsync when no transaction of the group writes anything.
var errNothing = errors.New("nothing to commit")

// next takes one more transaction that already waits, up to the group's size.
func (s *Store) next(have int) *request {
	if have >= s.group {
		return nil
	}
	select {
	case r := <-s.queue:
		return r
	default:
		return nil
	}
}

// refusal is what the peers of a failed group are told.
func (s *Store) refusal(err error) error {
	if errors.Is(err, kv.ErrFull) {
		return fmt.Errorf("commit: %w: %w", rpcerr.ResourceDenied("the disk has no room left; nothing was changed"), err)
	}
	return fmt.Errorf("commit: %w", err)
}
