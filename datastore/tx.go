package datastore

import (
	"bytes"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/yang/data"
)

// Tx is a transaction under way. It is valid in the function that it was given
// to, and belongs to its goroutine.
type Tx struct {
	store          *Store
	w              *kv.Writer
	base           *Snapshot
	running, state *data.Node
	startup        *data.Node
	factory        *data.Node
	candidate      *data.Node // nil: without changes, as running
	pending        *Confirmation
	event          ConfirmEvent
	number         uint64 // of the last commit
	author         Author
	force          bool  // done by the store itself: locks do not hold it up
	err            error // refuses the transaction in the end
	now            time.Time
	drafts         []journal.Draft
	rows           map[row][]byte // nil value: deleted
	trees          []*rowWriter
	atEnd          []func(*Tx) error
	onCommit       []func(*Snapshot)
	onAbort        []func()
}

type row struct{ table, key string }

// begin starts a transaction on what the one before left.
func (s *Store) begin(w *kv.Writer, base *Snapshot) *Tx {
	return &Tx{store: s, w: w, base: base, running: base.Running, state: base.State, startup: base.Startup, factory: base.factory,
		candidate: base.candidate, pending: base.pending, number: base.Commit, now: s.now().UTC(), rows: map[row][]byte{}}
}

// snapshot is what the transaction leaves.
func (tx *Tx) snapshot() *Snapshot {
	s := &Snapshot{Version: tx.base.Version + 1, Commit: tx.number, Running: tx.running, State: tx.state,
		Startup: tx.startup, factory: tx.factory, candidate: tx.candidate, pending: tx.pending}
	return s.ready()
}

// Now is the time of the transaction, that of its notifications.
func (tx *Tx) Now() time.Time { return tx.now }

// Base is the state that the transaction began with.
func (tx *Tx) Base() *Snapshot { return tx.base }

// Running is the configuration as the transaction has it so far.
func (tx *Tx) Running() *data.Node { return tx.running }

// SetRunning replaces the configuration; it is validated at the end.
func (tx *Tx) SetRunning(n *data.Node) { tx.running = n }

// State is the stored state as the transaction has it so far.
func (tx *Tx) State() *data.Node { return tx.state }

// SetState replaces the stored state.
func (tx *Tx) SetState(n *data.Node) { tx.state = n }

// Operational is configuration and stored state as the transaction has them.
func (tx *Tx) Operational() *data.Node { return data.Merge(tx.running, tx.state) }

// Notify appends a notification to a stream, and to NETCONF, which has all. It is
// seen when the transaction is on disk, and not without it.
func (tx *Tx) Notify(stream string, n *data.Node) {
	s := tx.store
	s.scratch = data.AppendXML(s.scratch[:0], n, "")
	tx.drafts = append(tx.drafts, journal.Draft{Stream: stream, Name: n.Schema().QName(), Body: bytes.Clone(s.scratch)})
	if cap(s.scratch) > 1<<20 { // of a rare one
		s.scratch = nil
	}
}

// NotifyXML is Notify of a notification that is written already: its qualified name and
// the XML of its element, which is kept, not copied.
func (tx *Tx) NotifyXML(stream, name string, xml []byte) {
	tx.drafts = append(tx.drafts, journal.Draft{Stream: stream, Name: name, Body: xml})
}

// AtEnd calls f in the writer when the transaction is valid and all else of it is done,
// to add notifications and rows, and nothing else. An error refuses the transaction.
func (tx *Tx) AtEnd(f func(*Tx) error) { tx.atEnd = append(tx.atEnd, f) }

// OnCommit calls f in the writer once the transaction is on disk, before Update
// returns.
func (tx *Tx) OnCommit(f func(*Snapshot)) { tx.onCommit = append(tx.onCommit, f) }

// OnAbort calls f in the writer if the transaction comes to nothing, even after
// its function has returned.
func (tx *Tx) OnAbort(f func()) { tx.onAbort = append(tx.onAbort, f) }

// Get reads a row of another package's table, nil when it is not there.
func (tx *Tx) Get(table string, key []byte) []byte {
	if v, ok := tx.rows[row{table, string(key)}]; ok {
		return v
	}
	return tx.w.Get(table, key)
}

// Scan yields the rows of a table as they were before the transaction, from a key
// up to another; nil stands for the table's end on that side.
func (tx *Tx) Scan(table string, from, to []byte) iter.Seq2[[]byte, []byte] {
	return tx.w.Scan(table, from, to)
}

// Put writes a row of another package's table. The value is kept, not copied.
func (tx *Tx) Put(table string, key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	tx.rows[row{table, string(key)}] = value
}

// Delete removes a row of another package's table.
func (tx *Tx) Delete(table string, key []byte) { tx.rows[row{table, string(key)}] = nil }

// writes reports whether the transaction has anything for the disk.
func (tx *Tx) writes() bool { return len(tx.trees) > 0 || len(tx.rows) > 0 || len(tx.drafts) > 0 }

