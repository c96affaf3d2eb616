package audit

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/netconf"
)

// pending is a change of running that is on disk while its record is not yet. It stands
// in a row that the change's own transaction writes, so that a crash between the two
// leaves no change without a record. Its record's transaction deletes it. A session has
// one at most, as it waits for the record; local commands share the session 0.
type pending struct {
	Time    time.Time `json:"time"`
	User    string    `json:"user,omitempty"`
	Source  string    `json:"source,omitempty"`
	Session uint32    `json:"session,omitempty"`
	What    string    `json:"what,omitempty"`
	Touched []touch   `json:"touched,omitempty"`
	Untold  int       `json:"untold,omitempty"`
}

var pendingPrefix = []byte("pending ")

func pendingKey(session uint32) []byte {
	return binary.BigEndian.AppendUint32(pendingPrefix[:len(pendingPrefix):len(pendingPrefix)], session)
}

// keeper is the participant that writes the rows.
type keeper struct{}

// Prepare implements datastore.Participant.
func (keeper) Prepare(tx *datastore.Tx) error {
	a := tx.Author()
	if a.Session == 0 && a.Source != LocalSource {
		return nil // the server's own doing, which the history tells
	}
	e := new(entry)
	e.changes([]netconf.Change{{Datastore: datastore.Running, Old: tx.Base().Running, New: tx.Running()}})
	p := pending{Time: tx.Now(), User: bounded(a.User, maxText), Source: bounded(a.Host, maxText), Session: a.Session,
		What: bounded(a.Comment, maxText), Touched: e.touched, Untold: e.untold}
	if a.Session != 0 {
		p.What = ""
	}
	row, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	tx.Put(table, pendingKey(a.Session), row)
	return nil
}

// Commit implements datastore.Participant.
func (keeper) Commit(*datastore.Snapshot) {}

// Abort implements datastore.Participant.
func (keeper) Abort() {}

// loadPending reads what a crash has left.
func loadPending(db *kv.DB) (list []*entry, err error) {
	err = db.View(func(r *kv.Reader) error {
		for _, row := range r.Scan(table, pendingPrefix, pendingKey(1<<32-1)) {
			var p pending
			if err := json.Unmarshal(row, &p); err != nil {
				return fmt.Errorf("audit: %w: a change without a record: %w", kv.ErrDamaged, err)
			}
			e := &entry{event: "rpc", time: p.Time, user: p.User, source: p.Source, session: p.Session, operation: p.What,
				touched: p.Touched, untold: p.Untold, text: "the server ended before it could answer", settles: true}
			if p.Session == 0 {
				e.event = "command"
			}
			list = append(list, e)
		}
		return nil
	})
	return list, err
}
