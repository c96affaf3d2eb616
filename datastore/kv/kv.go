package kv

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// LayoutVersion is the version of the layout that this program writes. A file
	// of an older one is read as it is, and becomes one of this version in its next
	// transaction.
	LayoutVersion = 4

	// MaxKey is the longest key, in bytes.
	MaxKey = bolt.MaxKeySize

	// DefaultLockTimeout is how long Open waits for another process to let go.
	DefaultLockTimeout = time.Second
)

const (
	ownTable  = "kv"
	layoutKey = "layout"
)

// Options of Open; the zero value works.
type Options struct {
	// MustExist makes Open answer ErrNotFound instead of creating the file.
	MustExist bool

	// LockTimeout is how long Open waits for a file that is in use; 0 means
	// DefaultLockTimeout, less than 0 not at all.
	LockTimeout time.Duration

	// FailPoint is for crash tests; nil in production. It is called in Update
	// with "before-commit", where an error ends the transaction without effect,
	// and with "after-commit", where the transaction is durable and an error
	// stands for an acknowledgement that never arrived: who gets it has to act
	// as after a crash.
	FailPoint func(name string) error
}

// DB is an open store. All methods may be called concurrently.
type DB struct {
	path      string
	failPoint func(string) error
	commit    func(*bolt.Tx) error // (*bolt.Tx).Commit, except in tests

	writing sync.Mutex // held during an Update; taken before mu
	layout  int        // the file's layout version; of the one Update
	stuck   bool       // a commit panicked, so bolt cannot be closed; of the one Update

	mu     sync.RWMutex // held for reading by each transaction
	file   *os.File     // ours, beside bbolt's own descriptor
	bolt   *bolt.DB     // nil when closed or broken
	closed bool
	broken error  // why bolt is nil although the DB is not closed
	undo   uint64 // while broken: the commit to be taken back first, or 0

	commits, failures, put atomic.Uint64
	failing                atomic.Pointer[error] // why the last commit failed
}

// Open opens the store at path, and creates it with mode 0600 if it is not
// there; the directory must be there. It answers ErrInUse, ErrDamaged, ErrNewer,
// ErrNotFound, ErrFull, or an error of the file system, each with the path in
// its text. It reads the structure of the whole file, about a second a gigabyte.
// Close must be called in the end.
func Open(path string, o Options) (*DB, error) {
	db := &DB{path: path, failPoint: o.FailPoint, commit: (*bolt.Tx).Commit}
	timeout := o.LockTimeout
	if timeout == 0 {
		timeout = DefaultLockTimeout
	}
	if err := db.open(o.MustExist, timeout); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return db, nil
}

func (db *DB) open(mustExist bool, timeout time.Duration) error {
	for {
		again, err := db.tryOpen(mustExist, timeout)
		if !again {
			return err
		}
	}
}

// tryOpen opens the file once; again says that another was put into its place
// meanwhile.
func (db *DB) tryOpen(mustExist bool, timeout time.Duration) (again bool, err error) {
	f, err := os.OpenFile(db.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if mustExist {
			return false, ErrNotFound
		}
		if err := create(db.path, timeout); err != nil {
			return false, err
		}
		f, err = os.OpenFile(db.path, os.O_RDWR, 0)
	}
	if err != nil {
		return false, err
	}
	if err = lock(f, timeout); err == nil {
		if replaced(f) {
			return true, f.Close()
		}
		err = db.load(f)
	}
	if err != nil {
		return false, errors.Join(err, f.Close())
	}
	return false, nil
}

// load verifies a locked file and opens it.
func (db *DB) load(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return damaged("not a regular file")
	}
	if err := verifyFile(f, info.Size()); err != nil {
		return damaged("%w", err)
	}
	b, err := openBolt(f)
	if err != nil {
		return err
	}
	layout, err := readLayout(b)
	if err != nil {
		return errors.Join(err, b.Close())
	}
	db.file, db.bolt, db.layout = f, b, layout
	return nil
}

// readLayout reads the layout version.
func readLayout(b *bolt.DB) (n int, err error) {
	err = guard(func() error {
		return b.View(func(tx *bolt.Tx) error {
			own := tx.Bucket([]byte(ownTable))
			if own == nil {
				return damaged("no layout version: another program's file")
			}
			v, err := unseal([]byte(layoutKey), own.Get([]byte(layoutKey)))
			if err != nil {
				return err
			}
			switch n, err = strconv.Atoi(string(v)); {
			case err != nil || n < 1:
				return damaged("layout version %q", v)
			case n > LayoutVersion:
				return fmt.Errorf("%w: layout version %d, and this program knows %d", ErrNewer, n, LayoutVersion)
			}
			return nil
		})
	})
	return n, err
}

