//go:build !linux

package main

import (
	"errors"
	"syscall"
)

// prlimit is Linux's own.
func prlimit(int, int, *syscall.Rlimit) error { return errors.ErrUnsupported }
