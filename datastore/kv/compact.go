package kv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// compactChunk is how many bytes Compact copies in a transaction.
const compactChunk = 16 << 20

// Compact writes the store at path anew without its unused pages, and returns its
// size in bytes before and after. Nobody else may have it open. All rows are checked
// first; a store with damage is left as it is. The new file takes the place of the
// old one at once when it is complete and on disk, so that a crash leaves one of the
// two; it needs room for both. Errors are those of Open and Check, and of the file
// system. Of the Options, MustExist is implied, and the fail point is called with
// "before-rename".
func Compact(path string, o Options) (before, after int64, err error) {
	o.MustExist = true
	db, err := Open(path, o)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Check(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", path, err)
	}
	before = db.Stats().FileBytes
	temp := path + ".compact"
	err = db.copyTo(temp)
	if err == nil {
		err = db.reach("before-rename")
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return before, before, fmt.Errorf("compact %s: %w", path, err)
	}
	return before, db.Stats().FileBytes, syncDir(filepath.Dir(path))
}

// copyTo writes all rows into a new file, which is on disk in the end.
func (db *DB) copyTo(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lock(f, DefaultLockTimeout); err != nil {
		return err
	}
	b, err := openBolt(f)
	if err != nil {
		return err
	}
	err = guard(func() error {
		defer boltCall()
		return bolt.Compact(b, db.bolt, compactChunk)
	})
	if err = errors.Join(err, b.Close()); err == nil {
		err = trim(f)
	}
	if err != nil {
		return commitError(err)
	}
	return nil
}

// trim cuts off what bbolt has reserved behind the last page.
func trim(f *os.File) error {
	m, err := newestMeta(f)
	if err != nil {
		return err
	}
	if err := f.Truncate(int64(m.pages) * int64(m.pageSize)); err != nil {
		return err
	}
	return f.Sync()
}
