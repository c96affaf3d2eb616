package kv

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// What Open may answer; found with errors.Is.
var (
	// ErrInUse says that another process, or another DB of this one, has the
	// file open.
	ErrInUse = errors.New("the store is in use by another process")

	// ErrDamaged says that the file is not a store or is a broken one. View,
	// Update and Check answer it too, when damage is met only then.
	ErrDamaged = errors.New("the store is damaged")

	// ErrNewer says that a newer version of the program made the file.
	ErrNewer = errors.New("the store was made by a newer version")

	// ErrNotFound says that there is no file, where Options.MustExist asks for
	// one, or no parent directory.
	ErrNotFound = errors.New("there is no store")
)

// What View and Update may answer; found with errors.Is.
var (
	// ErrFull says that the disk, the quota or the file size limit left no room
	// for the transaction. Nothing of it is there; it can be tried again.
	ErrFull = errors.New("no room on the disk")

	// ErrClosed says that the DB is closed.
	ErrClosed = errors.New("the store is closed")

	// ErrKey says that a key is empty or longer than MaxKey.
	ErrKey = errors.New("key empty or too long")

	// ErrTable says that a table's name is empty or reserved.
	ErrTable = errors.New("not a name for a table")
)

// damaged is an ErrDamaged with its reason.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

// fullErrnos are the ways in which a file cannot grow.
var fullErrnos = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}

// commitError gives the error of a failed commit its class. bbolt hands some
// causes on as text only, so the text is looked at where the chain ends early.
func commitError(err error) error {
	for _, errno := range fullErrnos {
		if errors.Is(err, errno) || strings.HasSuffix(err.Error(), errno.Error()) {
			return fmt.Errorf("commit: %w: %w", ErrFull, err)
		}
	}
	return fmt.Errorf("commit: %w", err)
}
