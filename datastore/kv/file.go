package kv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

// lockRetry is how often a lock that another holds is asked for again.
const lockRetry = 20 * time.Millisecond

// lock takes the file's lock, which bbolt takes too: on the same open file that
// is no contradiction, so the file can be looked at before bbolt gets it.
func lock(f *os.File, timeout time.Duration) error {
	for end := time.Now().Add(timeout); ; time.Sleep(lockRetry) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case err == syscall.EINTR:
		case err != syscall.EWOULDBLOCK:
			return fmt.Errorf("lock: %w", err)
		case !time.Now().Before(end):
			return ErrInUse
		}
	}
}

// mapSizes are the address ranges to reserve, the first that the system grants.
// Growing beyond it makes writers wait for readers, so it is generous: it costs
// address space, not memory.
func mapSizes() []int {
	if large := int64(4 << 30); strconv.IntSize == 64 {
		return []int{int(large), 1 << 30, 1 << 26}
	}
	return []int{1 << 28, 1 << 26}
}

// replaced reports whether another file has the name of an open one, which Compact
// may have put there while the lock was waited for.
func replaced(f *os.File) bool {
	own, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(f.Name())
	return err == nil && !os.SameFile(own, named)
}

// openBolt opens a locked and verified file. bbolt has a descriptor of its own,
// whose Close gives up the lock.
func openBolt(f *os.File) (b *bolt.DB, err error) {
	for _, size := range mapSizes() {
		var own *os.File
		err = guard(func() (err error) {
			b, err = bolt.Open(f.Name(), 0o600, &bolt.Options{
				Timeout:         time.Second,
				NoFreelistSync:  true,
				FreelistType:    bolt.FreelistMapType,
				InitialMmapSize: size,
				NoStatistics:    true,
				OpenFile: func(string, int, os.FileMode) (*os.File, error) {
					own, err = duplicate(f)
					return own, err
				},
			})
			return err
		})
		if err == nil {
			return b, nil
		}
		if own != nil {
			_ = own.Close() // bbolt leaves it open when it panics
		}
		if !errors.Is(err, syscall.ENOMEM) {
			break
		}
		if err := lock(f, time.Second); err != nil { // bbolt has given it up
			return nil, err
		}
	}
	return nil, err
}

// duplicate is another descriptor of the same open file.
func duplicate(f *os.File) (*os.File, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("fcntl", errno)
	}
	return os.NewFile(fd, f.Name()), nil
}

// create makes an empty store beside path and puts it into place whole, so that
// a crash leaves either no store or a good one.
func create(path string, timeout time.Duration) error {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: no directory %s", ErrNotFound, filepath.Dir(path))
	} else if err != nil {
		return createError(err)
	}
	defer f.Close()
	if err := lock(f, timeout); err != nil {
		return err
	}
	// Whoever held the lock before may have finished the store.
	if _, err := os.Lstat(path); err == nil {
		_ = os.Remove(temp)
		return nil
	}
	if err := errors.Join(f.Truncate(0), f.Chmod(0o600)); err != nil {
		return createError(err)
	}
	b, err := openBolt(f)
	if err != nil {
		return createError(err)
	}
	err = b.Update(func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte(ownTable))
		if err != nil {
			return err
		}
		return writeLayout(bucket)
	})
	if err == nil {
		// Before the lock goes with Close.
		err = os.Rename(temp, path)
	}
	if err := errors.Join(err, b.Close()); err != nil {
		return createError(err)
	}
	return syncDir(filepath.Dir(path))
}

func createError(err error) error {
	if err := commitError(err); errors.Is(err, ErrFull) {
		return err
	}
	return fmt.Errorf("create: %w", err)
}

// syncDir makes a new name of a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	return nil
}

// revert takes back the commit with the number txid, whose meta page may have
// been written although the commit failed. The other meta page, that of the
// state before, counts again. The pages of that state are never written over.
func revert(f *os.File, txid uint64) error {
	m, errs := readMetas(f)
	for i := range m {
		if errs[i] != nil || m[i].txid != txid {
			continue
		}
		if errs[1-i] != nil || m[1-i].txid != txid-1 {
			return damaged("no state before the failed commit")
		}
		if _, err := f.WriteAt(make([]byte, pageHeader+metaSize), int64(i)*int64(m[i].pageSize)); err != nil {
			return err
		}
	}
	return f.Sync()
}