// run calls the transaction's function and prepares what it did; a panic is an
// error.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.prepare()
}

func (tx *Tx) abort() {
	for _, f := range slices.Backward(tx.onAbort) {
		f()
	}
}

// prepare validates what the transaction changed, asks the participants, and
// gathers what to write. An error refuses this transaction and no other.
func (tx *Tx) prepare() error {
	if tx.candidate == tx.running {
		tx.candidate = nil
	}
	if tx.err != nil {
		return tx.err
	}
	if err := tx.unlocked(); err != nil {
		return err
	}
	if err := tx.validate(); err != nil {
		return err
	}
	if err := tx.partsUnlocked(); err != nil {
		return err
	}
	if tx.running != tx.base.Running {
		if err := tx.join(); err != nil {
			return err
		}
	}
	if tx.running != tx.base.Running || tx.startup != tx.base.Startup || tx.event != "" {
		tx.store.announce(tx)
	}
	for _, f := range tx.atEnd {
		if err := f(tx); err != nil {
			return err
		}
	}
	return tx.gather()
}

// unlocked is in-use when another session has locked what the transaction changed.
func (tx *Tx) unlocked() error {
	for _, d := range []struct {
		name    Name
		changed bool
	}{
		{Startup, tx.startup != tx.base.Startup},
		{Candidate, tx.candidate != tx.base.candidate},
		{Running, tx.running != tx.base.Running},
	} {
		if d.changed && !tx.force {
			if err := tx.store.MayWrite(d.name, tx.author.Session); err != nil {
				return err
			}
		}
	}
	return nil
}

// validate takes from running what its conditions let go, and holds running and
// startup to the schema. A startup that is empty is no
// configuration, and one that is running has been looked at.
func (tx *Tx) validate() error {
	v := tx.store.validator
	if tx.running != tx.base.Running {
		settled, err := tx.store.settle(tx.base.Running, tx.running)
		if err != nil {
			return err
		}
		if tx.startup == tx.running {
			tx.startup = settled
		}
		tx.running = settled
	}
	switch {
	case tx.startup == tx.base.Startup, tx.startup == tx.running, tx.startup.Empty():
		return nil
	case tx.base.Startup.Empty():
		return v.Tree(tx.startup, true)
	}
	return v.Change(tx.base.Startup, tx.startup, true)
}

// settle takes from a changed tree what its conditions let go, and validates what is
// left.
func (s *Store) settle(old, new *data.Node) (*data.Node, error) {
	settled, err := s.validator.Settle(old, new)
	if err != nil {
		return nil, err
	}
	return settled, s.validator.Change(old, settled, true)
}

// Test validates a change of running as a transaction would, and changes nothing.
// Locks and participants are not asked. It does not block.
func (s *Store) Test(old, new *data.Node) error {
	_, err := s.settle(old, new)
	return err
}

// join has the participants prepare for the change of running.
func (tx *Tx) join() error {
	running, startup := tx.running, tx.startup
	for _, p := range tx.store.joined() {
		if err := p.Prepare(tx); err != nil {
			return err
		}
		tx.OnCommit(p.Commit)
		tx.OnAbort(p.Abort)
		if tx.running != running || tx.startup != startup || tx.err != nil {
			return fmt.Errorf("the participant %T changed the configuration that it was to prepare for", p)
		}
	}
	return nil
}

// gather collects the rows to write.
func (tx *Tx) gather() error {
	for _, t := range []struct {
		table    string
		old, new *data.Node
	}{
		{tableRunning, tx.base.Running, tx.running},
		{tableStartup, tx.base.Startup, tx.startup},
		{tableState, tx.base.State, tx.state},
		{tableFactory, tx.base.factory, tx.factory},
	} {
		if t.old == t.new {
			continue
		}
		rw, err := tx.store.names.changes(tx.w, t.table, t.old, t.new, t.table == tableRunning)
		if err != nil {
			return err
		}
		if len(rw.changes) == 0 { // another tree that says the same
			continue
		}
		tx.trees = append(tx.trees, rw)
		if rw.back != nil {
			tx.record(rw.back)
		}
	}
	return nil
}

// write writes the change and stages the notifications, whose batch it returns,
// nil without any. An error fails the whole group.
func (tx *Tx) write() (*journal.Batch, error) {
	for _, rw := range tx.trees {
		if err := rw.write(); err != nil {
			return nil, err
		}
	}
	rows := make([]row, 0, len(tx.rows))
	for r := range tx.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int {
		if c := strings.Compare(a.table, b.table); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
	for _, r := range rows {
		var err error
		if v := tx.rows[r]; v == nil {
			err = tx.w.Delete(r.table, []byte(r.key))
		} else {
			err = tx.w.Put(r.table, []byte(r.key), v)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(tx.drafts) == 0 {
		return nil, nil
	}
	return tx.store.journal.Stage(tx.w, tx.now, tx.drafts)
}
