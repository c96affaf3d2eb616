package datastore

import (
	"encoding/binary"
	"fmt"
	"time"

	"incidentd/datastore/kv"
	"incidentd/yang/rpcerr"
)

const tableConfirm = "confirm"

var keyPending = []byte("pending")

// DefaultConfirmTimeout is how long a confirmed commit waits when it does not say
// [RFC 6241 section 8.4.5.1].
const DefaultConfirmTimeout = 600 * time.Second

// Confirmation is a confirmed commit that waits to be confirmed [RFC 6241 section
// 8.4]. It is stored: a store that is opened with one reverts it. It never changes.
type Confirmation struct {
	// Persist is the token that confirms or cancels it from any session; "" for one
	// that ends with its session.
	Persist string
	User    string
	// Session is that of the commit; 0 when it has ended.
	Session uint32
	Since   time.Time
	// Deadline is when it is reverted.
	Deadline time.Time
	// Base is the number of the commit that it goes back to.
	Base uint64
}

// ConfirmEvent is what happens to a confirmed commit [RFC 6470 section 2.2].
type ConfirmEvent string

// The events of a confirmed commit.
const (
	ConfirmStart    ConfirmEvent = "start"
	ConfirmExtend   ConfirmEvent = "extend"
	ConfirmComplete ConfirmEvent = "complete"
	ConfirmCancel   ConfirmEvent = "cancel"
	ConfirmTimeout  ConfirmEvent = "timeout"
)

// CommitOptions say how the candidate is committed [RFC 6241 section 8.4.5.1]. The
// zero value is a plain commit, which confirms one that waits.
type CommitOptions struct {
	Confirmed bool
	// Timeout of a confirmed commit; 0: DefaultConfirmTimeout.
	Timeout time.Duration
	// Persist is the token to be set; "" keeps that of the commit which waits.
	Persist string
	// PersistID is the token of the commit which waits.
	PersistID string
}

// Pending is the confirmed commit that waits, nil without one.
func (s *Snapshot) Pending() *Confirmation { return s.pending }

// ConfirmEvent is what the transaction has done to a confirmed commit, "" for nothing.
func (tx *Tx) ConfirmEvent() ConfirmEvent { return tx.event }

// Pending is the confirmed commit that waits, nil without one.
func (tx *Tx) Pending() *Confirmation { return tx.pending }

// Commit makes the candidate the running configuration [RFC 6241 section 8.3.4.1].
// By must have told before who commits. It answers in-use when another session holds
// a lock or has a confirmed commit, and invalid-value for a token that is not that of
// the commit which waits.
func (tx *Tx) Commit(o CommitOptions) error {
	for _, name := range []Name{Running, Candidate} {
		if err := tx.store.MayWrite(name, tx.author.Session); err != nil {
			return err
		}
	}
	if err := tx.mayConfirm(o.PersistID); err != nil {
		return err
	}
	tx.running, tx.candidate = tx.Datastore(Candidate), nil
	if !o.Confirmed {
		if tx.pending != nil {
			tx.event = ConfirmComplete
		}
		tx.setPending(nil)
		return nil
	}
	tx.event = ConfirmStart
	if o.Timeout == 0 {
		o.Timeout = DefaultConfirmTimeout
	}
	p := Confirmation{User: tx.author.User, Since: tx.now, Base: tx.base.Commit}
	if tx.pending != nil {
		p, tx.event = *tx.pending, ConfirmExtend
	}
	p.Session, p.Deadline = tx.author.Session, tx.now.Add(o.Timeout)
	if o.Persist != "" {
		p.Persist = o.Persist
	}
	tx.setPending(&p)
	return nil
}

// CancelCommit takes a confirmed commit back [RFC 6241 section 8.4.4.1]. It answers
// operation-failed when none waits, otherwise as Commit.
func (tx *Tx) CancelCommit(persistID string) error {
	if tx.pending == nil {
		return rpcerr.OperationFailed("no confirmed commit waits")
	}
	if err := tx.mayConfirm(persistID); err != nil {
		return err
	}
	if err := tx.store.MayWrite(Running, tx.author.Session); err != nil {
		return err
	}
	return tx.takeBack(ConfirmCancel)
}

// mayConfirm says whether the author may decide on the commit that waits.
func (tx *Tx) mayConfirm(persistID string) error {
	p := tx.pending
	switch {
	case p == nil && persistID != "":
		return rpcerr.InvalidValue("no confirmed commit waits, so no persist-id is right")
	case p == nil:
		return nil
	case p.Persist != persistID:
		return rpcerr.InvalidValue("the persist-id is not that of the confirmed commit")
	case p.Persist == "" && p.Session != tx.author.Session:
		return rpcerr.New(rpcerr.Protocol, rpcerr.TagInUse, "session %d has a confirmed commit that waits", p.Session)
	}
	return nil
}

// revert is what the store does by itself with a commit that nobody confirmed.
func (tx *Tx) revert(event ConfirmEvent, why string) error {
	tx.By(Author{Source: "confirmed-commit", Comment: why})
	tx.force = true
	return tx.takeBack(event)
}

func (tx *Tx) takeBack(event ConfirmEvent) error {
	err := tx.Rollback(tx.pending.Base)
	if err == nil {
		tx.event = event
		tx.setPending(nil)
	}
	return err
}

func (tx *Tx) setPending(p *Confirmation) {
	switch {
	case p != nil:
		tx.Put(tableConfirm, keyPending, p.encode())
	case tx.pending != nil:
		tx.Delete(tableConfirm, keyPending)
	}
	tx.pending = p
}

// expire reverts the commit that waits, if its time is over.
func (s *Store) expire(tx *Tx) error {
	if tx.pending == nil || tx.now.Before(tx.pending.Deadline) {
		return nil
	}
	return tx.revert(ConfirmTimeout, "not confirmed in time")
}

func (p *Confirmation) encode() []byte {
	b := appendText(nil, p.Persist)
	b = appendText(b, p.User)
	b = binary.AppendUvarint(b, uint64(p.Session))
	b = binary.AppendVarint(b, p.Since.UnixNano())
	b = binary.AppendVarint(b, p.Deadline.UnixNano())
	return binary.AppendUvarint(b, p.Base)
}

func loadPending(r *kv.Reader) (*Confirmation, error) {
	v := r.Get(tableConfirm, keyPending)
	if v == nil {
		return nil, nil
	}
	return decodePending(v)
}

func decodePending(v []byte) (*Confirmation, error) {
	d := decoder{b: v}
	p := &Confirmation{Persist: d.text(), User: d.text(), Session: uint32(d.uint()), Since: d.time(), Deadline: d.time(), Base: d.uint()}
	if d.bad || len(d.b) > 0 {
		return nil, fmt.Errorf("%w: the confirmed commit cannot be read", kv.ErrDamaged)
	}
	return p, nil
}
