package datastore

import (
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
	now            time.Time
	drafts         []journal.Draft
	rows           map[row][]byte // nil value: deleted
	trees          []*rowWriter
	onCommit       []func(*Snapshot)
	onAbort        []func()
}

type row struct{ table, key string }

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
	tx.drafts = append(tx.drafts, journal.Draft{Stream: stream, Name: n.Schema().QName(), Body: data.AppendXML(nil, n, "")})
}

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

// run calls the transaction's function; a panic in it is an error.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(tx)
}

func (tx *Tx) abort() {
	for _, f := range slices.Backward(tx.onAbort) {
		f()
	}
}

// prepare validates what the transaction changed and gathers what to write. An
// error refuses this transaction and no other.
func (tx *Tx) prepare() error {
	s := tx.store
	for _, t := range []struct {
		table    string
		old, new *data.Node
		config   bool
	}{{tableRunning, tx.base.Running, tx.running, true}, {tableState, tx.base.State, tx.state, false}} {
		if t.old == t.new {
			continue
		}
		if t.config {
			if err := s.validator.Change(t.old, t.new, true); err != nil {
				return err
			}
		}
		rw, err := s.names.changes(tx.w, t.table, t.old, t.new)
		if err != nil {
			return err
		}
		tx.trees = append(tx.trees, rw)
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
