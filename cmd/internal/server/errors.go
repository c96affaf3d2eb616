package server

import "errors"

// Errors of the data directory.
var (
	// ErrNotInitialised is a directory that is missing or has no store.
	ErrNotInitialised = errors.New("not initialised")
	// ErrInitialised is a directory that has a store already.
	ErrInitialised = errors.New("initialised already")
	// ErrNotEmpty is a directory that holds what is none of ours.
	ErrNotEmpty = errors.New("the directory holds other files")
	// ErrInUse is a directory that another process works with.
	ErrInUse = errors.New("in use by another process")
	// ErrMode is a directory or file that others than its owner can get at.
	ErrMode = errors.New("open to others than its owner")
	// ErrBackup is a file that is no backup, or a damaged one.
	ErrBackup = errors.New("not a usable backup")
	// ErrLateStop is returned by Stop when a step was given up for lack of time.
	ErrLateStop = errors.New("stopped before all was ended")
)
