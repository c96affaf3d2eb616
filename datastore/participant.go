package datastore

// Participant takes part in the transactions that change running: it prepares the
// network, or a part of the server, for a configuration before that is stored, and
// learns whether it was. Its methods run in the writer: they must not call Update,
// and whatever waits in them holds up all writers.
//
// Transactions that share an fsync are prepared one after the other, each on the
// result of the one before, and committed in that order or aborted all together in
// the opposite one.
type Participant interface {
	// Prepare looks at a change that is valid: from tx.Base().Running to
	// tx.Running(). It may refuse it by an error, which the writer of the change is
	// told, and add state, notifications and rows, but must leave the
	// configuration as it is. Who has refused is not called again for this
	// transaction.
	Prepare(tx *Tx) error

	// Commit says that what was prepared is on disk.
	Commit(*Snapshot)

	// Abort takes back what was prepared: another participant has refused, or the
	// store has failed.
	Abort()
}

// Join adds a participant to all transactions that begin later. They are prepared
// and committed in the order in which they have joined, and aborted in the opposite
// one.
func (s *Store) Join(p Participant) {
	s.joining.Lock()
	defer s.joining.Unlock()
	s.participants = append(s.participants[:len(s.participants):len(s.participants)], p)
}

func (s *Store) joined() []Participant {
	s.joining.Lock()
	defer s.joining.Unlock()
	return s.participants
}
