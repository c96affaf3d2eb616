package audit

import (
	"encoding/json"
	"fmt"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/netconf"
)

// pending is a local command's change of running that is on disk while the record of the
// command is not yet. It stands in a row that the change's own transaction writes, so
// that a crash between the two leaves no change without a record. The record's
// transaction deletes it.
type pending struct {
	Time    time.Time `json:"time"`
	What    string    `json:"what,omitempty"`
	Touched []touch   `json:"touched,omitempty"`
	Untold  int       `json:"untold,omitempty"`
}

var pendingKey = []byte("pending")

// keeper is the participant that writes the row.
type keeper struct{}

// Prepare implements datastore.Participant.
func (keeper) Prepare(tx *datastore.Tx) error {
	a := tx.Author()
	if a.Source != LocalSource {
		return nil // an rpc, see Log.Stores, or the server's own doing, which the history tells
	}
	e := new(entry)
	e.changes([]netconf.Change{{Datastore: datastore.Running, Old: tx.Base().Running, New: tx.Running()}})
	row, err := json.Marshal(pending{Time: tx.Now(), What: bounded(a.Comment, maxText), Touched: e.touched, Untold: e.untold})
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	tx.Put(table, pendingKey, row)
	return nil
}

// Commit implements datastore.Participant.
func (keeper) Commit(*datastore.Snapshot) {}

// Abort implements datastore.Participant.
func (keeper) Abort() {}

// loadPending reads what a crash has left, nil for nothing.
func loadPending(db *kv.DB) (e *entry, err error) {
	err = db.View(func(r *kv.Reader) error {
		row := r.Get(table, pendingKey)
		if row == nil {
			return nil
		}
		var p pending
		if err := json.Unmarshal(row, &p); err != nil {
			return fmt.Errorf("audit: %w: a change without a record: %w", kv.ErrDamaged, err)
		}
		e = &entry{event: "command", time: p.Time, operation: p.What, touched: p.Touched, untold: p.Untold,
			text: "the server ended before it could answer", settles: true}
		return nil
	})
	return e, err
}
