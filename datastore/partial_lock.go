package datastore

import (
	"context"
	"errors"
	"slices"
	"time"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// The app-tags of RFC 5717 that refuse changes and locks.
const (
	appLocked    = "locked"
	appConfirmed = "outstanding-confirmed-commit"
)

// PartialLock is a lock of nodes of running with all below them [RFC 5717]. It never
// changes.
type PartialLock struct {
	ID      uint32
	Session uint32
	Since   time.Time
	// Select are leafs with the XPath expressions that found the nodes.
	Select []*data.Node
	// Nodes are the nodes. Those that the session itself deletes leave the lock.
	Nodes []*data.Loc
}

// step is a node on a way: its schema node and its key.
type step struct {
	schema *yang.Node
	key    string
}

// wayOf is the way to a place, without the root.
func wayOf(l *data.Loc) (way []step) {
	for ; l != nil && l.Node.Schema().Kind != yang.Root; l = l.Parent {
		way = append(way, step{l.Node.Schema(), keyOf(l.Node)})
	}
	slices.Reverse(way)
	return way
}

func keyOf(n *data.Node) string {
	if n.Schema().Multiple() {
		return n.Key()
	}
	return ""
}

// part is a node of running on the way to those that are locked. It never changes.
type part struct {
	below map[step]*part
	locks []*PartialLock // of this very node
}

// partsOf finds locks by their nodes.
func partsOf(locks []*PartialLock) *part {
	if len(locks) == 0 {
		return nil
	}
	root := &part{}
	for _, l := range locks {
		for _, n := range l.Nodes {
			at := root
			for _, s := range wayOf(n) {
				next := at.below[s]
				if next == nil {
					if at.below == nil {
						at.below = map[step]*part{}
					}
					next = &part{}
					at.below[s] = next
				}
				at = next
			}
			at.locks = append(at.locks, l)
		}
	}
	return root
}

// touching yields the locks that have the node at a way: their own, or one above it.
// With deep those of nodes below it as well.
func (p *part) touching(way []step, deep bool, yield func(*PartialLock) bool) bool {
	for _, s := range way {
		if p = p.below[s]; p == nil {
			return true
		}
		for _, l := range p.locks {
			if !yield(l) {
				return false
			}
		}
	}
	return !deep || p.deeper(yield)
}

func (p *part) deeper(yield func(*PartialLock) bool) bool {
	for _, b := range p.below {
		for _, l := range b.locks {
			if !yield(l) {
				return false
			}
		}
		if !b.deeper(yield) {
			return false
		}
	}
	return true
}

// errGone says that a node to be locked has gone meanwhile.
var errGone = errors.New("the node is gone")

// LockParts locks nodes of running for a session [RFC 5717 section 2.4.1]. find finds
// them in a tree; it may take its time and be called again, as others may write
// meanwhile. The answer is lock-denied when running or a node that overlaps with them is
// locked, which for running includes the session itself; in-use while a confirmed commit
// waits; or the error of find.
func (s *Store) LockParts(ctx context.Context, session uint32, expressions []*data.Node, find func(*data.Node) ([]*data.Loc, error)) (*PartialLock, error) {
	for {
		nodes, err := find(s.Snapshot().Running)
		if err != nil {
			return nil, err
		}
		lock := &PartialLock{Session: session, Select: expressions, Nodes: nodes}
		err = s.Update(ctx, func(tx *Tx) error { return tx.lockParts(lock) })
		if !errors.Is(err, errGone) {
			return lock, err
		}
	}
}

func (tx *Tx) lockParts(lock *PartialLock) error {
	locks := &tx.store.locks
	if l := locks.get(Running); l != nil {
		return rpcerr.LockDenied(l.Session)
	}
	if p := tx.pending; p != nil {
		return rpcerr.New(rpcerr.Protocol, rpcerr.TagInUse, "a confirmed commit waits").WithAppTag(appConfirmed)
	}
	parts := locks.nodes()
	for _, n := range lock.Nodes {
		way := wayOf(n)
		if !exists(tx.running, way) {
			return errGone
		}
		if parts == nil {
			continue
		}
		var other *PartialLock
		parts.touching(way, true, func(l *PartialLock) bool {
			if l.Session != lock.Session {
				other = l
			}
			return other == nil
		})
		if other != nil {
			return rpcerr.LockDenied(other.Session).At(n.Path())
		}
	}
	lock.ID, lock.Since = locks.nextID(), tx.now
	locks.setPartsIn(tx, append(slices.Clone(locks.partial()), lock))
	return nil
}

func exists(n *data.Node, way []step) bool {
	for _, s := range way {
		if s.schema.Multiple() {
			n = n.Entry(s.schema, s.key)
		} else {
			n = n.Get(s.schema)
		}
		if n == nil {
			return false
		}
	}
	return true
}

// UnlockParts gives back a partial lock of a session [RFC 5717 section 2.4.2]. It
// answers invalid-value for a number that is none of its locks.
func (s *Store) UnlockParts(ctx context.Context, session, id uint32) error {
	return s.Update(ctx, func(tx *Tx) error {
		held := s.locks.partial()
		left := slices.DeleteFunc(slices.Clone(held), func(l *PartialLock) bool { return l.ID == id && l.Session == session })
		if len(left) == len(held) {
			return rpcerr.InvalidValue("the session has no partial lock %d", id)
		}
		s.locks.setPartsIn(tx, left)
		return nil
	})
}

// PartialLocks are those that are held, by their numbers. They must not be changed.
func (s *Store) PartialLocks() []*PartialLock { return s.locks.partial() }

// partsUnlocked is in-use when the transaction changes a node of running that another
// session has locked. Nodes that are locked by the author's session, and that it
// deletes, leave their locks. The cost is that of the change.
func (tx *Tx) partsUnlocked() error {
	parts := tx.store.locks.nodes()
	if parts == nil || tx.running == tx.base.Running || tx.force {
		return nil
	}
	var errs rpcerr.Errors
	lost := false
	data.Diff(tx.base.Running, tx.running, func(parent *data.Loc, old, new *data.Node) bool {
		n := new
		if n == nil {
			n = old
		}
		at := parent.Down(n)
		parts.touching(wayOf(at), new == nil, func(l *PartialLock) bool {
			if l.Session == tx.author.Session {
				lost = lost || new == nil
				return true
			}
			errs = append(errs, rpcerr.New(rpcerr.Protocol, rpcerr.TagInUse, "session %d has locked this part", l.Session).
				WithAppTag(appLocked).At(at.Path()))
			return false
		})
		return len(errs) < 100
	})
	if lost && len(errs) == 0 {
		tx.store.locks.setPartsIn(tx, without(tx.store.locks.partial(), tx.author.Session, tx.running))
	}
	return errs.Err()
}

// without are the locks without the nodes of a session's that a tree does not have.
func without(held []*PartialLock, session uint32, tree *data.Node) []*PartialLock {
	list := slices.Clone(held)
	for i, l := range list {
		if l.Session != session {
			continue
		}
		left := *l
		left.Nodes = slices.DeleteFunc(slices.Clone(l.Nodes), func(n *data.Loc) bool { return !exists(tree, wayOf(n)) })
		list[i] = &left
	}
	return list
}
