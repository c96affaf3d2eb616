package kv

import (
	"errors"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Update calls f with the one Writer and commits what it wrote. When it returns
// nil, that is on disk. When it returns an error, nothing of it is there: f's
// own error, that of a failed method of the Writer, ErrFull, ErrClosed,
// ErrDamaged, or one of the file system. It waits for the Updates before it. If
// f panics the transaction is rolled back and the panic passes on.
func (db *DB) Update(f func(*Writer) error) error {
	db.writing.Lock()
	defer db.writing.Unlock()
	if err := db.mend(); err != nil {
		db.failing.Store(&err)
		return err
	}
	w, txid, err := db.transact(f)
	switch {
	case err == nil:
		db.commits.Add(1)
		db.failing.Store(nil)
		db.put.Add(w.put)
		return db.reach("after-commit")
	case txid == 0: // it never came to the commit
		return err
	}
	db.failures.Add(1)
	err = errors.Join(commitError(err), db.settle(txid))
	db.failing.Store(&err)
	return err
}

func (db *DB) reach(point string) error {
	if db.failPoint == nil {
		return nil
	}
	return db.failPoint(point)
}

// transact runs f and commits. The transaction's number is 0 when an error came
// before the commit.
func (db *DB) transact(f func(*Writer) error) (w *Writer, txid uint64, err error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.usable(); err != nil {
		return nil, 0, err
	}
	err = guard(func() error {
		tx, err := db.bolt.Begin(true)
		if err != nil {
			return fmt.Errorf("update: %w", err)
		}
		committing := false
		defer func() {
			if committing { // and it panicked: no lock of bbolt's can be relied on
				db.stuck = true
				return
			}
			_ = tx.Rollback() // does nothing after the commit
		}()
		w = &Writer{Reader: *newReader(tx)}
		if err := f(w); err != nil {
			return err
		}
		if w.err != nil {
			return w.err
		}
		if db.layout < LayoutVersion {
			if err := db.raise(tx); err != nil {
				return err
			}
		}
		if err := db.reach("before-commit"); err != nil {
			return err
		}
		txid, committing = uint64(tx.ID()), true
		defer boltCall()
		if err = db.commit(tx); err == nil {
			db.layout = LayoutVersion
		}
		committing = false
		return err
	})
	return w, txid, err
}

// raise makes the file one of this program's layout, together with the first change
// that needs it. Tables that it adds are made when they are needed.
func (db *DB) raise(tx *bolt.Tx) error {
	defer boltCall()
	if err := writeLayout(tx.Bucket([]byte(ownTable))); err != nil {
		return fmt.Errorf("upgrade to layout %d: %w", LayoutVersion, err)
	}
	return nil
}

// settle finds out what a failed commit has left behind. Mostly nothing: the
// disk was full before the meta page was written. Otherwise the file is opened
// anew with the commit taken back, because bbolt's picture of it may be wrong.
func (db *DB) settle(txid uint64) error {
	if !db.stuck && db.unchanged(txid) {
		return nil
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.undo = txid
	return db.reopen()
}

// unchanged tells whether the state before the commit is the current one.
func (db *DB) unchanged(txid uint64) bool {
	db.mu.RLock()
	defer db.mu.RUnlock()
	var current uint64
	err := guard(func() error {
		defer boltCall()
		return db.bolt.View(func(tx *bolt.Tx) error {
			current = uint64(tx.ID())
			return nil
		})
	})
	return err == nil && current == txid-1
}

// mend tries again to open a store that a failure has broken.
func (db *DB) mend() error {
	db.mu.RLock()
	broken := db.broken != nil && !db.closed
	db.mu.RUnlock()
	if !broken {
		return nil
	}
	db.mu.Lock() // only an Update mends, and this is the one
	defer db.mu.Unlock()
	return db.reopen()
}

// reopen closes the file, takes back the commit db.undo, and opens it again.
// When it fails the DB is broken until an Update succeeds in it; db.mu is held.
func (db *DB) reopen() error {
	err := db.unload()
	if err == nil {
		err = db.restore()
	}
	db.broken = nil
	if err != nil {
		db.broken = fmt.Errorf("reopen: %w", err)
	}
	return db.broken
}

func (db *DB) restore() error {
	f, err := os.OpenFile(db.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err = lock(f, time.Second); err == nil && db.undo != 0 {
		err = revert(f, db.undo)
	}
	if err == nil {
		err = db.load(f)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	db.undo = 0
	return nil
}
