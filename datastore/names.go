package datastore

import (
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Name is the name of a datastore, as the identity of RFC 8342 has it.
type Name string

// The datastores [RFC 8342 section 5].
const (
	Startup     Name = "startup"
	Candidate   Name = "candidate"
	Running     Name = "running"
	Intended    Name = "intended"
	Operational Name = "operational"

	FactoryDefault Name = "factory-default" // [RFC 8808 section 3]
)

// Known reports whether there is a datastore of the name.
func (n Name) Known() bool {
	return n.Writable() || n == Intended || n == Operational || n == FactoryDefault
}

// Writable reports whether the datastore takes edits, and therefore locks.
func (n Name) Writable() bool { return n == Startup || n == Candidate || n == Running }

// Datastore returns the tree of a datastore, what Providers make left out; nil for
// a name that is not known.
func (s *Snapshot) Datastore(name Name) *data.Node {
	switch name {
	case Startup:
		return s.Startup
	case Candidate:
		if s.candidate != nil {
			return s.candidate
		}
		return s.Running
	case Running, Intended: // nothing is computed from templates or left inactive
		return s.Running
	case FactoryDefault:
		return s.factory
	case Operational:
		return s.Operational()
	}
	return nil
}

// CandidateModified reports whether the candidate has changes that are neither
// committed nor discarded. Without any it is what running is, and follows it.
func (s *Snapshot) CandidateModified() bool { return s.candidate != nil }

// Datastore is the tree of a datastore as the transaction has it so far; nil for a
// name that is not known.
func (tx *Tx) Datastore(name Name) *data.Node {
	switch name {
	case Startup:
		return tx.startup
	case Candidate:
		if tx.candidate != nil {
			return tx.candidate
		}
		return tx.running
	case Running, Intended:
		return tx.running
	case FactoryDefault:
		return tx.factory
	case Operational:
		return tx.Operational()
	}
	return nil
}

// Set replaces the tree of a datastore: startup, candidate or running. Another
// name refuses the transaction with invalid-value. Running and startup are
// validated at the end; the candidate is when it is committed.
func (tx *Tx) Set(name Name, n *data.Node) {
	switch name {
	case Startup:
		tx.startup = n
	case Candidate:
		if tx.candidate = n; n == tx.running {
			tx.candidate = nil
		}
	case Running:
		tx.running = n
	default:
		tx.fail(rpcerr.InvalidValue("the datastore %s cannot be written", name))
	}
}

// Copy replaces a datastore by what another holds [RFC 6241 section 7.3]. A copy of
// running into the candidate is a candidate without changes.
func (tx *Tx) Copy(from, to Name) {
	if !from.Known() || from == Operational {
		tx.fail(rpcerr.InvalidValue("the datastore %s cannot be copied", from))
		return
	}
	tx.Set(to, tx.Datastore(from))
}

// SetFactoryDefault makes a tree what FactoryReset puts back. It is for who makes the
// store.
func (tx *Tx) SetFactoryDefault(n *data.Node) { tx.factory = n }

// FactoryReset makes running, startup and the candidate what factory-default is [RFC
// 8808 section 2]. A confirmed commit that waits is cancelled. It answers
// operation-not-supported when the store has no factory default.
func (tx *Tx) FactoryReset() error {
	if tx.factory.Empty() {
		return rpcerr.OperationNotSupported("a factory-reset without a factory default")
	}
	if tx.pending != nil {
		tx.event = ConfirmCancel
		tx.setPending(nil)
	}
	tx.running, tx.startup, tx.candidate = tx.factory, tx.factory, nil
	return nil
}

// Discard drops the changes of the candidate [RFC 6241 section 8.3.4.2].
func (tx *Tx) Discard() { tx.candidate = nil }

// fail makes the transaction fail in the end, with its first error.
func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}
