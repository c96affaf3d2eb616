package datastore

import (
	"sync"
	"time"

	"incidentd/yang/rpcerr"
)

// locks are the global locks of the datastores [RFC 6241 section 7.5].
type locks struct {
	mu      sync.Mutex
	running *Lock
}

// Lock is a global lock that a session holds.
type Lock struct {
	Session uint32
	Since   time.Time
}

// LockRunning locks the configuration for a session, or says who holds it.
func (s *Store) LockRunning(session uint32) error {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	if l := s.locks.running; l != nil {
		return rpcerr.LockDenied(l.Session)
	}
	s.locks.running = &Lock{session, time.Now()}
	return nil
}

// UnlockRunning gives back the lock of a session, and of none else [RFC 6241
// section 7.6].
func (s *Store) UnlockRunning(session uint32) error {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	switch l := s.locks.running; {
	case l == nil:
		return rpcerr.New(rpcerr.Protocol, rpcerr.TagOperationFailed, "the datastore is not locked")
	case l.Session != session:
		return rpcerr.LockDenied(l.Session)
	}
	s.locks.running = nil
	return nil
}

// Release gives back all locks of a session, which has ended.
func (s *Store) Release(session uint32) {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	if l := s.locks.running; l != nil && l.Session == session {
		s.locks.running = nil
	}
}

// RunningLock returns the lock of the configuration, nil without one.
func (s *Store) RunningLock() *Lock {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	return s.locks.running
}

// MayWrite is in-use when another session than the given one has locked the
// configuration.
func (s *Store) MayWrite(session uint32) error {
	if l := s.RunningLock(); l != nil && l.Session != session {
		return rpcerr.InUse(l.Session)
	}
	return nil
}
