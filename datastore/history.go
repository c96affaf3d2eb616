package datastore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

const tableHistory = "history"

// DefaultHistory is how many commits are remembered when Options do not say.
const DefaultHistory = 100

// Author is who makes a transaction, and what for.
type Author struct {
	User    string
	Session uint32 // 0 for none
	Host    string // the address of the session's client; it is not remembered
	Source  string // what the change came by, such as netconf
	Comment string
}

// Commit is a change of running that is on disk. Commits are numbered from 1 without
// gaps.
type Commit struct {
	Number uint64
	Time   time.Time
	Author
}

// By says who makes the transaction. Locks of other sessions than the author's refuse
// it. Without an author it is of no session.
func (tx *Tx) By(a Author) { tx.author = a }

// Author is who makes the transaction.
func (tx *Tx) Author() Author { return tx.author }

// record adds the change of running to the history, and drops what is too old.
func (tx *Tx) record(back *deltaWriter) {
	tx.number++
	c := Commit{tx.number, tx.now, tx.author}
	tx.Put(tableHistory, numberKey(c.Number), append(c.encode(), back.bytes()...))
	keep := uint64(tx.store.history)
	if c.Number <= keep {
		return
	}
	last := c.Number - keep
	if tx.pending != nil {
		last = min(last, tx.pending.Base) // what comes after is needed to go back
	}
	var old [][]byte
	for k := range tx.Scan(tableHistory, nil, numberKey(last+1)) {
		old = append(old, slices.Clone(k))
	}
	for _, k := range old {
		tx.Delete(tableHistory, k)
	}
}

func numberKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func (c Commit) encode() []byte {
	b := binary.AppendVarint(nil, c.Time.UnixNano())
	b = appendText(b, c.User)
	b = binary.AppendUvarint(b, uint64(c.Session))
	b = appendText(b, c.Source)
	return appendText(b, c.Comment)
}

// decodeCommit reads a row of the history; delta is shared with it.
func decodeCommit(k, v []byte) (c Commit, delta []byte, err error) {
	if len(k) != 8 {
		return c, nil, fmt.Errorf("%w: a commit's number has %d bytes", kv.ErrDamaged, len(k))
	}
	d := decoder{b: v}
	c = Commit{binary.BigEndian.Uint64(k), d.time(), Author{User: d.text(), Session: uint32(d.uint()), Source: d.text(), Comment: d.text()}}
	if d.bad {
		return c, nil, fmt.Errorf("%w: commit %d cannot be read", kv.ErrDamaged, c.Number)
	}
	return c, d.b, nil
}

// lastCommit is the number of the last one, 0 without any.
func lastCommit(r *kv.Reader) (uint64, error) {
	k, v := r.Last(tableHistory)
	if k == nil {
		return 0, nil
	}
	c, _, err := decodeCommit(k, v)
	return c.Number, err
}

// History returns the commits that are remembered, the latest first. It reads the
// store.
func (s *Store) History() (all []Commit, err error) {
	err = s.db.View(func(r *kv.Reader) error {
		for k, v := range r.ScanBack(tableHistory, nil, nil) {
			c, _, err := decodeCommit(k, v)
			if err != nil {
				return err
			}
			all = append(all, c)
		}
		return nil
	})
	return all, err
}

// At returns running as commit n left it; with the number before the oldest commit
// that is remembered, as it was before that. The cost is that of the changes since.
// It answers invalid-value for a commit that is not remembered, and an error for one
// that had nodes which the schema no longer has.
func (s *Store) At(n uint64) (tree *data.Node, err error) {
	snap := s.Snapshot()
	err = s.db.View(func(r *kv.Reader) error {
		names, err := loadNames(r)
		if err != nil {
			return err
		}
		tree, err = names.at(r, s.schema, snap.Running, snap.Commit, n)
		return err
	})
	return tree, err
}

// Difference calls visit for each place that commit n has changed, as data.Diff does.
// Errors are those of At.
func (s *Store) Difference(n uint64, visit func(parent *data.Loc, old, new *data.Node) bool) error {
	if n == 0 {
		return notRemembered(n)
	}
	new, err := s.At(n)
	if err != nil {
		return err
	}
	old, err := s.At(n - 1)
	if err != nil {
		return err
	}
	data.Diff(old, new, visit)
	return nil
}

// Check reads everything that the store holds, as kv.DB.Check, holds startup to the
// schema, and goes back through all commits that are remembered. It answers the first
// fault: kv.ErrDamaged, or what validation found. A configuration of the past that the
// schema no longer has is no fault. It blocks nobody, and takes as long as a start.
func (s *Store) Check() error {
	if err := s.db.Check(); err != nil {
		return err
	}
	snap := s.Snapshot()
	if !snap.Startup.Empty() {
		if err := s.validator.Tree(snap.Startup, true); err != nil {
			return fmt.Errorf("startup: %w", err)
		}
	}
	return s.db.View(func(r *kv.Reader) error {
		names, err := loadNames(r)
		if err != nil {
			return err
		}
		tree, want := snap.Running, snap.Commit
		for k, v := range r.ScanBack(tableHistory, nil, numberKey(snap.Commit+1)) {
			c, delta, err := decodeCommit(k, v)
			if err != nil {
				return err
			}
			if c.Number != want {
				return fmt.Errorf("%w: commit %d follows on %d in the history", kv.ErrDamaged, want, c.Number)
			}
			want--
			switch tree, err = names.goBack(tree, delta, s.schema); {
			case errors.Is(err, kv.ErrDamaged):
				return fmt.Errorf("commit %d: %w", c.Number, err)
			case err != nil:
				return nil // of another schema, and so is what is before
			}
		}
		return nil
	})
}

// At is Store.At, for the commits before the transaction.
func (tx *Tx) At(n uint64) (*data.Node, error) {
	return tx.store.names.at(&tx.w.Reader, tx.store.schema, tx.base.Running, tx.base.Commit, n)
}

// Rollback makes running what commit n left, as Store.At has it, whatever the
// transaction has done with it before.
func (tx *Tx) Rollback(n uint64) error {
	tree, err := tx.At(n)
	if err == nil {
		tx.running = tree
	}
	return err
}

// at goes back from the tree of one commit to that of an earlier one.
func (n *names) at(r *kv.Reader, schema *yang.Schema, tree *data.Node, from, to uint64) (*data.Node, error) {
	if to > from {
		return nil, notRemembered(to)
	}
	want := from
	for k, v := range r.ScanBack(tableHistory, numberKey(to+1), numberKey(from+1)) {
		c, delta, err := decodeCommit(k, v)
		if err != nil {
			return nil, err
		}
		if c.Number != want {
			break
		}
		if tree, err = n.goBack(tree, delta, schema); err != nil {
			return nil, fmt.Errorf("commit %d: %w", c.Number, err)
		}
		want--
	}
	if want != to {
		return nil, notRemembered(to)
	}
	return tree, nil
}

func notRemembered(n uint64) error {
	return rpcerr.InvalidValue("commit %d is not remembered", n)
}
