package datastore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"incidentd/yang/rpcerr"
)

// locks are the global locks of the datastores [RFC 6241 section 7.5], and the partial
// ones of running [RFC 5717]. The writer alone takes and frees them, so that a lock is
// granted between two transactions.
type locks struct {
	mu    sync.Mutex
	held  map[Name]*Lock
	parts []*PartialLock // replaced, never changed; by ID
	tree  *part          // of parts; nil without any
	last  uint32         // ID of a partial lock
}

// Lock is a global lock that a session holds. It never changes.
type Lock struct {
	Session uint32
	Since   time.Time
}

func (l *locks) get(name Name) *Lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held[name]
}

// set makes a lock that of a datastore, nil frees it.
func (l *locks) set(name Name, to *Lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[Name]*Lock{}
	}
	l.held[name] = to
}

// setIn is set within a transaction: what came to nothing is taken back.
func (l *locks) setIn(tx *Tx, name Name, to *Lock) {
	was := l.get(name)
	l.set(name, to)
	tx.OnAbort(func() { l.set(name, was) })
}

// partial are the partial locks.
func (l *locks) partial() []*PartialLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parts
}

// nextID is the number of a new partial lock.
func (l *locks) nextID() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	return l.last
}

func (l *locks) setParts(parts []*PartialLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts, l.tree = parts, partsOf(parts)
}

// nodes finds the partial locks by their nodes; nil without any.
func (l *locks) nodes() *part {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tree
}

// setPartsIn is setParts as setIn is set.
func (l *locks) setPartsIn(tx *Tx, parts []*PartialLock) {
	was := l.partial()
	l.setParts(parts)
	tx.OnAbort(func() { l.setParts(was) })
}

// of reports whether a session holds any lock.
func (l *locks) of(session uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, held := range l.held {
		if held != nil && held.Session == session {
			return true
		}
	}
	return slices.ContainsFunc(l.parts, func(p *PartialLock) bool { return p.Session == session })
}

// partsWithout are the partial locks of the other sessions.
func (l *locks) partsWithout(session uint32) []*PartialLock {
	return slices.DeleteFunc(slices.Clone(l.partial()), func(p *PartialLock) bool { return p.Session == session })
}

// Lock locks a datastore for a session [RFC 6241 section 7.5]. It waits for the
// transactions before it. It answers lock-denied when a session holds the lock or
// part of it, when the candidate has changes, or when running is in a confirmed commit of another
// session; invalid-value for a datastore that cannot be written.
func (s *Store) Lock(ctx context.Context, name Name, session uint32) error {
	if !name.Writable() {
		return rpcerr.InvalidValue("the datastore %s cannot be locked", name)
	}
	return s.Update(ctx, func(tx *Tx) error {
		if l := s.locks.get(name); l != nil {
			return rpcerr.LockDenied(l.Session)
		}
		if parts := s.locks.partial(); name == Running && len(parts) > 0 {
			return rpcerr.LockDenied(parts[0].Session)
		}
		switch p := tx.pending; {
		case name == Candidate && tx.candidate != nil:
			return rpcerr.New(rpcerr.Protocol, rpcerr.TagLockDenied, "the candidate has changes that are neither committed nor discarded").
				WithInfo("", "session-id", "0")
		case name == Running && p != nil && p.Session != session:
			return rpcerr.LockDenied(p.Session)
		}
		s.locks.setIn(tx, name, &Lock{session, tx.now})
		return nil
	})
}

// Unlock gives back the lock of a session, and of none else [RFC 6241 section 7.6].
// With the lock of the candidate go its changes [RFC 6241 section 8.3.5.2].
func (s *Store) Unlock(ctx context.Context, name Name, session uint32) error {
	return s.Update(ctx, func(tx *Tx) error {
		switch l := s.locks.get(name); {
		case l == nil:
			return rpcerr.New(rpcerr.Protocol, rpcerr.TagOperationFailed, "the datastore is not locked")
		case l.Session != session:
			return rpcerr.LockDenied(l.Session)
		}
		tx.unlock(name)
		return nil
	})
}

func (tx *Tx) unlock(name Name) {
	tx.store.locks.setIn(tx, name, nil)
	if name == Candidate {
		tx.candidate, tx.force = nil, true
	}
}

// Release ends what a session leaves behind when it has ended: its locks, with that
// of the candidate its changes, and its confirmed commit unless that is persistent,
// which is reverted [RFC 6241 sections 7.5, 8.3.5.2 and 8.4.1]. It waits for the
// writer when there is any of it. What cannot be written is logged.
func (s *Store) Release(session uint32) {
	if !s.concerns(session) {
		return
	}
	err := s.Update(context.Background(), func(tx *Tx) error {
		for _, name := range []Name{Startup, Candidate, Running} {
			if l := s.locks.get(name); l != nil && l.Session == session {
				tx.unlock(name)
			}
		}
		s.locks.setPartsIn(tx, s.locks.partsWithout(session))
		if p := tx.pending; p != nil && p.Session == session {
			if p.Persist == "" {
				return tx.revert(ConfirmCancel, "the session has ended")
			}
			orphan := *p
			orphan.Session = 0
			tx.pending = &orphan
		}
		return nil
	})
	if err == nil {
		return
	}
	// The locks go in any case: nobody else could free them.
	for _, name := range []Name{Startup, Candidate, Running} {
		if l := s.locks.get(name); l != nil && l.Session == session {
			s.locks.set(name, nil)
		}
	}
	s.locks.setParts(s.locks.partsWithout(session))
	if !errors.Is(err, ErrClosed) {
		s.log.Error("what a session left behind cannot be undone", "session-id", session, "err", err)
	}
}

// concerns reports whether a session has left anything behind.
func (s *Store) concerns(session uint32) bool {
	if s.locks.of(session) {
		return true
	}
	p := s.Snapshot().pending
	return p != nil && p.Session == session
}

// Holder returns the lock of a datastore, nil without one.
func (s *Store) Holder(name Name) *Lock { return s.locks.get(name) }

// MayWrite is in-use when another session than the given one has locked the
// datastore. A transaction asks it by itself for what it changes; an operation may
// ask before, to be refused early.
func (s *Store) MayWrite(name Name, session uint32) error {
	if l := s.locks.get(name); l != nil && l.Session != session {
		return rpcerr.InUse(l.Session)
	}
	return nil
}