// writeLayout says that the file has the layout of this program.
func writeLayout(own *bolt.Bucket) error {
	return own.Put([]byte(layoutKey), seal([]byte(layoutKey), []byte(strconv.Itoa(LayoutVersion))))
}

// Close waits for the transactions under way and closes the file. Closing again
// does nothing.
func (db *DB) Close() error {
	db.writing.Lock()
	defer db.writing.Unlock()
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	return db.unload()
}

// unload closes the files; db.mu is held.
func (db *DB) unload() error {
	var errs [2]error
	switch {
	case db.bolt == nil:
	case db.stuck: // its memory and descriptor are given up, but not the lock
		errs[0] = syscall.Flock(int(db.file.Fd()), syscall.LOCK_UN)
	default:
		errs[0] = guard(db.bolt.Close)
	}
	if db.file != nil {
		errs[1] = db.file.Close()
	}
	db.bolt, db.file, db.stuck = nil, nil, false
	return errors.Join(errs[:]...)
}

// Path is where the file is.
func (db *DB) Path() string { return db.path }

// View calls f with a snapshot of the last committed state and returns what f
// returns, or ErrClosed, or ErrDamaged. The snapshot ends with the call.
func (db *DB) View(f func(*Reader) error) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.usable(); err != nil {
		return err
	}
	return guard(func() error {
		tx, err := db.bolt.Begin(false)
		if err != nil {
			return fmt.Errorf("view: %w", err)
		}
		defer tx.Rollback()
		return f(newReader(tx))
	})
}

// usable says why there is no bolt; db.mu is held.
func (db *DB) usable() error {
	if db.closed {
		return ErrClosed
	}
	return db.broken
}

// Stats are figures of a DB since it was opened.
type Stats struct {
	Commits   uint64 // transactions that are on disk
	Failures  uint64 // transactions whose commit failed
	PutBytes  uint64 // keys and values that were put and committed
	FileBytes int64  // size of the file, holes included
}

// Stats returns the figures. It does not block on transactions.
func (db *DB) Stats() Stats {
	s := Stats{Commits: db.commits.Load(), Failures: db.failures.Load(), PutBytes: db.put.Load()}
	if info, err := os.Stat(db.path); err == nil {
		s.FileBytes = info.Size()
	}
	return s
}

// Failing is why the last Update could not be committed, nil when it was. It does not block.
func (db *DB) Failing() error {
	if err := db.failing.Load(); err != nil {
		return *err
	}
	return nil
}

// Backup writes a copy of the last committed state to w, in the form of the
// file itself, and returns its length in bytes. Updates go on meanwhile, but
// the pages of the snapshot are not reused before the end.
func (db *DB) Backup(w io.Writer) (n int64, err error) {
	kept := &keepError{w: w} // bbolt hands on its text only
	err = db.View(func(r *Reader) error {
		n, err = r.tx.WriteTo(kept)
		return err
	})
	if kept.err != nil {
		err = kept.err
	}
	if err != nil {
		return n, fmt.Errorf("backup: %w", err)
	}
	return n, nil
}

// keepError remembers the error of a writer.
type keepError struct {
	w   io.Writer
	err error
}

func (k *keepError) Write(b []byte) (int, error) {
	n, err := k.w.Write(b)
	if err != nil {
		k.err = err
	}
	return n, err
}

// Check reads everything that the last committed state has: the structure of
// the file and the checksum of every row. It answers the first fault as
// ErrDamaged.
func (db *DB) Check() error {
	return db.View(func(r *Reader) error {
		root := r.tx.Cursor().Bucket()
		size := uint32(db.bolt.Info().PageSize)
		s := newStructure(db.file, size, uint64(r.tx.Size())/uint64(size))
		if err := s.root(uint64(root.Root())); err != nil {
			return damaged("%w", err)
		}
		for _, table := range append(r.Tables(), ownTable) {
			for range r.scan(table, nil, nil) { // scan verifies each row
			}
		}
		return nil
	})
}

// damage is what a panic carries from a place without an error result to guard.
type damage struct{ err error }

// guard calls f and turns damage, and a page that cannot be read, into an error.
// Other panics pass.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case damage:
			err = p.err
		case interface{ Addr() uintptr }: // a fault of memory that is mapped
			err = damaged("a page of the file cannot be read")
		default:
			panic(p)
		}
	}()
	return f()
}

// boltCall is for the calls into bbolt, which panics when it meets the
// unexpected in a file.
func boltCall() {
	switch p := recover().(type) {
	case nil:
	case damage, interface{ Addr() uintptr }:
		panic(p)
	default:
		panic(damage{damaged("%v", p)})
	}
}
